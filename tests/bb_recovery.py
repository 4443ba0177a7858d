# SPDX-License-Identifier: ISC
"""Recovery: the oneshot that heals what is down, and who may ask for it."""

import os
import signal
import subprocess
import time
import unittest

import rig
import standin

RECOVER = {"conf": "[service]\ntype = oneshot\nexec = recover {args}\n"
           "restart = never\ngrants = Restart Report\n", "down": True}
SLEEPER = "[service]\nexec = sleep 1000\n"
# Fails until there is a file "ok" beside it.
CURABLE = {"conf": "[service]\nrestart-delay = 10ms\nrestart-limit = 1/1m\n",
           "run": "test -e ok || exit 1\nexec sleep 1000\n"}
QUICK = "timeout = 400ms\nstart-grace = 1ms\n"


def recover(args=""):
    return {**RECOVER, "conf": RECOVER["conf"].format(args=args)}


class Recover(rig.Case):
    def run_it(self, tree, code):
        done = tree.svctl("-t", 60, "recover", timeout=90)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def pids(self, tree):
        return {s["name"]: s["pid"] for s in tree.call("Status")["services"]}

    def cure(self, tree, *names):
        for name in names:
            open(os.path.join(tree.services, name, "ok"), "w",
                 encoding="ascii").close()

    def test_heals_what_is_down_and_leaves_a_person_s_word_alone(self):
        t = self.tree({
            "recover": recover(), "fine": SLEEPER, "tripped": CURABLE,
            "backoff": {**CURABLE, "conf": "[service]\n"
                        "restart-delay = 10m\n"},
            "stopped": SLEEPER, "disabled": SLEEPER})
        for name in ("fine", "stopped", "disabled"):
            t.wait(name, "UP")
        t.wait("tripped", "TRIPPED")
        t.wait("backoff", "BACKOFF")
        t.call("Stop", {"name": "stopped"})
        t.call("Disable", {"name": "disabled"})
        t.wait("stopped", "DOWN")
        t.wait("disabled", "DOWN")
        fine = t.service("fine")["pid"]
        self.cure(t, "tripped", "backoff")
        said = self.run_it(t, 0)
        for words in ("tripped: TRIPPED: exited with code 1; too many "
                      "failures; restarting it", "tripped: up again",
                      "stopped: not wanted up", "disabled: disabled, so it "
                      "is left alone", "fine: up\n",
                      "verdict: healthy: 4 of 4 wanted are healthy; healed: "
                      "backoff, tripped ("):
            self.assertIn(words, said)
        self.assertNotIn("recover:", said)
        for name in ("tripped", "backoff"):
            self.assertEqual(t.service(name)["state"], "UP")
        for name in ("stopped", "disabled"):
            self.assertEqual(t.service(name)["state"], "DOWN")
        self.assertEqual(t.service("fine")["pid"], fine)
        self.assertIn("4 of 4", t.service("recover")["text"])

    def test_with_everything_healthy_or_busy_nothing_is_restarted(self):
        llm, mlx = standin.Server("ollama"), standin.Server("mlx")
        busy = standin.Server("ollama")
        t = self.tree({
            "recover": recover(), "ollama": llm.conf(health=QUICK),
            "mlx": mlx.conf(health=QUICK), "busy": busy.conf(health=QUICK),
            "fine": SLEEPER})
        for server in (llm, mlx, busy):
            server.wait()
        t.wait("fine", "UP")
        busy.fault("busy")
        before = self.pids(t)
        said = self.run_it(t, 0)
        self.assertIn("ollama: answers\n", said)
        self.assertIn("busy: busy, so it is left alone (it answers with "
                      "status 503)", said)
        self.assertIn("5 of 5 wanted are healthy (", said)
        self.assertEqual(self.pids(t), before)

    def test_a_hung_server_is_replaced_and_its_answer_waited_for(self):
        llm = standin.Server("ollama")
        t = self.tree({"recover": recover(),
                       "ollama": llm.conf(health=QUICK)})
        old = llm.wait()["pid"]
        llm.fault("hang")
        said = self.run_it(t, 0)
        self.assertIn("ollama: no answer within 400 ms; restarting it", said)
        self.assertIn("ollama: answers again", said)
        self.assertNotEqual(llm.state()["pid"], old)
        sv = t.service("ollama")
        self.assertEqual(sv["restarts"], 1)

    def test_a_server_within_its_start_grace_is_waited_for(self):
        llm = standin.Server("ollama")
        t = self.tree({"recover": recover(), "ollama": llm.conf(
            health="timeout = 200ms", env={"STANDIN_START_MS": "1500"})})
        pid = t.wait("ollama", "UP")["pid"]
        said = self.run_it(t, 0)
        self.assertIn("ollama: answers again" if "start-grace" in said
                      else "ollama: answers", said)
        self.assertEqual(t.service("ollama")["pid"], pid)

    def test_what_no_restart_mends_is_named_and_left(self):
        """another user's server on the port, no models, restart = no"""
        empty, forbidden = standin.Server("ollama"), standin.Server("mlx")
        held = standin.Process("ollama")
        self.addCleanup(held.close)
        held.fault("empty")
        t = self.tree({
            "recover": recover(), "empty": empty.conf(health=QUICK),
            "forbidden": forbidden.conf(health=QUICK + "restart = no\n"),
            "held": SLEEPER + f"[health]\ntype = ollama\nurl = {held.url}\n"
            + QUICK})
        empty.wait()
        forbidden.wait()
        t.wait("held", "UP")
        empty.fault("empty")
        forbidden.fault("hang")
        before = self.pids(t)
        said = self.run_it(t, 1)
        self.assertIn("empty: it has no models", said)
        self.assertIn("forbidden: no answer within 400 ms; [health] "
                      "restart = no, so it is left alone", said)
        self.assertIn(f"held: port {held.port} is held by pid "
                      f"{held.process.pid} (llm-standin, user ", said)
        self.assertIn("verdict: NOT healthy: 1 of 4 wanted are healthy; "
                      "not: empty (", said)
        self.assertEqual(self.pids(t), before)

    def test_everything_dead_ends_soon_with_what_can_live_alive(self):
        llm, mlx = standin.Server("ollama"), standin.Server("mlx")
        dead = {"conf": "[service]\nrestart-delay = 10ms\n"
                "restart-limit = 1/1m\nready = check\n",
                "run": "exit 1\n", "check": "exit 1\n"}
        t = self.tree({
            "recover": recover(), "docker": dead,
            "ollama": llm.conf(health=QUICK, service="restart-delay = 10m"),
            "mlx": mlx.conf(health=QUICK),
            "box": SLEEPER + "needs = docker\n",
            "gated": SLEEPER + "needs = ollama:healthy\n",
            "silent": {"conf": "[service]\nready = check\n"
                       "start-timeout = 10m\n", "run": "exec sleep 1000",
                       "check": "exit 1"}})
        llm.wait()
        mlx.wait()
        t.wait("docker", "TRIPPED")
        t.wait("box", "WAITING")
        old = t.service("ollama")["pid"]
        for _ in range(2):      # the second death is one too many at once
            os.kill(old, signal.SIGKILL)
            sv = t.wait("ollama", lambda s, o=old: s["pid"] != o)
            if sv["state"] == "BACKOFF":
                break
            old = t.wait("ollama", "UP")["pid"]
        mlx.fault("hang")
        t.call("Restart", {"name": "silent"})
        began = time.monotonic()
        said = self.run_it(t, 1)
        took = time.monotonic() - began
        print(f"# everything dead: {took:.1f} s")
        self.assertLess(took, 28)
        self.assertEqual(llm.answers(), 200)
        self.assertEqual(mlx.answers(), 200)
        self.assertIn("docker: TRIPPED", said)
        self.assertIn("box: waits for docker, which is not healthy", said)
        self.assertIn("silent: still STARTING", said)
        self.assertIn("gated: ", said)
        self.assertIn("3 of 7 wanted are healthy", said)

    def test_steps_are_shown_while_it_runs(self):
        t = self.tree({"recover": {
            "conf": "[service]\ntype = oneshot\nrestart = never\n",
            "run": "echo first step\nwhile [ ! -e go ]; do sleep 0.02; done\n"
                   "echo second step\nexit 1\n", "down": True}})
        p = subprocess.Popen([rig.program("svctl"), "--run", t.run,
                              "recover"], stdout=subprocess.PIPE, text=True,
                             env=t.environment())
        self.addCleanup(p.stdout.close)
        self.assertEqual(p.stdout.readline(), "first step\n")
        open(os.path.join(t.services, "recover", "go"), "w",
             encoding="ascii").close()
        self.assertEqual(p.stdout.readline(), "second step\n")
        self.assertEqual(p.wait(30), 1)

    def test_without_a_supervisor_it_says_so(self):
        done = subprocess.run(
            [rig.program("recover")], capture_output=True, text=True,
            env={**os.environ, "SVTREE_RUN": "/nonexistent"}, timeout=30,
            check=False)
        self.assertEqual(done.returncode, 111)
        self.assertIn("connect to /nonexistent/control", done.stderr)

    def test_a_supervisor_that_is_replaced_meanwhile_is_found_again(self):
        llm = standin.Server("ollama")
        t = self.tree({"recover": recover(), "ollama": llm.conf(
            health=QUICK.replace("400ms", "1500ms"))})
        llm.wait()
        llm.fault("hang")
        with t.subscribe() as events:
            t.call("Once", {"name": "recover"})
            events.state("recover", "UP")
        t.kill_supervisor()
        t.start()
        t.wait("recover", "DOWN", timeout=60)
        self.assertEqual(llm.answers(), 200)
        rig.eventually(lambda: "verdict: healthy" in t.log_text("recover"),
                       what="the verdict")


class Use(unittest.TestCase):
    def test_wrong_use_is_100(self):
        for code, args in ((100, ["x"]), (100, ["--frob"]),
                           (100, ["--timeout", "soon"]),
                           (0, ["--help"]), (0, ["--version"])):
            with self.subTest(args=args):
                done = subprocess.run(
                    [rig.program("recover"), *args],
                    stdin=subprocess.DEVNULL, capture_output=True,
                    check=False, timeout=rig.TIMEOUT)
                self.assertEqual(done.returncode, code)
                self.assertEqual(bool(done.stderr), code != 0)


if __name__ == "__main__":
    rig.main()
