# SPDX-License-Identifier: ISC
"""The table of the failures that tests/failures.py shows: what happened, how
it is injected, what svtree does, and the times of a run. It prints the times
as diagnostics and writes them as a page; it injects nothing itself.
"""

import functools
import os
import platform
import unittest

_rows = {}      # number -> Row

HEAD = """# Failures, and what svtree does about them

The failures that the first users' hosts had, or that lay latent in their
scripts, one row each. `tests/failures.py` injects every one of them, in
`make check`, and this page is written by it:

    SVTREE_BIN_DIR=build python3 tests/failures.py --doc doc/failures.md

Servers are stand-ins (`tests/llm-standin.c`), containers are real ones of a
dockerd of the test's own, OOM kills are the kernel's. Times of probes are
the shipped defaults (10 s, 3 s, 60 s) times {factor:g}: a hang is found
within {window:.2f} s of the test, which stands for {real:.0f} s. The times
below were measured on {machine}; they are not asserted.

"""


class Row:
    def __init__(self, happened, injected, does):
        self.happened, self.injected, self.does = happened, injected, does
        self.times, self.result = [], None


def row(number, happened, injected, does):
    """A test that shows the row; its title is the row's."""
    def wrap(test):
        mine = _rows[number] = Row(happened, injected, does)

        @functools.wraps(test)
        def run(self):
            mine.times, mine.result = [], "FAILED"
            self.row = number
            try:
                test(self)
            except unittest.SkipTest as why:
                mine.result = f"not run: {why}"
                raise
            mine.result = "ok"
        run.__doc__ = f"F{number} {happened}"
        return run
    return wrap


def tell(test, what, seconds):
    """A time of this row, for the reader and for the page."""
    mine = _rows[test.row]
    mine.times.append(f"{what} in {seconds:.2f} s")
    print(f"# F{test.row}: {mine.happened}: {mine.times[-1]}", flush=True)


def _machine():
    return f"{os.cpu_count()} processors, {platform.system()}"


def write(path, factor, window, source):
    """The page; what stands behind its last heading of soaks is kept."""
    try:
        with open(path, encoding="utf-8") as f:
            before = f.read()
    except FileNotFoundError:
        before = ""
    at = before.find("\n## Soak")
    with open(path, "w", encoding="utf-8") as f:
        f.write(HEAD.format(factor=factor, window=window, real=window / factor,
                            machine=_machine()))
        f.write("| row | what happened | injected by | svtree | measured |\n"
                "| --- | --- | --- | --- | --- |\n")
        for number, mine in sorted(_rows.items()):
            result = "; ".join(mine.times) or "shown"
            if mine.result != "ok":
                result = mine.result or "not run"
            f.write(f"| F{number} | {mine.happened} | {mine.injected} | "
                    f"{mine.does} | {result} |\n")
        f.write(f"\nThe test of row N is `test_fNN_...` in `{source}`.\n")
        if at >= 0:
            f.write(before[at:])
