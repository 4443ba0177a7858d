# SPDX-License-Identifier: ISC
"""svctl doctor, init, install, uninstall and adopt-compose, on machines made
of directories (--root) and against real servers and supervisors."""

import http.server
import json
import os
import plistlib
import pty
import shutil
import signal
import socketserver
import subprocess
import tempfile
import threading

import rig
import standin

SLEEPER = "[service]\nexec = sleep 1000\n"


class Case(rig.Case):
    def directory(self):
        path = tempfile.mkdtemp(prefix="sv.", dir="/tmp")
        self.addCleanup(shutil.rmtree, path, True)
        return path

    def write(self, *parts, text="", mode=0o644):
        path = os.path.join(*parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def svctl(self, *args, env=None, cwd=None, timeout=90):
        full = {k: v for k, v in os.environ.items()
                if not k.startswith(("SVTREE_", "OLLAMA_", "DOCKER_"))}
        full["SVTREE_PATH"] = rig.BIN + ":" + rig.SYSTEM_PATH
        full.update(env or {})
        return subprocess.run(
            [rig.program("svctl"), *map(str, args)], env=full, cwd=cwd,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, check=False)


class Doctor(Case):
    def setUp(self):
        self.root = self.directory()

    def examine(self, t, code, env=None, more=()):
        """All checks, of a machine without other managers; the exit status
        must be this, the printed words those of the JSON."""
        env = {"HOME": "/home/me", "DOCKER_HOST": "unix:///nonexistent",
               **(env or {})}
        done = self.svctl("--run", t.run, "--json", "doctor", "--root",
                          self.root, *more, env=env)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        told = json.loads(done.stdout)
        plain = self.svctl("--run", t.run, "doctor", "--root", self.root,
                           *more, env=env)
        self.assertEqual(plain.returncode, code)
        self.assertIn(f"{told['failed']} of ", plain.stdout)
        self.assertEqual(told["failed"] > 0, code == 1)
        for check in told["checks"]:
            # Each fault comes with what mends it.
            if check["result"] in ("failed", "warning"):
                self.assertTrue(check["mend"], check)
        return told["checks"]

    def fault(self, checks, *words, result="failed", mend=""):
        """The check that holds these words, with this result."""
        found = [c for c in checks if all(w in c["what"] for w in words)]
        self.assertEqual(len(found), 1, f"{words}: {checks}")
        self.assertEqual(found[0]["result"], result, found)
        self.assertIn(mend, found[0]["mend"] or "")
        return found[0]

    def install(self):
        self.write(self.root, "etc/systemd/system/svtree.service")
        self.write(self.root, "home/me/.config/systemd/user/svtree.service")

    def test_a_tree_that_is_well_is_green(self):
        self.install()
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        t.wait("svlog", "UP")
        checks = self.examine(t, 0)
        self.fault(checks, "the supervisor answers", result="ok")
        self.fault(checks, "a is UP", result="ok")
        self.fault(checks, "nobody else starts", result="ok")

    def test_programs_are_sought_where_the_supervisor_seeks_them(self):
        self.install()
        own = self.directory()
        self.write(own, "only-there", text="#!/bin/sh\nexec sleep 1000\n",
                   mode=0o755)
        path = f"{rig.BIN}:{rig.SYSTEM_PATH}:{own}"
        t = self.tree({"a": "[service]\nexec = only-there\n"},
                      env={"SVTREE_PATH": path})
        t.wait("a", "UP")
        t.wait("svlog", "UP")
        self.fault(self.examine(t, 0), "no error", result="ok")
        done = self.svctl("--run", t.run, "check")
        self.assertEqual(done.returncode, 0, done.stderr)
        # Without a supervisor there is only one's own path.
        self.assertEqual(self.svctl("check", t.services).returncode, 1)

    def test_no_supervisor_and_no_job(self):
        t = self.tree({"a": SLEEPER}, start=False)
        checks = self.examine(t, 1, {"SVTREE_SERVICES": t.services})
        self.fault(checks, "no supervisor answers", t.run, mend="svtree")
        self.fault(checks, "nothing starts it", result="warning",
                   mend="svctl install")
        self.install()
        self.fault(self.examine(t, 1, {"SVTREE_SERVICES": t.services}),
                   "no supervisor answers", mend="systemctl")

    def test_services_that_are_not_as_wanted(self):
        t = self.tree({
            "trip": "[service]\nexec = false\nrestart-delay = 10ms\n"
                    "restart-limit = 1/1m\n",
            "dep": SLEEPER + "needs = never\n",
            "never": {"conf": "[service]\nready = check\n",
                      "run": "exec sleep 1000", "check": "false"},
            "bad": SLEEPER, "old": SLEEPER, "off": SLEEPER,
            "job": {"conf": "[service]\ntype = oneshot\nrestart = never\n",
                    "run": "exit 7"}})
        t.wait("trip", "TRIPPED")
        t.wait("dep", "WAITING")
        t.wait("old", "UP")
        t.wait("job", lambda s: s["last_exit"])
        t.call("Report", {"name": "bad", "health": "failing",
                          "reason": "no answer in 3 s"})
        t.call("Disable", {"name": "off"})
        t.wait("off", "DOWN")
        t.add("old", "[service]\nexec = sleep 1001\n")
        t.call("Reload")
        checks = self.examine(t, 1)
        self.fault(checks, "trip is TRIPPED", mend="svctl start trip")
        self.fault(checks, "dep is WAITING", mend="svctl explain never")
        self.fault(checks, "bad is UP and failing: no answer",
                   mend="svctl restart bad")
        self.fault(checks, "old runs by a definition", result="warning",
                   mend="svctl restart old")
        self.fault(checks, "off is disabled", result="note")
        self.fault(checks, "the last run of job failed", result="warning",
                   mend="svctl logs job")

    def test_definitions_in_error_and_newer_than_what_runs(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        t.add("b", "[service]\nexec = sleep 1\nfoo = 1\n")
        checks = self.examine(t, 1)
        self.fault(checks, "b/service.conf:3:", "foo",
                   mend=f"edit {t.services}/b/service.conf")
        t.remove("b")
        t.add("a", SLEEPER)
        far = 2000000000
        os.utime(os.path.join(t.services, "a", "service.conf"), (far, far))
        self.fault(self.examine(t, 0), "changed on disk", result="warning",
                   mend="svctl reload")

    def test_a_server_that_hangs_has_no_models_or_is_busy(self):
        o, m = standin.Server("ollama"), standin.Server("mlx")
        t = self.tree({"ollama": o.conf(env={"OLLAMA_MODELS": "/nowhere"}),
                       "mlx": m.conf()})
        t.wait("ollama", "UP")
        t.wait("mlx", "UP")
        o.wait()
        m.wait()
        checks = self.examine(t, 0)
        self.fault(checks, "ollama answers in", "model", result="ok")
        self.fault(checks, "mlx answers in", "healthy", result="ok")
        o.fault("empty")
        m.fault("status", word="degraded")
        checks = self.examine(t, 1)
        self.fault(checks, "ollama answers", "models: []",
                   mend="svctl explain ollama")
        self.fault(checks, "mlx answers in", "busy", result="ok")
        o.fault("busy")
        m.fault("status", word="critical")
        checks = self.examine(t, 1)
        self.fault(checks, "ollama is busy", "503", result="ok")
        self.fault(checks, "mlx answers", "95 %", mend="svctl restart mlx")
        o.fault("hang")
        m.fault("error")
        checks = self.examine(t, 1)
        self.fault(checks, "ollama: /api/tags: no answer in time",
                   "silent", mend="svctl restart ollama")
        self.fault(checks, "mlx: /health answers 500",
                   mend="svctl restart mlx")

    def test_a_server_that_answers_and_computes_not(self):
        o, m = standin.Server("ollama"), standin.Server("mlx")
        t = self.tree({"ollama": o.conf(),
                       "mlx": m.conf(health="models = llama3.2:1b\n"
                                     "deep-timeout = 1s\n")})
        deep = lambda code: self.examine(t, code, more=["--deep"])
        o.wait()
        m.wait()
        t.wait("svlog", "UP")
        checks = deep(0)
        self.fault(checks, "ollama has no model loaded", result="note")
        self.fault(checks, "mlx computes: a token of llama3.2:1b", result="ok")
        o.fault("loaded", model="llama3.2:1b")
        self.fault(deep(0), "ollama computes: a token of llama3.2:1b",
                   result="ok")
        asked = json.loads(o.state()["last"])
        self.assertEqual(asked, {
            "model": "llama3.2:1b", "prompt": "1", "stream": False,
            "think": False, "options": {"num_predict": 1}})
        before = o.state()["inference"]
        # Unasked it computes nothing.
        self.assertFalse([c for c in self.examine(t, 0)
                          if "comput" in c["what"]])
        self.assertEqual(o.state()["inference"], before)
        o.fault("generate-fails")
        m.fault("wedge")
        checks = deep(1)
        self.fault(checks, "ollama does not compute: /api/generate answers "
                   "500", mend="svctl restart ollama")
        self.fault(checks, "mlx does not compute: no token of llama3.2:1b",
                   mend="svctl restart mlx")
        # Silent, but at work for somebody else.
        m.fault("runners", count=1, spin=True)
        self.fault(deep(1), "mlx has no token for us within 1 s, but its "
                   "processes work", result="ok")

    def test_the_memory_of_this_machine(self):
        t = self.tree({"a": SLEEPER})
        done = self.svctl("--run", t.run, "--json", "doctor")
        found = [c for c in json.loads(done.stdout)["checks"]
                 if c["what"].startswith(("there is memory: memory ",
                                          "memory pressure is "))]
        self.assertEqual(len(found), 1, done.stdout)
        self.assertEqual(found[0]["result"] == "ok", not found[0]["mend"])

    def test_models_that_must_be_there(self):
        o = standin.Server("ollama")
        t = self.tree({"ollama": o.conf(health="models = llama9:70b")})
        t.wait("ollama", "UP")
        o.wait()
        self.fault(self.examine(t, 1), "but not llama9:70b")

    def test_models_of_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        o = standin.Server("ollama")
        os.makedirs(os.path.join(self.root, "store", "manifests"))
        os.chown(os.path.join(self.root, "store"), 65534, -1)
        t = self.tree({"ollama": o.conf(env={"OLLAMA_MODELS": "/store"})})
        t.wait("ollama", "UP")
        o.wait()
        self.fault(self.examine(t, 1), "ollama runs as uid 0",
                   "/store belong to nobody",
                   mend="user = owner-of:/store in ")

    def test_a_port_that_another_has(self):
        port = rig.free_port()
        with socketserver.TCPServer(("127.0.0.1", port), None,
                                    bind_and_activate=True):
            t = self.tree({"a": SLEEPER + f"[port]\nnumber = {port}\n"})
            t.wait("a", "UP")
            self.fault(self.examine(t, 1), f"port {port} of a is held by "
                       f"pid {os.getpid()}")

    def test_ports_that_disagree_and_models_that_stay(self):
        t = self.tree({"a": SLEEPER + "[port]\nnumber = 11434\n"
                       "[environment]\nOLLAMA_HOST = 127.0.0.1:11435\n"
                       "OLLAMA_KEEP_ALIVE = -1\n", "b": {
                           "conf": SLEEPER, "down": True}})
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN")
        checks = self.examine(t, 1)
        self.fault(checks, "a: [port] number says 11434, OLLAMA_HOST says "
                   "11435", mend="edit ")
        self.fault(checks, "OLLAMA_KEEP_ALIVE = -1", result="warning")

    def test_others_that_start_the_same_servers(self):
        self.write(self.root, "home/me/Library/LaunchAgents/"
                   "homebrew.mxcl.ollama.plist")
        self.write(self.root, "home/me/Library/LaunchAgents/"
                   "com.atra.mlx-monitor.plist")
        self.write(self.root, "home/me/Library/LaunchAgents/"
                   "org.svtree.host.plist")
        self.write(self.root, "Library/LaunchDaemons/com.ollama.ollama.plist")
        self.write(self.root, "etc/systemd/system/multi-user.target.wants/"
                   "ollama.service")
        self.write(self.root, "etc/systemd/system/multi-user.target.wants/"
                   "svtree.service")
        self.write(self.root, "etc/crontab", text="# ollama\n* * * * * "
                   "root /x/system_auto_recovery.sh\n")
        self.write(self.root, "home/me/Library/Application Support/Ollama/"
                   "ollama.pid", text="1\n")
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        checks = self.examine(t, 1)
        self.fault(checks, "the launchd job homebrew.mxcl.ollama",
                   mend="launchctl bootout gui/")
        self.fault(checks, "the launchd job com.atra.mlx-monitor",
                   mend="launchctl disable gui/")
        self.fault(checks, "the launchd job com.ollama.ollama",
                   mend="launchctl bootout system/com.ollama.ollama")
        self.fault(checks, "the systemd unit ollama",
                   mend="systemctl disable --now ollama")
        self.fault(checks, "the cron job", "system_auto_recovery",
                   mend="edit /etc/crontab")
        self.fault(checks, "the app Ollama.app", mend="quit app")
        self.assertFalse([c for c in checks if "org.svtree" in c["what"]])

    def test_containers(self):
        engine = Engine(self)
        compose = self.write(self.directory(), "docker-compose.yml")

        def keeper(name, file=compose):
            return (SLEEPER + f"[container]\nname = {name}\n"
                    f"compose = {file}\n")
        t = self.tree({
            "docker": "[service]\nexec = sh -c 'exec sleep 1000' "
                      f"docker-keeper\n[docker]\nsocket = {engine.path}\n",
            **{n: keeper(n) for n in ("good", "sick", "looping", "oomed",
                                      "killed", "missing", "stopped",
                                      "bled")}})
        for name in ("good", "missing"):
            t.wait(name, "UP")
        t.call("Stop", {"name": "stopped"})
        t.wait("stopped", "DOWN")
        checks = self.examine(t, 1)
        self.fault(checks, "the container engine at", "API 1.44",
                   result="ok")
        self.fault(checks, "container good runs", result="ok")
        self.fault(checks, "container good: Docker keeps all that it prints",
                   result="warning", mend="max-size: 10m")
        self.fault(checks, "container bled runs, but a process in it was "
                   "killed for memory", result="warning",
                   mend=f"raise mem_limit in {compose}")
        self.fault(checks, "container sick runs and is unhealthy",
                   mend="svctl restart sick")
        self.fault(checks, "container looping is restarting",
                   "restarted 9 times")
        self.fault(checks, "container oomed is exited", "out of memory",
                   mend=f"raise mem_limit in {compose}")
        self.fault(checks, "container killed is exited (137)")
        self.fault(checks, "container missing does not exist",
                   mend="svctl start missing")
        # What a person stopped is not asked about.
        self.assertFalse([c for c in checks if "stopped" in c["what"]])
        self.assertTrue([c for c in checks if "compose" in c["what"]])
        engine.log_config = {"max-size": "10m"}
        self.assertFalse([c for c in self.examine(t, 1)
                          if "Docker keeps all" in c["what"]])
        engine.hang = True
        self.fault(self.examine(t, 1), "engine", "does not answer",
                   mend="svctl restart docker")

    def test_what_a_container_reaches(self):
        engine = Engine(self)
        compose = self.write(self.directory(), "docker-compose.yml")
        # Two addresses of this machine; one server listens on both.
        llms = {}
        for name, address in (("here", "0.0.0.0"), ("loop", "127.0.0.1")):
            server = http.server.ThreadingHTTPServer(
                (address, 0), Silent)
            threading.Thread(target=server.serve_forever,
                             daemon=True).start()
            self.addCleanup(server.server_close)
            self.addCleanup(server.shutdown)
            llms[name] = server.server_port
        t = self.tree({
            "docker": "[service]\nexec = sh -c 'exec sleep 1000' "
                      f"docker-keeper\n[docker]\nsocket = {engine.path}\n",
            **{n: SLEEPER + "[health]\ntype = openai\n"
               f"url = http://127.0.0.1:{p}\n" for n, p in llms.items()},
            "db": SLEEPER + "[health]\ntype = tcp\n"
                  f"url = tcp://127.0.0.1:{llms['loop']}\n",
            "good": SLEEPER.rstrip("\n") + "\nneeds = here loop docker\n"
                    f"[container]\nname = good\ncompose = {compose}\n"})
        t.wait("good", "UP")
        engine.networks = {"atra": {"Gateway": "127.0.0.2"},
                           "mac": {"Gateway": "192.0.2.1"},
                           "none": {"Gateway": ""}}
        engine.env = ["RECOVERY_WEBHOOK_URL=http://svtree:token@host.docker."
                      f"internal:{llms['loop']}/recover"]
        checks = self.examine(t, 1)
        self.fault(checks, "container good cannot reach recovery-listener "
                   f"at 127.0.0.2:{llms['loop']}",
                   mend="have it listen on 127.0.0.2 as well: edit ")
        self.fault(checks, "db takes connections", result="ok")
        self.fault(checks, "container good reaches here at 127.0.0.2:"
                   f"{llms['here']}", result="ok")
        self.fault(checks, "container good cannot reach loop at 127.0.0.2:"
                   f"{llms['loop']}, the host on its network atra",
                   mend="have it listen on 127.0.0.2 as well: edit ")
        self.fault(checks, "not checked: whether container good reaches "
                   "here; its network mac is a virtual machine's",
                   result="note")
        # As extra_hosts says: what it asks is at another address.
        engine.extra_hosts = ["db:10.0.0.1", "host.docker.internal:127.0.0.1"]
        self.fault(self.examine(t, 1), "container good reaches recovery-"
                   f"listener at 127.0.0.1:{llms['loop']}", result="ok")
        engine.extra_hosts = ["host.docker.internal:127.0.0.3"]
        self.fault(self.examine(t, 1), "container good cannot reach loop at "
                   f"127.0.0.3:{llms['loop']}, its host.docker.internal",
                   mend="have it listen on 127.0.0.3 as well: edit ")

    def test_the_recovery_listener(self):
        port = rig.free_port()
        token = self.write(self.directory(), "token", text="x" * 32,
                           mode=0o644)
        t = self.tree({"recovery-listener":
                       f"[service]\nexec = recovery-listener\n"
                       "ready = notify\n[environment]\n"
                       f"RECOVERY_LISTENER_PORT = {port}\n"
                       f"[port]\nnumber = {port}\n"})
        t.wait("recovery-listener", "UP", timeout=30)
        checks = self.examine(t, 1)
        self.fault(checks, f"http://127.0.0.1:{port}/recover answers",
                   result="ok")
        self.fault(checks, "there is no service recover",
                   mend="svctl init")
        t.add("recovery-listener", "[service]\nexec = sleep 1000 "
              "recovery-listener\n[environment]\n"
              f"RECOVERY_LISTENER_TOKEN_FILE = {token}\n")
        self.fault(self.examine(t, 1), "others may read its token",
                   mend=f"chmod 600 {token}")


class Silent(http.server.BaseHTTPRequestHandler):
    """A web server that knows nothing, and does not talk about it."""

    def log_message(self, *_):
        pass


class Engine:
    """What doctor asks of the Docker Engine, on a UNIX socket."""

    STATES = {
        "good": {"Status": "running", "Running": True, "ExitCode": 0},
        "sick": {"Status": "running", "Running": True, "ExitCode": 0,
                 "Health": {"Status": "unhealthy"}},
        "looping": {"Status": "restarting", "Running": True,
                    "ExitCode": 137},
        "oomed": {"Status": "exited", "OOMKilled": True, "ExitCode": 137},
        "killed": {"Status": "exited", "ExitCode": 137},
        "stopped": {"Status": "exited", "ExitCode": 0},
        "bled": {"Status": "running", "Running": True, "OOMKilled": True},
    }

    def __init__(self, case):
        self.path = os.path.join(case.directory(), "docker.sock")
        self.hang = False
        self.networks = {}
        self.env = []
        self.extra_hosts = []
        self.log_config = {}
        engine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def address_string(self):
                return "unix"

            def log_message(self, *_):
                pass

            def do_GET(self):
                engine.answer(self)

        class Server(socketserver.ThreadingMixIn,
                     socketserver.UnixStreamServer):
            daemon_threads = True

            def get_request(self):
                request, _ = super().get_request()
                return request, ("unix", 0)

        server = Server(self.path, Handler)
        self.released = threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        case.addCleanup(server.server_close)
        case.addCleanup(server.shutdown)
        case.addCleanup(self.released.set)

    def answer(self, handler):
        if self.hang:
            self.released.wait(60)
            return
        status, body = 404, {"message": "no such thing"}
        if handler.path == "/version":
            status, body = 200, {"ApiVersion": "1.44"}
        elif handler.path.startswith("/v1.44/containers/"):
            state = self.STATES.get(handler.path.split("/")[3])
            if state:
                status, body = 200, {
                    "Id": "0" * 64, "State": state, "RestartCount": 9,
                    "NetworkSettings": {"Networks": self.networks},
                    "Config": {"Env": self.env},
                    "HostConfig": {"Memory": 0,
                                   "ExtraHosts": self.extra_hosts,
                                   "LogConfig": {"Type": "json-file",
                                                 "Config":
                                                 self.log_config},
                                   "RestartPolicy": {"Name": "always"}}}
        text = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)


COMPOSE = """\
name: knowledge_os
services:
  knowledge_nightly:
    container_name: knowledge_nightly
    restart: unless-stopped
    environment:
      OLLAMA_URL: http://host.docker.internal:11434
  knowledge_os_orchestrator:
    container_name: knowledge_os_orchestrator
    mem_limit: 4g
  redis:
    image: redis
"""


class Machine(Case):
    """A machine below a directory."""

    def setUp(self):
        self.root = self.directory()
        self.write(self.root, "usr/local/bin/ollama", text="#!/bin/sh\n",
                   mode=0o755)
        self.write(self.root, "opt/homebrew/bin/mlx_lm.server",
                   text="#!/bin/sh\n", mode=0o755)
        for tag in ("1b", "3b"):
            self.write(self.root, "Users/Shared/ollama/models/manifests/"
                       "registry.ollama.ai/library/llama3.2", tag)
        self.compose = self.write(
            self.root, "home/me/knowledge_os/docker-compose.yml",
            text=COMPOSE)
        self.env = {"HOME": "/home/me", "SVTREE_PATH": "/usr/bin:/bin"}

    def read(self, *parts):
        with open(os.path.join(*parts), encoding="utf-8") as f:
            return f.read()


class Init(Machine):
    def init(self, *args, code=0, env=None):
        done = self.svctl("init", "--root", self.root, *args,
                          env={**self.env, **(env or {})}, cwd=self.root)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_it_finds_what_is_there_and_writes_a_tree(self):
        self.write(self.root, "home/me/Library/LaunchAgents/"
                   "homebrew.mxcl.ollama.plist")
        said = self.init("--yes", "--critical",
                         "knowledge_nightly,knowledge_os_orchestrator")
        for word in ("/usr/local/bin/ollama", "/opt/homebrew/bin/"
                     "mlx_lm.server", "/Users/Shared/ollama/models",
                     "2 models", "/home/me/knowledge_os/docker-compose.yml",
                     "homebrew.mxcl.ollama", "launchctl"):
            self.assertIn(word, said)
        own = os.geteuid() != 0
        d = os.path.join(self.root, "home/me/.svtree/services" if own else
                         "etc/svtree/services")
        self.assertEqual(sorted(os.listdir(d)), sorted([
            "boot-guard", "docker", "health-monitor", "knowledge_nightly",
            "knowledge_os_orchestrator", "mlx", "ollama", "oom-watcher",
            "recover", "recovery-listener"]))
        # recover runs when it is asked for, not at each start.
        self.assertEqual(self.read(d, "recover/down"), "")
        ollama = self.read(d, "ollama/service.conf")
        self.assertIn("\nexec = port-guard 11434 -- /usr/local/bin/ollama "
                      "serve\n", ollama)
        self.assertIn("\nOLLAMA_MODELS = /Users/Shared/ollama/models\n",
                      ollama)
        self.assertIn("# A restart must not throw", ollama)  # commented
        if not own:
            self.assertIn("\nuser = owner-of:/Users/Shared/ollama/models\n",
                          ollama)
        self.assertIn("\nneeds = boot-guard\n",
                      self.read(d, "mlx/service.conf"))
        nightly = self.read(d, "knowledge_nightly/service.conf")
        for line in ("name = knowledge_nightly", "project = knowledge_os",
                     "compose = /home/me/knowledge_os/docker-compose.yml",
                     "needs = docker ollama:healthy"):
            self.assertIn("\n" + line + "\n", nightly)
        self.assertIn("\nneeds = docker\n", self.read(
            d, "knowledge_os_orchestrator/service.conf"))

    def test_what_is_there_is_left_alone(self):
        d = self.directory()
        mine = self.write(d, "ollama/service.conf", text=SLEEPER)
        said = self.init("--yes", d)
        self.assertIn("is there already", said)
        self.assertEqual(self.read(mine), SLEEPER)
        self.assertIn("svctl adopt-compose", said)

    def test_without_anybody_to_ask_it_does_nothing(self):
        d = os.path.join(self.directory(), "services")
        said = self.init(d, code=1)
        self.assertIn("--yes", said)
        self.assertFalse(os.path.exists(d))

    def test_a_wrong_name_writes_no_container(self):
        d = os.path.join(self.directory(), "services")
        said = self.init("--yes", "--critical", "knowledge_nightli", d,
                         code=1)
        self.assertIn("did you mean knowledge_nightly?", said)
        self.assertFalse(os.path.exists(os.path.join(d, "docker")))

    def init_at_terminal(self, d):
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.root)
            os.execve(rig.program("svctl"),
                      [rig.program("svctl"), "init", "--root", self.root, d],
                      {**os.environ, **self.env, "TERM": "dumb"})
        return pid, fd

    def test_enter_alone_is_no(self):
        """who only types Enter is told that nothing was written, and why"""
        d = os.path.join(self.directory(), "services")
        pid, fd = self.init_at_terminal(d)
        os.write(fd, b"\n")
        said = b""
        signal.alarm(60)
        try:
            while chunk := os.read(fd, 65536):
                said += chunk
        except OSError:
            pass
        signal.alarm(rig.TEST_TIMEOUT)
        os.close(fd)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 1)
        self.assertIn("[y/N]", said.decode())
        self.assertIn("nothing was written; y would be yes", said.decode())
        self.assertFalse(os.path.exists(d))

    def test_it_asks_a_person(self):
        d = os.path.join(self.directory(), "services")
        pid, fd = self.init_at_terminal(d)
        said = b""

        def until(word, times=1):
            nonlocal said
            while said.count(word) < times:
                said += os.read(fd, 65536)
        signal.alarm(60)
        until(b"Write a tree of services to")
        os.write(fd, b"y\n")
        until(b"must always be up?")
        self.assertIn(b" has: ", said)
        os.write(fd, b"y\n")
        until(b"must always be up?", 2)
        self.assertIn(b"has no service y;", said)
        os.write(fd, b"knowledge_nightly\n")
        try:
            while chunk := os.read(fd, 65536):
                said += chunk
        except OSError:
            pass
        signal.alarm(rig.TEST_TIMEOUT)
        os.close(fd)
        self.assertEqual(os.waitpid(pid, 0)[1], 0, said.decode())
        self.assertIn("knowledge_nightly", os.listdir(d))
        self.assertNotIn("knowledge_os_orchestrator", os.listdir(d))

    def test_what_it_writes_is_checked(self):
        """what init writes for this very machine has no error"""
        home = self.directory()
        d = os.path.join(home, "services")
        binaries = os.path.join(home, "bin")
        os.mkdir(binaries)
        os.symlink(rig.program("llm-standin"),
                   os.path.join(binaries, "ollama"))
        done = self.svctl("init", "--yes", d, cwd=home, env={
            "HOME": home, "SVTREE_PATH": f"{binaries}:{rig.BIN}:"
            + rig.SYSTEM_PATH})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("no error", done.stdout)
        self.assertIn("svctl install", done.stdout)
        self.assertIn("ollama", os.listdir(d))


