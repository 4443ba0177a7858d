# SPDX-License-Identifier: ISC
"""svctl as runit's sv(8): words, abbreviations, output, exit status. Where
runit is installed, its own sv and runsv are asked the same questions."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import rig

SLEEPER = "exec sleep 1000"


def normal(text):
    """Times and pids are not the same twice."""
    return re.sub(r"\b\d+s\b", "Ns", re.sub(r"\(pid \d+\)", "(pid P)", text))


class Case(rig.Case):
    def sv_tree(self, services):
        t = self.tree({n: what if isinstance(what, dict) else {"run": what}
                       for n, what in services.items()})
        bin_dir = t.path("bin")
        os.mkdir(bin_dir)
        os.symlink(rig.program("svctl"), os.path.join(bin_dir, "sv"))
        t.sv_program = os.path.join(bin_dir, "sv")
        return t

    def sv(self, tree, *args, env=None, cwd=None, by_link=True):
        command = ([tree.sv_program] if by_link else
                   [rig.program("svctl"), "--run", tree.run, "sv"])
        return subprocess.run(
            [*command, *args], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=60, cwd=cwd,
            env={**tree.environment(), "SVTREE_RUN": tree.run, **(env or {})})

    def says(self, tree, args, out, code=0, **more):
        done = self.sv(tree, *args, **more)
        self.assertEqual((normal(done.stdout), done.returncode),
                         (out, code), done.stderr)


class Words(Case):
    def test_status(self):
        t = self.sv_tree({"a": SLEEPER, "b": {"run": SLEEPER, "down": True},
                          "c": {"run": SLEEPER, "log": "exec cat"}})
        t.wait("a", "UP")
        t.wait("c/log", "UP")
        self.says(t, ["status", "a"], "run: a: (pid P) Ns\n")
        self.says(t, ["s", "b"], "down: b: Ns\n")
        self.says(t, ["status", "c"],
                  "run: c: (pid P) Ns; run: log: (pid P) Ns\n")
        self.says(t, ["status", "a", "b"],
                  "run: a: (pid P) Ns\ndown: b: Ns\n", by_link=False)
        self.assertIn(f"(pid {t.service('a')['pid']})",
                      self.sv(t, "stat", "a").stdout)
        self.says(t, ["status", "c/log"], "run: c/log: (pid P) Ns\n")

    def test_words_without_an_effect_to_wait_for_say_nothing(self):
        t = self.sv_tree({"a": SLEEPER})
        t.wait("a", "UP")
        self.says(t, ["down", "a"], "")
        t.wait("a", "DOWN")
        self.says(t, ["status", "a"], "down: a: Ns, normally up\n")
        self.says(t, ["u", "a"], "")
        t.wait("a", "UP")
        self.says(t, ["exit", "a"], "")
        t.wait("a", "DOWN")
        self.says(t, ["once", "a"], "")
        t.wait("a", "UP")
        self.says(t, ["status", "a"], "run: a: (pid P) Ns, want down\n")
        # One that is meant to stay runs on to its end, and no further.
        self.says(t, ["up", "a"], "")
        pid = t.wait("a", "UP")["pid"]
        self.says(t, ["status", "a"], "run: a: (pid P) Ns\n")
        self.says(t, ["-v", "once", "a"],
                  "ok: run: a: (pid P) Ns, want down\n")
        self.assertEqual(t.service("a")["pid"], pid)
        os.kill(pid, signal.SIGKILL)
        t.wait("a", "DOWN")
        self.assertEqual(t.service("a")["want"], "down")

    def test_lsb_words_wait_and_report(self):
        t = self.sv_tree({"a": SLEEPER})
        old = t.wait("a", "UP")["pid"]
        self.says(t, ["start", "a"], "ok: run: a: (pid P) Ns\n")
        self.assertEqual(t.service("a")["pid"], old)
        self.says(t, ["restart", "a"], "ok: run: a: (pid P) Ns\n")
        now = t.service("a")["pid"]
        self.assertNotEqual(now, old)
        self.says(t, ["try-restart", "a"], "ok: run: a: (pid P) Ns\n")
        self.assertNotEqual(t.service("a")["pid"], now)
        self.says(t, ["reload", "a"], "ok: run: a: (pid P) Ns\n")
        self.says(t, ["check", "a"], "ok: run: a: (pid P) Ns\n")
        self.says(t, ["stop", "a"], "ok: down: a: Ns, normally up\n")
        self.says(t, ["try-restart", "a"], "ok: down: a: Ns, normally up\n")
        self.says(t, ["check", "a"], "ok: down: a: Ns, normally up\n")
        self.says(t, ["restart", "a"], "ok: run: a: (pid P) Ns\n")
        self.says(t, ["shutdown", "a"], "ok: down: a: Ns, normally up\n")
        self.says(t, ["-v", "up", "a"], "ok: run: a: (pid P) Ns\n")
        self.says(t, ["-w", "20", "d", "a"], "ok: down: a: Ns, normally up\n")
        for word in ("force-reload", "force-restart"):
            self.sv(t, "start", "a")
            self.says(t, [word, "a"], "ok: run: a: (pid P) Ns\n")
        for word in ("force-stop", "force-shutdown", "D", "X", "E"):
            self.sv(t, "start", "a")
            self.says(t, [word, "a"], "ok: down: a: Ns, normally up\n")

    def test_every_signal_word(self):
        names = ("HUP", "ALRM", "INT", "QUIT", "USR1", "USR2", "TERM")
        words = ("hup", "alarm", "interrupt", "quit", "1", "2", "term")
        t = self.sv_tree({"a": "".join(f"trap 'echo got {n}' {n}\n"
                                       for n in names) +
                          "touch ready; while :; do sleep 0.05; done"})
        t.wait("a", "UP")
        rig.eventually(lambda: os.path.exists(
            os.path.join(t.services, "a", "ready")), what="the traps")
        for name, word in zip(names, words):
            for given in {word, word[0]}:
                before = t.log_text("a").count(f"got {name}\n")
                self.says(t, [given, "a"], "")
                rig.eventually(lambda: t.log_text("a").count(
                    f"got {name}\n") > before, what=f"SIG{name}")
        pid = t.service("a")["pid"]
        self.says(t, ["k", "a"], "")
        t.wait("a", lambda s: s["state"] == "UP" and s["pid"] != pid)

    def test_pause_and_cont(self):
        t = self.sv_tree({"a": SLEEPER})
        t.wait("a", "UP")
        self.says(t, ["pause", "a"], "")
        self.says(t, ["status", "a"], "run: a: (pid P) Ns, paused\n")
        self.says(t, ["-v", "cont", "a"], "ok: run: a: (pid P) Ns\n")
        self.says(t, ["-v", "p", "a"], "ok: run: a: (pid P) Ns, paused\n")

    def test_signals_for_what_does_not_run_are_no_error(self):
        t = self.sv_tree({"a": {"run": SLEEPER, "down": True}})
        for word in "hai12qtkpc":
            self.says(t, [word, "a"], "")

    def test_time_is_up(self):
        t = self.sv_tree({"a": "trap '' TERM; touch ready; "
                               "while :; do sleep 0.05; done"})
        t.wait("a", "UP")
        rig.eventually(lambda: os.path.exists(
            os.path.join(t.services, "a", "ready")), what="the trap")
        self.says(t, ["-w", "1", "stop", "a"],
                  "timeout: run: a: (pid P) Ns, want down, got TERM\n", 1)
        self.says(t, ["start", "a"], "ok: run: a: (pid P) Ns\n", env={
            "SVWAIT": "60"})
        rig.eventually(lambda: os.path.exists(
            os.path.join(t.services, "a", "ready")), what="the trap")
        self.says(t, ["force-stop", "a"],
                  "kill: run: a: (pid P) Ns, want down, got TERM\n", 1,
                  env={"SVWAIT": "1"})
        t.wait("a", "DOWN", timeout=30)

    def test_check_is_run(self):
        t = self.sv_tree({"a": {"run": SLEEPER, "check":
                                "echo not to be seen; pwd >was; "
                                "test -e good"}})
        t.wait("a", "UP")
        self.says(t, ["-w", "1", "check", "a"],
                  "timeout: run: a: (pid P) Ns\n", 1)
        self.says(t, ["-w", "1", "start", "a"],
                  "timeout: run: a: (pid P) Ns\n", 1)
        t.add("a", {"files": {"good": ""}})
        self.says(t, ["check", "a"], "ok: run: a: (pid P) Ns\n")
        self.says(t, ["restart", "a"], "ok: run: a: (pid P) Ns\n")
        with open(os.path.join(t.services, "a", "was")) as f:
            self.assertEqual(f.read().strip(), os.path.join(t.services, "a"))

    def test_a_service_that_will_not_start(self):
        t = self.sv_tree({"a": {"run": "exit 1", "down": True}})
        done = self.sv(t, "-w", "1", "start", "a")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(normal(done.stdout),
                         r"^timeout: down: a: Ns, want up\n$")


class InitScript(Case):
    """/etc/init.d/NAME, a link to sv"""

    def script(self, tree, name, *args):
        path = os.path.join(tree.path("bin"), name)
        if not os.path.islink(path):
            os.symlink("sv", path)
        return subprocess.run(
            [path, *args], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=60,
            env={**tree.environment(), "SVTREE_RUN": tree.run})

    def test_its_name_is_the_service(self):
        t = self.sv_tree({"a": SLEEPER})
        t.wait("a", "UP")
        for args, out, code in (
                (["status"], "run: a: (pid P) Ns\n", 0),
                (["restart"], "ok: run: a: (pid P) Ns\n", 0),
                (["start", "b"], "ok: run: a: (pid P) Ns\n", 0),
                (["-w", "9", "stop"], "ok: down: a: Ns, normally up\n", 0),
                (["status"], "down: a: Ns, normally up\n", 3),
                (["force-stop"], "ok: down: a: Ns, normally up\n", 0)):
            with self.subTest(args=args):
                done = self.script(t, "a", *args)
                self.assertEqual((normal(done.stdout), done.returncode),
                                 (out, code), done.stderr)

    def test_trouble(self):
        t = self.sv_tree({"a": "trap '' TERM; touch ready; "
                               "while :; do sleep 0.05; done"})
        rig.eventually(lambda: os.path.exists(
            os.path.join(t.services, "a", "ready")), what="the trap")
        for args in ([], ["stat"], ["s"], ["foo"], ["-x", "start"]):
            with self.subTest(args=args):
                done = self.script(t, "a", *args)
                self.assertEqual(done.returncode, 2)
                self.assertIn("usage: a [-w sec] command", done.stderr)
        done = self.script(t, "nix", "status")
        self.assertEqual((done.stdout, done.returncode), (
            "fail: nix: unable to change to service directory: "
            "file does not exist\n", 1))
        self.assertEqual(self.script(t, "a", "-w", "1", "stop").returncode,
                         1)


class Names(Case):
    def test_paths_and_svdir(self):
        t = self.sv_tree({"a": {"run": SLEEPER, "log": "exec cat"}})
        t.wait("a/log", "UP")
        here = os.path.join(t.services, "a")
        etc = t.path("etc")
        os.mkdir(etc)
        os.symlink(here, os.path.join(etc, "a"))
        line = "run: {}: (pid P) Ns; run: log: (pid P) Ns\n"
        for args, more in (
                ([here], {}), ([here + "/"], {}), (["./a"], {"cwd": etc}),
                (["a/"], {"cwd": etc}), (["."], {"cwd": here}),
                ([os.path.join(etc, "a")], {}),
                (["a"], {"env": {"SVDIR": t.services}}),
                (["a"], {"env": {"SVDIR": etc + "/"}}),
                (["a"], {"env": {"SVDIR": t.run, "SVTREE_RUN": "/none"}})):
            with self.subTest(args=args, more=more):
                self.says(t, ["status", *args], line.format(args[0]), **more)
        self.says(t, ["status", here + "/log"],
                  f"run: {here}/log: (pid P) Ns\n")

    def test_what_is_not_there(self):
        t = self.sv_tree({"a": SLEEPER})
        t.wait("a", "UP")
        self.says(t, ["status", "nix", "a"],
                  "fail: nix: unable to change to service directory: "
                  "file does not exist\nrun: a: (pid P) Ns\n", 1)
        os.mkdir(os.path.join(t.services, "new"))
        os.makedirs(t.path("other", "a"))
        self.says(t, ["up", "new", "/nix", "a"],
                  "fail: new: runsv not running\n"
                  "fail: /nix: unable to change to service directory: "
                  "file does not exist\n", 2)
        # One of the same name, but another: nothing is done to ours.
        self.says(t, ["down", "a"], "fail: a: runsv not running\n", 1,
                  env={"SVDIR": t.path("other")})
        self.assertEqual(t.service("a")["want"], "up")

    def test_no_supervisor(self):
        t = self.sv_tree({"a": SLEEPER})
        t.stop()
        self.says(t, ["status", "a", "b"], "fail: a: runsv not running\n"
                                           "fail: b: runsv not running\n", 2)
        self.says(t, ["exit", "a"], "ok: a: runsv not running\n")

    def test_used_wrongly(self):
        t = self.sv_tree({"a": SLEEPER})
        for args in ([], ["status"], ["xyzzy"], ["rest", "a"], ["force", "a"],
                     ["-w"], ["-w", "x", "up", "a"], ["-z", "up", "a"]):
            with self.subTest(args=args):
                done = self.sv(t, *args)
                self.assertEqual(done.returncode, 100)
                self.assertIn("usage: sv [-v] [-w sec] command service",
                              done.stderr)

    def test_ninety_nine_is_the_most(self):
        t = self.sv_tree({"a": SLEEPER})
        done = self.sv(t, "status", *[f"n{i}" for i in range(120)])
        self.assertEqual(done.returncode, 99)

    @unittest.skipUnless(os.geteuid() == 0, "needs a second user")
    def test_without_the_right(self):
        t = self.sv_tree({"a": SLEEPER})
        t.wait("a", "UP")
        # A service of the tree may look, and do no more.
        t.add("b", {"conf": "[service]\nuser = nobody\ntype = oneshot\n",
                    "run": f"PATH={t.path('bin')}:{rig.BIN}:$PATH\n"
                           "sv status a; sv down a; echo code $?"})
        t.call("Reload")
        rig.eventually(lambda: "code" in t.log_text("b"), what="its word")
        words = [normal(l.split(" ", 1)[1]) for l in
                 t.log_text("b").splitlines()]
        self.assertEqual(words, [
            "run: a: (pid P) Ns", "warning: a: unable to open "
            "supervise/control: access denied", "code 1"])
        self.assertEqual(t.service("a")["want"], "up")


@unittest.skipUnless(shutil.which("runsv") and shutil.which("sv"),
                     "runit is not installed")
class BesideRunit(Case):
    """The same questions to runit's sv and to ours."""

    STEPS = (
        ("status", "a"), ("s", "a"), ("pause", "a"), ("status", "a"),
        ("-v", "cont", "a"), ("start", "a"), ("check", "a"),
        ("restart", "a"), ("reload", "a"), ("try-restart", "a"),
        ("stop", "a"), ("status", "a"), ("check", "a"), ("-v", "down", "a"),
        ("start", "a"), ("force-restart", "a"), ("force-stop", "a"),
        ("once", "a"), ("status", "a"), ("up", "a"), ("once", "a"),
        ("status", "a"), ("t", "a"), ("status", "a"), ("start", "a"),
        ("status", "nix", "a"),
        ("status", "b"), ("start", "b"), ("status", "b"), ("stop", "b"),
        ("xyzzy", "a"), ("restart",), ("hup", "b"),
    )

    def runit(self):
        base = tempfile.mkdtemp(prefix="sv.", dir="/tmp")
        self.addCleanup(shutil.rmtree, base, True)
        for name in "ab":
            os.mkdir(os.path.join(base, name))
            run = os.path.join(base, name, "run")
            with open(run, "w", encoding="ascii") as f:
                # Not to be killed by a HUP before it has begun.
                f.write("#!/bin/sh\ntrap '' HUP; exec sleep 1000\n")
            os.chmod(run, 0o755)
        open(os.path.join(base, "b", "down"), "w").close()
        for name in "ab":
            p = subprocess.Popen(["runsv", os.path.join(base, name)])
            self.addCleanup(p.wait, 30)
            self.addCleanup(p.send_signal, signal.SIGTERM)
        env = {**os.environ, "SVDIR": base, "SVWAIT": "30"}

        def ask(*args):
            return subprocess.run([shutil.which("sv"), *args], env=env,
                                  capture_output=True, text=True, timeout=60)
        rig.eventually(lambda: ask("status", "a").stdout.startswith("run") and
                       ask("status", "b").stdout.startswith("down"),
                       what="runsv")
        return ask

    def ready(self, ask):
        """What runs by that sv has come to its sleep."""
        for name in "ab":
            def look():
                found = re.search(r"^run: .*?\(pid (\d+)\)",
                                  ask("status", name).stdout)
                if found is None:
                    return True
                return subprocess.run(
                    ["ps", "-o", "comm=", "-p", found[1]], text=True,
                    capture_output=True).stdout.strip() == "sleep"
            rig.eventually(look, timeout=30, what=f"the sleep of {name}")

    def test_the_same_answers(self):
        ask = self.runit()
        run = "trap '' HUP; exec sleep 1000"
        t = self.sv_tree({"a": run, "b": {"run": run, "down": True}})
        t.wait("a", "UP")
        for step in self.STEPS:
            # runit tells by whole seconds whether something is new.
            if "start" in step[0] or "stop" in step[0]:
                rig.eventually(lambda: not re.search(
                    r"[ )][01]s", ask("status", "a", "b").stdout),
                    what="two seconds of rest")
            theirs = ask(*step)
            ours = self.sv(t, *step, env={"SVWAIT": "30"})
            self.assertEqual(
                (normal(ours.stdout), ours.returncode),
                (normal(theirs.stdout), theirs.returncode), step)
            # What has been asked for is there before the next question.
            self.ready(ask)
            self.ready(lambda *args: self.sv(t, *args))
            for name in "ab":
                t.wait(name, lambda s: s["state"] ==
                       ("DOWN" if s["want"] == "down" else "UP"), timeout=30)


if __name__ == "__main__":
    rig.main()
