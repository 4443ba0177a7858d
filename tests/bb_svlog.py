# SPDX-License-Identifier: ISC
"""svlog on FIFOs that the test makes and holds open, as services do."""

import fcntl
import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
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

    def start(self, **env):
        self.process = subprocess.Popen(
            [rig.program("svlog"), "--run", self.path("run"),
             "--log", self.path("log"), self.path("services")],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "SVTREE_PATH": rig.SYSTEM_PATH, **env})

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

    def size(self, name):
        try:
            return sum(map(os.path.getsize, self.files(name)))
        except FileNotFoundError:       # rotated or deleted meanwhile
            return 0

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
BIG = "[log]\nmax-size = 2M\ntotal = 100G\nkeep = 4000\n"


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
            # SIGTERM may come before it has taken it into its own hands.
            self.assertIn(log.end(), (0, -signal.SIGTERM))
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

    def kill_under_load(self, conf, kills):
        """Returns the numbers that were logged while the logger was killed
        again and again in the middle of its work."""
        log = Logger(self, {"a": conf})
        log.start()
        more = threading.Event()
        written = [0]

        def write():
            while not more.is_set():
                at = written[0]
                log.write("a", b"".join(
                    b"n%d\n" % n for n in range(at, at + 100)))
                written[0] += 100
        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(kills):
                before = log.size("a")
                rig.eventually(lambda: log.size("a") != before,
                               what="a growing log")
                log.end(signal.SIGKILL)
                log.start()
        finally:
            more.set()
            thread.join()
        log.settle("a")
        self.assertEqual(log.end(), 0)
        got = log.numbers("a")
        missing = set(range(written[0])) - set(got)
        self.assertEqual(len(missing), 0)
        print(f"# {kills} kills under load, {written[0]} lines, "
              f"{len(missing)} lost, {len(got) - written[0]} repeated")
        return got, written[0]

    def test_a_killed_logger_loses_no_line(self):
        self.kill_under_load(BIG, 60)

    def test_a_killed_logger_repeats_nothing_without_stamps(self):
        got, written = self.kill_under_load(
            BIG + "timestamps = no\n", 60)
        if sys.platform == "linux":
            self.assertTrue(got == list(range(written)))

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


    def test_current_renamed_by_somebody_is_begun_anew(self):
        log = Logger(self, {"a": ""})
        log.start()
        log.write("a", b"n1\n")
        current = log.path("log", "a", "current")
        rig.eventually(lambda: os.path.exists(current), what="current")
        os.rename(current, current + ".away")

        def again():
            log.write("a", b"n2\n")
            return os.path.exists(current)
        rig.eventually(again, what="a new current")
        log.end()
        self.assertEqual(set(log.numbers("a")), {2})

    def test_current_cut_by_somebody_goes_on_without_a_hole(self):
        log = Logger(self, {"a": "[log]\ntimestamps = no\n", "b": ""})
        log.start()
        for name in ("a", "b"):
            log.write(name, b"n1\n" * 1000)
            log.settle(name)
            os.truncate(log.path("log", name, "current"), 0)
            log.write(name, b"n2\n")
            log.settle(name)
        log.end()
        for name in ("a", "b"):
            self.assertEqual(log.numbers(name), [2])

    def test_long_lines_stay_whole_over_rotations(self):
        conf = "[log]\nmax-size = 256K\nkeep = 1000\ntotal = 1G\n"
        log = Logger(self, {"a": conf, "b": conf + "timestamps = no\n"})
        log.start()
        lines = [b"n%d" % n + b"x" * (n * 997 % 40000) for n in range(200)]
        for name in ("a", "b"):
            blob = b"\n".join(lines) + b"\n"
            for at in range(0, len(blob), 5001):    # cut anywhere
                log.write(name, blob[at:at + 5001])
            log.settle(name)
        log.end()
        for name in ("a", "b"):
            self.assertGreater(len(log.files(name)), 10)
            got = []
            for path in log.files(name):
                self.assertLessEqual(os.path.getsize(path), 256 << 10)
                with open(path, "rb") as f:
                    octets = f.read()
                self.assertTrue(octets.endswith(b"\n"), path)
                got += [line.split(b" ")[-1] for line in octets.splitlines()]
            self.assertEqual(got, lines)

    def test_rotated_files_are_compressed_when_asked(self):
        if not shutil.which("gzip", path=rig.SYSTEM_PATH):
            self.skipTest("no gzip here")
        log = Logger(self, {"a": SMALL + "compress = gzip\n"})
        log.start()
        writer(log, "a", 0, 50000).join()
        log.settle("a")

        def squeezed():
            names = os.listdir(log.path("log", "a"))
            return all(n == "current" or n.endswith(".log.gz")
                       for n in names) and len(names) > 5
        rig.eventually(squeezed, 60, "compressed files")
        log.end()
        octets = b""
        for name in sorted(os.listdir(log.path("log", "a"))):
            path = log.path("log", "a", name)
            opener = gzip.open if name.endswith(".gz") else open
            with opener(path, "rb") as f:
                octets += f.read()
        self.assertEqual([int(NUMBER.match(line).group(2))
                          for line in octets.splitlines()],
                         list(range(50000)))

    def test_a_compressor_that_was_killed_begins_again(self):
        """logger and compressor killed: the half file is made anew"""
        real = shutil.which("gzip", path=rig.SYSTEM_PATH)
        if not real:
            self.skipTest("no gzip here")
        log = Logger(self, {"a": SMALL + "compress = gzip\n"})
        slow, mark = log.path("gzip"), log.path("mark")
        with open(slow, "w", encoding="ascii") as f:
            f.write('#!/bin/sh\nexec 2>/dev/null\nfor file; do :; done\n'
                    f'{real} -c "$file" | head -c 100 >"$file.gz"\n'
                    f"echo $$ >{mark}.new\nmv {mark}.new {mark}\n"
                    "exec sleep 1000\n")
        os.chmod(slow, 0o755)
        log.start(PATH=os.path.dirname(slow) + ":" + rig.SYSTEM_PATH)
        writer(log, "a", 0, 20000).join()
        log.settle("a")
        rig.eventually(lambda: os.path.exists(mark), what="half a file")
        log.end(signal.SIGKILL)
        with open(mark, encoding="ascii") as f:
            os.kill(int(f.read()), signal.SIGKILL)
        log.start()
        writer(log, "a", 20000, 40000).join()
        log.settle("a")
        rig.eventually(lambda: not log.files("a")[:-1], 60, "compressed files")
        log.end()
        octets = b""
        for name in sorted(os.listdir(log.path("log", "a"))):
            opener = gzip.open if name.endswith(".gz") else open
            with opener(log.path("log", "a", name), "rb") as f:
                octets += f.read()
        self.assertEqual([int(NUMBER.match(line).group(2))
                          for line in octets.splitlines()],
                         list(range(40000)))

    def test_keep_counts_compressed_files(self):
        if not shutil.which("gzip", path=rig.SYSTEM_PATH):
            self.skipTest("no gzip here")
        log = Logger(self, {"a": "[log]\nmax-size = 16K\nkeep = 3\n"
                                 "compress = gzip\n"})
        log.start()
        writer(log, "a", 0, 20000).join()
        log.settle("a")

        def squeezed():
            names = os.listdir(log.path("log", "a"))
            return sum(n.endswith(".log.gz") for n in names) == 3 and \
                len(names) == 4
        rig.eventually(squeezed, 60, "three compressed files and current")
        log.end()

    def test_a_compressor_that_is_missing_costs_nothing(self):
        log = Logger(self, {"a": SMALL + "compress = zstd\n"})
        log.start(PATH="/nonexistent")
        writer(log, "a", 0, 20000).join()
        log.settle("a")
        log.end()
        self.assertIn(b"run zstd", log.said)
        self.assertEqual(log.numbers("a"), list(range(20000)))


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

    def test_a_fifo_made_anew_is_read_and_one_taken_away_let_go(self):
        log = Logger(self, {"a": "", "b": ""})
        log.start()
        for name in ("a", "b"):
            log.write(name, b"n1\n")
            log.settle(name)
        os.unlink(log.path("run", "a", "log"))
        os.mkfifo(log.path("run", "a", "log"))
        old = log.fifos["a"]
        self.addCleanup(os.close, old)
        log.fifos["a"] = os.open(log.path("run", "a", "log"), os.O_RDWR)
        shutil.rmtree(log.path("run", "b"))
        os.write(old, b"n2\n")
        log.write("a", b"n3\n")
        log.process.send_signal(signal.SIGHUP)
        log.settle("a")
        fds = f"/proc/{log.process.pid}/fd"
        if os.path.isdir(fds):
            def gone():
                return not any("/run/b/" in os.readlink(f"{fds}/{n}")
                               for n in os.listdir(fds))
            rig.eventually(gone, what="the FIFO of b closed")
        log.end()
        self.assertEqual(log.numbers("a"), [1, 2, 3])
        self.assertEqual(log.numbers("b"), [1])

    def test_a_flood_holds_up_nobody(self):
        """100 lines of a quiet service, each in its file while another
        service floods the logger"""
        log = Logger(self, {"flood": "[log]\ntotal = 20M\n", "quiet": ""})
        log.start()
        over = threading.Event()
        block = b"x" * 99 + b"\n"

        def flood():
            while not over.is_set():
                log.write("flood", block * 600)
        thread = threading.Thread(target=flood)
        thread.start()
        try:
            for n in range(100):
                log.write("quiet", b"n%d\n" % n)
                log.settle("quiet")
        finally:
            over.set()
            thread.join()
        log.end()
        self.assertEqual(log.numbers("quiet"), list(range(100)))

    def test_nul_bytes_and_stamps(self):
        log = Logger(self, {"a": ""})
        log.start()
        log.write("a", b"\0one\0\n\n\0\n")
        log.settle("a")
        log.end()
        self.assertEqual([line.split(b"Z ", 1)[1] for line in
                          log.octets("a").splitlines(True)],
                         [b"\0one\0\n", b"\n", b"\0\n"])

    def test_what_is_there_is_written_however_slow_the_disk(self):
        """a slow disk at the end: all is written that was there"""
        if not shutil.which("strace"):
            self.skipTest("needs strace")
        log = Logger(self, {"a": ""})
        # LeakSanitizer cannot look into a process that is traced.
        log.start(ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") +
                  ":detect_leaks=0")
        log.write("a", b"n0\n")
        log.settle("a")
        log.process.send_signal(signal.SIGSTOP)
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e",
             "inject=write,writev,pwrite64,splice:delay_exit=700000",
             "-p", str(log.process.pid)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            rig.eventually(lambda: self.traced(log.process.pid),
                           what="strace")
            fcntl.fcntl(log.fifos["a"], 1031, 1 << 20)
            n = 1
            while n < 90000:
                log.write("a", b"".join(
                    b"n%d\n" % i for i in range(n, n + 1000)))
                n += 1000
            log.process.send_signal(signal.SIGTERM)
            log.process.send_signal(signal.SIGCONT)
            self.assertEqual(log.process.wait(40), 0)
        finally:
            tracer.terminate()
            tracer.wait()
            tracer.stderr.close()
        self.assertEqual(log.numbers("a"), list(range(n)))

    def traced(self, pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            return "TracerPid:\t0\n" not in f.read()

    def test_half_a_line_left_by_a_killed_logger_is_ended(self):
        log = Logger(self, {"a": ""})
        log.start()
        log.write("a", b"n1\nhalf")
        log.settle("a")
        log.end(signal.SIGKILL)
        log.write("a", b"n2\n")
        log.start()
        log.settle("a")
        log.end()
        self.assertEqual(log.numbers("a"), [1, 2])

    def test_a_full_disk_costs_the_oldest_files_first(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, for a small tmpfs")
        log = Logger(self, {"a": "[log]\nmax-size = 16K\nkeep = 100\n"})
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none",
                           log.path("log")], check=False).returncode != 0:
            self.skipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", log.path("log")],
                        check=False)
        self.addCleanup(log.end)
        log.start()
        writer(log, "a", 0, 50000).join()
        log.settle("a")
        log.end()
        got = log.numbers("a")
        self.assertEqual(got[-1], 49999)
        self.assertEqual(got, list(range(got[0], 50000)))

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
