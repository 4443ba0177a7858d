# SPDX-License-Identifier: ISC
"""The documents held against the programs: pages against tables and --help.

Pages are read as mdoc source: .It Fl for options, .It Ic for verbs and keys,
"Li = VALUE" behind a key for its default.
"""

import glob
import hashlib
import json
import os
import plistlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from docrun import (Shell, Terminal, blocks, own_network, steps, write_file)
import rig

TOP = os.environ.get("srcdir") or rig.TOP


def read(*parts):
    with open(os.path.join(TOP, *parts), encoding="utf-8") as f:
        return f.read()


def makefile(variable):
    """The words of a variable of Makefile.am, all assignments together."""
    text = read("Makefile.am").replace("\\\n", " ")
    return [word for line in re.findall(
        rf"^{variable}\s*\+?=(.*)$", text, re.M) for word in line.split()]


def output(program, *args):
    done = subprocess.run([rig.program(program), *args],
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=30, check=False)
    return done.returncode, done.stdout


PROGRAMS = makefile("bin_PROGRAMS") + makefile("prog_PROGRAMS")
PAGES = makefile("dist_man_MANS")


def page_of(program):
    return next((p for p in PAGES if
                 os.path.basename(p).rsplit(".", 1)[0] == program), None)


def section(text, name):
    """What stands below .Sh or .Ss NAME, up to the next heading."""
    found = re.search(rf"^\.S[hs] {re.escape(name)}\n(.*?)(?=^\.S[hs] |\Z)",
                      text, re.M | re.S)
    return found.group(1) if found else ""


def options_of_page(text):
    """-h and --help of every .It Fl line."""
    found = set()
    for line in re.findall(r"^\.It (Fl .*)$", text, re.M):
        for word in re.findall(r"\bFl (-?[A-Za-z][\w-]*)", line):
            found.add("-" + word)
    return found


def options_of_help(text):
    found = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text))
    for group in re.findall(r"\[-([A-Za-z]+)\]", text):
        found.update("-" + letter for letter in group)
    found.update(re.findall(r"(?<![\w-])-[A-Za-z](?![\w-])", text))
    return found


class Pages(unittest.TestCase):
    def test_every_page_is_clean(self):
        """mandoc finds nothing wrong with any page"""
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not here")
        done = subprocess.run(
            ["mandoc", "-Tlint", "-W", "warning",
             *(os.path.join(TOP, p) for p in PAGES)],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout + done.stderr, "")

    def test_every_program_has_a_page(self):
        """every installed program has a page that is installed"""
        self.assertIn("svtree", PROGRAMS)
        missing = [p for p in PROGRAMS if page_of(p) is None]
        self.assertEqual(missing, [])
        for program in PROGRAMS:
            self.assertRegex(read(page_of(program)),
                             rf"(?m)^\.Nm {program}$")

    def test_every_service_is_documented(self):
        """every page below services/ is installed with its program"""
        for name in sorted(os.listdir(os.path.join(TOP, "services"))):
            page = f"services/{name}/{name}.8"
            if name in PROGRAMS:
                self.assertIn(page, PAGES)

    def test_pages_and_help_name_the_same_options(self):
        """the options of every page are those of --help"""
        for program in PROGRAMS:
            with self.subTest(program):
                code, text = output(program, "--help")
                self.assertEqual(code, 0)
                page = options_of_page(read(page_of(program)))
                self.assertEqual(sorted(page),
                                 sorted(options_of_help(text)))

    def test_every_program_tells_its_version(self):
        """--version prints the program's name and the version"""
        version = re.search(r"AC_INIT\(\[svtree\], \[(.*?)\]",
                            read("configure.ac")).group(1)
        for program in PROGRAMS:
            with self.subTest(program):
                self.assertEqual(output(program, "--version"),
                                 (0, f"{program} {version}\n"))


