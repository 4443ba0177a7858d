# SPDX-License-Identifier: ISC
"""boot-guard over boots of our own making."""

import os
import signal
import subprocess
import unittest

import rig

GUARD = """[service]
exec = boot-guard --boot {boot} {more}
ready = notify
start-timeout = 0
"""
NEEDY = """[service]
exec = sleep 1000
needs = boot-guard
"""


class Boots(rig.Case):
    def setUp(self):
        self.tree_ = self.tree({"needy": NEEDY}, start=False)

    def boot(self, name, more=""):
        """The machine comes up; run directories do not survive that."""
        tree = self.tree_
        tree.add("boot-guard", GUARD.format(boot=name, more=more))
        subprocess.run(["rm", "-rf", tree.run], check=True)
        tree.start()
        return tree

    def crash(self):
        """All is gone at once."""
        tree = self.tree_
        tree.kill_supervisor()
        for pid in tree.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        rig.eventually(lambda: not tree.processes(), what="the end of all")

    def held(self, tree):
        sv = tree.wait("boot-guard", lambda s: s["health"] == "failing")
        self.assertEqual(sv["health_text"],
                         "2 boots in a row ended without a shutdown")
        self.assertIn("svctl restart boot-guard", sv["text"])
        sv = tree.service("needy")
        self.assertEqual((sv["state"], sv["reason"]),
                         ("WAITING", "waits for boot-guard"))

    def mark(self):
        with open(os.path.join(self.tree_.state, "boot-guard"),
                  encoding="ascii") as f:
            return f.read()

    def test_two_crashes_hold_and_a_restart_lets_go(self):
        tree = self.boot("b1")
        tree.wait("needy", "UP")
        self.crash()
        self.boot("b2")
        tree.wait("needy", "UP")
        self.crash()
        self.boot("b3")
        self.held(tree)
        # Neither a kill of it nor of the supervisor is a word of a person.
        pid = tree.service("boot-guard")["pid"]
        os.kill(pid, signal.SIGKILL)
        tree.wait("boot-guard", lambda s: s["pid"] not in (None, pid))
        self.held(tree)
        tree.kill_supervisor()
        tree.start()
        self.held(tree)
        tree.svctl("--no-wait", "restart", "boot-guard", check=True)
        tree.wait("needy", "UP")
        tree.wait("boot-guard", lambda s: s["health"] == "ok")
        self.assertEqual(self.mark(), "boot b3 unclean 0 runs free\n")

    def test_a_clean_boot_lets_go(self):
        for name in ("b1", "b2"):
            self.boot(name)
            self.tree_.wait("needy", "UP")
            self.crash()
        tree = self.boot("b3")
        self.held(tree)
        self.assertEqual(tree.stop(), 0)
        self.boot("b4")
        tree.wait("needy", "UP")

    def test_shutdowns_are_no_crashes(self):
        tree = self.boot("b1")
        tree.wait("needy", "UP")
        self.crash()
        for name in ("b2", "b3", "b4"):
            self.boot(name)
            tree.wait("needy", "UP")
            self.assertEqual(tree.stop(), 0)
            self.assertTrue(self.mark().endswith(" clean free\n"))

    def test_a_boot_that_lasts_begins_anew(self):
        tree = self.boot("b1")
        tree.wait("needy", "UP")
        self.crash()
        self.boot("b2", more="--settle 100ms")
        tree.wait("needy", "UP")
        rig.eventually(lambda: self.mark() == "boot b2 unclean 0 runs free\n",
                       what="the count of 0")

    def test_a_spoilt_mark_begins_anew(self):
        tree = self.tree_
        os.mkdir(tree.state)
        with open(os.path.join(tree.state, "boot-guard"), "wb") as f:
            f.write(b"\xff boot\0 unclean 99 runs held")
        self.boot("b1")
        tree.wait("needy", "UP")
        rig.eventually(lambda: "holds no mark" in tree.log_text("boot-guard"),
                       what="the warning")

    def test_wrong_use_is_100(self):
        state = {"SVTREE_STATE": self.tree_.path()}
        for args, env in ((["x"], state), (["-n", "0"], state),
                          (["-s", "soon"], state), (["--frob"], state),
                          ([], {})):
            done = subprocess.run(
                [rig.program("boot-guard"), *args], env=env, check=False,
                stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
            self.assertEqual((done.returncode, bool(done.stderr)),
                             (100, True), args)


if __name__ == "__main__":
    rig.main()
