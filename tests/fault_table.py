# SPDX-License-Identifier: ISC
"""The fault matrix as a table: runs tests/bb_faults.py, or reads what it has
printed from standard input, and writes Markdown. usage:

    python3 tests/fault_table.py >table.md
    python3 tests/bb_faults.py | python3 tests/fault_table.py - >table.md
"""

import ast
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Rows of the matrix that are tested elsewhere, or that no run can inject.
ELSEWHERE = {
    2: ("SIGKILL at every system call", "I1 I2 I6", "`./dev sweep`; a part "
        "of it in bb_kill_sweep.py"),
    3: ("the same, with a slow child", "I1", "bb_kill_sweep.py"),
    5: ("killed after the signal of a stop", "I2", "bb_kill_sweep.py "
        "(stop), test_explore"),
    52: ("a peer by HTTP hangs or talks garbage", "I5",
         "bb_health.py, bb_docker_keeper.py, bb_oom_watcher.py"),
}


def titles():
    """Row -> the whole title of its test; TAP has the first line alone."""
    with open(os.path.join(HERE, "bb_faults.py"), encoding="utf-8") as f:
        tree = ast.parse(f.read())
    texts = [ast.get_docstring(node) for node in ast.walk(tree)
             if isinstance(node, ast.FunctionDef)
             and node.name.startswith("test_row_")]
    return {int(t.split()[0]): " ".join(t.split()[1:]) for t in texts}


def rows(text):
    """Row -> (fault, invariants, result) of what bb_faults.py has printed."""
    found, title = {}, titles()
    for line in text.splitlines():
        m = re.match(r"(ok|not ok) \d+ - (\d+) (.*)$", line)
        if not m:
            continue
        _, _, skip = m[3].partition(" # SKIP ")
        words = title[int(m[2])]
        marks = re.search(r"\s*\[([I\d ]+)\]\s*$", words)
        result = "FAILED" if m[1] != "ok" else \
            f"not run: {skip}" if skip else "holds"
        found[int(m[2])] = (words[:marks.start()] if marks else words,
                            marks[1] if marks else "", result)
    return found


def main():
    if sys.argv[1:] == ["-"]:
        text = sys.stdin.read()
    else:
        text = subprocess.run(
            [sys.executable, os.path.join(HERE, "bb_faults.py")],
            stdout=subprocess.PIPE, text=True, check=False).stdout
    found = rows(text)
    if not found:
        sys.exit("fault_table: no row in what bb_faults.py has printed")
    for row, what in ELSEWHERE.items():
        found.setdefault(row, what)
    print("| # | fault | invariants | outcome |\n| --- | --- | --- | --- |")
    for row in sorted(found):
        fault, marks, result = found[row]
        print(f"| {row} | {fault.replace('|', '/')} | {marks} | {result} |")
    print(f"\n{sum(r == 'holds' for _, _, r in found.values())} rows ran and "
          f"held, {sum(r == 'FAILED' for _, _, r in found.values())} failed.")


if __name__ == "__main__":
    main()