class Sources(unittest.TestCase):
    def test_every_document_is_in_the_tarball(self):
        """every file below doc/ is in EXTRA_DIST or an installed page"""
        known = set(PAGES + makefile("documents"))
        here = {os.path.join("doc", n)
                for n in os.listdir(os.path.join(TOP, "doc"))}
        self.assertEqual(sorted(here - known), [])

    def test_a_release_fills_in_the_formula(self):
        """the Homebrew formula of a release has its address and checksum"""
        with tempfile.TemporaryDirectory(prefix="rl.", dir="/tmp") as home:
            tarball = os.path.join(home, "svtree-9.8.7.tar.xz")
            with open(tarball, "wb") as f:
                f.write(b"a tarball")
            out = os.path.join(home, "out")
            done = subprocess.run(
                ["sh", os.path.join(TOP, "packaging", "release.sh"), out,
                 "https://example.org/dl/"], capture_output=True, text=True,
                env={**os.environ, "SVTREE_TARBALL": tarball}, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            with open(os.path.join(out, "svtree.rb"), encoding="utf-8") as f:
                formula = f.read()
            if shutil.which("ruby"):
                done = subprocess.run(["ruby", "-c", f.name], text=True,
                                      capture_output=True, check=False)
                self.assertEqual(done.stdout, "Syntax OK\n", done.stderr)
        for line in ('url "https://example.org/dl/svtree-9.8.7.tar.xz"',
                     'homepage "https://example.org/dl/"', 'sha256 "' +
                     hashlib.sha256(b"a tarball").hexdigest() + '"'):
            self.assertIn(line, formula)

    def test_the_workflow_is_one(self):
        """actionlint finds nothing wrong with the GitHub workflow"""
        if not shutil.which("actionlint"):
            self.skipTest("actionlint is not here")
        done = subprocess.run(
            ["actionlint", "-no-color",
             os.path.join(TOP, ".github", "workflows", "test.yml")],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout + done.stderr, "")

    def test_links_lead_somewhere(self):
        """links and paths in the documents name files that exist"""
        for name in makefile("documents"):
            for target in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)",
                                     read(name)):
                path = os.path.join(os.path.dirname(name), target)
                self.assertTrue(os.path.exists(os.path.join(TOP, path)),
                                f"{name}: {target}")
            for path in re.findall(
                    r"`((?:src|include|tests|doc|services)/[\w./*-]+)`",
                    read(name)):
                self.assertTrue(glob.glob(os.path.join(TOP, path)),
                                f"{name}: {path}")


