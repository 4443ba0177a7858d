# SPDX-License-Identifier: ISC
"""The short form of soak.py (`./dev soak` is the long one): random kills of
supervisor, logger and services, and a random life of verbs and faults."""

import os
import subprocess
import sys

import rig

SEED = os.environ.get("SVTREE_SEED", "20")
rig.TEST_TIMEOUT = 400


class Soak(rig.Case):
    def soak(self, *args):
        done = subprocess.run(
            [sys.executable, os.path.join(rig.TOP, "tests", "soak.py"),
             "--seed", SEED, "--no-shrink", *args],
            capture_output=True, text=True, check=False,
            env={**os.environ, "SVTREE_BIN_DIR": rig.BIN}, timeout=380)
        for line in done.stdout.splitlines():
            print("# " + line.lstrip("# ")[:300])
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])

    def test_kills(self):
        """kill -9 of supervisor, logger, services in random order: each at
        most once, all as wanted, no line lost, nothing grows"""
        self.soak("--kills", "100")

    def test_life(self):
        """verbs and faults of every kind, 20 services of every habit"""
        self.soak("--minutes", "0.5")


if __name__ == "__main__":
    if not sys.platform.startswith("linux"):
        print("1..0 # SKIP reads /proc")
        sys.exit(0)
    rig.main()
