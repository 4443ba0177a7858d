# SPDX-License-Identifier: ISC
"""port-guard: a server runs only when nobody else holds its port."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import rig
import standin

HOLD = """
import signal, socket, sys
for s in sys.argv[3].split():
    signal.signal(getattr(signal, s), signal.SIG_IGN)
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if ":" in sys.argv[1]:
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen()
print("ready", flush=True)
sys.stdin.read()
s.close()
print("closed", flush=True)
signal.pause()
"""

CONF = """[service]
exec = port-guard {args} -- sleep 1000
{more}
"""


class Held(rig.Case):
    def hold(self, address="127.0.0.1", port=0, ignored=""):
        """Another program's server; closing its stdin closes its port."""
        port = port or rig.free_port()
        p = subprocess.Popen(
            [sys.executable, "-c", HOLD, address, str(port), ignored],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, p)
        self.assertEqual(p.stdout.readline(), "ready\n")
        return p, port

    @staticmethod
    def end(p):
        p.kill()
        p.wait(rig.TIMEOUT)
        for f in (p.stdin, p.stdout, p.stderr):
            if f:
                f.close()

    def guard(self, *args, program=None, user=None, **env):
        p = subprocess.Popen(
            [program or rig.program("port-guard"), *map(str, args)],
            user=user, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env={**{k: v for k, v in os.environ.items()
                    if not k.startswith("SVTREE_")}, **env})
        self.addCleanup(self.end, p)
        return p


