# SPDX-License-Identifier: ISC
"""Figures to words: a table for the terminal, JSON, doc/performance.md."""

import json
import os
import platform
import re
import statistics
import subprocess

import floors

OURS = "svtree"
FLOORS = ("floor", "floor-fork", "floor-kept", "floor-shared", "true", "cat")
BARE = ("floor", "floor-fork")
VARIANTS = ("svtree-static",)   # ours, linked otherwise
MORE_IS_BETTER = ("MB/s", "1/s")
VERSIONS = {"runit": "runit", "s6": "s6", "daemontools": "daemontools",
            "supervisord": "supervisor", "dinit": "dinit"}


def summary(samples):
    return {"median": statistics.median(samples), "min": min(samples),
            "max": max(samples), "n": len(samples)}


def figures(measure, samples):
    """The result of one measure, as it goes to JSON."""
    of = {name: summary(values) for name, values in samples.of.items()
          if values}
    result = {"name": measure["name"], "title": measure["title"],
              "unit": measure["unit"], "target": measure["target"],
              "systems": of, "missing": samples.why, "ratios": {}}
    ours = of.get(OURS)
    if ours is None or measure["name"].startswith("size"):
        return result
    for name in FLOORS:
        if of.get(name, {}).get("median"):
            result["ratios"][name] = ours["median"] / of[name]["median"]
    peers = {name: v["median"] for name, v in of.items()
             if name not in (OURS, *FLOORS, *VARIANTS)}
    if peers:
        better = max if measure["unit"] in MORE_IS_BETTER else min
        best = better(peers, key=peers.get)
        if peers[best]:
            result["ratios"]["best peer"] = ours["median"] / peers[best]
        result["best_peer"] = best
    return result


def number(value):
    if value >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"


def lines(result):
    """One measure as lines for people."""
    yield f"{result['title']}, {result['unit']}" + (
        f" (target: {result['target']})" if result["target"] else "")
    width = max([12, *map(len, result["systems"]),
                 *map(len, result["missing"])])
    for name, v in result["systems"].items():
        yield (f"    {name:{width}} {number(v['median']):>8}   "
               f"{number(v['min'])} to {number(v['max'])}, {v['n']} samples")
    for name, why in result["missing"].items():
        yield f"    {name:{width}} {'-':>8}   {why}"
    if result["ratios"]:
        best = result.get("best_peer")
        yield "    svtree is " + ", ".join(
            f"{ratio:.2f} x {best if name == 'best peer' else name}"
            for name, ratio in result["ratios"].items())


def versions():
    found = {}
    for name, package in VERSIONS.items():
        out = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", package],
            capture_output=True, text=True, check=False)
        if out.returncode == 0 and out.stdout:
            found[name] = out.stdout
    return found


def machine():
    model = ""
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"system": f"{platform.system()} {platform.release()}",
            "processor": model, "processors": os.cpu_count(),
            "load": os.getloadavg()[0]}


def to_json(path, results, about):
    with open(path, "w") as f:
        json.dump({"about": about, "results": results}, f, indent=1)
        f.write("\n")


def row(cells):
    return "| " + " | ".join(cells) + " |\n"


# Chapters of the page: heading, how the names of its measures begin.
CHAPTERS = (
    ("Restart, start, stop", ("restart", "crash-loop", "start-", "stop-1",
                              "busy-cpu", "kill")),
    ("Memory and rest", ("memory", "private", "kernel", "idle")),
    ("Control", ("spawn", "status", "stop-one", "stop-said", "reload",
                 "adopt", "upgrade")),
    ("Logger", ("log-",)),
    ("Programs around it", ("health", "listener")),
    ("Time to repair", ("repair",)),
    ("Size of the programs", ("size",)),
)


def chapter_of(name):
    if name in ("stop-one", "stop-said"):
        return "Control"
    return next((heading for heading, begins in CHAPTERS
                 if name.startswith(begins)), CHAPTERS[0][0])


def is_linear(result, results):
    """No dearer at 10,000 than at 1,000, against the floor of each."""
    few = next((r for r in results
                if r["name"] == result["name"].replace("10000", "1000")), None)
    if few is None or not few["ratios"].get("floor"):
        return None
    return result["ratios"]["floor"] <= 1.25 * few["ratios"]["floor"]


def is_met(result, results):
    """True, False, or None when there is no target or no figure."""
    target, of = result["target"], result["systems"]
    if result["name"] == "size":
        wanted = dict(w.split() for w in target.split(", "))
        return all(of[k]["median"] <= float(v) for k, v in wanted.items()
                   if k in of)
    if not target or OURS not in of:
        return None
    ours = of[OURS]["median"]
    if target == "linear":
        return is_linear(result, results)
    if target.endswith("over the floor"):
        floor = max((of[f]["median"] for f in BARE if f in of), default=None)
        return None if floor is None else \
            ours - floor <= float(target.split()[0]) * 1000
    words = target.split(" ", 2)
    if words[1:2] == ["x"]:
        ratio = result["ratios"].get("true" if words[2] == "spawn of nothing"
                                     else words[2])
        return None if ratio is None else ratio <= float(words[0])
    limit = float(re.match(r"[\d.]+", target).group())
    return ours >= limit if result["unit"] in MORE_IS_BETTER else \
        ours <= limit


SAYS = {True: "met", False: "**not met**", None: ""}


def chapter(heading, mine, results):
    """One heading with its table; its columns are who has a figure."""
    columns = []
    for r in mine:
        columns += [c for c in r["systems"] if c not in columns]
    columns.sort(key=lambda c: (c not in FLOORS, c != OURS,
                                c not in VARIANTS))
    text = f"### {heading}\n\n"
    text += row(["Measure", "Unit", *columns, "to the floor",
                 "to the best peer", "target", ""])
    text += row(["---", "---", *["---:"] * len(columns), "---:", "---:",
                 "---", "---"])
    notes = []
    for r in mine:
        cells = [number(r["systems"][c]["median"]) if c in r["systems"]
                 else "" for c in columns]
        floors = [f"{v:.2f} ({k})" for k, v in r["ratios"].items()
                  if k != "best peer"]
        peer = r["ratios"].get("best peer")
        text += row([r["title"], r["unit"], *cells, ", ".join(floors),
                     f"{peer:.2f} ({r['best_peer']})" if peer else "",
                     r["target"], SAYS[is_met(r, results)]])
        notes += [f"- {r['title']}: {name}: {why}\n"
                  for name, why in r["missing"].items()
                  if not why.startswith("not here")]
    return text + ("\n" if notes else "") + "".join(notes) + "\n"


def markdown(results, about, method):
    verdicts = [is_met(r, results) for r in results]
    text = method.format(**about)
    text += (f"Of {sum(v is not None for v in verdicts)} targets "
             f"{sum(v is True for v in verdicts)} are met.\n\n")
    for heading, _ in CHAPTERS:
        mine = [r for r in results if chapter_of(r["name"]) == heading]
        if mine:
            text += chapter(heading, mine, results)
    text += floors.chapter(results, is_met)
    return text.rstrip("\n") + "\n"
