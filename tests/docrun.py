# SPDX-License-Identifier: ISC
"""Runs what a document shows.

A fenced block "sh run" (in README: an indented line with a prompt) has
commands behind "$ " and, below each, what it prints; "..." stands for any
lines. A block "ini PATH" is written to that file. Numbers, times, amounts of
blanks and the home directory may differ; words may not.
"""

import os
import re
import select
import subprocess
import time

TIMEOUT = 60
HOME = "/home/me"       # what documents call the home directory
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
NUMBER = re.compile(r"\d+(\.\d+)?")


def blocks(text):
    """(info, body) of every fenced block of a Markdown text."""
    return re.findall(r"^```([^\n]*)\n(.*?)^```$", text, re.M | re.S)


def steps(body):
    """(command, lines of output) of a block with prompts."""
    found = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif found and found[-1][0].endswith("\\"):
            found[-1][0] += "\n" + line.removeprefix("> ")
        elif found:
            found[-1][1].append(line)
    for step in found:
        while step[1] and not step[1][-1].strip():
            step[1].pop()
    return found


def plain(line, home):
    """A line as it is compared."""
    line = line.replace(home, HOME)
    line = TIME.sub("TIME", line)
    line = NUMBER.sub("#", line)
    return " ".join(line.split())


def is_line(pattern, line):
    parts = [re.escape(part.strip()) for part in pattern.split("...")]
    return re.fullmatch(".*".join(parts), line) is not None


def difference(shown, real, home):
    """None when the real lines are those shown, else both in words."""
    pattern = [plain(s, home) for s in shown]
    lines = [plain(r, home) for r in real if r.strip()]
    pattern = [p for p in pattern if p]

    def match(i, k):
        if i == len(pattern):
            return k == len(lines)
        if pattern[i] == "...":
            return any(match(i + 1, n) for n in range(k, len(lines) + 1))
        return k < len(lines) and is_line(pattern[i], lines[k]) and \
            match(i + 1, k + 1)

    if match(0, 0):
        return None
    return ("the document says:\n" + "\n".join(shown)
            + "\nbut it prints:\n" + "\n".join(real))


class Shell:
    """One bash that keeps its directory and variables between commands."""

    def __init__(self, env, cwd):
        self.home = env["HOME"]
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
            cwd=cwd, start_new_session=True)

    def run(self, command, timeout=TIMEOUT):
        """Runs a command; its exit status and what it printed."""
        self.process.stdin.write(
            f"{command}\nprintf '\\001%d\\001' $?\n".encode())
        self.process.stdin.flush()
        got, end = b"", time.monotonic() + timeout
        while (found := re.search(rb"\x01(\d+)\x01", got)) is None:
            left = end - time.monotonic()
            if left <= 0 or not select.select(
                    [self.process.stdout], [], [], left)[0]:
                raise TimeoutError(f"{command}: {got.decode()}")
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                raise ConnectionError(f"{command}: the shell has ended")
            got += chunk
        return int(found.group(1)), got[:found.start()].decode()

    def check(self, body):
        """Runs a block; what differs, in words, or None."""
        for command, shown in steps(body):
            _, text = self.run(command)
            bad = difference(shown, text.splitlines(), self.home)
            if bad:
                return f"$ {command}\n{bad}"
        return None

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(TIMEOUT)


def write_file(info, body, home):
    """Writes an "ini PATH" block; False when it names no path below ~/."""
    words = info.split()
    if len(words) != 2 or not words[1].startswith("~/"):
        return False
    path = os.path.join(home, words[1][2:])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(body)
    if body.startswith("#!"):
        os.chmod(path, 0o755)
    return True
