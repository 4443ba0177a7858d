# SPDX-License-Identifier: ISC
"""docker-keeper, with an engine that comes, goes and hangs as the test says."""

import os
import signal
import subprocess
import sys
import unittest

import rig
from fake_engine import Engine

KEEPER = """[service]
exec = docker-keeper
ready = notify
start-timeout = 0
grants = Report

[docker]
socket = {socket}
start-command = {command}
start-every = {every}
"""

LATE = 30       # seconds: a loaded machine


class Kept(rig.Case):
    def start(self, command="true", every="1h", more=None):
        tree = self.tree(start=False)
        self.socket = tree.path("d.sock")
        tree.add("docker", KEEPER.format(
            socket=self.socket, every=every,
            command=command.replace("DIR", tree.dir)))
        for name, conf in (more or {}).items():
            tree.add(name, conf)
        tree.start()
        return tree

    def engine(self):
        engine = Engine(self.socket)
        self.addCleanup(engine.close)
        return engine


BOX = """[service]
exec = container-keeper
needs = docker
restart = never

[container]
name = box
compose = /nonexistent/compose.yaml
"""


@unittest.skipIf(sys.platform == "darwin", "nothing is confined there")
class Confined(Kept):
    """container-keeper, which runs compose; none is found here."""

    def said(self, name):
        tree = self.tree(start=False)
        self.socket = tree.path(name)
        self.engine()
        tree.add("docker", KEEPER.format(socket=self.socket, every="1h",
                                         command="true"))
        tree.add("box", BOX)
        tree.start()
        rig.eventually(lambda: "confined: " in tree.log_text("box"), LATE,
                       "what it says of itself")
        return tree.log_text("box")

    def test_gives_up_privileges(self):
        self.assertIn(" confined: no new privileges", self.said("d.sock"))

    def test_leaves_podman_what_it_begins_with(self):
        said = self.said("podman.sock")
        self.assertIn("not confined: compose needs name spaces", said)
        self.assertNotIn("no new privileges", said)


