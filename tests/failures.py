# SPDX-License-Identifier: ISC
"""Every failure that the first users suffered, injected: a test for each.

    python3 tests/failures.py [WORD...]         those with a word in the name
    python3 tests/failures.py --doc FILE        and the page of the run

What a row says in words stands in its decorator; failure_table.py has the
words and the times. Where another black-box test has the scenario, it is
called from there.
"""

import http.client
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import bb_containers
import bb_health
import bb_oom_watcher
import bb_recovery
import dockerd
import failure_table
import rig
import standin
from failure_table import row, tell

FAST = bb_health.FAST
FACTOR = bb_health.FACTOR
MONITOR = bb_health.MONITOR
SLEEPER = "[service]\nexec = sleep 1000\n"
LATE = bb_containers.LATE
ROOT = os.geteuid() == 0
as_root = unittest.skipUnless(ROOT, "only root can be another user")


def shipped(name):
    with open(os.path.join(rig.TOP, "services", name, "service.conf"),
              encoding="utf-8") as f:
        return f.read()


def environment(pid):
    with open(f"/proc/{pid}/environ", encoding="utf-8") as f:
        return dict(x.split("=", 1) for x in f.read().split("\0") if x)


def owner(pid):
    return pwd.getpwuid(os.stat(f"/proc/{pid}").st_uid).pw_name


def running(*words):
    """The processes whose command line has all these words."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8",
                      errors="replace") as f:
                command = f.read().split("\0")
        except OSError:
            continue
        if int(pid) != os.getpid() and all(w in command for w in words):
            found.append(int(pid))
    return found


class Clock:
    """Times from begin() on, told as those of the test's row."""

    def begin(self):
        self.began = time.monotonic()

    def tell(self, what):
        tell(self, what, time.monotonic() - self.began)

    def new_pid(self, tree, name, old, timeout=LATE):
        return tree.wait(name, lambda s: s["state"] == "UP" and
                         s["pid"] not in (None, old), timeout)["pid"]

    def programs(self, *names):
        """A directory with copies that every user may run."""
        where = tempfile.mkdtemp(prefix="fa.", dir="/tmp")
        self.addCleanup(shutil.rmtree, where)
        os.chmod(where, 0o755)
        for name in names:
            shutil.copy(rig.program("llm-standin"), f"{where}/{name}")
        return where

    def recovers(self, tree, code=0):
        done = tree.svctl("-t", 60, "recover", timeout=90)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout


