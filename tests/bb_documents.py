# SPDX-License-Identifier: ISC
"""The documents followed, each on a machine of its own (docmachine.py).

    ```sh root      every command as root; each must succeed
    ```sh me        the same as a plain user
    ```sh mac       the same as that user of a Mac: launchctl, plutil and brew
                    are stand-ins
    ```sh run       in tests/docs.py: in a tree that is there already

With "$ " before the commands, what they print is held against what is shown.
A line that is only `svtree` starts it in the foreground, looks at it from
another terminal and ends it by Ctrl-C.
"""

import glob
import os
import re
import time
import unittest

from docrun import blocks, commands, steps
import dockerd
import docmachine
import rig

TOP = docmachine.TOP

# What is not run here, by how it begins, and why.
NOT_RUN = {
    "autoreconf -i && ./configure && make":
        "takes minutes; the tests run from what it builds, and the machine "
        "here has what make install-exec install-data put there",
    "./dev deps": "installs packages on the machine of the tests, which "
        "./dev test did before them",
    "dpkg-buildpackage": "builds and tests all once more: by hand, see "
        "debian/tests/heal",
    "sudo apt-get install ../svtree_": "needs that package",
}

BASE = "/usr/local/share/svtree/services"
WEB = "[service]\nexec = sh -c 'echo up; exec sleep 100000'\n"
JOB = """<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>Label</key><string>%s</string></dict></plist>
"""


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


def documents():
    text = read("Makefile.am").replace("\\\n", " ")
    return re.search(r"^documents = (.*)$", text, re.M).group(1).split()


def spans(name):
    """Commands within the sentences: words between backquotes."""
    text = re.sub(r"^ *```.*?^ *```$", "", read(name), flags=re.M | re.S)
    return {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)}


def is_left_out(command):
    return any(command.startswith(words) for words in NOT_RUN)


def indented(text, heading):
    """The commands of an indented block of README below a heading."""
    part = re.search(rf"^{heading}\n-+\n(.*?)(?=^\S[^\n]*\n-+$)", text,
                     re.M | re.S).group(1)
    lines = [line[4:].split(" #")[0].rstrip() for line in part.splitlines()
             if re.match(r"    \S", line)]
    return [line for line in lines if line and not line.startswith("#")]


class Kinds(unittest.TestCase):
    def test_no_command_is_left_out(self):
        """every block of commands in the documents says who runs it"""
        for name in documents():
            for info, body in blocks(read(name)):
                words = info.split()
                if words[:1] != ["sh"]:
                    continue
                self.assertEqual(len(words), 2, f"{name}: {info}\n{body}")
                self.assertTrue(
                    words[1] in ("run", "root", "me", "mac")
                    or words[1].startswith("~/"), f"{name}: {info}")

    def test_what_is_not_run_is_there(self):
        """every exception is one that a document has"""
        text = "\n".join(read(name) for name in documents())
        for words in NOT_RUN:
            self.assertIn(words, text)

    def test_pages_and_options_are_there(self):
        """every `man PAGE` and svtree option of the sentences is there"""
        pages = {os.path.basename(p).rsplit(".", 1)[0] for p in
                 glob.glob(os.path.join(TOP, "doc", "*.[158]"))
                 + glob.glob(os.path.join(TOP, "services", "*", "*.8"))}
        help_text = rig.subprocess.run(
            [rig.program("svtree"), "--help"], text=True, check=True,
            capture_output=True).stdout
        found = 0
        for name in documents() + ["README", "README.ru"]:
            for span in spans(name):
                if re.match(r"man \w", span):
                    self.assertIn(span.split()[1], pages, name)
                    found += 1
                for option in re.findall(r"^svtree (--\w+)", span):
                    self.assertIn(option, help_text, name)
                    found += 1
        self.assertGreater(found, 5)

    def test_dev_has_its_words(self):
        """every ./dev WORD of the documents is one of ./dev help"""
        known = set(re.findall(r"^\s+(?:\./dev )?(\w+)", rig.subprocess.run(
            [os.path.join(TOP, "dev"), "help"], text=True, check=True,
            capture_output=True).stdout, re.M))
        for name in documents() + ["CONTRIBUTING"]:
            for word in re.findall(r"\./dev (\w+)", read(name)):
                self.assertIn(word, known, name)


