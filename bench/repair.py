# SPDX-License-Identifier: ISC
"""Time to repair: from a fault until an answer that is right again, end to
end, for a server under svtree and under what people use instead. The server
is the tests' stand-in for an LLM, asked over HTTP by us ten times a second
and more; the engine is a dockerd of our own.

What goes by a schedule (probes, the 300 s of a script, KeepAlive's 10 s, a
poll every 30 s) runs FACTOR times as fast here, and what was measured is
multiplied by FACTOR again: the repair itself, some milliseconds, is too, so
such a figure is a little too high. What goes by no schedule is measured as it
is. Faults come at moments spread evenly over the schedule's period."""

import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

import systems
from measures import Samples, share
from watch import TooLate

sys.path.insert(0, os.path.join(systems.TOP, "tests"))
os.environ.setdefault("SVTREE_BIN_DIR", systems.BIN)
import dockerd  # noqa: E402
import rig      # noqa: E402
import standin  # noqa: E402

FACTOR = 30
SCRIPT = 300 / FACTOR       # seconds between two runs of the recovery script
THROTTLE = 10 / FACTOR      # KeepAlive
POLL = 30 / FACTOR          # in the manner of autoheal
PROBE = 3 / FACTOR          # how long a script waits for an answer
NEVER = "never: it sees exits only"
FAULTS = ("crash", "hang", "wrong")
CONTAINERS = ("stop", "outage")
PATIENCE = SCRIPT * 2 + 20


def is_well(server, timeout=PROBE):
    """A right answer: a list with a model in it."""
    status, text = server.request("/api/tags", timeout=timeout)
    return status == 200 and '"name"' in text


class Script:
    """A recovery script run on a timer: asks, and heals what gives no right
    answer."""

    def __init__(self, period, server, heal):
        self.period, self.server, self.heal = period, server, heal
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.ran = time.monotonic()
        self.thread.start()

    def work(self):
        while not self.over.wait(max(0, self.ran + self.period -
                                     time.monotonic())):
            self.ran = time.monotonic()
            if not is_well(self.server):
                self.heal()

    def until(self, phase):
        """Until so much of a period has gone by."""
        time.sleep((self.ran + phase * self.period - time.monotonic()) %
                   self.period)

    def close(self):
        self.over.set()
        self.thread.join()


def call(*command):
    return subprocess.run(command, env=systems.ENVIRONMENT, check=False,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL).returncode


class Host:
    """A server under something, and whether a fault is mended by schedule."""

    name = ""
    needs = ()
    cannot = {}             # fault: why it is not mended
    scheduled = ()          # faults whose time is FACTOR times as long

    @classmethod
    def missing(cls):
        return [p for p in cls.needs if not systems.find(p)]

    def __init__(self, engine):
        self.engine = engine
        self.server = standin.Server()
        self.base = tempfile.mkdtemp(prefix="br.", dir="/tmp")
        self.process = self.script = None
        self.open()
        rig.eventually(lambda: is_well(self.server), 60, "an answer")

    def spawn(self, *command):
        self.process = subprocess.Popen(
            command, env=systems.ENVIRONMENT, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def run_file(self, path):
        with open(path, "w") as f:
            f.write("#!/bin/sh\nexec " + " ".join(self.server.command) + "\n")
        os.chmod(path, 0o755)

    def until(self, phase):
        if self.script:
            self.script.until(phase)
        else:
            time.sleep(phase * 10 / FACTOR)

    def repair(self, fault, phase):
        """Seconds from the fault until a right answer."""
        if fault in self.scheduled:
            self.until(phase)
        old = self.pid()
        if fault == "hang":
            os.kill(old, signal.SIGSTOP)
        began = time.monotonic()
        if fault == "crash":
            os.kill(old, signal.SIGKILL)
        elif fault == "wrong":
            self.server.fault("error")
        return self.wait(began, fault)

    def pid(self):
        return self.server.state()["pid"]

    def wait(self, began, fault):
        while not is_well(self.server):
            if time.monotonic() - began > PATIENCE:
                raise TooLate(f"no answer for {PATIENCE:.0f} s")
            time.sleep(0.002)
        took = time.monotonic() - began
        return took * (FACTOR if fault in self.scheduled else 1)

    def close(self):
        if self.script:
            self.script.close()
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in listeners(self.server):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.base, True)


def listeners(server):
    """What is left of a server; its port is in its words."""
    mark = f"--port\0{server.port}\0".encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if mark in f.read():
                    yield int(pid)
        except OSError:
            pass


MONITOR = ("[service]\nexec = health-monitor\nready = notify\n"
           "grants = Report Restart Signal\n")