class Examples(unittest.TestCase):
    """What documents show and no test can run, looked at as far as can be."""

    @staticmethod
    def all_blocks(*kinds):
        return [(name, body) for name in makefile("documents")
                for info, body in blocks(read(name))
                if info.split(" ")[0] in kinds
                and not info.startswith("ini systemd")]

    def check(self, directory, bin_dir):
        done = subprocess.run(
            [rig.program("svctl"), "check", directory],
            capture_output=True, text=True, check=False, env={
                **os.environ, "SVTREE_PATH": bin_dir})
        # This machine has other users, paths and services.
        elsewhere = re.compile(
            r"no user |owner of |no group |is not there or not executable|"
            r"directory: |No such file or directory|there is no service |"
            r"install it or |only root can|\d+ errors?$")
        return [line for line in done.stderr.splitlines()
                if not elsewhere.search(line)]

    def test_definitions(self):
        """every service.conf in the documents has only keys that exist"""
        with tempfile.TemporaryDirectory(prefix="sv.") as d:
            bin_dir = os.path.join(d, "bin")
            os.mkdir(bin_dir)
            for i, (_, body) in enumerate(self.all_blocks("ini")):
                program = re.search(r"^exec *= *([\w.-]+)( |$)", body, re.M)
                template = "@" if "\ninstances = " in body else ""
                base = os.path.join(d, "services", f"s{i}{template}")
                os.makedirs(base)
                if program:
                    path = os.path.join(bin_dir, program.group(1))
                    if not os.path.exists(path):
                        os.symlink("/bin/sh", path)
                elif "exec" not in body:
                    body += "\n[service]\nexec = sh\n"
                with open(os.path.join(base, "service.conf"), "w",
                          encoding="utf-8") as f:
                    f.write(body)
                if "ready = check" in body:
                    os.symlink("/bin/sh", os.path.join(base, "check"))
            os.symlink("/bin/sh", os.path.join(bin_dir, "true.sh"))
            if not os.path.exists(os.path.join(bin_dir, "sh")):
                os.symlink("/bin/sh", os.path.join(bin_dir, "sh"))
            self.assertEqual(self.check(os.path.join(d, "services"),
                                        bin_dir), [])

    def test_shell(self):
        """every shell command in the documents is one for a shell"""
        for name, body in self.all_blocks("sh"):
            text = re.sub(r"^\$ ", "", body, flags=re.M)
            if text != body:
                text = "\n".join(s[2:] for s in body.splitlines()
                                 if s.startswith("$ "))
            done = subprocess.run(["bash", "-n"], input=text, text=True,
                                  capture_output=True, check=False)
            self.assertEqual(done.stderr, "", name)

    def test_verbs(self):
        """every svctl command in the documents has words that exist"""
        verbs = Svctl.table()
        options = options_of_page(read("doc", "svctl.1"))
        found = 0
        for name in makefile("documents"):
            text = read(name)
            code = [body for _, body in blocks(text)] + [
                " ".join(span.split()) for span in re.findall(
                    r"`([^`]+)`", re.sub(r"^```.*?^```$", "", text,
                                         flags=re.M | re.S))]
            for call in re.findall(
                    r"(?:^|[$|&;(] ?|sudo |/)svctl ([^\n|;&)]+)",
                    "\n".join(code), re.M):
                for option in re.findall(r"(?<=\s)--[a-z-]+", " " + call):
                    self.assertIn(option, options, f"{name}: {call}")
                call = re.sub(r"^(?:(?:-t|-n|-H|--run|--timeout|--lines|"
                              r"--host) \S+ *|-\S+ *)+", "", call)
                if re.match(r"[a-z]", call):
                    self.assertIn(call.split()[0], verbs, f"{name}: {call}")
                    found += 1
        self.assertGreater(found, 20)

    def test_systemd_unit(self):
        """the systemd unit in install.md is one"""
        unit = next(b for i, b in blocks(read("doc", "install.md"))
                    if i.startswith("ini systemd"))
        for key in ("KillMode=process", "OOMPolicy=continue",
                    "TimeoutStopSec=90"):
            self.assertIn(key, unit)
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not here")
        with tempfile.TemporaryDirectory(prefix="sv.") as d:
            path = os.path.join(d, "svtree.service")
            with open(path, "w", encoding="utf-8") as f:
                f.write(unit.replace("/usr/local/bin", rig.BIN))
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", path],
                capture_output=True, text=True, check=False)
        self.assertEqual([line for line in done.stderr.splitlines()
                          if "svtree" in line], [])

    def test_launchd_job(self):
        """the launchd job in install.md is a property list with its keys"""
        text = next(b for i, b in blocks(read("doc", "install.md"))
                    if i.startswith("xml"))
        job = plistlib.loads(text.encode())
        self.assertEqual(job["KeepAlive"], {"SuccessfulExit": False})
        self.assertGreaterEqual(job["ExitTimeOut"], 90)
        self.assertEqual(job["ProcessType"], "Interactive")
        self.assertIs(job["AbandonProcessGroup"], True)
        for word in job["ProgramArguments"]:
            self.assertNotRegex(word, r"[~$ ]")


class Svctl(unittest.TestCase):
    @staticmethod
    def table():
        """The verbs of the table in the source."""
        text = read("src", "svctl.c") + "".join(
            read("src", n) for n in ("svctl_verbs.c",)
            if os.path.exists(os.path.join(TOP, "src", n)))
        body = re.search(r"svctl_verbs\[\] = \{(.*?)\n\};", text, re.S)
        return re.findall(r'^\{ "([a-z-]+)"', body.group(1), re.M)

    def test_page_names_the_verbs_of_the_table(self):
        """svctl.1 explains exactly the verbs of the table"""
        page = section(read("doc", "svctl.1"), "DESCRIPTION")
        verbs = re.findall(r"^\.It Ic ([a-z-]+)", page, re.M)
        self.assertEqual(sorted(verbs), sorted(self.table()))
        self.assertGreater(len(verbs), 10)

    def test_help_names_the_verbs_of_the_table(self):
        """svctl --help lists exactly the verbs of the table"""
        _, text = output("svctl", "--help")
        verbs = re.findall(r"^  ([a-z][a-z-]*) ", text, re.M)
        self.assertEqual(sorted(verbs), sorted(self.table()))

    def test_every_verb_has_help(self):
        """svctl VERB --help prints the usage of the verb"""
        for verb in self.table():
            code, text = output("svctl", verb, "--help")
            self.assertEqual(code, 0)
            self.assertIn(f"usage: svctl {verb}", text)


