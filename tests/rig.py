# SPDX-License-Identifier: ISC
"""The rig for black-box tests: a real svtree in directories of its own.

It owns how a tree is started, asked, watched and cleared away, and how
unittest's results become TAP. It knows nothing of single services. What a
test waits for is told by the supervisor's events (subscribe, then look, then
wait), never by a sleep; what no event announces (a file, a port) is asked
again by eventually() until its deadline.

A test file is named bb_NAME.py and ends with

    if __name__ == "__main__":
        rig.main()
"""

import atexit
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.abspath(os.environ.get("SVTREE_BIN_DIR")
                      or os.path.join(TOP, "build"))


def _reachable(path):
    """May every user go there?"""
    while path != "/":
        if not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True


def _copy_programs(where):
    """What was built, where services of other users can run it too."""
    copy = tempfile.mkdtemp(prefix="svbin.", dir="/tmp")
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    os.chmod(copy, 0o755)
    for name in os.listdir(where):
        path = os.path.join(where, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            shutil.copy2(path, copy)
    return copy


if (os.geteuid() == 0 and os.path.isdir(BIN) and not _reachable(BIN)
        and "SVTREE_BIN_COPY" not in os.environ):
    BIN = os.environ["SVTREE_BIN_COPY"] = _copy_programs(BIN)
elif "SVTREE_BIN_COPY" in os.environ:
    BIN = os.environ["SVTREE_BIN_COPY"]
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
TIMEOUT = 10            # seconds: of one wait
TEST_TIMEOUT = 120      # seconds: of one test

_open_trees = []
_obituaries = []        # what closed trees of this test had said


class CallError(Exception):
    """An error reply: .name is org.svtree.…, .parameters its words."""

    def __init__(self, name, parameters):
        super().__init__(f"{name}: {parameters.get('reason', parameters)}")
        self.name = name
        self.parameters = parameters


def program(name):
    return os.path.join(BIN, name)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def eventually(look, timeout=TIMEOUT, what="condition"):
    """Asks look() again until it gives something true, and returns that."""
    end = time.monotonic() + timeout
    while True:
        got = look()
        if got:
            return got
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout} s")
        select.select([], [], [], 0.005)


class Varlink:
    """One connection to a control socket: JSON messages ended by NUL."""

    def __init__(self, path, timeout=TIMEOUT):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.buffer = b""
        try:
            self.sock.settimeout(timeout)
            self.sock.connect(path)
        except BaseException:
            self.sock.close()
            raise

    def send(self, method, parameters=None, more=False):
        if "." not in method:
            method = "org.svtree." + method
        message = {"method": method, "parameters": parameters or {}}
        if more:
            message["more"] = True
        self.send_raw(json.dumps(message).encode() + b"\0")

    def send_raw(self, octets):
        self.sock.sendall(octets)

    def receive(self, timeout=TIMEOUT):
        """The next whole message; None when the peer has hung up."""
        end = time.monotonic() + timeout
        while b"\0" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no message within {timeout} s")
            self.sock.settimeout(left)
            try:
                chunk = self.sock.recv(65536)
            except socket.timeout:
                continue
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                return None
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, parameters=None, timeout=TIMEOUT):
        self.send(method, parameters)
        reply = self.receive(timeout)
        if reply is None:
            raise ConnectionError(f"{method}: hung up without a reply")
        if "error" in reply:
            raise CallError(reply["error"], reply.get("parameters") or {})
        return reply.get("parameters") or {}

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Events(Varlink):
    """The events from here on. Iterating ends when the supervisor does."""

    def __init__(self, path, timeout=TIMEOUT):
        super().__init__(path, timeout)
        self.timeout = timeout
        self.seen = []
        self.send("Subscribe", more=True)
        first = self.receive(timeout)
        if first is None or "error" in first:
            raise ConnectionError(f"subscribe: {first}")

    def next(self, timeout=None):
        """The next event; None at the end of the stream."""
        while True:
            reply = self.receive(self.timeout if timeout is None else timeout)
            if reply is None:
                return None
            event = (reply.get("parameters") or {}).get("event")
            if event:
                self.seen.append(event)
                return event

    def __iter__(self):
        return self

    def __next__(self):
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def until(self, wanted, timeout=None):
        """The first event of which wanted(event) holds."""
        timeout = self.timeout if timeout is None else timeout
        end = time.monotonic() + timeout
        while True:
            try:
                event = self.next(max(0, end - time.monotonic()))
            except TimeoutError:
                raise TimeoutError(
                    f"event not within {timeout} s; seen: "
                    + "; ".join(map(str, self.seen[-20:]))) from None
            if event is None:
                raise ConnectionError("the stream of events has ended")
            if wanted(event):
                return event

    def state(self, name, *states, timeout=None):
        return self.until(lambda e: e.get("event") == "state"
                          and e.get("service") == name
                          and e.get("state") in states, timeout)


