# SPDX-License-Identifier: ISC
"""What is measured. Each measure takes the systems and gives, for each of
them, a list of samples; rounds alternate between the systems, so that what
else the machine does meets all of them alike. A system that cannot do it has
no samples, with the reason."""

import os
import signal
import time

import systems
from systems import FLOORS, PEERS, Svtree
from watch import (Deaths, Running, TooLate, cpu_ms, kernel_kb, kill,
                   memory_kb, now_ns, output, run, varlink, wakeups)

MEASURES = {}


def measure(name, title, unit, target="", systems=()):
    def register(function):
        MEASURES[name] = {"name": name, "title": title, "unit": unit,
                          "target": target, "run": function,
                          "systems": systems}
        return function
    return register


class Samples:
    """Samples by system; a system that fails says why, and is left out."""

    def __init__(self, candidates):
        self.of = {}
        self.why = {}
        self.left = []
        for system in candidates:
            missing = system.missing()
            if missing:
                self.why[system.name] = "not here: " + " ".join(missing)
            else:
                self.left.append(system)
                self.of[system.name] = []

    def add(self, system, value):
        self.of[system.name].append(value)

    def drop(self, system, why):
        self.why[system.name] = str(why)
        if system in self.left:
            self.left.remove(system)

    def round(self, each):
        """One round: each(system) gives a sample, or None for no word."""
        for system in list(self.left):
            try:
                value = each(system)
            except TooLate as e:
                self.drop(system, e)
                continue
            if value is not None:
                self.add(system, value)


def names(n):
    return [f"s{i:05d}" for i in range(n)]


def everybody():
    return (*FLOORS, Svtree, *PEERS)


@measure("restart", "restart: kill -9 until the first instruction of the "
         "next, after a healthy run", "ms", "1.2 x floor-fork")
def restart(settings):
    s = Samples(everybody())
    running = {}
    try:
        for system in list(s.left):
            r = running[system] = Running(system, names(1))
            r.start()
            try:
                r.until_all()
            except TooLate as e:
                s.drop(system, e)
        healthy = time.monotonic()

        def each(system):
            r = running[system]
            settle = r.system.settle("s00000")
            if settle:
                run(settle)
            before = now_ns()
            kill(r.pids["s00000"], signal.SIGKILL)
            return (r.until_next("s00000", before) - before) / 1e6
        for _ in range(settings.rounds * 6):
            # runit, daemontools: a run of less than a second is no run
            time.sleep(max(0, healthy + 1.3 - time.monotonic()))
            healthy = time.monotonic()
            s.round(each)
    finally:
        for r in running.values():
            r.end()
    return s


@measure("crash-loop", "a service that ends at once: starts in 5 s", "starts")
def crash_loop(settings):
    s = Samples((Svtree, *PEERS))

    def each(system):
        with Running(system, names(1)) as r:
            with open(r.system.path("s00000", "crash"), "w"):
                pass
            r.start()
            end = time.monotonic() + 5
            while r.poll(end):
                pass
            return len(r.seen)
    s.round(each)
    return s


def start_stop(settings, n, which):
    candidates = [c for c in everybody() if c.most >= n]
    s = Samples(candidates)

    def each(system):
        with Running(system, names(n)) as r:
            r.start()
            began = r.until_all()
            if which == "start":
                return began
            time.sleep(0.3)
            deaths = Deaths(r.pids.values())
            before = now_ns()
            r.system.stop()
            return (deaths.wait() - before) / 1e6
    rounds = settings.rounds if n >= 1000 else settings.rounds * 2
    for _ in range(rounds):
        s.round(each)
    return s


for count, start_target, stop_target in ((1, "", ""), (10, "", ""),
                                         (100, "", ""), (1000, "2 x floor-fork",
                                                         "1.5 x floor"),
                                         (10000, "linear", "linear")):
    MEASURES[f"start-{count}"] = {
        "name": f"start-{count}", "unit": "ms", "target": start_target,
        "title": f"start of {count}: supervisor's own start until the last "
                 "is there",
        "run": lambda settings, n=count: start_stop(settings, n, "start")}
    MEASURES[f"stop-{count}"] = {
        "name": f"stop-{count}", "unit": "ms", "target": stop_target,
        "title": f"stop of {count}: until the last is gone",
        "run": lambda settings, n=count: start_stop(settings, n, "stop")}


