# SPDX-License-Identifier: ISC
"""What a hostile neighbour can try, with figures: floods, garbage and
half-said messages against the control socket and the listener, guesses of
the token, and a search for secrets in all that the tree leaves behind. What
of HTTP may mean two things is in bb_recovery.py, too. SVTREE_ATTACK=full
floods the listener with 10,000 connections instead of 2,000."""

import glob
import json
import os
import random
import resource
import socket
import stat
import statistics
import subprocess
import sys
import time

import bb_recovery
import rig

SLEEPER = "[service]\nexec = sleep 1000\n"
SECRET = "s3cr3t-0123456789abcdef"
PATIENCE = 60


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def many():
    """10,000, or as many as this process may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 11000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard - 500
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 11000), hard))
    return 10000


def flood(family, address, n):
    """n connections that say nothing; those that could not be made are not
    among them."""
    links = []
    for _ in range(n):
        s = socket.socket(family, socket.SOCK_STREAM)
        try:
            s.connect(address)
            links.append(s)
        except OSError:
            s.close()
    return links


class Control(rig.Case):
    def setUp(self):
        self.t = self.tree({"a": SLEEPER})
        self.pid = self.t.wait("a", "UP")["pid"]

    def well(self):
        """The same supervisor answers, and the service runs on."""
        sv = self.t.service("a")
        self.assertEqual((sv["state"], sv["pid"]), ("UP", self.pid))
        self.assertIsNone(self.t.process.poll())

    def test_ten_thousand_silent_connections_hold_up_nobody(self):
        before = descriptors(self.t.process.pid)
        links = flood(socket.AF_UNIX, self.t.socket, many())
        self.addCleanup(lambda: [s.close() for s in links])
        times = []
        for _ in range(20):
            began = time.monotonic()
            self.t.call("Status")
            times.append((time.monotonic() - began) * 1000)
        print(f"# status beside {len(links)} silent connections: median "
              f"{statistics.median(times):.2f} ms, longest "
              f"{max(times):.1f} ms; descriptors of the supervisor "
              f"{before} -> {descriptors(self.t.process.pid)}")
        self.assertGreater(len(links), 1000)
        self.assertLessEqual(descriptors(self.t.process.pid), before + 64)
        self.well()

    def test_garbage_ends_the_connection_and_nothing_else(self):
        dice = random.Random(7)
        texts = [bytes(dice.randrange(256) for _ in range(dice.randrange(
            1, 9000))) for _ in range(100)]
        texts += [b"\0" * 9000, b"{" * 8000 + b"\0", b"[" * 9000,
                  b'{"method":"' + b"x" * 20000, b"x" * 1000000,
                  b'{"method":1}\0', b'{"method":"org.svtree.Stop"}\0',
                  b'{"method":"org.svtree.Stop","parameters":[]}\0',
                  b'{"method":"org.svtree.Stop","parameters":'
                  b'{"name":"' + b"../" * 500 + b'"}}\0',
                  b'{"method":"org.svtree.Signal","parameters":'
                  b'{"name":"a","signal":99999999999999999999}}\0']
        for octets in texts:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(PATIENCE)
                s.connect(self.t.socket)
                try:
                    s.sendall(octets)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536):
                        pass
                except (ConnectionError, BrokenPipeError):
                    pass
        self.well()

    def test_a_message_that_drips_is_waited_for_by_nobody(self):
        message = b'{"method":"org.svtree.Status","parameters":{}}\0'
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(self.t.socket)
            for i in range(len(message)):
                s.sendall(message[i:i + 1])
                if i % 8 == 0:
                    self.well()
            self.assertIn(b"supervisor", s.recv(65536))

    def test_who_does_not_read_is_dropped(self):
        message = b'{"method":"org.svtree.Status","parameters":{}}\0'
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(0.2)
            s.connect(self.t.socket)
            sent = 0
            try:
                while sent < 200000:
                    sent += s.send(message * 100)
            except OSError:
                pass
            self.well()


class Web(bb_recovery.Listened):
    def test_thousands_of_connections_leave_the_listener_at_work(self):
        t = self.start(args="-c 1h")
        pid = t.service("recovery-listener")["pid"]
        n = many()
        if os.environ.get("SVTREE_ATTACK") != "full":
            n = min(n, 2000)    # each SYN that is dropped costs a second
        links = flood(socket.AF_INET, ("127.0.0.1", self.port), n)
        self.addCleanup(lambda: [s.close() for s in links])
        times = []
        for _ in range(20):
            began = time.monotonic()
            self.assertEqual(self.ask("GET", "/healthz")[0], 200)
            times.append((time.monotonic() - began) * 1000)
        print(f"# GET beside {len(links)} of {n} silent connections: median "
              f"{statistics.median(times):.2f} ms, longest "
              f"{max(times):.1f} ms; descriptors {descriptors(pid)}")
        self.assertGreater(len(links), 1000)
        self.assertLess(descriptors(pid), 400)
        self.assertEqual(t.service("recovery-listener")["pid"], pid)

    def test_a_token_is_not_found_by_guessing(self):
        self.start(args="-c 1h", env="RECOVERY_LISTENER_TOKEN = " + SECRET)
        began = time.monotonic()
        got = [self.post(Authorization=f"Bearer {i:023}")[0]
               for i in range(300)]
        took = time.monotonic() - began
        print(f"# 300 guesses in {took:.1f} s: {got.count(401)} judged, "
              f"{got.count(429)} put off")
        self.assertEqual(got.count(401) + got.count(429), 300)
        # 20 at once, then one in 6 s or fewer.
        self.assertLess(got.count(401), 40 + took)
        self.assertEqual(self.post(Authorization="Bearer " + SECRET)[0], 200)

    def test_a_second_request_is_not_smuggled_in_a_body(self):
        t = self.start(args="-c 1h")
        inner = b"POST /recover HTTP/1.1\r\nHost: evil\r\n\r\n"
        host = b"Host: localhost\r\n"
        with t.subscribe() as events:
            for head in (b"Content-Length: %d\r\nContent-Length: 0\r\n"
                         % len(inner),
                         b"Content-Length: 0\r\nTransfer-Encoding: chunked"
                         b"\r\n", b"Transfer-Encoding: xchunked\r\n",
                         b"Content-Length : 5\r\n",
                         b"Content-Length: +5\r\n",
                         b"Content-Length: 0x5\r\n",
                         b"Content-Length: -1\r\n",
                         b" Content-Length: 5\r\n"):
                said = self.speak(b"POST /recover HTTP/1.1\r\n" + host +
                                  head + b"\r\n" + inner)
                self.assertNotIn(b" 200 ", said, head)
            self.drain(t, events)
            self.assertEqual(self.starts(events), 0)


class Secrets(rig.Case):
    def test_a_secret_is_nowhere_but_in_its_file(self):
        where = rig.tempfile.mkdtemp(prefix="sec.", dir="/tmp")
        self.addCleanup(rig.shutil.rmtree, where)
        for name, text in (("env", f"API_KEY={SECRET}\n"), ("token", SECRET)):
            path = os.path.join(where, name)
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
            os.chmod(path, 0o600)
        port = rig.free_port()
        t = self.tree({
            "a": "[service]\nexec = sh -c 'echo $API_KEY | wc -c; "
                 f"exec sleep 1000'\nenv-file = {where}/env\n",
            "recovery-listener": "[service]\nready = notify\nexec = "
                 f"recovery-listener -p {port} -T {where}/token\n",
            "health-monitor": "[service]\nready = notify\nexec = "
                 "health-monitor\ngrants = Report\n"})
        t.wait("a", "UP")
        sv = t.wait("recovery-listener", "UP")
        rig.eventually(lambda: t.log_text("a"), what="its line")
        monitor = t.wait("health-monitor", "UP")
        for pid in (sv["pid"], monitor["pid"]):
            with open(f"/proc/{pid}/limits", encoding="ascii") as f:
                core = next(x for x in f if "core file" in x)
            self.assertEqual(core.split()[4:6], ["0", "0"])
            with open(f"/proc/{pid}/coredump_filter", encoding="ascii") as f:
                self.assertEqual(int(f.read(), 16), 0)
        shown = [json.dumps(t.status()), t.said(),
                 t.svctl("status", "a").stdout, t.svctl("explain", "a").stdout,
                 t.svctl("keys").stdout]
        for pid in t.processes():
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                shown.append(f.read().decode(errors="replace"))
        ps = subprocess.run(["ps", "axww"], capture_output=True, text=True,
                            check=False)
        shown.append(ps.stdout)
        for text in shown:
            self.assertNotIn(SECRET, text)
        t.kill_supervisor()     # what a crash leaves behind, too
        t.start()
        looked = 0
        for path in glob.glob(t.dir + "/**", recursive=True):
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as f:
                    self.assertNotIn(SECRET.encode(), f.read(), path)
                looked += 1
        print(f"# {looked} files and {len(shown)} outputs hold no secret")
        self.assertGreater(looked, 4)


if __name__ == "__main__":
    if not sys.platform.startswith("linux"):
        print("1..0 # SKIP looks through /proc")
        sys.exit(0)
    rig.main()
