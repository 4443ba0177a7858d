# SPDX-License-Identifier: ISC
"""What the supervisor does against faults beside the death of a service:
watchdogs, budgets, a run directory under attack, a definition in error."""

import os
import shutil
import signal
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bb_faults  # noqa: E402
import rig  # noqa: E402

SLEEPER = "[service]\nexec = sleep 1000\n"

# Says the words of its arguments, one datagram each, then sleeps.
SAYS = """import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for word in sys.argv[1:]:
    s.sendto(word.encode(), os.environ["NOTIFY_SOCKET"])
time.sleep(1000)
"""


def says(conf, *words):
    return {"conf": "[service]\n" + conf, "files": {"says.py": SAYS},
            "run": "exec python3 ./says.py " + " ".join(words)}


class Notify(rig.Case):
    def test_a_watchdog_that_is_not_fed_is_a_failure(self):
        t = self.tree({"a": says("ready = notify\nwatchdog = 300ms\n"
                                 "restart-limit = 2/1h\n", "READY=1")})
        t.wait("a", lambda s: s["restarts"] >= 1)
        sv = t.wait("a", "TRIPPED", timeout=30)
        self.assertIn("WATCHDOG", sv["reason"])

    def test_a_watchdog_that_is_fed_stays_quiet(self):
        t = self.tree({"a": {
            "conf": "[service]\nready = notify\nwatchdog = 2s\n",
            "files": {"feeds.py": SAYS.replace(
                "time.sleep(1000)",
                "for i in range(40):\n"
                "    s.sendto(b'WATCHDOG=1', os.environ['NOTIFY_SOCKET'])\n"
                "    time.sleep(0.1)\n"
                "s.sendto(b'STATUS=fed', os.environ['NOTIFY_SOCKET'])\n"
                "time.sleep(1000)")},
            "run": "exec python3 ./feeds.py READY=1"}})
        sv = t.wait("a", lambda s: s["text"] == "fed")
        self.assertEqual(sv["restarts"], 0)

    def test_trigger_restarts_at_once(self):
        t = self.tree({"a": says("ready = notify\nwatchdog = 1h\n"
                                 "restart-limit = 1/1h\n", "READY=1",
                                 "WATCHDOG=trigger")})
        sv = t.wait("a", "TRIPPED", timeout=30)
        self.assertIn("trigger", sv["reason"])

    def test_a_foreign_main_pid_is_refused_with_a_reason(self):
        t = self.tree(start=False)
        t.add("a", says("ready = notify\n", "MAINPID=1", "READY=1"))
        t.start()
        t.wait("a", "UP")
        rig.eventually(lambda: "MAINPID is refused" in t.said(),
                       what="the refusal")

    def test_a_long_start_may_ask_for_time(self):
        t = self.tree({"a": {
            "conf": "[service]\nready = notify\nstart-timeout = 1s\n",
            "files": {"slow.py": SAYS.replace(
                "time.sleep(1000)",
                "time.sleep(2)\n"
                "s.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])\n"
                "time.sleep(1000)")},
            "run": "exec python3 ./slow.py EXTEND_TIMEOUT_USEC=60000000"}})
        sv = t.wait("a", "UP", timeout=30)
        self.assertEqual(sv["restarts"], 0)

    def test_its_own_words_are_the_text(self):
        t = self.tree({"a": says("ready = notify\n", "READY=1",
                                 "RELOADING=1")})
        t.wait("a", lambda s: s["text"] == "reloading")


class Budget(rig.Case):
    def test_restarts_by_a_program_of_the_tree_are_paid_by_the_limit(self):
        t = self.tree({
            "a": SLEEPER + "restart-limit = 2/1h\n",
            "monitor": {"conf": "[service]\ngrants = Restart\n",
                        "run": "while read -r _; do "
                               + rig.program("svctl") +
                               " --no-wait restart a; done <./orders\n",
                        "files": {"orders": ""}}}, start=False)
        os.unlink(os.path.join(t.services, "monitor", "orders"))
        os.mkfifo(os.path.join(t.services, "monitor", "orders"))
        t.start()
        pid = t.wait("a", "UP")["pid"]
        with open(os.path.join(t.services, "monitor", "orders"), "w",
                  buffering=1) as orders:
            for n in (1, 2):
                orders.write("now\n")
                pid = t.wait("a", lambda s: s["state"] == "UP" and
                             s["pid"] != pid)["pid"]
                self.assertEqual(t.service("a")["restarts"], n)
            orders.write("now\n")
            sv = t.wait("a", "TRIPPED")
        self.assertIn("too many", sv["reason"])
        # A person's word takes it out of that.
        self.assertEqual(t.svctl("restart", "a").returncode, 0)
        self.assertEqual(t.service("a")["state"], "UP")

    def test_a_person_s_restarts_are_not_counted(self):
        t = self.tree({"a": SLEEPER + "restart-limit = 2/1h\n"})
        for _ in range(5):
            self.assertEqual(t.svctl("restart", "a").returncode, 0)
        self.assertEqual(t.service("a")["restarts"], 0)


