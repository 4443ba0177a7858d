# SPDX-License-Identifier: ISC
"""What is measured. Each measure takes the systems and gives, for each of
them, a list of samples; rounds alternate between the systems, so that what
else the machine does meets all of them alike. A system that cannot do it has
no samples, with the reason. Measures that need the same preparation share one
run of it."""

import contextlib
import os
import signal
import time

import systems
from systems import (FLOORS, PEERS, FloorKept, FloorShared, Svtree,
                     SvtreeStatic)
from watch import (Deaths, Running, TooLate, cpu_ms, kernel_kb, kill,
                   libc_kb, memory_kb, now_ns, output, run, run_until,
                   varlink, wakeups)

MEASURES = {}
_shared = {}        # what one run has measured for several names


def register(name, title, unit, target, run, long=False):
    MEASURES[name] = {"name": name, "title": title, "unit": unit,
                      "target": target, "run": run, "long": long}


def measure(name, title, unit, target=""):
    def decorate(function):
        register(name, title, unit, target, function)
        return function
    return decorate


def share(names, function, long=False):
    """Registers measures, (name, title, unit, target) each, of which one run
    of function(settings) gives a list of Samples."""
    def run(settings, i):
        if function not in _shared:
            _shared[function] = function(settings)
        return _shared[function][i]
    for i, words in enumerate(names):
        register(*words, lambda settings, i=i: run(settings, i), long)


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


def rounds(each, count, *samples):
    """So many rounds, in which each system that is left gives each(system):
    one value for each of the samples, None where it has no word for it."""
    for _ in range(count):
        for system in list(samples[0].left):
            try:
                values = each(system)
            except TooLate as e:
                for s in samples:
                    s.drop(system, e)
                continue
            for s, value in zip(samples, values):
                if value is not None:
                    s.add(system, value)
    return samples


def repeated(candidates, count, each):
    """The same for a single measure."""
    return rounds(lambda system: (each(system),), count,
                  Samples(candidates))[0]


@contextlib.contextmanager
def kept(n, *samples):
    """All systems with n services each, up side by side."""
    running = {}
    try:
        for system in list(samples[0].left):
            r = running[system] = Running(system, names(n))
            r.start()
            try:
                r.until_all()
            except TooLate as e:
                for s in samples:
                    s.drop(system, e)
        yield running
    finally:
        for r in running.values():
            r.end()


def names(n):
    return [f"s{i:05d}" for i in range(n)]


def everybody(n=1):
    return [c for c in (*FLOORS, Svtree, *PEERS) if c.most >= n]


def supervisors(n=1):
    return [c for c in (Svtree, *PEERS) if c.most >= n]


@measure("restart", "restart: kill -9 until the first instruction of the "
         "next, after a healthy run", "ms", "1.2 x floor-fork")
def restart(settings):
    s = Samples(everybody())
    with kept(1, s) as running:
        healthy = time.monotonic()

        def each(system):
            r = running[system]
            settle = r.system.settle("s00000")
            if settle:
                run(settle)
            before = now_ns()
            kill(r.pids["s00000"], signal.SIGKILL)
            return ((r.until_next("s00000", before) - before) / 1e6,)
        for _ in range(settings.rounds * 3):
            # runit, daemontools: a run of less than a second is no run
            time.sleep(max(0, healthy + 1.3 - time.monotonic()))
            healthy = time.monotonic()
            rounds(each, 1, s)
    return s


@measure("crash-loop", "a service that ends at once: starts in 5 s", "starts")
def crash_loop(settings):
    def each(system):
        with Running(system, names(1)) as r:
            with open(r.system.path("s00000", "crash"), "w"):
                pass
            r.start()
            end = time.monotonic() + 5
            while r.poll(end):
                pass
            return len(r.seen)
    return repeated(supervisors(), 1, each)


def start_stop(settings, n):
    def each(system):
        with Running(system, names(n)) as r:
            r.start()
            began = r.until_all()
            time.sleep(0.3)
            deaths = Deaths(r.pids.values())
            before = now_ns()
            r.system.stop()
            return began, (deaths.wait() - before) / 1e6
    count = settings.rounds if n == 100 else min(settings.rounds, 3)
    return rounds(each, count if n <= 1000 else 1,
                  Samples(everybody(n)), Samples(everybody(n)))


