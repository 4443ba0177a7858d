#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A long random life for a tree: verbs of a person and faults, drawn from a
seed, over services of every bad habit. The services testify (testify.c).

usage: soak.py [--seed N] [--minutes M] [--services K] [--ops N] [--kills N]
               [--keep FROM-TO,...] [--no-shrink]

--ops ends it after N operations, --kills N draws nothing but N SIGKILLs of
supervisor, logger and services. The same seed gives the same schedule. When
a promise is broken, the schedule is cut down and printed as a command with
--keep, the operations of it that are still needed.
"""

import argparse
import collections
import fcntl
import os
import random
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig                                              # noqa: E402

PATIENCE = 60           # seconds until a wish must have come true
EVERY = 40              # operations between two comparisons
KINDS = {               # options of testify, more of [service]
    "steady": ("-l 20 -b 2", ""),
    "crasher": ("-l 20 -c 400", ""),
    "ignorer": ("-i -l 50", "stop-timeout = 400ms\n"),
    "forker": ("-f -l 50", ""),
    "slow": ("-r 150 -l 50", "ready = notify\nstart-timeout = 4s\n"),
    "newline": ("-r 80 -F 3 -l 50", "ready = fd:3\n"),
    "closer": ("-z -l 50", ""),
    "writer": ("-l 5 -b 10", ""),
}
OPS = [("start", 12), ("stop", 10), ("restart", 10), ("kill", 20),
       ("term", 4), ("freeze", 3), ("logger", 5), ("supervisor", 8),
       ("both", 3), ("all", 2), ("orphan", 6), ("upgrade", 2), ("remove", 3),
       ("reload", 2), ("pause", 2), ("forget", 2), ("unlink", 1),
       ("garbage", 3), ("crowd", 1), ("disable", 2), ("enable", 3)]
KILLS = [("kill", 10), ("supervisor", 4), ("logger", 3), ("both", 2),
         ("orphan", 2), ("all", 1)]


class Violation(Exception):
    pass


def schedule(seed, services):
    """The operations, without end: (word, service, victims, ms)."""
    dice = random.Random(seed)
    names = sorted(services)

    def draw(table):
        words, weights = zip(*table)
        while True:
            yield (dice.choices(words, weights)[0], dice.choice(names),
                   dice.sample(names, min(3, len(names))),
                   dice.choice((0, 0, 1, 5, 20, 60)))
    return draw


class Life:
    """One tree, the operations done to it, and what must hold."""

    def __init__(self, k):
        self.tree = rig.Tree(start=False)
        kinds = list(KINDS)
        self.kinds = {f"{kinds[i % len(kinds)]}{i // len(kinds)}":
                      kinds[i % len(kinds)] for i in range(k)}
        for name in self.kinds:
            self.tree.add(name, self.conf(name))
        self.desired = dict.fromkeys(self.kinds, "up")
        self.gone = set()
        self.may_lose = set()   # pids killed with all readers of their FIFO
        self.did = collections.Counter()
        self.pings = []
        self.base_fds = self.logger_kills = 0
        self.rss = []
        self.history = []
        self.tree.start(PATIENCE)

    def conf(self, name):
        options, more = KINDS[self.kinds[name]]
        text = (f"[service]\nexec = {rig.program('testify')} -d "
                f"{self.tree.dir} -n {name} {options}\n"
                "restart-delay = 20ms\nrestart-max-delay = 300ms\n"
                "restart-limit = 1000/1s\n" + more)
        if "stop-timeout" not in more:
            text += "stop-timeout = 5s\n"
        other = name.replace("slow", "steady")
        if other != name and other in self.kinds:
            text += f"needs = {other}\n"
        return text + "[log]\nmax-size = 64M\nkeep = 1000\ntotal = 4G\n"

    # -- asking

    def call(self, method, **params):
        """The answer; None when the supervisor has nothing to say."""
        try:
            return self.tree.call(method, params, PATIENCE)
        except (rig.CallError, OSError, ConnectionError):
            return None

    def status(self):
        before = time.monotonic()
        got = self.call("Status")
        if got is None:
            raise Violation("no answer to Status")
        self.pings.append(time.monotonic() - before)
        return {s["name"]: s for s in got["services"]}

    def pid(self, name):
        got = self.call("Status", names=[name])
        return (got["services"][0]["pid"] or 0) if got else 0

    # -- operations

    def verb(self, method, name, wish):
        if name in self.gone:
            return
        answer = self.call(method, name=name)
        if answer is None:
            raise Violation(f"{method} {name}: no answer")
        if wish:
            self.desired[name] = wish

    def signal(self, name, signo):
        pid = self.pid(name) if name not in self.gone else 0
        if pid > 1:
            try:
                os.kill(pid, signo)
            except ProcessLookupError:
                pass

    def do_start(self, name, _victims, _ms):
        self.verb("Start", name, "up")

    def do_stop(self, name, _victims, _ms):
        self.verb("Stop", name, "down")

    def do_restart(self, name, _victims, _ms):
        self.verb("Restart", name, "up")

    def do_disable(self, name, _victims, _ms):
        self.verb("Disable", name, "down")

    def do_enable(self, name, _victims, _ms):
        self.verb("Enable", name, "up")

    def do_kill(self, name, _victims, _ms):
        self.signal(name, signal.SIGKILL)

    def do_term(self, name, _victims, _ms):
        self.signal(name, signal.SIGTERM)

    def do_freeze(self, name, _victims, _ms):
        """A stopped process does not see a polite signal."""
        self.signal(name, signal.SIGSTOP)
        self.verb("Restart", name, "up")

    def do_logger(self, _name, _victims, _ms):
        self.logger_kills += 1
        self.signal("svlog", signal.SIGKILL)

    def again(self, between=None):
        logger = self.pids(["svlog"])
        self.tree.kill_supervisor(timeout=PATIENCE)
        before = self.instances()
        if between is not None:
            between()
        held = self.fifos_of(logger)
        self.tree.start(PATIENCE)
        # What lies in the FIFO of one that died while there was neither
        # supervisor nor logger is lost: the tails of its last instances.
        for name, pids in before.items():
            if not rig.alive(pids[-1]) and os.path.join(
                    self.tree.run, name, "log") not in held:
                self.may_lose.update(pids[-25:])

    def do_supervisor(self, _name, _victims, ms):
        self.again(lambda: time.sleep(ms / 1000))

    def pids(self, names):
        got = self.call("Status") or {"services": []}
        return [s["pid"] for s in got["services"]
                if s["name"] in names and s["pid"]]

    def killer(self, pids):
        def between():
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            for pid in pids:
                rig.eventually(lambda p=pid: not rig.alive(p), PATIENCE,
                               "the death of what was killed")
        return between

    def instances(self):
        found = collections.defaultdict(list)
        for line in self.journal():
            if line[0] == "START":
                found[line[1]].append(int(line[2]))
        return found

    def fifos_of(self, pids):
        held = set()
        for pid in filter(rig.alive, pids):
            try:
                where = f"/proc/{pid}/fd"
                held |= {os.readlink(f"{where}/{n}") for n in
                         os.listdir(where)}
            except FileNotFoundError:
                pass
        return held

    def do_both(self, _name, _victims, _ms):
        self.logger_kills += 1
        self.again(self.killer(self.pids(["svlog"])))

    def do_all(self, name, _victims, _ms):
        """Nobody is left who has its FIFO open: what lies in it is lost."""
        self.logger_kills += 1
        self.again(self.killer(self.pids(["svlog", name])))

    def logger_reads(self, names):
        fifos = {os.path.join(self.tree.run, n, "log") for n in names}
        for pid in self.pids(["svlog"]):
            try:
                fds = os.listdir(f"/proc/{pid}/fd")
                fifos -= {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in fds}
            except FileNotFoundError:
                pass
        return not fifos

    def do_orphan(self, _name, victims, _ms):
        victims = [v for v in victims if v not in self.gone]
        rig.eventually(lambda: self.logger_reads(victims), PATIENCE,
                       "the logger at its FIFOs")
        self.again(self.killer(self.pids(victims)))

    def do_upgrade(self, _name, _victims, _ms):
        with rig.Varlink(self.tree.socket, PATIENCE) as v:
            try:
                v.call("Upgrade", {}, PATIENCE)
            except rig.CallError:
                return
            while v.receive(PATIENCE) is not None:
                pass        # the exec closes it
        rig.eventually(lambda: self.call("Status"), PATIENCE,
                       "an answer after an upgrade")

    def do_remove(self, name, _victims, _ms):
        if name in self.gone:
            self.tree.add(name, self.conf(name))
            self.gone.discard(name)
        elif not any(name.replace("steady", "slow") == other
                     for other in self.kinds if other != name):
            self.tree.remove(name)
            self.gone.add(name)
        self.reload()

    def reload(self):
        if self.call("Reload") is None:
            raise Violation("reload: no answer")
        self.ask_wishes()

    def do_reload(self, _name, _victims, _ms):
        self.reload()

    def ask_wishes(self):
        """After what may take wishes with it, its word is taken."""
        sv = self.status()
        for name in self.kinds:
            if name in sv and name not in self.gone:
                self.desired[name] = sv[name]["want"]

    def do_pause(self, _name, _victims, ms):
        pid = self.tree.process.pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(ms / 1000)
        os.kill(pid, signal.SIGCONT)

    def do_forget(self, name, _victims, _ms):
        """A record is lost. One that closes its lock needs its record."""
        if self.kinds[name] == "closer" or name in self.gone:
            return

        def between():
            with open(os.path.join(self.tree.run, "table"), "r+b") as f:
                data = f.read()
                for at in range(4096, len(data), 1024):
                    if name.encode() + b"\0" in data[at:at + 1024]:
                        f.seek(at)
                        f.write(bytes(1024))
        self.again(between)
        self.ask_wishes()

    def do_unlink(self, _name, _victims, _ms):
        os.unlink(self.tree.socket)
        rig.eventually(lambda: self.call("Status"), PATIENCE,
                       "the control socket made anew")

    def do_garbage(self, _name, victims, ms):
        with rig.Varlink(self.tree.socket, PATIENCE) as v:
            v.send_raw(bytes([ms]) * 100 + b"{\0" + victims[0].encode())

    def do_crowd(self, _name, _victims, _ms):
        crowd = []
        for _ in range(80):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(PATIENCE)
            s.connect(self.tree.socket)
            s.send(b"{")
            crowd.append(s)
        self.status()
        for s in crowd:
            s.close()

    def do(self, op):
        word, name, victims, ms = op
        self.did[word] += 1
        self.history.append(f"{time.strftime('%T')}.{time.time() % 1:.3f}"
                            f" {word} {name} "
                            f"{','.join(victims)}")
        if word in ("restart", "start", "stop", "disable", "enable",
                    "freeze") and name in self.gone:
            return
        getattr(self, "do_" + word)(name, victims, ms)

    # -- what must hold

    def journal(self):
        try:
            with open(self.tree.path("journal"), encoding="ascii") as f:
                return [x.split() for x in f.read().splitlines()]
        except FileNotFoundError:
            return []

    def holds_alone(self, name):
        try:
            with open(self.tree.path(name + ".alone"), "r+b") as f:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            pass
        return False

    def not_yet(self):
        """What is not as wanted, "" when all is."""
        sv = self.status()
        for name, kind in self.kinds.items():
            if name in self.gone:
                if name in sv or self.holds_alone(name):
                    return f"{name} is removed and still there"
                continue
            if name not in sv:
                return f"{name} is not there"
            s, wish = sv[name], self.desired[name]
            if s["want"] != wish:
                return f"{name}: asked for {wish}, wanted {s['want']}"
            if wish == "down":
                if s["state"] != "DOWN" or self.holds_alone(name):
                    return f"{name}: {s['state']}, wanted down"
            elif kind == "crasher":
                if s["state"] in ("DOWN", "TRIPPED", "UNKNOWN"):
                    return f"{name}: {s['state']}, wanted up"
            elif s["state"] == "WAITING":
                if self.desired.get(name.replace("slow", "steady")) == "up":
                    return f"{name} waits for what is wanted up"
            elif s["state"] != "UP" or not self.holds_alone(name):
                return f"{name}: {s['state']}, wanted up ({s['reason']})"
        return ""

    def compare(self):
        end = time.monotonic() + PATIENCE
        while why := self.not_yet():
            if time.monotonic() > end:
                raise Violation("I2: " + why)
            time.sleep(0.02)
        journal = self.journal()
        for line in journal:
            if line[0] == "DUP":
                raise Violation("I1: started twice: " + " ".join(line))
        self.watch_growth()

    def watch_growth(self):
        pid = self.tree.process.pid
        fds = len(os.listdir(f"/proc/{pid}/fd"))
        self.base_fds = self.base_fds or fds + 2 * len(self.kinds)
        if fds > self.base_fds:
            raise Violation(f"I4: {fds} descriptors")
        zombies = []
        end = time.monotonic() + 10
        while time.monotonic() < end:
            zombies = [p for p in children(pid) if not rig.alive(p)]
            if not zombies:
                break
            time.sleep(0.01)
        if zombies:
            raise Violation(f"I4: zombies {zombies}")
        with open(f"/proc/{pid}/statm", encoding="ascii") as f:
            self.rss.append(int(f.read().split()[1]) * 4)
        if self.rss[-1] > 20000:
            raise Violation(f"I4: {self.rss[-1]} KiB resident")
        if self.pings[-1] > 20:
            raise Violation(f"I5: Status took {self.pings[-1]:.1f} s")

    def finish(self):
        """Ends it in order, and counts the lines. (lines, repeated)"""
        self.compare()
        if self.tree.stop(PATIENCE) != 0:
            raise Violation("the shutdown failed: " + self.tree.said()[-500:])
        left = self.tree.processes()
        if left:
            raise Violation(f"left after the shutdown: {left}")
        lines = repeated = 0
        for name in self.kinds:
            n, r = self.count_lines(name)
            lines += n
            repeated += r
        if repeated and not self.logger_kills:
            raise Violation(f"I3: {repeated} lines are there twice")
        return lines, repeated

    def where_else(self, where, files, pid, missed):
        """The lines about the gap as they stand, with those of nobody (what
        svlog says of lines it dropped), and the first of that instance."""
        about = []
        for file in files:
            with open(os.path.join(where, file), "rb") as f:
                all_lines = f.readlines()
            at = next((i for i, line in enumerate(all_lines)
                       if line.endswith(missed)), None)
            if at is not None:
                about += all_lines[max(at - 3, 0):at + 2]
        found = [f"about it: {about!r}"]
        for file in files:
            with open(os.path.join(where, file), "rb") as f:
                found += [f"{file}:{i}:{line[-30:]!r}"
                          for i, line in enumerate(f)
                          if f"line {pid} ".encode() in line]
        return "; " + " ".join(found[:5] + ["..."] + found[-2:])

    def count_lines(self, name):
        last, repeated, total = collections.Counter(), 0, 0
        where = os.path.join(self.tree.log, name)
        files = sorted(os.listdir(where)) if os.path.isdir(where) else []
        for file in sorted(files, key=lambda f: (f == "current", f)):
            with open(os.path.join(where, file), "rb") as f:
                for line in f:
                    word = line.split()[-3:]
                    if len(word) < 3 or word[0] != b"line":
                        continue
                    pid, n = int(word[1]), int(word[2])
                    if n == last[pid] + 1:
                        last[pid] = n
                        total += 1
                    elif n <= last[pid]:
                        repeated += 1
                    else:
                        raise Violation(
                            f"I3: {name} {pid}: lines {last[pid] + 1} to "
                            f"{n - 1} are missing, found {line!r}"
                            + self.where_else(where, files, pid, line))
        for word in self.journal():
            if word[:2] != ["START", name]:
                continue
            with open(self.tree.path(f"{name}.{word[2]}.n"), "rb") as f:
                said = int.from_bytes(f.read(8), sys.byteorder)
            # Killed between the line and its count: one more is there.
            there = last[int(word[2])]
            if there in (said, said + 1) or (
                    there < said and int(word[2]) in self.may_lose):
                continue
            at = os.stat(self.tree.path(f"{name}.{word[2]}.n")).st_mtime
            raise Violation(f"I3: {name} {word[2]}: printed {said} "
                            f"lines, {there} are there; it began at "
                            + time.strftime("%T", time.localtime(at)))
        return total, repeated


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(x) for x in f.read().split()]
    except FileNotFoundError:
        return []


def run(seed, k, table, enough, keep=None):
    """Lives through the schedule; (what went wrong or None, facts)."""
    life = Life(k)
    n, wrong = 0, None
    try:
        life.compare()
        draw = schedule(seed, life.kinds)(table)
        while not enough(n):
            op = next(draw)
            n += 1
            if keep is None or any(a <= n - 1 <= b for a, b in keep):
                life.do(op)
                time.sleep(op[3] / 4000)
            if n % EVERY == 0:
                life.compare()
        lines, repeated = life.finish()
    except (Violation, TimeoutError, RuntimeError) as e:
        wrong, lines, repeated = f"{type(e).__name__} {e}", 0, 0
        print("# the last operations:\n# " + "\n# ".join(
            life.history[-40:]))
        print("# " + life.tree.said()[-3000:].replace("\n", "\n# "))
    finally:
        life.tree.close()
    pings = sorted(life.pings) or [0]
    return wrong, {
        "operations": n, "by kind": dict(life.did.most_common()),
        "lines": lines, "repeated": repeated,
        "logger kills": life.logger_kills,
        "resident KiB": (life.rss[:1] + life.rss[-1:]),
        "ping ms": [round(1000 * pings[int(len(pings) * q)], 1)
                    for q in (0.5, 0.99)] +
        [round(1000 * pings[-1], 1)]}, n


def shrink(seed, k, table, n):
    """Leaves out parts of the schedule while it still fails."""
    keep, step, tries = list(range(n)), max(1, n // 2), 0
    while step >= 1 and tries < 24:
        for at in range(0, len(keep), step):
            less = keep[:at] + keep[at + step:]
            tries += 1
            if not less or tries > 24:
                break
            wrong, _, _ = run(seed, k, table, lambda i: i >= n,
                              ranges(less))
            if wrong:
                keep = less
                break
        else:
            step //= 2
    return ranges(keep)


def ranges(numbers):
    out = []
    for i in numbers:
        if out and out[-1][1] == i - 1:
            out[-1] = (out[-1][0], i)
        else:
            out.append((i, i))
    return out


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("--seed", type=int,
                   default=int.from_bytes(os.urandom(4), "big"))
    p.add_argument("--minutes", type=float, default=1)
    p.add_argument("--services", type=int, default=20)
    p.add_argument("--ops", type=int)
    p.add_argument("--kills", type=int)
    p.add_argument("--keep")
    p.add_argument("--no-shrink", action="store_true")
    a = p.parse_args()
    table = KILLS if a.kills else OPS
    most = a.kills or a.ops
    end = time.monotonic() + a.minutes * 60

    def enough(n):
        return n >= most if most else time.monotonic() >= end
    keep = a.keep and [tuple(map(int, x.split("-")))
                       for x in a.keep.split(",")]
    print(f"# seed {a.seed}, {a.services} services", flush=True)
    wrong, facts, n = run(a.seed, a.services, table, enough, keep)
    for word, value in facts.items():
        print(f"# {word}: {value}")
    if not wrong:
        print(f"0 violations (seed {a.seed})")
        return 0
    print(f"VIOLATION {wrong}", flush=True)
    found = keep if a.keep or a.no_shrink else shrink(
        a.seed, a.services, table, n)
    print(f"tests/soak.py --seed {a.seed} --services {a.services} "
          f"--{'kills' if a.kills else 'ops'} {n}"
          + (" --keep " + ",".join(f"{x}-{y}" for x, y in found)
             if found else ""))
    return 1


if __name__ == "__main__":
    sys.exit(main())