# The shipped times: 10 s, 3 s, 3 failures, 60 s.
HEALTH = (f"interval = {10000 // FACTOR}ms\ntimeout = {3000 // FACTOR}ms\n"
          f"threshold = 3\nstart-grace = {60000 // FACTOR}ms\n"
          f"load-grace = {60000 // FACTOR}ms\n")


class UnderSvtree(Host):
    name = "svtree"
    scheduled = ("hang", "wrong")

    def open(self):
        self.tree = rig.Tree({"llm": self.server.conf(
            health=HEALTH, service="restart-limit = 0"),
            "health-monitor": MONITOR})
        self.tree.wait("llm", lambda s: s["health"] == "ok", 60)

    def repair(self, fault, phase):
        # As after a healthy run: past the grace that follows a start, and
        # with a person's start, which clears what went before.
        time.sleep(60 / FACTOR)
        call(os.path.join(systems.BIN, "svctl"), "--run", self.tree.run,
             "start", "llm")
        self.tree.wait("llm", lambda s: s["health"] == "ok", 60)
        return super().repair(fault, phase)

    def close(self):
        self.tree.close()
        super().close()


class UnderRunit(Host):
    name = "runit + 300 s script"
    needs = ("runsv", "sv")
    scheduled = ("hang", "wrong", "stop", "outage")

    def open(self):
        os.mkdir(self.base + "/llm")
        self.run_file(self.base + "/llm/run")
        self.spawn("runsv", self.base + "/llm")
        self.script = Script(SCRIPT, self.server, lambda: call(
            "sv", "-w", "1", "force-restart", self.base + "/llm"))


