# SPDX-License-Identifier: ISC
"""health-monitor, with stand-ins for the servers that it asks."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import rig
import standin

MONITOR = """[service]
exec = health-monitor
ready = notify
grants = Report Restart Signal
"""

# All times of the shipped defaults (10 s, 3 s, 60 s) by one factor.
FACTOR = 1 / 20
FAST = ("interval = 500ms\ntimeout = 150ms\nthreshold = 3\n"
        "start-grace = 3s\nload-grace = 2s\n")
WINDOW = .5 * 1.1 + 3 * .15     # interval with its jitter, three timeouts

SLEEP = "[service]\nexec = sleep 1000\n[health]\n"


def note(text):
    print("# " + text, flush=True)


class Monitored(rig.Case):
    def start(self, services, monitor=MONITOR, **more):
        return self.tree({**services, "health-monitor": monitor}, **more)

    def health(self, tree, name, *words, timeout=rig.TIMEOUT):
        return tree.wait(name, lambda s: s["health"] in words,
                         timeout=timeout)

    def server(self, mode="ollama", health=FAST, name="llm", more=None,
               **conf):
        """A tree with one stand-in, healthy."""
        server = standin.Server(mode)
        tree = self.start({name: server.conf(health=health, **conf),
                           **(more or {})})
        self.health(tree, name, "ok")
        return tree, server

    def text(self, tree, words, name="llm"):
        """Until its evidence has these words: no event tells of that."""
        return rig.eventually(
            lambda: (sv := tree.service(name)) and
            words in (sv["health_text"] or "") and sv, what=words)

    def rounds(self, server, count=4, key="tags"):
        """Waits until it was asked so many times more."""
        first = server.state()[key]
        rig.eventually(lambda: server.state()[key] >= first + count,
                       what=f"{count} more probes")

    def incident(self, events, words, name="llm"):
        return events.until(lambda e: e["event"] == "incident" and
                            e["service"] == name and words in e["reason"])

    def restarts(self, events, name="llm"):
        return events.until(lambda e: e["event"] == "verb" and
                            e["service"] == name and
                            e["reason"] == "restart")


class Said(Monitored):
    """What a service writes to its log."""

    def talker(self, more):
        """A tree whose service a says what is put into its file say."""
        tree = self.start({"a": {
            "conf": "[health]\ntype = exec\ncommand = /bin/sh probe\n" +
            FAST + more,
            "run": "echo begins; while :; do if [ -e say ]; then cat say; "
                   "rm say; fi; sleep .05; done\n",
            "files": {"probe": "echo >>asked\n"}}})
        self.health(tree, "a", "ok")
        # What it says as it starts does not count.
        since = time.monotonic()
        rig.eventually(lambda: time.monotonic() > since + 1.2, what="a while")
        self.looked(tree)
        return tree

    def looked(self, tree):
        """Until its log was looked at, after a probe."""
        asked = os.path.join(tree.services, "a", "asked")
        first = os.path.getsize(asked)
        rig.eventually(lambda: os.path.getsize(asked) > first + 1,
                       what="two more probes")

    def say(self, tree, text):
        place = os.path.join(tree.services, "a", "say")
        with open(place + ".new", "w", encoding="ascii") as f:
            f.write(text)
        os.rename(place + ".new", place)
        rig.eventually(lambda: not os.path.exists(place), what="its words")

    def test_lines_that_mean_failing_restart_it(self):
        tree = self.talker('log-failing = "out of memory" wedged\n')
        pid = tree.service("a")["pid"]
        with tree.subscribe() as events:
            self.say(tree, "all is well\nGPU: out of memory\n")
            e = self.incident(events, "its log says", "a")
            self.assertEqual(e["reason"],
                             "its log says: GPU: out of memory")
            self.say(tree, "wedged 1\nwedged 2\n")
            e = events.until(lambda e: e["event"] == "health" and
                             e["health"] == "failing")
            self.assertEqual(e["reason"],
                             "fails: its log says, 3 times: wedged 2")
            self.restarts(events, "a")
        tree.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)
        # The words of the run before are not those of this one.
        self.health(tree, "a", "ok")

    def test_lines_are_read_over_a_rotation(self):
        tree = self.talker("log-failing = wedged\nrestart = no\n"
                           "[log]\nmax-size = 4K\n")
        with tree.subscribe() as events:
            for i in range(3):
                self.say(tree, f"wedged {i}\n" + 200 * "nothing to see\n")
                self.looked(tree)
            events.until(lambda e: e["event"] == "health" and
                         "wedged 2" in (e["reason"] or ""))
        self.assertGreater(len(os.listdir(os.path.join(tree.log, "a"))), 2)
        self.assertEqual(tree.service("a")["restarts"], 0)

    def test_texts_that_are_new_are_not_looked_for_in_the_past(self):
        tree = self.talker("")
        self.say(tree, 3 * "wedged\n")
        rig.eventually(lambda: tree.log_text("a").count("wedged") == 3,
                       what="its words in the log")
        path = os.path.join(tree.services, "a", "service.conf")
        with open(path, "a", encoding="ascii") as f:
            f.write("log-failing = wedged\nlog-warning = strange\n")
        tree.svctl("reload", check=True)

        def told():
            self.say(tree, "strange\n")
            return "its log says" in tree.svctl("history", "a").stdout

        rig.eventually(told, what="what it says now")
        self.assertNotIn("wedged", tree.svctl("history", "a").stdout)
        self.assertEqual(tree.service("a")["restarts"], 0)

    def test_a_warning_is_told_and_nothing_is_done(self):
        tree = self.talker("log-warning = NameError\n")
        with tree.subscribe() as events:
            self.say(tree, "NameError: name 'Optional' is not defined\n")
            self.incident(events, "its log says: NameError: name 'Optional' "
                          "is not defined", "a")
        sv = self.health(tree, "a", "degraded")
        self.assertIn("answers, but its log says: NameError",
                      sv["health_text"])
        self.assertEqual(sv["restarts"], 0)


class Ollama(Monitored):
    def test_killed_serve_is_back_at_once_and_alone(self):
        """SIGKILL of ollama serve: runners go, it is back, others live on"""
        took = self.killed_serve()
        note(f"SIGKILL of ollama serve with 3 stubborn runners: a new one "
             f"answers after {took * 1000:.0f} ms")

    def killed_serve(self):
        """Seconds until there is a new one, with all that must hold."""
        where = tempfile.mkdtemp(prefix="hm.", dir="/tmp")
        self.addCleanup(shutil.rmtree, where)
        for name in ("ollama", "ollama-mcp"):
            os.symlink(rig.program("llm-standin"), f"{where}/{name}")
        log = f"{where}/ollama.log"
        with open(log, "w", encoding="ascii"):
            pass
        others = [subprocess.Popen(a, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL,
                                   start_new_session=True)
                  for a in ([f"{where}/ollama-mcp", "mlx", "--port",
                             str(rig.free_port())],
                            ["tail", "-f", log])]
        for p in others:
            self.addCleanup(p.wait)
            self.addCleanup(p.kill)
        server = standin.Server()
        tree = self.start({"ollama": (
            f"[service]\nexec = port-guard {server.port} -- {where}/ollama "
            "serve\n[environment]\n"
            f"OLLAMA_HOST = 127.0.0.1:{server.port}\n"
            f"[health]\ntype = ollama\nurl = {server.url}\n" + FAST)})
        self.health(tree, "ollama", "ok")
        runners = server.fault("runners", count=3, ignore_term=True)
        old = tree.service("ollama")["pid"]
        self.assertEqual(runners["pid"], old)
        with tree.subscribe() as events:
            begin = time.monotonic()
            os.kill(old, signal.SIGKILL)
            state = rig.eventually(server.state, what="a new one")
            took = time.monotonic() - begin
            # The new one lives, so none of the old may.
            self.assertEqual(list(filter(rig.alive, runners["runners"])), [])
            events.until(lambda e: e["event"] == "exit" and
                         "killed by SIGKILL" in e["reason"])
        self.assertNotEqual(state["pid"], old)
        self.assertEqual(server.answers(), 200)
        sv = self.health(tree, "ollama", "ok")
        self.assertEqual(sv["restarts"], 1)
        self.assertEqual([p.poll() for p in others], [None, None])
        return took

    def test_killed_serve_without_runners(self):
        """without runners it is quicker still"""
        tree, server = self.server(guard=True)
        old = tree.service("llm")["pid"]
        begin = time.monotonic()
        os.kill(old, signal.SIGKILL)
        rig.eventually(lambda: server.answers() == 200, what="a new one")
        note("SIGKILL of ollama serve: a new one answers after "
             f"{(time.monotonic() - begin) * 1000:.0f} ms")
        self.health(tree, "llm", "ok")

    def test_a_hang_is_found_and_replaced(self):
        """a hang is found, replaced, and told in status, history and log"""
        tree, server = self.server()
        old = tree.service("llm")["pid"]
        words = "hung: no answer to GET /api/tags within 150 ms, 3 times"
        with tree.subscribe() as events:
            begin = time.monotonic()
            server.fault("hang")
            failing = events.until(lambda e: e["event"] == "health")
            found = time.monotonic() - begin
            self.restarts(events)
            stopping = events.state("llm", "STOPPING")
            healed = self.incident(events, "healed")
            took = time.monotonic() - begin
        note(f"times of the shipped configuration by {FACTOR}: hang found "
             f"after {found:.2f} s (window {WINDOW:.2f} s), healed after "
             f"{took:.2f} s")
        self.assertEqual((failing["health"], failing["reason"]),
                         ("failing", words))
        self.assertEqual(stopping["reason"], words)
        self.assertRegex(healed["reason"], "^healed by a restart after .*: "
                         + words)
        sv = tree.wait("llm", lambda s: s["text"])
        self.assertEqual(sv["text"], "restarted: " + words)
        self.assertNotEqual(sv["pid"], old)
        self.assertEqual((sv["state"], sv["health"], sv["restarts"]),
                         ("UP", "ok", 1))
        self.assertIn(words, tree.svctl("status", "llm").stdout)
        rig.eventually(lambda: words in tree.svctl("history").stdout,
                       what="the reason in the history")
        rig.eventually(lambda: words in tree.log_text("health-monitor"),
                       what="the reason in the log")

    def test_a_hang_that_ignores_term_is_killed(self):
        tree, server = self.server(service="stop-timeout = 500ms")
        server.fault("ignore-term")
        old = server.state()["pid"]
        server.fault("hang")
        tree.wait("llm", lambda s: s["pid"] not in (None, old))
        self.health(tree, "llm", "ok")
        self.assertFalse(rig.alive(old))

    def test_evidence_is_kept(self):
        """its last lines, and where it hung when asked to tell"""
        tree, server = self.server(health=FAST + "dump = yes\n")
        server.request("/api/embed", {"model": "none"})
        with tree.subscribe() as events:
            server.fault("hang")
            e = self.incident(events, "its last line")
            self.assertIn(" | [GIN]", e["reason"])
            self.assertTrue(e["reason"].endswith('POST    "/api/embed"'), e)
            self.incident(events, "healed by a restart")
        rig.eventually(lambda: "goroutine 1" in tree.log_text("llm"),
                       what="the dump")
        sv = self.health(tree, "llm", "ok")
        self.assertEqual(sv["last_exit"]["code"], 2)
        self.assertTrue(sv["text"].startswith("restarted: hung:"), sv)

    def test_a_dump_is_not_waited_for_long(self):
        """a process that SIGQUIT does not move is restarted all the same"""
        tree = self.start({"a": {
            "conf": "[service]\nexec = /bin/sh run.sh\n[health]\n"
            "type = exec\ncommand = test ! -e bad\ndump = yes\n" + FAST,
            "files": {"run.sh": "trap '' QUIT\nwhile :; do sleep 1; done"}}})
        pid = self.health(tree, "a", "ok")["pid"]
        tree.add("a", {"files": {"bad": ""}})
        tree.wait("a", lambda s: s["pid"] not in (None, pid))

    def test_busy_is_left_alone(self):
        """503 is busy: told, and left alone"""
        tree, server = self.server()
        pid = tree.service("llm")["pid"]
        server.fault("busy")
        sv = self.health(tree, "llm", "busy")
        self.assertIn("GET /api/tags: 503: {\"error\":\"server busy",
                      sv["health_text"])
        with tree.subscribe() as events:
            begin = time.monotonic()
            while time.monotonic() - begin < 4 * WINDOW:
                try:
                    event = events.next(4 * WINDOW)
                except TimeoutError:
                    break
                self.assertNotEqual(event["event"], "verb")
        self.assertEqual((tree.service("llm")["pid"], tree.service("llm")[
            "restarts"]), (pid, 0))
        server.fault("none")
        self.health(tree, "llm", "ok")

    def test_slow_answers_within_the_timeout_are_good(self):
        tree, server = self.server(health=FAST.replace("150ms", "2s"))
        server.fault("slow", ms=500)
        self.rounds(server, 3)
        self.assertEqual(tree.service("llm")["health"], "ok")

    def test_a_flap_is_no_change(self):
        """fewer failures in a row than the threshold change nothing"""
        tree, server = self.server(
            health=FAST.replace("threshold = 3", "threshold = 50"))
        with tree.subscribe() as events:
            server.fault("error")
            rig.eventually(lambda: server.state()["other"] >= 0 and
                           self.asked_in_vain(tree), what="failed probes")
            server.fault("none")
            self.rounds(server, 2)
            tree.call("Report", {"name": "llm", "text": "end"})
            events.until(lambda e: e["event"] == "text")
            self.assertEqual([e for e in events.seen if e["event"] in
                              ("health", "verb")], [])

    @staticmethod
    def asked_in_vain(tree):
        return tree.log_text("llm").count("| 500 |") >= 3

    def test_errors_are_failures(self):
        tree, server = self.server()
        with tree.subscribe() as events:
            server.fault("error")
            e = events.until(lambda e: e["event"] == "health")
            self.assertEqual(e["health"], "failing")
            self.assertTrue(e["reason"].startswith(
                "fails: GET /api/tags answers 500, 3 times: "
                '{"error":"internal error"}'), e)
            self.restarts(events)

    def test_restart_no_only_tells(self):
        tree, server = self.server(health=FAST + "restart = no\n")
        pid = tree.service("llm")["pid"]
        server.fault("hang")
        self.health(tree, "llm", "failing")
        # Found out three times over, and still there.
        server.fault("none")
        self.health(tree, "llm", "ok")
        sv = tree.service("llm")
        self.assertEqual((sv["pid"], sv["restarts"]), (pid, 0))

    def test_what_a_person_stopped_is_not_asked(self):
        tree, server = self.server()
        tree.call("Stop", {"name": "llm"})
        tree.wait("llm", "DOWN")
        with socket.create_server(("127.0.0.1", server.port)) as s:
            s.settimeout(1.5)
            with self.assertRaises(TimeoutError):
                s.accept()

    def test_a_model_that_is_missing_is_named(self):
        server = standin.Server()
        tree = self.start({"llm": server.conf(
            health=FAST + "models = llama3.2:1b qwen3:8b\n")})
        sv = self.health(tree, "llm", "failing")
        self.assertEqual(sv["health_text"], "GET /api/tags: qwen3:8b is not "
                         "there, 2 others")
        self.assertEqual(sv["restarts"], 0)

    def test_a_model_without_its_tag_is_the_latest(self):
        self.server(health=FAST + "models = nomic-embed-text llama3.2:1b\n")

    def test_models_on_the_cpu_are_degraded(self):
        tree, server = self.server()
        server.fault("loaded", model="llama3.2:1b")
        server.fault("cpu")
        sv = self.health(tree, "llm", "degraded")
        self.assertEqual(sv["health_text"], "GET /api/ps: 200: llama3.2:1b "
                         "is only 0 % on the GPU")
        server.fault("none")
        self.assertEqual(self.health(tree, "llm", "ok")["restarts"], 0)

    def test_silence_at_work_is_busy_then_hung(self):
        """silence at work is busy, up to load-grace"""
        # A loaded machine must give them their share within the timeout.
        tree, server = self.server(health=FAST.replace(
            "150ms", "1s").replace("= 2s", "= 6s"))
        server.fault("runners", spin=True)
        with tree.subscribe(timeout=30) as events:
            server.fault("hang")
            e = events.until(lambda e: e["event"] == "health")
            self.assertEqual((e["health"], e["reason"]), (
                "busy", "busy: silent on GET /api/tags, but its processes "
                "work"))
            e = events.until(lambda e: e["event"] == "health")
            self.assertEqual(e["health"], "failing")
            self.restarts(events)
        self.health(tree, "llm", "ok")

    def test_a_wedged_scheduler(self):
        """/ answers, /api/ps does not: busy, then hung after load-grace"""
        tree, server = self.server()
        with tree.subscribe() as events:
            server.fault("wedge")
            e = events.until(lambda e: e["event"] == "health")
            self.assertEqual(e["health"], "busy")
            self.assertIn("silent on GET /api/ps", e["reason"])
            e = events.until(lambda e: e["event"] == "health")
            self.assertEqual((e["health"], e["reason"]), (
                "failing", "hung: silent on GET /api/ps for 2 s, though it "
                "answers GET /api/tags"))
            self.restarts(events)
        self.health(tree, "llm", "ok")


class Deep(Monitored):
    DEEP = FAST + "deep = 300ms\ndeep-timeout = 300ms\n"

    def test_only_a_loaded_model_is_asked(self):
        """one token of a loaded model, without options that change it"""
        tree, server = self.server(health=self.DEEP)
        self.rounds(server, 3)
        self.assertEqual(server.state()["inference"], 0)
        server.fault("loaded", model="llama3.2:1b")
        state = rig.eventually(lambda: (s := server.state()) and
                               s["inference"] and s, what="a deep probe")
        self.assertEqual(state["last"], '{"model":"llama3.2:1b","prompt":'
                         '"1","stream":false,"think":false,"options":'
                         '{"num_predict":1}}')
        self.assertEqual(tree.service("llm")["health"], "ok")

    def test_an_idle_model_may_expire(self):
        """nobody else uses the model: it is asked once"""
        tree, server = self.server(health=self.DEEP)
        server.request("/api/generate", {"model": "llama3.2:1b"})
        rig.eventually(lambda: server.state()["inference"] == 2,
                       what="a deep probe")
        self.rounds(server, 4)
        self.assertEqual(server.state()["inference"], 2)
        server.request("/api/generate", {"model": "llama3.2:1b"})
        rig.eventually(lambda: server.state()["inference"] == 4,
                       what="one more after its use")
        self.assertEqual(tree.service("llm")["health"], "ok")

    def test_lost_time_makes_it_due(self):
        """after sleep a token is asked for as soon as the grace is over"""
        tree, server = self.server(
            health=FAST + "deep = 1h\nwake-grace = 100ms\n")
        server.request("/api/generate", {"model": "llama3.2:1b"})
        self.rounds(server, 2)
        self.assertEqual(server.state()["inference"], 1)
        pid = tree.service("health-monitor")["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            with tree.subscribe() as events:
                with self.assertRaises(TimeoutError):
                    events.next(3)
        finally:
            os.kill(pid, signal.SIGCONT)
        rig.eventually(lambda: server.state()["inference"] == 2,
                       what="a deep probe")
        self.assertEqual(tree.service("llm")["health"], "ok")

    def test_unload_before_restart(self):
        """no token: the model is unloaded first, then the server restarted"""
        tree, server = self.server(health=self.DEEP)
        server.request("/api/generate", {"model": "llama3.2:1b"})
        with tree.subscribe() as events:
            server.fault("generate-fails")
            e = events.until(lambda e: e["event"] == "health")
            self.assertEqual(e["health"], "failing")
            self.assertIn("fails: POST /api/generate answers 500, 2 times: "
                          '{"error":"llama runner process has terminated',
                          e["reason"])
            self.incident(events, "unload llama3.2:1b: fails")
            self.restarts(events)
        self.health(tree, "llm", "ok")

    def test_a_token_outweighs_what_its_log_says(self):
        """it says that it fails, more than often enough, and computes"""
        tree, server = self.server(
            health=FAST + "deep = 1h\nlog-failing = wedged\n")
        server.request("/api/generate", {"model": "llama3.2:1b"})
        since = time.monotonic()
        rig.eventually(lambda: time.monotonic() > since + 1.2, what="a while")
        pid = tree.service("llm")["pid"]
        with tree.subscribe() as events:
            with open(f"/proc/{pid}/fd/1", "w", encoding="ascii") as out:
                out.write(5 * "wedged\n")
            self.incident(events, "its log says: wedged")
        rig.eventually(lambda: server.state()["inference"] == 2,
                       what="a deep probe")
        self.rounds(server)
        sv = tree.service("llm")
        self.assertEqual((sv["health"], sv["restarts"]), ("ok", 0))
        self.assertNotIn("unload", tree.svctl("history", "llm").stdout)

    def test_a_busy_server_is_no_reason_to_hurry(self):
        """a deep probe that is due waits for the end of busy, asleep"""
        tree, server = self.server(health=self.DEEP)
        server.fault("busy")
        self.health(tree, "llm", "busy")
        first = server.state()["tags"]
        with tree.subscribe() as events:
            with self.assertRaises(TimeoutError):
                events.until(lambda e: e["service"] == "llm", 4)
        # Every half second, and not as fast as it can.
        self.assertLess(server.state()["tags"] - first, 40)
        server.fault("none")
        self.health(tree, "llm", "ok")

    def test_unloading_may_be_enough(self):
        tree, server = self.server(health=self.DEEP)
        server.request("/api/generate", {"model": "llama3.2:1b"})
        with tree.subscribe() as events:
            server.fault("generate-fails")
            self.incident(events, "unload")
            server.fault("none")
            server.request("/api/generate", {"model": "llama3.2:1b",
                                             "keep_alive": 0})
            e = events.until(lambda e: e["event"] == "health")
            self.assertEqual(e["health"], "ok")
        self.assertEqual(tree.service("llm")["restarts"], 0)


class Foreign(Monitored):
    def test_models_of_nobody_are_not_healthy(self):
        """our own server without a model: failing, no restart, what to do"""
        tree, server = self.server()
        server.fault("empty")
        sv = self.health(tree, "llm", "failing")
        self.assertIn("GET /api/tags says models: []", sv["health_text"])
        sv = tree.wait("llm", lambda s: s["text"])
        self.assertIn("set user = owner-of:MODELS", sv["text"])
        self.rounds(server, 4)
        self.assertEqual(tree.service("llm")["restarts"], 0)
        server.fault("none")
        sv = tree.wait("llm", lambda s: s["health"] == "ok" and
                       not s["text"])

    @unittest.skipIf(os.geteuid() != 0, "only root can be another user")
    def test_another_user_s_server_on_the_port(self):
        """another user's server has the port: named, and not fought"""
        where = tempfile.mkdtemp(prefix="hm.", dir="/tmp")
        self.addCleanup(shutil.rmtree, where)
        os.chmod(where, 0o755)
        shutil.copy(rig.program("llm-standin"), f"{where}/ollama")
        for guard in (True, False):
            with self.subTest(guard=guard):
                self.foreign(f"{where}/ollama", guard)

    def foreign(self, program, guard):
        other = standin.Process(user="nobody", program=program,
                                env={"STANDIN_FAULT": "empty"})
        self.addCleanup(other.close)
        if guard:
            conf = other.conf(health=FAST, guard=True)
        else:       # one that serves elsewhere, though asked for here
            conf = ("[service]\nexec = sleep 1000\n[health]\ntype = ollama\n"
                    f"url = {other.url}\n" + FAST)
        tree = self.start({"llm": conf})
        sv = tree.wait("llm", lambda s: s["health"] == "failing" and
                       s["text"])
        pid = other.process.pid
        self.assertEqual(sv["health_text"], f"port {other.port} is held by "
                         f"pid {pid} (ollama, user nobody)")
        self.assertIn(f"kill {pid}", sv["text"])
        text = tree.svctl("status", "llm").stdout
        for word in (str(pid), "ollama", "nobody", f"kill {pid}"):
            self.assertIn(word, text)
        self.rounds(other, 4)
        sv = tree.service("llm")
        self.assertEqual((sv["restarts"], sv["state"]), (0, "UP"))
        self.assertIsNone(other.process.poll())
        if guard:
            other.close()
            sv = self.health(tree, "llm", "ok")
            self.assertEqual(sv["restarts"], 0)
        tree.close()