def _script(text):
    return text if text.startswith("#!") else "#!/bin/sh\n" + text


def _write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


class Tree:
    """A supervisor with services of its own.

    services: name -> text of service.conf, or a dict with any of conf, run,
    finish, check, log (scripts; "#!/bin/sh" is put before), down (True) and
    files (relative path -> text).
    """

    def __init__(self, services=None, env=None, args=(), start=True):
        # Short: the path of a UNIX socket has room for 103 bytes.
        self.dir = tempfile.mkdtemp(prefix="sv.", dir="/tmp")
        os.chmod(self.dir, 0o755)   # services may run as another user
        self.services = os.path.join(self.dir, "services")
        self.run = os.path.join(self.dir, "run")
        self.state = os.path.join(self.dir, "state")
        self.log = os.path.join(self.dir, "log")
        self.output = os.path.join(self.dir, "svtree.out")
        self.socket = os.path.join(self.run, "control")
        self.extra_env = dict(env or {})
        self.args = list(args)
        self.process = None
        os.mkdir(self.services)
        for name, what in (services or {}).items():
            self.add(name, what)
        _open_trees.append(self)
        try:
            if start:
                self.start()
        except BaseException:
            self.close()
            raise

    # -- the directories ---------------------------------------------------

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def add(self, name, what):
        """Writes (or writes over) one service; reload makes it known."""
        if isinstance(what, str):
            what = {"conf": what}
        base = os.path.join(self.services, name)
        os.makedirs(base, exist_ok=True)
        for key, text in what.items():
            if key == "conf":
                _write(os.path.join(base, "service.conf"), text)
            elif key in ("run", "finish", "check"):
                _write(os.path.join(base, key), _script(text), 0o755)
            elif key == "log":
                _write(os.path.join(base, "log", "run"), _script(text), 0o755)
            elif key == "down":
                if text:
                    _write(os.path.join(base, "down"), "")
            elif key == "files":
                for rel, body in text.items():
                    _write(os.path.join(base, rel), body)
            else:
                raise ValueError(f"service {name}: what is {key!r}?")

    def remove(self, name):
        shutil.rmtree(os.path.join(self.services, name))

    def said(self):
        """What the supervisor printed so far."""
        try:
            with open(self.output, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log_text(self, name):
        """The service's log/NAME/current, "" before there is one."""
        try:
            with open(os.path.join(self.log, name, "current"),
                      encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    # -- the supervisor ----------------------------------------------------

    def environment(self):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("SVTREE_") and k != "NOTIFY_SOCKET"}
        env["SVTREE_PATH"] = BIN + ":" + SYSTEM_PATH
        env.update(self.extra_env)
        return env

    def command(self):
        return [program("svtree"), "--run", self.run, "--state", self.state,
                "--log", self.log, *self.args, self.services]

    def spawn(self):
        """Starts a supervisor and does not wait for it to answer."""
        with open(self.output, "ab") as out:
            return subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, env=self.environment(), cwd=self.dir,
                start_new_session=True)

    def start(self, timeout=TIMEOUT):
        """Starts the supervisor and waits until it answers; its pid."""
        self.process = self.spawn()
        eventually(self._answers, timeout, "an answer of svtree")
        return self.process.pid

    def _answers(self):
        # The one thing that cannot be subscribed to: nobody is there yet.
        code = self.process.poll()
        if code is not None:
            raise RuntimeError(f"svtree ended with {code}: {self.said()}")
        try:
            pid = self.call("Status")["supervisor"]["pid"]
        except (OSError, ConnectionError):
            return False
        return pid == self.process.pid

    def kill_supervisor(self, signo=signal.SIGKILL, timeout=TIMEOUT):
        """Kills the supervisor alone; its wait status as Popen gives it."""
        self.process.send_signal(signo)
        return self.process.wait(timeout)

    def stop(self, timeout=30):
        """Ordered shutdown by SIGTERM; the exit code."""
        return self.kill_supervisor(signal.SIGTERM, timeout)

    def close(self):
        """Clears all away, whatever state it is in."""
        if self not in _open_trees:
            return
        _open_trees.remove(self)
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        end = time.monotonic() + TIMEOUT
        while (left := self.processes()) and time.monotonic() < end:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            select.select([], [], [], 0.002)
        _obituaries.append(self.said())
        if os.environ.get("SVTREE_KEEP"):
            print(f"# kept {self.dir}", flush=True)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def processes(self):
        """Pids of all that this tree started, found by its marks."""
        return sorted(_marked(self.run, self.dir) - {os.getpid()})

    # -- asking ------------------------------------------------------------

    def svctl(self, *args, check=False, timeout=30):
        return subprocess.run(
            [program("svctl"), "--run", self.run, *map(str, args)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env=self.environment(), check=check, timeout=timeout)

    def status(self):
        done = self.svctl("--json", "status")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise AssertionError(
                f"svctl --json status: exit {done.returncode}, "
                f"{done.stdout!r} {done.stderr!r}") from None

    def call(self, method, params=None, timeout=TIMEOUT):
        with Varlink(self.socket, timeout) as link:
            return link.call(method, params, timeout)

    def service(self, name):
        """One service of the status, as the supervisor gives it."""
        return self.call("Status", {"names": [name]})["services"][0]

    def subscribe(self, timeout=TIMEOUT):
        return Events(self.socket, timeout)

    def wait(self, name, wanted, timeout=TIMEOUT):
        """Waits for a state, one of several, or wanted(service) to hold.

        Returns the service. A state that was only passed through counts:
        the event that told of it is laid over the status.
        """
        states = ()
        if not callable(wanted):
            states = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        end = time.monotonic() + timeout
        with self.subscribe(timeout) as events:
            sv, event = self.service(name), {}
            while True:
                if states and sv["state"] in states:
                    return sv
                if states and event.get("state") in states:
                    return {**sv, **{k: event[k] for k in
                                     ("state", "pid", "reason")
                                     if k in event}}
                if not states and wanted(sv):
                    return sv
                try:
                    event = events.until(
                        lambda e: e.get("service") in (name, None),
                        max(0, end - time.monotonic()))
                except TimeoutError as e:
                    raise TimeoutError(
                        f"{name}: not {wanted} within {timeout} s, but "
                        f"{self.service(name)}; {e}") from None
                sv = self.service(name)


def alive(pid):
    """There, and not only waiting to be reaped."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _marked(run, directory):
    """Processes with SVTREE_RUN=run in their environment, or a run directory
    within (of a nested tree), or the tree's directory in their command line
    (the logger, for one)."""
    mark = b"SVTREE_RUN=" + run.encode()
    inside = directory.encode() + b"/"
    found = set()
    if not os.path.isdir("/proc/self"):
        ps = subprocess.run(["ps", "-axwwE", "-o", "pid=,command="],
                            capture_output=True, check=False).stdout
        for line in ps.splitlines():
            if mark in line or inside in line:
                found.add(int(line.split()[0]))
        return found
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                env = f.read().split(b"\0")
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                command = f.read()
        except OSError:
            continue
        if inside in command or any(
                e == mark or e.startswith(mark + b"/") for e in env):
            found.add(int(pid))
    return found


class Case(unittest.TestCase):
    """A test whose trees are cleared away by themselves."""

    def tree(self, services=None, **more):
        tree = Tree(services, **more)
        self.addCleanup(tree.close)
        return tree


# -- TAP -------------------------------------------------------------------

def _title(test):
    text = test.shortDescription() or test.id().split(".")[-1].replace(
        "test_", "", 1).replace("_", " ")
    return text.replace("#", "")


def _say(text):
    for line in text.rstrip("\n").splitlines():
        print("# " + line)
    sys.stdout.flush()


class TapResult(unittest.TestResult):
    """One line per test, diagnostics before it, in TAP version 12."""

    def __init__(self, tests):
        super().__init__()
        self.waiting = {t.id(): t for t in tests}
        self.number = 0
        self.bad = 0
        self.faults, self.note, self.outside = [], "", None

    def startTest(self, test):
        super().startTest(test)
        self.faults, self.note = [], ""
        _obituaries.clear()
        signal.alarm(TEST_TIMEOUT)

    def stopTest(self, test):
        signal.alarm(0)
        super().stopTest(test)
        for fault in self.faults:
            _say(fault)
        if self.faults:
            for text in _obituaries + [t.said() for t in _open_trees]:
                _say("svtree said:\n" + text[-4000:])
        self.line(test, not self.faults, self.note)

    def line(self, test, good, note):
        self.waiting.pop(test.id(), None)
        self.number += 1
        self.bad += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - "
              f"{_title(test)}{note}", flush=True)

    def fault(self, test, err):
        text = "".join(traceback.format_exception(*err))
        if test.id() in self.waiting:
            self.faults.append(text)
        else:       # setUpModule, setUpClass and their like
            _say(text)
            self.outside = (False, "")

    def addError(self, test, err):
        self.fault(test, err)

    def addFailure(self, test, err):
        self.fault(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.faults.append(f"{subtest}\n"
                               + "".join(traceback.format_exception(*err)))

    def addSkip(self, test, reason):
        if test.id() in self.waiting:
            self.note = f" # SKIP {reason}"
        else:
            self.outside = (True, f" # SKIP {reason}")

    def addExpectedFailure(self, test, err):
        self.faults.append("an expected failure is none here: say SKIP")

    def addUnexpectedSuccess(self, test):
        self.faults.append("unexpected success")

    def finish(self):
        """The tests that a failed or skipping set-up kept from running."""
        good, note = self.outside or (False, "")
        for test in list(self.waiting.values()):
            self.line(test, good, note)
        return self.bad


def _flat(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from _flat(part)
        else:
            yield part


def _too_late(*_):
    raise TimeoutError(f"the test took more than {TEST_TIMEOUT} s")


def main():
    """Runs the tests of __main__ (those whose names hold a word of the
    command line, when there is one) and prints TAP."""
    words = sys.argv[1:]
    loaded = unittest.defaultTestLoader.loadTestsFromModule(
        sys.modules["__main__"])
    tests = [t for t in _flat(loaded)
             if not words or any(w in t.id() for w in words)]
    signal.signal(signal.SIGALRM, _too_late)
    print(f"1..{len(tests)}", flush=True)
    result = TapResult(tests)
    try:
        unittest.TestSuite(tests).run(result)
        bad = result.finish()
    finally:
        signal.alarm(0)
        for tree in list(_open_trees):
            tree.close()
    sys.exit(1 if bad else 0)
