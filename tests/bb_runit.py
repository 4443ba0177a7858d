# SPDX-License-Identifier: ISC
"""Service directories as distributions ship them for runit, unmodified, with
the programs that they call: chpst, svlogd, getty, sv, invoke-run."""

import os
import pty
import select
import shutil
import subprocess
import sys
import unittest

import rig

# Debian's layout: /etc/sv holds the directories, /etc/service links to them.
WEB_RUN = """#!/bin/sh
exec 2>&1
[ -r conf ] && . ./conf
echo "starting on ${PORT:-80}"
exec chpst -u nobody:nogroup -e ./env -n 5 -o 128 ./server
"""

SERVER = """#!/bin/sh
echo "as $(id -un) $(id -gn), nice $(nice), files $(ulimit -n), MODE $MODE"
trap 'echo "bye"; exit 0' TERM
while :; do sleep 0.1; done
"""

LOG_RUN = """#!/bin/sh
set -e
LOG=./main
test -d "$LOG" || mkdir -p -m 2750 "$LOG"
chown nobody:nogroup "$LOG"
exec chpst -u nobody svlogd -tt "$LOG"
"""

FINISH = """#!/bin/sh
# the arguments of runsv: exit code, signal
echo "finished with $1, $2"
rm -f ./web.pid
"""

CLIENT_RUN = """#!/bin/sh
exec 2>&1
sv start web >/dev/null || exit 1
echo "web is there"
exec sleep 1000
"""

# Void's manner: conf beside it, the tty from conf.
GETTY_RUN = """#!/bin/sh
if [ -x /sbin/getty -o -x /bin/getty ]; then
	GETTY=getty
elif [ -x /sbin/agetty -o -x /bin/agetty ]; then
	GETTY=agetty
fi
[ -r conf ] && . ./conf
exec PREFIX ${GETTY} ${GETTY_ARGS} "${BAUD_RATE}" "${tty}" "${TERM_NAME}"
"""

INVOKE_RUN = """#!/usr/bin/env /lib/runit/invoke-run
exec 2>&1
echo "this is $NAME"
exec sleep 1000
"""

INVOKE_FINISH = """#!/bin/sh
set -e
NAME=${PWD##*/}
. /lib/runit/finish-default "$@"
"""

programs = unittest.skipUnless(
    all(map(shutil.which, ("chpst", "svlogd"))), "runit is not installed")
as_root = unittest.skipUnless(os.geteuid() == 0,
                              "these scripts are for root")