class Adopt(Machine):
    def test_containers_become_services(self):
        d = os.path.join(self.directory(), "services")
        done = self.svctl("adopt-compose", self.compose, "--critical",
                          "knowledge_nightly,redis", "--services", d)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("3 services, no error", done.stdout)
        self.assertIn("svctl reload", done.stdout)
        self.assertIn("knowledge_nightly has no mem_limit", done.stdout)
        redis = self.read(d, "knowledge_os-redis-1/service.conf")
        self.assertIn("\nname = knowledge_os-redis-1\nservice = redis\n",
                      redis)
        self.assertIn(f"\ncompose = {self.compose}\n", redis)
        # There is no ollama in this tree, so nothing to wait for.
        self.assertIn("\nneeds = docker\n",
                      self.read(d, "knowledge_nightly/service.conf"))

    def test_what_is_wrong_is_told_by_line(self):
        d = self.directory()
        bad = self.write(d, "bad.yml", text="services:\n  a: {image: x}\n")
        for args, words in (
                ([self.compose], ("--critical a,b",)),
                ([self.compose, "--critical", "redi"],
                 ("no service redi", "did you mean redis?")),
                ([self.compose, "--critical", "frobnicate"],
                 ("it has: knowledge_nightly",)),
                ([bad, "--critical", "a"], ("bad.yml:2:", "braces")),
                ([os.path.join(d, "none"), "--critical", "a"],
                 ("none", "No such file"))):
            done = self.svctl("adopt-compose", *args, "--services",
                              os.path.join(d, "services"))
            self.assertNotEqual(done.returncode, 0)
            for word in words:
                self.assertIn(word, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(d, "services")))


