# SPDX-License-Identifier: ISC
"""svctl -H by a real sshd on loopback, with keys, ports and files of its
own: one host, several in one table, hosts that are not there."""

import getpass
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import rig

SLEEPER = "[service]\nexec = sleep 1000\n"


def find(*names):
    for name in names:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
        if path:
            return path
    return None


class Sshd:
    """Servers for the same user; each knows the tree of its own."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="sv.", dir="/tmp")
        self.processes = []
        self.hosts = []
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                            "-f", self.path(key)], check=True)
        shutil.copy(self.path("user.pub"), self.path("authorized"))
        if os.geteuid() == 0:
            # sshd wants an empty directory of root's for its child.
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def add(self, name, run):
        port = rig.free_port()
        self.write(f"sshd.{name}", f"""\
ListenAddress 127.0.0.1
Port {port}
HostKey {self.path('host')}
PidFile none
AuthorizedKeysFile {self.path('authorized')}
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
SetEnv SVTREE_RUN={run}
""")
        with open(self.path("log"), "ab") as log:
            self.processes.append(subprocess.Popen(
                [find("sshd"), "-D", "-e", "-f", self.path(f"sshd.{name}")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        rig.eventually(lambda: self.listens(port), what="sshd to listen")
        self.host(name, port)
        return port

    @staticmethod
    def listens(port):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    def host(self, name, port):
        self.hosts.append(f"""\
Host {name}
HostName 127.0.0.1
Port {port}
""")
        self.write("config", "".join(self.hosts) + f"""\
