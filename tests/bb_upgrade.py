# SPDX-License-Identifier: ISC
"""The supervisor replaced under its services: upgrade, detach."""

import os
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig  # noqa: E402

SLEEPER = "[service]\nexec = sleep 1000\n"


class Upgrade(rig.Case):
    def since(self, t):
        return t.call("Status", {"names": []})["supervisor"]["since"]

    def test_services_keep_their_pids_and_are_still_children(self):
        t = self.tree({"a": SLEEPER, "b": {
            "run": "trap 'exit 7' TERM; while :; do sleep 0.05; done",
            "conf": "[service]\nrestart = on-failure\nrestart-delay = 1m\n"}})
        pids = {n: t.wait(n, "UP")["pid"] for n in ("a", "b", "svlog")}
        before = self.since(t)
        done = t.svctl("upgrade")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("supervisor is svtree", done.stdout)
        self.assertNotEqual(self.since(t), before)
        for n, pid in pids.items():
            sv = t.service(n)
            self.assertEqual(sv["pid"], pid)
            self.assertEqual(sv["state"], "UP")
            self.assertFalse(sv["adopted"])
            self.assertEqual(sv["restarts"], 0)
        os.kill(pids["b"], signal.SIGTERM)
        sv = t.wait("b", lambda s: s["last_exit"] is not None)
        self.assertEqual(sv["last_exit"]["code"], 7)

    def test_one_that_ends_meanwhile_is_known_by_its_status(self):
        t = self.tree({f"s{i:02}": {
            "run": f"sleep 0.{i:02}; exit {i + 10}",
            "conf": "[service]\ntype = oneshot\nrestart = never\n"}
            for i in range(40)})
        for _ in range(5):
            done = t.svctl("upgrade")
            self.assertEqual(done.returncode, 0, done.stderr)
        for i in range(40):
            sv = t.wait(f"s{i:02}", lambda s: s["last_exit"] is not None)
            self.assertEqual(sv["last_exit"]["code"], i + 10, sv)

    def test_readiness_and_notify_sockets_live_on(self):
        script = ("import os, socket, time, sys\n"
                  "while not os.path.exists(sys.argv[1]): time.sleep(0.01)\n"
                  "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                  "s.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])\n"
                  "time.sleep(1000)\n")
        t = self.tree({
            "n": {"conf": "[service]\nready = notify\n",
             "files": {"n.py": script},
             "run": "exec python3 ./n.py ./go"},
            "f": {"conf": "[service]\nready = fd:3\n",
                  "run": "while ! [ -e go ]; do sleep 0.01; done\n"
                         "echo >&3; exec sleep 1000"}})
        for n in ("n", "f"):
            t.wait(n, lambda s: s["pid"] is not None)
        done = t.svctl("upgrade")
        self.assertEqual(done.returncode, 0, done.stderr)
        for n in ("n", "f"):
            self.assertEqual(t.service(n)["state"], "STARTING")
            open(os.path.join(t.services, n, "go"), "w").close()
            t.wait(n, "UP")

    def test_a_broken_program_is_refused_and_nothing_changes(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        before = self.since(t)
        whole = open(rig.program("svtree"), "rb").read()
        broken = {"truncated": whole[:5000], "empty": b"",
                  "text": b"no program at all\n",
                  "fails": b"#!/bin/sh\necho cannot do it >&2\nexit 1\n"}
        for name, octets in broken.items():
            path = t.path(name)
            with open(path, "wb") as f:
                f.write(octets)
            os.chmod(path, 0o755)
            done = t.svctl("upgrade", path)
            self.assertEqual(done.returncode, 1, (name, done))
            self.assertIn("refused", done.stderr)
        self.assertIn("cannot do it", done.stderr)
        done = t.svctl("upgrade", t.path("not-there"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("is no program", done.stderr)
        self.assertEqual(self.since(t), before)
        self.assertEqual(t.service("a")["pid"], pid)

    def test_an_invalid_tree_refuses_the_upgrade(self):
        t = self.tree({"a": SLEEPER})
        t.add("a", SLEEPER + "nonsense = 1\n")
        done = t.svctl("upgrade")
        self.assertEqual(done.returncode, 1)
        self.assertIn("refused", done.stderr)
        self.assertEqual(t.wait("a", "UP")["state"], "UP")

    def test_no_line_is_lost_and_no_descriptor_leaks(self):
        t = self.tree({"w": {"run": "i=0; while :; do i=$((i+1)); "
                                    "echo line $i; done"}})
        t.wait("w", "UP")

        def fds():
            return len(os.listdir(f"/proc/{t.process.pid}/fd"))

        def upgrade():
            done = t.svctl("upgrade")
            self.assertEqual(done.returncode, 0, done.stderr)

        upgrade()
        before = fds()
        for _ in range(10):
            upgrade()
        # The caller's connection may go a moment later than the caller.
        rig.eventually(lambda: fds() <= before, what="the descriptors of "
                       f"before: {before}, now {fds()}")
        t.svctl("stop", "w")
        t.stop()
        base = os.path.join(t.log, "w")
        text = b"".join(open(os.path.join(base, f), "rb").read() for f in
                        sorted(os.listdir(base)))
        seen = [int(x.split()[-1]) for x in text.splitlines()
                if x.endswith(x.split()[-1]) and b" line " in x]
        self.assertEqual(seen, list(range(1, len(seen) + 1)))

    def test_a_client_that_comes_in_the_middle_is_answered(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        bad = []
        ending = threading.Event()

        def ask():
            while not ending.is_set():
                done = t.svctl("status", "a")
                if done.returncode != 0:
                    bad.append(done)

        asker = threading.Thread(target=ask)
        asker.start()
        for _ in range(10):
            self.assertEqual(t.svctl("upgrade").returncode, 0)
        ending.set()
        asker.join()
        # One that was connected when the old program went may be cut off.
        self.assertEqual([b for b in bad if b.returncode != 7], [])


class Detach(rig.Case):
    def test_services_run_on_and_are_adopted(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        self.assertEqual(t.svctl("detach").returncode, 0)
        self.assertEqual(t.process.wait(10), 0)
        os.kill(pid, 0)
        t.start()
        sv = t.service("a")
        self.assertEqual(sv["pid"], pid)
        self.assertTrue(sv["adopted"])


if __name__ == "__main__":
    rig.main()
