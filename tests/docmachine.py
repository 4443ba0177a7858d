# SPDX-License-Identifier: ISC
"""A machine that a document can be followed on, word by word.

Name spaces of its own (files, processes, network), this system's files below
a layer that is thrown away, svtree as `make install` puts it, the users root
and me, Ollama and MLX from tests/llm-standin. What a test machine has not got
(systemd, launchd, Homebrew, another host) is stood in for by
tests/fake/managers.py; nothing else is.

    machine = docmachine.Machine(self, binds=[])    # skips where it cannot be
    machine.shell("root").run("svctl check")
    machine.write("/etc/svtree/services/x/service.conf", text)
"""

import atexit
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from docrun import Shell
import rig

TOP = os.environ.get("srcdir") or rig.TOP
HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("builddir") or rig.BIN)
UID = 4711
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MANAGERS = ("systemctl", "launchctl", "plutil", "brew", "apt-get", "loginctl",
            "sudo", "ssh")
SERVERS = ("ollama", "mlx_lm.server")
HOMES = {"root": "/root", "me": "/home/me", "mac": "/Users/me"}

# Overlays the whole system and goes there; $1: a directory, then what stays
# as it is.
ENTER = r"""
set -e
mount --make-rprivate /
S=$1; shift
mount -t tmpfs tmpfs $S
mkdir $S/u $S/w $S/r
mount -t overlay overlay -o lowerdir=/,upperdir=$S/u,workdir=$S/w $S/r
cd $S/r
mount --rbind /dev dev; mount --rbind /sys sys; mount -t proc proc proc
for d in run tmp home root; do mount -t tmpfs tmpfs $d; done
chmod 1777 tmp
for d; do mkdir -p .$d; mount --rbind $d .$d; done
ip link set lo up
exec chroot . bash --norc --noprofile
"""


def missing():
    if os.geteuid() != 0:
        return "a machine of its own needs root"
    for program in ("unshare", "nsenter", "ip", "chroot", "make"):
        if subprocess.run(["which", program], capture_output=True,
                          check=False).returncode != 0:
            return f"no {program} here"
    try:
        with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as f:
            prefix = re.search(r"^prefix = (.*)$", f.read(), re.M).group(1)
    except FileNotFoundError:
        return f"no Makefile in {BUILD}"
    return None if prefix == "/usr/local" else f"it is built for {prefix}"


@functools.cache
def installed():
    """What make installs, once for all machines, below a directory."""
    where = tempfile.mkdtemp(prefix="di.", dir="/tmp")
    atexit.register(shutil.rmtree, where, True)
    # by parts: only the whole would look whether it is built
    subprocess.run(["make", "-s", "-C", BUILD, f"DESTDIR={where}",
                    "install-exec", "install-data"], check=True,
                   capture_output=True)
    return where


def environment(home):
    return {"HOME": home, "PATH": PATH, "TERM": "dumb", "LC_ALL": "C.UTF-8",
            "EDITOR": "true", "USER": os.path.basename(home)}


class Machine:
    def __init__(self, test, binds=()):
        why = missing()
        if why:
            test.skipTest(why)
        self.shells, self.pid = {}, None
        self.scratch = tempfile.mkdtemp(prefix="dm.", dir="/tmp")
        stay = sorted({os.path.abspath(TOP), BUILD, rig.BIN, HERE,
                       installed(), *binds})
        self.root = Shell(
            environment("/root"), "/", None,
            ["unshare", "-mnpif", "--kill-child", "bash", "--norc", "-c",
             ENTER, "enter", self.scratch, *stay])
        test.addCleanup(self.close)
        self.shells["root"] = self.root
        try:
            code, text = self.root.run("cd /root")
        except (ConnectionError, BrokenPipeError):
            test.skipTest("no name spaces or no overlay here")
        assert code == 0, text
        with open(f"/proc/{self.root.process.pid}/task/"
                  f"{self.root.process.pid}/children", encoding="ascii") as f:
            self.pid = int(f.read().split()[0])
        self.furnish()

    def furnish(self):
        """Users, svtree, stand-ins."""
        self.do("mkdir -p /home/me /Users/me/Desktop")
        for path, line in (("passwd", f"me:x:{UID}:{UID}::/home/me:/bin/bash"),
                           ("group", f"me:x:{UID}:")):
            self.do(f"grep -q ^me: /etc/{path} || echo {line} >>/etc/{path}")
        self.do("chown me:me /home/me /Users/me /Users/me/Desktop")
        self.do(f"cp -a {installed()}/usr/local/. /usr/local/")
        for name in MANAGERS:
            self.do(f"install {HERE}/fake/managers.py /usr/local/bin/{name}")
        for name in SERVERS:
            self.do(f"ln -sf {rig.BIN}/llm-standin /usr/local/bin/{name}")
        with open(os.path.join(TOP, "dev"), encoding="utf-8") as f:
            formulas = re.search(r"^BREW_PACKAGES='(.*?)'", f.read(),
                                 re.M | re.S).group(1).split()
        self.write("/etc/machine.json", json.dumps({"formulas": formulas}))

    def do(self, command):
        code, text = self.root.run(command)
        assert code == 0, f"{command}: {text}"

    def write(self, path, text):
        """Writes a file, with the directories above it."""
        real = f"/proc/{self.pid}/root{path}"
        owner = UID if path.startswith(("/home/me/", "/Users/me/")) else 0
        made = os.path.dirname(real)
        while not os.path.isdir(made):
            made = os.path.dirname(made)
        os.makedirs(os.path.dirname(real), exist_ok=True)
        with open(real, "w", encoding="utf-8") as f:
            f.write(text)
        part = real
        while part != made:
            os.chown(part, owner, owner)
            part = os.path.dirname(part)

    def shell(self, who):
        """root's, me's, or me's on a Mac (another home)."""
        if who not in self.shells:
            inside = ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-i",
                      "-r", f"-w/proc/{self.pid}/root{HOMES[who]}", "setpriv", f"--reuid={UID}",
                      f"--regid={UID}", "--clear-groups", "bash", "--norc",
                      "--noprofile"]
            self.shells[who] = Shell(environment(HOMES[who]), "/", None,
                                     inside)
        return self.shells[who]

    def foreground(self, who, command):
        """A program in the foreground: it comes up, says how the tree is to
        svctl in another terminal, and Ctrl-C ends it with 0."""
        shell = self.shell(who)
        shell.run(f"set -m; {command} >/tmp/{who}.out 2>&1 & job=$!; set +m")
        rig.eventually(lambda: shell.run("svctl")[0] in (0, 1), 60,
                       f"{command} to answer")
        _, code = shell.run("kill -INT $job; wait $job; echo $?")
        if code.strip() != "0":
            return shell.run(f"cat /tmp/{who}.out")[1] + code
        return None

    def close(self):
        for shell in reversed(list(self.shells.values())):
            try:
                shell.close()
            except (BrokenPipeError, subprocess.TimeoutExpired):
                os.killpg(shell.process.pid, signal.SIGKILL)
                shell.process.wait()
        os.rmdir(self.scratch)
