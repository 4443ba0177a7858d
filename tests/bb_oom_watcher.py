# SPDX-License-Identifier: ISC
"""oom-watcher, with an engine, an Ollama and a /proc of our own making."""

import http.server
import json
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
import unittest

import rig
from fake_engine import Engine, Quiet

WATCHER = """[service]
exec = oom-watcher --interval 50ms --proc {proc}
ready = notify
grants = Report

[docker]
socket = {socket}
"""

BOXED = """[service]
exec = sleep 1000

[container]
name = box
compose = {compose}
"""

GIB = 1 << 20       # in KiB, as meminfo counts


class OllamaHandler(Quiet):
    def do_GET(self):
        self.answer(200, {"models": self.server.ollama.models()})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.ollama.asked.put((self.path, json.loads(body)))
        self.answer(200, {"done": True, "done_reason": "unload"})


class Ollama:
    def __init__(self):
        self.asked = queue.Queue()
        self.looks = 0
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), OllamaHandler)
        self.server.daemon_threads = True
        self.server.ollama = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever,
                         args=(0.02,), daemon=True).start()

    def models(self):
        """One idle for an hour to come, one at work."""
        self.looks += 1
        later = [time.strftime("%Y-%m-%dT%H:%M:%S.5Z", time.gmtime(t))
                 for t in (2e9, time.time() + 300 + self.looks)]
        return [{"name": n, "model": n, "size": 1, "expires_at": t}
                for n, t in zip(("idle:7b", "busy:70b"), later)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Watched(rig.Case):
    def start(self, more=None, boxed=True):
        """A tree with a watcher; self.proc, self.socket are its world."""
        tree = self.tree(start=False)
        self.proc = tree.path("proc")
        self.socket = tree.path("docker.sock")
        with open(tree.path("compose.yml"), "w", encoding="ascii") as f:
            f.write("services: { box: { image: box } }\n")
        self.boxed = BOXED.format(compose=tree.path("compose.yml"))
        os.makedirs(os.path.join(self.proc, "pressure"))
        self.memory(50)
        tree.add("oom-watcher", WATCHER.format(proc=self.proc,
                                               socket=self.socket))
        if boxed:
            tree.add("boxed", self.boxed)
        for name, conf in (more or {}).items():
            tree.add(name, conf)
        tree.start()
        tree.wait("oom-watcher", "UP")
        return tree

    def memory(self, free, swap_used=0, stall=None):
        """free in percent of 100 GiB, swap_used in GiB."""
        def put(name, text):
            path = os.path.join(self.proc, name)
            with open(path + ".new", "w", encoding="ascii") as f:
                f.write(text)
            os.rename(path + ".new", path)
        put("meminfo", f"MemTotal: {100 * GIB} kB\nMemFree: 1 kB\n"
            f"MemAvailable: {int((free + .5) * GIB)} kB\n"
            f"SwapTotal: {8 * GIB} kB\n"
            f"SwapFree: {int((8 - swap_used) * GIB)} kB\n")
        if stall is not None:
            put("pressure/memory", f"some avg10={stall:.2f} avg60=0.00 "
                "avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 "
                "avg300=0.00 total=0\n")

    def engine(self):
        engine = Engine(self.socket)
        self.addCleanup(engine.close)
        return engine


class Host(Watched):
    def test_levels_are_the_service_s_own_health_in_words(self):
        tree = self.start(boxed=False)
        sv = tree.wait("oom-watcher", lambda s: s["health"] == "ok")
        self.assertEqual(sv["text"], "memory 50 % used, swap 0 MiB")
        with tree.subscribe() as events:
            self.memory(9, swap_used=2.1)
            events.until(lambda e: e["event"] == "incident" and
                         "host memory warning: memory 91 % used, "
                         "swap 2.1 GiB" in e["reason"])
        sv = tree.wait("oom-watcher", lambda s: s["health"] == "degraded")
        self.assertEqual(sv["text"], "memory 91 % used, swap 2.1 GiB")
        self.memory(60)
        tree.wait("oom-watcher", lambda s: s["health"] == "ok")

    def test_stalls_count_where_the_kernel_measures_them(self):
        tree = self.start(boxed=False)
        tree.wait("oom-watcher", lambda s: s["health"] == "ok")
        self.memory(50, stall=55)
        sv = tree.wait("oom-watcher", lambda s: s["health"] == "degraded")
        self.assertIn("stalled 55 %", sv["text"])
        self.assertIn("critical", sv["health_text"])

    def test_a_proc_that_cannot_be_read_is_said_once(self):
        tree = self.start(boxed=False)
        tree.wait("oom-watcher", lambda s: s["health"] == "ok")
        os.unlink(os.path.join(self.proc, "meminfo"))
        rig.eventually(lambda: "read the host's memory: No such file" in
                       tree.log_text("oom-watcher"), what="the warning")
        self.memory(9)
        tree.wait("oom-watcher", lambda s: s["health"] == "degraded")
        self.assertEqual(tree.log_text("oom-watcher").count(
            "read the host's memory"), 1)

    def test_the_largest_that_is_expendable_is_restarted(self):
        eats = ("exec python3 -c 'import time; x = b\"x\" * ({} << 20); "
                "open(\"up\", \"w\"); time.sleep(1000)'\n")
        more = {"large": {"conf": "[service]\n", "run": eats.format(90)},
                "middle": {"conf": "[health]\nexpendable = yes\n",
                           "run": eats.format(50)},
                "small": {"conf": "[health]\nexpendable = yes\n",
                          "run": eats.format(10)}}
        tree = self.start(more, boxed=False)
        tree.add("oom-watcher", WATCHER.format(
            proc=self.proc, socket=self.socket).replace(
                "grants = Report", "grants = Report Restart"))
        tree.svctl("reload", check=True)
        for name in more:
            rig.eventually(lambda n=name: os.path.exists(os.path.join(
                tree.services, n, "up")), what=name)
        pids = {n: tree.service(n)["pid"] for n in more}
        with tree.subscribe() as events:
            self.memory(2)
            e = events.until(lambda e: e["event"] == "verb" and
                             e["reason"].startswith("restart"))
            self.assertEqual(e["service"], "middle")
        tree.wait("middle", lambda s: s["state"] == "UP" and
                  s["pid"] != pids["middle"])
        self.assertIn("the host's memory stays critical: restarted, as the "
                      "largest expendable",
                      tree.svctl("history", "middle").stdout)
        for name in ("large", "small"):
            self.assertEqual(tree.service(name)["pid"], pids[name])

    @unittest.skipIf(os.geteuid() != 0, "only root can be another user")
    def test_what_may_not_be_restarted_is_not_told_as_restarted(self):
        tree = self.start({"a": "[service]\nexec = sleep 1000\n[health]\n"
                                "expendable = yes\n"}, boxed=False)
        pid = tree.wait("a", "UP")["pid"]
        os.chmod(os.path.dirname(self.proc), 0o755)
        program = tree.path("watcher")
        shutil.copy(rig.program("oom-watcher"), program)
        tree.add("oom-watcher", WATCHER.format(
            proc=self.proc, socket=self.socket).replace(
                "oom-watcher", program).replace(
                    "ready =", "user = nobody\nready ="))
        tree.svctl("reload", check=True)
        tree.svctl("restart", "oom-watcher", check=True)
        with tree.subscribe() as events:
            self.memory(2)
            e = events.until(lambda e: e["event"] == "incident" and
                             e["service"] == "a")
        self.assertIn("is not restarted: ", e["reason"])
        self.assertEqual(tree.service("a")["pid"], pid)

    def test_critical_memory_unloads_idle_models_only(self):
        ollama = Ollama()
        self.addCleanup(ollama.close)
        tree = self.start({"llm": "[service]\nexec = sleep 1000\n[health]\n"
                           f"type = ollama\nurl = {ollama.url}\n"})
        with tree.subscribe() as events:
            self.memory(2)
            self.assertEqual(ollama.asked.get(timeout=rig.TIMEOUT), (
                "/api/generate", {"model": "idle:7b", "keep_alive": 0}))
            events.until(lambda e: e["event"] == "incident" and
                         "unload the idle model idle:7b" in e["reason"])
        # Its critical level goes on, its minute is not over.
        self.memory(3)
        tree.call("Signal", {"name": "oom-watcher", "signal": "HUP"})
        with self.assertRaises(queue.Empty):
            ollama.asked.get(timeout=1.5)

    def test_ends_with_0(self):
        tree = self.start(boxed=False)
        pid = tree.service("oom-watcher")["pid"]
        with tree.subscribe() as events:
            os.kill(pid, signal.SIGTERM)
            event = events.until(lambda e: e["event"] == "exit" and
                                 e["service"] == "oom-watcher")
        self.assertIn("exited with code 0", event["reason"])


class Containers(Watched):
    def incident(self, events, words, service="boxed"):
        return events.until(lambda e: e["event"] == "incident" and
                            e["service"] == service and
                            words in e["reason"])

    def begin(self, **more):
        tree = self.start(**more)
        engine = self.engine()
        query = engine.opened.get(timeout=rig.TIMEOUT)
        return tree, engine, query

    def test_an_oom_kill_is_told_with_limit_and_advice(self):
        tree, engine, _ = self.begin()
        engine.container("box", oom=True, memory=64 << 20)
        with tree.subscribe() as events:
            engine.event("box", "oom")
            engine.event("box", "die", exitCode="137")
            e = self.incident(events, "container box killed by the kernel "
                              "for memory (limit 64 MiB): raise the limit")
            self.assertNotIn("time in", e["reason"])
            engine.event("box", "start")
            engine.event("box", "oom")
            engine.event("box", "die", exitCode="137")
            self.incident(events, "(limit 64 MiB), 2nd time in 10 min")
        # How the service ended is its keeper's to say: it runs on here.
        sv = tree.wait("boxed", lambda s: "raise" in (s["text"] or ""))
        self.assertIn("raise the limit", sv["text"])
        self.assertIsNone(sv["last_exit"])

    def test_a_service_above_its_ceiling_is_told(self):
        tree = self.start({"eats": {
            "conf": "[health]\nmax-memory = 40M\n",
            "run": "exec python3 ./eat.py\n",
            "files": {"eat.py": "import os, time\nkept = None\n"
                      "while True:\n"
                      "    if os.path.exists('go') != bool(kept):\n"
                      "        kept = None if kept else b'x' * (90 << 20)\n"
                      "    time.sleep(.02)\n"}}}, boxed=False)
        tree.wait("eats", "UP")
        with tree.subscribe() as events:
            tree.add("eats", {"files": {"go": ""}})
            self.incident(events, "is above max-memory 40 MiB", "eats")
            self.assertIn("is above max-memory", tree.wait(
                "eats", lambda s: s["text"])["text"])
            os.unlink(os.path.join(tree.services, "eats", "go"))
            self.incident(events, "below max-memory 40 MiB", "eats")
        tree.wait("eats", lambda s: not s["text"])
        self.assertEqual(tree.service("eats")["restarts"], 0)

    def kernel_says(self, pid, name, kind="Out of memory"):
        with open(os.path.join(self.proc, "kmsg"), "a",
                  encoding="ascii") as f:
            f.write(f"3,1,2,-;{kind}: Killed process {pid} ({name}) "
                    "total-vm:9kB, anon-rss:3145728kB, file-rss:0kB\n")

    def killed(self, more=None, **files):
        """A tree with a service that has a child, and what is in /proc."""
        tree = self.tree(start=False)
        os.makedirs(tree.path("proc"))
        for name, text in files.items():
            with open(tree.path("proc", name), "w", encoding="ascii") as f:
                f.write(text)
        self.tree = lambda **_: tree
        return self.start({"llm": {"run": "sleep 1000 & echo $! >child; "
                                          "wait\nexec sleep 1000\n"}},
                          boxed=False)

    def test_a_service_that_the_kernel_kills_is_told(self):
        tree = self.killed(kmsg="3,1,2,-;Out of memory: Killed process 1 (x)"
                                "\n")
        sv = tree.wait("llm", "UP")
        child = os.path.join(tree.services, "llm", "child")
        with open(rig.eventually(lambda: os.path.exists(child) and
                                 os.path.getsize(child) and child,
                                 what="its child"), encoding="ascii") as f:
            child = int(f.read())
        with tree.subscribe() as events:
            self.kernel_says(999999999, "stranger")
            self.incident(events, "the kernel killed the process stranger "
                          "(pid 999999999, 3 GiB) for memory; it is no "
                          "service's", "oom-watcher")
            # Its child goes, and the kernel says so while it goes.
            self.kernel_says(child, "sleep")
            e = self.incident(events, "the kernel killed its process sleep "
                              f"(pid {child}, 3 GiB) for memory", "llm")
            self.assertIn("the host has too little", e["reason"])
            os.kill(sv["pid"], signal.SIGKILL)
            self.kernel_says(sv["pid"], "sh", "Memory cgroup out of memory")
            e = self.incident(events, "the kernel killed its process sh",
                              "llm")
            self.assertIn("raise the limit of its control group",
                          e["reason"])
        sv = tree.wait("llm", lambda s: s["last_exit"] and
                       s["last_exit"]["oom"])
        self.assertEqual(sv["last_exit"]["signal"], "SIGKILL")
        self.assertNotIn("Killed process 1 ", tree.log_text("oom-watcher"))

    def test_kills_at_the_same_time_are_told_apart(self):
        tree = self.killed(kmsg="")
        tree.add("quick", {"run": "exec sleep 1000\n"})
        tree.svctl("reload", check=True)
        pids = [tree.wait(name, "UP")["pid"] for name in ("llm", "quick")]
        with tree.subscribe() as events:
            # Gone when it is asked whose it was, and so is the one before.
            os.kill(pids[0], signal.SIGKILL)
            tree.wait("llm", lambda s: s["last_exit"])
            self.kernel_says(pids[0], "sh")
            self.incident(events, "the kernel killed its process sh", "llm")
            os.kill(pids[1], signal.SIGKILL)
            tree.wait("quick", lambda s: s["last_exit"])
            self.kernel_says(pids[1], "sleep")
            self.incident(events, "the kernel killed its process sleep",
                          "quick")
        self.assertNotIn("no service's", tree.log_text("oom-watcher"))

    def test_a_real_kill_by_the_kernel_is_told(self):
        group = f"/sys/fs/cgroup/memory/svtree.{os.getpid()}"
        try:
            os.mkdir(group)
            self.addCleanup(rig.eventually, lambda: os.rmdir(group) is None,
                            what="the end of its control group")
            with open(group + "/memory.limit_in_bytes", "w",
                      encoding="ascii") as f:
                f.write("64M")
        except OSError as why:
            self.skipTest(f"no control group with a limit here: {why}")
        tree = self.tree({
            "oom-watcher": "[service]\nexec = oom-watcher --interval 50ms\n"
                           "ready = notify\ngrants = Report\n"
                           "[docker]\nsocket = /nonexistent\n",
            "eats": {"run": f"echo $$ >{group}/cgroup.procs\n"
                            "exec python3 ./eat.py\n",
                     "files": {"eat.py": "import os, time\n"
                               "while not os.path.exists('go'):\n"
                               "    time.sleep(.02)\nos.unlink('go')\n"
                               "kept = b'x' * (200 << 20)\n"}}})
        tree.wait("oom-watcher", "UP")
        tree.wait("eats", "UP")
        with tree.subscribe() as events:
            tree.add("eats", {"files": {"go": ""}})
            e = self.incident(events, "the kernel killed it", "eats") \
                if not os.access("/dev/kmsg", os.R_OK) else \
                self.incident(events, "the kernel killed its process python3",
                              "eats")
            print(f"# {e['reason']}", flush=True)
        sv = tree.wait("eats", lambda s: s["last_exit"] and
                       s["last_exit"]["oom"])
        self.assertEqual(sv["last_exit"]["signal"], "SIGKILL")

    def test_without_the_kernel_s_log_its_counter_tells(self):
        tree = self.killed(vmstat="a 1\noom_kill 7\nb 2\n")
        sv = tree.wait("llm", "UP")
        rig.eventually(lambda: "concluded from its counter" in
                       tree.log_text("oom-watcher"), what="its word")
        with tree.subscribe() as events:
            os.kill(sv["pid"], signal.SIGKILL)
            with open(tree.path("proc", "vmstat.new"), "w",
                      encoding="ascii") as f:
                f.write("a 1\noom_kill 8\nb 2\n")
            os.rename(tree.path("proc", "vmstat.new"),
                      tree.path("proc", "vmstat"))
            self.incident(events, "the kernel killed it for memory", "llm")
        tree.wait("llm", lambda s: s["last_exit"]["oom"])

    def test_a_report_of_jetsam_is_taken_as_a_kill(self):
        tree = self.killed(vmstat="a 1\n")
        os.mkdir(tree.path("proc", "reports"))
        sv = tree.wait("llm", "UP")
        with tree.subscribe() as events:
            os.kill(sv["pid"], signal.SIGKILL)
            name = tree.path("proc", "reports",
                             "JetsamEvent-2026-11-24-101500.ips")
            with open(name, "wb"):
                pass
            os.utime(name, (time.time() + 5, time.time() + 5))
            self.incident(events, "the kernel killed it for memory", "llm")

    def test_a_log_that_grows_too_fast_is_told(self):
        flood = ("while [ -e go ]; do i=0; while [ $i -lt 400 ]; do "
                 "echo a line of a log that nobody can read again; "
                 "i=$((i+1)); done; sleep .01; done; exec sleep 1000\n")
        tree = self.start({
            "floods": {"conf": "[log]\nmax-size = 64K\ntotal = 1M\n",
                       "run": flood, "files": {"go": ""}},
            "quiet": "[service]\nexec = sleep 1000\n"}, boxed=False)
        with tree.subscribe() as events:
            e = self.incident(events, "its log grows by", "floods")
            self.assertIn("that are kept hold the last", e["reason"])
            sv = tree.wait("floods", lambda s: s["text"])
            self.assertIn("svctl logs floods", sv["text"])
            os.unlink(os.path.join(tree.services, "floods", "go"))
            self.incident(events, "its log grows slowly again", "floods")
        tree.wait("floods", lambda s: not s["text"])
        self.assertNotIn("grows", tree.svctl("history", "quiet").stdout)

    def test_a_lost_oom_event_is_made_good_by_the_mark(self):
        tree, engine, _ = self.begin()
        engine.container("box", oom=True)
        with tree.subscribe() as events:
            engine.event("box", "die", exitCode="137")
            self.incident(events, "killed by the kernel for memory "
                          "(no limit): give Docker's VM more memory")

    def test_a_kill_by_order_is_no_incident(self):
        tree, engine, _ = self.begin()
        engine.container("box")
        with tree.subscribe() as events:
            engine.event("box", "kill", signal="9")
            engine.event("box", "die", exitCode="137")
            rig.eventually(lambda: "box was killed by order" in
                           tree.log_text("oom-watcher"), what="the line")
            engine.container("other", oom=True)
            engine.event("other", "oom")
            engine.event("other", "die", exitCode="137")
            self.incident(events, "container other killed by the kernel",
                          "oom-watcher")
            self.assertFalse([e for e in events.seen
                              if e["service"] == "boxed"])

    def test_a_kill_by_nobody_is_said_to_be_unknown(self):
        tree, engine, _ = self.begin()
        engine.container("box")
        with tree.subscribe() as events:
            engine.event("box", "die", exitCode="137")
            self.incident(events, "got SIGKILL, not by its limit and not "
                          "through Docker: Docker's VM ran out of memory")

    def test_an_oom_kill_that_the_container_outlives(self):
        tree, engine, _ = self.begin()
        engine.container("box", oom=True, memory=1 << 30, status="running")
        with tree.subscribe() as events:
            engine.event("box", "oom")
            self.incident(events, "process in container box killed by the "
                          "kernel for memory (limit 1 GiB)")

    def test_quick_deaths_in_a_row_are_a_loop(self):
        tree, engine, _ = self.begin()
        engine.container("box", oom=True, memory=64 << 20)
        now = time.time()
        with tree.subscribe() as events:
            for i in range(5):
                at = now - 100 + 20 * i
                engine.event("box", "start", at)
                engine.event("box", "oom", at + 1 + i % 3 + .1)
                engine.event("box", "die", at + 1 + i % 3 + .2,
                             exitCode="137")
            self.incident(events, "container box died 5 times within 10 "
                          "min, each 1-3 s after start")

    def test_goes_on_where_a_broken_stream_ended(self):
        tree, engine, first = self.begin()
        self.assertNotIn("0", first.get("since", []))
        engine.container("box", oom=True, memory=64 << 20)
        with tree.subscribe() as events:
            engine.event("box", "oom")
            engine.event("box", "die", exitCode="137")
            self.incident(events, "killed by the kernel")
            engine.drop()
            engine.event("box", "start")
            engine.event("box", "oom")      # nobody listens
            engine.event("box", "die", exitCode="137")
            second = engine.opened.get(timeout=rig.TIMEOUT)
            self.assertAlmostEqual(float(second["since"][0]),
                                   engine.history[1]["timeNano"] / 1e9,
                                   places=3)
            self.incident(events, ", 2nd time in 10 min")

    def test_no_engine_is_said_once_and_no_failure(self):
        tree = self.start()
        rig.eventually(lambda: "no container engine to watch" in
                       tree.log_text("oom-watcher"), what="the line")
        engine = self.engine()
        engine.opened.get(timeout=rig.TIMEOUT)
        self.assertEqual(tree.log_text("oom-watcher").count("engine"), 1)
        self.assertEqual(tree.service("oom-watcher")["restarts"], 0)

    def test_hup_reads_the_services_again(self):
        tree, engine, _ = self.begin(boxed=False)
        engine.container("box", oom=True)
        tree.add("late", self.boxed)
        tree.call("Reload")
        tree.call("Signal", {"name": "oom-watcher", "signal": "HUP"})
        engine.opened.get(timeout=rig.TIMEOUT)
        with tree.subscribe() as events:
            engine.event("box", "oom")
            engine.event("box", "die", exitCode="137")
            self.incident(events, "container box killed", "late")


class Use(unittest.TestCase):
    def test_wrong_use_is_100(self):
        for code, args in ((100, ["x"]), (100, ["--frob"]),
                           (100, ["--interval", "soon"]),
                           (0, ["--help"]), (0, ["--version"])):
            with self.subTest(args=args):
                done = subprocess.run(
                    [rig.program("oom-watcher"), *args],
                    stdin=subprocess.DEVNULL, capture_output=True,
                    check=False, timeout=rig.TIMEOUT)
                self.assertEqual(done.returncode, code)
                self.assertEqual(bool(done.stderr), code != 0)


if __name__ == "__main__":
    rig.main()