class Attack(rig.Case):
    def test_a_removed_socket_is_made_anew(self):
        t = self.tree({"a": SLEEPER})
        pid = t.wait("a", "UP")["pid"]
        os.unlink(t.socket)
        rig.eventually(lambda: os.path.exists(t.socket), what="the socket")
        self.assertEqual(t.service("a")["pid"], pid)
        self.assertIn("made anew", t.said())

    def test_a_removed_run_directory_is_made_anew_and_adopted_from(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER})
        pids = {n: t.wait(n, "UP")["pid"] for n in ("a", "b")}
        shutil.rmtree(t.run)
        rig.eventually(lambda: os.path.exists(t.socket), what="the socket")
        for n, pid in pids.items():
            self.assertEqual(t.service(n)["pid"], pid)
        second = t.spawn()
        self.assertEqual(second.wait(10), 100)
        t.kill_supervisor()
        t.start()
        for n, pid in pids.items():
            self.assertEqual(t.wait(n, "UP")["pid"], pid)


    def test_a_writer_goes_on_when_its_fifo_lost_its_name(self):
        t = self.tree({"w": {"run": "i=0; while :; do i=$((i+1)); "
                                    "echo line $i; done"}})

        def last():
            text = t.log_text("w").rpartition("\n")[0]     # whole lines
            return int(text.rsplit(" ", 1)[1]) if text else 0

        rig.eventually(lambda: last() > 100, what="its first lines")
        shutil.rmtree(t.run)
        rig.eventually(lambda: os.path.exists(t.socket), what="the socket")
        then = last()
        rig.eventually(lambda: last() > then + 20000, 60,
                       "more than a FIFO holds")
        self.assertTrue(t.service("w")["stale"])
        t.svctl("stop", "w")
        t.stop()
        base = os.path.join(t.log, "w")
        seen = [int(x.split()[-1]) for f in sorted(os.listdir(base))
                for x in open(os.path.join(base, f), encoding="utf-8")
                if " line " in x]
        self.assertEqual(seen, list(range(1, len(seen) + 1)))


