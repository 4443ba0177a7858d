# SPDX-License-Identifier: ISC
"""Instructions of fixed scenarios, counted by valgrind's callgrind and
compared with those of tests/costs.json: what gets half again as dear has to
say why. Counts, unlike times, hold on a loaded machine. SVTREE_COSTS=write
writes the file anew."""

import glob
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile

import rig

COSTS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "costs.json")
MARGIN = 1.5
N = 100
PATIENCE = 100          # seconds: valgrind is slow, and so may the machine be
rig.TEST_TIMEOUT = 300


class Counted:
    """A program of ours under callgrind, with directories of its own."""

    def __init__(self, case, services):
        self.dir = tempfile.mkdtemp(prefix="sv.", dir="/tmp")
        case.addCleanup(shutil.rmtree, self.dir, True)
        for sub in ("run", "log", "state", "services"):
            os.mkdir(self.path(sub))
        for name, conf in services.items():
            os.mkdir(self.path("services", name))
            with open(self.path("services", name, "service.conf"), "w") as f:
                f.write(conf)
        self.case = case
        self.process = None

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def start(self, program, *words):
        self.process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", "--quiet",
             "--callgrind-out-file=" + self.path("out.%p"),
             rig.program(program), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "SVTREE_PATH": rig.SYSTEM_PATH})
        self.case.addCleanup(self.kill)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self):
        """Its instructions; those of its children are not among them."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        text = ""
        for path in glob.glob(self.path(f"out.{self.process.pid}")):
            with open(path) as f:
                text = f.read()
        found = re.search(r"^(?:summary|totals): (\d+)", text, re.M)
        self.case.assertTrue(found, "callgrind has written no summary")
        return int(found.group(1))


class Cost(rig.Case):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("valgrind"):
            raise rig.unittest.SkipTest("valgrind is missing: apt-get "
                                        "install valgrind")
        with open(COSTS) as f:
            cls.known = json.load(f)
        if cls.known["machine"] != platform.machine():
            raise rig.unittest.SkipTest(
                f"counted on {cls.known['machine']}, this is "
                + platform.machine())

    def compare(self, scenario, count):
        before = self.known["instructions"].get(scenario)
        print(f"# {scenario}: {count} instructions"
              + (f", {count / before:.2f} of {before}" if before else ""))
        if os.environ.get("SVTREE_COSTS") == "write":
            self.known["instructions"][scenario] = count
            with open(COSTS, "w") as f:
                json.dump(self.known, f, indent=1, sort_keys=True)
                f.write("\n")
            return
        self.assertLessEqual(count, before * MARGIN,
                             f"{scenario} has become dearer")

    def tree(self, n):
        c = Counted(self, {
            f"s{i:03d}": "[service]\nexec = sleep 1000000\n"
                         "restart-limit = 0\n[log]\n" for i in range(n)})
        c.start("svtree", "--run", c.path("run"), "--log", c.path("log"),
                "--state", c.path("state"), c.path("services"))
        socket = c.path("run", "control")

        def answer():
            try:
                with rig.Varlink(socket, PATIENCE) as v:
                    return v.call("Status", timeout=PATIENCE)
            except (OSError, ConnectionError):
                return None
        c.answer = answer
        c.call = lambda method, parameters: self.call(socket, method,
                                                      parameters)

        def all_up():
            found = answer()
            return found and sum(s["state"] == "UP" and s["name"] != "svlog"
                                 for s in found["services"]) == n
        # Asked rarely: the question costs instructions, too.
        events = rig.eventually(lambda: self.subscribe(socket), PATIENCE,
                                "a control socket")
        while not all_up():
            events.next(PATIENCE)
        events.close()
        return c

    def subscribe(self, socket):
        try:
            return rig.Events(socket, PATIENCE)
        except (OSError, ConnectionError):
            return None

    def call(self, socket, method, parameters):
        with rig.Varlink(socket, PATIENCE) as v:
            return v.call(method, parameters, timeout=PATIENCE)

    def test_start_100(self):
        self.compare("start and stop of 100", self.tree(N).end())

    def test_status_100(self):
        c = self.tree(N)
        for _ in range(N):
            c.answer()
        self.compare("100 x status of 100", c.end())

    def test_restart_100(self):
        c = self.tree(1)
        with rig.Events(c.path("run", "control"), PATIENCE) as events:
            for _ in range(N):
                c.call("Restart", {"name": "s000"})
                events.state("s000", "UP", timeout=PATIENCE)
        self.compare("100 restarts", c.end())

    def test_log_10_mb(self):
        c = Counted(self, {"a": "[service]\nexec = sleep 1\n"})
        os.mkdir(c.path("run", "a"))
        os.mkfifo(c.path("run", "a", "log"))
        fd = os.open(c.path("run", "a", "log"), os.O_RDWR)
        self.addCleanup(os.close, fd)
        c.start("svlog", "--run", c.path("run"), "--log", c.path("log"),
                c.path("services"))
        for _ in range(10000000 // 65500):
            os.write(fd, (b"x" * 99 + b"\n") * 655)
        self.compare("log of 10 MB with stamps", c.end())


if __name__ == "__main__":
    rig.main()
