# SPDX-License-Identifier: ISC
"""The programs around the supervisor under load: 1000 probes in one
health-monitor, the recovery-listener under wrk while a service dies."""

import os
import re
import signal
import subprocess
import threading
import time

import systems
from measures import Samples, share
from repair import MONITOR, rig, standin
from watch import TooLate, cpu_ms, memory_kb

PROBED = 1000
SECONDS = 20
CONNECTIONS = 16


def only(values):
    """Samples of svtree alone."""
    s = Samples(())
    s.of["svtree"] = list(values)
    return s


def healthy(tree, n):
    return sum(sv["health"] == "ok" for sv in tree.status()["services"]) >= n


def health(_):
    """CPU in ms a second, PSS, CPU of the supervisor."""
    server = standin.Process("openai")
    conf = ("[service]\nexec = sleep 1000000\n[health]\ntype = http\n"
            f"url = {server.url}\nlive = /health\ninterval = 10s\n")
    tree = None
    try:
        tree = rig.Tree({**{f"s{i:04d}": conf for i in range(PROBED)},
                         "health-monitor": MONITOR})
        rig.eventually(lambda: healthy(tree, PROBED), 120,
                       f"{PROBED} healthy services")
        pids = [tree.service("health-monitor")["pid"],
                tree.process.pid]
        time.sleep(2)
        before = [cpu_ms([p]) for p in pids]
        time.sleep(SECONDS)
        used = [(cpu_ms([p]) - b) / SECONDS for p, b in zip(pids, before)]
        return (only(used[:1]), only(used[1:]),
                only([memory_kb(pids[:1])[0]]))
    finally:
        if tree is not None:
            tree.close()
        server.close()


share((("health-cpu", "1000 probes, each every 10 s, in one health-monitor: "
        "its CPU", "ms/s", ""),
       ("health-tree-cpu", "the same: CPU of the supervisor", "ms/s", ""),
       ("health-memory", "the same: memory of the monitor", "KB PSS", "")),
      health)


class Wrk:
    """wrk at work for some seconds."""

    def __init__(self, url, seconds):
        self.process = subprocess.Popen(
            ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", str(seconds),
             "--latency", url], stdout=subprocess.PIPE, text=True,
            env=systems.ENVIRONMENT, stdin=subprocess.DEVNULL)

    def figures(self):
        """Requests a second, the 99th percentile in ms, failed ones."""
        text = self.process.communicate(timeout=60)[0]
        rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
        late = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
        if not rate or not late:
            raise TooLate("wrk has said: " + text[-200:])
        unit = {"us": 0.001, "ms": 1, "s": 1000}[late.group(2)]
        failed = [int(n) for n in re.findall(
            r"(?:connect|read|write|timeout) (\d+)", text)]
        return float(rate.group(1)), float(late.group(1)) * unit, sum(failed)


def listener(settings):
    """Requests a second, their latency, those that failed, and the repair of
    a service that dies meanwhile."""
    if not systems.find("wrk"):
        missing = [Samples(()) for _ in range(4)]
        for s in missing:
            s.why["svtree"] = "not here: wrk"
        return missing
    server, port = standin.Server("openai"), rig.free_port()
    tree = rig.Tree({
        "llm": server.conf(service="restart-limit = 0"),
        "recovery-listener": "[service]\nready = notify\n"
                             f"exec = recovery-listener -p {port}\n"})
    repaired, figures = [], []
    try:
        tree.wait("recovery-listener", "UP", 60)
        server.wait(60)
        for _ in range(settings.rounds):
            wrk = Wrk(f"http://127.0.0.1:{port}/status", 2)
            taker = threading.Thread(target=lambda w=wrk: figures.append(
                w.figures()))
            taker.start()
            time.sleep(1)
            tree.svctl("start", "llm")      # clears what went before
            began = time.monotonic()
            os.kill(server.state()["pid"], signal.SIGKILL)
            rig.eventually(lambda: server.answers() == 200, 30, "an answer")
            repaired.append((time.monotonic() - began) * 1000)
            taker.join()
    finally:
        tree.close()
    return [only(column) for column in zip(*figures)] + [only(repaired)]


share((("listener-rate", "recovery-listener's /status under wrk, 16 "
        "connections, while a service dies: answers", "1/s", "2000/s"),
       ("listener-late", "the same: 99th percentile of the time to an answer",
        "ms", ""),
       ("listener-failed", "the same: connections that failed", "", "0"),
       ("listener-repair", "the same: SIGKILL of the service until it answers "
        "again", "ms", "")), listener)
