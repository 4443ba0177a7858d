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
            self.assertEqual(event["reason"], "on-crash killed by SIGKILL")

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


if __name__ == "__main__":
    rig.main()
