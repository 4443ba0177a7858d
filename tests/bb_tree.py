# SPDX-License-Identifier: ISC
"""The supervisor at work on real processes: started, killed, adopted,
reloaded, stopped. What is promised is the title of each test."""

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import rig

SLEEPER = "[service]\nexec = sleep 1000\n"


def dead(pid):
    return not rig.alive(pid)


class Life(rig.Case):
    def test_a_service_is_up_with_its_pid(self):
        t = self.tree({"a": SLEEPER})
        sv = t.wait("a", "UP")
        self.assertTrue(rig.alive(sv["pid"]))
        self.assertEqual(sv["want"], "up")
        self.assertEqual(sv["restarts"], 0)

    def test_a_plain_runit_directory_works(self):
        t = self.tree({"a": {
            "run": "echo started; exec sleep 1000",
            "finish": 'echo "finish $1 $2"'}})
        pid = t.wait("a", "UP")["pid"]
        os.kill(pid, signal.SIGKILL)
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)
        rig.eventually(lambda: "finish -1 9" in t.log_text("a"),
                       what="the words of finish")

    def test_a_killed_service_is_started_again_at_once(self):
        t = self.tree({"a": SLEEPER})
        old = t.wait("a", "UP")["pid"]
        os.kill(old, signal.SIGKILL)
        sv = t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != old)
        self.assertEqual(sv["restarts"], 1)
        self.assertEqual(sv["last_exit"]["kind"], "signal")
        self.assertEqual(sv["last_exit"]["signal"], "SIGKILL")

    def test_failures_back_off_and_then_trip(self):
        t = self.tree({"a": "[service]\nexec = false\n"
                       "restart-delay = 10ms\nrestart-limit = 4/1m\n"})
        sv = t.wait("a", "TRIPPED")
        sv = t.service("a")
        self.assertEqual(sv["state"], "TRIPPED")
        self.assertIn("too many failures", sv["reason"])
        self.assertIsNotNone(sv["next_at"])

    def test_a_person_s_start_takes_it_out_of_the_trip(self):
        t = self.tree({"a": {
            "conf": "[service]\nrestart-delay = 10ms\nrestart-limit = 2/1m\n",
            "run": "test -e ok || exit 3\nexec sleep 1000"}})
        t.wait("a", "TRIPPED")
        open(os.path.join(t.services, "a", "ok"), "w").close()
        t.call("Start", {"name": "a"})
        t.wait("a", "UP")

    def test_a_program_that_cannot_run_is_named(self):
        t = self.tree({"a": {"conf": "[service]\nuser = nobody\n"
                                     "exec = /etc/hostname\n"}},
                      start=False)
        t.add("a", "[service]\nrestart-delay = 10ms\n"
                   "restart-limit = 1/1m\n")
        with open(os.path.join(t.services, "a", "run"), "w") as f:
            f.write("#!/no/such/interpreter\n")
        os.chmod(os.path.join(t.services, "a", "run"), 0o755)
        t.start()
        t.wait("a", "TRIPPED")
        self.assertIn("No such file", t.service("a")["reason"])

    def test_stop_reaches_the_whole_group(self):
        t = self.tree({"a": {
            "conf": "[service]\nstop-timeout = 1s\n",
            "run": 'trap "" TERM\nsleep 1001 & echo $! >child\n'
                   "exec sleep 1000"}})
        pid = t.wait("a", "UP")["pid"]
        child_file = os.path.join(t.services, "a", "child")
        child = int(rig.eventually(
            lambda: os.path.exists(child_file) and
            open(child_file).read().strip(), what="child's pid"))
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN", timeout=15)
        self.assertTrue(dead(pid) and dead(child))

    def test_runners_left_by_a_killed_leader_are_gone_before_the_next(self):
        t = self.tree({"a": {
            "run": "sleep 1001 & echo $! >>children\n"
                   "for c in $(cat children); do\n"
                   "[ $c = $! ] || ! kill -0 $c 2>/dev/null ||"
                   " echo overlap $c; done\n"
                   "echo ready $!\nwait"}})
        old = t.wait("a", "UP")["pid"]
        rig.eventually(lambda: "ready" in t.log_text("a"), what="ready")
        os.kill(old, signal.SIGKILL)
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != old)
        rig.eventually(lambda: t.log_text("a").count("ready") == 2,
                       what="second ready")
        self.assertNotIn("overlap", t.log_text("a"))

    def test_a_service_that_ignores_term_is_killed_at_its_deadline(self):
        t = self.tree({"a": {
            "conf": "[service]\nstop-timeout = 400ms\n",
            "run": 'trap "" TERM\nwhile :; do sleep 1; done'}})
        pid = t.wait("a", "UP")["pid"]
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN")
        self.assertTrue(dead(pid))

    def test_a_restart_during_a_stop_ends_up(self):
        t = self.tree({"a": {
            "conf": "[service]\nstop-timeout = 600ms\n",
            "run": 'trap "" TERM\nwhile :; do sleep 0.1; done'}})
        old = t.wait("a", "UP")["pid"]
        t.call("Stop", {"name": "a"})
        t.call("Start", {"name": "a"})
        sv = t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != old)
        self.assertEqual(sv["restarts"], 0)

    def test_an_odd_status_of_finish_holds_the_service(self):
        t = self.tree({"a": {"run": "exit 1", "finish": "exit 125"}})
        t.wait("a", "TRIPPED")
        self.assertIsNone(t.service("a")["next_at"])


