# SPDX-License-Identifier: ISC
"""The supervisors that are measured, each as its users run it.

A system knows how a directory of services is laid out for it, how it is
started, asked and stopped. It knows nothing of what is measured. The services
are DIR/NAME with the probe as their run; what a system needs beside that goes
to DIR.x, so that nothing of the one disturbs another.
"""

import os
import shutil
import signal
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get("SVTREE_BIN_DIR") or os.path.join(TOP, "build")
PROBES = os.path.join(BIN, "bench")
ENVIRONMENT = {"PATH": BIN + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
               "SVTREE_PATH": BIN + ":/usr/bin:/bin",
               "HOME": "/", "LC_ALL": "C"}
# Run directories lie on a tmpfs, as /run does.
WHERE = "/dev/shm" if os.path.isdir("/dev/shm") else "/tmp"


def find(program):
    return shutil.which(program, path=ENVIRONMENT["PATH"])


class System:
    """One supervisor with its own directory of services."""

    name = ""
    needs = ()          # programs on the PATH
    logger = ()         # log/run of a service
    supervisor = ()     # names of processes that are not loggers
    most = 1000         # services that it can hold
    slow = False        # its commands take so long that few are asked

    def __init__(self, names, logs=False):
        self.base = tempfile.mkdtemp(prefix="b.", dir=WHERE)
        self.dir = os.path.join(self.base, "sv")
        self.extra = os.path.join(self.base, "x")
        os.mkdir(self.dir)
        os.mkdir(self.extra)
        self.names = names
        self.logs = logs
        self.process = None
        self.fifo = None
        os.mkfifo(os.path.join(self.dir, ".fifo"))
        for name in names:
            self.lay(name)

    @classmethod
    def missing(cls):
        return [p for p in cls.needs if not find(p)]

    def lay(self, name):
        os.mkdir(self.path(name))
        os.symlink(os.path.join(PROBES, "probe"), self.path(name, "run"))
        if self.logs and self.logger:
            os.mkdir(self.path(name, "log"))
            with open(self.path(name, "log", "run"), "w") as f:
                f.write("#!/bin/sh\nexec " + " ".join(self.logger) + "\n")
            os.chmod(self.path(name, "log", "run"), 0o755)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def command(self):
        raise NotImplementedError

    def environment(self):
        return ENVIRONMENT

    def start(self):
        """Starts it; the services tell the FIFO when they are there."""
        self.process = subprocess.Popen(
            self.command(), env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self.dir, start_new_session=True)
        return self.process.pid

    # What is asked of it: a command line, or None when there is none.
    def nothing(self):
        return None

    def status_json(self):
        return None

    def status_one(self, name):
        return None

    def status_all(self):
        return None

    def stop_one(self, name):
        return None

    def start_one(self, name):
        return None

    def reload(self):
        return None

    def settle(self, name):
        """What makes the next death of a service the first after a healthy
        run, where waiting a second is not enough."""
        return None

    def stop(self):
        """Asks for the end of all; does not wait."""
        self.process.send_signal(signal.SIGTERM)

    def end(self):
        """Whatever is left of it is gone afterwards."""
        shutil.rmtree(self.base, True)


class Floor(System):
    name = "floor"
    how = "spawn"
    most = 10000

    def command(self):
        return [os.path.join(PROBES, "floor"), self.how, self.dir]


class FloorFork(Floor):
    name = "floor-fork"
    how = "fork"


class FloorKept(Floor):
    """With what the kernel has to hold for svtree's promises."""
    name = "floor-kept"
    how = "kept"


class FloorShared(Floor):
    """The same program on a shared libc, as supervisors are."""
    name = "floor-shared"

    def command(self):
        return [os.path.join(PROBES, "floor-shared"), self.how, self.dir]


class Svtree(System):
    name = "svtree"
    programs = BIN
    supervisor = ("svtree",)
    most = 10000

    def __init__(self, names, logs=False):
        super().__init__(names, logs)
        for sub in ("run", "state", "log"):
            os.mkdir(os.path.join(self.extra, sub))
        self.run = os.path.join(self.extra, "run")

    def command(self):
        x = self.extra
        return [os.path.join(self.programs, "svtree"), "--run", self.run,
                "--state", x + "/state", "--log", x + "/log", self.dir]

    def svctl(self, *words):
        return [os.path.join(self.programs, "svctl"), "--run", self.run, *words]

    def nothing(self):
        """What it takes to run svctl at all."""
        return self.svctl("--version")

    def status_json(self):
        return self.svctl("--json", "status")

    def status_one(self, name):
        return self.svctl("status", name)

    def status_all(self):
        return self.svctl("status")

    def stop_one(self, name):
        return self.svctl("stop", name)

    def start_one(self, name):
        return self.svctl("start", name)

    def reload(self):
        return self.svctl("reload")

    def settle(self, name):
        return self.svctl("start", name)

    def upgrade(self):
        return self.svctl("upgrade")


class SvtreeStatic(Svtree):
    """As ./dev static makes it; svlog is found beside it."""
    name = "svtree-static"
    programs = os.path.join(BIN, "static")

    @classmethod
    def missing(cls):
        return [] if os.path.exists(os.path.join(cls.programs, "svtree")) \
            else ["./dev static"]

    def environment(self):
        return {**ENVIRONMENT,
                "SVTREE_PATH": self.programs + ":/usr/bin:/bin"}