MANAGER = """#!/bin/sh
# A manager of jobs that does what it must for these tests, and notes it.
echo "$(basename "$0") $*" >>"$CALLS"
case "$(basename "$0") $*" in
*"enable --now svtree"*|"launchctl bootstrap"*)
	setsid "$SVTREE" --run "$SVTREE_RUN" --state "$HOME/state" \\
	    --log "$HOME/log" "$SERVICES" </dev/null >/dev/null 2>&1 & ;;
"systemctl --user disable --now svtree"|"launchctl bootout"*svtree*)
	"$SVCTL" shutdown ;;
esac
exit 0
"""


class Install(Case):
    def setUp(self):
        self.home = self.directory()
        self.services = os.path.join(self.home, "services")
        self.write(self.services, "a", "service.conf", text=SLEEPER)
        self.run = os.path.join(self.home, "run")
        self.calls = os.path.join(self.home, "calls")
        for name in ("systemctl", "launchctl"):
            self.write(self.home, "bin", name, text=MANAGER, mode=0o755)
        self.env = {
            "HOME": self.home, "CALLS": self.calls, "SVTREE_RUN": self.run,
            "SVTREE": rig.program("svtree"), "SVCTL": rig.program("svctl"),
            "SERVICES": self.services,
            "PATH": os.path.join(self.home, "bin") + ":" + rig.SYSTEM_PATH}
        self.addCleanup(lambda: self.svctl("shutdown", env=self.env))

    def called(self):
        try:
            with open(self.calls, encoding="utf-8") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def test_print_shows_the_unit_and_does_nothing(self):
        done = self.svctl("install", "--print", "--system", env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("/etc/systemd/system/svtree.service", done.stderr)
        for line in ("KillMode=process", "OOMPolicy=continue",
                     "OOMScoreAdjust=-900", "TimeoutStopSec=90",
                     "WantedBy=multi-user.target",
                     "ExecStart=" + rig.program("svtree")):
            self.assertIn("\n" + line + "\n", done.stdout)
        user = self.svctl("install", "--print", "--user", env=self.env)
        self.assertIn("\nWantedBy=default.target\n", user.stdout)
        self.assertNotIn("OOMScoreAdjust", user.stdout)
        self.assertEqual(self.called(), [])
        self.assertFalse(os.path.exists(os.path.join(
            self.home, ".config")))

    def test_the_unit_is_one_for_systemd(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not here")
        for args in ([], ["--user"]):
            unit = self.svctl("install", "--print", *args,
                              "--system" if not args else "/x y/s%",
                              env=self.env).stdout
            path = self.write(self.directory(), "svtree.service", text=unit)
            done = subprocess.run(
                ["systemd-analyze", *args, "verify", "--man=no", path],
                capture_output=True, text=True, check=False)
            self.assertEqual([x for x in done.stderr.splitlines()
                              if "svtree" in x], [])

    def test_the_launchd_job_is_a_property_list(self):
        text = self.svctl("install", "--print", "--manager", "launchd",
                          "--user", self.services, env=self.env).stdout
        job = plistlib.loads(text.encode())
        self.assertEqual(job["Label"], "org.svtree.host")
        self.assertEqual(job["ProgramArguments"], [
            rig.program("svtree"), "--run",
            os.path.join(self.home, ".svtree/run"), self.services])
        self.assertEqual(job["KeepAlive"], {"SuccessfulExit": False})
        self.assertIs(job["RunAtLoad"], True)
        self.assertIs(job["AbandonProcessGroup"], True)
        self.assertGreaterEqual(job["ExitTimeOut"], 90)
        self.assertEqual(job["ProcessType"], "Interactive")
        self.assertEqual(job["LimitLoadToSessionType"],
                         ["Aqua", "Background"])
        self.assertEqual(job["EnvironmentVariables"], {"HOME": self.home})
        self.assertNotIn("StartInterval", job)
        self.assertNotIn("UserName", job)
        for key in ("StandardOutPath", "StandardErrorPath"):
            self.assertTrue(job[key].startswith(self.home))
        daemon = plistlib.loads(self.svctl(
            "install", "--print", "--manager", "launchd", "--system",
            env=self.env).stdout.encode())
        self.assertEqual(daemon["ProgramArguments"],
                         [rig.program("svtree")])
        self.assertNotIn("LimitLoadToSessionType", daemon)

    def test_install_and_uninstall_with_systemd(self):
        self.write(self.home, ".config/systemd/user/default.target.wants/"
                   "ollama.service")
        done = self.svctl("install", "--user", "--yes", self.services,
                          env=self.env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("svtree runs", done.stdout)
        unit = os.path.join(self.home, ".config/systemd/user/svtree.service")
        self.assertEqual(os.stat(unit).st_mode & 0o777, 0o644)
        self.assertEqual(self.called(), [
            "systemctl --user disable --now ollama",
            "systemctl --user daemon-reload",
            "systemctl --user enable --now svtree"])
        done = self.svctl("uninstall", "--user", "--yes", env=self.env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertFalse(os.path.exists(unit))
        self.assertEqual(self.called()[3:], [
            "systemctl --user disable --now svtree",
            "systemctl --user daemon-reload"])
        self.assertEqual(self.svctl("status", env=self.env).returncode, 7)
        self.assertIn("nothing to uninstall", self.svctl(
            "uninstall", "--user", "--yes", env=self.env).stderr)

    def test_install_and_uninstall_with_launchd(self):
        self.env["SVTREE_RUN"] = os.path.join(self.home, ".svtree/run")
        done = self.svctl("install", "--manager", "launchd", "--user",
                          "--yes", self.services, env=self.env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        job = os.path.join(self.home,
                           "Library/LaunchAgents/org.svtree.host.plist")
        with open(job, "rb") as f:
            self.assertEqual(plistlib.load(f)["Label"], "org.svtree.host")
        self.assertEqual(self.called(), [
            f"launchctl bootstrap gui/{os.geteuid()} {job}"])
        done = self.svctl("uninstall", "--manager", "launchd", "--user",
                          "--yes", env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists(job))
        self.assertEqual(
            self.called()[-1],
            f"launchctl bootout gui/{os.geteuid()}/org.svtree.host")

    def test_a_running_supervisor_is_taken_over_from(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        env = {**self.env, "SVTREE_RUN": t.run, "SERVICES": t.services}
        done = self.svctl("install", "--user", "--yes", t.services, env=env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(t.process.wait(10), 0)
        told = json.loads(self.svctl("--json", "status", "a",
                                     env=env).stdout)
        self.assertEqual(told["services"][0]["pid"], pid)
        self.assertTrue(told["services"][0]["adopted"])

    def test_what_cannot_work_is_refused(self):
        done = self.svctl("install", "--user", "--yes",
                          os.path.join(self.home, "none"), env=self.env)
        self.assertEqual(done.returncode, 1)
        self.assertIn("svctl init", done.stderr)
        self.write(self.services, "b", "service.conf",
                   text="[service]\nexec = nope\n")
        done = self.svctl("install", "--user", "--yes", self.services,
                          env=self.env)
        self.assertEqual(done.returncode, 1)
        self.assertIn("b/service.conf:2:", done.stderr)
        self.assertEqual(self.svctl("install", "--user", "--system",
                                    env=self.env).returncode, 2)
        self.assertEqual(self.svctl("install", "--manager", "cron",
                                    env=self.env).returncode, 2)
        os.remove(os.path.join(self.services, "b", "service.conf"))
        os.rmdir(os.path.join(self.services, "b"))
        # Nobody is there to ask.
        done = self.svctl("install", "--user", self.services, env=self.env)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--yes", done.stdout)
        self.assertEqual(self.called(), [])


if __name__ == "__main__":
    rig.main()
