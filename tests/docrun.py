# SPDX-License-Identifier: ISC
"""Runs what a document shows.

A fenced block "sh run" (in README: an indented line with a prompt) has
commands behind "$ " and, below each, what it prints; "..." stands for any
lines. A block "ini PATH" is written to that file. Numbers, times, amounts of
blanks and the home directory may differ; words may not.
"""

import ctypes
import fcntl
import os
import pty
import re
import select
import socket
import struct
import subprocess
import sys
import termios
import textwrap
import threading
import time

TIMEOUT = 60
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
HOME = "/home/me"       # what documents call the home directory
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
READS = re.compile(r"cat |(\S*/)?svctl( (status|history|logs|explain)\b|$)")
PROGRESS = re.compile(r"svctl: [a-z]+ \S+: [A-Z]+\b")
NUMBER = re.compile(r"\d+(\.\d+)?")


def blocks(text):
    """(info, body) of every fenced block of a Markdown text."""
    return [(info, textwrap.dedent(body)) for info, body in re.findall(
        r"^ *```([^\n]*)\n(.*?)^ *```$", text, re.M | re.S)]


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


def commands(body):
    """The commands of a block without prompts; lines may go on."""
    text = re.sub(r"\\\n *", " ", body)
    return [line for line in text.splitlines() if line.strip()]


def plain(line, home):
    """A line as it is compared."""
    line = line.replace(home, HOME)
    if line.lstrip().startswith("oom-watcher "):
        return "oom-watcher"    # how much memory there is, is the machine's
    line = TIME.sub("TIME", line)
    line = NUMBER.sub("#", line).replace("# ms", "# s")
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

    def __init__(self, env, cwd, enter=None,
                 argv=("bash", "--norc", "--noprofile")):
        self.home = env["HOME"]
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
            cwd=cwd, start_new_session=True, preexec_fn=enter)

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

    def check(self, calls, patience=TIMEOUT):
        """Runs commands and yields (command, shown, printed, what differs in
        words) for each that prints something else than is shown."""
        for command, shown in calls:
            printed, bad = self.check_one(command, shown, patience)
            if bad:
                yield command, shown, printed, f"$ {command}\n{bad}"

    def check_one(self, command, shown, patience):
        """What only reads is asked again, as a person would look again."""
        end = time.monotonic() + patience
        while True:
            _, text = self.run(command)
            real = text.splitlines()
            if not shown:       # how far it is, depends on the moment
                real = [r for r in real if not PROGRESS.match(r)]
            order = sorted if command.endswith("svctl recover") else list
            bad = difference(order(shown), order(real), self.home)
            if not bad or not READS.match(command) or time.monotonic() > end:
                return [r.replace(self.home, HOME) for r in real], bad
            select.select([], [], [], 0.1)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(TIMEOUT)


def own_network(ports, test):
    """What a child calls to have a loopback of its own, so that fixed ports
    are free; skips the test where there is none and a port is taken."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter():
        if libc.unshare(CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), "unshare")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            request = struct.pack("16sh14x", b"lo", IFF_UP)
            fcntl.ioctl(s, SIOCSIFFLAGS, request)

    if sys.platform == "linux":
        try:
            subprocess.run(["true"], preexec_fn=enter, check=True)
            return enter
        except (OSError, subprocess.SubprocessError):
            pass
    for port in ports:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                test.skipTest(f"port {port} is taken here")
    return None


class Terminal:
    """A program at a terminal of its own, as a person would start it."""

    def __init__(self, command, env, cwd, enter):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 40, 120, 0, 0))

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if enter is not None:
                enter()

        self.text = b""
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=env,
            cwd=cwd, preexec_fn=take_terminal)
        os.close(slave)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.enter = self.join_network if enter is not None else None

    def join_network(self):
        """What a second terminal's child calls to be beside the first."""
        libc = ctypes.CDLL(None, use_errno=True)
        fd = os.open(f"/proc/{self.process.pid}/ns/net", os.O_RDONLY)
        if libc.setns(fd, CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(fd)

    def read(self):
        while True:
            try:
                chunk = os.read(self.master, 65536)
            except OSError:     # the last one at the terminal has gone
                return
            if not chunk:
                return
            self.text = (self.text + chunk)[-65536:]

    def said(self):
        return self.text.decode(errors="replace")

    def is_alive(self):
        if self.process.poll() is None:
            return True
        raise ConnectionError(f"it has ended: {self.said()}")

    def interrupt(self, timeout):
        """Ctrl-C, and the exit status."""
        os.write(self.master, b"\x03")
        return self.process.wait(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(10)
        os.close(self.master)


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
