# SPDX-License-Identifier: ISC
"""One life of a tree under valgrind: no error, and no descriptor that is open
at the end without a reason. ASan sees more errors; descriptors it does not
see."""

import os
import re
import shutil
import sys

import rig

PATIENCE = 100
SLEEPER = "[service]\nexec = sleep 1000\n"
# What svtree keeps to the end: the three of the start, a FIFO for each of four
# services and for itself, the lock of the tree, the records, the wait, the
# signals, the control socket, the watch of the directory.
KEPT = 3 + 4 + 1 + 6


class Life(rig.Case):
    def test_no_error_and_no_descriptor_left(self):
        if not shutil.which("valgrind"):
            self.skipTest("valgrind is missing")
        t = self.tree({"a": SLEEPER, "b": SLEEPER + "needs = a\n",
                       "c": "[service]\nexec = false\nrestart-limit = 3/1h\n"
                            "restart-delay = 10ms\n"}, start=False)
        command = t.command()
        t.command = lambda: [
            "valgrind", "--quiet", "--track-fds=yes", "--leak-check=full",
            "--errors-for-leak-kinds=definite", "--error-exitcode=9",
            f"--log-file={t.path('vg.%p')}", *command]
        t.start(PATIENCE)
        for name in "ab":
            t.wait(name, "UP", PATIENCE)
        t.wait("c", "TRIPPED", PATIENCE)
        before = len(os.listdir(f"/proc/{t.process.pid}/fd"))
        for _ in range(10):
            pid = t.service("a")["pid"]
            t.call("Restart", {"name": "a"}, timeout=PATIENCE)
            t.wait("a", lambda s, pid=pid: s["state"] == "UP"
                   and s["pid"] != pid, PATIENCE)
            t.call("Stop", {"name": "b"}, timeout=PATIENCE)
            t.wait("b", "DOWN", PATIENCE)
            t.call("Start", {"name": "b"}, timeout=PATIENCE)
            t.wait("b", "UP", PATIENCE)
            t.call("Reload", timeout=PATIENCE)
        self.assertLessEqual(len(os.listdir(f"/proc/{t.process.pid}/fd")),
                             before + 2)
        self.assertEqual(t.stop(PATIENCE), 0, t.said())
        with open(t.path(f"vg.{t.process.pid}"), encoding="utf-8") as f:
            said = f.read()
        found = re.search(r"FILE DESCRIPTORS: (\d+) open", said)
        self.assertTrue(found, said)
        print(f"# descriptors open at the end: {found[1]}")
        self.assertLessEqual(int(found[1]), KEPT, said)
        self.assertNotIn("ERROR SUMMARY", said.replace(
            "ERROR SUMMARY: 0 errors", ""))
        self.assertNotIn("Invalid", said)
        self.assertNotIn("lost", said)


if __name__ == "__main__":
    if not sys.platform.startswith("linux"):
        print("1..0 # SKIP looks through /proc")
        sys.exit(0)
    rig.main()
