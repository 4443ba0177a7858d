# SPDX-License-Identifier: ISC
"""Figures to words: a table for the terminal, JSON, doc/performance.md."""

import json
import os
import platform
import statistics
import subprocess

OURS = "svtree"
FLOORS = ("floor", "floor-fork", "true", "cat")
MORE_IS_BETTER = ("MB/s",)
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
    if ours is None:
        return result
    for name in FLOORS:
        if of.get(name, {}).get("median"):
            result["ratios"][name] = ours["median"] / of[name]["median"]
    peers = {name: v["median"] for name, v in of.items()
             if name != OURS and name not in FLOORS}
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
    for name, v in result["systems"].items():
        yield (f"    {name:12} {number(v['median']):>8}   "
               f"{number(v['min'])} to {number(v['max'])}, {v['n']} samples")
    for name, why in result["missing"].items():
        yield f"    {name:12} {'-':>8}   {why}"
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


def markdown(results, about, method):
    columns = [c for c in ("floor", "floor-fork", "true", "cat", "svtree",
                           "runit", "s6", "daemontools", "supervisord",
                           "nitro", "dinit")
               if any(c in r["systems"] for r in results)]
    text = method.format(**about)
    text += row(["Measure", "Unit", *columns, "to the floor",
                 "to the best peer", "target"])
    text += row(["---"] * (len(columns) + 5))
    for r in results:
        cells = [number(r["systems"][c]["median"]) if c in r["systems"]
                 else "" for c in columns]
        floors = [f"{v:.2f} ({k})" for k, v in r["ratios"].items()
                  if k != "best peer"]
        peer = r["ratios"].get("best peer")
        text += row([r["title"], r["unit"], *cells, ", ".join(floors),
                     f"{peer:.2f} ({r['best_peer']})" if peer else "",
                     r["target"]])
    sizes = next((r for r in results if r["name"] == "size"), None)
    if sizes:
        text += "\nSizes: " + ", ".join(
            f"{name} {number(v['median'])} KB"
            for name, v in sizes["systems"].items()) + ".\n"
    return text
