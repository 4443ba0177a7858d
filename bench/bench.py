#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""./dev bench [-r ROUNDS] [-j FILE] [-w FILE] [NAME...]

Measures svtree beside its peers and the floor of the kernel, in one run with
alternating rounds, and prints a table. NAME is a measure or the beginning of
one (start, log); without any: all that take a few minutes, with --long the
others, too. -j writes JSON, -w the page
doc/performance.md, -l lists the measures."""

import argparse
import os
import signal
import sys
import time
import traceback

import loggers  # noqa: F401 (registers its measures)
import repair
import report
import scale    # noqa: F401
from measures import MEASURES, Samples

LATE = 600      # seconds, after which there are fewer rounds

METHOD = """<!-- written by ./dev bench -w; do not edit -->
# Performance

svtree beside its peers and beside the least that any parent of processes can
do, measured in one run on one machine: {system}, {processors} x {processor},
load {load:.1f} when it began. Peers: {peers}. Absolute times hold for this
machine alone; the ratios travel better.

## Method

- `./dev bench` runs it; `bench/` holds it. Every service is the same static
  program, whose first act is to look at the clock and whose second is to
  write name, pid and that time to a FIFO. So a start ends with the first
  instruction of the service, not with what a supervisor says of it.
- *floor* is a bare parent with `posix_spawn` and `waitpid`, *floor-fork* the
  same with `fork`: no record, no lock, no log, no control. Where svtree
  misses its target, two more say where the floor of its promises is:
  *floor-shared*, linked as a supervisor is, and *floor-kept*, whose services
  have a session, a lock and a FIFO each. *svtree-static* is svtree as
  `./dev static` makes it, where that has been made.
- Rounds alternate between all systems, so that what else the machine does
  meets all alike. Figures are medians; minimum and maximum are in the JSON.
- Each system runs as its manual says, with its own defaults. svtree runs
  with everything on: gate, lock, record, FIFO, logger.
- *true* is a spawn of nothing. What a command takes is read against it:
  targets first set in milliseconds (4 for the status of all, 1.5 and 2 for a
  stop) stand as multiples of the 0.52 ms that a spawn took there.
- A process is gone when its pidfd says so. Memory is PSS from
  `smaps_rollup`, of the supervisors without the services. Kernel memory is
  what SUnreclaim, KernelStack and PageTables grew by, services included, so
  it is read against the floor; empty slabs are given back before each
  reading.
- Repair is measured from outside, by whoever asks the server for an answer.
  What goes by a schedule there (probes each 10 s, a script each 300 s,
  KeepAlive's 10 s, a poll each 30 s) runs {factor} times as fast, and its
  figure is multiplied by {factor} again, the repair itself included, so it
  is a little too high; faults come at moments spread evenly over the period.
  KeepAlive is simulated. What goes by no schedule is measured as it is.
- Loggers read one pipe or FIFO that a program fills in blocks of 64 KB, and
  write to a tmpfs; CPU is the logger's own.

## Figures

"""


def chosen(words, long):
    if not words:
        return [name for name, m in MEASURES.items() if long or not m["long"]]
    picked = []
    for word in words:
        found = [word] if word in MEASURES else \
            [name for name in MEASURES if name.startswith(word)]
        if not found:
            sys.exit(f"bench: no measure {word}; there are: "
                     + " ".join(MEASURES))
        picked += [name for name in found if name not in picked]
    return picked


def measured(name, settings):
    """Its samples; what goes wrong spoils no more than the one measure."""
    try:
        return MEASURES[name]["run"](settings)
    except Exception as e:      # pylint: disable=broad-except
        traceback.print_exc()
        s = Samples(())
        s.why["svtree"] = f"{type(e).__name__}: {e}"[:200]
        return s


def stop(_signo, _frame):
    sys.exit("bench: stopped")      # and what was started is ended


def main():
    signal.signal(signal.SIGTERM, stop)
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("-r", "--rounds", type=int, default=5)
    parser.add_argument("-j", "--json")
    parser.add_argument("-w", "--write")
    parser.add_argument("-l", "--list", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("name", nargs="*")
    settings = parser.parse_args()
    for option in ("json", "write"):    # as the caller's directory has it
        if getattr(settings, option):
            setattr(settings, option, os.path.abspath(getattr(settings,
                                                              option)))
    if settings.list:
        for name, m in MEASURES.items():
            print(f"{name:18} {m['title']}" + " (--long)" * m["long"])
        return
    about = report.machine()
    about["factor"] = repair.FACTOR
    about["versions"] = report.versions()
    about["peers"] = ", ".join(
        f"{k} {v}" for k, v in about["versions"].items()) or "none here"
    results = []
    begun = time.monotonic()
    for name in chosen(settings.name, settings.long):
        if time.monotonic() - begun > LATE:
            settings.rounds = min(settings.rounds, 2)
        began = time.monotonic()
        result = report.figures(MEASURES[name], measured(name, settings))
        results.append(result)
        result["seconds"] = time.monotonic() - began
        print("\n".join(report.lines(result)), flush=True)
        if settings.json:
            report.to_json(settings.json, results, about)
    if settings.write:
        with open(settings.write, "w") as f:
            f.write(report.markdown(results, about, METHOD))


if __name__ == "__main__":
    main()
