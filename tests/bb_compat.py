# SPDX-License-Identifier: ISC
"""What users of runit, s6 and systemd expect of a service, and what is not
about the life of its process alone: timers, hooks, stop commands, templates,
loggers, scripts as distributions ship them."""

import datetime
import os
import shutil
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


if __name__ == "__main__":
    rig.main()
