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


BOOT_ID = "/proc/sys/kernel/random/boot_id"
MOUNTS = ["unshare", "--mount", "sh", "-c",
          f'mount --bind "$0" {BOOT_ID} && exec "$@"']
MONITOR = """[service]
exec = health-monitor
ready = notify
grants = Report Restart Signal Once
"""
SICK = """[service]
exec = sleep 1000
[health]
type = exec
command = test ! -e bad
interval = 200ms
timeout = 2s
threshold = 1
start-grace = 10ms
"""


class Machine(rig.Case):
    """All of a tree in a machine whose boot id is another after each boot,
    by a mount of its own over the kernel's; run directories survive, as on a
    disk, and only that id tells what they are worth."""

    def setUp(self):
        self.tree_ = self.tree({
            "boot-guard": "[service]\nexec = boot-guard\nready = notify\n"
                          "start-timeout = 0\n",
            "mlx": NEEDY, "health-monitor": MONITOR,
            "sick": {"conf": SICK}}, start=False)
        self.boots = 0
        id_ = self.tree_.path("boot_id")
        with open(id_, "w", encoding="ascii") as f:
            f.write("0\n")
        if subprocess.run([*MOUNTS, id_, "true"],
                          check=False, capture_output=True).returncode != 0:
            self.skipTest("no mount namespaces here")
        plain = self.tree_.command
        self.tree_.command = lambda: [*MOUNTS, id_, *plain()]

    def boot(self):
        self.boots += 1
        with open(self.tree_.path("boot_id"), "w", encoding="ascii") as f:
            f.write(f"{self.boots:08d}-0000-4000-8000-000000000000\n")
        self.tree_.start()
        return self.tree_

    crash = Boots.crash

    def gave_up(self, tree):
        return tree.wait("sick", lambda s: "in vain" in (s["text"] or ""))

    def test_budgets_and_crashes_are_counted_over_boots(self):
        tree = self.boot()
        tree.wait("mlx", "UP")
        tree.wait("sick", lambda s: s["health"] == "ok")
        with open(os.path.join(tree.services, "sick", "bad"), "wb"):
            pass
        self.assertEqual(self.gave_up(tree)["restarts"], 3)
        first = tree.service("sick")["pid"]
        self.crash()
        # The second boot: what ran is not taken for running, and the
        # restarts that were asked for are not given back.
        self.boot()
        tree.wait("mlx", "UP")
        sv = self.gave_up(tree)
        self.assertEqual((sv["restarts"], sv["adopted"]), (0, False))
        self.assertNotEqual(sv["pid"], first)
        self.crash()
        # The third: both ended without a shutdown, so mlx is held.
        self.boot()
        tree.wait("boot-guard", lambda s: s["health"] == "failing")
        sv = tree.service("mlx")
        self.assertEqual((sv["state"], sv["reason"]),
                         ("WAITING", "waits for boot-guard"))
        self.gave_up(tree)
        # By the same id it is the same boot: all is taken over as it is.
        tree.kill_supervisor()
        tree.start()
        self.assertTrue(tree.service("sick")["adopted"])
        self.assertEqual(tree.service("mlx")["state"], "WAITING")
        tree.svctl("--no-wait", "restart", "boot-guard", check=True)
        tree.wait("mlx", "UP")
        tree.call("Restart", {"name": "sick"})
        os.unlink(os.path.join(tree.services, "sick", "bad"))
        tree.wait("sick", lambda s: s["health"] == "ok")


if __name__ == "__main__":
    rig.main()