class Runit(System):
    name = "runit"
    needs = ("runsvdir", "runsv", "sv", "svlogd")
    logger = ("svlogd", "-tt", "./main")
    supervisor = ("runsvdir", "runsv")

    def lay(self, name):
        super().lay(name)
        if self.logs:
            os.mkdir(self.path(name, "log", "main"))

    def command(self):
        return ["runsvdir", "-P", self.dir]

    def status_one(self, name):
        return ["sv", "status", self.path(name)]

    def status_all(self):
        return ["sv", "status", *map(self.path, self.names)]

    def stop_one(self, name):
        return ["sv", "stop", self.path(name)]

    def start_one(self, name):
        return ["sv", "start", self.path(name)]

    def stop(self):
        self.process.send_signal(signal.SIGHUP)


class S6(System):
    name = "s6"
    needs = ("s6-svscan", "s6-supervise", "s6-svc", "s6-svstat", "s6-log")
    logger = ("s6-log", "T", "./main")
    supervisor = ("s6-svscan", "s6-supervise")

    def command(self):
        return ["s6-svscan", "-c", "2100", self.dir]

    def status_one(self, name):
        return ["s6-svstat", self.path(name)]

    def stop_one(self, name):
        return ["s6-svc", "-wD", "-d", self.path(name)]

    def start_one(self, name):
        return ["s6-svc", "-wu", "-u", self.path(name)]

    def reload(self):
        return ["s6-svscanctl", "-a", self.dir]


class Daemontools(System):
    name = "daemontools"
    needs = ("svscan", "supervise", "svc", "svstat", "multilog")
    logger = ("multilog", "t", "./main")
    supervisor = ("svscan", "supervise")

    def command(self):
        return ["svscan", self.dir]

    def status_one(self, name):
        return ["svstat", self.path(name)]

    def status_all(self):
        return ["svstat", *map(self.path, self.names)]

    def stop_one(self, name):
        return ["svc", "-d", self.path(name)]

    def start_one(self, name):
        return ["svc", "-u", self.path(name)]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        subprocess.run(["svc", "-dx", *map(self.path, self.names)],
                       env=ENVIRONMENT, check=False)


class Supervisord(System):
    name = "supervisord"
    needs = ("supervisord", "supervisorctl")
    supervisor = ("supervisord",)
    slow = True

    def lay(self, name):
        super().lay(name)
        log = "AUTO" if self.logs else "NONE"
        conf = os.path.join(self.extra, "conf")
        if not os.path.exists(conf):
            with open(conf, "w") as f:
                f.write(f"""[supervisord]
logfile = /dev/null
logfile_maxbytes = 0
minfds = 16384
pidfile = {self.extra}/pid
childlogdir = {self.extra}
[unix_http_server]
file = {self.extra}/s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = \
supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl = unix://{self.extra}/s
""")
        with open(conf, "a") as f:
            f.write(f"""[program:{name}]
command = {self.path(name)}/run
directory = {self.path(name)}
autorestart = true
stdout_logfile = {log}
stderr_logfile = {log}
""")

    def command(self):
        return ["supervisord", "-n", "-c", self.extra + "/conf"]

    def ctl(self, *words):
        return ["supervisorctl", "-c", self.extra + "/conf", *words]

    def status_one(self, name):
        return self.ctl("status", name)

    def status_all(self):
        return self.ctl("status")

    def stop_one(self, name):
        return self.ctl("stop", name)

    def start_one(self, name):
        return self.ctl("start", name)

    def reload(self):
        return self.ctl("update")


class Nitro(System):
    name = "nitro"
    needs = ("nitro", "nitroctl")
    supervisor = ("nitro",)
    most = 900

    def command(self):
        return ["env", f"NITRO_SOCK={self.extra}/s", "nitro", self.dir]

    def nitroctl(self, *words):
        return ["env", f"NITRO_SOCK={self.extra}/s", "nitroctl", *words]

    def status_one(self, name):
        return self.nitroctl("check", name)

    def stop_one(self, name):
        return self.nitroctl("down", name)

    def start_one(self, name):
        return self.nitroctl("up", name)


class Dinit(System):
    name = "dinit"
    needs = ("dinit", "dinitctl")
    supervisor = ("dinit",)

    def lay(self, name):
        super().lay(name)
        defs = os.path.join(self.extra, "d")
        os.makedirs(defs, exist_ok=True)
        with open(os.path.join(defs, name), "w") as f:
            f.write(f"type = process\ncommand = {self.path(name)}/run\n"
                    f"working-dir = {self.path(name)}\nrestart = true\n"
                    "smooth-recovery = true\nrestart-delay = 0\n"
                    "restart-limit-count = 0\n")
        with open(os.path.join(defs, "boot"), "a") as f:
            if f.tell() == 0:
                f.write("type = internal\n")
            f.write(f"waits-for = {name}\n")

    def command(self):
        return ["dinit", "-u", "-q", "-d", self.extra + "/d",
                "-p", self.extra + "/s"]

    def ctl(self, *words):
        return ["dinitctl", "-p", self.extra + "/s", *words]

    def status_one(self, name):
        return self.ctl("status", name)

    def status_all(self):
        return self.ctl("list")

    def stop_one(self, name):
        return self.ctl("stop", name)

    def start_one(self, name):
        return self.ctl("start", name)


FLOORS = (Floor, FloorFork)
PEERS = (Runit, S6, Daemontools, Supervisord, Nitro, Dinit)
