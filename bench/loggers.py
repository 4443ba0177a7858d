# SPDX-License-Identifier: ISC
"""The loggers, fed with lines of 100 bytes: how many they take in a second,
at what cost, and how long a line is on its way."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

import systems
from measures import Samples, repeated, rounds, share
from watch import cpu_ms

MEGABYTES = 200


class Logger:
    """Reads a pipe and writes DIR/current (or what it calls it)."""

    def __init__(self, name, command, stamped, config="", current="current",
                 needs=""):
        self.name = name
        self.command = command
        self.stamped = stamped
        self.config = config
        self.current = current
        self.program = needs or command[0]

    def missing(self):
        return [] if systems.find(self.program) else [self.program]

    def open(self, base):
        """(descriptor to write to, pid of the logger, file of its lines)"""
        log = os.path.join(base, "log")
        os.mkdir(log)
        if self.config:
            with open(os.path.join(log, "config"), "w") as f:
                f.write(self.config)
        read, write = os.pipe()
        words = [w.replace("LOG", log) for w in self.command]
        process = subprocess.Popen(words, stdin=read, env=systems.ENVIRONMENT,
                                   stderr=subprocess.DEVNULL)
        os.close(read)
        return write, process, os.path.join(log, self.current)


class Svlog(Logger):
    def open(self, base):
        for sub in ("run/a", "log", "services/a"):
            os.makedirs(os.path.join(base, sub))
        stamps = "yes" if self.stamped else "no"
        with open(os.path.join(base, "services/a/service.conf"), "w") as f:
            f.write("[service]\nexec = sleep 1\n[log]\nmax-size = 16M\n"
                    f"total = 100M\nkeep = 5\ntimestamps = {stamps}\n")
        fifo = os.path.join(base, "run/a/log")
        os.mkfifo(fifo)
        fd = os.open(fifo, os.O_RDWR)
        process = subprocess.Popen(
            [os.path.join(systems.BIN, "svlog"), "--run", base + "/run",
             "--log", base + "/log", base + "/services"],
            env=systems.ENVIRONMENT, stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        return fd, process, os.path.join(base, "log/a/current")

    def missing(self):
        return []


CAT = Logger("cat", ["sh", "-c", "exec cat >LOG/current"], False)
PLAIN = (CAT, Svlog("svtree", ["svlog"], False),
         Logger("runit", ["svlogd", "LOG"], False, "s16777216\nn5\n"),
         Logger("s6", ["s6-log", "n5", "s16777216", "LOG"], False),
         Logger("daemontools", ["multilog", "s16777215", "n5", "LOG"], False))
STAMPED = (Svlog("svtree", ["svlog"], True),
           Logger("runit", ["svlogd", "-tt", "LOG"], True,
                  "s16777216\nn5\n"),
           Logger("s6", ["s6-log", "T", "n5", "s16777216", "LOG"], True),
           Logger("daemontools", ["multilog", "t", "s16777215", "n5", "LOG"],
                  True))


class Fed:
    """A logger at work in a directory of its own, on a tmpfs."""

    def __init__(self, logger):
        self.base = tempfile.mkdtemp(prefix="b.", dir=systems.WHERE)
        self.fd, self.process, self.current = logger.open(self.base)
        time.sleep(0.2)

    def feed(self, *words):
        done = subprocess.run(
            [os.path.join(systems.PROBES, "feed"), words[0], "-", *words[1:]],
            stdout=self.fd, stderr=subprocess.PIPE, check=True)
        return [float(w) for w in done.stderr.split()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.base, True)


def throughput(settings, loggers):
    """MB a second, seconds of CPU for a GB."""
    size = MEGABYTES * 1000000

    def each(logger):
        with Fed(logger) as fed:
            before = cpu_ms([fed.process.pid])
            took_us = fed.feed("fill", str(size))[0]
            return (size / took_us, (cpu_ms([fed.process.pid]) - before) /
                    1000 / (size / 1e9))
    return rounds(each, settings.rounds, Samples(loggers), Samples(loggers))


def latency(settings):
    def each(logger):
        with Fed(logger) as fed:
            return fed.feed("line", fed.current, "300")[0]
    return (repeated(PLAIN, settings.rounds, each),)


share((("log-plain", "logger, lines of 100 bytes, no stamps", "MB/s",
        "900 MB/s"),
       ("log-plain-cpu", "the same: CPU", "s/GB", "1.2 s/GB")),
      lambda settings: throughput(settings, PLAIN))
share((("log-stamped", "logger with a readable UTC stamp per line "
        "(multilog: TAI64N)", "MB/s", "400 MB/s"),
       ("log-stamped-cpu", "the same: CPU", "s/GB", "2.5 s/GB")),
      lambda settings: throughput(settings, STAMPED))
share((("log-latency", "line in until line in the file", "us", "60 us"),),
      latency)