class Followed(rig.Case):
    def follow(self, name, machine, before=None, names=None,
               files=True):
        """Runs what the document says, in its order; before: what is called
        before the block that begins with these words."""
        ran = 0
        for info, body in blocks(read(name)):
            for word, real in (names or {}).items():
                body = body.replace(word, real)
            for word, call in (before or {}).items():
                if body.startswith(word):
                    call()
            words = info.split()
            if words[:1] == ["sh"] and words[1] in ("root", "me", "mac"):
                ran += self.block(machine, words[1], body, name)
            elif files and words[:1] in (["ini"], ["xml"], ["yaml"]) and words[-1][0] in "~/":
                home = docmachine.HOMES["mac" if words[0] == "xml" else "me"]
                machine.write(words[-1].replace("~", home), body)
        self.assertGreater(ran, 0)

    def block(self, machine, who, body, name):
        shell = machine.shell(who)
        if body.startswith("$ "):
            for command, *_, bad in shell.check(steps(body)):
                self.fail(f"{name}: as {who}: {bad}")
            return len(steps(body))
        return self.lines(machine, who, commands(body), name)

    def lines(self, machine, who, calls, name):
        ran = 0
        for command in calls:
            if is_left_out(command):
                continue
            ran += 1
            if command == "svtree":
                self.assertIsNone(machine.foreground(who, command), name)
                continue
            if " -f " in command:       # a person ends it
                command = ("timeout -s INT --preserve-status 2 "
                           f"{command} || test $? = 130")
            code, text = machine.shell(who).run(command)
            self.assertEqual(code, 0, f"{name}: as {who}: $ {command}\n"
                             f"{text}")
        return ran

    def tree(self, machine, who="root"):
        """A tree of root's that runs; what it printed stays in /tmp."""
        shell = machine.shell(who)
        shell.run("setsid svtree >/tmp/svtree.out 2>&1 &")
        rig.eventually(lambda: shell.run("svctl")[0] == 0, 60,
                       "a tree in which all is up")
        self.addCleanup(shell.run, "svctl shutdown")

    def test_containers(self):
        """doc/containers.md, with a real dockerd"""
        dockerd.start("bb_documents")
        engine = dockerd.daemon
        engine.docker("tag", "box:1", "knowledge-os/orchestrator:1")
        machine = docmachine.Machine(self, [engine.dir])
        machine.do(f"export DOCKER_HOST=unix://{engine.socket}")
        machine.write("/etc/svtree/services/web/service.conf", WEB)
        self.tree(machine)
        self.follow("doc/containers.md", machine)

    def test_install(self):
        """doc/install.md, on Linux as root and as a user of a Mac"""
        machine = docmachine.Machine(self)
        machine.do(f"cd {docmachine.BUILD}")
        home = docmachine.HOMES["mac"]
        machine.write(home + "/.svtree/services/ollama/service.conf",
                      WEB)
        machine.shell("mac").run("mkdir -p ~/Library/Logs")
        self.follow("doc/install.md", machine)
        left = machine.root.run("ls /usr/local/bin/svtree /usr/local/bin/"
                                "svctl /usr/local/libexec/svtree")[1]
        self.assertNotRegex(left, r"(?m)^svctl|^/usr/local/bin/svtree$")

    def test_security(self):
        """doc/security.md, as root"""
        machine = docmachine.Machine(self)
        machine.write("/etc/svtree/services/web/service.conf", WEB)
        machine.do("chmod -R g+w /etc/svtree")
        self.follow("doc/security.md", machine)
        self.assertEqual(machine.root.run(
            "find /etc/svtree -perm /022 -o ! -user root")[1], "")
        self.assertEqual(machine.root.run(
            "stat -c %a /etc/svtree/secrets/worker.env")[1], "600\n")

    def test_troubleshooting(self):
        """doc/troubleshooting.md, of a service that is up"""
        machine = docmachine.Machine(self)
        machine.write("/etc/svtree/services/web/service.conf", WEB)
        self.tree(machine)
        self.follow("doc/troubleshooting.md", machine, names={"NAME": "web"})

    def test_probes(self):
        """doc/probes.md, with the example services"""
        machine = docmachine.Machine(self)
        machine.do("mkdir -p /etc/svtree/services; cd /etc/svtree/services; "
                   f"for s in ollama health-monitor recovery-listener; do "
                   f"cp -R {BASE}/$s .; done")
        self.tree(machine)
        machine.do("svctl wait --healthy ollama recovery-listener")
        self.follow("doc/probes.md", machine)
        code, text = machine.root.run(
            "curl -fs http://127.0.0.1:9099/health/nothing || echo later")
        self.assertEqual((code, text), (0, "later\n"))

    def test_services(self):
        """doc/services.md: the first tree, and those of other machines"""
        machine = docmachine.Machine(self)
        machine.write("/home/me/.svtree/services/ollama/service.conf", WEB)
        self.follow("doc/services.md", machine,
                    {"svctl -H": lambda: self.tree(machine, "me")},
                    files=False)

    def test_migration(self):
        """doc/migration.md: jobs of launchd and Homebrew that are left"""
        machine = docmachine.Machine(self)
        for label in ("com.example.job", "com.atra.auto-recovery"):
            path = f"Library/LaunchAgents/{label}.plist"
            machine.write(f"{docmachine.HOMES['mac']}/{path}", JOB % label)
            code, text = machine.shell("mac").run(
                f"launchctl bootstrap gui/$UID ~/{path}")
            self.assertEqual(code, 0, text)
        self.follow("doc/migration.md", machine)

    def test_operator_ru(self):
        """doc/operator.ru.md: the same as doc/install.md, in Russian"""
        machine = docmachine.Machine(self)
        self.follow("doc/operator.ru.md", machine)

    def test_commands_within_sentences(self):
        """what sentences say to type at systemd, launchd and brew is taken"""
        calls = {span for name in documents() + ["README", "README.ru"]
                 for span in spans(name)
                 if re.match(r"(systemctl|launchctl|brew|loginctl) ", span)
                 and not re.fullmatch(r"brew services( start)?", span)}
        self.assertGreater(len(calls), 5)
        machine = docmachine.Machine(self)
        home = docmachine.HOMES["mac"]
        unit = "[Service]\nType=exec\nExecStart=/bin/sleep 1000\n" \
            "[Install]\nWantedBy=multi-user.target\n"
        for name in ("ollama", "svtree"):
            machine.write(f"/etc/systemd/system/{name}.service", unit)
        machine.do("systemctl daemon-reload; systemctl start ollama")
        for label in ("com.example.job", "org.svtree.host", "org.x"):
            machine.write(f"{home}/{label}.plist", JOB % label)
        for call in sorted(calls):
            for label in ("com.example.job", "org.svtree.host"):
                machine.shell("mac").run(f"launchctl bootstrap gui/$UID "
                                         f"{home}/{label}.plist")
            who = "mac" if "gui/$UID" in call else "root"
            for word, real in (("LABEL", "com.example.job"),
                               ("МЕТКА", "com.example.job"),
                               ("FILE", f"{home}/org.x.plist")):
                call = call.replace(word, real)
            code, text = machine.shell(who).run(call)
            self.assertEqual(code, 0, f"{call}: {text}")

    def test_readme(self):
        """what README and README.ru say to install is done as they say"""
        for name, heading in (("README", "Install"),
                              ("README.ru", "Установка")):
            machine = docmachine.Machine(self)
            machine.do("mkdir -p /etc/svtree/services")
            machine.do(f"cp -R {BASE}/ollama /etc/svtree/services/")
            self.assertGreater(self.lines(
                machine, "root", indented(read(name), heading), name), 1)


if __name__ == "__main__":
    rig.main()