class Finish(rig.Case):
    """finish is never run twice for one death, whatever is killed."""

    RUN = "echo start $$ >>journal\nexec sleep 1000\n"
    # Says what it does; goes on when somebody writes into the FIFO.
    FINISH = "echo finish $1 $2 >>journal\nread -r _ <go\n" \
             "echo finished >>journal\n"

    def stage(self, conf="", finish=FINISH):
        t = self.tree({"a": {"conf": "[service]\n" + conf, "run": self.RUN,
                             "finish": finish}}, start=False)
        self.here = os.path.join(t.services, "a")
        os.mkfifo(os.path.join(self.here, "go"))
        t.start()
        t.wait("a", "UP")
        rig.eventually(lambda: self.journal() == ["start"], what="the start")
        return t

    def journal(self):
        try:
            with open(os.path.join(self.here, "journal"),
                      encoding="utf-8") as f:
                return [x.split()[0] for x in f.read().splitlines()]
        except FileNotFoundError:
            return []

    def go(self):
        with open(os.path.join(self.here, "go"), "w", encoding="ascii") as f:
            f.write("\n")

    def in_finish(self, t):
        os.kill(t.service("a")["pid"], signal.SIGKILL)
        rig.eventually(lambda: self.journal()[-1] == "finish",
                       what="finish")

    def test_it_runs_on_and_is_waited_for_by_the_next_supervisor(self):
        t = self.stage()
        self.in_finish(t)
        for _ in range(3):
            t.kill_supervisor()
            t.start()
            self.assertEqual(t.service("a")["state"], "FINISHING")
        self.assertEqual(self.journal(), ["start", "finish"])
        self.go()
        t.wait("a", "UP", 30)
        rig.eventually(lambda: self.journal() == [
            "start", "finish", "finished", "start"], what="the next start")

    def finish_without_supervisor(self, t):
        self.in_finish(t)
        t.kill_supervisor()
        self.go()
        rig.eventually(lambda: self.journal()[-1] == "finished",
                       what="its end")
        t.start()

    def test_one_that_ended_meanwhile_is_not_run_again(self):
        t = self.stage()
        self.finish_without_supervisor(t)
        t.wait("a", "UP", 30)
        rig.eventually(lambda: self.journal() == [
            "start", "finish", "finished", "start"], what="the next start")

    def test_its_deadline_outlives_the_supervisor(self):
        t = self.stage("stop-timeout = 2s\n",
                       "echo finish >>journal\nsleep 1000\n")
        self.in_finish(t)
        t.kill_supervisor()
        t.start()
        t.wait("a", "UP", 30)
        rig.eventually(lambda: self.journal() == [
            "start", "finish", "start"], what="the next start")

    def test_a_stop_waits_for_it_too(self):
        t = self.stage()
        self.in_finish(t)
        t.kill_supervisor()
        t.start()
        self.assertEqual(t.svctl("--no-wait", "stop", "a").returncode, 0)
        self.assertEqual(t.service("a")["state"], "FINISHING")
        self.go()
        t.wait("a", "DOWN", 30)
        self.assertEqual(self.journal(), ["start", "finish", "finished"])

    HOLD = FINISH + "exit 125\n"

    def held(self, t):
        sv = t.wait("a", "TRIPPED", 30)
        self.assertIn("cannot help", sv["reason"])
        self.assertIsNone(sv["next_at"])
        self.assertEqual(self.journal(), ["start", "finish", "finished"])
        # A person's word is stronger, and the next end is a new one.
        self.assertEqual(t.svctl("start", "a").returncode, 0)
        t.wait("a", "UP", 30)

    def test_its_125_outlives_the_supervisor(self):
        t = self.stage(finish=self.HOLD)
        self.finish_without_supervisor(t)
        self.held(t)

    def test_its_125_is_heard_by_who_adopted_it(self):
        t = self.stage(finish=self.HOLD)
        self.in_finish(t)
        t.kill_supervisor()
        t.start()
        self.assertEqual(t.service("a")["state"], "FINISHING")
        self.go()
        self.held(t)


class Leader(rig.Case):
    """kill = leader: what it leaves behind is let be, and in nobody's way."""

    # Its child keeps all descriptors, the lock of descriptor 0 as well.
    RUN = ("exec 9<&0\nsleep 1000 <&9 9<&- &\necho $! >>left\n"
           "exec 9<&- sleep 1000\n")

    def stage(self):
        t = self.tree({"a": {"conf": "[service]\nkill = leader\n"
                                     "restart = on-failure\n",
                             "run": self.RUN}})
        self.left_file = os.path.join(t.services, "a", "left")
        pid = t.wait("a", "UP")["pid"]
        rig.eventually(lambda: len(self.left()) == 1, what="its child")
        return t, pid

    def left(self):
        try:
            with open(self.left_file, encoding="ascii") as f:
                return [int(x) for x in f.read().split()]
        except FileNotFoundError:
            return []

    def again(self, t, pid):
        new = t.wait("a", lambda s: s["state"] == "UP" and
                     s["pid"] not in (None, pid), 30)["pid"]
        rig.eventually(lambda: len(self.left()) == 2, what="its child")
        self.assertTrue(all(rig.alive(x) for x in self.left()))
        self.assertNotIn("UNKNOWN", t.said())   # its end was seen
        self.assertNotIn(new, self.left())
        # That one has a lock, too: nobody starts a second one beside it.
        t.kill_supervisor()
        os.unlink(os.path.join(t.run, "table"))
        t.start()
        self.assertEqual(t.wait("a", "UP", 30)["pid"], new)

    def test_a_stop_and_a_start(self):
        t, pid = self.stage()
        self.assertEqual(t.svctl("stop", "a").returncode, 0)
        self.assertFalse(rig.alive(pid))
        self.assertTrue(rig.alive(self.left()[0]))
        self.assertEqual(t.svctl("start", "a").returncode, 0)
        self.again(t, pid)

    def test_a_crash(self):
        t, pid = self.stage()
        os.kill(pid, signal.SIGKILL)
        self.again(t, pid)

    def test_a_wrong_record(self):
        """its record names a process that is gone: it is found by its lock,
        and no second one is started"""
        t, pid = self.stage()
        t.kill_supervisor()
        gone = subprocess.Popen(["true"])
        gone.wait()
        bb_faults.patch_records(t, pid, gone.pid)
        t.start()
        self.assertEqual(t.wait("a", "UP", 30)["pid"], pid)
        self.assertEqual(len(self.left()), 1)

    def test_a_lost_record(self):
        """the leader and its record are gone, its child has the lock"""
        t, pid = self.stage()
        t.kill_supervisor()
        os.kill(pid, signal.SIGKILL)
        rig.eventually(lambda: not rig.alive(pid), what="its death")
        os.unlink(os.path.join(t.run, "table"))
        t.start()
        new = t.wait("a", "UP", 30)["pid"]
        rig.eventually(lambda: len(self.left()) == 2, what="its child")
        self.assertTrue(all(rig.alive(x) for x in self.left()))
        self.assertNotIn(new, [pid, *self.left()])


