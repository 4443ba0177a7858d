# SPDX-License-Identifier: ISC
"""svctl against a real supervisor: every verb, its messages and its exit
status, with and without a terminal, with the supervisor there and gone."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import rig

SLEEPER = "[service]\nexec = sleep 1000\n"
FAILS = "[service]\nexec = sh -c 'echo no such model; exit 3'\n" \
        "restart-delay = 30s\n"
# Never ready until a file "go" is there.
SLOW = {"conf": "[service]\nready = check\n", "run": "exec sleep 1000",
        "check": "test -e go"}


def go(t, name):
    with open(os.path.join(t.services, name, "go"), "w"):
        pass


def on_terminal(t, *args, columns=80, env=None, timeout=30):
    """svctl with a terminal of so many columns for all three descriptors;
    its exit status and what it wrote there."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({**t.environment(), "TERM": "xterm",
                           "LC_ALL": "C.UTF-8", **(env or {})})
        for gone in ("COLUMNS", "NO_COLOR"):
            if gone not in (env or {}):
                os.environ.pop(gone, None)
        # The size must be there before svctl asks for it.
        fcntl.ioctl(0, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        os.execv(rig.program("svctl"),
                 [rig.program("svctl"), "--run", t.run, *map(str, args)])
    output = b""
    signal.alarm(timeout)
    while True:
        try:
            chunk = os.read(fd, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    os.close(fd)
    status = os.waitpid(pid, 0)[1]
    signal.alarm(rig.TEST_TIMEOUT)
    return os.waitstatus_to_exitcode(status), \
        output.decode().replace("\r\n", "\n")


def bare(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


class Case(rig.Case):
    def says(self, t, args, code, *words, without=()):
        """Runs svctl and holds exit status and all output against these."""
        done = t.svctl(*args)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, f"{args}: {said}")
        for word in words:
            self.assertIn(word, said, args)
        for word in without:
            self.assertNotIn(word, said, args)
        return done


class Status(Case):
    def test_without_a_verb_it_is_the_table_of_all(self):
        t = self.tree({"a": SLEEPER, "b": {"conf": SLEEPER, "down": True}})
        t.wait("a", "UP")
        t.wait("svlog", "UP")
        done = self.says(t, [], 0, "SERVICE", "WHY")
        rows = {line.split()[0]: line.split()
                for line in done.stdout.splitlines()}
        self.assertEqual(rows["a"][1], "UP")
        self.assertEqual(rows["b"][1], "DOWN")
        self.assertEqual(rows["a"][5], str(t.service("a")["pid"]))
        # The same table; how long it is so grows between the two.
        rig.eventually(lambda: t.svctl().stdout == t.svctl("status").stdout,
                       what="the same table")

    def test_exit_status_says_what_is_up(self):
        t = self.tree({"a": SLEEPER, "bad": FAILS,
                       "off": {"conf": SLEEPER, "down": True}})
        t.wait("a", "UP")
        t.wait("bad", "BACKOFF")
        self.says(t, ["status"], 1)         # bad is wanted up
        self.says(t, ["status", "a"], 0)
        self.says(t, ["status", "bad"], 3)
        self.says(t, ["status", "off"], 3)
        self.says(t, ["status", "a", "off"], 3)
        t.call("Stop", {"name": "bad"})
        t.wait("bad", "DOWN")
        t.wait("svlog", "UP")
        self.says(t, ["status"], 0)

    def test_the_page_of_one_service_tells_all(self):
        port = rig.free_port()
        t = self.tree({
            "a": SLEEPER,
            "b": "[service]\ndescription = the second\n"
                 "exec = sh -c 'echo hello; exec sleep 1000'\nneeds = a\n"
                 f"[port]\nnumber = {port}\n"})
        t.wait("b", "UP")
        rig.eventually(lambda: "hello" in t.log_text("b"), what="its line")
        t.call("Report", {"name": "b", "health": "ok", "reason": "200"})
        pid = t.service("b")["pid"]
        done = self.says(t, ["status", "b"], 0, "b - the second",
                         "is: UP for ", "wanted: up", "health: ok: 200",
                         f"process: {pid} (", "memory ", "needs: a UP",
                         f"port: {port}, nobody listens",
                         os.path.join(t.services, "b", "service.conf"),
                         "hello", without=["changed since"])
        self.assertTrue(done.stdout.rstrip().endswith("hello"))
        t.add("b", SLEEPER)
        t.call("Reload")
        self.says(t, ["status", "b"], 0, "changed since it was started",
                  "svctl restart b")

    def test_the_page_tells_the_holder_of_the_port(self):
        port = rig.free_port()
        server = ("import socket,time;s=socket.socket();"
                  "s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1);"
                  f"s.bind(('127.0.0.1',{port}));s.listen();"
                  "time.sleep(1000)")
        t = self.tree({"a": "[service]\n"
                            f'exec = python3 -c "{server}"\n'
                            f"[port]\nnumber = {port}\n",
                       "b": SLEEPER + f"[port]\nnumber = {port}\n"})
        pid = t.wait("a", "UP")["pid"]
        t.wait("b", "UP")
        rig.eventually(lambda: "held" in t.svctl("status", "a").stdout,
                       what="the listener")
        self.says(t, ["status", "a"], 0, f"held by itself (pid {pid}")
        self.says(t, ["status", "b"], 0,
                  f"held by ANOTHER process (pid {pid}")

    def test_the_page_tells_the_next_step(self):
        t = self.tree({"bad": FAILS, "slow": SLOW,
                       "dep": SLEEPER + "needs = slow\n"})
        t.wait("bad", "BACKOFF")
        t.wait("dep", "WAITING")
        rig.eventually(lambda: "no such" in t.log_text("bad"),
                       what="its line")
        self.says(t, ["status", "bad"], 3, "why: exited with code 3",
                  "next: started again in ", "last exit: code 3",
                  "svctl logs bad", "no such model")
        self.says(t, ["status", "dep"], 3, "why: waits for slow",
                  "next: started as soon as that is there",
                  "needs: slow STARTING")
        self.says(t, ["status", "slow"], 3,
                  "next: stopped as a failure in ")

    def test_json_is_the_supervisors_own(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        told = json.loads(t.svctl("--json", "status", "a").stdout)
        self.assertEqual(told["services"], [t.service("a")])
        self.assertEqual(told["supervisor"]["pid"], t.process.pid)

    def test_quiet_says_nothing(self):
        t = self.tree({"a": SLEEPER, "off": {"conf": SLEEPER, "down": True}})
        t.wait("a", "UP")
        t.wait("svlog", "UP")
        for args, code in ((["a"], 0), (["off"], 3), ([], 0)):
            done = self.says(t, ["-q", "status", *args], code)
            self.assertEqual(done.stdout + done.stderr, "")

    def test_is_active_says_the_state(self):
        t = self.tree({"a": SLEEPER, "off": {"conf": SLEEPER, "down": True}})
        t.wait("a", "UP")
        self.assertEqual(self.says(t, ["is-active", "a"], 0).stdout, "UP\n")
        self.assertEqual(self.says(t, ["is-active", "a", "off"], 3).stdout,
                         "a UP\noff DOWN\n")
        self.says(t, ["is-active", "nope"], 4, "no service nope")

    def test_patterns_name_services(self):
        t = self.tree({"web-1": SLEEPER, "web-2": SLEEPER, "x": SLEEPER})
        for name in ("web-1", "web-2", "x"):
            t.wait(name, "UP")
        self.assertEqual(
            t.svctl("status", "--names", "web-*").stdout, "web-1\nweb-2\n")
        self.says(t, ["stop", "web-*"], 0)
        self.assertEqual([t.service(n)["state"] for n in
                          ("web-1", "web-2", "x")], ["DOWN", "DOWN", "UP"])
        self.says(t, ["start", "no*"], 4, "no service matches no*")

    def test_a_tree_puts_dependents_below(self):
        t = self.tree({"z": SLEEPER, "b": SLEEPER + "needs = z\n",
                       "a": SLEEPER + "needs = b\n"})
        t.wait("a", "UP")
        names = [re.match(r"[` -]*(\S+)", line).group(1) for line in
                 t.svctl("status", "--tree").stdout.replace("└─", "-")
                 .splitlines()]
        self.assertEqual(names[names.index("z"):], ["z", "b", "a"])

    def test_a_tree_within_hangs_below_its_service(self):
        t = self.tree({"sub": {"run": "exec svtree inner",
                               "conf": "[service]\nready = notify\n",
                               "files": {"inner/x/service.conf": SLEEPER,
                                         "inner/y/service.conf":
                                         SLEEPER + "needs = x\n"}},
                       "top": SLEEPER + "needs = sub\n"})

        def shown():
            lines = t.svctl("status", "--tree").stdout.splitlines()
            for fine, plain in (("│", "|"), ("├─", "|-"), ("└─", "`-")):
                lines = [line.replace(fine, plain) for line in lines]
            return [line[:line.index(" UP ")].rstrip() for line in lines
                    if " UP " in line]
        rig.eventually(lambda: len(shown()) == 6, what="all of both trees")
        self.assertEqual(shown(), [
            "sub", "|- sub/svlog", "|- sub/x", "|  `- sub/y", "`- top",
            "svlog"])

    def test_more_names_than_one_request_holds(self):
        names = [f"service-with-a-rather-long-name-number-{n:03}"
                 for n in range(80)]
        t = self.tree({n: {"conf": SLEEPER, "down": True} for n in names})
        self.assertEqual(
            t.svctl("status", "--names", *names).stdout.split(), names)
        self.says(t, ["stop", *names], 0)


class Why(Case):
    def test_health_that_nobody_asks_for_is_said(self):
        """who waits for a health that no probe will ever tell hears so"""
        t = self.tree({"asked": SLEEPER + "[health]\ntype = exec\n"
                       "command = true\n",
                       "shy": SLEEPER + "needs = asked:healthy\n"})
        t.wait("shy", "WAITING")
        t.wait("asked", "UP")
        hint = "add the service health-monitor"
        self.says(t, ["explain", "shy"], 3,
                  "Nobody asks asked how it is: " + hint)
        self.says(t, ["check"], 0, "nobody reads [health] of asked; " + hint)
        self.says(t, ["doctor"], 1, "nobody reads [health] of asked", hint)
        write = os.path.join(t.services, "health-monitor")
        os.mkdir(write)
        with open(write + "/service.conf", "w", encoding="ascii") as f:
            f.write("[service]\nexec = health-monitor\nready = notify\n"
                    "grants = Report\n")
        t.call("Reload", {})
        done = self.says(t, ["check"], 0, "3 services, no error")
        self.assertEqual(done.stderr, "")

    def test_explain_goes_down_to_the_cause(self):
        t = self.tree({"root": FAILS + "ready = notify\n", "mid": SLEEPER + "needs = root\n",
                       "top": SLEEPER + "needs = mid\n", "ok": SLEEPER})
        t.wait("root", "BACKOFF")
        t.wait("top", "WAITING")
        rig.eventually(lambda: "no such model" in t.log_text("root"),
                       what="its line")
        rig.eventually(lambda: "exited" in t.log_text("svtree"),
                       what="its end")
        done = self.says(
            t, ["explain", "top"], 3, "top is wanted up, but is WAITING",
            "top needs mid; mid is wanted up, but is WAITING",
            "mid needs root; root is wanted up, but is BACKOFF",
            "exited with code 3", "It was restarted", "root said last:",
            "no such model", "Next for root: started again in",
            "You can: see why: svctl logs root")
        self.assertEqual(done.stderr, "")
        self.says(t, ["explain", "ok"], 0, "ok is UP for ", "as wanted")
        self.says(t, ["explain", "okk"], 4, "did you mean ok?")
        t.call("Report", {"name": "ok", "health": "failing",
                          "reason": "no answer in 3 s"})
        self.says(t, ["explain", "ok"], 0, "does not answer as it should: "
                  "no answer in 3 s")
        t.call("Disable", {"name": "ok"})
        t.wait("ok", "DOWN")
        self.says(t, ["explain", "ok"], 3, "nobody wants it up",
                  "svctl enable ok")

    def test_the_page_tells_the_last_incident(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        self.says(t, ["status", "a"], 0, without=["incident:"])
        os.kill(pid, signal.SIGKILL)
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)
        rig.eventually(lambda: "incident:" in t.svctl("status", "a").stdout,
                       what="the incident")
        self.says(t, ["status", "a"], 0, "ago: killed by SIGKILL")
        self.says(t, ["restart", "a"], 0)
        self.says(t, ["status", "a"], 0, "ago: killed by SIGKILL")

    def test_incidents_of_a_service(self):
        t = self.tree({"a": SLEEPER, "calm": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        t.wait("calm", "UP")
        os.kill(pid, signal.SIGKILL)
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)
        self.says(t, ["restart", "a"], 0)   # that is none

        def told():
            lines = t.svctl("--json", "incidents").stdout.splitlines()
            return {x["service"]: x for x in map(json.loads, lines)}
        rig.eventually(lambda: told().get("a", {}).get("repaired") == 1
                       and "calm" in told(), what="the incident")
        a, calm = told()["a"], told()["calm"]
        self.assertEqual(a["count"], 1)
        self.assertEqual(a["incidents"][0]["reason"], "killed by SIGKILL")
        self.assertEqual(a["incidents"][0]["end"], "back")
        self.assertEqual(a["mean_repair_ms"], a["longest_ms"])
        self.assertLess(a["available_ms"], a["wanted_ms"])
        self.assertEqual(calm["count"], 0)
        self.says(t, ["incidents"], 0, "INCIDENTS", "AVAILABLE", "calm")
        self.says(t, ["incidents", "a"], 0, "killed by SIGKILL", "back",
                  "1 incident since ", "mean time to repair ")
        self.says(t, ["incidents", "--since", "2999-01-01T00:00:00Z", "a"],
                  0, "0 incidents", without=["SIGKILL"])
        self.says(t, ["incidents", "nope"], 4, "no service nope")
        t.kill_supervisor()
        self.says(t, ["incidents", "a"], 0, "killed by SIGKILL")


class Gone(Case):
    """No supervisor."""

    def test_the_records_of_a_dead_one_are_shown(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        other = t.wait("b", "UP")["pid"]
        t.kill_supervisor()
        os.kill(other, signal.SIGKILL)
        rig.eventually(lambda: str(other) in t.svctl("status", "b").stdout
                       + t.svctl("status", "b").stderr and
                       "is gone" in t.svctl("status", "b").stdout,
                       what="the notice of its death")
        done = self.says(t, ["status"], 7, "no supervisor is running on "
                         + t.run, "last records", str(pid),
                         f"pid {other} is gone")
        self.assertIn("UP", done.stdout)
        told = json.loads(t.svctl("--json", "status").stdout)
        self.assertIsNone(told["supervisor"])
        self.assertEqual({s["name"] for s in told["services"]},
                         {"a", "b", "svlog"})

    def test_verbs_say_that_nobody_is_there_and_what_to_do(self):
        t = self.tree({"a": SLEEPER}, start=False)
        for args in (["status"], ["start", "a"], ["stop", "a"],
                     ["restart", "a"], ["once", "a"], ["enable", "a"],
                     ["disable", "a"], ["signal", "TERM", "a"], ["reload"],
                     ["events"], ["wait", "a"], ["recover"], ["shutdown"],
                     ["history"], ["logs", "a"], ["is-active", "a"],
                     ["upgrade"], ["detach"]):
            self.says(t, args, 7, "no supervisor is running on " + t.run,
                      "--run DIR")

    def test_logs_and_history_need_no_supervisor(self):
        t = self.tree({"a": {"run": "echo hello; exec sleep 1000"}})
        rig.eventually(lambda: "hello" in t.log_text("a"), what="its line")
        rig.eventually(lambda: "UP" in t.svctl("history", "a").stdout,
                       what="its event")
        t.kill_supervisor()
        self.says(t, ["logs", "a"], 0, "hello")
        self.says(t, ["history", "a"], 0, "UP")

    def test_one_that_ends_while_a_verb_waits(self):
        t = self.tree({"slow": SLOW})
        t.wait("slow", "STARTING")
        waiting = subprocess.Popen(
            [rig.program("svctl"), "--run", t.run, "wait", "slow"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=t.environment())
        # Its progress is told after a second: then it waits for sure.
        line = waiting.stderr.readline()
        self.assertIn("wait slow: STARTING", line)
        t.kill_supervisor()
        said = waiting.communicate(timeout=30)[1]
        self.assertEqual(waiting.returncode, 7)
        self.assertIn("the supervisor has gone", said)


class Verbs(Case):
    def test_start_waits_until_it_is_up(self):
        t = self.tree({"a": {"conf": SLEEPER, "down": True}})
        self.says(t, ["start", "a"], 0)
        self.assertEqual(t.service("a")["state"], "UP")
        self.says(t, ["start", "a"], 0)     # it is already

    def test_a_start_that_fails_tells_why(self):
        t = self.tree({"bad": {"conf": FAILS, "down": True}})
        self.says(t, ["start", "bad"], 1, "bad: start failed: ",
                  "exited with code 3", "again")
        rig.eventually(lambda: "no such model" in t.log_text("bad"),
                       what="its line")
        self.says(t, ["start", "bad"], 1, "| ", "no such model")

    def test_stop_waits_until_it_is_down(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        self.says(t, ["stop", "a"], 0)
        self.assertEqual(t.service("a")["state"], "DOWN")
        self.assertEqual(t.service("a")["want"], "down")
        self.says(t, ["stop", "a"], 0)

    def test_restart_waits_for_another_process(self):
        t = self.tree({"a": SLEEPER, "off": {"conf": SLEEPER, "down": True},
                       "bad": FAILS})
        old = t.wait("a", "UP")["pid"]
        self.says(t, ["restart", "a", "off"], 0)
        self.assertEqual(t.service("a")["state"], "UP")
        self.assertNotEqual(t.service("a")["pid"], old)
        self.assertEqual(t.service("off")["state"], "UP")
        t.wait("bad", "BACKOFF")
        self.says(t, ["restart", "bad"], 1, "failed")

    def test_no_wait_returns_at_once(self):
        t = self.tree({"slow": {**SLOW, "down": True}})
        self.says(t, ["start", "--no-wait", "slow"], 0)
        self.assertEqual(t.service("slow")["want"], "up")

    def test_a_timeout_says_what_holds_it_up(self):
        t = self.tree({"slow": SLOW, "mid": SLEEPER + "needs = slow\n",
                       "top": SLEEPER + "needs = mid\n"})
        t.wait("top", "WAITING")
        self.says(t, ["-t", "0.2", "start", "top"], 2, "--timeout 0.2",
                  "10s")
        self.says(t, ["-t", "100ms", "start", "top"], 8,
                  "top: not up within 0.1 s: it is WAITING, waits for mid",
                  "mid is WAITING, waits for slow", "slow is STARTING",
                  "svctl status top")
        go(t, "slow")
        self.says(t, ["wait", "top"], 0)

    def test_once_runs_to_the_end(self):
        t = self.tree({
            "job": {"conf": "[service]\ntype = oneshot\n", "down": True,
                    "run": "test -e fail && exit 7; echo ran"},
            "fails": {"conf": "[service]\ntype = oneshot\n"
                              "restart = never\n",
                      "run": "exit 7", "down": True}})
        self.says(t, ["once", "job"], 0)
        self.assertEqual(t.service("job")["state"], "DOWN")
        self.assertEqual(t.service("job")["last_exit"]["code"], 0)
        self.says(t, ["start", "job"], 0)
        self.says(t, ["once", "fails"], 1, "code 7")

    def test_enable_and_disable(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        self.says(t, ["disable", "a"], 0)
        self.assertEqual(t.service("a")["state"], "DOWN")
        self.says(t, ["status", "a"], 3, "down (disabled)",
                  "svctl enable a")
        self.says(t, ["enable", "a"], 0)
        self.assertEqual(t.service("a")["state"], "UP")

    def test_signal(self):
        t = self.tree({"a": {"run": 'trap "echo got it" HUP\necho set\n'
                                    "while :; do sleep 0.02; done"},
                       "off": {"conf": SLEEPER, "down": True}})
        rig.eventually(lambda: "set" in t.log_text("a"), what="its trap")
        for word in ("HUP", "SIGHUP", "1"):
            before = t.log_text("a").count("got it")
            self.says(t, ["signal", word, "a"], 0)
            rig.eventually(lambda n=before:
                           t.log_text("a").count("got it") > n,
                           what="its answer")
        self.says(t, ["signal", "FOO", "a"], 2, "no signal FOO", "TERM")
        self.says(t, ["signal", "a", "HUP"], 2, "the signal comes first",
                  "svctl signal HUP a")
        self.says(t, ["signal", "HUP", "off"], 3, "not running")
        self.says(t, ["signal", "HUP", "nope"], 4, "no service nope")

    def test_wait(self):
        t = self.tree({"a": SLEEPER, "off": {"conf": SLEEPER, "down": True}})
        self.says(t, ["wait", "a"], 0)
        self.says(t, ["wait", "--up", "a"], 0)
        self.says(t, ["wait", "--down", "off"], 0)
        self.says(t, ["-t", "50ms", "wait", "off"], 8, "off: not up within")
        self.says(t, ["-t", "50ms", "wait", "--healthy", "a"], 8,
                  "a: not healthy within")
        t.call("Report", {"name": "a", "health": "busy"})
        self.says(t, ["wait", "--healthy", "a"], 0)
        self.says(t, ["wait", "--up", "--down", "a"], 2, "not several")

    def test_wait_without_names(self):
        """for all that is wanted; healthy: of those, what has a probe"""
        t = self.tree({"off": {"conf": SLEEPER, "down": True},
                       "once": "[service]\ntype = oneshot\nexec = true\n",
                       "llm": SLEEPER + "[health]\ntype = tcp\n"
                       "url = tcp://127.0.0.1:1\n",
                       "slow": SLEEPER + "ready = notify\n"
                       "start-timeout = 0\n"})
        self.says(t, ["-t", "50ms", "wait"], 8, "slow: not up within")
        t.call("Stop", {"name": "slow"})
        self.says(t, ["wait"], 0)
        self.says(t, ["-t", "50ms", "wait", "--healthy"], 8,
                  "llm: not healthy within")
        t.call("Report", {"name": "llm", "health": "ok"})
        self.says(t, ["wait", "--healthy"], 0)
        self.says(t, ["wait", "--down"], 2, "svctl wait --down NAME...")

    def test_json_of_a_verb_is_the_status_after_it(self):
        t = self.tree({"a": {"conf": SLEEPER, "down": True}})
        told = json.loads(self.says(t, ["--json", "start", "a"], 0).stdout)
        self.assertEqual(told["services"][0]["state"], "UP")

    def test_reload_says_what_changed(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER})
        t.wait("a", "UP")
        t.add("c", SLEEPER)
        t.remove("b")
        t.add("a", SLEEPER + "description = new\n")
        done = self.says(t, ["reload"], 0)
        self.assertEqual([x.split()[0].strip(":") for x in
                          done.stdout.splitlines()],
                         ["added", "removed", "changed"])
        t.add("d", "[service]\nexec = sleep 1\nfoo = 1\n")
        self.says(t, ["reload"], 1, "d/service.conf:3:", "foo",
                  "nothing has changed")
        t.remove("d")
        t.add("e", SLEEPER)
        self.says(t, ["reload", "--dry-run"], 0, "would start (new): e")
        t.remove("e")
        told = json.loads(self.says(t, ["--json", "reload"], 0).stdout)
        self.assertEqual(told, {"added": [], "removed": [], "changed": []})

    def test_check(self):
        t = self.tree({"a": SLEEPER})
        self.says(t, ["check", t.services], 0, "1 service, no error")
        self.says(t, ["check"], 0, t.services)  # that of the running tree
        t.add("b", "[service]\nexec = sleep 1\nneeds = nobody\n")
        self.says(t, ["check", t.services], 1, "b", "nobody", "1 error")
        self.says(t, ["check", t.path("none")], 1, "none")

    def test_shutdown_waits_for_the_end(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        self.says(t, ["shutdown"], 0)
        self.assertEqual(t.process.wait(10), 0)
        self.assertEqual(t.processes(), [])

    def test_a_shutdown_that_takes_too_long_names_who_blocks(self):
        t = self.tree({"stubborn": {
            "conf": "[service]\nstop-timeout = 30s\n",
            "run": 'trap "" TERM\necho set\nwhile :; do sleep 0.05; done'}})
        rig.eventually(lambda: "set" in t.log_text("stubborn"),
                       what="its trap")
        self.says(t, ["-t", "300ms", "shutdown"], 8, "not down within",
                  "stubborn (STOPPING)")

    def test_recover_shows_its_steps(self):
        t = self.tree({"recover": {
            "conf": "[service]\ntype = oneshot\n", "down": True,
            "run": "echo step one; test ! -e bad; c=$?\n"
                   "echo step two; exit $c"}})
        done = self.says(t, ["recover"], 0)
        self.assertEqual(done.stdout, "step one\nstep two\n")
        go(t, "recover")
        with open(os.path.join(t.services, "recover", "bad"), "w"):
            pass
        self.says(t, ["recover"], 1, "step two")
        other = self.tree({"a": SLEEPER})
        self.says(other, ["recover"], 4, "has no service recover",
                  other.services)

    def test_not_permitted_names_the_owner(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             rig.program("svctl"), "--run", t.run, "stop", "a"],
            capture_output=True, text=True, timeout=30, check=False,
            env=t.environment())
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("belongs to root", done.stderr)
        self.assertEqual(t.service("a")["state"], "UP")


class Logs(Case):
    def test_last_lines_through_rotations(self):
        t = self.tree({"a": {
            "conf": "[service]\n[log]\nmax-size = 4096\nkeep = 50\n",
            "run": "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo n $i; "
                   "done; echo end; exec sleep 1000"}})
        rig.eventually(lambda: "end" in t.log_text("a"), what="its end")
        self.assertGreater(len(os.listdir(os.path.join(t.log, "a"))), 2)
        lines = t.svctl("logs", "-n", 300, "a").stdout.splitlines()
        self.assertEqual([x.split()[1:] for x in lines[:-1]],
                         [["n", str(i)] for i in range(102, 401)])
        self.assertEqual(len(t.svctl("logs", "a").stdout.splitlines()), 20)
        self.assertEqual(t.svctl("logs", "-n0", "a").stdout, "")
        self.assertEqual(
            len(t.svctl("logs", "-n", 10000, "a").stdout.splitlines()), 401)
        done = self.says(t, ["logs", "-n", 3, "--grep", "n [0-9]?7$", "a"], 0)
        self.assertEqual([x.split()[2] for x in done.stdout.splitlines()],
                         ["77", "87", "97"])

    def test_compressed_files_are_read_like_the_others(self):
        t = self.tree({"a": {
            "conf": "[service]\n[log]\nmax-size = 4096\nkeep = 50\n",
            "run": "i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo n $i; "
                   "done; echo end; exec sleep 1000"}})
        rig.eventually(lambda: "end" in t.log_text("a"), what="its end")
        folder = os.path.join(t.log, "a")
        old = sorted(n for n in os.listdir(folder) if n.endswith(".log"))
        self.assertGreater(len(old), 3)
        subprocess.run(["gzip", os.path.join(folder, old[0])], check=True)
        # it is there twice as long as svlog compresses it
        subprocess.run(["gzip", "-k", os.path.join(folder, old[1])],
                       check=True)
        if rig.shutil.which("zstd"):
            subprocess.run(["zstd", "-q", "--rm",
                            os.path.join(folder, old[2])], check=True)
        lines = t.svctl("logs", "-n", 10000, "a").stdout.splitlines()
        self.assertEqual([x.split()[1:] for x in lines[:-1]],
                         [["n", str(i)] for i in range(1, 601)])
        done = self.says(t, ["logs", "-n", 3, "--grep", "n 2?7$", "a"], 0)
        self.assertEqual([x.split()[2] for x in done.stdout.splitlines()],
                         ["7", "27"])
        with open(os.path.join(folder, old[0] + ".gz"), "wb") as f:
            f.write(b"no gzip at all")
        done = self.says(t, ["logs", "-n", 10000, "a"], 0,
                         "its lines are left out")
        self.assertIn("n 600", done.stdout)
        # one that hangs is not waited for for ever
        path = t.path("bin")
        os.mkdir(path)
        with open(path + "/gzip", "w", encoding="ascii") as f:
            f.write("#!/bin/sh\nexec sleep 1000\n")
        os.chmod(path + "/gzip", 0o755)
        os.unlink(os.path.join(folder, old[1] + ".gz"))
        done = subprocess.run(
            [rig.program("svctl"), "--run", t.run, "logs", "-n", "10000",
             "a"], capture_output=True, text=True, check=True, timeout=60,
            env={**os.environ, "PATH": path + ":" + os.environ["PATH"]})
        self.assertIn("its lines are left out", done.stderr)
        self.assertIn("n 600", done.stdout)

    def test_several_are_merged_by_time(self):
        t = self.tree({"a": {"run": "echo one; exec sleep 1000"},
                       "bb": {"run": "until grep -q one ../../log/a/current;"
                                     " do sleep 0.01; done 2>/dev/null\n"
                                     "echo two; exec sleep 1000"}})
        for name, word in (("a", "one"), ("bb", "two")):
            rig.eventually(lambda n=name, w=word: w in t.log_text(n),
                           what="its line")
        lines = t.svctl("logs", "bb", "a").stdout.splitlines()
        self.assertEqual([(x.split()[0], x.split()[-1]) for x in lines],
                         [("a", "one"), ("bb", "two")])
        self.assertEqual(t.svctl("logs").stdout.splitlines(), lines)
        told = [json.loads(x) for x in
                t.svctl("--json", "logs", "a").stdout.splitlines()]
        self.assertEqual(told[0]["service"], "a")
        self.assertTrue(told[0]["line"].endswith("Z one"))

    def test_since(self):
        t = self.tree({"a": {"run": "echo one; exec sleep 1000"}})
        rig.eventually(lambda: "one" in t.log_text("a"), what="its line")
        self.says(t, ["logs", "--since", "1h", "a"], 0, "one")
        self.says(t, ["logs", "--since", "2020-01-01", "a"], 0, "one")
        self.says(t, ["logs", "--since", "2020-01-01 10:30", "a"], 0, "one")
        self.says(t, ["logs", "--since", "2999-01-01T00:00:00Z", "a"], 0,
                  without=["one"])
        for bad in ("soon", "2020-13-01", "25:00", ""):
            self.says(t, ["logs", "--since", bad, "a"], 2, "10m")

    def test_follow_shows_every_line_once_through_rotations(self):
        t = self.tree({"a": {
            "conf": "[service]\n[log]\nmax-size = 4096\nkeep = 200\n"
                    "timestamps = no\n",
            "run": "i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo n $i; "
                   "done; echo half; while [ ! -e go ]; do sleep 0.01; done;"
                   "while [ $i -lt 3000 ]; do i=$((i+1)); echo n $i; "
                   "done; printf 'no newline'; exec sleep 1000"}})
        rig.eventually(lambda: "half" in t.log_text("a"), what="its half")
        following = subprocess.Popen(
            [rig.program("svctl"), "--run", t.run, "logs", "-f", "-n", "30",
             "a"], stdout=subprocess.PIPE, text=True, env=t.environment())
        self.addCleanup(following.stdout.close)
        self.addCleanup(following.wait)
        self.addCleanup(following.kill)
        seen = [following.stdout.readline() for _ in range(30)]
        self.assertEqual(seen[-1], "half\n")
        go(t, "a")
        seen = [following.stdout.readline() for _ in range(2950)]
        self.assertEqual(seen, [f"n {i}\n" for i in range(51, 3001)])

    def test_follow_several_with_names(self):
        script = ("while [ ! -e go ]; do sleep 0.01; done; echo moved; "
                  "echo other; exec sleep 1000")
        t = self.tree({"a": {"run": script}, "bb": {"run": script}})
        for name in ("a", "bb"):
            t.wait(name, "UP")
            rig.eventually(lambda n=name: os.path.exists(
                os.path.join(t.log, n, "current")) or go(t, n),
                what="its log")
        following = subprocess.Popen(
            [rig.program("svctl"), "--run", t.run, "logs", "-f", "--grep",
             "moved", "a", "bb"], stdout=subprocess.PIPE, text=True,
            env=t.environment())
        self.addCleanup(following.stdout.close)
        self.addCleanup(following.wait)
        self.addCleanup(following.kill)
        go(t, "a")
        go(t, "bb")
        seen = sorted(following.stdout.readline().split()[0]
                      for _ in range(2))
        self.assertEqual(seen, ["a", "bb"])

    def test_what_is_wrong_is_told(self):
        t = self.tree({"ollama": SLEEPER})
        t.wait("ollama", "UP")
        self.says(t, ["logs", "olama"], 4, "no service olama",
                  "did you mean ollama?")
        self.says(t, ["logs", "--grep", "(", "ollama"], 2, "--grep (")
        self.says(t, ["logs", "-n", "x", "ollama"], 2, "--lines x")
        self.says(t, ["logs", "../x"], 4, "no service ../x")


class Events(Case):
    def test_events_as_they_happen(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER})
        t.wait("a", "UP")
        t.wait("b", "UP")
        for args, look in (
                (["events", "a"], lambda x: ("a", "DOWN") ==
                 tuple(x.split()[2:4])),
                (["--json", "events"], lambda x: json.loads(x)["state"]
                 == "DOWN")):
            following = subprocess.Popen(
                [rig.program("svctl"), "--run", t.run, *args],
                stdout=subprocess.PIPE, text=True, env=t.environment())
            self.addCleanup(following.stdout.close)
            # It is subscribed when it shows something of what we do.
            while not select_line(following.stdout):
                t.call("Restart", {"name": "a"})
            t.svctl("stop", "b", "a")
            while not look(line := following.stdout.readline()):
                self.assertNotIn(" b ", line if "a" in args else "")
            t.svctl("start", "a", "b")
            following.kill()
            following.wait()
        self.says(t, ["events", "nope"], 4, "no service nope")

    def test_the_end_of_the_supervisor_ends_them(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        following = subprocess.Popen(
            [rig.program("svctl"), "--run", t.run, "events"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=t.environment())
        while not select_line(following.stdout):
            t.call("Restart", {"name": "a"})
        t.kill_supervisor()
        self.assertIn("the events have ended",
                      following.communicate(timeout=30)[1])
        self.assertEqual(following.returncode, 7)

    def test_history_keeps_what_happened(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        os.kill(pid, signal.SIGKILL)
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)
        rig.eventually(lambda: "killed by SIGKILL" in
                       t.svctl("history", "a").stdout, what="its end")
        lines = t.svctl("history", "a").stdout.splitlines()
        self.assertTrue(all(" a " in x for x in lines))
        self.assertEqual(len(t.svctl("history", "-n", 1).stdout
                             .splitlines()), 1)
        self.assertEqual(t.svctl("history", "--since",
                                 "2999-01-01T00:00:00Z").stdout, "")
        self.says(t, ["history", "--since", "2999-01-01T00:00:00Z", "a"], 0)
        self.says(t, ["history", "aa"], 4, "no service aa", "mean a?")
        self.assertGreaterEqual(
            len(t.svctl("history", "--since", "1h", "a").stdout
                .splitlines()), len(lines))
        for x in t.svctl("--json", "history").stdout.splitlines():
            self.assertIn("event", json.loads(x))


def select_line(stream, timeout=0.2):
    """Whether there is something to read by now."""
    return rig.select.select([stream], [], [], timeout)[0]


class Words(Case):
    """What is typed wrongly."""

    def test_a_mistyped_verb(self):
        t = self.tree({}, start=False)
        self.says(t, ["statsu"], 2, "no verb statsu; did you mean status?")
        self.says(t, ["restrat", "a"], 2, "did you mean restart?")
        self.says(t, ["frobnicate"], 2, "svctl --help lists them")
        self.says(t, ["help", "strat"], 2, "did you mean start?")

    def test_a_mistyped_service(self):
        t = self.tree({"ollama": SLEEPER, "knowledge_nightly": SLEEPER,
                       "b": SLEEPER})
        t.wait("ollama", "UP")
        pid = t.service("ollama")["pid"]
        for verb in ("status", "start", "stop", "restart", "once", "enable",
                     "disable", "wait", "history --since 1h", "events",
                     "is-active"):
            if verb.startswith("history"):
                continue
            self.says(t, [*verb.split(), "olama"], 4,
                      "no service olama; did you mean ollama?")
        self.says(t, ["status", "knowl"], 4, "knowledge_nightly?")
        self.says(t, ["status", "frobnicate"], 4, "svctl status lists them")
        # One wrong name: nothing is done to the right one.
        self.says(t, ["restart", "ollama", "olama"], 4)
        self.assertEqual(t.service("ollama")["pid"], pid)

    def test_options(self):
        t = self.tree({}, start=False)
        self.says(t, ["--frob"], 2, "frob", "svctl --help")
        self.says(t, ["-t", "soon", "start", "a"], 2, "--timeout soon",
                  "10s or 5m")
        self.says(t, ["start", "--grep", "x", "a"], 2,
                  "start takes no --grep", "svctl help start")
        self.says(t, ["start"], 2, "a word is missing",
                  "svctl start NAME...")
        self.says(t, ["reload", "a"], 2, "too much")
        self.says(t, ["--run"], 2, "--run")

    def test_help(self):
        t = self.tree({}, start=False)
        done = self.says(t, ["--help"], 0, "usage: svctl", "Exit status",
                         "  8  time is up")
        self.assertEqual(done.stderr, "")
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        self.assertEqual(t.svctl("help").stdout, done.stdout)
        for args in (["logs", "--help"], ["help", "logs"], ["-h", "logs"]):
            self.says(t, args, 0, "usage: svctl logs [OPTION...] [NAME...]",
                      "--grep REGEX", without=["--healthy"])


class Terminal(Case):
    def tree_for_eyes(self):
        t = self.tree({"a": SLEEPER, "bad": FAILS,
                       "knowledge_os_orchestrator": SLEEPER})
        t.wait("bad", "BACKOFF")
        t.wait("knowledge_os_orchestrator", "UP")
        t.wait("a", "UP")
        t.call("Report", {"name": "knowledge_os_orchestrator",
                          "health": "busy",
                          "reason": "503: all slots are taken, three wait"})
        return t

    def test_the_table_fits_the_terminal(self):
        t = self.tree_for_eyes()
        for columns in (80, 100, 120, 200):
            code, text = on_terminal(t, columns=columns)
            self.assertEqual(code, 1)
            lines = bare(text).splitlines()
            self.assertLessEqual(max(map(len, lines)), columns, text)
            self.assertIn("● a ", bare(text))
            self.assertIn("\x1b[32m", text)
            self.assertIn("503: all slots are taken, three wait", bare(text))
            self.assertIn("exited with code 3; started again in",
                          bare(text))
            self.assertIn("look at: svctl status bad", bare(text))

    def test_no_colour_where_none_is_wanted(self):
        t = self.tree_for_eyes()
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            text = on_terminal(t, env=env)[1]
            self.assertNotIn("\x1b", text)
            self.assertIn("● a", text)
        self.assertNotIn("\x1b", t.svctl().stdout)
        self.assertNotIn("●", t.svctl().stdout)

    def test_ascii_where_the_locale_is_ascii(self):
        t = self.tree_for_eyes()
        text = on_terminal(t, env={"LC_ALL": "C"})[1]
        self.assertTrue(text.isascii(), text)
        self.assertIn("* ", bare(text))

    def test_columns_beat_the_terminals_word(self):
        t = self.tree_for_eyes()
        text = on_terminal(t, columns=200, env={"COLUMNS": "80"})[1]
        self.assertLessEqual(max(map(len, bare(text).splitlines())), 80)

    def test_text_of_programs_does_no_harm(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        t.call("Report", {"name": "a", "health": "degraded",
                          "reason": "x\x1b[2Jy\x07z"})
        for args in (["status"], ["status", "a"]):
            text = on_terminal(t, *args)[1]
            self.assertNotIn("\x1b[2J", text)
            self.assertIn("x?[2Jy?z", text)

    def test_progress_is_shown_while_a_verb_waits(self):
        t = self.tree({"slow": SLOW, "top": SLEEPER + "needs = slow\n"})
        t.wait("top", "WAITING")
        code, text = on_terminal(t, "-t", "1s", "start", "top")
        self.assertEqual(code, 8)
        self.assertIn("start top: WAITING, waits for slow", bare(text))
        self.assertTrue(text.count("\r") > 3)
        go(t, "slow")
        code, text = on_terminal(t, "start", "top")
        self.assertEqual(code, 0)
        self.assertIn("top: UP after ", bare(text))
        code, text = on_terminal(t, "-q", "restart", "top")
        self.assertEqual((code, text), (0, ""))


class Top(Case):
    """svctl top on a terminal of its own."""

    def open(self, t, *args, rows=24, columns=80):
        pid, fd = pty.fork()
        if pid == 0:
            os.environ.update({**t.environment(), "TERM": "xterm",
                               "LC_ALL": "C.UTF-8"})
            fcntl.ioctl(0, termios.TIOCSWINSZ,
                        struct.pack("HHHH", rows, columns, 0, 0))
            os.execv(rig.program("svctl"),
                     [rig.program("svctl"), "--run", t.run, "top", *args])
        self.fd, self.seen = fd, ""
        self.addCleanup(os.close, fd)
        self.addCleanup(self.reap, pid)
        return pid

    @staticmethod
    def reap(pid):
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass

    def until(self, *words):
        """Reads until a frame that holds all words."""
        def look():
            if select_line(self.fd):
                try:
                    self.seen += os.read(self.fd, 65536).decode(
                        errors="replace")
                except OSError:
                    pass
            frame = bare(re.sub(r"\x1b\[\d+;1H", "\r\n",
                                self.seen.split("\x1b[H")[-1]))
            return all(w in frame for w in words) and frame
        return rig.eventually(look, timeout=30, what=f"a frame with {words}")

    def test_it_shows_the_services_and_acts(self):
        t = self.tree({"a": {"run": "echo hello from a; exec sleep 1000"},
                       "b": {"conf": SLEEPER, "down": True}})
        old = t.wait("a", "UP")["pid"]
        rig.eventually(lambda: "hello" in t.log_text("a"), what="its line")
        pid = self.open(t)
        self.until(">", "a ", "UP", "DOWN", "CPU", "MEMORY", "q quit")
        os.write(self.fd, b"l")
        self.until("log of a", "hello from a")
        os.write(self.fd, b"r")
        self.until("Restart a? y or n")
        os.write(self.fd, b"n")
        os.write(self.fd, b"ry")
        self.until("restarting a")
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != old)
        os.write(self.fd, b"\x1b[B")
        self.until("b: DOWN")
        os.write(self.fd, b"u")
        t.wait("b", "UP")
        self.until("b: UP")
        os.write(self.fd, b"sy")
        t.wait("b", "DOWN")
        os.write(self.fd, b"q")
        self.assertEqual(os.waitstatus_to_exitcode(self.wait_for(pid)), 0)
        self.assertIn("\x1b[?1049h", self.seen)
        self.assertIn("\x1b[?1049l", self.seen)

    def wait_for(self, pid):
        """Its status; all that it said is read, its last words too."""
        def look():
            done, status = os.waitpid(pid, os.WNOHANG)
            while select_line(self.fd, 0.01):
                try:
                    self.seen += os.read(self.fd, 65536).decode(
                        errors="replace")
                except OSError:     # the other side is closed
                    break
            return done and (status,)
        return rig.eventually(look, timeout=30, what="its end")[0]

    def test_no_frame_is_larger_than_the_terminal(self):
        t = self.tree({f"service-{n:02}": SLEEPER for n in range(40)})
        t.wait("service-39", "UP")
        for rows, columns in ((24, 80), (10, 100), (50, 132)):
            pid = self.open(t, rows=rows, columns=columns)
            frame = self.until("q quit")
            self.assertLessEqual(frame.count("\r\n"), rows)
            self.assertLessEqual(max(map(len, frame.split("\r\n"))),
                                 columns)
            os.write(self.fd, b"\x1b[F")      # End
            self.until("svlog: ", "q quit")
            os.write(self.fd, b"q")
            self.assertEqual(self.wait_for(pid), 0)

    def test_the_end_of_the_supervisor_is_told(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        pid = self.open(t)
        self.until("q quit")
        t.kill_supervisor()
        self.assertEqual(os.waitstatus_to_exitcode(self.wait_for(pid)), 7)
        self.assertIn("the supervisor has gone", self.seen)
        self.assertIn("\x1b[?1049l", self.seen)

    def test_without_a_terminal_it_says_so(self):
        t = self.tree({"a": SLEEPER})
        self.says(t, ["top"], 2, "needs a terminal", "svctl status")


if __name__ == "__main__":
    rig.main()