def supervisor_memory(settings, n, which):
    candidates = [c for c in everybody() if c.most >= n]
    s = Samples(candidates if which == "kernel" else
                [c for c in candidates if c not in FLOORS])

    def each(system):
        before = kernel_kb()
        with Running(system, names(n)) as r:
            r.start()
            r.until_all()
            time.sleep(1)
            if which == "kernel":
                return kernel_kb() - before
            return memory_kb(r.supervisors())[which == "private"]
    for _ in range(max(2, settings.rounds // 2)):
        s.round(each)
    return s


@measure("memory-1", "memory of the supervisor, 1 service", "KB PSS", "300 KB")
def memory_1(settings):
    return supervisor_memory(settings, 1, "pss")


@measure("memory-1000", "memory of the supervisor, 1000 services", "KB PSS",
         "1500 KB")
def memory_1000(settings):
    return supervisor_memory(settings, 1000, "pss")


@measure("private-1000", "the same, private", "KB")
def private_1000(settings):
    return supervisor_memory(settings, 1000, "private")


@measure("kernel-1000", "kernel memory, 1000 services and their supervisor",
         "KB", "5 MB over the floor")
def kernel_1000(settings):
    return supervisor_memory(settings, 1000, "kernel")


@measure("memory-logs", "100 services with logs: supervisors and loggers",
         "KB PSS", "1000 KB")
def memory_logs(settings):
    s = Samples((Svtree, *PEERS))

    def each(system):
        with Running(system, names(100), logs=True) as r:
            r.start()
            r.until_all()
            time.sleep(2)
            return memory_kb(r.processes())[0]
    for _ in range(max(2, settings.rounds // 2)):
        s.round(each)
    return s


@measure("idle", "wake-ups while idle, 100 services", "a second", "0")
def idle(settings):
    s = Samples((Svtree, *PEERS))

    def each(system):
        with Running(system, names(100)) as r:
            r.start()
            r.until_all()
            time.sleep(6)       # past what follows a start
            pids = list(r.processes())
            before, began = wakeups(pids), time.monotonic()
            time.sleep(10)
            return (wakeups(pids) - before) / (time.monotonic() - began)
    s.round(each)
    return s


def control(settings, n, ask, rounds):
    """Keeps all systems running and asks them in turns."""
    s = Samples([c for c in (Svtree, *PEERS) if c.most >= n])
    running = {}
    try:
        for system in list(s.left):
            r = running[system] = Running(system, names(n))
            r.start()
            try:
                r.until_all()
            except TooLate as e:
                s.drop(system, e)
        time.sleep(2)
        for _ in range(rounds):
            s.round(lambda system: ask(running[system]))
    finally:
        for r in running.values():
            r.end()
    return s


@measure("spawn", "spawn of nothing (true): what any command costs", "ms")
def spawn(settings):
    s = Samples(())
    s.of["true"] = [run(["true"])[0] for _ in range(settings.rounds * 20)]
    return s


def asked(settings, method):
    s = Samples(())

    def ask(r):
        command = method(r)
        if command is None:
            return None
        took, code = run(command)
        if code != 0:
            raise TooLate(f"{command[0]} ended with {code}")
        return took
    s = control(settings, 1000, ask, settings.rounds * 4)
    s.of["true"] = [run(["true"])[0] for _ in range(settings.rounds * 4)]
    return s


@measure("status-one", "status of one, N = 1000", "ms",
         "1.5 x spawn of nothing")
def status_one(settings):
    return asked(settings, lambda r: r.system.status_one("s00500"))


@measure("status-all", "status of all, N = 1000", "ms", "4 ms")
def status_all(settings):
    def method(r):
        return r.system.status_all()
    return asked(settings, method)


@measure("stop-one", "stop of one until it is gone", "ms", "1.5 ms")
def stop_one(settings):
    return stop_asked(settings, True)


@measure("stop-said", "stop of one until the command says so", "ms", "2 ms")
def stop_said(settings):
    return stop_asked(settings, False)


def stop_asked(settings, gone):
    def ask(r):
        command = r.system.stop_one("s00003")
        if command is None:
            return None
        deaths = Deaths([r.pids["s00003"]])
        before = now_ns()
        took, _ = run(command)
        if gone:
            # run() waits for the command; who is gone before that is late by
            # no more than the command takes to end
            took = (deaths.wait(10) - before) / 1e6
        else:
            deaths.wait(10)
        after = now_ns()
        run(r.system.start_one("s00003"))
        r.until_next("s00003", after)
        time.sleep(1.1)
        return took
    return control(settings, 10, ask, settings.rounds * 2)


@measure("kill", "instances of each service after kill -9 of its supervisor "
         "and a new start", "", "1")
def kill_supervisor(settings):
    s = Samples((Svtree, *PEERS))

    def each(system):
        with Running(system, names(3)) as r:
            r.start()
            r.until_all()
            time.sleep(1.2)
            for pid in r.supervisors():
                kill(pid, signal.SIGKILL)
            r.system.process.wait()
            r.start()
            time.sleep(3)
            return max(r.alive().values())
    s.round(each)
    return s


@measure("reload", "reload of 1000 services, none changed", "ms")
def reload_unchanged(settings):
    return asked(settings, lambda r: r.system.reload())


def all_up(r):
    """Asks the supervisor itself (svctl would read the records of a dead one)
    until it says of every service that it is up."""
    end = time.monotonic() + 60
    path = r.system.run + "/control"
    while time.monotonic() < end:
        words = varlink(path, "org.svtree.Status")
        if words.count(b'"state":"UP"') >= len(r.names):
            return now_ns()
    raise TooLate("they are not all up")


@measure("adopt", "adoption of 1000: kill -9, start, until all are known as "
         "up", "ms")
def adopt(settings):
    s = Samples((Svtree,))

    def each(system):
        with Running(system, names(1000)) as r:
            r.start()
            r.until_all()
            all_up(r)
            pids = dict(r.pids)
            r.system.process.kill()
            r.system.process.wait()
            r.start()
            took = (all_up(r) - r.began) / 1e6
            if r.pids != pids or max(r.alive().values()) != 1:
                raise TooLate("a service was started a second time")
            return took
    for _ in range(settings.rounds):
        s.round(each)
    return s


@measure("upgrade", "upgrade in place with 1000 services: until all are "
         "known as up", "ms")
def upgrade(settings):
    s = Samples((Svtree,))

    def each(system):
        with Running(system, names(1000)) as r:
            r.start()
            r.until_all()
            all_up(r)
            pids = dict(r.pids)
            before = now_ns()
            _, code = run(r.system.upgrade())
            if code != 0:
                raise TooLate(f"svctl upgrade ended with {code}")
            took = (all_up(r) - before) / 1e6
            if r.pids != pids or max(r.alive().values()) != 1:
                raise TooLate("a service was started a second time")
            return took
    for _ in range(settings.rounds):
        s.round(each)
    return s


@measure("busy-cpu", "CPU of the supervisor for a start of 1000", "ms")
def start_cpu(settings):
    s = Samples((Svtree, *FLOORS))

    def each(system):
        with Running(system, names(1000)) as r:
            r.start()
            r.until_all()
            return cpu_ms([r.roots[0]])
    for _ in range(settings.rounds):
        s.round(each)
    return s


def sizes():
    """text + data of our programs, in KB; size(1) reads them."""
    found = {}
    for program in ("svtree", "svctl", "svlog"):
        words = output(["size", os.path.join(systems.BIN, program)]).split()
        if len(words) > 8:
            found[program] = (int(words[6]) + int(words[7])) / 1024
    return found


@measure("size", "binary, text + data", "KB",
         "svtree 100, svctl 100, svlog 60")
def binary(settings):
    s = Samples(())
    for program, kb in sizes().items():
        s.of[program] = [kb]
    return s