class Keys(unittest.TestCase):
    @staticmethod
    def table():
        """[section] key -> default, as svctl keys prints it."""
        found, name = {}, None
        for line in output("svctl", "keys")[1].splitlines():
            if line.startswith("["):
                name = line
            elif line:
                words = re.split(r" {2,}| ", line)
                value = re.match(r"\S+\s+.{10} (\S+)", line).group(1)
                found[f"{name} {words[0]}"] = value
        return found

    @staticmethod
    def page():
        found = {}
        text = read("doc", "svtree.conf.5")
        for name in re.findall(r"^\.Ss (\[.*\])$", text, re.M):
            for key, value in re.findall(
                    r"^\.It Ic (\S+)(?: Li = (.*))?$",
                    section(text, name), re.M):
                found[f"{name} {key}"] = value or "-"
        return found

    def test_page_has_the_keys_of_the_table(self):
        """svtree.conf.5 has exactly the keys of the table, and defaults"""
        table = self.table()
        self.assertGreater(len(table), 40)
        self.assertEqual(self.page(), table)

    def test_limits_are_those_of_the_table(self):
        """svtree.conf.5 names the limits that the program knows"""
        text = "".join(read("src", n) for n in
                       sorted(os.listdir(os.path.join(TOP, "src")))
                       if n.startswith("conf_") and n.endswith(".c"))
        table = re.findall(r'\{ "([a-z-]+)", RLIMIT_', text)
        page = re.search(r"^\.Cm (as .*) \.$",
                         section(read("doc", "svtree.conf.5"), "[limits]"),
                         re.M).group(1).split(" , ")
        self.assertGreater(len(table), 5)
        self.assertEqual(sorted(page), sorted(table))


# Members of the JSON that differ from run to run.
FREE = {"pid", "seq", "since", "at", "loaded", "next_at"}


def alike(example, real, where=""):
    """What differs between an example and a reply; None when nothing does.
    Members whose values differ from run to run need only be there."""
    if isinstance(example, dict) and isinstance(real, dict):
        if list(example) != list(real):
            return f"{where}: {list(example)}, not {list(real)}"
        for key in example:
            free = key in FREE or (where.endswith("supervisor") and
                                   isinstance(example[key], str))
            if free and isinstance(real[key], type(example[key])):
                continue
            bad = alike(example[key], real[key], f"{where}.{key}")
            if bad:
                return bad
        return None
    if isinstance(example, list) and isinstance(real, list) and \
            len(example) == len(real):
        for i, pair in enumerate(zip(example, real)):
            bad = alike(*pair, f"{where}[{i}]")
            if bad:
                return bad
        return None
    return None if example == real else f"{where}: {example!r}, not {real!r}"