class Others(Monitored):
    def test_mlx_words(self):
        """the MLX server's words of health"""
        tree, server = self.server("mlx")
        for word, health in (("degraded", "busy"), ("warning", "degraded"),
                             ("critical", "degraded"), ("healthy", "ok")):
            server.fault("status", word=word)
            text = "GET /health: 200 in" if health == "ok" else f"says {word}"
            sv = self.text(tree, text)
            self.assertEqual((sv["health"], sv["restarts"]), (health, 0))

    def test_rate_limit_is_busy(self):
        tree, server = self.server("mlx")
        server.fault("busy", status=429)
        self.assertIn("429", self.health(tree, "llm", "busy")["health_text"])

    def test_mlx_hang(self):
        tree, server = self.server("mlx")
        with tree.subscribe() as events:
            server.fault("hang")
            self.restarts(events)
        self.health(tree, "llm", "ok")

    def test_openai_loads(self):
        """503 Loading model is loading, whenever it comes"""
        server = standin.Server("openai")
        tree = self.start({"llm": server.conf(
            health=FAST.replace("= 2s", "= 60s") + "models = llama3.2:1b\n",
            env={"STANDIN_FAULT": "loading"})})
        sv = self.text(tree, "Loading model")
        self.assertEqual(sv["health"], "unknown")
        server.fault("none")
        self.health(tree, "llm", "ok")
        server.fault("loading")
        self.health(tree, "llm", "busy")

    def test_a_server_without_health_is_asked_elsewhere(self):
        """/health is 404: the list of models tells that it lives"""
        server = standin.Server("ollama")       # it has /v1/models
        tree = self.start({"llm": server.conf(health=FAST).replace(
            "type = ollama", "type = openai")})
        sv = self.health(tree, "llm", "ok")
        self.assertIn("GET /v1/models: 200", sv["health_text"])

    def test_http(self):
        server = standin.Server("mlx")
        tree = self.start({
            "llm": server.conf(health=FAST),
            "web": SLEEP + f"type = http\nurl = {server.url}/health\n" + FAST,
            "path": SLEEP + f"type = http\nurl = {server.url}\n"
                    "ready = /nowhere\nrestart = no\n" +
                    FAST.replace("3s", "1ms")})
        sv = self.health(tree, "web", "ok")
        self.assertIn("GET /health: 200 in", sv["health_text"])
        sv = self.health(tree, "path", "failing")
        self.assertEqual(sv["health_text"], "fails: GET /nowhere answers "
                         "404, 3 times: {\"detail\":\"Not Found\"}")

    def test_the_other_address(self):
        """only the address for containers is silent: degraded"""
        other = rig.free_port()
        tree, server = self.server(
            "mlx", health=FAST + f"also = http://127.0.0.2:{other}\n")
        sv = self.health(tree, "llm", "degraded")
        self.assertEqual(sv["health_text"], "answers, but not at "
                         f"http://127.0.0.2:{other}: Connection refused")
        self.assertEqual(sv["restarts"], 0)

    def test_tcp(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
            tree = self.start({"a": SLEEP + "type = tcp\n"
                               f"url = tcp://127.0.0.1:{port}\n" + FAST})
            self.health(tree, "a", "ok")
        with tree.subscribe() as events:
            e = events.until(lambda e: e["event"] == "health" and
                             e["health"] == "failing")
            self.assertEqual(e["reason"], "dead: nobody listens (connect to "
                             f"127.0.0.1:{port}), 3 times")
            self.restarts(events, "a")

    def test_exec(self):
        tree = self.start({"a": {
            "conf": SLEEP + "type = exec\ncommand = /bin/sh probe\n" + FAST,
            "files": {"probe": "echo well; test ! -e bad || "
                      "{ echo so bad >&2; exit 3; }\n"}}})
        sv = self.health(tree, "a", "ok")
        self.assertIn("the command sh: good in", sv["health_text"])
        self.assertTrue(sv["health_text"].endswith(", well"))
        with tree.subscribe() as events:
            tree.add("a", {"files": {"bad": ""}})
            e = events.until(lambda e: e["event"] == "health")
            self.assertEqual(e["reason"], "fails: the command sh, 3 times: "
                             "exit code 3, so bad")
            self.restarts(events, "a")

    def test_what_a_probe_printed_is_kept_whole(self):
        words = " ".join(f"word{i}" for i in range(60))     # 400 bytes
        tree = self.start({"a": {
            "conf": SLEEP + "type = exec\ncommand = /bin/sh probe\n"
            "restart = no\n" + FAST,
            "files": {"probe": f"test ! -e bad || {{ echo {words}; "
                      "echo the end; exit 3; }\n"}}})
        self.health(tree, "a", "ok")
        with tree.subscribe() as events:
            tree.add("a", {"files": {"bad": ""}})
            e = self.incident(events, "was told", "a")
            self.assertEqual(e["reason"],
                             f"the probe was told: {words} the end")
        self.assertIn(words, tree.svctl("history", "a", check=True).stdout)

    def test_a_command_that_hangs_is_killed(self):
        tree = self.start({"a": {
            "conf": SLEEP + "type = exec\ncommand = /bin/sh probe\n" +
            FAST.replace("3s", "10ms") + "restart = no\n",
            "files": {"probe": "echo $$ >>pids; sleep 1000\n"}}})
        sv = self.health(tree, "a", "failing")
        self.assertEqual(sv["health_text"], "hung: no answer to the command "
                         "sh within 150 ms, 3 times")
        with open(os.path.join(tree.services, "a", "pids"),
                  encoding="ascii") as f:
            first = int(f.readline())
        rig.eventually(lambda: not rig.alive(first), what="the end of it")

    @unittest.skipIf(os.geteuid() != 0, "only root can be another user")
    def test_a_command_runs_as_the_service_s_user(self):
        tree = self.start({"a": {
            "conf": "[service]\nexec = sleep 1000\nuser = nobody\n[health]\n"
            "type = exec\ncommand = id -un\n" + FAST}})
        sv = self.health(tree, "a", "ok")
        self.assertTrue(sv["health_text"].endswith(", nobody"), sv)


class Configuration(rig.Case):
    def test_every_mistake_has_its_line(self):
        """svctl check tells what a [health] section lacks, with its line"""
        for conf, line, words in (
                ("type = http", 4, "type: http wants a url"),
                ("type = exec", 4, "type: exec wants a command"),
                ("type = docker", 4, "type: docker wants a container"),
                ("type = tcp\nurl = tcp://db:5432", 5, "such as tcp://127."),
                ("type = tcp\nurl = http://h:1", 5, "wants tcp://HOST:PORT"),
                ("type = mlx\nurl = tcp://h:1", 5, "wants http://HOST:PORT"),
                ("type = http\nurl = http://h:1\ninterval = 0", 6,
                 "interval: at least 10ms"),
                ("type = http\nurl = http://h:1\ntimeout = 1ms", 6,
                 "timeout: at least 10ms"),
                ("type = http\nurl = http://h:1\nlive = x", 6, "is no path"),
                ("type = http\nurl = http://h:1\ndeep = 5m", 6,
                 "computes no tokens"),
                ("type = mlx\nurl = http://h:1\ndeep = 5m", 6,
                 "wants models"),
                ("type = tcp\nurl = tcp://[::1]:1\nalso = http://h:1", 6,
                 "no other address")):
            with self.subTest(conf):
                tree = self.tree({"a": SLEEP + conf + "\n"}, start=False)
                done = tree.svctl("check", tree.services)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"a/service.conf:{line}: ", done.stderr)
                self.assertIn(words, done.stderr)

    def test_good_addresses(self):
        for conf in ("type = tcp\nurl = tcp://[::1]:5432",
                     "type = tcp\nurl = tcp://localhost:5432",
                     "type = mlx\nurl = http://h:1\ndeep = 5m\nmodels = m"):
            tree = self.tree({"a": SLEEP + conf + "\n"}, start=False)
            tree.svctl("check", tree.services, check=True)