class Keeper(Kept):
    def test_is_ready_when_the_engine_answers(self):
        tree = self.start(more={
            "host": "[service]\nexec = sleep 1000\n",
            "box": "[service]\nexec = sleep 1000\nneeds = docker\n"})
        # Nothing on the host waits for it; what needs it does.
        tree.wait("host", "UP")
        sv = tree.wait("docker", lambda s: s["health"] == "failing")
        self.assertEqual(sv["state"], "STARTING")
        self.assertIn("No such file", sv["health_text"])
        self.assertEqual(tree.service("box")["state"], "WAITING")
        self.assertIn("docker", tree.service("box")["reason"])
        self.engine()
        sv = tree.wait("docker", "UP", LATE)
        tree.wait("box", "UP", LATE)
        sv = tree.wait("docker", lambda s: s["health"] == "ok")
        self.assertIn(self.socket + ", API 1.41", sv["text"])
        self.assertEqual(sv["restarts"], 0)

    def test_starts_the_engine(self):
        tree = self.start(command="touch DIR/made")
        rig.eventually(lambda: os.path.exists(tree.path("made")), LATE,
                       "the start command")
        tree.wait("docker", lambda s: "start 1: touch" in (s["text"] or ""))
        self.engine()
        tree.wait("docker", "UP", LATE)

    def test_says_how_the_start_failed_and_tries_again_later(self):
        tree = self.start(command="sh -c 'echo no such unit >&2; exit 5'",
                          every="50ms")
        tree.wait("docker", lambda s: "start 3: sh exited with 5: "
                  "no such unit" in (s["text"] or ""), LATE)
        rig.eventually(lambda: "\nno such unit" in tree.log_text("docker")
                       or "Z no such unit" in tree.log_text("docker"),
                       what="its words in the log")
        self.assertEqual(tree.service("docker")["restarts"], 0)

    def test_a_start_that_cannot_be_run_is_said(self):
        tree = self.tree(start=False)
        self.socket = tree.path("d.sock")
        program = tree.path("starter")
        with open(program, "w", encoding="ascii") as f:
            f.write("#!/nonexistent/interpreter\n")
        os.chmod(program, 0o755)
        tree.add("docker", KEEPER.format(socket=self.socket, every="1h",
                                         command=program))
        tree.start()
        tree.wait("docker", lambda s: "exited with 127" in (s["text"] or ""))
        rig.eventually(lambda: "starter: No such file" in
                       tree.log_text("docker"), what="the reason")

    def test_what_was_started_outlives_the_keeper(self):
        tree = self.start("sh -c 'cd DIR; sleep 1000 & echo $! >new; "
                          "mv new pid'")
        pid = tree.path("pid")
        rig.eventually(lambda: os.path.exists(pid), LATE, "the engine")
        with open(pid, encoding="ascii") as f:
            engine = int(f.read())
        self.addCleanup(os.kill, engine, signal.SIGKILL)
        self.engine()
        tree.wait("docker", "UP", LATE)
        tree.svctl("stop", "docker", check=True)
        self.assertEqual(tree.service("docker")["state"], "DOWN")
        os.kill(engine, 0)
        # Its lock is not held by what it started.
        tree.svctl("start", "docker", check=True)
        tree.wait("docker", "UP", LATE)

    def test_a_lost_engine_is_told_started_and_told_again(self):
        tree = self.start(command="echo starting it")
        engine = self.engine()
        tree.wait("docker", "UP", LATE)
        pid = tree.service("docker")["pid"]
        engine.opened.get(timeout=LATE)
        with tree.subscribe(LATE) as events:
            engine.close()
            events.until(lambda e: e["event"] == "health" and
                         e["health"] == "failing")
            events.until(lambda e: e["event"] == "incident" and
                         "the engine is gone: " in e["reason"])
            rig.eventually(lambda: "starting it" in tree.log_text("docker"),
                           LATE, "the start command")
            self.engine()
            events.until(lambda e: e["event"] == "health" and
                         e["health"] == "ok")
            events.until(lambda e: e["event"] == "incident" and
                         "the engine is back after" in e["reason"])
        sv = tree.service("docker")
        self.assertEqual((sv["state"], sv["pid"], sv["restarts"]),
                         ("UP", pid, 0))

    def test_an_engine_that_hangs_is_gone_too(self):
        tree = self.start()
        engine = self.engine()
        tree.wait("docker", "UP", LATE)
        engine.opened.get(timeout=LATE)
        engine.talks.clear()
        engine.drop()       # else the next ping is 12 s away
        sv = tree.wait("docker", lambda s: s["health"] == "failing", LATE)
        self.assertIn("no answer within 3000 ms", sv["health_text"])
        engine.talks.set()
        tree.wait("docker", lambda s: s["health"] == "ok", LATE)

    def test_reads_its_own_part_beside_a_broken_one(self):
        tree = self.start()
        self.engine()
        tree.wait("docker", "UP", LATE)
        tree.add("broken", "[service]\nfrobnicate = yes\n")
        with tree.subscribe(LATE) as events:
            os.kill(tree.service("docker")["pid"], signal.SIGKILL)
            events.state("docker", "UP")
        sv = tree.wait("docker", lambda s: s["health"] == "ok", LATE)
        self.assertIn(self.socket, sv["text"])


class Use(unittest.TestCase):
    def test_wrong_use_is_100(self):
        for code, args in ((100, ["x"]), (100, ["--frob"]),
                           (0, ["--help"]), (0, ["--version"])):
            with self.subTest(args=args):
                done = subprocess.run(
                    [rig.program("docker-keeper"), *args],
                    stdin=subprocess.DEVNULL, capture_output=True,
                    check=False, timeout=rig.TIMEOUT)
                self.assertEqual(done.returncode, code)
                self.assertEqual(bool(done.stderr), code != 0)


if __name__ == "__main__":
    rig.main()
