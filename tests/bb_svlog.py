# SPDX-License-Identifier: ISC
"""svlog on FIFOs that the test makes and holds open, as services do."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading

import rig

NUMBER = re.compile(rb"^(\S+Z )?n(\d+)$")


class Logger:
    """svlog alone, with a run directory of the test's own."""

    def __init__(self, case, confs):
        self.dir = tempfile.mkdtemp(prefix="sv.", dir="/tmp")
        case.addCleanup(shutil.rmtree, self.dir, True)
        self.fifos = {}
        for sub in ("run", "log", "services"):
            os.mkdir(os.path.join(self.dir, sub))
        for name, conf in confs.items():
            self.add(name, conf)
        self.process = None
        case.addCleanup(self.end)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def add(self, name, conf=""):
        os.makedirs(self.path("services", name))
        with open(self.path("services", name, "service.conf"), "w") as f:
            f.write("[service]\nexec = sleep 1\n" + conf)
        os.mkdir(self.path("run", name))
        os.mkfifo(self.path("run", name, "log"))
        self.fifos[name] = os.open(self.path("run", name, "log"), os.O_RDWR)

    def start(self):
        self.process = subprocess.Popen(
            [rig.program("svlog"), "--run", self.path("run"),
             "--log", self.path("log"), self.path("services")],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "SVTREE_PATH": rig.SYSTEM_PATH})

    def end(self, signo=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(signo)
        code = self.process.wait(10)
        self.said = self.process.stderr.read()
        self.process.stderr.close()
        self.process = None
        return code

    def write(self, name, octets):
        os.write(self.fifos[name], octets)

    def empty(self, name):
        n = fcntl.ioctl(self.fifos[name], 0x541B, b"\0" * 4)
        return n == b"\0" * 4

    def settle(self, name):
        rig.eventually(lambda: self.empty(name), what="an empty FIFO")

    def files(self, name):
        base = self.path("log", name)
        names = sorted(n for n in os.listdir(base) if n.endswith(".log"))
        if os.path.exists(os.path.join(base, "current")):
            names.append("current")
        return [os.path.join(base, n) for n in names]

    def octets(self, name):
        out = b""
        for path in self.files(name):
            with open(path, "rb") as f:
                out += f.read()
        return out

    def numbers(self, name):
        return [int(NUMBER.match(line).group(2))
                for line in self.octets(name).splitlines()
                if NUMBER.match(line)]


def writer(log, name, first, last):
    def run():
        for at in range(first, last, 100):
            log.write(name, b"".join(
                b"n%d\n" % n for n in range(at, min(last, at + 100))))
    thread = threading.Thread(target=run)
    thread.start()
    return thread


SMALL = "[log]\nmax-size = 64K\ntotal = 100M\nkeep = 1000\n"


class Lines(rig.Case):
    def test_lines_are_stamped_and_kept(self):
        log = Logger(self, {"a": ""})
        log.start()
        log.write("a", b"one\ntwo\n")
        log.settle("a")
        self.assertEqual(log.end(), 0)
        self.assertRegex(log.octets("a").decode(),
                         r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \w+\n){2}$")

    def test_without_stamps_every_byte_is_as_it_was(self):
        log = Logger(self, {"a": "[log]\ntimestamps = no\n"})
        log.start()
        blob = bytes(range(256)) * 300 + b"\0\0end without newline"
        thread = threading.Thread(target=log.write, args=("a", blob))
        thread.start()
        thread.join()
        log.settle("a")
        log.end()
        self.assertEqual(log.octets("a"), blob)

    def test_an_open_line_goes_on_without_a_second_stamp(self):
        log = Logger(self, {"a": ""})
        log.start()
        log.write("a", b"half")
        log.settle("a")
        log.end()
        log.start()
        log.write("a", b" and half\n")
        log.settle("a")
        log.end()
        self.assertRegex(log.octets("a").decode(), r"^\S+Z half and half\n$")

    def test_a_line_of_a_megabyte_is_bounded_and_complete(self):
        log = Logger(self, {"a": "[log]\nmax-size = 256K\ntimestamps = no\n"
                                 "keep = 100\n"})
        log.start()
        blob = b"x" * (1 << 20) + b"\nnext\n"
        thread = threading.Thread(target=log.write, args=("a", blob))
        thread.start()
        thread.join()
        log.settle("a")
        log.end()
        self.assertEqual(log.octets("a"), blob)
        for path in log.files("a"):
            self.assertLessEqual(os.path.getsize(path), 256 << 10)


class Rotation(rig.Case):
    def test_a_hundred_thousand_lines_through_rotation_and_restarts(self):
        """100,000 numbered lines through rotations and restarts of the
        logger and the writer: each there once, files within their caps"""
        log = Logger(self, {"a": SMALL})
        log.start()
        for first in range(0, 100000, 25000):
            thread = writer(log, "a", first, first + 25000)
            self.assertEqual(log.end(), 0)
            log.start()
            thread.join()
        log.settle("a")
        log.end()
        self.assertEqual(log.numbers("a"), list(range(100000)))
        self.assertGreater(len(log.files("a")), 10)
        for path in log.files("a"):
            self.assertLessEqual(os.path.getsize(path), 64 << 10)
            with open(path, "rb") as f:
                self.assertTrue(f.read().endswith(b"\n"))

    def test_a_killed_logger_loses_no_line(self):
        log = Logger(self, {"a": SMALL})
        log.start()
        kills = 0
        for first in range(0, 200000, 10000):
            thread = writer(log, "a", first, first + 10000)
            log.end(signal.SIGKILL)
            kills += 1
            log.start()
            thread.join()
        log.settle("a")
        log.end()
        got = log.numbers("a")
        self.assertEqual(sorted(set(got)), list(range(200000)))
        print(f"# {kills} kills, {len(got) - 200000} lines repeated")

    def test_keep_and_total_hold(self):
        log = Logger(self, {
            "a": "[log]\nmax-size = 16K\nkeep = 3\n",
            "b": "[log]\nmax-size = 16K\ntotal = 64K\nkeep = 100\n"})
        log.start()
        for name in ("a", "b"):
            writer(log, name, 0, 20000).join()
            log.settle(name)
        log.end()
        self.assertEqual(len(log.files("a")), 4)
        self.assertLessEqual(sum(map(os.path.getsize, log.files("b"))),
                             64 << 10)
        self.assertEqual(log.numbers("b")[-1], 19999)

    def test_a_deleted_current_is_made_anew(self):
        log = Logger(self, {"a": ""})
        log.start()
        log.write("a", b"n1\n")
        log.settle("a")
        current = log.path("log", "a", "current")
        rig.eventually(lambda: os.path.exists(current), what="current")
        os.unlink(current)

        def again():
            log.write("a", b"n2\n")
            return os.path.exists(current)
        rig.eventually(again, what="a new current")
        log.end()
        self.assertIn(2, log.numbers("a"))


class Life(rig.Case):
    def test_sighup_finds_a_new_service(self):
        log = Logger(self, {"a": ""})
        log.start()
        log.write("a", b"n1\n")
        log.settle("a")
        log.add("b")
        log.write("b", b"n7\n")
        log.process.send_signal(signal.SIGHUP)
        log.settle("b")
        log.end()
        self.assertEqual(log.numbers("b"), [7])

    def test_a_full_disk_drops_counts_and_recovers(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, for a small tmpfs")
        log = Logger(self, {"a": "", "b": ""})
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none",
                           log.path("log")], check=False).returncode != 0:
            self.skipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", log.path("log")],
                        check=False)
        self.addCleanup(log.end)
        log.start()
        writer(log, "a", 0, 20000).join()   # would block if it were not read
        log.settle("a")
        for path in log.files("a"):
            os.unlink(path)

        def recovered():
            log.write("a", b"n77777\n")
            return 77777 in log.numbers("a")
        rig.eventually(recovered, what="writing again")
        log.end()
        self.assertIn(b"dropped", log.octets("a"))
        self.assertIn(b"No space left", log.octets("a"))


if __name__ == "__main__":
    rig.main()
