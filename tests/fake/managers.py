#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Stand-ins for what the documents call and a test machine has not.

Which one it is, its own name says. They hold what they are told against the
rules of the real ones as far as a document can break them, and start and
stop what they are told to; tests/docmachine.py puts them first in PATH.

    systemctl   starts the ExecStart of a unit that was read since it changed
    launchctl   starts the ProgramArguments of a plist, in the caller's domain
    plutil      -lint
    brew        knows the formulas that ./dev deps installs
    apt-get     knows the packages that are installed or that apt-cache knows
    loginctl, sudo, ssh     the call itself; sudo and ssh do it here, as this
                user
"""

import configparser
import json
import os
import plistlib
import re
import shlex
import signal
import subprocess
import sys
import time

STATE = "/run/managers.json"
UNITS = "/etc/systemd/system"
LIMIT = 90


def fail(words):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {words}")


def state():
    try:
        with open(STATE, encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return {"units": {}, "jobs": {}, "read": 0}


def keep(told):
    with open(STATE, "w", encoding="utf-8") as f:
        json.dump(told, f)
    try:
        os.chmod(STATE, 0o666)
    except PermissionError:
        pass


def start(argv, env, cwd, log):
    with open(log, "ab") as out:
        return subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.
                                DEVNULL, stdout=out, stderr=out,
                                start_new_session=True).pid


def is_alive(pid):
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def stop(pid):
    if is_alive(pid):
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + LIMIT
    while is_alive(pid):
        if time.monotonic() > end:
            fail(f"{pid} did not end within {LIMIT} s")
        time.sleep(0.02)


# -- systemd

def unit(name):
    path = os.path.join(UNITS, name.removesuffix(".service") + ".service")
    if not os.path.exists(path):
        fail(f"Unit {name} does not exist: no {path}")
    told = configparser.RawConfigParser(strict=False)
    told.optionxform = str
    told.read(path)
    if told["Service"].get("Type") not in ("exec", "simple"):
        fail(f"{path}: Type= is not exec or simple")
    return path, told


def systemctl(args):
    args = [a for a in args if a != "--user"]
    now = "--now" in args
    verb, *names = [a for a in args if a != "--now"]
    told = state()
    if verb == "daemon-reload":
        told["read"] = time.time()
        return keep(told)
    if verb not in ("enable", "disable", "start", "stop"):
        fail(f"Unknown command verb {verb}")
    for name in names:
        path, text = unit(name)
        if os.path.getmtime(path) > told["read"]:
            fail(f"{name} changed on disk: systemctl daemon-reload")
        if verb == "enable" and not text.has_section("Install"):
            fail(f"{name} has no [Install]")
        if verb == "start" or (verb == "enable" and now):
            told["units"][name] = start(
                shlex.split(text["Service"]["ExecStart"]),
                {"PATH": "/usr/local/bin:/usr/bin:/bin"}, "/",
                f"/tmp/{name}.log")
        if verb == "stop" or (verb == "disable" and now):
            stop(told["units"].pop(name, 1 << 30))
    return keep(told)


# -- launchd

def plutil(args):
    if args[0] != "-lint":
        fail(f"{args[0]}: only -lint here")
    for path in args[1:]:
        with open(path, "rb") as f:
            plistlib.load(f)
        print(f"{path}: OK")


def domain(name):
    if name not in (f"gui/{os.geteuid()}", "system"):
        fail(f"{name} is no domain of user {os.geteuid()}")


def launchctl(args):
    told = state()
    verb, *rest = args
    if verb == "list":
        print("PID\tStatus\tLabel")
        for label, pid in told["jobs"].items():
            print(f"{pid or '-'}\t0\t{label}")
    elif verb == "bootstrap":
        domain(rest[0])
        for path in rest[1:]:
            with open(path, "rb") as f:
                job = plistlib.load(f)
            if job["Label"] in told["jobs"]:
                fail("Bootstrap failed: 5: Input/output error")
            told["jobs"][job["Label"]] = job.get("RunAtLoad") and start(
                job["ProgramArguments"],
                {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
                 **job.get("EnvironmentVariables", {})},
                job.get("WorkingDirectory", "/"), job["StandardOutPath"])
    elif verb == "bootout":
        where, label = rest[0].rsplit("/", 1)
        domain(where)
        if label not in told["jobs"]:
            fail("Boot-out failed: 3: No such process")
        pid = told["jobs"].pop(label)
        if pid:
            stop(pid)
    else:
        fail(f"Unrecognized subcommand: {verb}")
    keep(told)


# -- packages

def brew(args):
    with open("/etc/machine.json", encoding="utf-8") as f:
        known = json.load(f)["formulas"]
    if args[0] == "services":
        if args[1:] not in (["list"], ["stop", "ollama"]):
            fail(f"services {args[1:]}: unknown")
        print("Name   Status  User File" if args[1] == "list"
              else "Stopping `ollama`...")
        return
    if args[0] != "install":
        fail(f"Unknown command: {args[0]}")
    for name in args[1:]:
        if name not in known:
            fail(f"No available formula with the name {name!r}")


def apt_get(args):
    args = [a for a in args if not a.startswith("-")]
    if args[0] != "install":
        fail(f"Invalid operation {args[0]}")
    for name in args[1:]:
        if name.startswith((".", "/")):
            fail(f"{name}: packages in files are not tried here")
        def finds(*call):
            return subprocess.run([*call, name], capture_output=True,
                                  check=False).stdout != b""
        # without lists apt-cache knows none
        if not finds("dpkg-query", "-W") and \
                not finds("apt-cache", "pkgnames") and \
                os.listdir("/var/lib/apt/lists"):
            fail(f"Unable to locate package {name}")


def loginctl(args):
    if args[0] not in ("enable-linger", "disable-linger"):
        fail(f"Unknown command verb {args[0]}")


def sudo(args):
    os.execvp(args[0], args)


def ssh(args):
    while args and args[0].startswith("-"):
        drop = 2 if re.fullmatch(r"-[FJLRDWbcilmopSw]", args[0]) else 1
        if args[0] == "--":
            args = args[1:]
            break
        args = args[drop:]
    os.execvp("sh", ["sh", "-c", " ".join(args[1:])])


WHO = {"systemctl": systemctl, "launchctl": launchctl, "plutil": plutil,
       "brew": brew, "apt-get": apt_get, "loginctl": loginctl, "sudo": sudo,
       "ssh": ssh}

if __name__ == "__main__":
    WHO[os.path.basename(sys.argv[0])](sys.argv[1:])
