# SPDX-License-Identifier: ISC
"""container-keeper and docker-keeper with a real dockerd: containers that are
stopped, removed, killed, out of memory, restarted by Docker, or left without
a daemon come back when they are wanted, and only then."""

import os
import signal
import subprocess
import time
import unittest

import dockerd
import rig

LATE = 60       # seconds: compose on a loaded machine

COMPOSE = """version: "2.4"
services:
  knowledge_nightly:
    image: box:1
    container_name: knowledge_nightly
    command: sleep
    network_mode: none
    mem_limit: 16m
    memswap_limit: 16m
  knowledge_os_orchestrator:
    image: box:1
    container_name: knowledge_os_orchestrator
    command: sleep
    network_mode: none
    depends_on: [knowledge_nightly]
  by_docker:
    image: box:1
    container_name: by_docker
    command: sleep
    network_mode: none
    restart: unless-stopped
  loops:
    image: box:1
    container_name: loops
    command: exit 4 10
    network_mode: none
    restart: always
  dies:
    image: box:1
    container_name: dies
    command: exit 5 10
    network_mode: none
  swells:
    image: box:1
    container_name: swells
    command: eat 1 1
    network_mode: none
    mem_limit: 16m
    memswap_limit: 16m
  counts:
    image: box:1
    container_name: counts
    command: count 200 10
    network_mode: none
  mutters:
    image: box:1
    container_name: mutters
    command: count 1 4000
    network_mode: none
  checked:
    image: box:1
    container_name: checked
    command: sleep
    network_mode: none
    healthcheck:
      test: [CMD, /box, check]
      interval: 1s
      retries: 1
  bystander:
    image: box:1
    container_name: bystander
    command: sleep
    network_mode: none
"""

DOCKER = """[service]
exec = docker-keeper
ready = notify
start-timeout = 0
grants = Report

[docker]
socket = {socket}
start-command = true
"""

RECOVER = """[service]
type = oneshot
exec = recover
restart = never
grants = Restart Report
"""

WATCHER = """[service]
exec = oom-watcher
ready = notify
grants = Report
"""

MONITOR = """[service]
exec = health-monitor
ready = notify
grants = Report Restart Signal
"""

KEEPER = """[service]
exec = container-keeper
ready = notify
start-timeout = 0
needs = docker {needs}
grants = Report Stop
{service}

[container]
name = {name}
compose = {compose}
project = test
stop-timeout = 5s
{container}

[environment]
HOME = {home}
{environment}
"""


def setUpModule():
    dockerd.start("bb_containers")


class Kept(rig.Case):
    COMPOSE = COMPOSE

    def setUp(self):
        self.engine = dockerd.daemon
        self.addCleanup(self.engine.clear)

    def start(self, *containers, more=None, start=True, **each):
        """A tree with docker and a keeper for each container."""
        tree = self.tree(start=False)
        self.compose = tree.path("compose.yml")
        self.home = tree.path("home")
        os.mkdir(self.home)
        with open(self.compose, "w", encoding="ascii") as f:
            f.write(self.COMPOSE)
        tree.add("docker", DOCKER.format(socket=self.engine.socket))
        for name in containers:
            tree.add(name, self.keeper(name, **each))
        for name, conf in (more or {}).items():
            tree.add(name, conf)
        if start:
            tree.start()
            for name in containers:
                tree.wait(name, "UP", LATE)
        return tree

    def keeper(self, name, needs="", service="", container="",
               environment="", compose=None):
        service = service or "restart-delay = 200ms"
        return KEEPER.format(name=name, needs=needs, service=service,
                             container=container, environment=environment,
                             compose=compose or self.compose, home=self.home)

    def back(self, tree, name, before):
        """Waits until another run of the container than before is up."""
        def is_back():
            now = self.engine.inspect(name)
            return (now and now["State"]["Status"] == "running" and
                    now["State"]["StartedAt"] != before["State"]["StartedAt"]
                    and now)
        now = rig.eventually(is_back, LATE, f"{name} is back")
        sv = tree.wait(name, lambda s: s["state"] == "UP" and
                       now["Id"][:12] in (s["text"] or ""), LATE)
        return now, sv

    def history(self, tree, name, *words):
        """Waits until the history of the service tells all the words."""
        def told():
            text = tree.svctl("history", name).stdout
            return all(w in text for w in words) and text
        return rig.eventually(told, LATE, f"history of {name}: {words}")


