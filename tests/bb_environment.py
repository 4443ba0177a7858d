# SPDX-License-Identifier: ISC
"""What a process of a service is given: variables, user and groups, limits,
priorities, signal state, descriptors, terminal. Each service here is a probe
that prints what it finds itself to be."""

import fcntl
import json
import os
import pty
import resource
import shutil
import subprocess
import sys
import tempfile
import termios
import unittest

import rig

# One that any user can run.
PYTHON = shutil.which("python3", path="/usr/bin:/bin") or sys.executable

PROBE = f"""#!{PYTHON}
import json, os, resource, time
fds = sorted(int(f) for f in os.listdir("/proc/self/fd"))
real = []
for fd in fds:
    try:
        real.append([fd, os.readlink("/proc/self/fd/%d" % fd)])
    except OSError:
        pass        # the one that lists them
status = dict(l.split(":", 1) for l in open("/proc/self/status"))
stat = open("/proc/self/stat").read().rsplit(")", 1)[1].split()
limits = dict((n, resource.getrlimit(getattr(resource, "RLIMIT_" + n)))
              for n in ("NOFILE", "CORE", "NPROC", "STACK"))
try:
    os.open("/dev/tty", os.O_RDWR)
    terminal = True
except OSError:
    terminal = False
print("probe " + json.dumps(dict(
    env=dict(os.environ), uid=os.getuid(), euid=os.geteuid(),
    gid=os.getgid(), groups=os.getgroups(), umask=os.umask(0), cwd=os.getcwd(),
    nice=os.getpriority(os.PRIO_PROCESS, 0), fds=real, limits=limits,
    oom=int(open("/proc/self/oom_score_adj").read()),
    blocked=int(status["SigBlk"], 16), ignored=int(status["SigIgn"], 16),
    session=int(stat[3]), tty=int(stat[4]), pid=os.getpid(),
    terminal=terminal)), flush=True)
time.sleep(1000)
"""


def inside(tree, name="a"):
    """What the probe that runs as this service found."""
    def look():
        lines = [l for l in tree.log_text(name).splitlines()
                 if "probe {" in l and l.endswith("}")]
        return lines and json.loads(lines[-1].split("probe ", 1)[1])
    return rig.eventually(look, timeout=30, what=f"the word of {name}")


as_root = unittest.skipUnless(os.geteuid() == 0, "only root can do that")
on_linux = unittest.skipUnless(sys.platform == "linux", "reads /proc")