@programs
@as_root
class Runit(rig.Case):
    def distribution(self, **services):
        """etc/sv/NAME with files, and links to them for the tree."""
        t = rig.Tree({}, start=False)
        self.addCleanup(t.close)
        t.bin = t.path("bin")
        os.mkdir(t.bin)
        os.symlink(rig.program("svctl"), os.path.join(t.bin, "sv"))
        # As installed: sv is the first in the PATH of services.
        t.extra_env["SVTREE_PATH"] = (t.bin + ":" + rig.BIN + ":" +
                                      rig.SYSTEM_PATH)
        t.sv_dir = t.path("etc")
        for name, files in services.items():
            name = name.replace("_", "-")
            for path, text in files.items():
                path = os.path.join(t.sv_dir, name, path)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="ascii") as f:
                    f.write(text)
                if text.startswith("#!"):
                    os.chmod(path, 0o755)
            os.symlink(os.path.join(t.sv_dir, name),
                       os.path.join(t.services, name))
        return t

    def web(self):
        return {"run": WEB_RUN, "finish": FINISH, "server": SERVER,
                "conf": "PORT=8080\n", "env/MODE": "test\n",
                "log/run": LOG_RUN}

    def logged(self, tree, name="web"):
        """All that svlogd has written, without the times."""
        main = os.path.join(tree.sv_dir, name, "log", "main")
        lines = []
        try:
            files = sorted(f for f in os.listdir(main) if f.startswith("@"))
            for file in [*files, "current"]:
                with open(os.path.join(main, file), encoding="ascii") as f:
                    lines += f.read().splitlines()
        except FileNotFoundError:
            return []
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.\d+ ")
        return [line.split(" ", 1)[1] for line in lines]

    def sv(self, tree, *args):
        return subprocess.run(
            [os.path.join(tree.bin, "sv"), *args], capture_output=True,
            text=True, timeout=60, stdin=subprocess.DEVNULL,
            env={**tree.environment(), "SVTREE_RUN": tree.run})

    def test_a_daemon_with_svlogd(self):
        t = self.distribution(web=self.web())
        t.start()
        t.wait("web", "UP")
        words = ["starting on 8080",
                 "as nobody nogroup, nice 5, files 128, MODE test"]
        rig.eventually(lambda: self.logged(t) == words, timeout=30,
                       what="its words in svlogd's file")
        done = self.sv(t, "status", "web")
        self.assertRegex(done.stdout, r"^run: web: \(pid \d+\) \d+s; "
                                      r"run: log: \(pid \d+\) \d+s\n$")
        done = self.sv(t, "restart", "web")
        self.assertEqual(done.returncode, 0, done.stdout)
        words += ["bye", "finished with 0, 0"] + words[:2]
        rig.eventually(lambda: self.logged(t) == words, timeout=30,
                       what="the words of both")
        self.assertEqual(t.stop(), 0)
        words += ["bye", "finished with 0, 0"]
        self.assertEqual(self.logged(t), words)

    def test_svlogd_s_signals(self):
        t = self.distribution(web=self.web())
        t.start()
        rig.eventually(lambda: len(self.logged(t)) == 2, timeout=30,
                       what="two lines")
        main = os.path.join(t.sv_dir, "web", "log", "main")
        # ALRM: rotate. HUP: read the configuration again.
        self.sv(t, "alarm", "web/log")
        rig.eventually(lambda: any(f.endswith(".s") for f in
                                   os.listdir(main)), what="a rotated file")
        with open(os.path.join(main, "config"), "w", encoding="ascii") as f:
            f.write("pprefix: \n")
        self.sv(t, "hup", "web/log")
        self.sv(t, "restart", "web/log")
        self.sv(t, "restart", "web")
        rig.eventually(lambda: any("prefix: starting" in line for line in
                                   self.logged(t)), timeout=30,
                       what="the new prefix")

    def test_a_script_that_starts_what_it_needs(self):
        t = self.distribution(web=self.web(), client={
            "run": CLIENT_RUN})
        open(os.path.join(t.sv_dir, "web", "down"), "w").close()
        t.start()
        t.wait("client", "UP")
        t.wait("web", "UP", timeout=30)
        rig.eventually(lambda: "web is there" in t.log_text("client"),
                       timeout=30, what="its word")

    def test_shared_scripts_by_links(self):
        """run and log/run that are links to one script for all"""
        t = self.distribution(web=self.web(), other={"run": ""})
        shutil.rmtree(os.path.join(t.sv_dir, "other"))
        shared = os.path.join(t.sv_dir, "web")
        base = os.path.join(t.sv_dir, "other")
        os.makedirs(os.path.join(base, "log"))
        for rel in ("run", "server", "log/run"):
            os.symlink(os.path.join(shared, rel), os.path.join(base, rel))
        os.mkdir(os.path.join(base, "env"))
        with open(os.path.join(base, "conf"), "w", encoding="ascii") as f:
            f.write("PORT=9090\n")
        t.start()
        t.wait("other", "UP")
        rig.eventually(lambda: self.logged(t, "other")[:1] ==
                       ["starting on 9090"], timeout=30, what="its word")
        rig.eventually(lambda: self.logged(t)[:1] == ["starting on 8080"],
                       timeout=30, what="the other's word")

    @unittest.skipUnless(sys.platform == "linux" and
                         (shutil.which("getty", path="/sbin:/usr/sbin") or
                          shutil.which("agetty", path="/sbin:/usr/sbin")),
                         "no getty here")
    def test_a_getty(self):
        """a getty, by chpst -P and by setsid"""
        for prefix in ("chpst -P", "setsid"):
            with self.subTest(prefix):
                self.getty(GETTY_RUN.replace("PREFIX", prefix))

    def getty(self, run):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        tty = os.ttyname(slave).removeprefix("/dev/")
        t = self.distribution(agetty_tty1={
            "run": run,
            "conf": f"tty={tty}\nBAUD_RATE=38400\nTERM_NAME=linux\n"
                    'GETTY_ARGS="-L -i"\n'})
        t.start()
        pid = t.wait("agetty-tty1", "UP")["pid"]
        seen = b""

        def look():
            nonlocal seen
            if select.select([master], [], [], 0.05)[0]:
                seen += os.read(master, 4096)
            return b"login:" in seen
        rig.eventually(look, timeout=30, what="a prompt")
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        # It leads its session, and the line is its terminal.
        self.assertEqual(int(fields[3]), pid)
        self.assertEqual(int(fields[4]), os.stat(f"/dev/{tty}").st_rdev)
        self.assertEqual(t.service("agetty-tty1")["restarts"], 0)
        done = self.sv(t, "stop", "agetty-tty1")
        self.assertEqual(done.returncode, 0, done.stdout)

    @unittest.skipUnless(os.path.exists("/lib/runit/invoke-run"),
                         "not Debian's runit")
    def test_debian_s_invoke_run(self):
        name = f"svtree-test-{os.getpid()}"
        denied = False
        if os.path.exists("/usr/sbin/policy-rc.d"):
            denied = subprocess.run(["/usr/sbin/policy-rc.d", name, "start"],
                                    check=False).returncode == 101
        t = self.distribution(**{name: {"run": INVOKE_RUN,
                                        "finish": INVOKE_FINISH}})
        t.start()
        if not denied:
            t.wait(name, "UP")
            rig.eventually(lambda: f"this is {name}" in t.log_text(name),
                           timeout=30, what="its word")
            return
        # The host's policy says no, and invoke-run takes it down by sv.
        t.wait(name, lambda s: s["state"] == "DOWN" and
               s["want"] == "down", timeout=30)
        rig.eventually(lambda: "action denied by policy-rc.d" in
                       t.log_text(name), what="the refusal")