class FoundingIncident(Kept):
    def test_what_is_not_there_is_brought_up_and_nothing_else(self):
        tree = self.start("knowledge_nightly")
        box = self.engine.inspect("knowledge_nightly")
        self.assertEqual(box["State"]["Status"], "running")
        labels = box["Config"]["Labels"]
        self.assertEqual(labels["com.docker.compose.project"], "test")
        self.assertEqual(self.engine.docker("ps", "-aq").split(),
                         [box["Id"][:12]])
        sv = tree.service("knowledge_nightly")
        self.assertIn(box["Id"][:12], sv["text"])
        self.assertEqual(sv["restarts"], 0)

    def test_stopped_by_somebody_it_comes_back(self):
        tree = self.start("knowledge_nightly")
        before = self.engine.inspect("knowledge_nightly")
        self.engine.docker("stop", "knowledge_nightly")
        now, _ = self.back(tree, "knowledge_nightly", before)
        # It was started again, not made anew.
        self.assertEqual(now["Id"], before["Id"])
        self.history(tree, "knowledge_nightly", "was stopped by order")

    def test_removed_it_is_made_anew(self):
        tree = self.start("knowledge_nightly")
        before = self.engine.inspect("knowledge_nightly")
        self.engine.docker("rm", "-f", "knowledge_nightly")
        now, _ = self.back(tree, "knowledge_nightly", before)
        self.assertNotEqual(now["Id"], before["Id"])

    def test_out_of_memory_and_killed_by_hand_are_told_apart(self):
        tree = self.start("knowledge_nightly")
        before = self.engine.inspect("knowledge_nightly")
        self.engine.signal("knowledge_nightly", signal.SIGUSR1)
        before, sv = self.back(tree, "knowledge_nightly", before)
        self.assertEqual(sv["last_exit"]["code"], 137)
        self.assertTrue(sv["last_exit"]["oom"], sv)
        # The words of the keeper last until the next one runs; history's stay.
        text = self.history(tree, "knowledge_nightly", "killed by the "
                            "kernel for memory (limit 16 MiB)")
        self.assertNotIn("killed by order", text)

        self.engine.docker("kill", "knowledge_nightly")
        _, sv = self.back(tree, "knowledge_nightly", before)
        self.assertEqual(sv["last_exit"]["code"], 137)
        self.assertFalse(sv["last_exit"]["oom"], sv)
        self.history(tree, "knowledge_nightly",
                     "was killed by order (docker kill)")

    def test_out_of_memory_while_compose_brings_it_up(self):
        """the keeper of that very run says so, as there is no next one"""
        tree = self.start(start=False)
        tree.add("swells", self.keeper("swells", service="restart = never"))
        tree.start()
        sv = tree.wait("swells", "TRIPPED", LATE)
        self.assertEqual(sv["last_exit"]["code"], 137)
        self.assertTrue(sv["last_exit"]["oom"], sv)
        self.assertIn("killed by the kernel for memory", sv["reason"])
        with open(self.compose, "w", encoding="ascii") as f:
            f.write(self.COMPOSE.replace("eat 1 1", "exit 137 1"))
        self.engine.docker("rm", "-f", "swells")
        tree.call("Start", {"name": "swells"})
        sv = tree.wait("swells", lambda s: s["state"] == "TRIPPED" and
                       not s["last_exit"]["oom"], LATE)
        self.assertEqual(sv["last_exit"]["code"], 137)

    def test_keeper_and_watcher_tell_of_a_death_once(self):
        tree = self.start("knowledge_nightly", more={"watcher": WATCHER})
        tree.wait("watcher", "UP", LATE)
        rig.eventually(lambda: "follows the events" in
                       tree.log_text("watcher"), LATE, "the watcher's line")
        before = self.engine.inspect("knowledge_nightly")
        with tree.subscribe(LATE) as events:
            self.engine.signal("knowledge_nightly", signal.SIGUSR1)
            _, sv = self.back(tree, "knowledge_nightly", before)
            # The next keeper has said by now what it knows, and the watcher
            # has or will have: its window may be longer.
            tree.call("Report", {"name": "watcher", "incident": "the end"})
            events.until(lambda e: e["reason"] == "the end")
            is_told = [e for e in events.seen if e["event"] == "incident" and
                       "(limit 16 MiB): raise the limit" in e["reason"]]
            if not is_told:
                events.until(lambda e: e["event"] == "incident" and
                             "(limit 16 MiB): raise" in e["reason"])
        self.assertTrue(sv["last_exit"]["oom"], sv)
        told = [e for e in events.seen if e["event"] == "oom"]
        self.assertEqual(len(told), 1, events.seen)

    def test_killed_from_nowhere_is_neither(self):
        tree = self.start("knowledge_nightly")
        before = self.engine.inspect("knowledge_nightly")
        self.engine.signal("knowledge_nightly", signal.SIGKILL)
        _, sv = self.back(tree, "knowledge_nightly", before)
        self.assertFalse(sv["last_exit"]["oom"], sv)
        self.history(tree, "knowledge_nightly", "got SIGKILL")

    def test_docker_s_own_restart_is_waited_for(self):
        tree = self.start("by_docker")
        pid = tree.service("by_docker")["pid"]
        before = self.engine.inspect("by_docker")
        self.engine.signal("by_docker", signal.SIGUSR2)
        self.history(tree, "by_docker", "restarted by Docker's own policy "
                     "(1): exited with 3")
        now, sv = self.back(tree, "by_docker", before)
        self.assertEqual(now["RestartCount"], 1)
        self.assertEqual((sv["pid"], sv["restarts"]), (pid, 0))

    def test_the_daemon_stops_and_starts(self):
        self.addCleanup(lambda: self.engine.process or self.engine.start())
        tree = self.start("knowledge_nightly", "by_docker")
        pids = {n: tree.service(n)["pid"]
                for n in ("docker", "knowledge_nightly", "by_docker")}
        self.engine.stop()
        for name in pids:
            tree.wait(name, lambda s: s["health"] == "failing", LATE)
        sv = tree.service("knowledge_nightly")
        self.assertIn("waits for the container engine", sv["text"])
        # What is on the host starts as if nothing were.
        tree.add("host", "[service]\nexec = sleep 1000\n")
        tree.call("Reload")
        tree.wait("host", "UP")
        # A keeper that starts now waits, and is no failure.
        os.kill(pids["by_docker"], signal.SIGKILL)
        tree.wait("by_docker", lambda s: s["pid"] not in
                  (None, pids["by_docker"]) and s["health"] == "failing",
                  LATE)
        self.engine.start()
        tree.wait("docker", lambda s: s["health"] == "ok", LATE)
        for name in ("knowledge_nightly", "by_docker"):
            self.engine.wait_state(name, "running")
            tree.wait(name, lambda s: s["state"] == "UP" and
                      s["health"] != "failing", LATE)
        self.assertEqual(tree.service("knowledge_nightly")["pid"],
                         pids["knowledge_nightly"])

    def test_with_the_daemon_down_the_host_starts_at_once(self):
        self.addCleanup(lambda: self.engine.process or self.engine.start())
        self.engine.stop()
        tree = self.start(start=False, more={
            "host": "[service]\nexec = sleep 1000\n"})
        tree.add("knowledge_nightly", self.keeper("knowledge_nightly"))
        tree.start()
        tree.wait("host", "UP")
        self.assertEqual(tree.service("docker")["state"], "STARTING")
        self.assertEqual(tree.service("knowledge_nightly")["state"],
                         "WAITING")
        self.engine.start()
        tree.wait("knowledge_nightly", "UP", LATE)

    def test_not_started_while_ollama_is_not_healthy(self):
        tree = self.start(start=False, more={
            "ollama": "[service]\nexec = sleep 1000\n"})
        tree.add("knowledge_os_orchestrator", self.keeper(
            "knowledge_os_orchestrator", needs="ollama:healthy"))
        tree.start()
        tree.wait("ollama", "UP")
        tree.wait("docker", "UP", LATE)
        for health in ("failing", "degraded"):
            tree.call("Report", {"name": "ollama", "health": health,
                                 "reason": "no models"})
            sv = tree.service("knowledge_os_orchestrator")
            self.assertEqual(sv["state"], "WAITING")
            self.assertIn("ollama to be healthy", sv["reason"])
        self.assertIsNone(self.engine.state("knowledge_os_orchestrator"))
        tree.call("Report", {"name": "ollama", "health": "ok"})
        tree.wait("knowledge_os_orchestrator", "UP", LATE)
        self.engine.wait_state("knowledge_os_orchestrator", "running")


