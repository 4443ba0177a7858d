# SPDX-License-Identifier: ISC
"""Recovery: the oneshot that heals what is down, and who may ask for it."""

import base64
import http.client
import json
import os
import select
import shutil
import signal
import socket
import statistics
import subprocess
import threading
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

    def test_what_others_report_to_fail_is_not_called_healthy(self):
        """their next word is waited for; nothing is restarted on an old one"""
        llm, other = standin.Server("ollama"), standin.Server("ollama")
        quick = QUICK + "interval = 500ms\n"
        t = self.tree({"recover": recover(), "self": SLEEPER,
                       "ollama": llm.conf(health=quick),
                       "later": other.conf(health=quick.replace(
                           "500ms", "10m"))})
        llm.wait()
        other.wait()
        for name in ("ollama", "later", "self"):
            t.wait(name, "UP")
            t.call("Report", {"name": name, "health": "failing",
                              "reason": "computes nothing"})
        before = self.pids(t)
        with t.subscribe(30) as events:
            t.call("Once", {"name": "recover"})
            events.until(lambda e: e["event"] == "verb" and
                         e["service"] == "self")
            t.call("Report", {"name": "later", "health": "ok"})
            events.state("recover", "DOWN")
        rig.eventually(lambda: "verdict" in t.log_text("recover"),
                       what="the verdict")
        said = t.log_text("recover")
        self.assertIn("ollama: answers, but is reported to fail: computes "
                      "nothing", said)
        self.assertIn("later: answers\n", said)
        self.assertIn("self: failing: computes nothing; restarting it", said)
        self.assertIn("verdict: NOT healthy: 3 of 4", said)
        after = self.pids(t)
        self.assertNotEqual(after.pop("self"), before.pop("self"))
        self.assertEqual(after, before)

    def test_disabled_stays_so_through_reload_recovery_and_a_new_start(self):
        mlx = standin.Server("mlx")
        t = self.tree({"recover": recover(), "mlx": mlx.conf(health=QUICK),
                       "fine": SLEEPER})
        mlx.wait()
        self.assertEqual(t.svctl("disable", "mlx").returncode, 0)

        def is_down():
            sv = t.service("mlx")
            self.assertEqual((sv["state"], sv["enabled"]), ("DOWN", False))
            self.assertEqual(mlx.answers(), 0)
        is_down()
        t.call("Reload")
        self.run_it(t, 0)
        is_down()
        t.kill_supervisor()
        t.start()
        t.wait("fine", "UP")
        self.run_it(t, 0)
        is_down()
        self.assertEqual(t.stop(), 0)
        t.start()
        t.wait("fine", "UP")
        self.run_it(t, 0)
        is_down()

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

    def test_a_start_grace_longer_than_the_deadline_is_told(self):
        """with the last answer there was, not with the one still asked"""
        llm = standin.Server("ollama")
        t = self.tree({"recover": recover("-t 1500ms"), "ollama": llm.conf(
            health="timeout = 200ms\nstart-grace = 10m")})
        llm.wait()
        llm.fault("hang")
        said = self.run_it(t, 1)
        self.assertIn("ollama: up, but does not answer yet: no answer within "
                      "200 ms; its time is up", said)

    def test_what_no_restart_mends_is_named_and_left(self):
        """another user's server on the port, no models, restart = no"""
        empty, forbidden = standin.Server("ollama"), standin.Server("mlx")
        held = standin.Process("ollama")
        self.addCleanup(held.close)
        held.fault("empty")
        t = self.tree({
            "recover": recover(), "empty": empty.conf(health=QUICK),
            "forbidden": forbidden.conf(health=QUICK + "restart = no\n"),
            "guarded": f"[service]\nexec = port-guard {held.port} -- "
            f"sleep 1000\n[port]\nnumber = {held.port}\n",
            "held": SLEEPER + f"[health]\ntype = ollama\nurl = {held.url}\n"
            + QUICK})
        empty.wait()
        forbidden.wait()
        t.wait("held", "UP")
        t.wait("guarded", lambda s: s["health"] == "failing")
        empty.fault("empty")
        forbidden.fault("hang")
        before = self.pids(t)
        said = self.run_it(t, 1)
        self.assertIn("empty: it has no models", said)
        self.assertIn("forbidden: no answer within 400 ms; [health] "
                      "restart = no, so it is left alone", said)
        self.assertIn(f"held: port {held.port} is held by pid "
                      f"{held.process.pid} (llm-standin, user ", said)
        self.assertIn(f"guarded: port {held.port} is held by pid "
                      f"{held.process.pid} (llm-standin, user ", said)
        self.assertIn("verdict: NOT healthy: 1 of 5 wanted are healthy; "
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
        t.call("Once", {"name": "recover"})
        rig.eventually(lambda: "svlog: up" in t.log_text("recover"),
                       what="its first step")
        t.kill_supervisor()
        t.start()
        t.wait("recover", "DOWN", timeout=60)
        self.assertEqual(llm.answers(), 200)
        rig.eventually(lambda: "verdict: healthy" in t.log_text("recover"),
                       what="the verdict")


TOKEN, NEXT_TOKEN = "0123456789abcdef-first", "fedcba9876543210-next"
BODY = {"ollama": True, "mlx": False, "ts": "2026-11-24T16:00:00.000Z"}


class Listened(rig.Case):
    """A tree with a listener on a port of its own: self.port."""

    def start(self, services=None, args="", env="", user="", **more):
        self.port = rig.free_port()
        tree = self.tree({
            "recovery-listener": "[service]\nready = notify\n"
            f"exec = recovery-listener -p {self.port} {args}\n{user}"
            f"grants = Once Restart\n[environment]\n{env}",
            "recover": recover(), **(services or {})}, **more)
        tree.wait("recovery-listener", "UP")
        return tree

    def ask(self, method, path, body=None, headers=None, raw=False):
        """Status, headers and body; JSON is read unless raw."""
        link = http.client.HTTPConnection("127.0.0.1", self.port,
                                          timeout=rig.TIMEOUT)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            text = answer.read().decode()
        finally:
            link.close()
        if not raw and answer.headers["Content-Type"] == "application/json" \
                and text:
            text = json.loads(text)
        return answer.status, answer.headers, text

    def answers(self, path, status):
        """Soon: the listener may look a little later than the test does."""
        rig.eventually(lambda: self.ask("GET", path)[0] == status,
                       what=f"{status} for {path}")

    def post(self, path="/recover", body=None, **headers):
        return self.ask("POST", path, json.dumps(
            BODY if body is None else body), {
            "Content-Type": "application/json", **headers})

    def connect(self, timeout=30):
        link = socket.create_connection(("127.0.0.1", self.port), timeout)
        self.addCleanup(link.close)
        return link

    def speak(self, octets):
        """What comes back on bytes sent as they are, until the end."""
        link = self.connect()
        link.sendall(octets)
        return self.hear(link)

    def hear(self, link):
        said = b""
        try:
            while chunk := link.recv(65536):
                said += chunk
        except ConnectionResetError:
            pass
        return said

    def starts(self, events):
        """How often recover was started, among the events seen."""
        return sum(e.get("event") == "state" and
                   e.get("service") == "recover" and
                   e.get("state") == "STARTING" for e in events.seen)

    def drain(self, tree, events):
        """Takes in all events up to now."""
        mark = f"mark {time.monotonic_ns()}"
        tree.call("Report", {"name": "recover", "incident": mark})
        events.until(lambda e: e.get("reason") == mark)


class Contract(Listened):
    def test_the_old_listener_s_answers_are_given(self):
        """row by row as the old listener, its two crashes mended"""
        self.start(args="-c 1h")
        true = {"ok": True, "recovery_triggered": True}
        for path, body, want in (
                ("/recover", json.dumps(BODY), {"ollama": True,
                                                "mlx": False}),
                ("/recover", '{"ollama":"odd","mlx":null}',
                 {"ollama": "odd", "mlx": None}),
                ("/recover", '{"ollama": [1, {"x": "\\u00e9"}]}',
                 {"ollama": [1, {"x": "\u00e9"}], "mlx": True}),
                ("/recover", "", {"ollama": True, "mlx": True}),
                ("/recover", "{not json", {"ollama": True, "mlx": True}),
                ("/recover", "[]", {"ollama": True, "mlx": True}),
                ("/recover", "7", {"ollama": True, "mlx": True}),
                ("/recover", "[" * 4000, {"ollama": True, "mlx": True}),
                ("/recover/", "{}", {"ollama": True, "mlx": True}),
                ("/x/recover", "{}", {"ollama": True, "mlx": True}),
                ("/xrecover", "{}", {"ollama": True, "mlx": True})):
            with self.subTest(path=path, body=body[:40]):
                status, headers, said = self.ask(
                    "POST", path, body, {"Content-Type": "application/json"})
                self.assertEqual(status, 200)
                self.assertEqual(headers["Content-Type"], "application/json")
                self.assertEqual(headers["Connection"], "close")
                self.assertEqual(said["status"], "recovery_initiated")
                self.assertEqual({**said, **true, **want}, said)
        _, _, text = self.ask("POST", "/recover", json.dumps(BODY), raw=True)
        self.assertTrue(text.startswith(
            '{"ok": true, "recovery_triggered": true, "ollama": true, '
            '"mlx": false'), text)
        for path in ("/", "/recover", "/recover/"):
            status, _, said = self.ask("GET", path)
            self.assertEqual((status, said), (200, {
                "status": "ok", "service": "recovery-listener",
                "port": self.port}))
        self.assertEqual(self.ask("HEAD", "/")[0], 200)
        for method, path, status in (("POST", "/", 404), ("POST", "/x", 404),
                                     ("GET", "/x", 404),
                                     ("GET", "/x/recover", 404),
                                     ("PUT", "/recover", 405),
                                     ("OPTIONS", "/recover", 405)):
            with self.subTest(method=method, path=path):
                self.assertEqual(self.ask(method, path)[0], status)

    def test_old_clients_are_served(self):
        """HTTP/1.0, a body in pieces, an Expect, no body at all"""
        self.start(args="-c 1h")
        body = json.dumps(BODY).encode()
        said = self.speak(b"POST /recover HTTP/1.0\r\nContent-Length: %d"
                          b"\r\n\r\n%s" % (len(body), body))
        self.assertIn(b" 200 ", said.splitlines()[0])
        self.assertIn(b'"mlx": false', said)
        link = self.connect()
        link.sendall(b"POST /recover HTTP/1.1\r\nHost: localhost\r\n"
                     b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
                     % len(body))
        for i in range(len(body)):
            link.sendall(body[i:i + 1])
        self.assertIn(b'"mlx": false', self.hear(link))
        said = self.speak(b"POST /recover HTTP/1.1\r\nHost: localhost\r\n"
                          b"\r\n")
        self.assertIn(b'"recovery_triggered": true', said)

    def test_without_the_oneshot_it_says_that_none_was_triggered(self):
        self.start(args="-s nosuch")
        status, _, said = self.post()
        self.assertEqual(status, 200)
        self.assertEqual((said["ok"], said["recovery_triggered"]),
                         (True, False))
        self.assertIn("nosuch", said["reason"])


class Recovery(Listened):
    def test_a_killed_and_tripped_service_is_healed_by_a_request(self):
        t = self.start({"tripped": CURABLE, "stopped": SLEEPER,
                        "off": SLEEPER, "killed": SLEEPER +
                        "restart-delay = 10m\n"})
        pid = t.wait("killed", "UP")["pid"]
        os.kill(pid, signal.SIGKILL)    # is back at once, and then not
        pid = t.wait("killed", lambda s: s["state"] == "UP" and
                     s["pid"] != pid)["pid"]
        os.kill(pid, signal.SIGKILL)
        t.wait("killed", "BACKOFF")
        t.call("Stop", {"name": "stopped"})
        t.call("Disable", {"name": "off"})
        t.wait("tripped", "TRIPPED")
        t.wait("stopped", "DOWN")
        t.wait("off", "DOWN")
        self.answers("/health", 503)
        open(os.path.join(t.services, "tripped", "ok"), "w",
             encoding="ascii").close()
        status, _, said = self.post()
        self.assertEqual((status, said["recovery_triggered"]), (200, True))
        t.wait("tripped", "UP")
        t.wait("killed", lambda s: s["state"] == "UP" and s["pid"] != pid)
        t.wait("recover", "DOWN", timeout=30)
        for name in ("stopped", "off"):
            self.assertEqual(t.service(name)["state"], "DOWN")
        self.answers("/health", 200)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_an_unprivileged_listener_may_ask_for_what_it_is_granted(self):
        t = self.start({"tripped": CURABLE}, user="user = nobody\n")
        t.wait("tripped", "TRIPPED")
        pid = t.service("recovery-listener")["pid"]
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            self.assertIn("Uid:\t65534\t65534\t65534", f.read())
        open(os.path.join(t.services, "tripped", "ok"), "w",
             encoding="ascii").close()
        self.assertTrue(self.post()[2]["recovery_triggered"])
        t.wait("tripped", "UP", timeout=30)
        self.assertEqual(self.ask("GET", "/status")[0], 200)
        self.assertEqual(self.ask("GET", "/incidents")[0], 200)

    def test_a_hundred_at_once_are_one_recovery(self):
        llm = standin.Server("ollama")
        t = self.start({"ollama": llm.conf(health=QUICK)})
        llm.wait()
        llm.fault("hang")
        with t.subscribe() as events:
            times, codes = self.hundred()
            self.assertEqual(codes, [200] * 100)
            events.state("recover", "DOWN", timeout=60)
            self.drain(t, events)
            self.assertEqual(self.starts(events), 1)
        self.assertEqual(llm.answers(), 200)
        times.sort()
        print(f"# 100 POSTs at once: median {statistics.median(times):.1f} "
              f"ms, longest {times[-1]:.1f} ms")

    def hundred(self):
        times, codes = [], []
        gate = threading.Barrier(100)

        def one():
            gate.wait()
            began = time.monotonic()
            codes.append(self.post()[0])
            times.append((time.monotonic() - began) * 1000)
        threads = [threading.Thread(target=one) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return times, codes

    def test_with_everything_healthy_nothing_is_restarted(self):
        llm, mlx = standin.Server("ollama"), standin.Server("mlx")
        t = self.start({"ollama": llm.conf(health=QUICK),
                        "mlx": mlx.conf(health=QUICK)}, args="-c 0")
        llm.wait()
        mlx.wait()
        before = {s["name"]: s["pid"]
                  for s in t.call("Status")["services"]}
        with t.subscribe() as events:
            for claim in ({"ollama": False, "mlx": False},
                          {"ollama": True, "mlx": False}, [], "x"):
                self.assertEqual(self.post(body=claim)[0], 200)
                t.wait("recover", "DOWN", timeout=30)
            self.drain(t, events)
            self.assertGreater(self.starts(events), 1)
        self.assertEqual({s["name"]: s["pid"]
                          for s in t.call("Status")["services"]}, before)

    def test_answers_come_in_milliseconds_while_a_recovery_runs(self):
        t = self.start({"recover": {
            "conf": "[service]\ntype = oneshot\nrestart = never\n",
            "run": "exec sleep 1000", "down": True}}, args="-c 0")
        times = []
        with t.subscribe() as events:
            for _ in range(50):
                began = time.monotonic()
                self.assertEqual(self.post()[0], 200)
                times.append((time.monotonic() - began) * 1000)
            self.drain(t, events)
            self.assertEqual(self.starts(events), 1)
        print(f"# POST while a recovery runs: median "
              f"{statistics.median(times):.2f} ms, longest {max(times):.2f} "
              "ms")

    def test_the_same_fault_does_not_start_one_recovery_after_another(self):
        t = self.start({"hopeless": {
            "conf": "[service]\nrestart-delay = 10ms\n"
                    "restart-limit = 1/1m\n", "run": "exit 1"}},
            args="-c 1h")

        # The listener may look a little later than we do.
        def seen(name, state):
            rig.eventually(lambda: f'svtree_service_state{{service="{name}",'
                           f'svtree_service_state="{state}"}} 1' in
                           self.ask("GET", "/metrics")[2],
                           what=f"{name} {state}, seen by the listener")

        seen("hopeless", "TRIPPED")
        with t.subscribe() as events:
            self.post()
            events.state("recover", "DOWN", timeout=60)
            seen("recover", "DOWN")
            self.assertTrue(self.post()[2]["coalesced"])
            t.add("another", {**CURABLE, "conf": "[service]\n"
                              "restart-delay = 10m\n"})
            t.call("Reload")
            t.wait("another", "BACKOFF")
            rig.eventually(lambda: "coalesced" not in self.post()[2],
                           what="a recovery for the new fault")
            events.state("recover", "DOWN", timeout=60)
            self.drain(t, events)
            self.assertEqual(self.starts(events), 2)


class Tokens(Listened):
    def token_file(self, text, mode=0o600):
        path = os.path.join(self.where, "token")
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def setUp(self):
        self.where = rig.tempfile.mkdtemp(prefix="tok.", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.where)

    def test_a_token_is_wanted_and_taken_in_three_forms(self):
        t = self.start(args=f"-c 1h -T {self.token_file(TOKEN)}")

        def basic(text):
            return "Basic " + base64.b64encode(text.encode()).decode()
        for path, header, status in (
                ("/recover", None, 401),
                ("/recover", "Bearer " + TOKEN[:-1], 401),
                ("/recover", "Bearer " + NEXT_TOKEN, 401),
                ("/recover", basic("svtree:wrong"), 401),
                ("/wrong/recover", None, 401), ("/nothing", None, 401),
                ("/recover", "Bearer " + TOKEN, 200),
                ("/recover", basic("svtree:" + TOKEN), 200),
                (f"/{TOKEN}/recover", None, 200)):
            with self.subTest(path=path, header=header):
                more = {"Authorization": header} if header else {}
                got, headers, _ = self.post(path, **more)
                self.assertEqual(got, status)
                self.assertEqual("WWW-Authenticate" in headers,
                                 status == 401)
        # To look is open to this machine.
        for path in ("/status", "/metrics", "/health", "/", "/healthz"):
            self.answers(path, 200)
        self.assertNotIn(TOKEN, t.log_text("recovery-listener"))

    def test_two_tokens_are_valid_while_one_is_replaced(self):
        path = self.token_file(TOKEN)
        t = self.start(args=f"-c 1h -T {path}")

        def status(token):
            return self.post(Authorization="Bearer " + token)[0]
        self.assertEqual((status(TOKEN), status(NEXT_TOKEN)), (200, 401))
        self.token_file(f"{TOKEN}\n{NEXT_TOKEN}\n")
        t.call("Signal", {"name": "recovery-listener", "signal": "HUP"})
        rig.eventually(lambda: status(NEXT_TOKEN) == 200, what="the new one")
        self.assertEqual(status(TOKEN), 200)
        self.token_file("short")
        t.call("Signal", {"name": "recovery-listener", "signal": "HUP"})
        rig.eventually(lambda: "tokens of before stay" in
                       t.log_text("recovery-listener"), what="the warning")
        self.assertEqual(status(NEXT_TOKEN), 200)
        self.token_file(NEXT_TOKEN)
        t.call("Signal", {"name": "recovery-listener", "signal": "HUP"})
        rig.eventually(lambda: status(TOKEN) == 401, what="the old one's end")
        self.assertEqual(status(NEXT_TOKEN), 200)

    def test_a_token_may_come_by_the_environment(self):
        self.start(args="-c 1h", env=f"RECOVERY_LISTENER_TOKEN = {TOKEN}")
        self.assertEqual(self.post()[0], 401)
        self.assertEqual(self.post(Authorization="Bearer " + TOKEN)[0], 200)

    def test_guesses_are_slowed_down_and_the_owner_is_not(self):
        self.start(args="-c 1h", env=f"RECOVERY_LISTENER_TOKEN = {TOKEN}")
        got = [self.post(Authorization=f"Bearer guess-{i:012}")
               for i in range(40)]
        self.assertEqual(got[0][0], 401)
        status, headers, _ = next(g for g in got if g[0] != 401)
        self.assertEqual(status, 429)
        self.assertGreater(int(headers["Retry-After"]), 0)
        self.assertEqual(self.post(Authorization="Bearer " + TOKEN)[0], 200)

    def test_a_token_that_is_no_secret_or_no_token_is_refused(self):
        for text, mode, words in (
                (TOKEN, 0o644, "others may read it: chmod 600"),
                ("short", 0o600, "a token has 5 characters"),
                ("", 0o600, "holds no token")):
            done = subprocess.run(
                [rig.program("recovery-listener"), "-T",
                 self.token_file(text, mode)], capture_output=True,
                text=True, timeout=rig.TIMEOUT, check=False)
            self.assertEqual(done.returncode, 100)
            self.assertIn(words, done.stderr)
        done = subprocess.run(
            [rig.program("recovery-listener"), "-T", self.where + "/none"],
            capture_output=True, text=True, timeout=rig.TIMEOUT, check=False)
        self.assertIn("none: No such file", done.stderr)


class Abuse(Listened):
    def status_of(self, octets):
        said = self.speak(octets)
        return int(said.split()[1]) if said else 0

    def test_what_may_mean_two_things_is_refused(self):
        t = self.start(args="-c 1h")
        host = b"Host: localhost\r\n"
        for name, octets, status in (
                ("two lengths", b"POST /recover HTTP/1.1\r\n" + host +
                 b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
                 400),
                ("lengths in a list", b"POST /recover HTTP/1.1\r\n" + host +
                 b"Content-Length: 2, 2\r\n\r\n{}", 400),
                ("chunked", b"POST /recover HTTP/1.1\r\n" + host +
                 b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                 400),
                ("both", b"POST /recover HTTP/1.1\r\n" + host +
                 b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                 b"2\r\n{}\r\n0\r\n\r\n", 400),
                ("two hosts", b"POST /recover HTTP/1.1\r\n" + host + host +
                 b"Content-Length: 2\r\n\r\n{}", 400),
                ("two origins", b"POST /recover HTTP/1.1\r\n" + host +
                 b"Origin: http://evil\r\nOrigin:\r\n\r\n", 400),
                ("folded", b"POST /recover HTTP/1.1\r\n" + host +
                 b"Transfer-Encoding: chunked\r\n x\r\n\r\n", 400),
                ("no host", b"POST /recover HTTP/1.1\r\n"
                 b"Content-Length: 2\r\n\r\n{}", 400),
                ("a long body", b"POST /recover HTTP/1.1\r\n" + host +
                 b"Content-Length: 4097\r\n\r\n", 413),
                ("a huge length", b"POST /recover HTTP/1.1\r\n" + host +
                 b"Content-Length: 999999999999\r\n\r\n", 413),
                ("the longest body", b"POST /recover HTTP/1.1\r\n" + host +
                 b"Content-Length: 4096\r\n\r\n" + b" " * 4096, 200)):
            with self.subTest(name=name):
                self.assertEqual(self.status_of(octets), status)
        said = self.speak(b"GET / HTTP/1.1\r\n" + host +
                          b"".join(b"X-%d: %s\r\n" % (i, b"y" * 1000)
                                   for i in range(100)) + b"\r\n")
        self.assertFalse(said.startswith(b"HTTP/1.1 200"))
        self.assertNotIn(b" 200 ", self.speak(b"\x00\xff garbage\r\n\r\n"))
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        self.assertEqual(t.service("recovery-listener")["restarts"], 0)

    def test_foreign_pages_and_names_are_refused(self):
        t = self.start(args="-a svtree.example")
        with t.subscribe() as events:
            for headers in ({"Origin": "https://evil.example"},
                            {"Origin": "null"},
                            {"Sec-Fetch-Site": "cross-site"},
                            {"Sec-Fetch-Site": "same-origin"},
                            {"Origin": f"http://127.0.0.1:{self.port}"}):
                self.assertEqual(self.post(**headers)[0], 403, headers)
            for host in ("evil.example", "evil.example:9099", "127.0.0.1.x",
                         "[::1", "localhost:x"):
                for method in ("GET", "POST"):
                    self.assertEqual(self.ask(method, "/recover", None,
                                              {"Host": host})[0], 421, host)
            self.drain(t, events)
            self.assertEqual(self.starts(events), 0)
        for host in ("localhost", f"localhost:{self.port}", "[::1]:9099",
                     "host.docker.internal:9099", "svtree.example"):
            self.assertEqual(self.ask("GET", "/", None, {"Host": host})[0],
                             200, host)
        self.assertNotIn("Access-Control-Allow-Origin",
                         self.ask("GET", "/")[1])

    def test_with_the_token_our_own_page_may_ask(self):
        self.start(args="-c 1h", env=f"RECOVERY_LISTENER_TOKEN = {TOKEN}")
        own = {"Authorization": "Bearer " + TOKEN, "Sec-Fetch-Site":
               "same-origin", "Origin": f"http://127.0.0.1:{self.port}"}
        self.assertEqual(self.post(**own)[0], 200)
        self.assertEqual(self.post(**{**own, "Origin": "http://evil.example"}
                                   )[0], 403)
        self.assertEqual(self.post(**{**own, "Sec-Fetch-Site": "cross-site"}
                                   )[0], 403)

    def test_stalled_and_dripping_clients_hold_up_nobody_and_end(self):
        self.start(args="-c 1h")
        stalled = [self.connect() for _ in range(5)]
        for link in stalled:
            link.sendall(b"POST /recover HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: 60\r\n\r\n{")
        drip = self.connect()
        drip.sendall(b"POST /recover HTTP/1.1\r\nHost: localhost\r\nX: ")
        began = time.monotonic()
        sent = 0
        while time.monotonic() - began < 40:
            readable, _, _ = select.select([drip], [], [], 0.2)
            if readable:
                break
            try:
                drip.sendall(b"x")
            except OSError:
                break
            sent += 1
            if sent % 5 == 0:
                self.assertEqual(self.post()[0], 200)
        else:
            self.fail("a dripping client was never ended")
        print(f"# a dripping client was ended after "
              f"{time.monotonic() - began:.1f} s")
        for link in stalled:
            self.hear(link)     # ends, too

    def test_two_hundred_idle_connections_hold_up_nobody(self):
        self.start(args="-c 1h")
        idle = [self.connect() for _ in range(200)]
        times = []
        for _ in range(20):
            began = time.monotonic()
            self.assertEqual(self.post()[0], 200)
            times.append((time.monotonic() - began) * 1000)
        print(f"# POST beside 200 idle connections: median "
              f"{statistics.median(times):.1f} ms, longest {max(times):.1f} "
              "ms")
        for link in idle:
            link.close()

    def test_too_many_requests_are_told_when_to_come_again(self):
        t = self.start(args="-c 1h")
        limited = None
        for _ in range(2000):
            status, headers, _ = self.post()
            if status != 200:
                limited = status, headers
                break
        self.assertIsNotNone(limited)
        self.assertEqual(limited[0], 429)
        self.assertGreater(int(limited[1]["Retry-After"]), 0)
        self.answers("/health", 200)
        self.assertEqual(t.service("recovery-listener")["restarts"], 0)


class Looking(Listened):
    def test_health_is_a_gate(self):
        llm = standin.Server("ollama")
        t = self.start({"ollama": llm.conf(health=QUICK), "a": SLEEPER,
                        "off": SLEEPER})
        llm.wait()
        t.call("Disable", {"name": "off"})
        t.wait("a", "UP")
        t.wait("off", "DOWN")

        def health(path, status, word=""):
            got = rig.eventually(
                lambda: (got := self.ask("GET", path))[0] == status and
                word in got[2]["status"] and got, what=f"{path} {status}")
            return got[2]
        # It runs, but nobody has seen it answer: no caller should rely on it.
        self.assertEqual(health("/health/ollama", 503), {
            "service": "ollama", "status": "starting", "state": "UP",
            "health": "unknown"})
        self.assertEqual(health("/health", 503)["unhealthy"],
                         {"ollama": "starting"})
        self.assertEqual(self.ask("GET", "/health/ollama")[1]["Retry-After"],
                         "2")
        # Without a probe nobody will ever judge it.
        self.assertEqual(health("/health/a", 200)["health"], "unknown")
        t.call("Report", {"name": "ollama", "health": "ok"})
        self.assertEqual(health("/health/ollama", 200, "ok")["state"], "UP")
        self.assertEqual(health("/health", 200)["status"], "ok")
        self.assertEqual(health("/health/off", 503)["status"], "stopped")
        self.assertNotIn("Retry-After", self.ask("GET", "/health/off")[1])
        self.assertEqual(health("/health/nosuch", 404)["status"],
                         "not found")
        for word, status in (("busy", 200), ("degraded", 200),
                             ("failing", 503)):
            t.call("Report", {"name": "ollama", "health": word})
            self.assertEqual(health("/health/ollama", status, word)["state"],
                             "UP")
        self.assertEqual(health("/health", 503)["unhealthy"],
                         {"ollama": "failing"})

    def test_status_is_the_supervisor_s_own(self):
        t = self.start({"a": SLEEPER})
        t.wait("a", "UP")
        _, _, said = self.ask("GET", "/status")
        mine = t.call("Status")
        self.assertEqual(said["supervisor"], mine["supervisor"])
        self.assertEqual([s["name"] for s in said["services"]],
                         [s["name"] for s in mine["services"]])
        self.assertEqual(set(said["services"][0]), set(mine["services"][0]))

    def test_figures_follow_what_happens(self):
        t = self.start({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]

        def figures(accept=None):
            _, headers, text = self.ask("GET", "/metrics", None, {
                "Accept": accept} if accept else {})
            rows = dict(line.rsplit(" ", 1) for line in text.splitlines()
                        if not line.startswith("#"))
            return headers["Content-Type"], text, rows
        kind, text, rows = figures()
        self.assertTrue(kind.startswith("application/openmetrics-text"))
        self.assertTrue(text.endswith("\n# EOF\n"))
        self.assertEqual(rows["svtree_up"], "1")
        self.assertIn("# TYPE svtree_service_restarts counter\n", text)
        self.assertEqual(rows[
            'svtree_service_restarts_total{service="a"}'], "0")
        os.kill(pid, signal.SIGKILL)
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)
        rig.eventually(lambda: figures()[2][
            'svtree_service_restarts_total{service="a"}'] == "1",
            what="the restart among the figures")
        _, _, rows = figures()
        self.assertEqual(rows['svtree_service_state{service="a",'
                              'svtree_service_state="UP"}'], "1")
        self.assertEqual(rows['svtree_service_health{service="a",'
                              'svtree_service_health="unknown"}'], "1")
        self.assertLess(abs(float(rows[
            'svtree_service_since_seconds{service="a"}']) - time.time()),
            3600)
        kind, text, _ = figures("text/plain;version=0.0.4")
        self.assertTrue(kind.startswith("text/plain; version=0.0.4"))
        self.assertIn("# TYPE svtree_service_restarts_total counter\n", text)
        self.assertNotIn("# EOF", text)
        self.post()
        _, _, rows = figures()
        self.assertEqual(rows[
            'svtree_recovery_requests_total{result="started"}'], "1")

    def test_a_dead_supervisor_s_records_are_still_read(self):
        t = self.start({"a": SLEEPER})
        t.wait("a", "UP")
        pid = t.service("recovery-listener")["pid"]
        t.kill_supervisor()
        said = rig.eventually(
            lambda: (got := self.ask("GET", "/status"))[0] == 200 and
            got[2]["supervisor"] is None and got[2], what="the records")
        self.assertIn("a", [s["name"] for s in said["services"]])
        self.assertEqual(self.ask("GET", "/health")[0], 503)
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        self.assertIn("svtree_up 0\n", self.ask("GET", "/metrics")[2])
        status, _, said = self.post()
        self.assertEqual((status, said["recovery_triggered"]), (200, False))
        self.assertIn("connect to", said["reason"])
        t.start()
        self.assertEqual(t.service("recovery-listener")["pid"], pid)
        self.answers("/health", 200)

    def test_without_records_it_says_so(self):
        port = rig.free_port()
        p = subprocess.Popen(
            [rig.program("recovery-listener"), "-p", str(port)],
            stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SVTREE_RUN": "/nonexistent"})
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stderr.close()))
        self.assertIn("listens on 127.0.0.1", p.stderr.readline())
        self.port = port
        status, _, said = self.ask("GET", "/status")
        self.assertEqual((status, said["status"]), (503, "unknown"))
        self.assertIn("/nonexistent/control", said["reason"])

    def test_a_supervisor_that_is_stopped_holds_up_nobody(self):
        t = self.start({"a": SLEEPER})
        t.wait("a", "UP")
        os.kill(t.process.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            rig.eventually(lambda: self.ask("GET", "/health")[0] == 503,
                           what="the verdict that it is unknown")
            for _ in range(20):
                self.assertEqual(self.ask("GET", "/healthz")[0], 200)
                self.assertFalse(self.post()[2]["recovery_triggered"])
            print(f"# 40 requests beside a stopped supervisor: "
                  f"{time.monotonic() - began:.2f} s")
        finally:
            os.kill(t.process.pid, signal.SIGCONT)
        self.answers("/health", 200)


class Addresses(Listened):
    def test_a_port_that_is_taken_is_named_with_its_holder(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            done = subprocess.run(
                [rig.program("recovery-listener"), "-p",
                 str(s.getsockname()[1])], capture_output=True, text=True,
                timeout=rig.TIMEOUT, check=False)
        self.assertEqual(done.returncode, 111)
        self.assertIn(f"pid {os.getpid()} (", done.stderr)

    def test_several_addresses_are_served(self):
        self.start(args="-l 127.0.0.1,127.0.0.2 -c 1h",
                   env=f"RECOVERY_LISTENER_TOKEN = {TOKEN}")
        for host in ("127.0.0.1", "127.0.0.2"):
            link = http.client.HTTPConnection(host, self.port,
                                              timeout=rig.TIMEOUT)
            link.request("GET", "/status")
            self.assertEqual(link.getresponse().status, 200)
            link.close()

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("ip") and
                         subprocess.run(["unshare", "-n", "true"],
                                        stderr=subprocess.DEVNULL,
                                        check=False).returncode == 0,
                         "needs root, ip and network namespaces")
    def test_a_bridge_that_appears_later_is_served_and_wants_the_token(self):
        where = rig.tempfile.mkdtemp(prefix="net.", dir="/tmp")
        self.addCleanup(shutil.rmtree, where)
        script = f"""
set -e
ip link set lo up
{rig.program("recovery-listener")} -p 9099 -l lo,192.0.2.1 2>{where}/log &
listener=$!
trap 'kill $listener' EXIT
until grep -q "192.0.2.1 is not there yet" {where}/log; do sleep 0.05; done
grep -q "listens on 127.0.0.1" {where}/log
ip addr add 192.0.2.1/32 dev lo
until grep -q "listens on 192.0.2.1" {where}/log; do sleep 0.1; done
python3 - <<'END'
import http.client
for path in "/healthz", "/status", "/{TOKEN}/status":
    link = http.client.HTTPConnection("192.0.2.1", 9099, timeout=10)
    link.request("GET", path)
    print(path, link.getresponse().status)
END
"""
        done = subprocess.run(
            ["unshare", "-n", "sh", "-c", script], capture_output=True,
            text=True, timeout=60, check=False, env={
                **os.environ, "SVTREE_RUN": "/nonexistent",
                "RECOVERY_LISTENER_TOKEN": TOKEN})
        self.assertEqual(done.stdout.splitlines(), [
            "/healthz 200", "/status 401", f"/{TOKEN}/status 503"],
            done.stderr)


class Use(unittest.TestCase):
    def test_wrong_use_is_100(self):
        for program, code, args in (
                ("recover", 100, ["x"]), ("recover", 100, ["--frob"]),
                ("recover", 100, ["--timeout", "soon"]),
                ("recover", 0, ["--help"]), ("recover", 0, ["--version"]),
                ("recovery-listener", 100, ["x"]),
                ("recovery-listener", 100, ["--port", "0"]),
                ("recovery-listener", 100, ["--listen", "1.2.3"]),
                ("recovery-listener", 100, ["--cooldown", "soon"]),
                ("recovery-listener", 0, ["--help"]),
                ("recovery-listener", 0, ["--version"])):
            with self.subTest(program=program, args=args):
                done = subprocess.run(
                    [rig.program(program), *args],
                    stdin=subprocess.DEVNULL, capture_output=True,
                    check=False, timeout=rig.TIMEOUT)
                self.assertEqual(done.returncode, code)
                self.assertEqual(bool(done.stderr), code != 0)


if __name__ == "__main__":
    rig.main()