class Start(Monitored):
    def test_a_slow_start_is_no_failure(self):
        """within start-grace silence is starting"""
        server = standin.Server()
        tree = self.start({"llm": server.conf(
            health=FAST.replace("3s", "60s"),
            env={"STANDIN_START_MS": "2500"})})
        sv = self.text(tree, "starting: no good answer to GET /api/tags yet")
        self.assertEqual(sv["health"], "unknown")
        sv = self.health(tree, "llm", "ok")
        self.assertEqual(sv["restarts"], 0)

    def test_one_that_never_starts_is_restarted(self):
        server = standin.Server()
        tree = self.start({"llm": server.conf(
            health=FAST.replace("3s", "300ms"),
            env={"STANDIN_START_MS": "1000000"})})
        with tree.subscribe() as events:
            self.restarts(events)

    def test_needs_healthy_waits_for_the_verdict(self):
        server = standin.Server()
        tree = self.start({
            "llm": server.conf(health=FAST, env={"STANDIN_START_MS": "700"}),
            "user": "[service]\nexec = sleep 1000\nneeds = llm:healthy\n"})
        with tree.subscribe() as events:
            self.assertEqual(tree.service("user")["state"], "WAITING")
            events.state("user", "UP")
            self.assertTrue([e for e in events.seen if e["event"] == "health"
                             and e["health"] == "ok"])