class Shipped(Kept):
    """The examples as they are installed, but for the paths."""

    def shipped(self, name):
        with open(os.path.join(rig.TOP, "services", name, "service.conf"),
                  encoding="utf-8") as f:
            text = f.read()
        self.assertIn("/opt/knowledge_os/docker-compose.yml", text)
        return text.replace("/opt/knowledge_os/docker-compose.yml",
                            self.compose) \
            + f"\n[environment]\nHOME = {self.home}\n"

    def test_the_critical_containers(self):
        tree = self.start(start=False, more={
            "ollama": "[service]\nexec = sleep 1000\n",
            "recover": RECOVER})
        critical = ("knowledge_nightly", "knowledge_os_orchestrator")
        for name in critical:
            tree.add(name, self.shipped(name))
        tree.start()
        tree.wait("knowledge_nightly", "UP", LATE)
        self.assertEqual(tree.service(critical[1])["state"], "WAITING")
        tree.wait("ollama", "UP")
        tree.call("Report", {"name": "ollama", "health": "ok"})
        tree.wait(critical[1], "UP", LATE)
        for name in critical:
            before = self.engine.inspect(name)
            begun = time.monotonic()
            self.engine.docker("kill", name)
            self.back(tree, name, before)
            print(f"# {name}: killed and running again in "
                  f"{time.monotonic() - begun:.2f} s", flush=True)
        done = tree.svctl("recover", timeout=LATE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class WordOfAPerson(Kept):
    def test_what_was_stopped_stays_stopped(self):
        ticks = "n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) >n\n"
        tree = self.start("knowledge_nightly", "by_docker", more={
            "timer": {"conf": "[service]\ntype = oneshot\nevery = 200ms\n",
                      "run": ticks},
            "recover": RECOVER})
        tree.svctl("stop", "knowledge_nightly", check=True)
        tree.svctl("stop", "by_docker", check=True)
        stopped = ("knowledge_nightly", "by_docker")

        def check():
            for name in stopped:
                sv = tree.service(name)
                self.assertEqual((sv["state"], sv["want"]),
                                 ("DOWN", "down"), sv)
                self.assertEqual(self.engine.state(name), "exited")

        check()
        self.history(tree, "timer", "exited")       # the timer went on
        done = tree.svctl("recover", timeout=LATE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        check()
        tree.kill_supervisor()
        tree.start()
        tree.wait("docker", "UP", LATE)
        check()
        tree.stop(timeout=LATE)
        tree.start()
        tree.wait("docker", "UP", LATE)
        check()
        for name in stopped:
            tree.svctl("start", name, check=True, timeout=LATE)
            self.engine.wait_state(name, "running")

    def test_what_it_depends_on_is_not_started_against_the_word(self):
        tree = self.start("knowledge_nightly", "knowledge_os_orchestrator")
        tree.svctl("stop", "knowledge_nightly", check=True)
        before = self.engine.inspect("knowledge_os_orchestrator")
        self.engine.docker("rm", "-f", "knowledge_os_orchestrator")
        self.back(tree, "knowledge_os_orchestrator", before)
        self.assertEqual(self.engine.state("knowledge_nightly"), "exited")

    def test_what_it_depends_on_comes_with_it_otherwise(self):
        self.start("knowledge_os_orchestrator")
        self.assertEqual(self.engine.state("knowledge_nightly"), "running")
        self.assertIsNone(self.engine.state("bystander"))

    def test_docker_stop_may_count_as_the_word(self):
        tree = self.start("by_docker", container="outside-stop = stop\n")
        self.engine.docker("stop", "by_docker")
        sv = tree.wait("by_docker", "DOWN", LATE)
        self.assertEqual(sv["want"], "down")
        self.assertIn("stopped by order", sv["reason"])
        self.assertEqual(self.engine.state("by_docker"), "exited")
        # A death of its own is none: Docker's policy acts.
        tree.svctl("start", "by_docker", check=True, timeout=LATE)
        before = self.engine.inspect("by_docker")
        self.engine.signal("by_docker", signal.SIGUSR2)
        self.back(tree, "by_docker", before)

    def test_on_stop_the_container_may_be_left(self):
        tree = self.start("knowledge_nightly", container="on-stop = leave\n")
        before = self.engine.inspect("knowledge_nightly")
        tree.svctl("stop", "knowledge_nightly", check=True)
        now = self.engine.inspect("knowledge_nightly")
        self.assertEqual(now["State"], before["State"])


class Followed(Kept):
    def test_one_that_runs_is_taken_as_it_is(self):
        tree = self.start("knowledge_nightly")
        before = self.engine.inspect("knowledge_nightly")
        pid = tree.service("knowledge_nightly")["pid"]
        with tree.subscribe(LATE) as events:
            os.kill(pid, signal.SIGKILL)
            events.state("knowledge_nightly", "UP")
        now = self.engine.inspect("knowledge_nightly")
        self.assertEqual(now["State"], before["State"])
        self.assertNotEqual(tree.service("knowledge_nightly")["pid"], pid)
        # It is followed again.
        self.engine.docker("kill", "knowledge_nightly")
        self.back(tree, "knowledge_nightly", before)

    def test_the_next_supervisor_takes_the_keepers_over(self):
        tree = self.start("knowledge_nightly")
        before = self.engine.inspect("knowledge_nightly")
        pid = tree.service("knowledge_nightly")["pid"]
        tree.kill_supervisor()
        tree.start()
        sv = tree.wait("knowledge_nightly", "UP", LATE)
        self.assertEqual((sv["pid"], sv["restarts"]), (pid, 0))
        self.engine.docker("kill", "knowledge_nightly")
        self.back(tree, "knowledge_nightly", before)

    def test_docker_restart_is_told_and_left_alone(self):
        tree = self.start("knowledge_nightly")
        pid = tree.service("knowledge_nightly")["pid"]
        before = self.engine.inspect("knowledge_nightly")
        self.engine.docker("restart", "knowledge_nightly")
        self.history(tree, "knowledge_nightly",
                     "started again from outside")
        _, sv = self.back(tree, "knowledge_nightly", before)
        self.assertEqual(sv["pid"], pid)

    def test_paused_is_said(self):
        tree = self.start("knowledge_nightly")
        self.engine.docker("pause", "knowledge_nightly")
        sv = tree.wait("knowledge_nightly",
                       lambda s: s["health"] == "degraded", LATE)
        self.assertIn("docker unpause", sv["health_text"])
        self.engine.docker("unpause", "knowledge_nightly")
        tree.wait("knowledge_nightly",
                  lambda s: s["health"] == "unknown", LATE)

    def test_healthcheck_is_the_health(self):
        tree = self.start("checked")
        tree.wait("checked", lambda s: s["health"] == "ok", LATE)
        sick = tree.path("sick")
        with open(sick, "w", encoding="ascii"):
            pass
        self.engine.docker("cp", sick, "checked:/sick")
        sv = tree.wait("checked", lambda s: s["health"] == "failing", LATE)
        self.assertIn("unhealthy", sv["health_text"])
        self.history(tree, "checked", "unhealthy; its HEALTHCHECK, inside "
                     "the container, printed: it is sick: there is a file "
                     "that should not be there, and so it will not work")

    def test_an_unhealthy_one_is_restarted_by_the_probe_of_the_engine(self):
        tree = self.start(start=False, more={"monitor": MONITOR})
        tree.add("checked", self.keeper("checked") +
                 "[health]\ntype = docker\ninterval = 500ms\n"
                 "timeout = 2s\nthreshold = 2\nstart-grace = 10s\n")
        tree.start()
        sv = tree.wait("checked", lambda s: s["health"] == "ok", LATE)
        self.assertIn("container checked: good in", sv["health_text"])
        self.assertIn("healthy", sv["health_text"])
        # While the engine is silent nothing is known, and nothing is done.
        os.kill(self.engine.process.pid, signal.SIGSTOP)
        try:
            sv = tree.wait("checked", lambda s: s["health"] == "degraded",
                           LATE)
            self.assertIn("engine does not tell", sv["health_text"])
        finally:
            os.kill(self.engine.process.pid, signal.SIGCONT)
        tree.wait("checked", lambda s: s["health"] == "ok", LATE)
        self.assertEqual(tree.service("checked")["restarts"], 0)
        before = self.engine.inspect("checked")
        sick = tree.path("sick")
        with open(sick, "w", encoding="ascii"):
            pass
        self.engine.docker("cp", sick, "checked:/sick")
        self.history(tree, "checked",
                     "fails: container checked, 2 times: unhealthy inside: "
                     "it is sick", "the probe, by its HEALTHCHECK inside "
                     "the container, was told: it is sick: there is a file that "
                     "should not be there, and so it will not work")
        rig.eventually(lambda: self.engine.inspect("checked")["State"]
                       ["StartedAt"] != before["State"]["StartedAt"], LATE,
                       "its restart")

    def test_its_output_is_the_service_s_log(self):
        tree = self.start("counts")
        want = [f"line {i}" for i in range(200)]

        def lines():
            return [line.split(" ", 1)[1] for line in
                    tree.log_text("counts").splitlines() if "Z line" in line]

        # The keeper is killed in the middle of it, and another goes on.
        rig.eventually(lambda: len(lines()) > 20, LATE, "a few lines")
        with tree.subscribe(LATE) as events:
            os.kill(tree.service("counts")["pid"], signal.SIGKILL)
            events.state("counts", "UP")
        rig.eventually(lambda: "line 199" in lines(), LATE, "all lines")
        got = lines()
        lost = [w for w in want if w not in got]
        self.assertEqual(lost, [])
        # What the killed one had written and not told may come twice.
        self.assertLess(len(got) - len(set(got)), 30, got)

    def test_last_words_are_heard(self):
        tree = self.start(start=False)
        tree.add("dies", self.keeper("dies", service="restart = never"))
        tree.start()
        tree.wait("dies", "TRIPPED", LATE)
        rig.eventually(lambda: "Z last words\n" in tree.log_text("dies"),
                       LATE, "its last words")
        self.assertEqual(tree.log_text("dies").count("last words"), 1)

    def test_a_loop_of_docker_s_own_is_named_and_never_ready(self):
        tree = self.start(start=False)
        tree.add("loops", self.keeper("loops"))
        tree.start()
        sv = tree.wait("loops", lambda s: "restarts in a loop" in
                       (s["health_text"] or ""), LATE)
        self.assertEqual(sv["health"], "failing")
        self.assertIn("exited with 4", sv["health_text"])

    def test_one_that_dies_at_once_trips_the_breaker(self):
        tree = self.start(start=False)
        tree.add("dies", self.keeper("dies", service="restart-limit = 2/10m"
                                     "\nrestart-delay = 10ms"))
        tree.start()
        sv = tree.wait("dies", "TRIPPED", LATE)
        self.assertEqual(sv["last_exit"]["code"], 5)
        self.assertIn("too many failures", sv["reason"])


class Compose(Kept):
    def test_its_failure_is_told(self):
        tree = self.start(start=False)
        broken = tree.path("broken.yml")
        with open(broken, "w", encoding="ascii") as f:
            f.write("services: { knowledge_nightly: { imagine: box } }\n")
        tree.add("knowledge_nightly",
                 self.keeper("knowledge_nightly", compose=broken))
        tree.start()
        self.history(tree, "knowledge_nightly", "health      exited with 1")
        sv = tree.wait("knowledge_nightly", "BACKOFF", LATE)
        self.assertEqual(sv["last_exit"]["code"], 111)
        rig.eventually(lambda: "imagine" in
                       tree.log_text("knowledge_nightly"), LATE,
                       "what compose said")

    def fake_compose(self, tree, text):
        os.mkdir(tree.path("bin"))
        path = tree.path("bin", "docker-compose")
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return f"PATH = {tree.path('bin')}:{rig.BIN}:{rig.SYSTEM_PATH}\n"

    def test_one_that_hangs_is_killed_with_all_it_started(self):
        tree = self.start(start=False)
        path = self.fake_compose(
            tree, f"sleep 998 & echo $! >{tree.path('pid')}\n"
            "trap '' TERM\nwhile :; do sleep 999; done\n")
        tree.add("knowledge_nightly", self.keeper(
            "knowledge_nightly", environment=path,
            container="up-timeout = 1s"))
        with open(tree.path("pid"), "w", encoding="ascii"):
            pass
        tree.start()
        self.history(tree, "knowledge_nightly", "health      took too long")
        with open(tree.path("pid"), encoding="ascii") as f:
            pid = int(f.read())
        rig.eventually(lambda: not rig.alive(pid), LATE, "its child is gone")

    def test_a_stop_does_not_wait_for_it(self):
        tree = self.start(start=False)
        path = self.fake_compose(tree, f"touch {tree.path('began')}\n"
                                 "exec sleep 999\n")
        tree.add("knowledge_nightly", self.keeper(
            "knowledge_nightly", environment=path))
        tree.start()
        rig.eventually(lambda: os.path.exists(tree.path("began")), LATE,
                       "compose")
        tree.svctl("stop", "knowledge_nightly", check=True, timeout=LATE)
        sv = tree.service("knowledge_nightly")
        self.assertEqual(sv["state"], "DOWN")

    def test_the_plugin_goes_before_the_old_program(self):
        # docker runs it; it is the old program in new clothes.
        tree = self.start(start=False)
        plugins = os.path.join(self.home, ".docker", "cli-plugins")
        os.makedirs(plugins)
        path = os.path.join(plugins, "docker-compose")
        with open(path, "w", encoding="ascii") as f:
            f.write("""#!/bin/sh
[ "$1" = docker-cli-plugin-metadata ] && {
    echo '{"SchemaVersion":"0.1.0","Vendor":"x","Version":"2.0"}'
    exit
}
shift
echo "$DOCKER_HOST $*" >>"$HOME/calls"
exec docker-compose "$@"
""")
        os.chmod(path, 0o755)
        tree.add("knowledge_nightly", self.keeper("knowledge_nightly"))
        tree.start()
        tree.wait("knowledge_nightly", "UP", LATE)
        with open(os.path.join(self.home, "calls"), encoding="ascii") as f:
            calls = f.read().splitlines()
        host = "unix://" + self.engine.socket
        self.assertEqual(calls, [
            f"{host} version",
            f"{host} -p test -f {self.compose} up -d --no-recreate "
            "--no-build knowledge_nightly"])


class Use(unittest.TestCase):
    def test_wrong_use_is_100(self):
        for code, args in ((100, []), (100, ["a"]), (100, ["a", "b"]),
                           (100, ["--frob"]), (0, ["--help"]),
                           (0, ["--version"])):
            with self.subTest(args=args):
                done = subprocess.run(
                    [rig.program("container-keeper"), *args],
                    stdin=subprocess.DEVNULL, capture_output=True,
                    check=False, timeout=rig.TIMEOUT,
                    env={k: v for k, v in os.environ.items()
                         if not k.startswith("SVTREE_")})
                self.assertEqual(done.returncode, code)
                self.assertEqual(bool(done.stderr), code != 0)


if __name__ == "__main__":
    rig.main()