@on_linux
class Process(rig.Case):
    def probe(self, conf="[service]\n", **more):
        return inside(self.tree({"a": {"conf": conf, "run": PROBE}}, **more))

    def test_nothing_of_the_supervisor_s_environment_leaks(self):
        env = self.probe(env={"SECRET": "x", "LISTEN_FDS": "3",
                              "LANG": "xx", "TERM": "xx"})["env"]
        env.pop("LC_CTYPE", None)   # python's own doing
        self.assertEqual(sorted(env), [
            "HOME", "LOGNAME", "PATH", "SHELL", "SVTREE_LOG", "SVTREE_PATH",
            "SVTREE_RUN", "SVTREE_SERVICE", "SVTREE_SERVICES", "SVTREE_STATE",
            "USER"])

    def test_path_reaches_the_program_whole(self):
        t = self.tree({"a": "[service]\nexec = sh -c 'echo \"is $PATH.\";"
                            " exec sleep 1000'\n"})
        rig.eventually(lambda: f"is {t.environment()['SVTREE_PATH']}."
                       in t.log_text("a"), what="PATH")

    def test_later_words_count(self):
        d = tempfile.mkdtemp(prefix="sv.", dir="/tmp")
        self.addCleanup(shutil.rmtree, d)
        os.mkdir(d + "/dir")
        for name, text in (("C", b"dir  \nrest"), ("D", b""),
                           ("G", b"a\0b"), (".hidden", b"x")):
            with open(f"{d}/dir/{name}", "wb") as f:
                f.write(text)
        with open(d + "/file", "w") as f:
            f.write("# settings\nE=file\nF='two words'\n")
        env = self.probe(
            f"[service]\npass-environment = A B\nenv-dir = {d}/dir\n"
            f"env-file = {d}/file -{d}/absent\n"
            "[environment]\nB = conf\nC = conf\nD = conf\nE = conf\n"
            "HOME = /nowhere\n", env={"A": "pass", "B": "pass"})["env"]
        self.assertEqual({k: env.get(k) for k in "ABCDEFG"}, {
            "A": "pass", "B": "conf", "C": "dir", "D": None, "E": "file",
            "F": "two words", "G": "a\nb"})
        self.assertEqual(env["HOME"], "/nowhere")
        self.assertNotIn(".hidden", env)

    def test_an_env_file_is_read_at_each_start(self):
        t = self.tree({"a": {"run": PROBE, "files": {"vars": "X=1\n"}}},
                      start=False)
        path = os.path.join(t.services, "a", "vars")
        t.add("a", f"[service]\nenv-file = {path}\n")
        t.start()
        self.assertEqual(inside(t)["env"]["X"], "1")
        t.add("a", {"files": {"vars": "X=2\n"}})
        t.call("Restart", {"name": "a"})
        rig.eventually(lambda: inside(t)["env"]["X"] == "2", what="X=2")

    def test_an_env_file_that_went_bad_is_the_reason(self):
        t = self.tree({"a": {"run": "exec sleep 1000",
                             "files": {"vars": "X=1\n"}}}, start=False)
        path = os.path.join(t.services, "a", "vars")
        t.add("a", f"[service]\nenv-file = {path}\nrestart-limit = 1/1m\n")
        t.start()
        t.wait("a", "UP")
        t.add("a", {"files": {"vars": "X=1\nwrong\n"}})
        t.call("Restart", {"name": "a"})
        t.wait("a", lambda s: s["state"] in ("TRIPPED", "BACKOFF"))
        self.assertIn("line 2: 'wrong' is no variable",
                      t.service("a")["reason"])

    def test_by_default_the_state_is_clean(self):
        got = self.probe()
        self.assertEqual(got["umask"], 0o022)
        self.assertEqual(got["blocked"], 0)
        self.assertEqual(got["ignored"] & ~NOT_OURS, 0)
        self.assertEqual(got["session"], got["pid"])
        self.assertEqual(got["oom"], 0)

    def test_a_hostile_start_of_the_supervisor_reaches_nobody(self):
        """umask 777, signals ignored and blocked, descriptors open."""
        t = self.tree({"a": {"run": PROBE}}, start=False)
        hostile = (
            "import os, signal, sys\n"
            "for s in (1, 2, 3, 10, 12, 13, 14, 15, 17, 20, 21, 22):\n"
            "    signal.signal(s, signal.SIG_IGN)\n"
            "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\n"
            "for n in range(5, 200):\n"
            "    os.dup2(0, n); os.set_inheritable(n, True)\n"
            "os.umask(0o777)\n"
            "os.execv(sys.argv[1], sys.argv[1:])\n")
        command = t.command()
        t.command = lambda: [sys.executable, "-c", hostile, *command]
        t.start()
        got = inside(t)
        self.assertEqual(got["umask"], 0o022)
        self.assertEqual(got["blocked"], 0)
        self.assertEqual(got["ignored"] & ~NOT_OURS, 0)
        self.assertEqual([fd for fd, _ in got["fds"]], [0, 1, 2])

    def test_three_descriptors_and_no_more(self):
        t = self.tree({n: {"run": PROBE} for n in "abcd"}
                      | {"e": {"conf": "[service]\nready = fd:5\n"
                               "start-timeout = 0\n", "run": PROBE}})
        inside(t)
        with t.subscribe():     # a connection that must not leak either
            t.call("Restart", {"name": "a"})
            rig.eventually(lambda: t.log_text("a").count("probe {") == 2,
                           what="two words")
            got = inside(t)["fds"]
        self.assertEqual([fd for fd, _ in got], [0, 1, 2])
        self.assertEqual(got[0][1], t.run + "/a/lock")
        self.assertEqual(got[1][1], t.run + "/a/log")
        self.assertEqual(got[2][1], t.run + "/a/log")
        self.assertEqual([fd for fd, _ in inside(t, "e")["fds"]],
                         [0, 1, 2, 5])

    def test_one_among_many_has_no_room_for_the_descriptors_of_all(self):
        """the table of descriptors, which the kernel keeps for life"""
        idle = {"conf": "[service]\nexec = sleep 100000\n"}
        t = self.tree({f"s{i:03d}": idle for i in range(140)} | {
            "x": {"run": "#!/nowhere/to/be/found\n"},
            "y": {"conf": "[service]\nready = fd:9\n"
                          "[sockets]\nlisten = 127.0.0.1:"
                          f"{rig.free_port()}\n",
                  "run": "echo >&9; exec 9>&-; ls /proc/self/fd | "
                         "tr '\\n' ' '; echo had; exec sleep 100000"},
            "z": {"run": PROBE}})
        self.assertEqual([fd for fd, _ in inside(t, "z")["fds"]], [0, 1, 2])
        t.wait("y", "UP", timeout=60)
        rig.eventually(lambda: "0 1 2 3 4 had" in t.log_text("y"),
                       what="the socket and no more (4: of ls)")
        rig.eventually(lambda: "x/run: No such file or directory"
                       in (t.service("x")["reason"] or ""), timeout=60,
                       what="the reason of one that cannot run")
        for name in "yz":
            with open(f"/proc/{t.service(name)['pid']}/status") as f:
                status = dict(line.split(":", 1) for line in f)
            self.assertLessEqual(int(status["FDSize"]), 64, name)
            self.assertEqual(int(status["Threads"]), 1, name)

    def test_finish_and_check_get_three_as_well(self):
        """finish and check have the same clean state"""
        t = self.tree({"a": {
            "conf": "[service]\nready = check\n",
            "run": "exec sleep 1000",
            "check": "ls /proc/self/fd | tr '\\n' ' '; umask; pwd; "
                     "echo check-end",
            "finish": "ls /proc/self/fd | tr '\\n' ' '; umask; pwd; "
                      "echo finish-end"}})
        t.wait("a", "UP")
        t.call("Stop", {"name": "a"})
        t.wait("a", "DOWN")
        log = rig.eventually(lambda: "finish-end" in t.log_text("a") and
                             t.log_text("a"), what="finish")
        words = [l.split(" ", 1)[1] for l in log.splitlines()]
        here = os.path.join(t.services, "a")
        # 3 is the descriptor by which ls reads the directory
        for end in ("check-end", "finish-end"):
            i = words.index(end)
            self.assertEqual(words[i - 2:i], ["0 1 2 3 0022", here])

    def test_a_ready_descriptor_may_have_any_number(self):
        """ready = fd:N, whatever numbers the supervisor uses itself"""
        run = ("echo >&%d; exec %d>&-; exec sleep 1000")
        t = self.tree({f"n{n}": {"conf": f"[service]\nready = fd:{n}\n",
                                 "run": run % (n, n)}
                       for n in (3, 4, 5, 6, 7, 8, 9)})
        for n in (3, 4, 5, 6, 7, 8, 9):
            t.wait(f"n{n}", "UP", timeout=30)

    def test_no_controlling_terminal(self):
        t = self.tree({"a": {"run": PROBE}}, start=False)
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)

        def take_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        with open(t.output, "ab") as out:
            t.process = subprocess.Popen(
                t.command(), stdin=slave, stdout=out, stderr=out,
                env=t.environment(), cwd=t.dir, preexec_fn=take_terminal)
        os.close(slave)
        got = inside(t)
        self.assertFalse(got["terminal"])
        self.assertEqual(got["tty"], 0)

    def test_umask_directory_nice_and_score_are_as_configured(self):
        got = self.probe("[service]\numask = 077\ndirectory = /tmp\n"
                         "nice = 7\noom-score-adj = 300\n")
        self.assertEqual((got["umask"], got["cwd"], got["nice"], got["oom"]),
                         (0o077, "/tmp", 7, 300))

    def test_the_supervisor_s_own_score_is_for_nobody_else(self):
        t = self.tree({"a": {"run": PROBE}})
        inside(t)
        # A higher one: to lower it takes a right that not every root has.
        with open(f"/proc/{t.process.pid}/oom_score_adj", "w") as f:
            f.write("500")
        t.call("Restart", {"name": "a"})
        rig.eventually(lambda: t.log_text("a").count("probe {") == 2,
                       what="two words")
        self.assertEqual(inside(t)["oom"], 0)

    def test_limits_soft_hard_and_infinity(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        got = self.probe("[limits]\nnofile = 100:200\ncore = 0\n"
                         "stack = 1M:infinity\n")["limits"]
        self.assertEqual(got["NOFILE"], [100, 200])
        self.assertEqual(got["CORE"], [0, 0])
        self.assertEqual(got["STACK"][0], 1 << 20)
        # No system gives an infinity of descriptors: the most there is.
        got = self.probe("[limits]\nnofile = infinity\n")["limits"]
        self.assertEqual(got["NOFILE"], [hard, hard])

    def test_a_limit_that_cannot_be_is_the_reason(self):
        t = self.tree({"a": "[service]\nexec = sleep 1000\n"
                            "restart-limit = 1/1m\n"
                            "[limits]\nnofile = 1000000000000\n"})
        t.wait("a", ("BACKOFF", "TRIPPED"))
        self.assertIn("cannot set the limit nofile", t.service("a")["reason"])


@on_linux
@as_root
class User(rig.Case):
    def test_user_with_its_groups_and_more(self):
        import grp
        import pwd
        nobody = pwd.getpwnam("nobody")
        got = inside(self.tree({"a": {
            "conf": "[service]\nuser = nobody\ngroups = daemon mail\n",
            "run": PROBE}}))
        self.assertEqual((got["uid"], got["euid"], got["gid"]),
                         (nobody.pw_uid, nobody.pw_uid, nobody.pw_gid))
        self.assertEqual(set(got["groups"]), {
            nobody.pw_gid, grp.getgrnam("daemon").gr_gid,
            grp.getgrnam("mail").gr_gid})
        self.assertEqual(got["env"]["USER"], "nobody")
        self.assertEqual(got["env"]["HOME"], nobody.pw_dir)

    def test_a_group_without_a_user(self):
        import grp
        got = inside(self.tree({"a": {
            "conf": "[service]\ngroup = daemon\n", "run": PROBE}}))
        self.assertEqual((got["uid"], got["gid"]),
                         (0, grp.getgrnam("daemon").gr_gid))

# Python itself ignores SIGPIPE and SIGXFSZ; glibc keeps 32 and 33 to itself,
# and a make that starts programs by posix_spawn leaves them ignored.
NOT_OURS = 1 << 12 | 1 << 24 | 3 << 31


class Errors(rig.Case):
    CASES = (
        ("umask = 8", "umask: '8' is not right; it wants an octal number"),
        ("umask = 01777", "it wants an octal number"),
        ("nice = 20", "nice: '20' is not right; it wants a number from -20"),
        ("oom-score-adj = -1001", "it wants a number from -1000 to 1000"),
        ("env-file = vars", "it wants absolute paths"),
        ("env-file = /no/such/file", "env-file: /no/such/file: No such file"),
        ("env-dir = /no/such/dir", "env-dir: /no/such/dir: No such file"),
        ("groups = no-such-group", "groups: no group no-such-group here"),
        ("[limits]\nnofile = 10:5", "nofile: the soft limit is above"),
        ("[limits]\nnofile = 1:2:3", "nofile: '1:2:3' is not right"),
        ("[limits]\nnofile = x", "a number, a size or infinity"),
        ("[limits]\nnofile = 1\nnofile = 2", "nofile: given before"),
        ("[limits]\nfiles = 1", "unknown limit files; known are"),
    )

    def test_every_mistake_is_told_with_what_is_right(self):
        for text, told in self.CASES:
            with self.subTest(text=text):
                t = self.tree({"a": f"[service]\nexec = true\n{text}\n"},
                              start=False)
                done = t.svctl("check", t.services)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(told, done.stdout + done.stderr)
                self.assertRegex(done.stdout + done.stderr,
                                 r"a/service\.conf:\d+: ")


if __name__ == "__main__":
    rig.main()