class Setsid(rig.Case):
    """the setsid in the PATH of services"""

    def setsid(self, *args, **more):
        return subprocess.run([rig.program("setsid"), *args], text=True,
                              stdin=subprocess.DEVNULL, timeout=60,
                              capture_output=True, **more)

    def test_a_service_by_it_stays_the_same_process(self):
        t = self.tree({"a": {"run": "echo $$ >pid; exec setsid sleep 1000"}})
        t.wait("a", "UP")

        def command():
            return subprocess.run(
                ["ps", "-o", "comm=", "-p", str(t.service("a")["pid"])],
                text=True, capture_output=True).stdout.strip()
        rig.eventually(lambda: command() == "sleep", what="the sleep")
        sv = t.service("a")
        with open(os.path.join(t.services, "a", "pid"),
                  encoding="ascii") as f:
            self.assertEqual(int(f.read()), sv["pid"])
        self.assertEqual(sv["restarts"], 0)
        self.assertEqual(t.svctl("stop", "a").returncode, 0)

    def test_elsewhere_it_makes_a_session(self):
        whose = "import os; print(os.getpid() == os.getsid(0), os.getpid())"
        for more, forks in (({}, False), ({"preexec_fn": os.setpgrp}, True),
                            ({"start_new_session": True}, False)):
            for option in ("-w", "-fw"):
                with self.subTest(more=more, option=option):
                    p = subprocess.Popen(
                        [rig.program("setsid"), option, sys.executable, "-c",
                         whose], text=True, stdout=subprocess.PIPE, **more)
                    leads, pid = p.communicate(timeout=60)[0].split()
                    self.assertEqual(leads, "True")
                    self.assertEqual(int(pid) != p.pid,
                                     forks or option == "-fw")

    def test_it_ends_as_the_program_does(self):
        self.assertEqual(self.setsid("sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.setsid("-fw", "sh", "-c",
                                     "exit 7").returncode, 7)
        self.assertEqual(self.setsid("-fw", "sh", "-c",
                                     "kill -9 $$").returncode, 137)
        self.assertEqual(self.setsid("/nix").returncode, 127)
        self.assertEqual(self.setsid("/").returncode, 126)
        for args in ([], ["-x", "true"], ["-c", "true"]):
            done = self.setsid(*args)
            self.assertEqual((done.returncode, bool(done.stderr)), (1, True))


if __name__ == "__main__":
    rig.main()