class Readiness(rig.Case):
    def test_notify_makes_it_up_and_shows_its_status(self):
        t = self.tree({"a": {
            "conf": "[service]\nready = notify\n",
            "run": f"#!{sys.executable}\n"
                   "import os, socket, time\n"
                   "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                   "s.connect(os.environ['NOTIFY_SOCKET'])\n"
                   "s.send(b'STATUS=loading')\n"
                   "while not os.path.exists('go'): time.sleep(0.01)\n"
                   "s.send(b'READY=1\\nSTATUS=at work')\n"
                   "time.sleep(1000)\n"}})
        t.wait("a", lambda s: s["text"] == "loading")
        self.assertEqual(t.service("a")["state"], "STARTING")
        open(os.path.join(t.services, "a", "go"), "w").close()
        t.wait("a", lambda s: s["state"] == "UP" and s["text"] == "at work")

    def test_a_newline_on_a_descriptor_makes_it_up(self):
        t = self.tree({"a": {
            "conf": "[service]\nready = fd:3\n",
            "run": "while [ ! -e go ]; do sleep 0.01; done\n"
                   "echo >&3; exec 3>&-; exec sleep 1000"}})
        t.wait("a", "STARTING")
        open(os.path.join(t.services, "a", "go"), "w").close()
        t.wait("a", "UP")

    def test_check_makes_it_up(self):
        t = self.tree({"a": {"conf": "[service]\nready = check\n",
                             "run": "exec sleep 1000",
                             "check": "test -e go"}})
        t.wait("a", "STARTING")
        open(os.path.join(t.services, "a", "go"), "w").close()
        t.wait("a", "UP")

    def test_one_that_is_not_ready_in_time_is_stopped_and_counted(self):
        t = self.tree({"a": "[service]\nready = notify\nexec = sleep 1000\n"
                       "start-timeout = 100ms\nrestart-delay = 10ms\n"
                       "restart-limit = 1/1m\n"})
        t.wait("a", "TRIPPED")

    def test_not_ready_in_time_is_a_failure_however_it_then_ends(self):
        t = self.tree({"a": {
            "conf": "[service]\nready = notify\nstart-timeout = 100ms\n"
                    "restart = on-failure\nrestart-delay = 10ms\n"
                    "restart-limit = 1/1m\n",
            "run": 'trap "exit 0" TERM\nwhile :; do sleep 0.02; done'}})
        t.wait("a", "TRIPPED")

    def test_a_dependent_waits_until_its_need_is_ready(self):
        t = self.tree({
            "a": {"conf": "[service]\nready = check\n",
                  "run": "exec sleep 1000", "check": "test -e go"},
            "b": SLEEPER + "needs = a\n"})
        t.wait("b", "WAITING")
        self.assertIn("waits for a", t.service("b")["reason"])
        open(os.path.join(t.services, "a", "go"), "w").close()
        t.wait("b", "UP")

    def test_a_dependent_waits_for_health(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER + "needs = a:healthy\n"})
        t.wait("a", "UP")
        t.wait("b", "WAITING")
        t.call("Report", {"name": "a", "health": "ok"})
        t.wait("b", "UP")