class Forgotten(rig.Case):
    def test_what_lost_record_and_directory_is_still_stopped(self):
        """found by the fuzzer: the record is lost, and the directory goes
        while the holder of the lock is sought; a new supervisor must not
        forget whom it has no pid of"""
        t = self.tree({"a": SLEEPER, "b": SLEEPER})
        pid = t.wait("b", "UP")["pid"]
        t.wait("a", "UP")
        with open(os.path.join(t.dir, "pid.b"), "w", encoding="ascii") as f:
            f.write(str(pid))
        t.kill_supervisor()
        # A record of b in UNKNOWN, without a pid, as a kill in the middle of
        # the search leaves it; its directory is gone.
        state, slot = self.edit_record(t, "b")
        self.assertEqual(state, 3, "UP")
        self.assertGreaterEqual(slot, 0)
        t.remove("b")
        t.start()
        rig.eventually(lambda: not rig.alive(pid), 60, "its end")
        names = [s["name"] for s in t.call("Status")["services"]]
        self.assertNotIn("b", names)
        self.assertEqual(t.wait("a", "UP")["state"], "UP")

    @staticmethod
    def edit_record(t, name):
        """Makes the newest record of name one of state UNKNOWN without a pid
        (src/record.h: crc, seq, name of 56 bytes, want, state, ... pid)."""
        path = os.path.join(t.run, "table")
        with open(path, "r+b") as f:
            octets = bytearray(f.read())
            best, was = None, None
            for at in range(4096, len(octets) - 511, 512):
                seq = int.from_bytes(octets[at + 4:at + 8], sys.byteorder)
                word = bytes(octets[at + 8:at + 64]).split(b"\0")[0]
                if word == name.encode() and (best is None or seq > best[0]):
                    best = (seq, at)
            at = best[1]
            was = octets[at + 65]
            octets[at + 65] = 8                     # ST_UNKNOWN
            size = Forgotten.size_of(octets, at)
            pid_at = Forgotten.find_pid(octets, at, t, name)
            octets[pid_at:pid_at + 4] = bytes(4)
            crc = zlib.crc32(bytes(octets[at + 4:at + size]))
            octets[at:at + 4] = crc.to_bytes(4, sys.byteorder)
            f.seek(at)
            f.write(octets[at:at + 512])
        return was, (at - 4096) // 1024

    @staticmethod
    def size_of(octets, at):
        """The bytes that the checksum covers, found by it."""
        want = int.from_bytes(octets[at:at + 4], sys.byteorder)
        state = octets[at + 65]
        octets[at + 65] = 3
        for size in range(512, 64, -1):
            if zlib.crc32(bytes(octets[at + 4:at + size])) == want:
                break
        octets[at + 65] = state
        return size

    @staticmethod
    def find_pid(octets, at, t, name):
        with open(os.path.join(t.dir, "pid." + name), encoding="ascii") as f:
            pid = int(f.read()).to_bytes(4, sys.byteorder)
        return octets.index(pid, at, at + 512)