class Guard(Held):
    def test_becomes_the_program_on_a_free_port_in_the_same_process(self):
        p = self.guard(rig.free_port(), "--", "sh", "-c", "echo $$ $*", "-",
                       "a b", "--wait")
        out, err = p.communicate(timeout=rig.TIMEOUT)
        self.assertEqual(out, f"{p.pid} a b --wait\n")
        self.assertEqual((p.returncode, err), (0, ""))

    def test_waits_and_names_the_holder_until_it_exits(self):
        for address in ("127.0.0.1", "0.0.0.0", "::1", "::"):
            with self.subTest(address):
                try:
                    holder, port = self.hold(address)
                except AssertionError:
                    if ":" in address:
                        self.skipTest("no IPv6 here")
                    raise
                p = self.guard(port, "--", "echo", "on")
                line = p.stderr.readline()
                self.assertIn(f"port {port} is held by pid {holder.pid} (",
                              line)
                self.assertIn(f"kill {holder.pid}", line)
                self.assertIsNone(p.poll())
                holder.kill()
                holder.wait(rig.TIMEOUT)
                self.assertEqual(p.stdout.readline(), "on\n")

    def test_goes_on_when_the_holder_lives_without_the_port(self):
        holder, port = self.hold()
        p = self.guard(port, "--", "echo", "on")
        p.stderr.readline()
        holder.stdin.close()
        self.assertEqual(p.stdout.readline(), "on\n")
        self.assertIsNone(holder.poll())

    def test_all_ports_of_a_list_must_be_free(self):
        holder, port = self.hold()
        p = self.guard(f"{rig.free_port()},{port}", "--", "echo", "on")
        self.assertIn(f"port {port} is held", p.stderr.readline())
        holder.kill()
        self.assertEqual(p.stdout.readline(), "on\n")

    def test_old_connections_are_no_obstacle(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)):
                peer, _ = s.accept()
                peer.close()            # closes first: TIME_WAIT is ours
        p = self.guard(port, "--", "echo", "on")
        out, err = p.communicate(timeout=rig.TIMEOUT)
        self.assertEqual((out, err), ("on\n", ""))

    def test_evicts_with_term_when_told_to(self):
        holder, port = self.hold()
        p = self.guard("--policy", "evict", port, "--", "echo", "on")
        out, err = p.communicate(timeout=rig.TIMEOUT)
        self.assertEqual(out, "on\n")
        self.assertIn(f"evicted pid {holder.pid}", err)
        self.assertEqual(holder.wait(rig.TIMEOUT), -signal.SIGTERM)

    def test_evicts_with_kill_who_does_not_go(self):
        holder, port = self.hold(ignored="SIGTERM")
        p = self.guard("-p", "evict", port, "--", "echo", "on")
        self.assertEqual(p.communicate(timeout=20)[0], "on\n")
        self.assertEqual(holder.wait(rig.TIMEOUT), -signal.SIGKILL)

    def test_does_not_evict_its_parent_but_waits(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
            p = self.guard("-p", "evict", port, "--", "echo", "on")
            line = p.stderr.readline()
            self.assertIn(f"held by pid {os.getpid()} (", line)
        self.assertEqual(p.stdout.readline(), "on\n")

    def test_term_ends_a_guard_that_waits(self):
        _, port = self.hold()
        p = self.guard(port, "--", "echo", "on")
        p.stderr.readline()
        p.terminate()
        self.assertIn(p.wait(rig.TIMEOUT), (0, -signal.SIGTERM))
        self.assertEqual(p.stdout.read(), "")

    def test_leaks_no_descriptor_into_the_program(self):
        holder, port = self.hold()
        p = self.guard(port, "--", "sh", "-c", "ls /dev/fd | wc -l")
        p.stderr.readline()
        holder.kill()
        plain = subprocess.run(
            ["sh", "-c", "ls /dev/fd | wc -l"], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=True)
        self.assertEqual(p.stdout.readline(), plain.stdout)

    @unittest.skipIf(os.geteuid() != 0, "only root can be another user")
    def test_a_holder_without_a_name_is_waited_for_too(self):
        for policy, advice in (("refuse", "sudo lsof"), ("evict", "sudo lsof"),
                               ("adopt", "; watches who has it, ")):
            holder, port = self.hold()
            p = self.guard("-p", policy, port, "--", "echo", "on",
                           program=self.for_all(), user="nobody")
            line = p.stderr.readline()
            self.assertIn(f"port {port} is held by an unknown process", line)
            self.assertIn(advice, line)
            self.assertIsNone(holder.poll())
            holder.kill()
            self.assertEqual(p.stdout.readline(), "on\n")

    def for_all(self):
        """A copy of port-guard that every user can run."""
        where = tempfile.mkdtemp(prefix="pg.", dir="/tmp")
        self.addCleanup(shutil.rmtree, where)
        os.chmod(where, 0o755)
        return shutil.copy(rig.program("port-guard"), where)

    def test_wrong_use_is_100_and_no_program_111(self):
        port = rig.free_port()
        for code, args in ((100, []), (100, [port]), (100, [port, "--"]),
                           (100, ["0", "--", "true"]),
                           (100, ["x", "--", "true"]),
                           (100, ["65536", "--", "true"]),
                           (100, ["-p", "fight", port, "--", "true"]),
                           (100, ["--", "true"]),
                           (100, ["--frob"]),
                           (111, [port, "--", "/nonexistent/server"]),
                           (0, ["--help"]), (0, ["--version"])):
            with self.subTest(args=args):
                p = self.guard(*args)
                _, err = p.communicate(timeout=rig.TIMEOUT)
                self.assertEqual(p.returncode, code, err)
                self.assertEqual(bool(err), code != 0)


class BelowSvtree(Held):
    def test_the_status_tells_who_and_what_to_do(self):
        holder, port = self.hold()
        tree = self.tree({"a": CONF.format(args=port, more="")})
        sv = tree.wait("a", lambda s: s["health"] == "failing")
        self.assertEqual(sv["state"], "UP")
        self.assertIn(f"port {port} is held by pid {holder.pid} (",
                      sv["health_text"])
        sv = tree.wait("a", lambda s: s["text"])
        self.assertIn(f"kill {holder.pid}", sv["text"])
        pid = sv["pid"]
        holder.kill()
        sv = tree.wait("a", lambda s: s["health"] == "unknown")
        self.assertEqual((sv["state"], sv["pid"]), ("UP", pid))
        self.assertEqual(sv["restarts"], 0)
        rig.eventually(lambda: b"sleep" in self.command(pid),
                       what="exec of sleep")

    @staticmethod
    def command(pid):
        return subprocess.run(["ps", "-o", "command=", "-p", str(pid)],
                              capture_output=True, check=False).stdout

    def test_port_and_policy_come_from_service_conf(self):
        holder, port = self.hold()
        tree = self.tree({"a": CONF.format(
            args="", more=f"[port]\nnumber = {port}\npolicy = evict\n")},
            start=False)
        tree.start()
        self.assertEqual(holder.wait(rig.TIMEOUT), -signal.SIGTERM)
        sv = tree.wait("a", "UP")
        rig.eventually(lambda: b"sleep" in self.command(sv["pid"]),
                       what="exec of sleep")

    def test_an_expected_wait_is_no_failure(self):
        _, port = self.hold()
        tree = self.tree({"a": CONF.format(args=f"--wait {port}", more="")})
        sv = tree.wait("a", lambda s: s["text"])
        self.assertEqual(sv["health"], "unknown")

    def adopting(self, ours):
        return self.tree({
            "llm": ours.conf(guard=True, health="interval = 100ms\n"
                             "timeout = 500ms\nthreshold = 2\n"
                             "start-grace = 100s\nwake-grace = 1ms\n",
                             more="[port]\n"
                             "policy = adopt\n"),
            "monitor": "[service]\nexec = health-monitor\nready = notify\n"
                       "grants = Report Restart Signal\n"})

    def test_an_adopted_server_is_watched_and_followed_by_ours(self):
        other = standin.Process()
        self.addCleanup(other.close)
        ours = standin.Server(port=other.port)
        t = self.adopting(ours)
        sv = t.wait("llm", lambda s: s["health"] == "ok" and s["text"])
        self.assertIn(f"watches pid {other.process.pid} (", sv["text"])
        # It is not ours to restart, however ill it is.
        other.fault("slow", ms=900)
        sv = t.wait("llm", lambda s: s["health"] == "failing")
        self.assertIn("hung: no answer to GET /api/tags", sv["health_text"])
        before = other.state()["tags"]
        rig.eventually(lambda: other.state()["tags"] > before + 5,
                       what="more probes")
        self.assertEqual((t.service("llm")["pid"],
                          t.service("llm")["restarts"]), (sv["pid"], 0))
        other.fault("none")
        t.wait("llm", lambda s: s["health"] == "ok")
        # It goes: ours comes, in the process that has waited.
        other.close()
        state = rig.eventually(ours.state, what="ours")
        self.assertEqual(state["pid"], sv["pid"])
        t.wait("llm", lambda s: s["health"] == "ok" and not s["text"])

    def test_ours_may_take_its_time_after_an_adopted_one(self):
        other = standin.Process()
        self.addCleanup(other.close)
        ours = standin.Server(port=other.port)
        ours.command = ["sh", "-c", "'until test -e go; do sleep .05; done; "
                        "exec " + " ".join(ours.command) + "'"]
        t = self.adopting(ours)
        pid = t.wait("llm", lambda s: s["health"] == "ok" and
                     s["text"])["pid"]
        other.close()
        t.wait("llm", lambda s: "starting: no good answer" in
               (s["health_text"] or ""))
        t.add("llm", {"files": {"go": ""}})
        sv = t.wait("llm", lambda s: s["health"] == "ok" and not s["text"])
        self.assertEqual(sv["pid"], pid)

    def test_an_adopted_one_serves_while_our_store_is_out_of_reach(self):
        other = standin.Process()
        self.addCleanup(other.close)
        ours = standin.Server(port=other.port)
        t = self.tree(start=False)
        blocked = t.path("file")
        with open(blocked, "w", encoding="ascii"):
            pass
        t.add("llm", ours.conf(guard=True, more="[port]\npolicy = adopt\n",
                               env={"OLLAMA_MODELS": blocked}))
        t.start()
        sv = t.wait("llm", lambda s: s["text"])
        self.assertIn(f"watches pid {other.process.pid} (", sv["text"])
        other.close()
        sv = t.wait("llm", lambda s: s["health"] == "failing")
        self.assertIn(f"{blocked} is no directory", sv["health_text"])

    def test_stop_ends_a_guard_that_waits(self):
        _, port = self.hold()
        tree = self.tree({"a": CONF.format(args=port, more="")})
        tree.wait("a", lambda s: s["health"] == "failing")
        tree.call("Stop", {"name": "a"})
        sv = tree.wait("a", "DOWN")
        self.assertIsNone(sv["pid"])


class Store(Held):
    """exec = port-guard PORT -- ollama serve: the models, before the start"""

    OLLAMA = """[service]
exec = port-guard {port} -- {program}
restart = never
grants = Report
{user}
[environment]
HOME = {home}
OLLAMA_MODELS = {models}
[health]
type = ollama
url = http://127.0.0.1:{port}
"""

    def lay_out(self, program="sleep 1000", mode=0o700):
        t = self.tree(start=False)
        home, models = t.path("home"), t.path("models")
        user, self.me = "", "root"
        os.mkdir(home)
        os.mkdir(models, mode)
        if os.geteuid() == 0:
            user, self.me = "user = nobody", "nobody"
            os.chmod(os.path.dirname(home), 0o755)
            shutil.chown(home, "nobody")
        t.add("llm", self.OLLAMA.format(
            port=rig.free_port(), program=program, home=home, models=models,
            user=user))
        return t, models

    @unittest.skipIf(os.geteuid() != 0, "needs another user: root")
    def test_a_store_of_somebody_else_is_told_before_the_start(self):
        t, models = self.lay_out()
        t.start()
        sv = t.wait("llm", lambda s: s["health"] == "failing")
        self.assertEqual(sv["health_text"].split(" /")[0],
                         "nobody cannot read")
        self.assertIn("set user = owner-of:/", sv["text"])
        rig.eventually(lambda: f"nobody cannot read {models}, which belongs "
                       "to root" in t.log_text("llm"), what="its line")
        with open(f"/proc/{sv['pid']}/comm", encoding="ascii") as f:
            self.assertEqual(f.read(), "port-guard\n")
        done = t.svctl("check", t.services)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"llm: nobody cannot read {models}, which belongs to "
                      f"root; set user = owner-of:{models}", done.stderr)
        self.assertIn(f"llm: nobody cannot read {models}",
                      t.svctl("doctor").stdout)
        shutil.chown(models, "nobody")
        t.wait("llm", lambda s: s["health"] == "unknown")
        rig.eventually(lambda: open(f"/proc/{sv['pid']}/comm",
                                    encoding="ascii").read() == "sleep\n",
                       what="the program")
        t.svctl("check", t.services, check=True)

    @unittest.skipIf(os.geteuid() != 0, "needs another user: root")
    def test_a_part_of_it_that_root_has_made_is_found(self):
        t, models = self.lay_out()
        shutil.chown(models, "nobody")
        os.mkdir(os.path.join(models, "blobs"), 0o700)
        done = t.svctl("check", t.services)
        self.assertIn(f"llm: nobody cannot read {models}/blobs, which "
                      f"belongs to root; sudo chown -R nobody {models}/blobs",
                      done.stderr)

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_root_does_not_start_on_a_store_of_somebody_else(self):
        t, models = self.lay_out(mode=0o755)
        shutil.chown(models, "nobody")
        conf = os.path.join(t.services, "llm", "service.conf")
        with open(conf, encoding="ascii") as f:
            text = f.read()
        t.add("llm", text.replace("user = nobody\n", "\n"))
        t.start()
        sv = t.wait("llm", lambda s: s["health"] == "failing")
        self.assertIn("root would use /", sv["health_text"])
        self.assertIn("set user = owner-of:/", sv["text"])
        with open(f"/proc/{sv['pid']}/comm", encoding="ascii") as f:
            self.assertEqual(f.read(), "port-guard\n")
        done = t.svctl("check", t.services)
        self.assertIn(f"llm: root would use {models}, which belongs to "
                      f"nobody; set user = owner-of:{models}", done.stderr)
        t.add("llm", text.replace("user = nobody",
                                  f"user = owner-of:{models}"))
        t.svctl("reload", check=True)
        t.svctl("restart", "llm", check=True)
        self.program_runs(t)

    def program_runs(self, t):
        def name():
            pid = t.service("llm")["pid"]
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                    return f.read()
            except FileNotFoundError:
                return None
        rig.eventually(lambda: name() == "sleep\n", what="the program")

    @unittest.skipIf(os.geteuid() != 0, "needs another user: root")
    def test_the_cache_of_an_mlx_server_is_looked_at(self):
        t = self.tree(start=False)
        home = t.path("home")
        hub = os.path.join(home, ".cache", "huggingface", "hub")
        model = os.path.join(hub, "models--mlx-community--tiny")
        os.makedirs(os.path.join(model, "snapshots"))
        os.chmod(os.path.dirname(home), 0o755)
        port = rig.free_port()
        t.add("llm", f"[service]\nexec = port-guard {port} -- sleep 1000\n"
                     "user = nobody\nrestart = never\ngrants = Report\n"
                     f"[environment]\nHOME = {home}\n"
                     f"[health]\ntype = mlx\nurl = http://127.0.0.1:{port}\n"
                     "models = mlx-community/tiny /no/such/model\n")
        check = lambda: t.svctl("check", t.services)
        self.assertIn(f"llm: nobody cannot write to {hub}, which belongs to "
                      f"root; sudo chown -R nobody {hub}", check().stderr)
        t.start()
        sv = t.wait("llm", lambda s: s["health"] == "failing")
        self.assertIn("nobody cannot write to /", sv["health_text"])
        shutil.chown(hub, "nobody")
        os.chmod(os.path.join(model, "snapshots"), 0o700)
        words = (f"nobody cannot read {model}/snapshots, which belongs to "
                 "root")
        self.assertIn("llm: " + words, check().stderr)
        rig.eventually(lambda: words[:60] in t.log_text("llm"),
                       what="its line")
        os.chmod(os.path.join(model, "snapshots"), 0o755)
        self.assertIn("llm: its model /no/such/model is not there",
                      check().stderr)
        with open(os.path.join(t.services, "llm", "service.conf"), "r+",
                  encoding="ascii") as f:
            text = f.read().replace(" /no/such/model", "")
            f.seek(0)
            f.write(text)
            f.truncate()
        t.svctl("restart", "llm", check=True)
        self.program_runs(t)
        t.svctl("check", t.services, check=True)

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_a_cache_that_is_named_must_be_there_or_be_made(self):
        t = self.tree(start=False)
        port = rig.free_port()
        conf = ("[service]\nexec = sleep 1\nuser = nobody\n[environment]\n"
                "HOME = /nonexistent\n{}[health]\ntype = mlx\n"
                f"url = http://127.0.0.1:{port}\n")
        t.add("llm", conf.format(""))
        t.svctl("check", t.services, check=True)    # its models are its own
        t.add("llm", conf.format("HF_HOME = /root/x\n"))
        self.assertIn("llm: nobody cannot make a directory in /root",
                      t.svctl("check", t.services).stderr)
        t.add("llm", conf.format("HF_HUB_CACHE = /usr/share\n"))
        self.assertIn("llm: nobody cannot write to /usr/share",
                      t.svctl("check", t.services).stderr)
        t.add("llm", conf.format("HF_HUB_CACHE = /usr/share\n"
                                 "HF_HUB_OFFLINE = 1\n"))
        t.svctl("check", t.services, check=True)

    def test_what_is_not_there_is_named(self):
        t, models = self.lay_out("no-such-server --serve", 0o755)
        if os.geteuid() == 0:
            shutil.chown(models, "nobody")
        t.add("box", "[service]\nexec = sleep 1\n[container]\nname = box\n"
                     "compose = /nonexistent/compose.yml\n")
        done = t.svctl("check", t.services)
        self.assertEqual(done.returncode, 1)
        for words in ("box: its compose file /nonexistent/compose.yml cannot "
                      "be read: No such file or directory; edit ",
                      "llm: its program no-such-server is not there",
                      "2 things are in their way"):
            self.assertIn(words, done.stderr)
        t.remove("box")
        t.start()
        t.wait("llm", "TRIPPED")
        rig.eventually(lambda: "cannot execute no-such-server: No such file "
                       "or directory; install it" in
                       t.svctl("history", "llm").stdout, what="the incident")


if __name__ == "__main__":
    rig.main()