class Ladder(Monitored):
    def test_restarts_have_an_end(self):
        """what three restarts do not heal is given up, and told"""
        tree, server = self.server(env={"STANDIN_FAULT": ""})
        tree.add("llm", server.conf(health=FAST.replace("3s", "50ms"),
                                    env={"STANDIN_FAULT": "hang"}))
        tree.svctl("reload", check=True)
        with tree.subscribe() as events:
            tree.call("Restart", {"name": "llm"})
            for _ in range(4):              # ours, and three of the monitor
                self.restarts(events)
            self.incident(events, "gave up after 3 restarts: hung: no "
                          "answer to GET /api/tags")
        sv = tree.wait("llm", lambda s: s["text"])
        self.assertIn("restarted 3 times in 30 min in vain", sv["text"])
        self.assertEqual((sv["health"], sv["restarts"]), ("failing", 3))
        # A new monitor knows that, too; as a last resort, it has recover
        # look at all.
        tree.add("recover", {"conf": "[service]\ntype = oneshot\n"
                                     "exec = true\n", "down": True})
        tree.add("health-monitor", MONITOR.replace("Signal", "Signal Once"))
        tree.svctl("reload", check=True)
        with tree.subscribe() as events:
            os.kill(tree.service("health-monitor")["pid"], signal.SIGKILL)
            self.incident(events, "gave up after 3 restarts")
            events.until(lambda e: e["service"] == "recover" and
                         e["event"] == "exit")
            self.assertEqual([(e["service"], e["reason"]) for e in
                              events.seen if e["event"] == "verb"],
                             [("recover", "once")])
        # A person's word gives it new credit.
        with tree.subscribe() as events:
            tree.svctl("restart", "llm", check=True)
            self.restarts(events)
            self.restarts(events)

    def test_one_llm_server_at_a_time(self):
        """a second server is not restarted before the first is well"""
        a, b = standin.Server(), standin.Server("mlx")
        tree = self.start({
            "a": a.conf(health=FAST.replace("= 3s", "= 60s"),
                        env={"STANDIN_START_MS": "4000"}),
            "b": b.conf(health=FAST)})
        self.health(tree, "a", "ok", timeout=30)
        self.health(tree, "b", "ok")
        with tree.subscribe() as events:
            a.fault("hang")
            self.restarts(events, "a")
            b.fault("hang")
            events.until(lambda e: e["event"] == "text" and
                         e["service"] == "b" and "waits with a restart" in
                         e["reason"], timeout=30)
            self.restarts(events, "b")
            healths = [(e["service"], e["health"]) for e in events.seen
                       if e["event"] == "health"]
            self.assertIn(("a", "ok"), healths)
        self.health(tree, "b", "ok")