class Protocol(rig.Case):
    """doc/protocol.md, its examples run against a tree."""

    @classmethod
    def setUpClass(cls):
        cls.text = read("doc", "protocol.md")
        cls.interface = read("src", "org.svtree.varlink")
        cls.services = {
            re.match(r"ini services/(\w+)/", info).group(1): body
            for info, body in blocks(cls.text) if info.startswith("ini ")}
        cls.calls = []
        for info, body in blocks(cls.text):
            if info == "json" and body.startswith("-->"):
                call, reply = body.strip().split("\n")
                assert reply.startswith("<-- "), reply
                cls.calls.append((json.loads(call[4:]),
                                  json.loads(reply[4:])))

    @staticmethod
    def is_settled(tree):
        states = {sv["name"]: sv["state"]
                  for sv in tree.call("Status")["services"]}
        return states["web"] in ("UP", "DOWN") and \
            states["job"] == ("DOWN" if states["web"] == "UP" else
                              states["job"]) and \
            not {"STARTING", "STOPPING", "FINISHING"} & set(states.values())

    def headings(self, kind):
        found = re.search(rf"^## {kind}\n(.*?)(?=^## |\Z)", self.text,
                          re.M | re.S)
        return re.findall(r"^### (\w+)$", found.group(1), re.M)

    def test_names_those_of_the_interface(self):
        """protocol.md has exactly the methods, types and errors there are"""
        for kind, word in (("Methods", "method"), ("Types", "type"),
                           ("Errors", "error")):
            self.assertEqual(
                sorted(self.headings(kind)),
                sorted(re.findall(rf"^{word} (\w+)", self.interface, re.M)))

    def test_names_the_events(self):
        """protocol.md tells of every kind of event that the source has"""
        kinds = set()
        for path in glob.glob(os.path.join(TOP, "src", "*.c")):
            with open(path, encoding="utf-8") as f:
                kinds.update(re.findall(
                    r'event_(?:tell|tree)\([^;"]*"([a-z]+)"', f.read()))
        self.assertGreater(len(kinds), 10)
        table = re.search(r"\| event \|.*?\n\n", self.text, re.S).group(0)
        self.assertEqual(kinds - set(re.findall(r"`([a-z]+)`", table)), set())

    def test_every_field_is_in_an_example(self):
        """the members of Service and Supervisor are those of the example"""
        example = next(r for c, r in self.calls
                       if c["method"].endswith("Status"))["parameters"]
        for name, real in (("Service", example["services"][0]),
                           ("Supervisor", example["supervisor"])):
            body = re.search(rf"^type {name} \((.*?)^\)", self.interface,
                             re.M | re.S).group(1)
            self.assertEqual(list(real), re.findall(r"^  (\w+):", body, re.M))

    def test_examples(self):
        """every example of protocol.md is answered as it says"""
        last = [c for c in self.calls if c[0]["method"].endswith("Shutdown")]
        self.assertEqual(len(last), 1)
        self.assertGreater(len(self.calls), 14)
        tree = self.tree(self.services)
        for call, reply in [c for c in self.calls if c not in last] + last:
            rig.eventually(lambda: self.is_settled(tree), 30, "a quiet tree")
            with rig.Varlink(tree.socket) as link:
                link.send_raw(json.dumps(call).encode() + b"\0")
                got = link.receive()
            self.assertIsNone(alike(reply, got), f"{call} -> {got}")
        self.assertEqual(tree.process.wait(30), 0)

    def test_program(self):
        """the program in protocol.md prints the states"""
        body = next(b for i, b in blocks(self.text) if i == "python run")
        tree = self.tree(self.services)
        rig.eventually(lambda: self.is_settled(tree), 30, "a quiet tree")
        done = subprocess.run(
            [sys.executable, "-c", body], capture_output=True, text=True,
            env={**os.environ, "SVTREE_RUN": tree.run}, check=True)
        self.assertEqual(done.stdout, "job DOWN\nsvlog UP\nweb UP\n")

    def test_oneway_gets_no_reply(self):
        """a call with oneway is done and gets no reply"""
        tree = self.tree(self.services)
        with rig.Varlink(tree.socket) as link:
            for method in ("Stop", "Status"):
                link.send_raw(json.dumps(
                    {"method": f"org.svtree.{method}", "oneway": True,
                     "parameters": {"name": "web"}}).encode() + b"\0")
            self.assertEqual(link.call("Once", {"name": "job"}).keys(),
                             {"started"})
        tree.wait("web", "DOWN")


class Guide(rig.Case):
    """The guides below doc/: what they show is run."""

    def settle(self, name):
        """A home, a tree in it, and a shell with both."""
        tree = rig.Tree(start=False)
        self.addCleanup(tree.close)
        home = tree.path("me")
        tree.services = os.path.join(home, ".svtree", "services")
        os.makedirs(tree.services)
        tree.extra_env["HOME"] = home
        tree.start()
        env = {**tree.environment(), "SVTREE_RUN": tree.run,
               "PATH": rig.BIN + ":" + os.environ["PATH"], "TERM": "dumb",
               "LC_ALL": "C.UTF-8"}
        shell = Shell(env, home)
        self.addCleanup(shell.close)
        return home, shell

    def run_document(self, name):
        text = read("doc", name)
        home, shell = self.settle(name)
        ran = 0
        for info, body in blocks(text):
            if info == "sh run":
                for *_, bad in shell.check(steps(body)):
                    self.fail(f"{name}: {bad}")
                ran += 1
            else:
                write_file(info, body, home)
        self.assertGreater(ran, 0)

    def test_no_document_is_left_out(self):
        """every document with a block "sh run" has a test here"""
        for name in makefile("documents"):
            if any(i == "sh run" for i, _ in blocks(read(name))):
                word = os.path.basename(name)[:-len(".md")].replace(".", "_")
                self.assertIn("test_" + word, dir(self))

    def test_migration(self):
        """doc/migration.md does what it shows"""
        self.run_document("migration.md")

    def test_operator_ru(self):
        """doc/operator.ru.md does what it shows"""
        self.run_document("operator.ru.md")

    def test_services(self):
        """doc/services.md does what it shows"""
        self.run_document("services.md")