class Companions(rig.Case):
    def test_restart_with_follows_a_restart(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER + "restart-with = a\n"})
        t.wait("a", "UP")
        old = t.wait("b", "UP")["pid"]
        t.call("Restart", {"name": "a"})
        sv = t.wait("b", lambda s: s["state"] == "UP" and s["pid"] != old)
        rig.eventually(lambda: "a was restarted" in t.log_text("svtree"),
                       what="the reason in the history")
        self.assertEqual(sv["restarts"], 0)


class Words(rig.Case):
    def test_a_person_s_stop_outlives_the_supervisor(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER})
        t.wait("a", "UP")
        t.wait("b", "UP")
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN")
        t.kill_supervisor()
        t.start()
        t.wait("b", "UP")
        self.assertEqual(t.service("a")["state"], "DOWN")
        self.assertEqual(t.service("a")["want"], "down")

    def test_a_tree_that_was_shut_down_comes_back_as_it_was_wanted(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER,
                       "c": SLEEPER + "restart = on-failure\nneeds = a\n"})
        for name in "abc":
            t.wait(name, "UP")
        t.call("Stop", {"name": "b"})
        t.wait("b", "DOWN")
        self.assertEqual(t.stop(), 0)
        t.start()
        t.wait("a", "UP")
        self.assertEqual(t.wait("c", "UP")["restarts"], 0)
        self.assertEqual(t.service("b")["state"], "DOWN")
        self.assertEqual(t.service("b")["want"], "down")

    def test_a_disabled_service_stays_down_through_everything(self):
        t = self.tree({"mlx": SLEEPER, "b": SLEEPER})
        t.wait("mlx", "UP")
        t.call("Disable", {"name": "mlx"})
        t.wait("mlx", "DOWN")
        t.call("Reload")
        t.kill_supervisor()
        t.start()
        t.wait("b", "UP")
        self.assertEqual(t.service("mlx")["state"], "DOWN")
        self.assertFalse(t.service("mlx")["enabled"])
        self.assertEqual(t.stop(), 0)
        os.unlink(os.path.join(t.run, "table"))     # as after a reboot
        t.start()
        t.wait("b", "UP")
        self.assertEqual(t.service("mlx")["state"], "DOWN")
        t.call("Enable", {"name": "mlx"})
        t.wait("mlx", "UP")

    def test_once_runs_one_time_and_a_oneshot_may_be_asked_again(self):
        t = self.tree({"job": {
            "conf": "[service]\ntype = oneshot\n", "run": "echo ran",
            "down": True}})
        self.assertEqual(t.service("job")["state"], "DOWN")
        for n in (1, 2):
            self.assertTrue(t.call("Once", {"name": "job"})["started"])
            rig.eventually(lambda n=n: t.log_text("job").count("ran") == n,
                           what="its line")
            t.wait("job", "DOWN")

    def test_a_timer_runs_its_oneshot(self):
        t = self.tree({"job": {
            "conf": "[service]\ntype = oneshot\nevery = 100ms\n",
            "run": "echo ran"}})
        rig.eventually(lambda: t.log_text("job").count("ran") >= 3,
                       what="three runs")