class UnderKeepAlive(Host):
    """launchd's job with KeepAlive: started again when it ends, yet not
    within 10 s of the start before."""
    name = "KeepAlive, 10 s throttle (simulated)"
    scheduled = ("crash",)
    cannot = dict.fromkeys(("hang", "wrong"), NEVER)

    def open(self):
        self.over = False
        self.job = None
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.over:
            self.began = time.monotonic()
            self.job = subprocess.Popen(
                self.server.command, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.job.wait()
            time.sleep(max(0, self.began + THROTTLE - time.monotonic()))

    def repair(self, fault, phase):
        # The throttle counts from the start: begin with a new one.
        time.sleep(THROTTLE)
        old = self.job.pid
        self.job.kill()
        rig.eventually(lambda: self.job.pid != old and is_well(self.server),
                       20, "a start")
        return super().repair(fault, phase)

    def until(self, phase):
        time.sleep(max(0, self.began + phase * THROTTLE - time.monotonic()))

    def close(self):
        self.over = True
        if self.job:
            self.job.kill()
        self.thread.join()
        super().close()


class UnderSupervisord(Host):
    name = "supervisord"
    needs = ("supervisord",)
    cannot = dict.fromkeys(("hang", "wrong"), NEVER)

    def open(self):
        self.run_file(self.base + "/run")
        with open(self.base + "/conf", "w") as f:
            f.write(f"[supervisord]\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
                    f"pidfile={self.base}/pid\n[program:llm]\n"
                    f"command={self.base}/run\nautorestart=true\n")
        self.spawn("supervisord", "-n", "-c", self.base + "/conf")
        time.sleep(1.2)         # startsecs: only then it counts as running


# --- containers

COMPOSE = """version: "2.4"
services:
  llm:
    image: llm:1
    container_name: {name}
    command: ollama --port {port} serve
    network_mode: host
"""


class Container(Host):
    """The same server in a container; the engine may go and come back."""

    def repair(self, fault, phase):
        if fault != "stop":
            return super().repair(fault, phase)
        if fault in self.scheduled:
            self.until(phase)
        self.engine.docker("stop", "-t", "1", self.box())
        return self.wait(time.monotonic(), fault)

    def pid(self):      # the server itself knows that of its own namespace
        return self.engine.inspect(self.box())["State"]["Pid"]

    def box(self):
        return "llm" + str(self.server.port)

    def run_box(self, *options):
        self.engine.docker("run", "-d", "--name", self.box(), "--network",
                           "host", *options, "llm:1", "ollama", "--port",
                           str(self.server.port), "serve")

    def close(self):
        super().close()
        self.engine.docker("rm", "-f", self.box(), check=False)


class KeptBySvtree(Container):
    name = "svtree"
    scheduled = ("hang", "wrong")

    def open(self):
        compose = self.base + "/compose.yml"
        with open(compose, "w") as f:
            f.write(COMPOSE.format(name=self.box(), port=self.server.port))
        os.mkdir(self.base + "/home")
        self.tree = rig.Tree({
            "docker": "[service]\nexec = docker-keeper\nready = notify\n"
                      "start-timeout = 0\ngrants = Report\n[docker]\n"
                      f"socket = {self.engine.socket}\n"
                      "start-command = true\n",
            "llm": "[service]\nexec = container-keeper\nready = notify\n"
                   "start-timeout = 0\nneeds = docker\n"
                   "grants = Report Stop\nrestart-limit = 0\n"
                   f"[container]\nname = {self.box()}\nservice = llm\n"
                   f"compose = {compose}\nproject = {self.box()}\n"
                   f"[environment]\nHOME = {self.base}/home\n"})
        self.tree.wait("llm", "UP", 60)

    def close(self):
        self.tree.close()
        super().close()


class StartedByScript(Container):
    name = "runit + 300 s script"
    scheduled = CONTAINERS

    def open(self):
        self.run_box()
        self.script = Script(SCRIPT, self.server, lambda: self.engine.docker(
            "start", self.box(), check=False))


class KeptByDocker(Container):
    """Docker's policy starts what ends by itself and what was up when the
    daemon ended; the poll heals what gives no right answer."""
    name = "docker restart policy + 30 s poll"
    scheduled = ("hang", "wrong", "stop")

    def open(self):
        self.run_box("--restart", "always")
        self.script = Script(POLL, self.server, lambda: self.engine.docker(
            "restart", "-t", "1", self.box(), check=False))


PLAIN = (UnderSvtree, UnderRunit, UnderKeepAlive, UnderSupervisord)
BOXES = (KeptBySvtree, StartedByScript, KeptByDocker)


def open_engine():
    """A dockerd with the static stand-in as image llm:1, or None and why."""
    program = os.path.join(systems.PROBES, "llm-standin")
    if not os.path.exists(program):
        return None, "no static llm-standin here"
    try:
        engine = dockerd.Dockerd()
    except dockerd.Unavailable as why:
        return None, str(why)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(program, "llm-standin")
    engine.run("docker", "import", "--change",
               'ENTRYPOINT ["/llm-standin"]', "-", "llm:1",
               input=archive.getvalue())
    return engine, ""


def at_once(hosts, work):
    """work(host) for all of them, side by side; {host: value or error}."""
    results = {}

    def guarded(host):
        try:
            results[host] = work(host)
        except Exception as e:      # pylint: disable=broad-except
            results[host] = TooLate(f"{type(e).__name__}: {e}"[:200])
    threads = [threading.Thread(target=guarded, args=(h,)) for h in hosts]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


def outage(hosts, phase):
    """The engine goes for all of them at once."""
    hosts[0].engine.crash()
    hosts[0].engine.start()
    began = time.monotonic()
    for host in hosts:
        if host.script:     # as if the engine were back at this moment
            host.script.ran = began - phase * host.script.period
    return at_once(hosts, lambda host: host.wait(began, "outage"))


def measure_fault(settings, fault, kinds, engine, s):
    """Opens all kinds of hosts, brings the fault, closes them."""
    opened = at_once([k for k in kinds if k in s.left and
                      fault not in k.cannot], lambda kind: kind(engine))
    hosts = [h for h in opened.values() if isinstance(h, Host)]
    for kind, h in opened.items():
        if not isinstance(h, Host):
            s.drop(kind, h)
    for kind in kinds:
        if fault in kind.cannot:
            s.drop(kind, kind.cannot[fault])
    count = max(2, settings.rounds // 2)
    try:
        for i in range(count):
            phase = (i + .5) / count
            took = outage(hosts, phase) if fault == "outage" else \
                at_once(hosts, lambda h: h.repair(fault, phase))
            for host, value in took.items():
                if isinstance(value, TooLate):
                    s.drop(type(host), value)
                elif type(host) in s.left:
                    s.add(type(host), value)
    finally:
        at_once(hosts, lambda h: h.close())


def repair(settings):
    engine, why = open_engine()
    results = []
    try:
        for fault in (*FAULTS, *CONTAINERS):
            kinds = BOXES if fault in CONTAINERS else \
                (*PLAIN, KeptByDocker)
            s = Samples(kinds)
            for kind in kinds:
                if engine is None and issubclass(kind, Container):
                    s.drop(kind, why)
            measure_fault(settings, fault, kinds, engine, s)
            results.append(s)
    finally:
        if engine is not None:
            engine.close()
    return results


share((("repair-crash", "repair: crash (SIGKILL) until a right answer", "s",
        ""),
       ("repair-hang", "repair: hang (SIGSTOP) until a right answer", "s",
        ""),
       ("repair-wrong", "repair: wrong answers (500) until a right one", "s",
        ""),
       ("repair-stop", "repair: container stopped until a right answer", "s",
        ""),
       ("repair-outage", "repair: Docker's engine killed; from its answer "
        "until one of the container", "s", "")), repair)