def answers(path):
    """Somebody listens on the socket of that name."""
    try:
        rig.Varlink(path).close()
        return True
    except OSError:
        return False


class Tour(rig.Case):
    """The five minutes of README, with ./dev run in a terminal."""

    PORTS = (11434, 11435, 9099)

    def settle(self):
        """A checkout that is built: links to the sources and the build."""
        top = tempfile.mkdtemp(prefix="sv.", dir="/tmp")
        self.addCleanup(shutil.rmtree, top, True)
        os.mkdir(os.path.join(top, "build"))
        for name in ("dev", "services"):
            os.symlink(os.path.join(TOP, name), os.path.join(top, name))
        for name in PROGRAMS + makefile("noinst_PROGRAMS"):
            os.symlink(rig.program(name), os.path.join(top, "build", name))
        return top

    def tour(self, name):
        text = re.search(r"^(?:Five minutes|Пять минут)\n-+\n(.*?)"
                         r"^\S[^\n]*\n-+$",
                         read(name), re.M | re.S).group(1)
        lines = [line[4:] for line in text.splitlines()
                 if line.startswith("    ") or not line]
        calls = steps("\n".join(lines))
        self.assertEqual(calls[0], ["./dev run", []])
        self.assertGreater(len(calls), 5)
        return calls[1:]

    def rewrite(self, command, shown, printed):
        """Puts what is printed in the place of what is shown."""
        logs = [line.startswith("  20") for line in printed]
        if any(logs):
            printed = printed[:logs.index(True)] + ["..."]
        lines = ["    " + line for line in printed if line.strip()]
        for name in ("README", "README.ru"):
            head = f"    $ {command}\n"
            old = head + "".join(f"    {line}".rstrip() + "\n"
                                 for line in shown)
            new = head + "".join(line.rstrip() + "\n" for line in lines)
            text = read(name)
            self.assertIn(old, text)
            with open(os.path.join(TOP, name), "w", encoding="utf-8") as f:
                f.write(text.replace(old, new, 1))

    def run_tour(self, name):
        write = os.environ.get("SVTREE_DOCS_WRITE")
        if shutil.which("ollama"):
            self.skipTest("the tour is of a machine without Ollama")
        top = self.settle()
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("SVTREE_")}
        env.update(HOME=top, DEV_NO_BUILD="1", TERM="xterm",
                   DOCKER_HOST=f"unix://{top}/no-engine", LC_ALL="C.UTF-8",
                   XDG_RUNTIME_DIR=top)
        with Terminal(["./dev", "run"], env, top,
                      own_network(self.PORTS, self)) as first:
            shell = Shell({**env, "TERM": "dumb"}, top, first.enter)
            self.addCleanup(shell.close)
            rig.eventually(
                lambda: first.is_alive() and answers(
                    os.path.join(top, "build/run-tree/run/control")),
                60, "a running tree")
            for command, shown, printed, bad in shell.check(
                    self.tour(name), *([25] if write else [])):
                if not write:
                    self.fail(f"{name}: {bad}\n\n(SVTREE_DOCS_WRITE=1 "
                              "writes it anew)\n\n"
                              f"./dev run said:\n{first.said()}")
                self.rewrite(command, shown, printed)
            self.assertEqual(first.interrupt(60), 0, first.said())

    def test_readme(self):
        """the tour of README shows what it says"""
        self.run_tour("README")

    def test_readme_in_russian(self):
        """README.ru has the tour of README"""
        self.assertEqual(self.tour("README.ru"), self.tour("README"))


if __name__ == "__main__":
    rig.main()