class Adoption(rig.Case):
    def test_twenty_services_survive_the_kill_of_their_supervisor(self):
        """kill -9 of the supervisor: 20 services keep their pids, a new one
        adopts them, counters stand, no log line is missing"""
        script = ("i=0; while :; do i=$((i+1)); echo line $i; "
                  "sleep 0.005; done")
        t = self.tree({f"s{n:02}": {"run": script} for n in range(20)})
        names = [f"s{n:02}" for n in range(20)]
        before = {n: t.wait(n, "UP")["pid"] for n in names}
        os.kill(before["s00"], signal.SIGKILL)
        before["s00"] = t.wait("s00", lambda s: s["state"] == "UP" and
                               s["pid"] != before["s00"])["pid"]
        t.kill_supervisor()
        for pid in before.values():
            self.assertTrue(rig.alive(pid))
        t.start()
        for n in names:
            sv = t.service(n)
            self.assertEqual(sv["pid"], before[n])
            self.assertEqual(sv["state"], "UP")
            self.assertTrue(sv["adopted"])
            self.assertEqual(sv["restarts"], 1 if n == "s00" else 0)
        for n in names:
            os.kill(before[n], signal.SIGKILL)
        for n in names:
            t.wait(n, lambda s, n=n: s["state"] == "UP" and
                   s["pid"] not in (None, before[n]))
        for n in names:
            lines = [int(x.split()[-1]) for x in
                     t.log_text(n).splitlines() if " line " in x]
            runs = []
            for x in lines:
                if x == 1:
                    runs.append(0)
                runs[-1] += 1
                self.assertEqual(runs[-1], x, f"{n}: a line is missing")

    def test_what_died_meanwhile_is_started_again(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        t.kill_supervisor()
        os.kill(pid, signal.SIGKILL)
        rig.eventually(lambda: dead(pid), what="its death")
        t.start()
        sv = t.wait("a", "UP")
        self.assertNotEqual(sv["pid"], pid)

    def test_a_lost_record_does_not_start_a_second_one(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        t.kill_supervisor()
        os.unlink(os.path.join(t.run, "table"))
        t.start()
        sv = t.wait("a", "UP")
        self.assertEqual(sv["pid"], pid)

    def test_a_back_off_goes_on_where_it_was(self):
        t = self.tree({"a": "[service]\nexec = false\n"
                       "restart-delay = 30s\n"})
        sv = t.wait("a", "BACKOFF")
        t.kill_supervisor()
        t.start()
        now = t.service("a")
        self.assertEqual(now["state"], "BACKOFF")
        self.assertEqual(now["next_at"][:16], sv["next_at"][:16])

    def test_an_adopted_service_can_be_stopped(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        t.kill_supervisor()
        t.start()
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN")
        self.assertTrue(dead(pid))

    def test_what_was_known_of_a_service_is_known_to_the_next(self):
        """health, its evidence, the status text, a pause, a trip with the
        time of its next try"""
        t = self.tree({"a": SLEEPER, "paused": SLEEPER,
                       "gone": "[service]\nexec = false\n"
                               "restart-limit = 1/1h\n",
                       "held": "[service]\nexec = sh -c 'exit 3'\n"
                               "no-restart-codes = 3\n"})
        for name in ("a", "paused"):
            t.wait(name, "UP")
        t.call("Report", {"name": "a", "health": "failing",
                          "reason": "no answer", "text": "thinks"})
        t.call("Signal", {"name": "paused", "signal": "STOP"})
        keys = ("state", "want", "health", "health_text", "text", "paused",
                "restarts", "pid", "reason", "last_exit")
        before = {"a": t.service("a"), "paused": t.service("paused"),
                  "gone": t.wait("gone", "TRIPPED"),
                  "held": t.wait("held", "TRIPPED")}
        self.assertEqual(before["a"]["text"], "thinks")
        self.assertTrue(before["paused"]["paused"])
        self.assertIsNone(before["held"]["next_at"])
        t.kill_supervisor()
        t.start()
        for name, was in before.items():
            now = t.service(name)
            self.assertEqual({k: now[k] for k in keys},
                             {k: was[k] for k in keys}, name)
            self.assertEqual((now["next_at"] or "")[:16],
                             (was["next_at"] or "")[:16], name)

    def test_last_words_of_a_removed_service_wait_for_a_logger(self):
        t = self.tree({"a": {"run": "trap 'echo last words; exit 0' TERM\n"
                             "echo ready; while :; do sleep 0.05; done"}})
        rig.eventually(lambda: "ready" in t.log_text("a"), what="its trap")
        t.wait("svlog", "UP")
        self.assertEqual(t.svctl("stop", "svlog").returncode, 0)
        t.remove("a")
        self.assertEqual(t.svctl("reload").returncode, 0)
        rig.eventually(lambda: all(s["name"] != "a" for s in
                                   t.status()["services"]),
                       what="its end")
        self.assertEqual(t.svctl("start", "svlog").returncode, 0)
        rig.eventually(lambda: "last words" in t.log_text("a"),
                       what="its last words in the log")

    def test_a_directory_of_definitions_that_vanishes_stops_nobody(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER})
        pids = {n: t.wait(n, "UP")["pid"] for n in ("a", "b")}
        os.rename(t.services, t.services + ".away")
        done = t.svctl("reload")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot be read", done.stderr)
        self.assertEqual({n: t.service(n)["pid"] for n in pids}, pids)
        os.kill(pids["a"], signal.SIGKILL)
        sv = t.wait("a", "BACKOFF")
        self.assertIn(f"cannot go to {t.services}/a", sv["reason"])
        os.rename(t.services + ".away", t.services)
        self.assertEqual(t.svctl("start", "a").returncode, 0)
        self.assertEqual(t.svctl("reload").returncode, 0)
        self.assertEqual(t.service("b")["pid"], pids["b"])

    def ends_adopted(self, t):
        """last_exit of a run that another supervisor had started, and whom
        somebody else waits for: process 1 at a customer's, here we do."""
        pid = t.wait("a", "UP")["pid"]
        t.kill_supervisor()
        t.start()
        reaper = threading.Thread(target=os.waitpid, args=(pid, 0))
        reaper.start()
        os.kill(pid, signal.SIGUSR1)
        reaper.join()
        return t.wait("a", lambda s: s["state"] == "UP" and
                      s["pid"] != pid)["last_exit"]

    @unittest.skipUnless(sys.platform.startswith("linux"), "prctl is Linux's")
    def test_the_kernel_tells_how_an_adopted_service_ended(self):
        """Linux from 6.15, when the end is waited for at once; else it is
        shown as unknown"""
        libc = ctypes.CDLL(None)
        libc.prctl(36, 1, 0, 0, 0)      # PR_SET_CHILD_SUBREAPER
        self.addCleanup(libc.prctl, 36, 0, 0, 0, 0)
        t = self.tree({"a": {
            "conf": "[service]\nready = fd:3\n",
            "run": "trap 'exit 7' USR1\necho >&3\nexec 3>&-\n"
                   "while :; do sleep 0.02; done"}})
        release = [int(x) for x in
                   re.findall(r"\d+", os.uname().release)[:2]]
        for _ in range(20):
            ended = self.ends_adopted(t)
            if ended["kind"] != "unknown":
                break
            self.assertEqual((ended["code"], ended["signal"]), (None, None))
        if release < [6, 15]:
            self.assertEqual(ended["kind"], "unknown")
        else:
            self.assertEqual((ended["kind"], ended["code"]), ("exit", 7))


class Shutdown(rig.Case):
    def test_all_is_stopped_in_reverse_order_and_it_exits_0(self):
        t = self.tree({"a": {"run": 'trap "echo bye >>../../order; exit" TERM'
                                    "\necho set; while :; do sleep 0.02; done"},
                       "b": {"conf": "[service]\nneeds = a\n",
                             "run": 'trap "echo bye-b >>../../order; exit"'
                                    " TERM\necho set; while :; do sleep 0.02; "
                                    "done"}})
        for name in ("a", "b"):     # the trap is there only then
            rig.eventually(lambda n=name: "set" in t.log_text(n),
                           what="its trap")
        self.assertEqual(t.stop(), 0)
        with open(t.path("order")) as f:
            self.assertEqual(f.read(), "bye-b\nbye\n")
        self.assertEqual(t.processes(), [])

    def test_the_last_words_are_kept_though_the_logger_has_crashed(self):
        t = self.tree({"a": {"run": 'trap "echo last words; exit" TERM\n'
                             "echo set; while :; do sleep 0.02; done"}})
        rig.eventually(lambda: "set" in t.log_text("a"), what="its trap")
        for _ in range(3):
            sv = t.wait("svlog", ("UP", "BACKOFF"))
            if sv["state"] == "UP":
                os.kill(sv["pid"], signal.SIGKILL)
                t.wait("svlog", lambda s, old=sv["pid"]: s["pid"] != old)
        self.assertEqual(t.stop(), 0)
        self.assertIn("last words", t.log_text("a"))

    def test_shutdown_can_be_asked_for(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        t.call("Shutdown")
        self.assertEqual(t.process.wait(10), 0)


class Reload(rig.Case):
    def test_new_services_start_and_vanished_ones_stop(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        old = t.wait("b", "UP")["pid"]
        t.add("c", SLEEPER)
        t.remove("b")
        said = t.call("Reload")
        self.assertEqual((said["added"], said["removed"]), (["c"], ["b"]))
        t.wait("c", "UP")
        rig.eventually(lambda: dead(old), what="b's end")
        self.assertEqual(t.service("a")["pid"], pid)

    def test_an_error_changes_nothing_and_is_named_by_file_and_line(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        t.add("b", "[service]\nexec = sleep 1\nrestrat-delay = 3\n")
        with self.assertRaises(rig.CallError) as caught:
            t.call("Reload")
        self.assertEqual(caught.exception.name, "org.svtree.InvalidTree")
        errors = caught.exception.parameters["errors"]
        self.assertIn("b/service.conf:3:", errors[0])
        self.assertIn("restart-delay", errors[0])
        self.assertEqual(t.service("a")["pid"], pid)


class Told(rig.Case):
    """What the status says beside the states."""

    def test_a_changed_definition_is_stale_until_the_restart(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        self.assertFalse(t.service("a")["stale"])
        loaded = t.call("Status")["supervisor"]["loaded"]
        t.add("a", "[service]\nexec = sleep 1001\n")
        t.call("Reload")
        self.assertTrue(t.service("a")["stale"])
        self.assertGreater(t.call("Status")["supervisor"]["loaded"], loaded)
        t.call("Restart", {"name": "a"})
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)
        self.assertFalse(t.service("a")["stale"])

    def test_health_is_that_of_the_run(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        t.call("Report", {"name": "a", "health": "ok", "reason": "fine"})
        self.assertEqual(t.service("a")["health"], "ok")
        t.call("Stop", {"name": "a"})
        sv = t.wait("a", "DOWN")
        self.assertEqual((sv["health"], sv["health_text"]),
                         ("unknown", None))

    def test_a_run_tells_of_its_own_end_by_the_kernel(self):
        says = ("import json, os, socket\n"
                "s = socket.socket(socket.AF_UNIX)\n"
                "s.connect(os.environ['SVTREE_RUN'] + '/control')\n"
                "s.sendall(json.dumps({'method': 'org.svtree.Report',\n"
                "    'parameters': {'name': 'a', 'oom': True,\n"
                "    'ending': True, 'reason': 'killed for memory'}})"
                ".encode() + b'\\0')\n"
                "s.recv(1000)\n")
        t = self.tree({"a": {
            "conf": "[service]\nrestart = never\ngrants = Report\n",
            "run": f"[ -e told ] || {sys.executable} says\n"
                   "touch told\nexit 137\n",
            "files": {"says": says}}})
        sv = t.wait("a", "TRIPPED")
        self.assertTrue(sv["last_exit"]["oom"])
        self.assertEqual(sv["last_exit"]["code"], 137)
        self.assertIn("killed for memory", sv["reason"])
        # The next end is one of its own.
        t.call("Start", {"name": "a"})
        sv = t.wait("a", lambda s: s["state"] == "TRIPPED" and
                    not s["last_exit"]["oom"])
        self.assertIn("exited with code 137", sv["reason"])

    def test_nobody_else_tells_how_a_run_will_end(self):
        t = self.tree({"a": SLEEPER + "restart = never\n"})
        pid = t.wait("a", "UP")["pid"]
        t.call("Report", {"name": "a", "oom": True, "ending": True,
                          "reason": "killed for memory"})
        os.kill(pid, signal.SIGKILL)
        sv = t.wait("a", "TRIPPED")
        self.assertFalse(sv["last_exit"]["oom"])
        self.assertIn("killed by SIGKILL", sv["reason"])

    def test_ports_and_the_next_run_of_a_timer_are_told(self):
        t = self.tree({
            "a": SLEEPER + "[port]\nnumber = 7001\n",
            "b": SLEEPER + "[health]\ntype = http\n"
                           "url = http://127.0.0.1:7002\n",
            "c": SLEEPER,
            "job": "[service]\ntype = oneshot\nevery = 1h\n"
                   "exec = true\n"})
        self.assertEqual(t.service("a")["port"], 7001)
        self.assertEqual(t.service("b")["port"], 7002)
        self.assertIsNone(t.service("c")["port"])
        t.wait("job", lambda s: s["next_at"])

    def test_a_long_list_is_whole(self):
        """the status of more services than the buffer holds is valid JSON"""
        names = [f"service-with-a-rather-long-name-number-{n:03}"
                 for n in range(150)]
        t = self.tree({n: {"conf": SLEEPER, "down": True} for n in names},
                      start=False)
        t.start(timeout=30)
        for _ in range(20):
            told = [s["name"] for s in t.call("Status")["services"]]
            self.assertEqual(told, [*names, "svlog"])

    def test_the_directories_are_told(self):
        t = self.tree({"a": SLEEPER})
        told = t.call("Status")["supervisor"]
        self.assertEqual((told["services"], told["state"], told["log"]),
                         (t.services, t.state, t.log))


class Refusals(rig.Case):
    def refused(self, services, *words):
        t = self.tree(services, start=False)
        p = t.spawn()
        self.assertEqual(p.wait(10), 100)
        for word in words:
            self.assertIn(word, t.said())

    def test_an_unknown_key(self):
        self.refused({"a": "[service]\nexec = sleep 1\nfoo = 1\n"},
                     "a/service.conf:3:", "foo")

    def test_a_bad_value(self):
        self.refused({"a": "[service]\nexec = sleep 1\n"
                      "stop-timeout = soon\n"}, "a/service.conf:3:", "soon")

    def test_a_missing_program(self):
        self.refused({"a": "[service]\nexec = no-such-program\n"},
                     "a/service.conf:2:", "no-such-program")

    def test_an_unknown_user(self):
        self.refused({"a": "[service]\nexec = sleep 1\nuser = nosuch\n"},
                     "a/service.conf:3:", "nosuch")

    def test_a_cycle_is_named(self):
        self.refused({"a": SLEEPER + "needs = b\n",
                      "b": SLEEPER + "needs = a\n"}, "a -> b -> a")

    def test_a_directory_that_is_no_service(self):
        self.refused({"a": {"files": {"readme": "x"}}}, "a: ", "run")

    def test_two_trees_on_one_run_directory(self):
        t = self.tree({"a": SLEEPER})
        second = subprocess.run(t.command(), capture_output=True, text=True,
                                env=t.environment(), timeout=10, check=False)
        self.assertEqual(second.returncode, 100)
        self.assertIn(f"pid {t.process.pid}", second.stderr)
        self.assertEqual(t.wait("a", "UP")["state"], "UP")

    def test_broken_requests_are_answered_and_cost_nothing(self):
        t = self.tree({"a": SLEEPER})
        for octets in (b"{\0", b"[]\0", b'{"method":3}\0', b"\xff\xfe\0",
                       b'{"method":"org.svtree.Nope"}\0',
                       b'{"method":"org.svtree.Start"}\0',
                       b'{"method":"org.svtree.Start",'
                       b'"parameters":{"name":7}}\0', b"x" * 200000 + b"\0"):
            with rig.Varlink(t.socket) as v:
                try:
                    v.send_raw(octets)
                    reply = v.receive()
                except (BrokenPipeError, ConnectionResetError):
                    reply = None
                self.assertTrue(reply is None or "error" in reply, reply)
        self.assertEqual(t.wait("a", "UP")["state"], "UP")


class Users(rig.Case):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")

    def test_a_service_runs_as_its_user_with_its_environment(self):
        t = self.tree({"a": {
            "conf": "[service]\nuser = nobody\n[environment]\nX = y z\n",
            "run": "echo $(id -un) $HOME $USER $X; exec sleep 1000"}})
        home = __import__("pwd").getpwnam("nobody").pw_dir
        rig.eventually(
            lambda: f"nobody {home} nobody y z" in t.log_text("a"),
            what="its words")

    def test_a_directory_of_the_path_may_be_closed_to_its_user(self):
        locked = tempfile.mkdtemp(prefix="locked.", dir="/tmp")
        self.addCleanup(os.rmdir, locked)
        os.chmod(locked, 0o700)
        t = self.tree({"a": SLEEPER + "user = nobody\n"}, env={
            "SVTREE_PATH": locked + ":" + rig.SYSTEM_PATH + ":" + rig.BIN})
        t.wait("a", "UP")
        self.assertEqual(t.service("a")["restarts"], 0)

    def test_owner_of_names_the_user(self):
        t = self.tree({"a": {"run": "id -un; exec sleep 1000"}},
                      start=False)
        store = t.path("models")
        os.mkdir(store)
        os.chown(store, 65534, -1)
        t.add("a", f"[service]\nuser = owner-of:{store}\n")
        t.start()
        rig.eventually(lambda: "nobody" in t.log_text("a"), what="its user")

    def test_nothing_of_the_supervisor_s_environment_leaks(self):
        t = self.tree({"a": {"run": "env; exec sleep 1000"}},
                      env={"OLLAMA_KEEP_ALIVE": "-1", "LD_PRELOAD": ""})
        rig.eventually(lambda: "SVTREE_SERVICE=a" in t.log_text("a"),
                       what="its environment")
        self.assertNotIn("OLLAMA_KEEP_ALIVE", t.log_text("a"))

    def test_a_program_found_by_path_gets_the_whole_path(self):
        t = self.tree({"a": "[service]\n"
                            "exec = sh -c 'echo p=$PATH; exec sleep 1000'\n"})
        rig.eventually(
            lambda: f"p={rig.BIN}:{rig.SYSTEM_PATH}\n" in t.log_text("a"),
            what="its PATH")

    def test_a_stranger_may_look_but_not_touch(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        script = ("import socket,sys,json\n"
                  "s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1])\n"
                  "s.sendall(json.dumps({'method':'org.svtree.Stop',"
                  "'parameters':{'name':'a'}}).encode()+b'\\0')\n"
                  "print(s.recv(4096).decode())")
        out = subprocess.run(
            ["setpriv", "--reuid=65534", "--clear-groups", "--regid=65534",
             "python3", "-c", script, t.socket],
            capture_output=True, text=True, timeout=10, check=False).stdout
        self.assertIn("NotPermitted", out)
        self.assertEqual(t.service("a")["state"], "UP")


@unittest.skipUnless(os.geteuid() == 0, "needs root, to be somebody else")
class Rights(rig.Case):
    """What a second user, and a service that runs as one, may ask."""

    ASK = ("import socket,sys,json\n"
           "s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1])\n"
           "s.sendall(json.dumps({'method':'org.svtree.'+sys.argv[2],"
           "'parameters':json.loads(sys.argv[3])}).encode()+b'\\0')\n"
           "r=b''\n"
           "while not r.endswith(b'\\0'): r+=s.recv(4096)\n"
           "print(r[:-1].decode(),flush=True)")

    def ask(self, t, who, method, params):
        out = subprocess.run(
            ["setpriv", *who, "python3", "-c", self.ASK, t.socket, method,
             json.dumps(params)], capture_output=True, text=True, timeout=20,
            check=True).stdout
        return json.loads(out)

    STRANGER = ("--reuid=65534", "--regid=65534", "--clear-groups")
    READER = ("--reuid=65534", "--regid=65534", "--groups=1")

    def test_every_method_is_closed_to_a_stranger(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        for method in ("Status", "Subscribe", "Start", "Stop", "Restart",
                       "Once", "Signal", "Enable", "Disable", "Reload",
                       "Report", "Shutdown", "Upgrade", "Detach"):
            reply = self.ask(t, self.STRANGER, method,
                             {"name": "a", "signal": "KILL"})
            self.assertEqual(reply.get("error"), "org.svtree.NotPermitted",
                             method)
        self.assertEqual(t.service("a")["pid"], pid)

    def test_a_member_of_the_group_may_see_and_no_more(self):
        t = rig.Tree({"a": SLEEPER}, args=["--group", "daemon"])
        self.addCleanup(t.close)
        t.wait("a", "UP")
        reply = self.ask(t, self.READER, "Status", {})
        self.assertIn("services", reply["parameters"])
        self.assertEqual(self.ask(t, self.READER, "Stop", {"name": "a"})
                         ["error"], "org.svtree.NotPermitted")

    def test_a_service_may_do_what_its_grants_say(self):
        run = "\n".join("python3 ./ask.py $SVTREE_RUN/control " + x for x in (
            "Restart '{\"name\":\"a\"}'", "Stop '{\"name\":\"a\"}'",
            "Status '{}' | cut -c 1-15",
            "Report '{\"name\":\"granted\",\"text\":\"mine\"}'",
            "Report '{\"name\":\"a\",\"text\":\"not mine\"}'",
        )) + "\nexec sleep 1000\n"
        t = self.tree({"a": SLEEPER, "granted": {
            "conf": "[service]\nuser = nobody\ngrants = Restart\n",
            "files": {"ask.py": self.ASK}, "run": run}})
        rig.eventually(lambda: t.log_text("granted").count("\n") >= 5,
                       what="its five answers", timeout=30)
        said = [x.split(" ", 1)[1] for x in
                t.log_text("granted").splitlines()]
        self.assertEqual(said[0], '{"parameters":{}}')
        self.assertIn("NotPermitted", said[1])
        self.assertEqual(said[2], '{"parameters":{')
        self.assertEqual(said[3], '{"parameters":{}}')
        self.assertIn("NotPermitted", said[4])
        self.assertEqual(t.service("granted")["text"], "mine")


class Introspection(rig.Case):
    def test_the_interface_is_told(self):
        t = self.tree({"a": SLEEPER})
        info = t.call("org.varlink.service.GetInfo")
        self.assertIn("org.svtree", info["interfaces"])
        told = t.call("org.varlink.service.GetInterfaceDescription",
                      {"interface": "org.svtree"})["description"]
        with open(os.path.join(rig.TOP, "src", "org.svtree.varlink"),
                  encoding="utf-8") as f:
            self.assertEqual(told.strip(), f.read().strip())


if __name__ == "__main__":
    rig.main()