class Definitions(rig.Case):
    def test_one_in_error_does_not_hold_up_the_others(self):
        t = self.tree({"bad": SLEEPER + "restrat = never\n", "good": SLEEPER,
                       "after": SLEEPER + "needs = bad\n"})
        t.wait("good", "UP")
        sv = t.service("bad")
        self.assertEqual(sv["state"], "WAITING")
        self.assertTrue(sv["reason"].startswith("service.conf:3:"), sv)
        self.assertIn("waits for bad, which service.conf:3:",
                      t.service("after")["reason"])
        t.add("bad", SLEEPER)
        self.assertEqual(t.svctl("reload").returncode, 0)
        t.wait("bad", "UP")
        t.wait("after", "UP")

    def test_a_supervisor_that_comes_back_to_an_error_adopts_all_the_same(
            self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER})
        pids = {n: t.wait(n, "UP")["pid"] for n in ("a", "b")}
        t.kill_supervisor()
        t.add("a", "[service]\nexec = sleep 1000\nkill = nobody\n")
        t.start()
        for n, pid in pids.items():
            self.assertEqual(t.wait(n, "UP")["pid"], pid)
        os.kill(pids["a"], signal.SIGKILL)
        sv = t.wait("a", "WAITING")
        self.assertIn("service.conf:3:", sv["reason"])

    def test_a_dry_run_tells_and_changes_nothing(self):
        t = self.tree({"a": SLEEPER, "b": SLEEPER, "c": SLEEPER})
        t.wait("a", "UP")
        t.add("a", SLEEPER + "restart-delay = 2s\n")
        t.remove("b")
        t.add("new", SLEEPER)
        done = t.svctl("reload", "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(x.split(": ")[1] for x in
                                done.stdout.splitlines()), ["a", "b", "new"])
        self.assertIn("would start (new): new", done.stdout)
        names = [s["name"] for s in t.call("Status")["services"]]
        self.assertIn("b", names)
        self.assertNotIn("new", names)
        self.assertFalse(t.service("a")["stale"])
        t.add("new", SLEEPER + "nonsense = 1\n")
        done = t.svctl("reload", "--dry-run")
        self.assertEqual(done.returncode, 1)
        self.assertIn("new/service.conf:3:", done.stderr)


class Reasons(rig.Case):
    def test_that_of_a_shutdown_ends_with_it(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        self.assertEqual(t.stop(), 0)
        t.start()
        self.assertIsNone(t.wait("a", "UP")["reason"])


class Needs(rig.Case):
    def test_a_need_that_gave_up_shows_in_every_dependent(self):
        t = self.tree({
            "base": "[service]\nexec = false\nrestart = never\n"
                    "ready = notify\n",
            "mid": SLEEPER + "needs = base\n",
            "top": SLEEPER + "needs = mid\n", "off": {
                "conf": SLEEPER, "down": True},
            "other": SLEEPER + "needs = off\n"})
        t.wait("base", "TRIPPED")
        sv = t.wait("mid", lambda s: "gave up" in (s["reason"] or ""))
        self.assertIn("waits for base, which gave up: exited with code 1",
                      sv["reason"])
        t.wait("top", lambda s: "gave up" in (s["reason"] or ""))
        self.assertEqual(t.service("other")["reason"],
                         "waits for off, which is stopped")


class Nested(rig.Case):
    def test_a_tree_is_a_service_of_a_tree(self):
        t = self.tree(start=False)
        t.add("inner", {"conf": "[service]\nexec = svtree services\n"
                                "stop-timeout = 60s\n",
                        "files": {"services/x/service.conf": SLEEPER}})
        t.start()
        inner = os.path.join(t.run, "inner", "tree", "control")

        def status():
            try:
                with rig.Varlink(inner) as link:
                    return link.call("Status", {"names": ["x"]})["services"][0]
            except OSError:
                return None
        sv = rig.eventually(lambda: (s := status()) and s["state"] == "UP"
                            and s, what="the inner tree")
        table = t.svctl("status").stdout
        self.assertRegex(table, r"(?m)^\W*inner +UP")
        self.assertRegex(table, r"(?m)^\W*inner/x +UP")
        page = t.svctl("status", "inner/x")
        self.assertEqual(page.returncode, 0, page.stderr)
        self.assertIn("sleep", page.stdout)
        self.assertEqual(t.svctl("restart", "inner/x").returncode, 0)
        self.assertNotEqual(status()["pid"], sv["pid"])
        sv = status()
        whole = t.svctl("status", "inner/")
        self.assertRegex(whole.stdout, r"(?m)^\W*x +UP")
        self.assertEqual(t.svctl("restart", "inner/x", "inner").returncode, 2)
        self.assertEqual(t.svctl("status", "inner/y").returncode, 4)
        # The inner supervisor dies: its service runs on and is adopted.
        before = t.service("inner")["pid"]
        os.kill(before, signal.SIGKILL)
        t.wait("inner", lambda s: s["state"] == "UP" and s["pid"] != before)
        again = rig.eventually(lambda: (s := status()) and s["adopted"] and s,
                               what="its adoption")
        self.assertEqual(again["pid"], sv["pid"])
        self.assertEqual(t.stop(60), 0)
        with self.assertRaises(ProcessLookupError):
            os.kill(sv["pid"], 0)


if __name__ == "__main__":
    rig.main()
