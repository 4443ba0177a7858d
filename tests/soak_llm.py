#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A long life of an LLM host: stand-ins for Ollama and MLX, containers on a
real dockerd where there is one, the listener under requests, clients at
work, and one fault after another, drawn from a seed.

usage: soak_llm.py [MINUTES] [SEED]

A fault that breaks something must be healed; one that only makes a server
busy or slow must be left alone. What was not hit must keep its process or
its container: each that does not is counted, and one is a failure, as is an
outage without a reason. Ends with the counts, and 0 when all was well.
"""

import collections
import http.client
import json
import os
import random
import re
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bb_containers                                    # noqa: E402
import bb_health                                        # noqa: E402
import bb_oom_watcher                                   # noqa: E402
import bb_recovery                                      # noqa: E402
import dockerd                                          # noqa: E402
import rig                                              # noqa: E402
import standin                                          # noqa: E402

PATIENCE = 120      # seconds until a fault must be healed
LENIENT = "restart-limit = 0\nrestart-max-delay = 2s\nstop-timeout = 2s\n"
SERVERS = ("ollama", "mlx")
BOXES = ("knowledge_nightly", "by_docker")
PROGRAMS = ("health-monitor", "recovery-listener", "oom-watcher", "svlog")
MODEL = "llama3.2:1b"
WELL = ("ok", "busy", "degraded")


class Violation(Exception):
    pass


class Life:
    """The tree, its surroundings, and what became of the faults."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.server = {"ollama": standin.Server(),
                       "mlx": standin.Server("mlx")}
        self.port = rig.free_port()
        self.engine = None
        try:
            self.engine = dockerd.Dockerd()
        except dockerd.Unavailable as why:
            print(f"# without containers: {why}", flush=True)
        self.boxes = BOXES if self.engine else ()
        self.took = collections.defaultdict(list)
        self.wrong, self.asked, self.operator = [], collections.Counter(), 0
        self.ending = threading.Event()
        self.tree = rig.Tree(start=False)
        self.lay_out()

    def lay_out(self):
        tree = self.tree
        self.proc = tree.path("proc")
        os.makedirs(os.path.join(self.proc, "pressure"))
        self.memory(50)
        health = bb_health.FAST.replace("150ms", "500ms").replace(
            "load-grace = 2s", "load-grace = 60s").replace(
            "start-grace = 3s", "start-grace = 10s")
        tree.add("ollama", self.server["ollama"].conf(
            LENIENT, health + "deep = 300ms\ndeep-timeout = 2s\n",
            guard=True))
        tree.add("mlx", self.server["mlx"].conf(LENIENT, health, guard=True))
        tree.add("health-monitor", bb_health.MONITOR + LENIENT)
        tree.add("recover", bb_recovery.recover())
        tree.add("recovery-listener", "[service]\nready = notify\n"
                 f"exec = recovery-listener -p {self.port} -c 1s\n"
                 "grants = Once\n" + LENIENT)
        tree.add("oom-watcher", "[service]\nready = notify\n"
                 f"exec = oom-watcher --interval 200ms --proc {self.proc}\n"
                 "grants = Report\n" + LENIENT)
        if self.engine is None:
            return
        compose, home = tree.path("compose.yml"), tree.path("home")
        os.mkdir(home)
        with open(compose, "w", encoding="ascii") as f:
            f.write(bb_containers.COMPOSE)
        tree.add("docker", bb_containers.DOCKER.format(
            socket=self.engine.socket))
        for name in BOXES:
            tree.add(name, bb_containers.KEEPER.format(
                name=name, needs="", container="", environment="",
                service="restart-limit = 0\nrestart-max-delay = 2s\n",
                compose=compose, home=home))

    def memory(self, free):
        bb_oom_watcher.Watched.memory(self, free)

    def close(self):
        self.ending.set()
        self.tree.close()
        if self.engine is not None:
            self.engine.close()

    # -- those who use it ---------------------------------------------------

    def client(self):
        """Asks for work twice a second, as a program would."""
        while not self.ending.wait(0.5):
            code, _ = self.server["ollama"].request(
                "/api/generate", {"model": MODEL}, timeout=5)
            self.asked[f"inference {code}"] += 1

    def orchestrator(self):
        """Posts what it thinks, right or wrong, as the real one does."""
        dice = random.Random(1)
        while not self.ending.wait(dice.uniform(0.2, 2)):
            link = http.client.HTTPConnection("127.0.0.1", self.port,
                                              timeout=10)
            try:
                link.request("POST", "/recover", json.dumps(
                    {"ollama": dice.random() < .5, "mlx": False}))
                self.asked[f"POST /recover {link.getresponse().status}"] += 1
            except (OSError, http.client.HTTPException):
                self.asked["POST /recover no answer"] += 1
            finally:
                link.close()

    # -- what is ------------------------------------------------------------

    def identities(self):
        """What must stay the same where nothing was hit."""
        found = {s["name"]: s["pid"] for s in
                 self.tree.call("Status")["services"] if s["name"] in SERVERS}
        for name in self.boxes:
            box = self.engine.inspect(name)
            found[name] = box and box["State"]["Status"] == "running" and (
                box["Id"], box["State"]["StartedAt"])
        return found

    def ill(self):
        """Who is not as it should be, with the reason."""
        try:
            services = self.tree.call("Status")["services"]
        except (OSError, ConnectionError) as e:
            return {"svtree": str(e)}
        found = {}
        for s in services:
            if s["name"] == "recover":
                continue
            good = s["state"] == "UP" and s["health"] != "failing"
            if s["name"] in (*SERVERS, "docker"):
                good = good and s["health"] in WELL
            if not good:
                found[s["name"]] = (f"{s['state']} {s['health']} "
                                    f"{s['health_text']} {s['text']}")
        return found

    def operate(self):
        """The monitor's three restarts in 30 min are spent: a person's."""
        for name in SERVERS:
            sv = self.tree.service(name)
            if sv["health"] == "failing" and "in vain" in (sv["text"] or ""):
                self.tree.svctl("restart", name)
                self.operator += 1

    def settle(self, what, hit=()):
        """Waits until all is well; those hit must be others than before."""
        end = time.monotonic() + PATIENCE
        while True:
            ill = self.ill()
            if not ill:
                now = self.identities()
                ill = {n: "does not run" for n in self.boxes if not now[n]}
                ill.update({n: "not replaced" for n in hit
                            if now[n] == self.before[n]})
                if not ill and all(self.server[n].answers() == 200
                                   for n in SERVERS):
                    return now
            if time.monotonic() > end:
                raise Violation(f"{what}: not healed in {PATIENCE} s: {ill}")
            if "svtree" not in ill:
                self.operate()
            self.ending.wait(0.05)

    # -- faults -------------------------------------------------------------

    def server_breaks(self):
        name = self.dice.choice(SERVERS)
        server = self.server[name]
        faults = ["hang", "error", "crash", "abort", "kill", "stubborn"]
        if name == "ollama":
            faults += ["wedge-for-good", "generate-fails"]
        fault = self.dice.choice(faults)
        pid = self.before[name]
        if fault == "kill":
            os.kill(pid, signal.SIGKILL)
        elif fault == "crash":
            server.fault("crash", code=self.dice.randrange(1, 99))
        elif fault == "abort":
            server.fault("crash", signal=int(signal.SIGABRT))
        elif fault == "stubborn":
            server.fault("runners", count=2, ignore_term=True)
            server.fault("ignore-term")
            server.fault("hang")
        elif fault == "generate-fails":
            server.request("/api/generate", {"model": MODEL})
            server.fault("generate-fails")
        elif fault == "wedge-for-good":
            server.fault("wedge")
        else:
            server.fault(fault)
        return f"{name}: {fault}", (name,)

    def server_is_busy(self):
        """Nothing of this is a reason for a restart."""
        name = self.dice.choice(SERVERS)
        server = self.server[name]
        fault, more = self.dice.choice([
            ("busy", {"status": 503}), ("busy", {"status": 429}),
            ("slow", {"ms": 200}), ("status", {"word": "degraded"}),
            ("status", {"word": "critical"}), ("cpu", {}), ("work", {})])
        if fault == "work":
            server.fault("runners", spin=True)
            server.fault("hang")
        else:
            server.fault(fault, **more)
        self.ending.wait(self.dice.uniform(1, 5))
        if server.fault("none")["pid"] != self.before[name]:
            raise Violation(f"{name}: {fault} {more}: restarted while busy")
        if fault == "work":     # its runners go the quick way
            for pid in server.state()["runners"]:
                os.kill(pid, signal.SIGKILL)
        return f"{name}: only {fault} {more or ''}".strip(), ()

    def program_dies(self):
        names = self.dice.sample(PROGRAMS, self.dice.randrange(1, 3))
        for name in names:
            pid = self.tree.service(name)["pid"]
            if pid:
                os.kill(pid, signal.SIGKILL)
        return "SIGKILL of " + ", ".join(sorted(names)), ()

    def supervisor_dies(self):
        self.tree.kill_supervisor()
        self.tree.start(60)
        return "SIGKILL of svtree", ()

    def all_die(self):
        self.tree.kill_supervisor()
        for name in SERVERS:
            os.kill(self.before[name], signal.SIGKILL)
        self.tree.start(60)
        return "SIGKILL of svtree and both servers", SERVERS

    def memory_is_short(self):
        self.memory(3)
        self.tree.wait("oom-watcher", lambda s: s["health"] == "degraded", 60)
        self.ending.wait(self.dice.uniform(0, 2))
        self.memory(50)
        self.tree.wait("oom-watcher", lambda s: s["health"] == "ok", 60)
        return "host memory critical", ()

    def box_breaks(self):
        name = self.dice.choice(BOXES)
        how = self.dice.choice(["stop", "kill", "rm -f", "oom", "exit"])
        if how == "oom" and name == "knowledge_nightly":
            self.engine.signal(name, signal.SIGUSR1)
        elif how in ("oom", "exit"):
            how = "exit"
            self.engine.signal(name, signal.SIGUSR2)
        else:
            self.engine.docker(*how.split(), name)
        return f"{name}: {how}", (name,)

    def engine_hangs(self):
        os.kill(self.engine.process.pid, signal.SIGSTOP)
        self.ending.wait(self.dice.uniform(1, 8))
        os.kill(self.engine.process.pid, signal.SIGCONT)
        return "dockerd hangs", ()

    def engine_stops(self):
        self.engine.stop()
        self.ending.wait(self.dice.uniform(0, 2))
        self.engine.start()
        return "dockerd stops and starts", BOXES

    def draw(self):
        faults = [(self.server_breaks, 10), (self.server_is_busy, 10),
                  (self.program_dies, 4), (self.supervisor_dies, 3),
                  (self.all_die, 1), (self.memory_is_short, 2)]
        if self.engine:
            faults += [(self.box_breaks, 6), (self.engine_hangs, 1),
                       (self.engine_stops, 1)]
        what, weights = zip(*faults)
        return self.dice.choices(what, weights)[0]

    # -- the run ------------------------------------------------------------

    def step(self):
        self.before = self.identities()
        begun = time.monotonic()
        what, hit = self.draw()()
        after = self.settle(what, hit)
        took = time.monotonic() - begun
        self.took[re.sub(r" \{.*", "", what)].append(took)
        print(f"# {what}: well again after {took:.2f} s", flush=True)
        for name, was in self.before.items():
            if name not in hit and after[name] != was:
                self.wrong.append(f"{what}: {name} was replaced")
                print("# VIOLATION: " + self.wrong[-1], flush=True)

    def live(self, seconds):
        self.tree.start(60)
        self.before = {}
        self.settle("the start")
        for work in (self.client, self.orchestrator):
            threading.Thread(target=work, daemon=True).start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()
        self.before = self.identities()
        self.settle("the end")

    def outages(self):
        """Every outage that is told, and those without a reason."""
        said = self.tree.svctl("--json", "incidents").stdout.splitlines()
        told = [(x["service"], i.get("reason")) for x in map(json.loads, said)
                for i in x["incidents"]]
        return told, [t for t in told if not t[1]]

    def report(self, seed, minutes):
        for what, times in sorted(self.took.items()):
            times.sort()
            print(f"# {len(times):4} x {what}: median "
                  f"{times[len(times) // 2]:.2f} s, longest "
                  f"{times[-1]:.2f} s")
        told, dumb = self.outages()
        kinds = collections.Counter(
            (name, re.sub(r"\d+", "N", reason or "no reason")[:90])
            for name, reason in told)
        for (name, reason), n in sorted(kinds.items()):
            print(f"# {n:4} x outage of {name}: {reason}")
        for name, n in sorted(self.asked.items()):
            print(f"# {n:4} x {name}")
        faults = sum(map(len, self.took.values()))
        good = not self.wrong and not dumb
        print(f"soak: seed {seed}, {minutes:g} min, {faults} faults, "
              f"{len(told)} outages told, {len(dumb)} without a reason, "
              f"{self.operator} handed to a person; restarts of what was "
              f"busy or healthy: {len(self.wrong)}; ends "
              f"{'healthy' if good else 'WRONG'}", flush=True)
        return good


def main():
    if len(sys.argv) > 3 or any(a.startswith("-") for a in sys.argv[1:]):
        sys.exit("usage: soak_llm.py [MINUTES] [SEED]")
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    seed = int(sys.argv[2]) if len(sys.argv) > 2 \
        else random.randrange(1 << 31)
    print(f"# seed {seed}, {minutes:g} min", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    life = Life(seed)
    try:
        life.live(minutes * 60)
        good = life.report(seed, minutes)
    except (Violation, TimeoutError) as why:
        print(f"soak: seed {seed}: {why}\n{life.tree.said()[-6000:]}",
              flush=True)
        good = False
    finally:
        life.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
