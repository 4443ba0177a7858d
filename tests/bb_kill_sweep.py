# SPDX-License-Identifier: ISC
"""SIGKILL of the supervisor at every system call, entry and exit, of what it
does; then the next one starts, and the services themselves say how many of
them live. kill_sweep.c stops and kills, testify.c testifies.

SVTREE_SWEEP=full takes every point (`./dev sweep`), a number that many of
each sweep, evenly spread; the default is a sample that takes about a minute.
"""

import concurrent.futures
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time

import rig

HOW_MANY = os.environ.get("SVTREE_SWEEP", "10")
HOLD_MS = 30
# Points that find the machine slow are no fault: deadlines are generous.
PATIENCE = 30
if HOW_MANY == "full" or int(HOW_MANY) > 50:
    rig.TEST_TIMEOUT = 4 * 3600
else:
    rig.TEST_TIMEOUT = 600


# Says so when the service, or another finish, runs beside it.
FINISH = """cd DIR
flock -n a.alone mkdir finishing || echo DUP a finish $$ >>journal
rmdir finishing
"""


class Stage(rig.Tree):
    """A tree whose first supervisor runs under kill_sweep."""

    def __init__(self):
        super().__init__(start=False)
        self.testify = rig.program("testify")
        # on-failure: what was never run must not be taken for well done
        self.add("a", {"conf": self.conf("a") + "restart = on-failure\n",
                       "finish": FINISH.replace("DIR", self.dir)})
        self.add("b", self.conf("b", " -r 0")
                 + "needs = a\nready = notify\nstart-timeout = 5s\n")
        self.tracer = self.events = None
        self.seen = []
        self.first_pids = {}

    def conf(self, name, more=""):
        return (f"[service]\nexec = {self.testify} -d {self.dir} -n {name}"
                f"{more}\nstop-timeout = 4s\nrestart-delay = 50ms\n")

    def trace(self, n, arm, hold):
        with open(self.output, "ab") as out:
            self.tracer = subprocess.Popen(
                [rig.program("kill_sweep"), str(n), arm, str(hold),
                 *self.command()], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=out, env=self.environment(),
                cwd=self.dir, start_new_session=True)

    def all_up(self):
        try:
            sv = self.call("Status", timeout=PATIENCE)["services"]
        except (OSError, ConnectionError):
            return None
        up = {s["name"]: s["pid"] for s in sv if s["state"] == "UP"}
        return up if {"a", "b", "svlog"} <= set(up) else None

    def arm(self):
        """All is up; from now on each stop counts."""
        self.first_pids = rig.eventually(self.all_up, PATIENCE, "all up")
        self.events = self.subscribe(PATIENCE)
        self.tracer.send_signal(signal.SIGUSR1)

    def journal(self):
        try:
            with open(self.path("journal"), encoding="ascii") as f:
                return [tuple(x.split()) for x in f.read().splitlines()]
        except FileNotFoundError:
            return []

    def starts(self, name):
        return [int(x[2]) for x in self.journal()
                if x[:2] == ("START", name)]

    def living(self, name):
        return [pid for pid in self.starts(name) if rig.alive(pid)]

    def holds_alone(self, name):
        try:
            with open(self.path(name + ".alone"), "r+b") as f:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            pass
        return False

    def ask(self, method, **params):
        """True when it was answered."""
        try:
            self.call(method, params, PATIENCE)
            return True
        except (OSError, ConnectionError):
            return False

    def outcome(self, done):
        """The line of kill_sweep: killed by it, or by us when done."""
        fds = [self.tracer.stdout]
        if self.events is not None:
            fds.append(self.events.sock)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            ready = select.select(fds, [], [], 0.01)[0]
            if self.tracer.stdout in ready:
                return self.tracer.stdout.readline().decode()
            if self.events is not None and self.events.sock in ready:
                if not self.read_events():
                    fds = fds[:1]
            if done(self):
                self.tracer.send_signal(signal.SIGTERM)
                return self.tracer.stdout.readline().decode()
        raise TimeoutError("the scene does not end")

    def read_events(self):
        while True:
            try:
                event = self.events.next(PATIENCE)
            except OSError:
                event = None
            if event is None:
                return False
            self.seen.append((event.get("service"), event.get("state"),
                              event.get("pid")))
            if b"\0" not in self.events.buffer:
                return True

    def said_up(self, name):
        return any(s == name and state == "UP" and
                   pid != self.first_pids.get(name)
                   for s, state, pid in self.seen)

    def close(self):
        if self.events is not None:
            self.events.close()
        if self.tracer is not None:
            if self.tracer.poll() is None:
                self.tracer.send_signal(signal.SIGTERM)
            self.tracer.wait(PATIENCE)
            self.tracer.stdout.close()
        super().close()


