# SPDX-License-Identifier: ISC
"""The completions of svctl in real shells: verbs, services, options."""

import os
import pty
import re
import shutil
import signal
import subprocess

import rig

SLEEPER = "[service]\nexec = sleep 1000\n"

# What is typed, and what stands there after the completion. None: it stays.
CASES = [
    ("svctl statu", "svctl status"),
    ("svctl resta", "svctl restart"),
    ("svctl is-", "svctl is-active"),
    ("svctl restart knowledge_n", "svctl restart knowledge_nightly"),
    ("svctl logs -f olla", "svctl logs -f ollama"),
    ("svctl -t 5s restart olla", "svctl -t 5s restart ollama"),
    ("svctl start mlx knowledge_n", "svctl start mlx knowledge_nightly"),
    ("svctl logs --fol", "svctl logs --follow"),
    ("svctl wait --heal", "svctl wait --healthy"),
    ("svctl start --fol", None),
    ("svctl reload olla", None),
    ("svctl signal USR", None),         # USR1 or USR2
    ("svctl signal HU", "svctl signal HUP"),
    ("svctl signal HUP olla", "svctl signal HUP ollama"),
    ("svctl completion zs", "svctl completion zsh"),
    ("svctl help shutd", "svctl help shutdown"),
]


def verbs():
    text = subprocess.run([rig.program("svctl"), "--help"],
                          capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([a-z][a-z-]*) ", text, re.M)


class Completion(rig.Case):
    def setUp(self):
        self.t = self.tree({n: {"conf": SLEEPER, "down": True} for n in
                            ("ollama", "mlx", "knowledge_nightly",
                             "knowledge_os_orchestrator")})
        self.env = {**self.t.environment(), "SVTREE_RUN": self.t.run,
                    "PATH": rig.BIN + ":" + os.environ["PATH"],
                    "HOME": self.t.dir, "TERM": "dumb", "LC_ALL": "C.UTF-8"}

    def shell(self, name):
        path = shutil.which(name)
        if path is None:
            self.skipTest(f"{name} is not installed")
        done = subprocess.run([rig.program("svctl"), "completion", name],
                              capture_output=True, text=True, check=True)
        script = self.t.path("completion." + name)
        with open(script, "w", encoding="utf-8") as f:
            f.write(done.stdout)
        return path, script

    def run_script(self, path, text):
        done = subprocess.run([path, "-c", text], env=self.env,
                              capture_output=True, text=True, timeout=60,
                              cwd=self.t.dir, check=False)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def test_bash(self):
        """bash completes verbs, services, options and values"""
        path, script = self.shell("bash")

        def words(line):
            typed = line.split(" ")
            text = (f"source {script}\nCOMP_WORDS=("
                    + " ".join(f"'{w}'" for w in typed) + ")\n"
                    f"COMP_CWORD={len(typed) - 1}\n_svctl\n"
                    'printf "%s\\n" "${COMPREPLY[@]}"')
            return self.run_script(path, text).split()
        for typed, wanted in CASES:
            found = words(typed)
            if wanted is not None:
                self.assertEqual(found, [wanted.split(" ")[-1]], typed)
            else:
                self.assertNotEqual(len(found), 1, typed)
        self.assertEqual(sorted(words("svctl ")), sorted(verbs()))
        self.assertEqual(words("svctl stop "), self.t.svctl(
            "status", "--names").stdout.split())
        self.assertIn("complete -F _svctl svctl", self.run_script(
            path, f"source {script}; complete -p svctl"))
        other = self.tree({"elsewhere": {"conf": SLEEPER, "down": True}})
        self.assertEqual(words(f"svctl --run {other.run} start else"),
                         ["elsewhere"])

    def test_fish(self):
        """fish completes verbs, services, options and values"""
        path, script = self.shell("fish")

        def words(line):
            out = self.run_script(
                path, f"source {script}; complete -C '{line}'")
            return [x.split("\t")[0] for x in out.splitlines()]
        for typed, wanted in CASES:
            found = words(typed)
            if wanted is not None:
                self.assertEqual(found, [wanted.split(" ")[-1]], typed)
            else:
                self.assertNotEqual(len(found), 1, typed)
        self.assertEqual(sorted(words("svctl ")), sorted(verbs()))
        self.assertEqual(sorted(words("svctl stop ")), sorted(self.t.svctl(
            "status", "--names").stdout.split()))
        other = self.tree({"elsewhere": {"conf": SLEEPER, "down": True}})
        self.assertEqual(words(f"svctl --run {other.run} start else"),
                         ["elsewhere"])

    def test_zsh(self):
        """zsh completes verbs, services, options and values"""
        path, script = self.shell("zsh")
        os.mkdir(self.t.path("functions"))
        shutil.copy(script, self.t.path("functions", "_svctl"))
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.t.dir)
            os.execve(path, ["zsh", "-f", "-i"], self.env)
        self.addCleanup(os.close, fd)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        seen = [""]

        def until(pattern):
            def look():
                if rig.select.select([fd], [], [], 0.1)[0]:
                    seen[0] += os.read(fd, 65536).decode(errors="replace")
                return re.search(pattern, seen[0], re.S)
            return rig.eventually(look, timeout=60,
                                  what=f"{pattern} in {seen[0]!r}")

        # One that a package installs: a file in fpath.
        os.write(fd, b"PROMPT=; unset zle_bracketed_paste; setopt nobeep; "
                     b"fpath=($PWD/functions $fpath); autoload -Uz compinit; "
                     b"compinit -u -D; bindkey -e; print re''ady\n")
        until("ready")
        for n, (typed, wanted) in enumerate(CASES):
            seen[0] = ""
            # After the Tab the line is not run but printed.
            os.write(fd, typed.encode() + b"\t")
            os.write(fd, b"\x01print -r -- '<<" + str(n).encode()
                     + b"' \x05 '>>'\n")
            got = until(rf"\n<<{n} (.*?) >>\r").group(1).strip()
            self.assertEqual(" ".join(got.split()), wanted or typed)
        # And one that is read: source <(svctl completion zsh).
        os.write(fd, b"unfunction _svctl; compinit -u -D; source "
                 + script.encode() + b"; print again''\n")
        until("again")
        os.write(fd, b"svctl statu\t\x01print -r -- '<<x' \x05 '>>'\n")
        self.assertEqual(until(r"\n<<x (.*?) >>\r").group(1).split(),
                         ["svctl", "status"])

    def test_an_unknown_shell_is_refused(self):
        """a shell without completions is named with those that have some"""
        done = self.t.svctl("completion", "tcsh")
        self.assertEqual(done.returncode, 2)
        self.assertIn("bash, zsh and fish", done.stderr)


if __name__ == "__main__":
    rig.main()
