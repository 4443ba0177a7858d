# SPDX-License-Identifier: ISC
"""A real dockerd of the test's own: socket, data and containers below one
directory in /tmp, no bridge, no iptables. fake_engine.py has a made-up one.

Use it once for a module:

    def setUpModule():
        dockerd.start(__name__)       # skips the module where it cannot run

and as dockerd.daemon afterwards. Its image box:1 holds one static program:

    /box sleep          until SIGTERM (exits with 0); SIGUSR1 makes it eat all
                        memory, SIGUSR2 makes it exit with 3
    /box exit N [MS]    after so many milliseconds, with a last line
    /box eat N MS       after so many milliseconds, all memory
    /box count N MS     says so many numbered lines, one each MS
    /box check          exits with 1, and says why, when there is a
                        file /sick
"""

import atexit
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import unittest

import rig

START = 60      # seconds: a loaded machine
CALL = 60

BOX = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t got;

static void
on_signal(int signo)
{
	got = signo;
}

static void
eat(void)
{
	for (;;)
		memset(malloc(1 << 20), 1, 1 << 20);
}

int
main(int argc, char **argv)
{
	struct timespec ms;
	sigset_t none, all;
	int i, n;

	if (argc > 1 && strcmp(argv[1], "check") == 0)
		return access("/sick", F_OK) == 0 && puts("it is sick: "
		    "there is a file that should not be there, and so it "
		    "will not work");
	for (n = argc > 3 ? atoi(argv[2]) : 0, i = 0; argc > 3; i++) {
		ms.tv_sec = atoi(argv[3]) / 1000;
		ms.tv_nsec = atoi(argv[3]) % 1000 * 1000000L;
		nanosleep(&ms, NULL);
		if (strcmp(argv[1], "count") != 0 || i == n)
			break;
		dprintf(1 + i % 2, "line %d\n", i);
	}
	if (argc > 2 && strcmp(argv[1], "eat") == 0)
		eat();
	if (argc > 2 && strcmp(argv[1], "exit") == 0) {
		(void)!write(2, "last words\n", 11);
		return atoi(argv[2]);
	}
	sigemptyset(&none);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGTERM, on_signal);
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	while (!got)
		sigsuspend(&none);
	if (got == SIGUSR1)
		eat();
	return got == SIGUSR2 ? 3 : 0;
}
"""


class Unavailable(Exception):
    """The words say what is missing."""


class Dockerd:
    def __init__(self):
        for program in ("dockerd", "docker", "docker-compose", "cc"):
            if shutil.which(program) is None:
                raise Unavailable(f"no {program} here")
        if os.geteuid() != 0:
            raise Unavailable("dockerd needs root")
        self.dir = tempfile.mkdtemp(prefix="svd.", dir="/tmp")
        self.socket = os.path.join(self.dir, "s")
        self.process = None
        try:
            self.start()
            self.load()
        except BaseException:
            self.close()
            raise

    # -- the daemon --------------------------------------------------------

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def said(self):
        try:
            with open(self.path("log"), encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def start(self):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(
                ["dockerd", "-H", "unix://" + self.socket,
                 "--data-root", self.path("data"),
                 "--exec-root", self.path("exec"),
                 "-p", self.path("pid"), "--bridge=none",
                 "--iptables=false", "--ip-forward=false"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        rig.eventually(self.answers, START, "an answer of dockerd")

    def answers(self):
        code = self.process.poll()
        if code is not None:
            raise Unavailable(f"dockerd ended with {code}: "
                              + self.said()[-300:].replace("\n", " "))
        return self.run("docker", "version", check=False).returncode == 0

    def stop(self, signo=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(signo)
        try:
            self.process.wait(START)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(START)
        self.process = None

    def crash(self):
        """As when Docker's virtual machine dies: daemon, containerd and all
        containers at once."""
        pids = list(self.leftovers())
        for name in self.docker("ps", "-q").split():
            pids.append(self.inspect(name)["State"]["Pid"])
        self.stop(signal.SIGKILL)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        # Where nobody reaps it, its zombie would count as a running one.
        try:
            os.unlink(self.path("exec", "containerd", "containerd.pid"))
        except FileNotFoundError:
            pass

    def close(self):
        if self.process is not None and self.process.poll() is None:
            ids = self.run("docker", "ps", "-aq", check=False).stdout.split()
            if ids:
                self.run("docker", "rm", "-f", *ids, check=False)
        self.stop()
        for pid in self.leftovers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        with open("/proc/mounts", encoding="utf-8") as f:
            mounts = [line.split()[1] for line in f]
        for mount in sorted(mounts, reverse=True):
            if mount.startswith(self.dir + "/"):
                subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def leftovers(self):
        """Processes that name our directory: containerd and its shims."""
        mark = self.dir.encode() + b"/"
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if mark in f.read() and int(pid) != os.getpid():
                        yield int(pid)
            except OSError:
                pass

    # -- what it is asked --------------------------------------------------

    def environment(self):
        return {**os.environ, "DOCKER_HOST": "unix://" + self.socket}

    def run(self, *command, check=True, **more):
        done = subprocess.run(
            command, capture_output=True, text="input" not in more,
            env=self.environment(), check=False, timeout=CALL, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return done

    def docker(self, *args, check=True):
        return self.run("docker", *args, check=check).stdout.strip()

    def inspect(self, name):
        """None when there is no such container."""
        done = self.run("docker", "inspect", "--type=container", name,
                        check=False)
        return json.loads(done.stdout)[0] if done.returncode == 0 else None

    def state(self, name):
        got = self.inspect(name)
        return got["State"]["Status"] if got else None

    def signal(self, name, signo):
        """To the container's program, not through Docker: no kill event."""
        os.kill(self.inspect(name)["State"]["Pid"], signo)

    def wait_state(self, name, *states, timeout=START):
        return rig.eventually(lambda: self.state(name) in states, timeout,
                              f"{name} {states}")

    def clear(self):
        """Removes every container."""
        ids = self.docker("ps", "-aq").split()
        if ids:
            self.docker("rm", "-f", *ids)

    # -- the image ---------------------------------------------------------

    def load(self):
        source, program = self.path("box.c"), self.path("box")
        with open(source, "w", encoding="ascii") as f:
            f.write(BOX)
        done = subprocess.run(["cc", "-static", "-O1", "-o", program, source],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable("cc -static does not work: "
                              + done.stderr[-200:].replace("\n", " "))
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(program, "box")
        self.run("docker", "import", "--change", 'ENTRYPOINT ["/box"]',
                 "-", "box:1", input=archive.getvalue())


daemon = None


def start(module):
    """Starts the module's daemon, or skips the module. It is stopped when
    the module is done."""
    global daemon
    begun = time.monotonic()
    try:
        daemon = Dockerd()
    except Unavailable as why:
        raise unittest.SkipTest(str(why)) from None
    unittest.addModuleCleanup(daemon.close)
    atexit.register(daemon.close)       # when it is interrupted
    print(f"# {module}: dockerd in {time.monotonic() - begun:.1f} s",
          flush=True)