# --- the scenes: what is done, when it is over, what must be then

def start(stage, n, hold):
    stage.trace(n, "lock", hold)
    end = []

    def done(st):
        if st.starts("a") and st.starts("b") and not end:
            end.append(time.monotonic() + 0.1)
        return end and time.monotonic() > end[0]
    return stage.outcome(done), {}


def adopt(stage, n, hold):
    with open(stage.output, "ab") as out:
        first = subprocess.Popen(
            stage.command(), stdin=subprocess.DEVNULL, stdout=out,
            stderr=out, env=stage.environment(), cwd=stage.dir,
            start_new_session=True)
    try:
        stage.first_pids = rig.eventually(stage.all_up, PATIENCE, "all up")
    finally:
        first.kill()
        first.wait()
    stage.trace(n, "lock", hold)
    return (stage.outcome(lambda st: st.all_up()),
            {"same": ("a", "b", "svlog")})


def crash(stage, n, hold):
    stage.trace(n, "signal", hold)
    stage.arm()
    os.kill(stage.first_pids["a"], signal.SIGKILL)
    return stage.outcome(lambda st: st.said_up("a")), {"same": ("b", "svlog")}


def restart(stage, n, hold):
    stage.trace(n, "signal", hold)
    stage.arm()
    stage.ask("Restart", name="a")
    return stage.outcome(lambda st: st.said_up("a")), {"same": ("b", "svlog")}


def stop(stage, n, hold):
    stage.trace(n, "signal", hold)
    stage.arm()
    told = stage.ask("Stop", name="a")
    return (stage.outcome(lambda st: ("a", "DOWN") in
                          [x[:2] for x in st.seen]),
            {"same": ("b", "svlog"), "down": ("a",) if told else (),
             "maybe": () if told else ("a",)})


def reload(stage, n, hold):
    stage.trace(n, "signal", hold)
    stage.arm()
    stage.add("c", stage.conf("c"))
    stage.remove("b")
    stage.ask("Reload")
    return (stage.outcome(lambda st: st.said_up("c") and ("b", "DOWN") in
                          [x[:2] for x in st.seen]),
            {"same": ("a", "svlog"), "gone": ("b",), "new": ("c",)})


def shutdown(stage, n, hold):
    stage.trace(n, "signal", hold)
    stage.arm()
    stage.ask("Shutdown")
    return stage.outcome(lambda st: False), {}


def logger(stage, n, hold):
    stage.trace(n, "signal", hold)
    stage.arm()
    os.kill(stage.first_pids["svlog"], signal.SIGKILL)
    return stage.outcome(lambda st: st.said_up("svlog")), {"same": ("a", "b")}


def upgrade(stage, n, hold):
    stage.trace(n, "signal", hold)
    stage.arm()
    stage.ask("Upgrade")
    end = []

    def done(st):
        # The end of the stream is the exec; then some time to settle.
        if not end and select.select([st.events.sock], [], [], 0)[0]:
            end.append(time.monotonic() + 0.3)
        return end and time.monotonic() > end[0]
    return stage.outcome(done), {"same": ("a", "b", "svlog")}


SCENES = [start, adopt, crash, restart, stop, reload, shutdown, logger,
          upgrade]