class Itself(Monitored):
    def test_follows_a_new_supervisor(self):
        tree, server = self.server()
        pid = tree.service("health-monitor")["pid"]
        tree.kill_supervisor()
        tree.start()
        self.assertEqual(tree.service("health-monitor")["pid"], pid)
        with tree.subscribe() as events:
            server.fault("hang")
            self.restarts(events)
        self.health(tree, "llm", "ok")

    def test_reload_brings_new_probes(self):
        tree, server = self.server()
        tree.add("more", SLEEP + f"type = http\nurl = {server.url}/\n" + FAST)
        tree.svctl("reload", check=True)
        self.health(tree, "more", "ok")
        tree.add("llm", server.conf(health=FAST + "models = other:1b\n"))
        tree.svctl("reload", check=True)
        self.health(tree, "llm", "failing")

    def test_a_monitor_that_was_stopped_blames_nobody(self):
        """SIGSTOP for longer than all timeouts: no verdict comes of it"""
        tree, server = self.server(health=FAST.replace(
            "threshold = 3", "threshold = 1"))
        pid = tree.service("health-monitor")["pid"]
        server.fault("slow", ms=100)
        with tree.subscribe() as events:
            for _ in range(3):
                self.rounds(server, 1)
                os.kill(pid, signal.SIGSTOP)
                try:
                    with self.assertRaises(TimeoutError):
                        events.next(2.5)
                finally:
                    os.kill(pid, signal.SIGCONT)
            self.rounds(server, 2)
            self.assertEqual([e for e in events.seen if e["event"] == "verb"],
                             [])
        self.assertIn("were lost to sleep, or we were stopped",
                      tree.log_text("health-monitor"))

    def test_a_killed_monitor_goes_on(self):
        tree, server = self.server()
        os.kill(tree.service("health-monitor")["pid"], signal.SIGKILL)
        with tree.subscribe() as events:
            server.fault("hang")
            self.restarts(events)
        self.health(tree, "llm", "ok")

    @unittest.skipIf(os.geteuid() != 0, "only root can be another user")
    def test_another_user_may_watch(self):
        """as nobody it asks services of root, and has them restarted"""
        server = standin.Server()
        tree = self.start({"llm": server.conf("user = root", health=FAST)},
                          monitor=MONITOR + "user = nobody\n",
                          env={"SVTREE_PATH": self.for_all() + ":" +
                               rig.SYSTEM_PATH})
        self.health(tree, "llm", "ok")
        with tree.subscribe() as events:
            server.fault("hang")
            self.restarts(events)
            self.incident(events, "healed")

    def for_all(self):
        """A directory with the programs that every user can run."""
        where = tempfile.mkdtemp(prefix="hm.", dir="/tmp")
        self.addCleanup(shutil.rmtree, where)
        os.chmod(where, 0o755)
        for name in ("health-monitor", "svlog"):
            shutil.copy(rig.program(name), where)
        return where

    def test_without_probes_it_sleeps(self):
        """nothing to probe: no wake-ups"""
        tree = self.start({"a": "[service]\nexec = sleep 1000\n"})
        sv = self.health(tree, "health-monitor", "ok")
        self.assertEqual(sv["health_text"], "no service has [health]")

        def switches():
            with open(f"/proc/{sv['pid']}/status", encoding="ascii") as f:
                return int(next(line for line in f if line.startswith(
                    "voluntary_ctxt_switches")).split()[1])
        with tree.subscribe() as events:
            for _ in range(5):      # what the start left to do may come late
                before = switches()
                try:
                    events.next(2)
                except TimeoutError:
                    if switches() == before:
                        return
        self.fail("it wakes up though there is nothing to do")

    def test_ends_with_0_and_leaves_no_command(self):
        tree = self.start({"a": {
            "conf": SLEEP + "type = exec\ncommand = /bin/sh probe\n"
            "timeout = 60s\n",
            "files": {"probe": "echo $$ >>pids; exec sleep 1000\n"}}})
        path = os.path.join(tree.services, "a", "pids")
        rig.eventually(lambda: os.path.exists(path) and
                       os.path.getsize(path), what="the command")
        with open(path, encoding="ascii") as f:
            command = int(f.readline())
        with tree.subscribe() as events:
            os.kill(tree.service("health-monitor")["pid"], signal.SIGTERM)
            e = events.until(lambda e: e["event"] == "exit" and
                             e["service"] == "health-monitor")
        self.assertIn("exited with code 0", e["reason"])
        rig.eventually(lambda: not rig.alive(command), what="its end")

    def test_wrong_use_is_100(self):
        for args, env in ((["x"], {"SVTREE_SERVICES": "/"}),
                          (["--frob"], {"SVTREE_SERVICES": "/"}), ([], {})):
            done = subprocess.run(
                [rig.program("health-monitor"), *args], env=env, check=False,
                stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
            self.assertEqual((done.returncode, bool(done.stderr)),
                             (100, True))


if __name__ == "__main__":
    rig.main()
