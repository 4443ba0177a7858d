# SPDX-License-Identifier: ISC
"""A system at work: its services as they announce themselves, its processes
as /proc shows them, how long something takes. Knows no single system."""

import fcntl
import glob
import os
import select
import signal
import socket
import subprocess
import threading
import time

import systems

F_SETPIPE_SZ = 1031
TIMEOUT = 120


class TooLate(Exception):
    """Something did not happen; the measure says so instead of a figure."""


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def process_table():
    """{pid: (parent, command, state)} of all processes."""
    table = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = read(f"/proc/{entry}/stat").decode("latin-1")
        except OSError:
            continue
        name, rest = text.split("(", 1)[1].rsplit(")", 1)
        fields = rest.split()
        table[int(entry)] = (int(fields[1]), name, fields[0])
    return table


class Running:
    """A started system. Services are known by the pid that they told."""

    def __init__(self, system, names, logs=False):
        self.system = system(names, logs)
        self.names = names
        self.pids = {}          # name: pid of the latest instance
        self.seen = []          # (name, pid, ns), in order of arrival
        self.rest = b""
        self.fifo = os.open(self.system.path(".fifo"),
                            os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self.fifo, F_SETPIPE_SZ, 1 << 20)
        self.began = 0
        self.roots = []
        self.ever = {}          # pid: command, of what processes() has seen

    def start(self):
        self.began = now_ns()
        self.roots.append(self.system.start())

    def poll(self, deadline):
        """Takes in what services say; False when the deadline came first."""
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.fifo], [], [], left)[0]:
            return False
        self.rest += os.read(self.fifo, 1 << 20)
        *lines, self.rest = self.rest.split(b"\n")
        for line in lines:
            name, pid, ns = line.decode().split()
            self.pids[name] = int(pid)
            self.seen.append((name, int(pid), int(ns)))
        return True

    def until_all(self, timeout=TIMEOUT):
        """Waits for every service; ms from the start to the last of them."""
        end = time.monotonic() + timeout
        since = len(self.seen)
        waiting = set(self.names)
        while waiting:
            if not self.poll(end):
                raise TooLate(f"{len(waiting)} services did not start")
            for name, _, _ in self.seen[since:]:
                waiting.discard(name)
            since = len(self.seen)
        return (max(ns for _, _, ns in self.seen) - self.began) / 1e6

    def until_next(self, name, after, timeout=20):
        """The nanosecond at which name said that it is there, after that."""
        end = time.monotonic() + timeout
        at = 0
        while True:
            for who, _, ns in self.seen[at:]:
                if who == name and ns > after:
                    return ns
            at = len(self.seen)
            if not self.poll(end):
                raise TooLate(f"{name} was not started again")

    def processes(self):
        """The pids of the system without the services and without ours."""
        table = process_table()
        mine = set(self.roots)
        grown = True
        while grown:
            more = {p for p, (parent, _, _) in table.items()
                    if parent in mine and p not in mine}
            grown = bool(more)
            mine |= more
        found = {p: table[p][1] for p in mine
                 if p in table and table[p][1] != "run"}
        self.ever.update(found)
        return found

    def supervisors(self):
        wanted = self.system.supervisor
        return [p for p, name in self.processes().items()
                if not wanted or name in wanted]

    def alive(self):
        """How many instances of the services there are, by name."""
        count = dict.fromkeys(self.names, 0)
        top = self.system.dir + "/"
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                if read(f"/proc/{entry}/comm") != b"run\n":
                    continue
                cwd = os.readlink(f"/proc/{entry}/cwd")
            except OSError:
                continue
            if cwd.startswith(top):
                count[cwd[len(top):]] += 1
        return count

    def end(self):
        """Stops it by force, as quickly as that is clean."""
        for pid in self.supervisors():
            kill(pid, signal.SIGKILL)
        self.processes()
        table = process_table()
        for pid, name in self.ever.items():     # whatever their parent is now
            if pid in table and table[pid][1] == name:
                kill(pid, signal.SIGKILL)
        top = self.system.base + "/"
        for entry in os.listdir("/proc"):       # what has lost its parent
            try:
                if entry.isdigit() and os.readlink(
                        f"/proc/{entry}/cwd").startswith(top):
                    kill(int(entry), signal.SIGKILL)
            except OSError:
                continue
        if self.system.process is not None:
            self.system.process.wait()
        os.close(self.fifo)
        self.system.end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def kill(pid, signo):
    try:
        os.kill(pid, signo)
    except ProcessLookupError:
        pass


