# SPDX-License-Identifier: ISC
"""Where the floor is: what lies beneath the figures that have a target, from
what the same run has measured. Says nothing of which there is no figure."""


class Figures:
    """Medians of a run: of("memory-1", "svtree"), None where there is none."""

    def __init__(self, results):
        self.results = {r["name"]: r for r in results}

    def of(self, name, system="svtree"):
        found = self.results.get(name, {"systems": {}})["systems"]
        return found[system]["median"] if system in found else None

    def all(self, *wanted):
        """All of these, or None when one is missing."""
        values = [self.of(*w) for w in wanted]
        return None if None in values else values


def static_words(f, name):
    static = f.of(name, "svtree-static")
    return "" if static is None else \
        f" The same source linked with musl (`./dev static`): {static:.0f} KB."


def memory_one(f):
    v = f.all(("memory-1",), ("memory-1-libc",), ("private-1",),
              ("memory-1", "floor-shared"))
    if v is None:
        return None
    ours, libc, private, bare = v
    words = (f"Of {ours:.0f} KB, {libc:.0f} are pages of libc and its loader, "
             "fewer the more processes there are to share them, and "
             f"{private:.0f} are private. The bare parent on the same libc "
             "(*floor-shared*: it spawns and waits, and that is all) has "
             f"{bare:.0f} KB")
    if bare > 300:
        words += ", so that no program on that libc has 300 KB here"
    return words + "." + static_words(f, "memory-1")


def memory_many(f):
    v = f.all(("memory-1000",), ("memory-1000-libc",), ("private-1000",),
              ("private-1",))
    if v is None:
        return None
    ours, libc, private, one = v
    return (f"Of {ours:.0f} KB, {libc:.0f} are libc's; a service costs "
            f"{(private - one) / 999:.2f} KB: its definition, the copy of "
            "its record that the next write starts from, its names."
            + static_words(f, "memory-1000"))


def memory_logs(f):
    v = f.all(("memory-logs",), ("memory-logs-libc",))
    if v is None:
        return None
    return (f"Two processes; of their {v[0]:.0f} KB, {v[1]:.0f} are libc's."
            + static_words(f, "memory-logs"))


def kernel(f):
    v = f.all(("kernel-1000",), ("kernel-1000", "floor"),
              ("kernel-1000", "floor-fork"), ("kernel-1000", "floor-kept"))
    if v is None:
        return None
    ours, spawn, fork, kept = v
    bare = max(spawn, fork)
    return (f"svtree is {(ours - bare) / 1000:.1f} MB over the floor. The "
            "bare parent whose services have what svtree promises them "
            "(*floor-kept*: each a session, a directory, a lock that it "
            "holds, a FIFO that it writes to) is "
            f"{(kept - bare) / 1000:.1f} MB over it: inodes and a pipe that "
            "the kernel may not take back, and the scheduling group that "
            "Linux makes for a session. Between the two lie the supervisor's "
            "and the logger's ends of each FIFO. The two floors themselves "
            f"are {abs(spawn - fork) / 1000:.1f} MB apart in this run.")


def status_one(f):
    v = f.all(("status-one",), ("status-one", "true"), ("status-nothing",))
    if v is None:
        return None
    ours, spawn, nothing = v
    return (f"A spawn of nothing takes {spawn:.2f} ms, svctl that only tells "
            f"its version {nothing:.2f}; connection, answer and the page, "
            f"with what it looks up beside, the other {ours - nothing:.2f}.")


def status_all(f):
    v = f.all(("status-all",), ("status-all", "true"), ("status-json",))
    if v is None:
        return None
    ours, spawn, passed = v
    return (f"The answer of 1000 services, passed on as it is (`--json`): "
            f"{passed:.2f} ms, {passed / spawn:.1f} spawns; to read it and "
            f"to draw the table, the other {ours - passed:.2f}.")


def size(f):
    v = f.all(("size",), ("size-code",), ("size-constants",))
    if v is None:
        return None
    total, code, constants = v
    return (f"svtree's {total:.0f} KB are {code:.0f} of code, "
            f"{constants:.0f} of constants (the table of keys with its help, "
            "the interface's text, messages) and "
            f"{total - code - constants:.0f} of tables for linking. "
            "Functions and data that nothing refers to are left out of it, "
            "unwind tables too; the stack protector and FORTIFY are in it.")


WORDS = (
    ("memory-1", memory_one), ("memory-1000", memory_many),
    ("memory-logs", memory_logs), ("kernel-1000", kernel),
    ("status-one", status_one), ("status-all", status_all), ("size", size),
)


def chapter(results, is_met):
    """The section of the page, "" when there is nothing to say."""
    f = Figures(results)
    text = ""
    for name, words in WORDS:
        said = words(f)
        if said is None:
            continue
        r = f.results[name]
        met = {True: "met", False: "**not met**"}[is_met(r, results)]
        text += f"- {r['title']} (target: {r['target']}; {met}). {said}\n"
    return "## Where the floor is\n\n" \
        "What lies beneath these figures, measured in the same run:\n\n" \
        + text if text else ""