class Servers(Clock, bb_health.Monitored):
    """What the servers on the host, and those who watched them, did."""

    @row(4, "ollama-mcp ran, ollama serve did not",
         "SIGKILL of `ollama serve` with three runners that ignore SIGTERM, "
         "beside an ollama-mcp and a tail of ollama.log",
         "watches its own child by pid: clears the runners, starts it again, "
         "touches nothing else")
    def test_f04_serve_is_owned_by_pid(self):
        tell(self, "answers again", bb_health.Ollama.killed_serve(self))

    @as_root
    @row(5, "200, but models: [] of the wrong user",
         "the server runs as root, the models are another user's",
         "names it at once and restarts nothing; `user = owner-of:STORE` is "
         "the cure")
    def test_f05_wrong_user(self):
        where = self.programs("ollama")
        store = os.path.join(where, "models")
        os.mkdir(store)
        os.chown(store, pwd.getpwnam("nobody").pw_uid, -1)
        server = standin.Server()
        run = ('[ "$(id -un)" = nobody ] || export STANDIN_FAULT=empty\n'
               f"exec {where}/ollama ollama --port {server.port} serve\n")
        conf = ("[service]\n{}[health]\ntype = ollama\n"
                f"url = {server.url}\n" + FAST)
        self.begin()
        tree = self.start({"ollama": {"conf": conf.format(""), "run": run}})
        sv = self.health(tree, "ollama", "failing")
        self.tell("named")
        self.assertIn("says models: []", sv["health_text"])
        sv = tree.wait("ollama", lambda s: s["text"])
        self.assertIn("set user = owner-of:MODELS", sv["text"])
        self.rounds(server)
        self.assertEqual(tree.service("ollama")["restarts"], 0)
        tree.add("ollama", conf.format(f"user = owner-of:{store}\n"))
        tree.svctl("reload", check=True)
        self.begin()
        tree.svctl("restart", "ollama", check=True)
        sv = self.health(tree, "ollama", "ok")
        self.tell("healthy as the owner")
        self.assertEqual(owner(sv["pid"]), "nobody")

    APP = ("import signal, socket, sys\ns = socket.socket()\n"
           "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
           "s.bind(('127.0.0.1', int(sys.argv[1])))\ns.listen()\n"
           "print('ready', flush=True)\nsignal.pause()\n")

    def app(self, port):
        python = shutil.which("python3", path=rig.SYSTEM_PATH)
        if python is None:
            self.skipTest("no python3 that every user may run")
        p = subprocess.Popen(
            [python, "-c", self.APP, str(port)], cwd="/",
            user="nobody", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        self.assertEqual(p.stdout.readline(), b"ready\n")
        return p

    @as_root
    @row(6, "another user's Ollama.app respawned and held the port",
         "another user's process has the port; another of that user takes "
         "it over as the first is killed",
         "port-guard names each, fights none, and starts the server the "
         "moment the port is free")
    def test_f06_foreign_holder_respawns(self):
        server = standin.Server()
        first = self.app(server.port)
        self.begin()
        tree = self.start({"ollama": server.conf(guard=True, health=FAST)})

        def named(p):
            sv = tree.wait("ollama", lambda s: s["health"] == "failing" and
                           f"held by pid {p.pid} (" in s["health_text"])
            self.assertIn("user nobody", sv["health_text"])
            return sv["pid"]
        pid = named(first)
        self.tell("named")
        second = self.app(server.port)
        first.kill()
        self.assertEqual(named(second), pid)
        self.assertIsNone(second.poll())
        self.begin()
        second.kill()
        rig.eventually(lambda: server.answers() == 200, what="ours")
        self.tell("ours answers, once the port is free,")
        sv = self.health(tree, "ollama", "ok")
        self.assertEqual((sv["restarts"], sv["pid"]), (0, pid))

    @row(7, "other automation started a second Ollama (brew, systemd)",
         "an ollama of a systemd unit (by its control group) has the port",
         "is the single owner: names the unit, and the command that keeps "
         "it from coming back")
    def test_f07_second_launcher(self):
        unit = f"ollama-sv{os.getpid()}"
        group = self.control_group(unit + ".service")
        other = standin.Process(
            program=os.path.join(self.programs("ollama"), "ollama"))
        self.addCleanup(self.leave, group)
        self.addCleanup(other.close)
        with open(f"{group}/cgroup.procs", "w", encoding="ascii") as f:
            f.write(str(other.process.pid))
        self.begin()
        tree = self.start({"ollama": other.conf(guard=True, health=FAST)})
        sv = tree.wait("ollama", lambda s: s["text"] and
                       "disable --now" in s["text"])
        self.tell("named")
        self.assertIn(f"systemctl disable --now {unit}", sv["text"])
        self.assertIsNone(other.process.poll())

    def control_group(self, unit):
        top = "/sys/fs/cgroup"
        for base in [top] + [f"{top}/{x}" for x in
                             (os.listdir(top) if os.path.isdir(top) else ())]:
            if os.path.exists(f"{base}/cgroup.procs"):
                try:
                    os.mkdir(f"{base}/{unit}")
                    return f"{base}/{unit}"
                except OSError:
                    pass
        self.skipTest("no control group can be made here")

    @staticmethod
    def leave(group):
        def gone():
            try:
                os.rmdir(group)
            except OSError:
                return False
            return True
        rig.eventually(gone, what="the end of " + group)

    SLEPT = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int
clock_gettime(clockid_t id, struct timespec *t)
{
	int r = (int)syscall(SYS_clock_gettime, id, t);

	if (id == CLOCK_BOOTTIME && access(getenv("SLEPT"), F_OK) == 0)
		t->tv_sec += 3600;
	return r;
}
"""

    def sleeper(self):
        """A health-monitor whose machine sleeps when the file appears."""
        where = self.programs()
        with open(f"{where}/slept.c", "w", encoding="ascii") as f:
            f.write(self.SLEPT)
        done = subprocess.run(
            [shutil.which("cc") or "false", "-shared", "-fPIC", "-o",
             f"{where}/slept.so", f"{where}/slept.c"], check=False,
            capture_output=True)
        if done.returncode != 0:
            self.skipTest("no compiler for the clock that jumps")
        return f"{where}/slept", (
            MONITOR + f"[environment]\nLD_PRELOAD = {where}/slept.so\n"
            f"SLEPT = {where}/slept\n")

    @unittest.skipUnless(sys.platform == "linux", "the clock of Linux")
    @row(8, "after sleep Ollama was silent or answered 500",
         "CLOCK_BOOTTIME jumps by an hour for the monitor; the server then "
         "computes nothing, /api/tags is well, deep probes are an hour apart",
         "notices the sleep by its clocks, asks deeply at once after the "
         "grace, unloads, restarts")
    @unittest.skipIf(os.environ.get("SVTREE_SANITIZED"),
                     "its library comes before that of the sanitizer")
    def test_f08_sleep_and_wake(self):
        flag, monitor = self.sleeper()
        server = standin.Server()
        tree = self.start({"llm": server.conf(
            health=FAST + "deep = 1h\ndeep-timeout = 300ms\n"
            "wake-grace = 500ms\n")}, monitor=monitor)
        self.health(tree, "llm", "ok")
        server.request("/api/generate", {"model": "llama3.2:1b"})
        self.rounds(server, 3)
        server.request("/api/generate", {"model": "llama3.2:1b"})
        server.fault("generate-fails")
        self.rounds(server, 3)
        self.assertEqual(tree.service("llm")["health"], "ok")
        with tree.subscribe(30) as events:
            self.begin()
            open(flag, "w", encoding="ascii").close()
            e = events.until(lambda e: e["event"] == "health" and
                             e["health"] == "failing")
            self.tell("found")
            self.assertIn("POST /api/generate answers 500", e["reason"])
            self.restarts(events)
            self.incident(events, "healed by a restart")
            self.tell("healed")
        self.assertIn("were lost to sleep", tree.log_text("health-monitor"))

    @row(9, "500 runner terminated while /api/tags was well",
         "inference answers 500, all else is well",
         "asks a loaded model for one token; unloads, then restarts")
    def test_f09_only_inference_fails(self):
        tree, server = self.server(health=bb_health.Deep.DEEP)
        server.request("/api/generate", {"model": "llama3.2:1b"})
        with tree.subscribe() as events:
            self.begin()
            server.fault("generate-fails")
            e = events.until(lambda e: e["event"] == "health")
            self.tell("found")
            self.assertIn("llama runner process has terminated", e["reason"])
            self.incident(events, "unload llama3.2:1b: fails")
            self.restarts(events)
            self.incident(events, "healed by a restart")
            self.tell("healed")

    @row(10, "MLX died of SIGABRT (Metal)", "SIGABRT",
         "starts it again at once, keeps signal, count and the log of before")
    def test_f10_sigabrt(self):
        tree, server = self.server("mlx")
        pid = server.state()["pid"]
        rig.eventually(lambda: tree.log_text("llm"), what="its log")
        before = tree.log_text("llm").splitlines()[0]
        self.begin()
        server.fault("crash", signal=int(signal.SIGABRT))
        rig.eventually(lambda: (s := server.state()) and s["pid"] != pid,
                       what="a new one")
        self.tell("answers again")
        sv = self.health(tree, "llm", "ok")
        self.assertEqual((sv["restarts"], sv["last_exit"]["kind"]),
                         (1, "signal"))
        self.assertIn("ABRT", sv["last_exit"]["signal"])
        self.assertEqual(tree.log_text("llm").splitlines()[0], before)
        rig.eventually(lambda: "SIGABRT" in tree.svctl("history", "llm")
                       .stdout, what="the signal in the history")

    @row(11, "MLX asserted when used by several at once",
         "two exits with 134; the supervisor itself was started with "
         "MLX_MAX_CONCURRENT=8",
         "each service has its own environment; crashes are counted with "
         "their reasons")
    def test_f11_concurrency(self):
        server = standin.Server("mlx")
        conf = re.sub(r"(?m)^exec = .*", "exec = " + " ".join(server.command),
                      shipped("mlx")).replace("11435", str(server.port))
        tree = self.tree({"mlx": conf}, env={"MLX_MAX_CONCURRENT": "8"})
        for n in (1, 2):
            server.wait()
            pid = tree.wait("mlx", "UP")["pid"]
            self.assertEqual(environment(pid)["MLX_MAX_CONCURRENT"], "1")
            self.begin()
            server.fault("crash", code=134)
            self.new_pid(tree, "mlx", pid)
            self.tell(f"crash {n}: up again")
            self.assertEqual(tree.service("mlx")["restarts"], n)
        rig.eventually(lambda: len(re.findall(
            "exit +exited with code 134", tree.svctl("history", "mlx")
            .stdout)) == 2, what="both in the history")

    @staticmethod
    def incidents(tree, name):
        said = tree.svctl("--json", "incidents", name).stdout.splitlines()
        return json.loads(said[0]) if said else {"count": 0}

    @row(14, "a busy MLX was killed",
         "/health says degraded, then warning, then 429 and 503; recover is "
         "run at each",
         "calls that busy or degraded and leaves it alone")
    def test_f14_busy_is_not_dead(self):
        tree, server = self.server(
            "mlx", more={"recover": bb_recovery.recover()})
        pid = server.state()["pid"]
        for fault, more, health in (
                ("status", {"word": "degraded"}, "busy"),
                ("status", {"word": "warning"}, "degraded"),
                ("busy", {"status": 429}, "busy"),
                ("busy", {"status": 503}, "busy")):
            self.begin()
            server.fault(fault, **more)
            self.health(tree, "llm", health)
            self.tell(f"{[*more.values()][0]}: called {health}")
            self.recovers(tree)
            self.assertEqual(tree.service("llm")["pid"], pid)
        self.assertEqual(tree.service("llm")["restarts"], 0)

    PATIENT = FAST.replace("150ms", "1s").replace("load-grace = 2s",
                                                  "load-grace = 60s")

    @row(15, "health checks queued behind a 70B generation",
         "silence on all probes while a runner uses the CPU",
         "takes progress for work: busy, no restart")
    def test_f15_probes_queue_behind_work(self):
        tree, server = self.server(health=self.PATIENT)
        pid = server.fault("runners", spin=True)["pid"]
        self.begin()
        with tree.subscribe(30) as events:
            server.fault("hang")
            e = events.until(lambda e: e["event"] == "health")
            self.tell("called busy")
            self.assertEqual(e["health"], "busy")
            # As long as three more silent rounds take.
            with self.assertRaises(TimeoutError):
                events.until(lambda e: e["event"] in ("verb", "health"), 4)
        server.fault("none")
        sv = self.health(tree, "llm", "ok", timeout=30)
        self.assertEqual((sv["pid"], sv["restarts"]), (pid, 0))

    @row(16, "MLX was killed while it preloaded",
         "it listens and answers nothing for 1.5 s; recover is run meanwhile",
         "waits for start-grace; recover waits, too")
    def test_f16_preload(self):
        server = standin.Server("mlx")
        self.begin()
        tree = self.start({
            "recover": bb_recovery.recover(),
            "llm": server.conf(health=FAST.replace("start-grace = 3s",
                                                   "start-grace = 60s"),
                               env={"STANDIN_START_MS": "1500"})})
        pid = tree.wait("llm", "UP")["pid"]
        self.assertEqual(tree.service("llm")["health"], "unknown")
        self.recovers(tree)
        sv = self.health(tree, "llm", "ok")
        self.tell("healthy, left alone,")
        self.assertEqual((sv["pid"], sv["restarts"]), (pid, 0))

    @row(17, "ports moved, the monitors watched the old one",
         "a server listens on another port than its probe asks",
         "says that nobody listens, with the port that is asked, and gives "
         "up after three restarts; one file has port and probe")
    def test_f17_wrong_port(self):
        for name in ("ollama", "mlx"):
            text = shipped(name)
            port, = re.findall(r"(?m)^number = (\d+)", text)
            self.assertIn(f"port-guard {port} --", text)
            self.assertIn(f"\nurl = http://127.0.0.1:{port}\n", text)
        server, wrong = standin.Server("mlx"), rig.free_port()
        conf = server.conf(health=FAST.replace("= 3s", "= 50ms"))
        self.begin()
        tree = self.start({"llm": conf.replace(
            server.url, f"http://127.0.0.1:{wrong}")})
        with tree.subscribe(30) as events:
            e = events.until(lambda e: e["event"] == "health" and
                             e["service"] == "llm")
            self.tell("named")
            self.assertRegex(e["reason"], "dead: nobody listens .GET "
                             f"127.0.0.1:{wrong}/")
            self.assertEqual(tree.service("llm")["port"], wrong)
            self.incident(events, "gave up after 3 restarts")
            self.tell("given up")
        tree.add("llm", conf)
        tree.svctl("reload", check=True)
        self.health(tree, "llm", "ok")

    @row(18, "launchd started MLX with a bare PATH and the wrong python",
         "the supervisor's PATH is bare; the program vanishes; then a "
         "module that is not there",
         "gives every service a PATH of its own; the exec error and the "
         "last words are the reason, and it runs as soon as it can")
    def test_f18_bare_path(self):
        where = self.programs("mlx_server")
        server = standin.Server("mlx")
        tree = self.tree({
            "mlx": "[service]\nrestart-delay = 100ms\nrestart-limit = 0\n"
            f"restart-max-delay = 100ms\nexec = {where}/mlx_server mlx "
            f"--port {server.port}\n",
            "module": "[service]\nexec = python3 -m no_such_uvicorn\n"
            "restart-delay = 10m\n"}, env={"PATH": "/nonexistent"})
        server.wait()
        pid = tree.service("mlx")["pid"]
        self.assertEqual(environment(pid)["PATH"],
                         rig.BIN + ":" + rig.SYSTEM_PATH)
        os.rename(f"{where}/mlx_server", f"{where}/aside")
        self.begin()
        os.kill(pid, signal.SIGKILL)
        sv = tree.wait("mlx", lambda s: "No such file" in (s["reason"] or ""))
        self.tell("named")
        self.assertIn(f"{where}/mlx_server", sv["reason"])
        self.begin()
        os.rename(f"{where}/aside", f"{where}/mlx_server")
        server.wait()
        self.tell("there again: answers")
        tree.wait("module", "BACKOFF")
        rig.eventually(lambda: "No module named no_such_uvicorn" in
                       tree.log_text("module"), what="its last words")

    @row(19, "Docker was not up in 60 s, so MLX was never started",
         "no container engine at all, and none can be started",
         "starts the servers at once; only containers wait, and say so")
    def test_f19_no_docker_no_gate(self):
        llm, mlx = standin.Server(), standin.Server("mlx")
        tree = self.start({
            "ollama": llm.conf(health=FAST), "mlx": mlx.conf(health=FAST),
            "docker": bb_containers.DOCKER.format(
                socket="/nonexistent/docker.sock").replace("= true",
                                                           "= false"),
            "box": SLEEPER + "needs = docker\n"}, start=False)
        self.begin()
        tree.start()
        llm.wait()
        mlx.wait()
        self.tell("both answer")
        sv = tree.wait("box", "WAITING")
        self.assertIn("docker", sv["reason"])
        tree.wait("docker", lambda s: s["health"] == "failing")
        for name in ("ollama", "mlx"):
            self.health(tree, name, "ok")

    @row(20, "the project moved, the jobs kept its old paths",
         "exec and directory name paths that are gone; a run that may not "
         "be executed",
         "`svctl check` names each with file and line; nothing is half "
         "started")
    def test_f20_stale_paths(self):
        tree = self.tree({
            "a": "[service]\nexec = /nonexistent/old/mlx\n",
            "b": SLEEPER + "directory = /nonexistent/old\n",
            "c": {"conf": "[service]\n", "files": {"run": "#!/bin/sh\n"}}},
            start=False)
        self.begin()
        done = tree.svctl("check", tree.services)
        self.tell("named")
        self.assertEqual(done.returncode, 1)
        for words in ("a/service.conf:2: exec: /nonexistent/old/mlx is not",
                      "b/service.conf:3: directory: /nonexistent/old: No "
                      "such file", "chmod +x"):
            self.assertIn(words, done.stderr)

    @unittest.skipUnless(sys.platform == "linux", "RLIMIT_DATA of Linux")
    @row(26, "a Python leaked 56 GB", "a Python that leaks without end, with "
         "`max-memory = 80M` and `[limits] data = 256M`",
         "is told above max-memory; the limit ends it where the host would "
         "have been; restarted, with its last words")
    def test_f26_leak(self):
        tree = self.tree({"oom-watcher": bb_oom_watcher.WATCHER.format(
            proc="/proc", socket="/nonexistent"), "leaks": {
                "conf": "[service]\n[health]\nmax-memory = 80M\n"
                        "[limits]\ndata = 256M\n",
                "run": "exec python3 ./leak.py\n",
                "files": {"leak.py": "import os, time\nkept = []\n"
                          "def wait(name):\n"
                          "    while not os.path.exists(name):\n"
                          "        time.sleep(.02)\n    os.unlink(name)\n"
                          "def leak():\n"
                          "    kept.append(b'x' * (1 << 20))\n"
                          "wait('go')\nfor i in range(120):\n    leak()\n"
                          "wait('on')\nwhile True:\n    leak()\n"}}})
        pid = tree.wait("leaks", "UP")["pid"]
        with tree.subscribe() as events:
            self.begin()
            tree.add("leaks", {"files": {"go": ""}})
            events.until(lambda e: e["event"] == "incident" and
                         "is above max-memory 80 MiB" in e["reason"])
            self.tell("told above max-memory")
        self.assertEqual(tree.service("leaks")["restarts"], 0)
        self.begin()
        tree.add("leaks", {"files": {"on": ""}})
        self.new_pid(tree, "leaks", pid)
        self.tell("grown to its limit and up again")
        self.assertEqual(tree.service("leaks")["last_exit"]["code"], 1)
        rig.eventually(lambda: "MemoryError" in tree.log_text("leaks"),
                       what="its last words")

    @row(27, "OLLAMA_KEEP_ALIVE=-1 of the host: models never unloaded",
         "the supervisor is started with OLLAMA_KEEP_ALIVE=-1",
         "lets nothing of its own environment through that is not named")
    def test_f27_keep_alive(self):
        server = standin.Server()
        conf = re.sub(r"(?m)^exec = .*", "exec = " + " ".join(server.command),
                      shipped("ollama")).replace("11434", str(server.port))
        self.begin()
        tree = self.tree({"ollama": conf}, env={"OLLAMA_KEEP_ALIVE": "-1"})
        server.wait()
        self.tell("started clean")
        env = environment(tree.service("ollama")["pid"])
        self.assertNotIn("OLLAMA_KEEP_ALIVE", env)
        self.assertEqual(env["OLLAMA_NOPRUNE"], "1")
        # And a model expires: that is how much it matters.
        server.request("/api/generate", {"model": "llama3.2:1b",
                                         "keep_alive": 0})
        self.assertEqual(json.loads(server.request("/api/ps")[1])["models"],
                         [])

    @row(29, "several workers and bots of one kind",
         "a second supervisor; SIGKILL of the supervisor and loss of its "
         "table; another tree with the same port; start and recover again",
         "a lock per run directory and per service: there is one, always")
    def test_f29_duplicates(self):
        server = standin.Server()
        conf = {"ollama": server.conf(health=FAST, guard=True),
                "recover": bb_recovery.recover()}
        tree = self.tree(conf)
        server.wait()
        mark = ("--port", str(server.port))
        pid = tree.service("ollama")["pid"]
        second = tree.spawn()
        self.assertNotEqual(second.wait(rig.TIMEOUT), 0)
        tree.svctl("start", "ollama", check=True)
        self.recovers(tree)
        self.assertEqual(running(*mark), [pid])
        tree.kill_supervisor()
        os.unlink(os.path.join(tree.run, "table"))
        self.begin()
        tree.start()
        sv = tree.wait("ollama", "UP")
        self.tell("adopted without a record")
        self.assertEqual((sv["pid"], running(*mark)), (pid, [pid]))
        other = self.tree({"ollama": conf["ollama"]})
        sv = other.wait("ollama", lambda s: s["health"] == "failing")
        self.assertIn(f"is held by pid {pid} (", sv["health_text"])
        self.assertEqual(server.state()["pid"], pid)

    @row(31, "a cold model took 122 s for its answer",
         "a request that is answered after 3 s, a runner at work, while "
         "every probe is late",
         "never restarts for slow inference: the client gets its answer")
    def test_f31_slow_inference(self):
        tree, server = self.server(health=self.PATIENT)
        pid = server.fault("runners", spin=True)["pid"]
        server.fault("slow", ms=3000)
        got = []
        self.begin()
        client = threading.Thread(target=lambda: got.append(server.request(
            "/api/generate", {"model": "llama3.2:1b"}, timeout=60)))
        client.start()
        self.health(tree, "llm", "busy", timeout=30)
        client.join()
        self.tell("answered, and never restarted,")
        self.assertEqual(got[0][0], 200, got)
        server.fault("none")
        sv = self.health(tree, "llm", "ok", timeout=30)
        self.assertEqual((sv["pid"], sv["restarts"]), (pid, 0))

    @row(33, "logs grew without end, crash evidence was truncated",
         "a crash with last words, then a flood of lines",
         "appends over restarts, rotates by size, keeps within the cap")
    def test_f33_logs(self):
        tree = self.tree({"noisy": {
            "conf": "[service]\nrestart-delay = 10ms\n[log]\n"
            "max-size = 64K\nkeep = 3\n",
            "run": "if [ ! -e died ]; then touch died; echo last words; "
            "exit 3; fi\n[ ! -e flood ] || seq -f '%09.0f more of it' 40000\n"
            "echo done $$; exec sleep 1000"}})
        tree.wait("noisy", lambda s: s["restarts"] == 1)
        pid = tree.wait("noisy", "UP")["pid"]
        rig.eventually(lambda: f"done {pid}" in tree.log_text("noisy"),
                       what="the second run's line")
        self.assertIn("last words", tree.log_text("noisy"))
        tree.add("noisy", {"files": {"flood": ""}})
        self.begin()
        tree.svctl("restart", "noisy", check=True)
        pid = tree.service("noisy")["pid"]
        rig.eventually(lambda: f"done {pid}" in tree.log_text("noisy"), 30,
                       "the end of the flood")
        self.tell("a flood of 880 KB written")
        where = os.path.join(tree.log, "noisy")
        files = [os.path.join(where, x) for x in os.listdir(where)]
        self.assertLessEqual(len(files), 5, files)
        self.assertLessEqual(sum(map(os.path.getsize, files)), 5 << 16)

    @unittest.skipUnless(ROOT and shutil.which("ip") and subprocess.run(
        ["unshare", "-n", "true"], stderr=subprocess.DEVNULL,
        check=False).returncode == 0, "needs root, ip, network namespaces")
    @row(36, "Wi-Fi and DNS were lost after sleep, and with them all else",
         "the tree runs where there is no network but loopback, and no DNS",
         "asks no name and no Internet: all is healthy")
    def test_f36_no_network(self):
        llm, mlx = standin.Server(), standin.Server("mlx")
        tree = self.start({"ollama": llm.conf(health=FAST),
                           "mlx": mlx.conf(health=FAST),
                           "recover": bb_recovery.recover()}, start=False)
        plain = tree.command
        tree.command = lambda: [
            "unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "-",
            *plain()]
        self.begin()
        tree.start()
        for name in ("ollama", "mlx"):
            self.health(tree, name, "ok")
        self.tell("healthy without a network")
        pid = tree.service("ollama")["pid"]
        self.assertNotEqual(os.readlink(f"/proc/{pid}/ns/net"),
                            os.readlink("/proc/self/ns/net"))
        os.kill(pid, signal.SIGKILL)
        self.begin()
        self.new_pid(tree, "ollama", pid)
        self.tell("crash: up again")
        self.health(tree, "ollama", "ok")
        self.recovers(tree)

    @row(37, "recovery itself bounced the Wi-Fi",
         "all sources, scripts and built programs are searched for what "
         "could",
         "nothing of svtree's touches the network's configuration")
    def test_f37_nothing_touches_the_network(self):
        bad = re.compile(rb"\bairport\b|networksetup|\bnmcli\b|\bifconfig\b|"
                         rb"SIOCSIF(FLAGS|ADDR)|ip link set|setairport")
        self.assertTrue(bad.search(b"x networksetup -setairportpower"))
        seen = 0
        for top in ("src", "services", "include", "packaging"):
            for where, _, names in os.walk(os.path.join(rig.TOP, top)):
                for name in names:
                    with open(os.path.join(where, name), "rb") as f:
                        self.assertIsNone(bad.search(f.read()), name)
                    seen += 1
        self.assertGreater(seen, 100)
        for name in ("svtree", "svctl", "svlog", "recover", "health-monitor",
                     "recovery-listener", "container-keeper",
                     "docker-keeper", "oom-watcher", "port-guard"):
            with open(rig.program(name), "rb") as f:
                self.assertIsNone(bad.search(f.read()), name)

    @row(39, "the restart was a stub that claimed success",
         "SIGKILL of every service of a tree, one after the other, then of "
         "the supervisor and all of them",
         "each is another process that works")
    def test_f39_acceptance_by_killing(self):
        llm, mlx = standin.Server(), standin.Server("mlx")
        port = rig.free_port()
        tree = self.start({
            "ollama": llm.conf(health=FAST, guard=True),
            "mlx": mlx.conf(health=FAST, guard=True),
            "oom-watcher": bb_containers.WATCHER,
            "recovery-listener": "[service]\nready = notify\ngrants = Once\n"
            f"exec = recovery-listener -p {port}\n",
            "recover": bb_recovery.recover()})
        names = ("ollama", "mlx", "health-monitor", "oom-watcher",
                 "recovery-listener", "svlog")
        worst = 0
        for name in names:
            pid = tree.wait(name, "UP")["pid"]
            self.begin()
            os.kill(pid, signal.SIGKILL)
            self.new_pid(tree, name, pid)
            worst = max(worst, time.monotonic() - self.began)
        tell(self, "the slowest of six up again", worst)
        pids = {n: tree.service(n)["pid"] for n in names}
        tree.kill_supervisor()
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        self.begin()
        tree.start()
        for name in names:
            self.new_pid(tree, name, pids[name])
        self.tell("supervisor and all killed, after back-off: all up again")
        for name in ("ollama", "mlx"):
            self.health(tree, name, "ok")
        self.assertEqual((llm.answers(), mlx.answers()), (200, 200))
        self.assertIn("verdict: healthy", self.recovers(tree))

    @row(41, "a job started two endless loops every 300 s",
         "a timer of 100 ms whose oneshot never ends",
         "does not start it a second time while it runs")
    def test_f41_no_second_run(self):
        tree = self.tree({"check": {
            "conf": "[service]\ntype = oneshot\nevery = 100ms\n"
            "start-timeout = 0\n",
            "run": "echo $$ >>runs; exec sleep 1000"},
            "clock": {"conf": "[service]\ntype = oneshot\nevery = 100ms\n",
                      "run": "echo $$ >>runs"}})

        def runs(name):
            try:
                with open(os.path.join(tree.services, name, "runs"),
                          encoding="ascii") as f:
                    return f.read().split()
            except FileNotFoundError:
                return []
        self.begin()
        rig.eventually(lambda: runs("check") and len(runs("clock")) > 8, 30,
                       "eight turns of the other timer")
        self.tell("one process after eight turns")
        self.assertEqual(len(runs("check")), 1)

    @row(43, "MLX could not be reached from the containers",
         "the server answers on loopback; on the address for containers "
         "nobody listens, then somebody does",
         "probes that address, too: degraded, named, no restart")
    def test_f43_the_bridge(self):
        server = standin.Server("mlx")
        other = rig.free_port()
        tree = self.start({"llm": server.conf(
            health=FAST + f"also = http://127.0.0.2:{other}\n")})
        self.begin()
        sv = self.health(tree, "llm", "degraded")
        self.tell("named")
        self.assertIn(f"not at http://127.0.0.2:{other}: Connection refused",
                      sv["health_text"])
        bridge = subprocess.Popen(
            [*server.command[:-1], str(other), "--host", "127.0.0.2"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.addCleanup(bridge.wait)
        self.addCleanup(bridge.kill)
        self.begin()
        sv = self.health(tree, "llm", "ok")
        self.tell("bridge is back: healthy")
        self.assertEqual(sv["restarts"], 0)


class Asked(Clock, bb_recovery.Listened):
    """What came by way of the listener, or past it."""

    @row(13, "the user disabled MLX, recovery started it every 5 minutes",
         "`svctl disable mlx`, then POST /recover, reload, SIGKILL of the "
         "supervisor, and a whole new start",
         "the operator's word stands through all of that")
    def test_f13_disabled_stays_so(self):
        mlx, llm = standin.Server("mlx"), standin.Server()
        tree = self.start({"mlx": mlx.conf(health=bb_recovery.QUICK),
                           "ollama": llm.conf(health=bb_recovery.QUICK)},
                          args="-c 0")
        mlx.wait()
        self.begin()
        tree.svctl("disable", "mlx", check=True)
        self.tell("down")

        def is_down():
            llm.wait()
            _, _, said = self.post(body={"ollama": True, "mlx": False})
            self.assertTrue(said["recovery_triggered"], said)
            rig.eventually(lambda: tree.service("recover")["state"] ==
                           "DOWN", LATE, "the end of recover")
            sv = tree.service("mlx")
            self.assertEqual((sv["state"], sv["enabled"], mlx.answers()),
                             ("DOWN", False, 0))
        is_down()
        tree.call("Reload")
        is_down()
        tree.kill_supervisor()
        tree.start()
        tree.wait("recovery-listener", "UP")
        is_down()
        self.assertEqual(tree.stop(), 0)
        tree.start()
        tree.wait("recovery-listener", "UP")
        is_down()

    @row(21, "the listener was started by hand and lost on reboot",
         "SIGKILL of the listener; then shutdown and start of the whole",
         "the listener is a service like any other: there is one job to "
         "install")
    def test_f21_one_job(self):
        tree = self.start()
        pid = tree.service("recovery-listener")["pid"]

        def answers():
            try:
                return self.ask("GET", "/healthz")[0] == 200
            except (OSError, http.client.HTTPException):
                return False
        self.begin()
        os.kill(pid, signal.SIGKILL)
        rig.eventually(lambda: answers() and tree.service(
            "recovery-listener")["pid"] != pid, what="its answer")
        self.tell("answers again")
        self.assertEqual(tree.stop(), 0)
        self.assertFalse(answers())
        self.begin()
        tree.start()
        rig.eventually(answers, what="its answer")
        self.tell("answers after a new start")

    @row(30, "tasks were stuck while the LLM was dead",
         "a server that hangs; a caller asks the gate",
         "GET /health/NAME is 503 for as long as it lasts, and the outage is "
         "kept with begin, reason and length")
    def test_f30_outage_is_told(self):
        llm = standin.Server()
        tree = self.start({"llm": llm.conf("stop-timeout = 2s", FAST),
                           "health-monitor": MONITOR})
        tree.wait("llm", lambda s: s["health"] == "ok")

        def gate(status):
            rig.eventually(lambda: self.ask("GET", "/health/llm")[0] ==
                           status, 30, f"the gate's {status}")
        gate(200)
        self.begin()
        llm.fault("ignore-term")
        llm.fault("hang")
        gate(503)
        self.tell("gate shut")
        gate(200)
        self.tell("gate open again")
        rig.eventually(lambda: Servers.incidents(tree, "llm")["count"],
                       what="the outage")
        outage = Servers.incidents(tree, "llm")["incidents"][0]
        self.assertIn("hung: no answer to GET /api/tags", outage["reason"])


class Memory(Clock, bb_oom_watcher.Watched):
    """What the host's memory and disk did."""

    @row(12, "even light MLX models crashed while memory was short",
         "memory goes critical, then MLX dies",
         "`needs = oom-watcher:healthy` holds its start until there is "
         "memory again")
    def test_f12_no_start_without_memory(self):
        tree = self.start({"mlx": SLEEPER + "needs = oom-watcher:healthy\n"},
                          boxed=False)
        pid = tree.wait("mlx", "UP")["pid"]
        self.memory(3)
        tree.wait("oom-watcher", lambda s: s["health"] == "degraded")
        self.assertEqual(tree.service("mlx")["pid"], pid)
        self.begin()
        os.kill(pid, signal.SIGKILL)
        sv = tree.wait("mlx", "WAITING")
        self.tell("held")
        self.assertIn("oom-watcher to be healthy", sv["reason"])
        self.begin()
        self.memory(60)
        self.new_pid(tree, "mlx", pid)
        self.tell("memory is back: up")

    @row(28, "Python died at 104 GB used, 3 GB in swap",
         "2 % of the memory left, 4 GiB swapped out",
         "tells the level, unloads models that are idle, none that works")
    def test_f28_pressure(self):
        ollama = bb_oom_watcher.Ollama()
        self.addCleanup(ollama.close)
        tree = self.start({"llm": SLEEPER + "[health]\ntype = ollama\n"
                           f"url = {ollama.url}\n"}, boxed=False)
        tree.wait("oom-watcher", lambda s: s["health"] == "ok")
        with tree.subscribe() as events:
            self.begin()
            self.memory(2, swap_used=4)
            events.until(lambda e: e["event"] == "incident" and
                         "memory critical" in e["reason"] and
                         "swap 4 GiB" in e["reason"])
            self.tell("told")
            asked = ollama.asked.get(timeout=rig.TIMEOUT)
            self.tell("idle model unloaded")
        self.assertEqual(asked, ("/api/generate",
                                 {"model": "idle:7b", "keep_alive": 0}))
        self.assertTrue(ollama.asked.empty())

    @unittest.skipUnless(ROOT and shutil.which("mount"),
                         "only root can make a small disk")
    @row(32, "the disk was full: builds failed, disk I/O error",
         "the logs lie on a disk of 4 MiB that somebody else fills",
         "logs have caps; a disk with less than 5 % free is told, with whose "
         "logs take most and the command that makes room; a service is not "
         "held up by it")
    def test_f32_disk(self):
        tree = self.tree(start=False)
        os.mkdir(tree.log)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m",
                               "none", tree.log], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest("no mount here: " + done.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", tree.log],
                        check=False)
        self.proc = tree.path("proc")
        os.makedirs(os.path.join(self.proc, "pressure"))
        self.memory(50)
        tree.add("oom-watcher", bb_oom_watcher.WATCHER.format(
            proc=self.proc, socket="/nonexistent"))
        tree.add("busy", {"run": "i=0; while :; do i=$((i+1)); echo line $i; "
                          "echo $i >at.new; mv at.new at; sleep 0.01; done"})
        tree.start()
        tree.wait("oom-watcher", lambda s: s["health"] == "ok")
        self.begin()
        with open(os.path.join(tree.log, "theirs"), "wb",
                  buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass
        sv = tree.wait("oom-watcher", lambda s: "disk" in (s["text"] or ""))
        self.tell("told")
        self.assertIn("free", sv["text"])
        told = rig.eventually(
            lambda: re.search("only . % of the disk with the logs is free.*",
                              tree.svctl("history", "oom-watcher").stdout),
            what="the incident")[0]
        self.assertIn("; logs take ", told)
        self.assertIn(": du -xh -d 2 /", told)

        def lines():
            with open(os.path.join(tree.services, "busy", "at"),
                      encoding="ascii") as f:
                return int(f.read())
        before = lines()
        rig.eventually(lambda: lines() > before + 50, 30, "its going on")
        self.assertEqual(tree.service("busy")["restarts"], 0)

    @unittest.skipUnless(os.path.exists("/proc/meminfo"), "Linux's figures")
    @row(42, "the guards were blind: wrong page size, wrong keys, no sensors",
         "the watcher's figure beside /proc/meminfo; a model on the CPU in "
         "/api/ps; the sources for macOS are read",
         "reads the host's own figures: meminfo and PSI, on macOS the "
         "kernel's pressure level; `models` of /api/ps")
    def test_f42_figures_are_real(self):
        tree = self.tree({"oom-watcher": bb_containers.WATCHER})
        self.begin()
        sv = tree.wait("oom-watcher", lambda s: s["text"])
        self.tell("told")
        told = int(re.search(r"memory (\d+) % used", sv["text"]).group(1))
        with open("/proc/meminfo", encoding="ascii") as f:
            info = dict(re.findall(r"(\w+): +(\d+)", f.read()))
        real = 100 - 100 * int(info["MemAvailable"]) / int(info["MemTotal"])
        self.assertLess(abs(told - real), 12, sv["text"])
        with open(os.path.join(rig.TOP, "services/lib/"
                               "osmem_darwin.c"), encoding="ascii") as f:
            text = f.read()
        self.assertIn("kern.memorystatus_vm_pressure_level", text)
        self.assertNotIn("4096", text)
        server = standin.Server()
        tree.add("llm", server.conf(health=FAST))
        tree.add("health-monitor", MONITOR)
        tree.svctl("reload", check=True)
        tree.wait("llm", lambda s: s["health"] == "ok")
        server.fault("loaded", model="llama3.2:1b")
        server.fault("cpu")
        sv = tree.wait("llm", lambda s: s["health"] == "degraded")
        self.assertIn("llama3.2:1b is only 0 % on the GPU",
                      sv["health_text"])


class Containers(Clock, bb_containers.Kept):
    """What the containers did, on a real dockerd."""

    COMPOSE = bb_containers.COMPOSE + """  eats:
    image: box:1
    container_name: eats
    command: eat 0 50
    network_mode: none
    mem_limit: 16m
    memswap_limit: 16m
"""
    fake_compose = bb_containers.Compose.fake_compose
    shipped = bb_containers.Shipped.shipped

    @classmethod
    def setUpClass(cls):
        dockerd.start("failures")

    @row(1, "containers stopped, and nobody brought them up",
         "`docker stop`, then `docker rm -f` of a critical container",
         "container-keeper: `up -d` of exactly that service")
    def test_f01_stopped_and_removed(self):
        name = "knowledge_nightly"
        tree = self.start_it(name)
        for verb, args in (("stopped", ("stop",)), ("removed", ("rm", "-f"))):
            before = self.engine.inspect(name)
            self.engine.docker(*args, name)
            self.begin()
            self.back(tree, name, before)
            self.tell(f"{verb}: running again")
        self.assertIsNone(self.engine.state("bystander"))

    def start_it(self, *names, **more):
        return bb_containers.Kept.start(self, *names, **more)

    @row(2, "nightly and orchestrator were not checked by name",
         "`docker kill` of both at once, with the shipped definitions",
         "each is a service of its own: both come back, each with its own "
         "history")
    def test_f02_critical_by_name(self):
        names = ("knowledge_nightly", "knowledge_os_orchestrator")
        tree = self.start_it(start=False, more={"ollama": SLEEPER})
        for name in names:
            tree.add(name, self.shipped(name))
        tree.start()
        tree.wait("ollama", "UP")
        tree.call("Report", {"name": "ollama", "health": "ok"})
        for name in names:
            tree.wait(name, "UP", LATE)
        before = {n: self.engine.inspect(n) for n in names}
        self.engine.docker("kill", *names)
        self.begin()
        for name in names:
            self.back(tree, name, before[name])
        self.tell("both running again")
        for name in names:
            self.history(tree, name, "killed by order (docker kill)")

    @row(3, "the orchestrator died of memory 1-3 s after each start (137)",
         "a container that eats more than its limit as soon as it starts; "
         "it needs a healthy ollama",
         "is not started before ollama is healthy; the loop is named with "
         "its advice and given up, not restarted for ever")
    def test_f03_oom_loop(self):
        tree = self.start_it(start=False, more={
            "ollama": SLEEPER, "watcher": bb_containers.WATCHER + "[docker]\n"
            f"socket = {self.engine.socket}\n"})
        tree.add("eats", self.keeper(
            "eats", needs="ollama:healthy",
            service="restart-limit = 5/10m\nrestart-delay = 10ms"))
        tree.start()
        tree.wait("docker", "UP", LATE)
        rig.eventually(lambda: "follows the events" in
                       tree.log_text("watcher"), LATE, "the watcher")
        self.assertEqual(tree.service("eats")["state"], "WAITING")
        self.assertIsNone(self.engine.state("eats"))
        with tree.subscribe(LATE) as events:
            self.begin()
            tree.call("Report", {"name": "ollama", "health": "ok"})
            events.until(lambda e: e["event"] == "incident" and
                         "killed by the kernel for memory (limit 16 MiB)" in
                         e["reason"])
            self.tell("first death named")
            events.until(lambda e: e["event"] == "incident" and
                         "died 5 times within 10 min" in e["reason"])
            self.tell("loop named")
        tree.wait("eats", "TRIPPED", LATE)
        self.tell("given up")
        sv = tree.service("eats")
        self.assertEqual((sv["last_exit"]["code"], sv["restarts"]), (137, 5))
        self.assertIn("raise the limit", sv["text"])
        self.history(tree, "eats", "killed by the kernel for memory (limit",
                     "restarting will not heal it", "too many failures")

    @row(22, "docker: command not found, out of cron",
         "the supervisor is started with PATH=/nonexistent",
         "finds the engine by its socket and compose by a PATH of its own")
    def test_f22_no_path(self):
        tree = self.start_it(start=False)
        tree.extra_env["PATH"] = "/nonexistent"
        tree.add("by_docker", self.keeper("by_docker"))
        self.begin()
        tree.start()
        tree.wait("by_docker", "UP", LATE)
        self.tell("running")
        self.assertEqual(self.engine.state("by_docker"), "running")

    @row(23, "false alarms restarted a container 15 times while it started",
         "a container whose probe fails for its first seconds",
         "probes from the host and waits for start-grace: no restart")
    def test_f23_slow_container(self):
        tree = self.start_it(start=False, more={"health-monitor": MONITOR})
        tree.add("by_docker", {
            "conf": self.keeper("by_docker") + "[health]\ntype = exec\n"
            "command = /bin/sh probe\n" + FAST.replace("= 3s", "= 60s"),
            "files": {"probe": "echo asked >>asked; test -e ok\n"}})
        tree.start()
        tree.wait("by_docker", "UP", LATE)
        before = self.engine.inspect("by_docker")
        asked = os.path.join(tree.services, "by_docker", "asked")

        def times():
            with open(asked, encoding="ascii") as f:
                return len(f.read().split())
        rig.eventually(lambda: os.path.exists(asked) and times() >= 6, LATE,
                       "six probes in vain")
        self.assertEqual(tree.service("by_docker")["health"], "unknown")
        tree.add("by_docker", {"files": {"ok": ""}})
        self.begin()
        tree.wait("by_docker", lambda s: s["health"] == "ok", LATE)
        self.tell("healthy, once it answers,")
        self.assertEqual(tree.service("by_docker")["restarts"], 0)
        self.assertEqual(self.engine.inspect("by_docker")["State"],
                         before["State"])

    @row(24, "Victoria was OOM-killed, seen only as unavailable",
         "the kernel kills a container at its limit of 16 MiB",
         "tells it from a kill by hand, keeps reason, limit and outage, and "
         "brings it back")
    def test_f24_oom_kill(self):
        name = "knowledge_nightly"
        tree = self.start_it(name)
        before = self.engine.inspect(name)
        self.engine.signal(name, signal.SIGUSR1)
        self.begin()
        _, sv = self.back(tree, name, before)
        self.tell("running again")
        self.assertTrue(sv["last_exit"]["oom"], sv)
        self.history(tree, name, "killed by the kernel for memory (limit "
                     "16 MiB)")
        rig.eventually(lambda: Servers.incidents(tree, name)["count"] == 1,
                       LATE, "the outage")

    @row(25, "Docker itself died",
         "SIGKILL of dockerd, containerd and all containers, beside a "
         "server",
         "runs the start command; the server notices nothing; the "
         "containers are up again when Docker is")
    def test_f25_docker_dies(self):
        names = ("knowledge_nightly", "by_docker")
        self.addCleanup(lambda: self.engine.process or self.engine.start())
        tree = self.start_it(start=False, more={"ollama": SLEEPER})
        asked = tree.path("asked")
        tree.add("docker", bb_containers.DOCKER.format(
            socket=self.engine.socket).replace("= true", f"= touch {asked}"))
        for name in names:
            tree.add(name, self.keeper(name))
        tree.start()
        for name in names:
            tree.wait(name, "UP", LATE)
        pid = tree.wait("ollama", "UP")["pid"]
        self.begin()
        self.engine.crash()
        rig.eventually(lambda: os.path.exists(asked), LATE, "the start "
                       "command")
        self.tell("start command run")
        sv = tree.wait("docker", lambda s: s["health"] == "failing", LATE)
        self.assertEqual(tree.service("ollama")["pid"], pid)
        self.engine.start()
        self.begin()
        for name in names:
            self.engine.wait_state(name, "running")
            tree.wait(name, lambda s: s["state"] == "UP" and
                      s["health"] != "failing", LATE)
        self.tell("engine is back: containers up")
        sv = tree.service("ollama")
        self.assertEqual((sv["pid"], sv["restarts"]), (pid, 0))

    @row(34, "the database volume was switched by a compose from elsewhere",
         "a life of stops, kills, removals, restarts and a recovery, with "
         "every call of compose written down; a relative path in the "
         "configuration",
         "only ever `up -d --no-recreate --no-build SERVICE`, with project "
         "and absolute file; never down, restart, rm, -v")
    def test_f34_only_up(self):
        name = "knowledge_nightly"
        tree = self.start_it(start=False,
                             more={"recover": bb_recovery.recover()})
        calls = tree.path("calls")
        path = self.fake_compose(
            tree, f'echo "$*" >>{calls}\nexec '
            f'{shutil.which("docker-compose")} "$@"\n')
        tree.add(name, self.keeper(name, environment=path))
        tree.start()
        tree.wait(name, "UP", LATE)
        self.begin()
        for args in (("stop",), ("kill",), ("rm", "-f")):
            before = self.engine.inspect(name)
            self.engine.docker(*args, name)
            self.back(tree, name, before)
        before = self.engine.inspect(name)
        tree.svctl("restart", name, check=True, timeout=LATE)
        self.back(tree, name, before)
        self.recovers(tree)
        self.tell("four repairs and a recovery")
        with open(calls, encoding="ascii") as f:
            said = [c for c in f.read().splitlines() if c != "version"]
        self.assertGreaterEqual(len(said), 5)
        self.assertEqual(set(said), {
            f"-p test -f {self.compose} up -d --no-recreate --no-build "
            f"{name}"})
        other = self.tree({name: self.keeper(
            name, compose="docker-compose.yml")}, start=False)
        done = other.svctl("check", other.services)
        self.assertEqual(done.returncode, 1)
        self.assertIn("compose", done.stderr)

    @row(35, "Redis collided with another project's name and port",
         "a container that the compose file does not have; a port that "
         "another process holds",
         "the name comes from the compose file, and its error is the "
         "reason; the holder of the port is named, and not fought")
    def test_f35_names_and_ports(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
            tree = self.start_it(start=False, more={
                "redis": "[service]\nexec = port-guard "
                f"{port} -- sleep 1000\n"})
            tree.add("old_redis", self.keeper("old_redis"))
            self.begin()
            tree.start()
            sv = tree.wait("redis", lambda s: s["health"] == "failing")
            self.tell("holder named")
            self.assertIn(f"port {port} is held by pid {os.getpid()} (",
                          sv["health_text"])
            rig.eventually(lambda: "No such service: old_redis" in
                           tree.log_text("old_redis"), LATE,
                           "what compose said")
            self.tell("unknown name told")
            self.history(tree, "old_redis", "exited with 1")
            self.assertEqual(tree.service("redis")["restarts"], 0)

    @row(38, "the container was up, its learner was not",
         "a container runs; what it should make anew grows stale; another "
         "says in its log that it fails, and goes on",
         "a probe of freshness from the host: failing, with its words, while "
         "the container is up; `log-warning`: degraded, with the line")
    def test_f38_freshness(self):
        tree = self.start_it(start=False, more={"health-monitor": MONITOR})
        tree.add("by_docker", {
            "conf": self.keeper("by_docker") + "[health]\ntype = exec\n"
            "command = /bin/sh fresh\nrestart = no\n" + FAST,
            "files": {"fresh": "test -n \"$(find stamp -mmin -60)\" || "
                      "{ echo nothing learnt; exit 1; }\n",
                      "stamp": ""}})
        tree.add("mutters", self.keeper("mutters") + "[health]\n"
                 "type = docker\nlog-warning = \"line 0\"\n" + FAST)
        tree.start()
        sv = tree.wait("mutters", lambda s: s["health"] == "degraded", LATE)
        self.assertIn("its log says: line 0", sv["health_text"])
        tree.wait("by_docker", lambda s: s["health"] == "ok", LATE)
        self.begin()
        hours_ago = time.time() - 7200
        os.utime(os.path.join(tree.services, "by_docker", "stamp"),
                 (hours_ago, hours_ago))
        sv = tree.wait("by_docker", lambda s: s["health"] == "failing", LATE)
        self.tell("told")
        self.assertIn("nothing learnt", sv["health_text"])
        self.history(tree, "by_docker",
                     "the probe, from the host, was told: nothing learnt")
        self.assertEqual(self.engine.state("by_docker"), "running")
        self.assertEqual((sv["state"], sv["restarts"]), ("UP", 0))

    @row(40, "docker hung outside of a terminal",
         "dockerd stopped by SIGSTOP; then a compose that hangs with a child "
         "and ignores SIGTERM",
         "every call has a deadline; servers and recovery are not held up; "
         "a hung compose is killed with all it started")
    def test_f40_docker_hangs(self):
        daemon = self.engine.process.pid
        tree = self.start_it(start=False, more={
            "ollama": SLEEPER,
            "recover": bb_recovery.recover("--timeout 5s")})
        tree.add("by_docker", self.keeper("by_docker"))
        os.kill(daemon, signal.SIGSTOP)
        try:
            self.begin()
            tree.start()
            tree.wait("ollama", "UP")
            self.tell("server up")
            sv = tree.wait("docker", lambda s: s["health"] == "failing")
            self.tell("hang named")
            self.assertIn("no answer within 3000 ms", sv["health_text"])
            self.begin()
            self.recovers(tree, 1)
            self.tell("recovery ends")
        finally:
            os.kill(daemon, signal.SIGCONT)
        self.begin()
        tree.wait("by_docker", "UP", LATE)
        self.tell("container up once it answers")
        tree.stop(timeout=LATE)
        self.begin()
        bb_containers.Compose \
            .test_one_that_hangs_is_killed_with_all_it_started(self)
        self.tell("hung compose killed")


def main():
    page = None
    if "--doc" in sys.argv:
        at = sys.argv.index("--doc")
        page = sys.argv[at + 1]
        del sys.argv[at:at + 2]
    print(f"# times of the shipped defaults by {FACTOR:g}", flush=True)
    try:
        rig.main()
    finally:
        if page:
            failure_table.write(page, FACTOR, bb_health.WINDOW,
                                "tests/failures.py")


if __name__ == "__main__":
    main()