def share_start_stop(n, start_target="", stop_target=""):
    share(((f"start-{n}", f"start of {n}: supervisor's own start until the "
            "last is there", "ms", start_target),
           (f"stop-{n}", f"stop of {n}: until the last is gone", "ms",
            stop_target)), lambda settings: start_stop(settings, n),
          n > 1000)


share_start_stop(1)
share_start_stop(10)
share_start_stop(100)
share_start_stop(1000, "2 x floor-fork", "1.5 x floor")
share_start_stop(10000, "linear", "linear")


def ours_alone(*more):
    """Who can be looked at for what is ours alone."""
    return (Svtree, SvtreeStatic, *more)


def memory(settings, n, kernel=False):
    """PSS, what of it is libc's, private; of the kernel."""
    counted = (*supervisors(n), SvtreeStatic)
    bare = (FloorShared,) if n == 1 else ()
    s = [Samples((*counted, *bare)), Samples(ours_alone(*bare)),
         Samples(counted)]
    if kernel:
        s.append(Samples((*supervisors(n), *FLOORS, FloorKept)))

    def each(system):
        before = kernel_kb() if kernel else 0
        with Running(system, names(n)) as r:
            r.start()
            r.until_all()
            time.sleep(1)
            pids = r.supervisors()
            pss, private = memory_kb(pids)
            grown = kernel_kb() - before if kernel else None
            return [value if system in one.left else None for value, one in
                    zip((pss, libc_kb(pids), private, grown), s)]
    everyone = Samples({c for one in s for c in one.left})
    for _ in range(max(2, settings.rounds // 2)):
        for system in everyone.left:
            try:
                for one, value in zip(s, each(system)):
                    if value is not None:
                        one.add(system, value)
            except TooLate as e:
                for one in s:
                    one.drop(system, e)
    return s


share((("memory-1", "memory of the supervisor, 1 service", "KB PSS",
        "300 KB"),
       ("memory-1-libc", "of that, libc and its loader", "KB PSS", ""),
       ("private-1", "the same, private", "KB", "")),
      lambda settings: memory(settings, 1))
share((("memory-1000", "memory of the supervisor, 1000 services", "KB PSS",
        "1500 KB"),
       ("memory-1000-libc", "of that, libc and its loader", "KB PSS", ""),
       ("private-1000", "the same, private", "KB", ""),
       ("kernel-1000", "kernel memory, 1000 services and their supervisor",
        "KB", "5 MB over the floor")),
      lambda settings: memory(settings, 1000, True))


def memory_logs(settings):
    """PSS of supervisors and loggers, what of it is libc's."""
    s = Samples((*supervisors(), SvtreeStatic)), Samples(ours_alone())

    def each(system):
        with Running(system, names(100), logs=True) as r:
            r.start()
            r.until_all()
            time.sleep(2)
            pids = r.processes()
            return (memory_kb(pids)[0],
                    libc_kb(pids) if system in ours_alone() else None)
    return rounds(each, max(2, settings.rounds // 2), *s)


share((("memory-logs", "100 services with logs: supervisors and loggers",
        "KB PSS", "1000 KB"),
       ("memory-logs-libc", "of that, libc and its loader", "KB PSS", "")),
      memory_logs)


@measure("idle", "wake-ups while idle, 100 services", "a second", "0")
def idle(settings):
    s = Samples(supervisors())
    with kept(100, s) as running:
        time.sleep(6)           # past what follows a start
        pids = {system: list(running[system].processes()) for system in s.left}
        before = {system: wakeups(pids[system]) for system in s.left}
        time.sleep(10)
        rounds(lambda system: ((wakeups(pids[system]) - before[system]) / 10,),
               1, s)
    return s


@measure("spawn", "spawn of nothing (true): what any command costs", "ms")
def spawn(settings):
    s = Samples(())
    s.of["true"] = [run(["true"])[0] for _ in range(settings.rounds * 20)]
    return s


class Spawns:
    """Spawns of nothing, taken between the rounds of what is read against
    them; they go with every one of its figures."""

    def __init__(self, *samples):
        self.taken = []
        for s in samples:
            s.of["true"] = self.taken

    def take(self):
        self.taken.append(ask(["true"]))


def ask(command):
    if command is None:
        return None
    took, code = run(command)
    if code != 0:
        raise TooLate(f"{command[0]} ended with {code}")
    return took


def control(settings):
    s = [Samples(supervisors(1000)) for _ in range(5)]
    spawns = Spawns(*s)
    with kept(1000, *s) as running:
        time.sleep(2)

        def each(system):
            here = running[system].system
            if system.slow and len(spawns.taken) > settings.rounds:
                return ()
            return (ask(here.status_one("s00500")), ask(here.nothing()),
                    ask(here.status_all()), ask(here.status_json()),
                    ask(here.reload()))
        for _ in range(settings.rounds * 3):
            spawns.take()
            rounds(each, 1, *s)
    return s


share((("status-one", "status of one, N = 1000", "ms",
        "1.5 x spawn of nothing"),
       ("status-nothing", "svctl that only tells its version", "ms", ""),
       ("status-all", "status of all, N = 1000", "ms",
        "7.7 x spawn of nothing"),
       ("status-json", "the same, passed on as JSON", "ms", ""),
       ("reload", "reload of 1000 services, none changed", "ms", "")),
      control)


def stop_one(settings):
    """Until it is gone, until the command says so."""
    s = Samples(supervisors()), Samples(supervisors())
    spawns = Spawns(*s)
    with kept(10, *s) as running:
        def each(system):
            r = running[system]
            command = r.system.stop_one("s00003")
            if command is None:
                return None, None
            deaths = Deaths([r.pids["s00003"]])
            before = now_ns()
            said, gone = run_until(command, deaths)
            after = now_ns()
            run(r.system.start_one("s00003"))
            r.until_next("s00003", after)
            return (gone - before) / 1e6, (said - before) / 1e6
        for _ in range(settings.rounds * 2):
            time.sleep(1.1)
            spawns.take()
            rounds(each, 1, *s)
    return s


share((("stop-one", "stop of one until it is gone", "ms",
        "2.9 x spawn of nothing"),
       ("stop-said", "stop of one until the command says so", "ms",
        "3.8 x spawn of nothing")),
      stop_one)


@measure("kill", "instances of each service after kill -9 of its supervisor "
         "and a new start", "", "1")
def kill_supervisor(settings):
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
    return repeated(supervisors(), 1, each)


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
    def each(system):
        with Running(system, names(1000)) as r:
            r.start()
            r.until_all()
            all_up(r)
            pids = dict(r.pids)
            r.processes()       # the logger, which will have lost its parent
            r.system.process.kill()
            r.system.process.wait()
            r.start()
            took = (all_up(r) - r.began) / 1e6
            if r.pids != pids or max(r.alive().values()) != 1:
                raise TooLate("a service was started a second time")
            return took
    return repeated((Svtree,), settings.rounds, each)


@measure("upgrade", "upgrade in place with 1000 services: until all are "
         "known as up", "ms")
def upgrade(settings):
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
    return repeated((Svtree,), settings.rounds, each)


@measure("busy-cpu", "CPU of the supervisor for a start of 1000", "ms")
def start_cpu(settings):
    def each(system):
        with Running(system, names(1000)) as r:
            r.start()
            r.until_all()
            return cpu_ms([r.roots[0]])
    return repeated((Svtree, *FLOORS), settings.rounds, each)


def sections(program):
    """Its sections and their bytes, as size(1) reads them."""
    found = {}
    for line in output(["size", "-A", os.path.join(
            systems.BIN, program)]).decode().splitlines():
        words = line.split()
        if len(words) == 3 and words[1].isdigit():
            found[words[0]] = int(words[1])
    return found


# What of a program is what: the rest is tables of linking it.
CODE = (".text", ".init", ".fini")
CONSTANTS = (".rodata", ".data.rel.ro", ".data", ".eh_frame",
             ".eh_frame_hdr")
NOT_LOADED = (".bss", ".comment", ".debug", ".symtab", ".strtab", ".shstrtab",
              ".gnu_debuglink")


def sizes(settings):
    """text + data, code, constants of our programs, in KB."""
    s = [Samples(()) for _ in range(3)]
    for program in ("svtree", "svctl", "svlog"):
        found = {name: n for name, n in sections(program).items()
                 if not name.startswith(NOT_LOADED)}
        if not found:
            continue
        for one, names_of in zip(s, (found, CODE, CONSTANTS)):
            one.of[program] = [sum(found.get(name, 0)
                                   for name in names_of) / 1024]
    return s


share((("size", "binary, text + data", "KB",
        "svtree 100, svctl 100, svlog 60"),
       ("size-code", "of that, code", "KB", ""),
       ("size-constants", "of that, constants: tables, messages, the "
        "interface's text", "KB", "")), sizes)