class Deaths:
    """Waits until processes are gone: by pidfd, so at the moment itself."""

    def __init__(self, pids):
        self.poll = select.epoll()
        self.fds = {}
        for pid in pids:
            try:
                fd = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            self.fds[fd] = pid
            self.poll.register(fd, select.EPOLLIN)

    def wait(self, timeout=TIMEOUT):
        """The nanosecond at which the last of them was gone."""
        end = time.monotonic() + timeout
        at = now_ns()
        while self.fds:
            ready = self.poll.poll(max(0, end - time.monotonic()), 4096)
            at = now_ns()
            if not ready and time.monotonic() > end:
                self.close()
                raise TooLate(f"{len(self.fds)} services did not stop")
            for fd, _ in ready:
                self.poll.unregister(fd)
                os.close(fd)
                del self.fds[fd]
        self.close()
        return at

    def close(self):
        for fd in self.fds:
            os.close(fd)
        self.poll.close()


def run(command, timeout=TIMEOUT):
    """Runs a command to its end; (ms that it took, exit code)."""
    path = command[0] if "/" in command[0] else systems.find(command[0])
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0)
            for fd in (0, 1, 2)]
    before = now_ns()
    pid = os.posix_spawn(path, command, systems.ENVIRONMENT,
                         file_actions=null)
    _, status = os.waitpid(pid, 0)
    took = (now_ns() - before) / 1e6
    if took > timeout * 1000:
        raise TooLate(command[0])
    return took, os.waitstatus_to_exitcode(status)


def run_until(command, deaths, timeout=10):
    """Runs a command that stops somebody: the nanoseconds at which it had
    ended and at which that one was gone, whichever came first."""
    path = command[0] if "/" in command[0] else systems.find(command[0])
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0)
            for fd in (0, 1, 2)]
    pid = os.posix_spawn(path, command, systems.ENVIRONMENT,
                         file_actions=null)
    said = Deaths([pid])
    gone = []
    thread = threading.Thread(target=lambda: gone.append(
        deaths.wait(timeout)))
    thread.start()
    at = said.wait(timeout)
    os.waitpid(pid, 0)
    thread.join()
    if not gone:
        raise TooLate(command[0])
    return at, gone[0]


def output(command):
    return subprocess.run(command, env=systems.ENVIRONMENT,
                          capture_output=True, check=False).stdout


def varlink(path, method, parameters="{}"):
    """Every reply to one call, as bytes; b"" when nobody listens yet."""
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
            s.sendall(b'{"method":"%s","parameters":%s,"more":true}\0' %
                      (method.encode(), parameters.encode()))
            reply = b""
            while not reply.endswith(b"\0") or \
                    reply[:-1].rpartition(b"\0")[2].endswith(
                        b',"continues":true}'):
                chunk = s.recv(1 << 20)
                if not chunk:
                    return b""
                reply += chunk
        except OSError:
            return b""
    return reply


def memory_kb(pids):
    """(PSS, private) of processes, in KB."""
    pss = private = 0
    for pid in pids:
        try:
            text = read(f"/proc/{pid}/smaps_rollup").decode()
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith("Pss:"):
                pss += int(line.split()[1])
            elif line.startswith("Private_"):
                private += int(line.split()[1])
    return pss, private


def libc_kb(pids):
    """What of their PSS are pages of libc and of its loader."""
    pss = 0
    for pid in pids:
        try:
            lines = read(f"/proc/{pid}/smaps").decode().splitlines()
        except OSError:
            continue
        mine = False
        for line in lines:
            word = line.split(None, 1)[0]
            if not word.endswith(":"):
                name = line.rsplit("/", 1)[-1] if "/" in line else ""
                mine = name.startswith(("libc.so", "libc-", "ld-linux",
                                        "ld-musl"))
            elif mine and word == "Pss:":
                pss += int(line.split()[1])
    return pss


def shrink():
    """Slabs with nothing in them go back, where we may ask for that."""
    for path in glob.glob("/sys/kernel/slab/*/shrink"):
        try:
            with open(path, "w") as f:
                f.write("1")
        except OSError:
            pass


def kernel_now_kb():
    wanted = ("SUnreclaim:", "KernelStack:", "PageTables:")
    return sum(int(line.split()[1])
               for line in read("/proc/meminfo").decode().splitlines()
               if line.split()[0] in wanted)


def kernel_kb():
    """What the kernel keeps beside pages of processes. It takes its time to
    give back what the dead had: looked at until it is no less than before."""
    shrink()
    now = kernel_now_kb()
    for _ in range(20):
        time.sleep(0.5)
        shrink()
        before, now = now, kernel_now_kb()
        if now > before - 200:
            break
    return min(before, now)


def wakeups(pids):
    total = 0
    for pid in pids:
        for line in read(f"/proc/{pid}/status").decode().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def cpu_ms(pids):
    total = 0
    for pid in pids:
        try:
            fields = read(f"/proc/{pid}/stat").decode("latin-1")
        except OSError:
            continue
        utime, stime = fields.rsplit(")", 1)[1].split()[11:13]
        total += (int(utime) + int(stime)) * 10
    return total