def verify(stage, want):
    """Lets the next supervisor start; the list of what is wrong."""
    wrong = []
    stage.start(PATIENCE)
    down = set(want.get("down", ()))
    names = ({"a", "b", "svlog"} | set(want.get("new", ()))) - set(
        want.get("gone", ()))

    def settled():
        sv = {s["name"]: s for s in stage.call(
            "Status", timeout=PATIENCE)["services"]}
        return set(sv) == names and all(
            (s["want"], s["state"]) in (("up", "UP"), ("down", "DOWN"))
            for s in sv.values()) and sv
    sv = rig.eventually(settled, PATIENCE, "the wanted state")
    for name in names - {"svlog"}:
        is_up = sv[name]["want"] == "up"
        if name in down and is_up:
            wrong.append(f"{name}: was stopped, and is up")
        if name not in down and not is_up and name not in want.get(
                "maybe", ()):
            wrong.append(f"{name}: is down")
        # UP is the exec; the program's own word comes a moment later.
        expected = [sv[name]["pid"]] if is_up else []
        try:
            rig.eventually(lambda n=name, e=expected:
                           stage.living(n) == e, 3)
        except TimeoutError:
            pass
        living = stage.living(name)
        if living != expected:
            wrong.append(f"{name}: {sv[name]['state']} pid "
                         f"{sv[name]['pid']}, but {living} live")
        if stage.holds_alone(name) != is_up:
            wrong.append(f"{name}: its own lock says otherwise")
    for name in want.get("gone", ()):
        if stage.living(name):
            wrong.append(f"{name} is gone and lives")
    for name in want.get("same", ()):
        if name in sv and sv[name]["pid"] != stage.first_pids[name]:
            wrong.append(f"{name}: another process than before")
    for line in stage.journal():
        if line[0] == "DUP":
            wrong.append("started twice: " + " ".join(line))
    return wrong


def point(scene, n, hold):
    """One kill; (what kill_sweep said, what is wrong)."""
    stage = Stage()
    try:
        said, want = scene(stage, n, hold)
        try:
            return said, verify(stage, want)
        except (TimeoutError, RuntimeError) as e:
            try:
                more = str(stage.status())
            except Exception as e2:     # whatever it is, it is told
                more = repr(e2)
            return said, [f"{e}; {more}; journal {stage.journal()}"]
    finally:
        stage.close()


class Sweep(rig.Case):
    decoy = None

    @classmethod
    def setUpClass(cls):
        cls.lair = rig.tempfile.mkdtemp(prefix="sv.", dir="/tmp")
        cls.decoy = subprocess.Popen(
            [rig.program("testify"), "-d", cls.lair, "-n", "decoy", "-i"],
            start_new_session=True)

    @classmethod
    def tearDownClass(cls):
        cls.decoy.kill()
        cls.decoy.wait()
        rig.shutil.rmtree(cls.lair)

    def sweep(self, scene, hold):
        said, wrong = point(scene, 0, hold)
        self.assertFalse(wrong, f"without a kill: {said} {wrong}")
        total = int(said.split()[1])
        self.assertGreater(total, 20, said)
        if HOW_MANY == "full":
            points = range(1, total + 1)
        else:
            many = min(int(HOW_MANY), total)
            points = [1 + i * (total - 1) // max(1, many - 1)
                      for i in range(many)]
        killed, bad, lock = 0, [], threading.Lock()

        def one(n):
            nonlocal killed
            said, wrong = point(scene, n, hold)
            with lock:
                killed += said.startswith("killed")
                if wrong:
                    bad.append(f"point {n} ({said.strip()}): {wrong}")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(one, points))
        print(f"# {scene.__name__}, children "
              f"{'held' if hold else 'not held'}: {total} stops, "
              f"{len(points)} points, {killed} killed in the middle, "
              f"{len(bad)} wrong", flush=True)
        self.assertFalse(bad, "\n".join(bad[:20]))
        self.assertIsNone(self.decoy.poll(), "the decoy was killed")
        with open(os.path.join(self.lair, "journal"),
                  encoding="ascii") as f:
            self.assertEqual(len(f.read().splitlines()), 1,
                             "the decoy was signalled")


def _add(scene, hold):
    def test(self):
        self.sweep(scene, hold)
    test.__doc__ = (f"SIGKILL in {scene.__name__}"
                    f"{', children held' if hold else ''}: none twice, all "
                    "as wanted [faults 2 3 5, I1 I2 I6 I7]")
    setattr(Sweep, f"test_{scene.__name__}{'_held' if hold else ''}", test)


for _scene in SCENES:
    _add(_scene, 0)
    _add(_scene, HOLD_MS)

if __name__ == "__main__":
    if not sys.platform.startswith("linux"):
        print("1..0 # SKIP ptrace as here is Linux's")
        sys.exit(0)
    rig.main()
