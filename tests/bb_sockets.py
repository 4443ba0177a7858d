# SPDX-License-Identifier: ISC
"""Sockets that the supervisor opens for a service (sd_listen_fds(3)) and
holds over its restarts."""

import errno
import os
import signal
import socket
import stat
import sys
import threading
import unittest

import rig

# Answers each connection with its pid; on TERM it ends between two of them.
SERVER = f"""#!{sys.executable}
import os, select, signal, socket
assert os.environ["LISTEN_PID"] == str(os.getpid())
n = int(os.environ["LISTEN_FDS"])
print("names", os.environ["LISTEN_FDNAMES"], flush=True)
socks = [socket.socket(fileno=3 + i) for i in range(n)]
print("blocking", [os.get_blocking(s.fileno()) for s in socks], flush=True)
r, w = os.pipe()
os.set_blocking(w, False)
signal.set_wakeup_fd(w)
signal.signal(signal.SIGTERM, lambda *_: None)
for s in socks:
    s.setblocking(False)
while True:
    ready, _, _ = select.select([r] + socks, [], [])
    if r in ready:
        break
    for s in ready:
        try:
            c, _ = s.accept()
        except BlockingIOError:
            continue
        c.sendall(b"%d\\n" % os.getpid())
        c.close()
"""


def ask(address, timeout=30):
    """One connection: the pid that answered. Refusal is an exception."""
    family = socket.AF_UNIX if isinstance(address, str) else (
        socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    with socket.socket(family) as s:
        s.settimeout(timeout)
        s.connect(address)
        with s.makefile() as f:
            return int(f.readline() or 0)


def refuses(address):
    try:
        ask(address)
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    return False


class Clients:
    """One after the other without a pause, until told to stop."""

    def __init__(self, address):
        self.address = address
        self.done = threading.Event()
        self.served, self.refused, self.cut, self.pids = 0, 0, 0, set()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.done.is_set():
            try:
                pid = ask(self.address)
            except ConnectionRefusedError:
                self.refused += 1
                continue
            except OSError:
                pid = 0
            if pid:
                self.served += 1
                self.pids.add(pid)
            else:
                self.cut += 1

    def stop(self):
        self.done.set()
        self.thread.join(60)


class Case(rig.Case):
    def server(self, listen, more=""):
        t = self.tree({"a": {"conf": "[service]\nrestart-limit = 0\n" + more +
                             f"[sockets]\nlisten = {listen}\n",
                             "run": SERVER}})
        t.wait("a", "UP")
        return t


class Sockets(Case):
    def test_the_protocol_of_sd_listen_fds(self):
        port = rig.free_port()
        d = rig.Tree({}, start=False)
        self.addCleanup(d.close)
        path = d.path("s")
        t = self.server(f"web=127.0.0.1:{port} {path}")
        pid = t.service("a")["pid"]
        self.assertEqual(ask(("127.0.0.1", port)), pid)
        self.assertEqual(ask(path), pid)
        rig.eventually(lambda: "names web:a" in t.log_text("a"), what="names")
        rig.eventually(lambda: "blocking [True, True]" in t.log_text("a"),
                       what="blocking sockets")
        mode = os.stat(path).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o666)

    def test_ipv6_and_ipv4_beside_each_other(self):
        port = rig.free_port()
        try:
            with socket.socket(socket.AF_INET6) as s:
                s.bind(("::1", 0))
        except OSError:
            self.skipTest("no IPv6 here")
        t = self.server(f"*:{port} [::]:{port}")
        pid = t.service("a")["pid"]
        self.assertEqual(ask(("127.0.0.1", port)), pid)
        self.assertEqual(ask(("::1", port)), pid)

    def test_a_restart_refuses_no_connection_and_cuts_none(self):
        port = rig.free_port()
        t = self.server(f"127.0.0.1:{port}")
        clients = Clients(("127.0.0.1", port))
        try:
            for _ in range(10):
                old = t.service("a")["pid"]
                t.call("Restart", {"name": "a"})
                t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != old,
                       timeout=30)
                now = t.service("a")["pid"]
                rig.eventually(lambda: now in clients.pids, timeout=30,
                               what="an answer of the new process")
        finally:
            clients.stop()
        print(f"# 10 restarts: {clients.served} served, "
              f"{clients.refused} refused, {clients.cut} cut")
        self.assertEqual((clients.refused, clients.cut), (0, 0))
        self.assertGreaterEqual(len(clients.pids), 10)

    def test_a_crash_refuses_no_connection(self):
        port = rig.free_port()
        t = self.server(f"127.0.0.1:{port}", "restart-delay = 10ms\n")
        clients = Clients(("127.0.0.1", port))
        try:
            for _ in range(10):
                old = t.service("a")["pid"]
                os.kill(old, signal.SIGKILL)
                now = t.wait("a", lambda s: s["state"] == "UP" and
                             s["pid"] != old, timeout=30)["pid"]
                rig.eventually(lambda: now in clients.pids, timeout=30,
                               what="an answer of the new process")
        finally:
            clients.stop()
        print(f"# 10 crashes: {clients.served} served, "
              f"{clients.refused} refused, {clients.cut} cut")
        self.assertEqual(clients.refused, 0)

    def test_what_is_stopped_refuses_and_comes_back(self):
        port = rig.free_port()
        d = rig.Tree({}, start=False)
        self.addCleanup(d.close)
        path = d.path("s")
        t = self.server(f"127.0.0.1:{port} {path}")
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN")
        self.assertTrue(refuses(("127.0.0.1", port)))
        self.assertTrue(refuses(path))
        self.assertFalse(os.path.exists(path))
        t.call("Start", {"name": "a"})
        pid = t.wait("a", "UP")["pid"]
        self.assertEqual(ask(("127.0.0.1", port)), pid)
        self.assertEqual(ask(path), pid)

    def test_a_tripped_service_refuses(self):
        port = rig.free_port()
        t = self.tree({"a": "[service]\nexec = false\nrestart-limit = 1/1m\n"
                            "restart-delay = 10ms\n"
                            f"[sockets]\nlisten = 127.0.0.1:{port}\n"})
        t.wait("a", "TRIPPED")
        self.assertTrue(refuses(("127.0.0.1", port)))

    def test_a_reload_opens_the_new_address_at_the_next_start(self):
        one, two = rig.free_port(), rig.free_port()
        t = self.server(f"127.0.0.1:{one}")
        t.add("a", f"[sockets]\nlisten = 127.0.0.1:{two}\n")
        t.call("Reload")
        pid = t.service("a")["pid"]
        self.assertEqual(ask(("127.0.0.1", one)), pid)
        t.call("Restart", {"name": "a"})
        pid = t.wait("a", lambda s: s["state"] == "UP" and
                     s["pid"] != pid)["pid"]
        self.assertEqual(ask(("127.0.0.1", two)), pid)
        self.assertTrue(refuses(("127.0.0.1", one)))

    @unittest.skipUnless(sys.platform == "linux", "macOS opens them anew")
    def test_a_new_supervisor_gets_them_back(self):
        port = rig.free_port()
        t = self.server(f"127.0.0.1:{port}")
        pid = t.service("a")["pid"]
        clients = Clients(("127.0.0.1", port))
        try:
            t.kill_supervisor()
            t.start()
            t.wait("a", lambda s: s["state"] == "UP" and s["adopted"])
            t.call("Restart", {"name": "a"})
            new = t.wait("a", lambda s: s["state"] == "UP" and
                         s["pid"] != pid)["pid"]
            rig.eventually(lambda: new in clients.pids, timeout=30,
                           what="an answer of the new process")
        finally:
            clients.stop()
        self.assertEqual((clients.refused, clients.cut), (0, 0))

    def test_an_upgrade_keeps_them(self):
        port = rig.free_port()
        t = self.server(f"127.0.0.1:{port}")
        pid = t.service("a")["pid"]
        clients = Clients(("127.0.0.1", port))
        try:
            done = t.svctl("upgrade")
            self.assertEqual(done.returncode, 0, done.stderr)
            t.call("Restart", {"name": "a"})
            new = t.wait("a", lambda s: s["state"] == "UP" and
                         s["pid"] != pid)["pid"]
            rig.eventually(lambda: new in clients.pids, timeout=30,
                           what="an answer of the new process")
        finally:
            clients.stop()
        self.assertEqual((clients.refused, clients.cut), (0, 0))

    def test_who_is_in_the_way_is_named(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            port = s.getsockname()[1]
            t = self.tree({"a": "[service]\nexec = sleep 1000\n"
                                "restart-limit = 1/1m\n"
                                f"[sockets]\nlisten = 127.0.0.1:{port}\n"})
            t.wait("a", ("TRIPPED", "BACKOFF"))
            reason = t.service("a")["reason"]
            self.assertIn(f"listen on 127.0.0.1:{port} (", reason)
            self.assertIn(f"pid {os.getpid()}, does)", reason)
            self.assertIn(os.strerror(errno.EADDRINUSE), reason)

    def test_a_socket_in_use_is_not_taken_away(self):
        d = rig.Tree({}, start=False)
        self.addCleanup(d.close)
        path = d.path("s")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
            s.listen()
            t = self.tree({"a": "[service]\nexec = sleep 1000\n"
                                "restart-limit = 0\nrestart-delay = 10ms\n"
                                f"[sockets]\nlisten = {path}\nmode = 0600\n"})
            t.wait("a", "BACKOFF")
            with socket.socket(socket.AF_UNIX) as c:
                c.connect(path)
        # Now it is left over: nobody listens.
        t.wait("a", "UP", timeout=30)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    @unittest.skipUnless(os.geteuid() == 0, "only root can do that")
    def test_a_path_belongs_to_the_service_s_user(self):
        import pwd
        d = rig.Tree({}, start=False)
        self.addCleanup(d.close)
        path = d.path("s")
        t = self.tree({"a": "[service]\nexec = sleep 1000\nuser = nobody\n"
                            f"[sockets]\nlisten = {path}\nmode = 0660\n"})
        t.wait("a", "UP")
        st = os.stat(path)
        self.assertEqual(st.st_uid, pwd.getpwnam("nobody").pw_uid)
        self.assertEqual(stat.S_IMODE(st.st_mode), 0o660)

    def test_readiness_and_many_sockets_beside_each_other(self):
        ports = [rig.free_port() for _ in range(10)]
        listen = " ".join(f"127.0.0.1:{p}" for p in ports)
        t = self.tree({"a": {
            "conf": "[service]\nready = fd:13\n"
                    f"[sockets]\nlisten = {listen}\n",
            "run": f"#!{sys.executable}\n"
                   "import os, socket, time\n"
                   "s = [socket.socket(fileno=3 + i) for i in range(10)]\n"
                   "print('ports', *[x.getsockname()[1] for x in s], '.',"
                   " flush=True)\n"
                   "os.write(13, b'\\n')\n"
                   "time.sleep(1000)\n"}})
        t.wait("a", "UP", timeout=30)
        rig.eventually(lambda: f"ports {' '.join(map(str, ports))} ."
                       in t.log_text("a"), what="the ports in order")


class Errors(rig.Case):
    CASES = (
        ("listen = localhost:80", "listen: 'localhost:80' is not right; it"),
        ("listen = 80", "wants up to 16 addresses such as 127.0.0.1:80"),
        ("listen = a/b=127.0.0.1:80", "each maybe as NAME=ADDRESS"),
        ("listen = 127.0.0.1:80 127.0.0.1:80", "127.0.0.1:80 is there twice"),
        ("listen = " + " ".join(f"*:{i}" for i in range(1, 18)),
         "up to 16 addresses"),
        ("listen = *:1\n[service]\nready = fd:3",
         "descriptor 3 is the place of a socket; fd:4 is free"),
    )

    def test_every_mistake_is_told_with_what_is_right(self):
        for text, told in self.CASES:
            with self.subTest(text=text):
                t = self.tree({"a": f"[service]\nexec = true\n"
                               f"[sockets]\n{text}\n"}, start=False)
                done = t.svctl("check", t.services)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(told, done.stdout + done.stderr)


if __name__ == "__main__":
    rig.main()
