# SPDX-License-Identifier: ISC
"""What users of runit, s6 and systemd expect of a service, and what is not
about the life of its process alone: timers, hooks, stop commands, templates,
loggers, scripts as distributions ship them."""

import datetime
import json
import os
import signal
import subprocess
import sys
import unittest

import rig

SLEEPER = "[service]\nexec = sleep 1000\n"


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def count(tree, name, word):
    return tree.log_text(name).count(word)


class Timers(rig.Case):
    ONESHOT = "[service]\ntype = oneshot\nexec = echo ran\n"

    def next_in(self, tree, name="a"):
        """Seconds until the next run, as the status tells it."""
        now = datetime.datetime.now(datetime.timezone.utc)
        return (at(tree.service(name)["next_at"]) - now).total_seconds()

    def test_jitter_spreads_the_runs(self):
        t = self.tree({f"n{i}": self.ONESHOT + "every = 1h\n"
                       "every-jitter = 30m\n" for i in range(12)})
        # The timers are set within the first round of the loop.
        rig.eventually(lambda: all(s["next_at"] for s in
                                   t.status()["services"]
                                   if s["type"] == "oneshot"), what="timers")
        due = [self.next_in(t, f"n{i}") for i in range(12)]
        self.assertTrue(all(3400 < d <= 5401 for d in due), due)
        self.assertGreater(max(due) - min(due), 60, due)

    def test_it_runs_again_and_again(self):
        t = self.tree({"a": self.ONESHOT + "every = 50ms\n"})
        rig.eventually(lambda: count(t, "a", "ran") >= 5, timeout=30,
                       what="five runs")

    def test_a_shorter_period_counts_at_once(self):
        t = self.tree({"a": self.ONESHOT + "every = 1h\n"})
        rig.eventually(lambda: t.service("a")["next_at"], what="a timer")
        t.add("a", self.ONESHOT + "every = 50ms\n")
        t.call("Reload")
        rig.eventually(lambda: count(t, "a", "ran") >= 2, timeout=30,
                       what="two runs")

    def test_a_person_s_stop_stops_the_timer(self):
        t = self.tree({"a": self.ONESHOT + "every = 1h\n"})
        rig.eventually(lambda: t.service("a")["next_at"], what="a timer")
        t.call("Stop", {"name": "a"})
        self.assertIsNone(t.service("a")["next_at"])
        t.kill_supervisor()
        t.start()
        self.assertIsNone(t.service("a")["next_at"])
        t.call("Start", {"name": "a"})
        rig.eventually(lambda: count(t, "a", "ran") == 1, what="its run")
        rig.eventually(lambda: t.service("a")["next_at"], what="a timer")

    def test_what_sleep_made_it_miss_is_one_run(self):
        """missed runs are made up for by one (a clock with sleep in it)"""
        later = ["unshare", "--time", "--boottime", "36000"]
        try:
            subprocess.run([*later, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            self.skipTest("no time namespaces here")
        t = self.tree({"a": self.ONESHOT + "every = 1h\n"})
        rig.eventually(lambda: t.service("a")["next_at"], what="a timer")
        t.stop()
        command = t.command()
        # Ten hours later: of ten missed runs there is one.
        t.command = lambda: [*later, *command]
        t.start()
        rig.eventually(lambda: count(t, "a", "ran") == 1, what="the run")
        t.wait("a", "DOWN")
        self.assertGreater(self.next_in(t), 3000)
        self.assertEqual(count(t, "a", "ran"), 1)

    def test_jitter_without_a_timer_is_an_error(self):
        t = self.tree({"a": self.ONESHOT + "every-jitter = 1m\n"},
                      start=False)
        done = t.svctl("check", t.services)
        self.assertEqual(done.returncode, 1)
        self.assertIn("every = DURATION is missing",
                      done.stdout + done.stderr)



class Success(rig.Case):
    def test_a_success_code_is_no_failure(self):
        t = self.tree({"a": "[service]\nexec = sh -c 'exit 3'\n"
                            "restart = on-failure\nsuccess-codes = 3 143\n",
                       "b": "[service]\nexec = sh -c 'exit 4'\n"
                            "restart = on-failure\nsuccess-codes = 3 143\n"
                            "restart-delay = 10ms\nrestart-limit = 1/1m\n"})
        t.wait("b", "TRIPPED")
        t.wait("a", "DOWN")
        self.assertTrue(t.service("a")["last_exit"]["success"])
        self.assertFalse(t.service("b")["last_exit"]["success"])

    def test_a_need_is_met_by_a_oneshot_that_ended_so(self):
        t = self.tree({"once": "[service]\ntype = oneshot\n"
                               "exec = sh -c 'exit 3'\nsuccess-codes = 3\n",
                       "a": SLEEPER + "needs = once\n"})
        t.wait("a", "UP")
        done = t.svctl("once", "once")
        self.assertEqual(done.returncode, 0, done.stderr)


class Hooks(rig.Case):
    def hooked(self, conf, run="exec sleep 1000"):
        """A service a whose hooks write what they are told to a file."""
        t = self.tree({}, start=False)
        t.told = t.path("told")
        t.hook = t.path("hook")
        with open(t.hook, "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\ncat >>{t.told}.$1\necho $1-done $USER\n")
        os.chmod(t.hook, 0o755)
        for name in ("crash", "trip", "incident"):
            with open(f"{t.told}.{name}", "w", encoding="ascii"):
                pass
            os.chmod(f"{t.told}.{name}", 0o666)
        t.add("a", {"conf": "[service]\n" + "".join(
            f"on-{n} = {t.hook} {n}\n" for n in
            ("crash", "trip", "incident")) + conf, "run": run})
        t.start()
        return t

    def told(self, tree, kind, n=1, timeout=60):
        """The first n stories that the hook was told."""
        def look():
            with open(f"{tree.told}.{kind}", encoding="utf-8") as f:
                lines = f.read().splitlines()
            return len(lines) >= n and [json.loads(x) for x in lines]
        return rig.eventually(look, timeout, f"{n} stories of a {kind}")

    def test_a_crash_is_told_with_the_whole_status(self):
        t = self.hooked("description = a thing\n")
        pid = t.wait("a", "UP")["pid"]
        os.kill(pid, signal.SIGSEGV)
        story = self.told(t, "crash")[0]
        self.assertEqual(story["event"], "crash")
        self.assertEqual(story["service"], "a")
        self.assertEqual(story["tree"], t.run)
        self.assertEqual(story["count"], 1)
        self.assertEqual(story["reason"], "killed by SIGSEGV")
        self.assertEqual(story["status"]["description"], "a thing")
        self.assertEqual(story["status"]["last_exit"]["signal"], "SIGSEGV")
        at(story["at"])
        rig.eventually(lambda: count(t, "a", "crash-done") == 1,
                       what="its output in the log")
        self.assertEqual(os.path.getsize(t.told + ".trip"), 0)

    def test_what_a_person_asks_for_is_no_crash(self):
        t = self.hooked("")
        t.wait("a", "UP")
        t.call("Restart", {"name": "a"})
        t.wait("a", "UP")
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN")
        t.call("Start", {"name": "a"})
        pid = t.wait("a", "UP")["pid"]
        os.kill(pid, signal.SIGKILL)
        stories = self.told(t, "crash")
        self.assertEqual(len(stories), 1)
        self.assertEqual(stories[0]["reason"], "killed by SIGKILL")

    def test_a_trip_is_told_apart(self):
        t = self.hooked("restart-delay = 10ms\nrestart-limit = 3/1m\n",
                        "exit 9")
        t.wait("a", "TRIPPED")
        story = self.told(t, "trip")[0]
        self.assertEqual(story["event"], "trip")
        self.assertIn("too many failures", story["reason"])
        self.assertEqual(story["status"]["state"], "TRIPPED")

    def test_a_storm_of_crashes_is_two_runs_of_the_hook(self):
        t = self.hooked("restart-delay = 5ms\nrestart-max-delay = 5ms\n"
                        "restart-limit = 20/1m\n", "exit 9")
        t.wait("a", "TRIPPED", timeout=30)
        stories = self.told(t, "crash", 2)
        self.assertEqual([s["count"] for s in stories], [1, 20])

    def test_a_program_that_cannot_start_is_a_crash(self):
        t = self.hooked("restart-delay = 1h\nrestart-max-delay = 1h\n",
                        "#!/no/such/interpreter\n")
        story = self.told(t, "crash")[0]
        self.assertIn("No such file", story["reason"])

    def test_an_incident_reaches_its_hook(self):
        t = self.hooked("")
        t.wait("a", "UP")
        t.call("Report", {"name": "a", "incident": "the roof is leaking"})
        story = self.told(t, "incident")[0]
        self.assertEqual(story["reason"], "the roof is leaking")

    @unittest.skipUnless(os.geteuid() == 0, "only root can do that")
    def test_a_hook_runs_as_the_user_of_the_service(self):
        t = self.hooked("user = nobody\n")
        t.wait("a", "UP")
        t.call("Report", {"name": "a", "incident": "x"})
        rig.eventually(lambda: count(t, "a", "incident-done nobody") == 1,
                       what="the hook's word")

    def test_a_hook_that_hangs_holds_up_nobody_and_is_killed(self):
        t = self.tree({"a": "[service]\nexec = sleep 1000\n"
                            "hook-timeout = 300ms\n"
                            "on-crash = sh -c 'sleep 1001 & sleep 1002'\n"})
        pid = t.wait("a", "UP")["pid"]
        with t.subscribe() as events:
            os.kill(pid, signal.SIGKILL)
            t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)
            event = events.until(lambda e: e["event"] == "hook")
            self.assertEqual(event["reason"], "on-crash was killed by SIGKILL")

    def test_a_hook_that_fails_is_told(self):
        t = self.tree({"a": "[service]\nexec = sleep 1000\n"
                            "on-crash = sh -c 'exit 7'\n"})
        pid = t.wait("a", "UP")["pid"]
        with t.subscribe() as events:
            os.kill(pid, signal.SIGKILL)
            event = events.until(lambda e: e["event"] == "hook")
            self.assertEqual(event["reason"], "on-crash ended with code 7")

    def test_a_hook_that_does_not_read_is_no_trouble(self):
        t = self.tree({"a": "[service]\nexec = sleep 1000\n"
                            "on-crash = true\n"})
        pid = t.wait("a", "UP")["pid"]
        os.kill(pid, signal.SIGKILL)
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)

    def test_a_missing_program_is_an_error(self):
        t = self.tree({"a": SLEEPER + "on-trip = /no/such/program\n"},
                      start=False)
        done = t.svctl("check", t.services)
        self.assertEqual(done.returncode, 1)
        self.assertIn("on-trip: /no/such/program is not there",
                      done.stdout + done.stderr)