Host *
User {getpass.getuser()}
IdentityFile {self.path('user')}
IdentitiesOnly yes
UserKnownHostsFile {self.path('known')}
StrictHostKeyChecking accept-new
LogLevel ERROR
""")

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def log(self):
        with open(self.path("log"), encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def close(self):
        for process in self.processes:
            process.terminate()
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Remote(rig.Case):
    def setUp(self):
        for tool in ("sshd", "ssh", "ssh-keygen"):
            if find(tool) is None:
                raise unittest.SkipTest(f"{tool} is not installed")
        self.sshd = Sshd()
        self.addCleanup(self.sshd.close)

    def host(self, name, services):
        t = self.tree(services)
        self.sshd.add(name, t.run)
        return t

    def environment(self):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("SVTREE_")}
        env.update(SVCTL_SSH=f"ssh -F {self.sshd.path('config')}",
                   SVCTL_REMOTE=rig.program("svctl"))
        return env

    def svctl(self, *args, code=0, timeout=60):
        done = subprocess.run(
            [rig.program("svctl"), *args], env=self.environment(),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr
                         + self.sshd.log())
        return done

    def test_one_host_is_as_if_one_were_there(self):
        t = self.host("alpha", {"a": SLEEPER, "off": {"conf": SLEEPER,
                                                      "down": True}})
        t.wait("a", "UP")
        t.wait("svlog", "UP")
        here = t.svctl("--json", "status", "a").stdout
        self.assertEqual(self.svctl("-H", "alpha", "--json", "status",
                                    "a").stdout, here)
        self.svctl("-H", "alpha")
        self.svctl("-H", "alpha", "status", "off", code=3)
        self.svctl("-H", "alpha", "stop", "a")
        self.assertEqual(t.service("a")["state"], "DOWN")
        done = self.svctl("-H", "alpha", "start", "b", code=4)
        self.assertIn("no service b", done.stderr)
        user = getpass.getuser()
        self.svctl("-H", f"{user}@alpha", "start", "a")
        self.assertEqual(t.service("a")["state"], "UP")

    def test_a_port_behind_the_host(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        port = self.sshd.add("alpha", t.run)
        self.assertEqual(self.svctl("-H", f"127.0.0.1:{port}", "is-active",
                                    "a").stdout, "UP\n")

    def test_words_reach_the_other_side_as_they_are(self):
        t = self.host("alpha", {"a": {
            "run": "echo \"it's \\$HOME; * 'x'\"; exec sleep 1000"}})
        rig.eventually(lambda: "HOME" in t.log_text("a"), what="its line")
        for pattern, found in (("it's [$]HOME; [*] 'x'", True),
                               ("$(touch /nope)", False),
                               ("\"; exit 5; \"", False)):
            out = self.svctl("-H", "alpha", "logs", "--grep", pattern,
                             "a").stdout
            self.assertEqual("HOME" in out, found, pattern)

    def test_several_hosts_in_one_table(self):
        a = self.host("alpha", {"web": SLEEPER})
        b = self.host("beta-host", {"web": SLEEPER, "bad":
                                    "[service]\nexec = false\n"
                                    "restart-delay = 30s\n"})
        for t, name in ((a, "web"), (a, "svlog"), (b, "web")):
            t.wait(name, "UP")
        b.wait("bad", "BACKOFF")
        rows = [x.split() for x in self.svctl(
            "-H", "alpha,beta-host", code=1).stdout.splitlines()]
        self.assertEqual(rows[0][:3], ["HOST", "SERVICE", "STATE"])
        self.assertIn(["alpha", "web", "UP"], [r[:3] for r in rows])
        self.assertIn(["beta-host", "web", "UP"], [r[:3] for r in rows])
        self.assertIn(["beta-host", "bad", "BACKOFF"],
                      [r[:3] for r in rows])
        told = [json.loads(x) for x in self.svctl(
            "-H", "alpha,beta-host", "--json", "status", "web")
            .stdout.splitlines()]
        self.assertEqual(sorted(x["host"] for x in told),
                         ["alpha", "beta-host"])
        self.assertEqual(told[0]["services"][0]["name"], "web")

    def test_a_verb_on_several_hosts(self):
        a = self.host("alpha", {"web": SLEEPER})
        b = self.host("beta", {"web": SLEEPER})
        old = [t.wait("web", "UP")["pid"] for t in (a, b)]
        self.svctl("-H", "alpha,beta", "restart", "web")
        for t, pid in zip((a, b), old):
            self.assertNotEqual(t.service("web")["pid"], pid)
        out = self.svctl("-H", "alpha,beta", "is-active", "web").stdout
        self.assertEqual(sorted(out.splitlines()),
                         ["alpha | UP", "beta  | UP"])
        b.call("Stop", {"name": "web"})
        b.wait("web", "DOWN")
        self.svctl("-H", "alpha,beta", "is-active", "web", code=3)
        err = self.svctl("-H", "alpha,beta", "stop", "x", code=4).stderr
        self.assertIn("alpha | svctl: no service x", err)
        self.assertIn("beta  | svctl: no service x", err)

    def test_logs_of_several_hosts_are_followed(self):
        script = ("while [ ! -e go ]; do sleep 0.02; done; echo moved; "
                  "exec sleep 1000")
        trees = [self.host(n, {"web": {"run": script}})
                 for n in ("alpha", "beta")]
        for t in trees:
            t.wait("web", "UP")
            rig.eventually(lambda t=t: os.path.exists(
                os.path.join(t.log, "web", "current")) or
                open(os.path.join(t.services, "web", "go"), "w").close(),
                what="its log")
        following = subprocess.Popen(
            [rig.program("svctl"), "-H", "alpha,beta", "logs", "-f", "web"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            env=self.environment())
        self.addCleanup(following.stdout.close)
        self.addCleanup(following.wait)
        self.addCleanup(following.kill)
        for t in trees:
            open(os.path.join(t.services, "web", "go"), "w").close()
        seen = sorted(following.stdout.readline() for _ in range(2))
        self.assertEqual([x.split()[0] for x in seen], ["alpha", "beta"])
        self.assertTrue(all(x.endswith(" moved\n") for x in seen), seen)

    def test_a_host_that_is_not_there(self):
        t = self.host("alpha", {"web": SLEEPER})
        t.wait("web", "UP")
        self.sshd.host("gone", rig.free_port())
        done = self.svctl("-H", "gone", "status", code=9)
        self.assertIn("gone cannot be reached", done.stderr)
        done = self.svctl("-H", "alpha,gone", "status", code=9)
        self.assertIn("gone cannot be reached", done.stderr)
        self.assertIn("web", done.stdout)   # the other one is shown
        for bad in ("-oProxyCommand=x", "a b", ",", "alpha,-x"):
            done = self.svctl("--host=" + bad, "status", code=2)
            self.assertIn("--host", done.stderr)
        done = self.svctl("-H", "alpha,gone", "top", code=2)
        self.assertIn("one host at a time", done.stderr)

    def test_a_terminal_here_is_one_there(self):
        t = self.host("alpha", {"a": SLEEPER})
        t.wait("a", "UP")
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(rig.program("svctl"),
                      [rig.program("svctl"), "-H", "alpha", "status"],
                      {**self.environment(), "TERM": "xterm"})
        said = b""
        signal.alarm(60)
        try:
            while chunk := os.read(fd, 65536):
                said += chunk
        except OSError:
            pass
        signal.alarm(rig.TEST_TIMEOUT)
        os.close(fd)
        os.waitpid(pid, 0)
        self.assertIn(b"\x1b[32m", said)
        self.assertIn(b"wanted up", said)


if __name__ == "__main__":
    rig.main()