def script(text):
    return "#!/bin/sh\n" + text + "\n"


class Scripted(rig.Case):
    """Services with scripts beside run; each writes to the service's log."""

    def with_control(self, run, conf="[service]\n", finish=None, **control):
        t = self.tree({}, start=False)
        t.add("a", {"conf": conf, "run": run})
        if finish is not None:
            t.add("a", {"finish": finish})
        for letter, text in control.items():
            path = os.path.join(t.services, "a", "control",
                                letter.removeprefix("n"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as f:
                f.write(script(text))
            os.chmod(path, 0o755)
        t.start()
        return t

    def words(self, tree, name="a"):
        return [l.split(" ", 1)[1] for l in
                tree.log_text(name).splitlines() if " " in l]


# Says which signals come to it; the file "ready" is there when it can.
TRAPS = "".join(f"trap 'echo got {s}' {s}\n" for s in
                ("HUP", "ALRM", "INT", "QUIT", "USR1", "USR2", "TERM",
                 "CONT")) + "touch ready\nwhile :; do sleep 0.05; done"


class Stop(Scripted):
    def test_the_stop_command_comes_first(self):
        t = self.with_control(
            "trap 'echo got TERM; exit 0' TERM\ntouch ready\n"
            "while :; do sleep 0.05; done",
            "[service]\nstop-command = sh -c "
            "'echo asked $MAINPID; exit 3'\n")
        pid = t.wait("a", "UP")["pid"]
        rig.eventually(lambda: os.path.exists(
            os.path.join(t.services, "a", "ready")), what="the trap")
        with t.subscribe() as events:
            t.call("Stop", {"name": "a"})
            event = events.until(lambda e: e["event"] == "stop")
            self.assertEqual(event["reason"], "stop-command ended with "
                                              "code 3")
        t.wait("a", "DOWN")
        rig.eventually(lambda: self.words(t) == [f"asked {pid}", "got TERM"],
                       what="both words in order")

    def test_a_service_that_the_command_ended_gets_no_signal(self):
        t = self.with_control(
            "trap 'echo got TERM; exit 0' TERM\n"
            "while [ ! -e end ]; do sleep 0.02; done; echo bye",
            "[service]\nstop-command = sh -c 'touch end; "
            "while kill -0 $MAINPID 2>/dev/null; do sleep 0.02; done; "
            "echo command-end'\n")
        t.wait("a", "UP")
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN", timeout=30)
        rig.eventually(lambda: len(self.words(t)) == 2, what="two words")
        self.assertEqual(self.words(t), ["bye", "command-end"])

    def test_a_command_that_hangs_is_killed_and_the_signal_follows(self):
        t = self.with_control(
            "trap 'echo got TERM; exit 0' TERM\n"
            "while :; do sleep 0.05; done",
            "[service]\nstop-timeout = 500ms\n"
            "stop-command = sh -c 'sleep 1001 & sleep 1002'\n")
        t.wait("a", "UP")
        with t.subscribe() as events:
            t.call("Stop", {"name": "a"})
            event = events.until(lambda e: e["event"] == "stop")
            self.assertEqual(event["reason"], "stop-command took too long")
        t.wait("a", "DOWN")

    @unittest.skipUnless(os.geteuid() == 0, "only root can do that")
    def test_the_command_runs_as_the_user_of_the_service(self):
        t = self.tree({"a": SLEEPER + "user = nobody\n"
                            "stop-command = id -un\n"})
        t.wait("a", "UP")
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN")
        rig.eventually(lambda: count(t, "a", "nobody") == 1, what="its name")

    def test_a_supervisor_killed_meanwhile_goes_on_with_the_stop(self):
        t = self.tree({"a": SLEEPER + "stop-timeout = 1s\n"
                            "stop-command = sh -c 'echo asked; "
                            "exec sleep 1002'\n"})
        pid = t.wait("a", "UP")["pid"]
        t.call("Stop", {"name": "a"})
        rig.eventually(lambda: count(t, "a", "asked") == 1, what="the word")
        t.kill_supervisor()
        t.start()
        t.wait("a", "DOWN", timeout=30)
        self.assertFalse(os.path.exists(f"/proc/{pid}/exe"))

    def test_every_restart_asks_as_well(self):
        t = self.tree({"a": SLEEPER + "stop-command = echo asked\n"})
        pid = t.wait("a", "UP")["pid"]
        t.call("Restart", {"name": "a"})
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)
        rig.eventually(lambda: count(t, "a", "asked") == 1, what="the word")

    def test_what_is_left_behind_is_named(self):
        t = self.tree({"a": {
            "run": "sleep 1001 & trap 'exit 0' TERM; touch ready\n"
                   "while :; do sleep 0.05; done"}})
        t.wait("a", "UP")
        rig.eventually(lambda: os.path.exists(
            os.path.join(t.services, "a", "ready")), what="the trap")
        with t.subscribe() as events:
            t.call("Stop", {"name": "a"})
            event = events.until(lambda e: e["event"] == "straggler")
            self.assertRegex(event["reason"],
                             r"left behind in its group: sleep \(pid \d+\)")
        t.wait("a", "DOWN")


class Pause(Scripted):
    def state(self, pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0]

    @unittest.skipUnless(sys.platform == "linux", "reads /proc")
    def test_pause_and_cont(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        self.assertFalse(t.service("a")["paused"])
        done = t.svctl("pause", "a")
        self.assertEqual(done.returncode, 0, done.stderr)
        rig.eventually(lambda: self.state(pid) == "T", what="a stop")
        self.assertTrue(t.service("a")["paused"])
        self.assertIn("paused", t.svctl("status").stdout)
        t.kill_supervisor()
        t.start()
        self.assertTrue(t.service("a")["paused"])
        self.assertEqual(t.svctl("cont", "a").returncode, 0)
        rig.eventually(lambda: self.state(pid) == "S", what="its going on")
        self.assertFalse(t.service("a")["paused"])

    def test_a_paused_service_can_be_stopped_and_comes_back_running(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        t.svctl("pause", "a")
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN")
        self.assertFalse(t.service("a")["paused"])
        t.call("Start", {"name": "a"})
        t.wait("a", "UP")
        self.assertFalse(t.service("a")["paused"])

    def test_a_program_does_not_restart_what_a_person_paused(self):
        t = self.tree({
            "a": SLEEPER,
            "b": {"conf": "[service]\ntype = oneshot\ngrants = Restart\n",
                  "down": True,
                  "run": "svctl restart --no-wait a 2>&1; echo tried"}})
        pid = t.wait("a", "UP")["pid"]
        t.svctl("pause", "a")
        t.call("Start", {"name": "b"})
        rig.eventually(lambda: count(t, "b", "tried") == 1, what="a try")
        self.assertEqual(count(t, "b", "it is paused"), 1)
        self.assertEqual(t.service("a")["pid"], pid)


class Control(Scripted):
    SIGNALS = (("HUP", "h"), ("ALRM", "a"), ("INT", "i"), ("QUIT", "q"),
               ("USR1", "1"), ("USR2", "2"), ("TERM", "t"))

    def ready(self, tree):
        rig.eventually(lambda: os.path.exists(
            os.path.join(tree.services, "a", "ready")), what="the traps")

    def test_a_script_that_succeeds_replaces_the_signal(self):
        t = self.with_control(TRAPS, **{
            "n" + l: f"echo script {l}" for _, l in self.SIGNALS})
        t.wait("a", "UP")
        self.ready(t)
        for name, letter in self.SIGNALS:
            t.call("Signal", {"name": "a", "signal": name})
            rig.eventually(lambda: f"script {letter}" in self.words(t),
                           what=f"control/{letter}")
        self.assertEqual([w for w in self.words(t) if "got" in w], [])

    def test_a_script_that_fails_lets_the_signal_through(self):
        t = self.with_control(TRAPS, **{
            "n" + l: f"echo script {l}; exit 1" for _, l in self.SIGNALS})
        t.wait("a", "UP")
        self.ready(t)
        for name, letter in self.SIGNALS:
            t.call("Signal", {"name": "a", "signal": name})
            rig.eventually(lambda: f"got {name}" in self.words(t),
                           what=f"SIG{name}")
            self.assertIn(f"script {letter}", self.words(t))

    def test_scripts_run_one_after_the_other(self):
        t = self.with_control(
            TRAPS, h="echo begin h; while [ ! -e go ]; do sleep 0.02; done; "
                     "echo end h", n1="echo script 1", n2="echo script 2")
        t.wait("a", "UP")
        self.ready(t)
        for name in ("HUP", "USR1", "USR2", "HUP", "USR1"):
            t.call("Signal", {"name": "a", "signal": name})
        # One without a script need not wait.
        t.call("Signal", {"name": "a", "signal": "ALRM"})
        rig.eventually(lambda: "got ALRM" in self.words(t), what="ALRM")
        self.assertEqual(self.words(t).count("script 1"), 0)
        with self.assertRaisesRegex(rig.CallError, "still at work"):
            for _ in range(8):
                t.call("Signal", {"name": "a", "signal": "USR2"})
        t.add("a", {"files": {"go": ""}})
        rig.eventually(lambda: self.words(t).count("script 2") == 4,
                       what="the last script")
        words = [w for w in self.words(t) if "got" not in w]
        self.assertEqual(words[:8], ["begin h", "end h", "script 1",
                                     "script 2", "begin h", "end h",
                                     "script 1", "script 2"])

    def test_t_and_d_on_the_way_down_and_u_on_the_way_up(self):
        t = self.with_control(
            "echo run; trap 'echo got INT; exit 0' INT\ntrap 'echo got TERM'"
            " TERM\nwhile :; do sleep 0.05; done",
            u="echo up", t="echo t; kill -INT $MAINPID", d="echo down",
            finish="echo finish $1 $2")
        t.wait("a", "UP")
        rig.eventually(lambda: "run" in self.words(t), what="run")
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN", timeout=30)
        rig.eventually(lambda: "finish 0 0" in self.words(t), what="finish")
        words = self.words(t)
        self.assertEqual(words[:3], ["up", "run", "t"])
        # The trap speaks when the shell's sleep is over.
        self.assertEqual(sorted(words[3:5]), ["down", "got INT"])
        self.assertEqual(words[5:], ["finish 0 0"])

    def test_a_failing_t_is_followed_by_the_signal_and_d(self):
        t = self.with_control(
            "trap 'echo got TERM; exit 7' TERM\n"
            "touch ready; while :; do sleep 0.05; done",
            t="echo t; exit 1", d="echo down", finish="echo finish $1 $2")
        t.wait("a", "UP")
        self.ready(t)
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN", timeout=30)
        rig.eventually(lambda: "finish 7 0" in self.words(t), what="finish")
        words = self.words(t)
        self.assertEqual(words[0], "t")
        self.assertEqual(sorted(words[1:3]), ["down", "got TERM"])

    def test_a_t_that_sees_to_nothing_is_not_waited_for_for_ever(self):
        t = self.with_control(
            "trap '' TERM INT; while :; do sleep 0.05; done",
            "[service]\nstop-timeout = 400ms\n", t="exit 0")
        t.wait("a", "UP")
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN", timeout=30)

    def test_a_restart_runs_t_and_not_d(self):
        t = self.with_control("echo run; exec sleep 1000", t="echo t; exit 1",
                              d="echo down")
        pid = t.wait("a", "UP")["pid"]
        rig.eventually(lambda: "run" in self.words(t), what="run")
        t.call("Restart", {"name": "a"})
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid,
               timeout=30)
        rig.eventually(lambda: self.words(t).count("run") == 2, what="run")
        self.assertEqual(self.words(t), ["run", "t", "run"])


class Finish(Scripted):
    def finished(self, run, how=None):
        t = self.with_control(run, "[service]\nrestart = never\n"
                              "[limits]\ncore = 0\n",
                              finish='echo "finish $1 $2"; pwd')
        if how is not None:
            pid = t.wait("a", "UP")["pid"]
            os.kill(pid, how)
        rig.eventually(lambda: len(self.words(t)) >= 2, what="finish")
        self.assertEqual(self.words(t)[1], os.path.join(t.services, "a"))
        return self.words(t)[0]

    def test_code_and_signal_as_runsv_gives_them(self):
        self.assertEqual(self.finished("exit 0"), "finish 0 0")
        self.assertEqual(self.finished("exit 255"), "finish 255 0")
        self.assertEqual(self.finished("exec sleep 1000", signal.SIGKILL),
                         "finish -1 9")
        self.assertEqual(self.finished("exec sleep 1000", signal.SIGTERM),
                         "finish -1 15")



# A logger that writes each line to the file "got" beside it, and says how it
# ended. bash's read does not read ahead of the line.
LOGGER = ("trap 'echo TERM >>got; exit 0' TERM\n"
          "echo begin >>got\n"
          "while read -r line; do echo \"$line\" >>got; done\n"
          "echo end >>got")

# One that a signal stops between two lines, never in one.
EXACT = f"""#!{sys.executable}
import os, signal
out = os.open("got", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
line = b""
while True:
    signal.pthread_sigmask(signal.SIG_BLOCK, [15])
    c = os.read(0, 1)
    if not c:
        break
    line += c
    if c == b"\\n":
        os.write(out, line)
        line = b""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [15])
"""


class Loggers(Scripted):
    def tree_with(self, run="echo hello; exec sleep 1000", log=LOGGER,
                  **more):
        return self.tree({"a": {"run": run, "log": log}}, **more)

    def got(self, tree, name="a", file="got"):
        path = os.path.join(tree.services, name, "log", file)
        try:
            with open(path, encoding="utf-8") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def wait_got(self, tree, line, times=1):
        rig.eventually(lambda: self.got(tree).count(line) >= times,
                       timeout=30, what=f"{line!r} {times} times")

    def test_a_logger_is_a_service_beside_its_service(self):
        t = self.tree_with()
        t.wait("a", "UP")
        log = t.wait("a/log", "UP")
        self.wait_got(t, "hello")
        self.assertNotIn("hello", t.log_text("a"))
        self.assertNotEqual(log["pid"], t.service("a")["pid"])
        self.assertIn("a/log", t.svctl("status").stdout)
        self.assertEqual(t.svctl("stop", "a/log").returncode, 0)
        self.assertEqual(t.service("a")["state"], "UP")
        self.assertIn("TERM", self.got(t))

    def test_what_the_logger_says_is_in_the_log_of_the_tree(self):
        t = self.tree_with(log="echo the logger speaks\nexec cat >got")
        rig.eventually(lambda: "the logger speaks" in t.log_text("a:log"),
                       what="its word")
        self.assertIn("the logger speaks", t.svctl("logs", "a/log").stdout)

    def test_it_outlives_its_service_and_is_stopped_last(self):
        t = self.tree_with("trap 'echo last words; exit 0' TERM\n"
                           "echo hello; while :; do sleep 0.05; done")
        pid = t.wait("a/log", "UP")["pid"]
        self.wait_got(t, "hello")
        t.call("Restart", {"name": "a"})
        self.wait_got(t, "hello", 2)
        self.assertEqual(t.service("a/log")["pid"], pid)
        self.assertEqual(t.stop(), 0)
        # No signal: its input has ended, after all that there was.
        self.assertEqual(self.got(t), ["begin", "hello", "last words",
                                       "hello", "last words", "end"])

    def test_a_restart_of_either_loses_no_line(self):
        n = 3000
        t = self.tree_with(
            f"#!{sys.executable}\n"
            "import os, time\n"
            "note = os.open('i', os.O_RDWR | os.O_CREAT)\n"
            "i = int(os.pread(note, 8, 0) or 0)\n"
            f"while i < {n}:\n"
            "    i += 1\n"
            "    os.write(1, b'line %d\\n' % i)\n"
            "    os.pwrite(note, b'%8d' % i, 0)\n"
            "    time.sleep(0.001)\n"
            "os.write(1, b'complete\\n')\n"
            "time.sleep(1000)\n",
            EXACT)
        for k in range(6):
            at_least = (k + 1) * n // 8
            rig.eventually(lambda: len(self.got(t)) >= at_least, timeout=60,
                           what=f"{at_least} lines")
            which = "a/log" if k % 2 else "a"
            t.call("Restart", {"name": which})
            t.wait(which, "UP", timeout=30)
        self.wait_got(t, "complete")
        numbers = [int(l.split()[1]) for l in self.got(t)
                   if l.startswith("line ")]
        # A line may be there twice: the service is killed between its line
        # and its note of it. None is missing, none out of order.
        self.assertEqual(sorted(set(numbers)), list(range(1, n + 1)))
        self.assertEqual(numbers, sorted(numbers))

    def test_the_death_of_the_supervisor_loses_nothing(self):
        t = self.tree_with("i=0; while [ ! -e stop ]; do i=$((i+1)); "
                           "echo line $i; sleep 0.002; done; "
                           "echo complete; exec sleep 1000")
        self.wait_got(t, "line 50")
        for _ in range(3):
            t.kill_supervisor()
            t.start()
            t.wait("a/log", lambda s: s["state"] == "UP" and s["adopted"])
            before = len(self.got(t))
            rig.eventually(lambda: len(self.got(t)) > before + 20,
                           what="lines go on")
        t.add("a", {"files": {"stop": ""}})
        self.wait_got(t, "complete")
        lines = [l for l in self.got(t) if l.startswith("line")]
        self.assertEqual(lines, [f"line {i + 1}" for i in range(len(lines))])

    def test_an_upgrade_keeps_both(self):
        t = self.tree_with()
        self.wait_got(t, "hello")
        pids = [t.service(n)["pid"] for n in ("a", "a/log")]
        self.assertEqual(t.svctl("upgrade").returncode, 0)
        self.assertEqual([t.service(n)["pid"] for n in ("a", "a/log")], pids)
        t.call("Restart", {"name": "a"})
        self.wait_got(t, "hello", 2)

    def test_a_failing_logger_is_tried_for_ever_and_loses_nothing(self):
        t = self.tree_with("for i in 1 2 3; do echo line $i; done; "
                           "exec sleep 1000",
                           "[ -e good ] || exit 1\n" + LOGGER)
        t.wait("a", "UP")
        t.wait("a/log", lambda s: s["restarts"] >= 8, timeout=60)
        t.add("a", {"files": {"log/good": ""}})
        self.wait_got(t, "line 3")
        self.assertEqual(self.got(t), ["begin", "line 1", "line 2", "line 3"])

    def test_a_logger_that_comes_with_a_reload(self):
        t = self.tree({"a": {"run": "echo hello; exec sleep 1000"}})
        rig.eventually(lambda: count(t, "a", "hello") == 1, what="hello")
        t.add("a", {"log": LOGGER})
        t.call("Reload")
        t.wait("a/log", "UP")
        self.assertEqual(count(t, "a", "hello"), 1)
        t.call("Restart", {"name": "a"})
        self.wait_got(t, "hello")
        self.assertEqual(count(t, "a", "hello"), 1)

    def test_a_logger_that_goes_with_a_reload_leaves_no_line_behind(self):
        t = self.tree_with("i=0; while [ ! -e stop ]; do i=$((i+1)); "
                           "echo line $i; sleep 0.002; done; "
                           "echo complete; exec sleep 1000", EXACT)
        pid = t.wait("a", "UP")["pid"]
        self.wait_got(t, "line 20")
        here = os.path.join(t.services, "a", "log")
        os.rename(os.path.join(here, "run"), os.path.join(here, "was-run"))
        t.call("Reload")
        rig.eventually(lambda: count(t, "a", "line") > 20, timeout=30,
                       what="lines in the log of the tree")
        self.assertEqual(t.service("a")["pid"], pid)
        with self.assertRaises(rig.CallError):
            t.service("a/log")
        t.add("a", {"files": {"stop": ""}})
        rig.eventually(lambda: count(t, "a", "complete") == 1, timeout=30,
                       what="the last line")
        one = [l for l in self.got(t) if l.startswith("line")]
        two = [l.split(" ", 1)[1] for l in t.log_text("a").splitlines()
               if " line " in l]
        self.assertEqual(one + two, [f"line {i + 1}" for i in
                                     range(len(one) + len(two))])
        # And the next process writes there as well.
        t.call("Restart", {"name": "a"})
        rig.eventually(lambda: count(t, "a", "complete") == 2, timeout=30,
                       what="the word of the next process")

    def test_a_directory_that_goes_takes_both_the_logger_last(self):
        t = self.tree_with("trap 'echo last words; exit 0' TERM\n"
                           "echo hello; while :; do sleep 0.05; done",
                           start=False)
        # The directory goes, so what it writes is elsewhere.
        out = t.path("out")
        t.add("a", {"log": f"exec cat >>{out}"})
        t.start()
        rig.eventually(lambda: os.path.exists(out) and
                       "hello" in open(out).read(), what="hello")
        t.remove("a")
        t.call("Reload")
        rig.eventually(lambda: [s["name"] for s in
                                t.status()["services"]] == ["svlog"],
                       timeout=30, what="an empty tree")
        self.assertTrue(open(out).read().endswith("last words\n"))

    def test_a_logger_of_another_user_and_down(self):
        """log/down and log/service.conf"""
        if os.geteuid() != 0:
            self.skipTest("only root can do that")
        t = self.tree_with(log="id -un >&2; exec cat >/dev/null", start=False)
        t.add("a", {"files": {"log/down": "",
                              "log/service.conf":
                              "[service]\nuser = nobody\n"}})
        t.start()
        t.wait("a", "UP")
        self.assertEqual(t.service("a/log")["state"], "DOWN")
        t.call("Start", {"name": "a/log"})
        rig.eventually(lambda: count(t, "a:log", "nobody") == 1,
                       what="its user")

    def test_intent_for_a_logger_is_kept(self):
        t = self.tree_with()
        t.wait("a/log", "UP")
        t.call("Disable", {"name": "a/log"})
        t.wait("a/log", "DOWN")
        t.stop()
        os.unlink(os.path.join(t.run, "table"))
        t.start()
        t.wait("a", "UP")
        self.assertEqual(t.service("a/log")["state"], "DOWN")
        t.call("Enable", {"name": "a/log"})
        t.wait("a/log", "UP")

    @unittest.skipUnless(sys.platform == "linux", "reads /proc")
    def test_its_descriptors(self):
        t = self.tree_with(log="ls /proc/self/fd | tr '\\n' ' ' >&2\n"
                               "readlink /proc/self/fd/0 /proc/self/fd/3 >&2"
                               "; exec cat >/dev/null")
        rig.eventually(lambda: count(t, "a:log", "lock") == 1, what="a list")
        words = self.words(t, "a:log")
        self.assertEqual(words, ["0 1 2 3 4 " + t.run + "/a/pipe",
                                 t.run + "/a:log/lock"])

    def test_names_that_are_too_long_and_other_mistakes(self):
        for what, told in (
                ({"n" * 45: {"run": "true", "log": "cat"}},
                 "at most 44 bytes are right"),
                ({"a": {"run": "true", "log": "cat", "files": {
                    "log/service.conf": "[sockets]\nlisten = *:1\n"}}},
                 "a/log/service.conf:2: listen: a logger has no sockets"),
                ({"a": {"run": "true", "log": "cat", "files": {
                    "log/service.conf": "[service]\nready = fd:3\n"}}},
                 "a logger's lock; fd:4 is free"),
                ({"a": {"run": "true", "log": "cat", "files": {
                    "log/service.conf": "[service]\ntype = oneshot\n"}}},
                 "a logger is a daemon")):
            with self.subTest(told=told):
                t = self.tree(what, start=False)
                done = t.svctl("check", t.services)
                self.assertEqual(done.returncode, 1)
                self.assertIn(told, done.stdout + done.stderr)



class Templates(Scripted):
    def names(self, tree):
        return [s["name"] for s in tree.status()["services"]]

    def test_instances_by_a_key(self):
        t = self.tree({"w@": "[service]\nexec = sh -c 'echo I am %i of %p, "
                             "%n, 100%%, $INSTANCE; exec sleep 1000'\n"
                             "instances = a b\n[environment]\nX = %i\n"})
        t.wait("w@a", "UP")
        t.wait("w@b", "UP")
        self.assertEqual(self.names(t), ["svlog", "w@a", "w@b"])
        for i in "ab":
            rig.eventually(lambda: self.words(t, f"w@{i}") ==
                           [f"I am {i} of w, w@{i}, 100%, {i}"],
                           what="its word")
        t.call("Stop", {"name": "w@a"})
        t.wait("w@a", "DOWN")
        self.assertEqual(t.service("w@b")["state"], "UP")

    def test_instances_by_links_and_the_argument_of_run(self):
        t = self.tree({"w@": {"run": "echo $# $1 $INSTANCE; "
                                     "exec sleep 1000"}}, start=False)
        for i in ("one", "two"):
            os.symlink("w@", os.path.join(t.services, f"w@{i}"))
        t.start()
        for i in ("one", "two"):
            t.wait(f"w@{i}", "UP")
            rig.eventually(lambda: self.words(t, f"w@{i}") ==
                           [f"1 {i} {i}"], what="its word")

    def test_one_more_instance_does_not_touch_the_others(self):
        conf = "[service]\nexec = sleep 1000\ninstances = %s\n"
        t = self.tree({"w@": conf % "a b"})
        pid = t.wait("w@a", "UP")["pid"]
        t.wait("w@b", "UP")
        t.add("w@", conf % "a c")
        told = t.call("Reload")
        self.assertEqual(told, {"added": ["w@c"], "removed": ["w@b"],
                                "changed": []})
        t.wait("w@c", "UP")
        rig.eventually(lambda: self.names(t) == ["svlog", "w@a", "w@c"],
                       what="the end of w@b")
        now = t.service("w@a")
        self.assertEqual((now["pid"], now["stale"]), (pid, False))

    def test_only_settings_that_changed_make_a_service_stale(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        t.add("a", "# a comment\n" + SLEEPER.replace(" = ", "="))
        self.assertEqual(t.call("Reload")["changed"], [])
        t.add("a", SLEEPER + "[environment]\nX = 1\n")
        self.assertEqual(t.call("Reload")["changed"], ["a"])
        t.add("a", SLEEPER + "[environment]\nX = 2\n")
        self.assertEqual(t.call("Reload")["changed"], ["a"])

    def test_each_has_a_logger_of_its_own(self):
        t = self.tree({"w@": {
            "conf": "[service]\ninstances = a b\n",
            "run": "echo hello from $1; exec sleep 1000",
            "log": "exec cat >>got.$INSTANCE"}})
        for i in "ab":
            path = os.path.join(t.services, "w@", "log", f"got.{i}")
            rig.eventually(lambda: os.path.exists(path) and
                           open(path).read() == f"hello from {i}\n",
                           what="its word")
        self.assertEqual(self.names(t), ["svlog", "w@a", "w@a/log", "w@b",
                                         "w@b/log"])

    def test_a_plain_service_keeps_its_percent_signs(self):
        t = self.tree({"a": "[service]\nexec = sh -c 'echo %i 100%'\n"
                            "type = oneshot\n"})
        rig.eventually(lambda: self.words(t) == ["%i 100%"], what="its word")

    CASES = (
        ({"w@": "[service]\nexec = date +%s\ninstances = a\n"},
         "w@a/service.conf:2: exec: '%s' means nothing; in an instance %i"),
        ({"w@": "[service]\nexec = x\ninstance = a\n"},
         "w@/service.conf:3: unknown key instance; did you mean instances?"),
        ({"w@": "[service]\nexec = true\ninstances = a\n", "w@a": SLEEPER},
         "w@a: is there twice"),
        ({"w@": "[service]\nexec = true\ninstances = a a\n"},
         "w@a: is there twice"),
        ({"w@": "[service]\nexec = true\ninstances = a/b\n"},
         "w@a/b: no name for a service"),
        ({"w": "[service]\nexec = true\ninstances = a\n"},
         "w/service.conf:3: instances: only a template has them"),
        ({"w@": "[service]\nexec = true\nuser = no-%i\ninstances = a\n"},
         "user: no user no-a here"),
    )

    def test_every_mistake_is_told_with_what_is_right(self):
        for services, told in self.CASES:
            with self.subTest(told=told):
                t = self.tree(services, start=False)
                done = t.svctl("check", t.services)
                self.assertEqual(done.returncode, 1,
                                 done.stdout + done.stderr)
                self.assertIn(told, done.stdout + done.stderr)


if __name__ == "__main__":
    rig.main()
