# SPDX-License-Identifier: ISC
"""svtree-notify, and the hooks that it is made for: messages that arrive."""

import http.server
import json
import os
import signal
import socketserver
import stat
import subprocess
import threading
import urllib.request

import rig

NOTIFY = os.path.join(rig.TOP, "services", "notify", "svtree-notify")
TOO_SLOW = 60
STORY = {"event": "trip", "at": "2026-11-24T19:00:00.000Z",
         "tree": "/run/svtree", "service": "ollama",
         "reason": 'said "no" \\ went', "count": 1,
         "status": {"name": "ollama", "reason": "x", "count": 7}}


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/refuses":
            self.send_error(403)
            return
        self.server.got.append((self.path, self.headers, body.decode()))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Case(rig.Case):
    def setUp(self):
        self.home = rig.tempfile.mkdtemp(prefix="nt.", dir="/tmp")
        os.chmod(self.home, 0o755)
        self.addCleanup(rig.shutil.rmtree, self.home, True)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Receiver)
        self.server.got = []
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def fake(self, name, text):
        """A program of that name, before all others."""
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)

    def notify(self, *words, story=None, env=None):
        text = json.dumps({**STORY, **(story or {})}, separators=(",", ":"),
                          ensure_ascii=False)
        return subprocess.run(
            [NOTIFY, *words], input=text + "\n", text=True,
            capture_output=True, timeout=TOO_SLOW, check=False,
            env={"PATH": self.home + ":/usr/bin:/bin", "HOME": self.home,
                 "SVTREE_NOTIFY_DIR": os.path.join(self.home, "sent"),
                 **(env or {})})

    def sent(self, *words, **how):
        done = self.notify(*words, **how)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "", ""))


class Told(Case):
    # --- the ways

    def test_a_web_hook_gets_the_story_and_a_text(self):
        self.sent("webhook", self.url + "/x",
                  env={"SVTREE_NOTIFY_TOKEN": "secret"})
        (path, headers, body), = self.server.got
        self.assertEqual(path, "/x")
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(headers["Authorization"], "Bearer secret")
        got = json.loads(body)
        self.assertEqual(got.pop("text"), "ollama gave up on "
                         f'{os.uname().nodename}: said "no" \\ went')
        self.assertEqual(got, STORY)

    def test_ntfy_gets_title_priority_and_words(self):
        self.sent("ntfy", self.url + "/topic", story={"count": 3})
        self.sent("ntfy", self.url + "/topic", story={
            "event": "recovery", "reason": "well again after 3 s"})
        trip, recovery = self.server.got
        self.assertEqual(trip[0], "/topic")
        self.assertEqual(trip[1]["Title"],
                         "ollama gave up on " + os.uname().nodename)
        self.assertEqual(trip[1]["Priority"], "high")
        self.assertEqual(trip[2], 'said "no" \\ went (3 times)')
        self.assertEqual(recovery[1]["Title"],
                         "ollama is well again on " + os.uname().nodename)
        self.assertEqual((recovery[1]["Priority"], recovery[2]),
                         ("low", "well again after 3 s"))

    def test_mail_goes_by_sendmail(self):
        self.fake("sendmail", f'echo "$@" >{self.home}/mail\n'
                  f"cat >>{self.home}/mail\n")
        self.sent("mail", "me@example.org", "you@example.org",
                  story={"event": "crash"})
        with open(self.home + "/mail", encoding="utf-8") as f:
            lines = f.read().splitlines()
        self.assertEqual(lines[:3], [
            "-oi -t", "To: me@example.org, you@example.org",
            "Subject: ollama failed on " + os.uname().nodename])
        self.assertIn('said "no" \\ went', lines)
        self.assertIn("svctl status ollama", lines)

    def test_a_desktop_is_told_by_its_own_program(self):
        write = f'printf "%s\\n" "$@" >{self.home}/desk\n'
        for name, words in (("notify-send", ["-a", "svtree", "-u",
                                             "critical", "--"]),
                            ("osascript", None)):
            self.fake(name, write)
            self.sent("-e", "0", "desktop")
            with open(self.home + "/desk", encoding="utf-8") as f:
                lines = f.read().splitlines()
            self.assertEqual(lines[-2:], [
                "ollama gave up on " + os.uname().nodename,
                'said "no" \\ went'.replace(
                    "\\", "\\\\" if words else "\\")])
            if words:
                self.assertEqual(lines[:-2], words)
            else:
                self.assertIn("(item 2 of argv) with title (item 1 of argv)",
                              lines)

    # --- how often

    def test_more_of_a_kind_are_counted_and_not_sent(self):
        to = ("ntfy", self.url + "/t")
        self.sent(*to)
        self.sent(*to, story={"count": 2})
        self.sent(*to)
        self.assertEqual(len(self.server.got), 1)
        self.sent(*to, story={"service": "mlx"})        # another one
        self.sent(*to, story={"event": "crash"})        # another kind
        self.assertEqual(len(self.server.got), 3)
        self.sent("-e", "0", *to)
        self.assertIn("(3 more were not sent meanwhile)",
                      self.server.got[-1][2])
        self.sent(*to, story={"event": "recovery"})
        self.sent(*to, story={"event": "recovery"})     # told already
        self.assertEqual(len(self.server.got), 5)
        self.sent(*to)                          # it begins anew
        self.assertEqual(len(self.server.got), 6)
        mode = os.stat(os.path.join(self.home, "sent")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o700)

    def test_what_was_not_sent_does_not_count_as_sent(self):
        done = self.notify("ntfy", self.url + "/refuses")
        self.assertEqual(done.returncode, 111)
        self.assertIn("the message to ntfy was not sent", done.stderr)
        self.sent("ntfy", self.url + "/t")
        self.assertEqual(len(self.server.got), 1)

    def test_wrong_use_is_said(self):
        for words, error in ((["pigeon"], "usage"), (["ntfy"], "one URL"),
                             (["mail"], "address"), ([], "usage"),
                             (["-e", "x", "desktop"], "number of seconds")):
            with self.subTest(words=words):
                done = self.notify(*words)
                self.assertEqual(done.returncode, 100)
                self.assertIn(error, done.stderr)
        done = self.notify("ntfy", self.url, story={"count": "many"})
        self.assertEqual(done.returncode, 100)
        self.assertIn("no line of a hook", done.stderr)
        os.symlink("/tmp", self.home + "/link")
        done = self.notify("ntfy", self.url, env={
            "SVTREE_NOTIFY_DIR": self.home + "/link"})
        self.assertEqual(done.returncode, 111)

    # --- with a real tree

    def hooked(self, name, conf):
        way = f"{NOTIFY} webhook {self.url}/{name}\n"
        return "[service]\n" + conf + "".join(
            f"on-{e} = {way}" for e in ("crash", "incident", "recovery")) + \
            f"[environment]\nSVTREE_NOTIFY_DIR = {self.home}/sent\n"

    def story(self, name, event):
        """What was told of it; waits for that."""
        def look():
            for path, _, body in list(self.server.got):
                if path == "/" + name and json.loads(body)["event"] == event:
                    return json.loads(body)
            return None
        return rig.eventually(look, TOO_SLOW, f"{event} of {name}")

    def test_a_tree_tells_of_faults_and_of_what_is_well_again(self):
        frail = "exec = sh -c 'test -e ok || exit 3; exec sleep 1000'\n" \
            "restart-delay = 1h\nrestart-max-delay = 1h\n"
        t = self.tree({name: self.hooked(name, conf) for name, conf in (
            ("ill", frail), ("off", frail), ("well", "exec = sleep 1000\n"),
            ("sick", "exec = sleep 1000\n"))})
        for name in ("ill", "off"):
            self.assertEqual(self.story(name, "crash")["reason"],
                             "exited with code 3")
        t.call("Stop", {"name": "off"})         # a person has seen it
        with open(os.path.join(t.services, "off", "ok"), "w",
                  encoding="ascii"):
            pass
        t.call("Start", {"name": "off"})
        t.wait("off", "UP")
        t.wait("sick", "UP")
        t.call("Report", {"name": "sick", "health": "failing",
                          "reason": "does not answer",
                          "incident": "hangs"})
        self.assertEqual(self.story("sick", "incident")["reason"], "hangs")
        t.call("Report", {"name": "sick", "health": "ok"})
        os.kill(t.wait("well", "UP")["pid"], signal.SIGKILL)
        self.assertEqual(self.story("well", "crash")["reason"],
                         "killed by SIGKILL")
        whole = "the roof leaks " + 578 * "\x01" + "and all"
        t.call("Report", {"name": "well", "incident": whole})
        self.assertEqual(self.story("well", "incident")["reason"], whole)
        self.story("sick", "recovery")
        story = self.story("well", "recovery")
        self.assertRegex(story["reason"], r"^well again after \d+ s$")
        self.assertEqual(story["status"]["state"], "UP")
        self.assertIn("well is well again on", story["text"])
        self.assertEqual({json.loads(b)["event"] for p, _, b in
                          self.server.got if p in ("/ill", "/off")},
                         {"crash"})

    def test_a_recovery_is_told_under_the_next_supervisor(self):
        """it fell ill under one supervisor and is well under the next"""
        frail = "exec = sh -c 'test -e ok || exit 3; exec sleep 1000'\n" \
            "restart-delay = 1h\nrestart-max-delay = 1h\n"
        t = self.tree({"kill": self.hooked("kill", frail),
                       "turn": self.hooked("turn", "exec = sleep 1000\n")})
        self.assertEqual(self.story("kill", "crash")["reason"],
                         "exited with code 3")
        t.wait("turn", "UP")
        t.call("Report", {"name": "turn", "health": "failing",
                          "reason": "does not answer",
                          "incident": "hangs"})
        self.story("turn", "incident")
        t.kill_supervisor()
        with open(os.path.join(t.services, "kill", "ok"), "w",
                  encoding="ascii"):
            pass
        t.start()
        t.call("Start", {"name": "kill"})
        t.call("Report", {"name": "turn", "health": "ok"})
        t.wait("kill", "UP")
        t.call("Upgrade", {})
        for name in ("kill", "turn"):
            self.assertRegex(self.story(name, "recovery")["reason"],
                             r"^well again after \d+ s$")


class Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP as takes one letter."""

    def handle(self):
        lines, data = [], False
        self.wfile.write(b"220 here\r\n")
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if data and line == ".":
                self.server.got.append(lines)
                data = False
            elif data:
                lines.append(line)
                continue
            elif line == "DATA":
                data = True
                self.wfile.write(b"354 go on\r\n")
                continue
            elif line == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            elif line.startswith("RCPT"):
                lines.append(line)
            self.wfile.write(b"250 ok\r\n")


class Real(Case):
    """The receivers themselves, where they are installed."""

    def need(self, *programs):
        for program in programs:
            if not rig.shutil.which(program):
                self.skipTest(f"needs {program}")

    def begin(self, *argv, **how):
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, **how)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)

    def test_a_real_ntfy_server(self):
        """an ntfy server keeps title, priority, tag and text as they were"""
        self.need("ntfy")
        port = rig.free_port()
        self.begin("ntfy", "serve", "--listen-http", f"127.0.0.1:{port}",
                   "--base-url", f"http://127.0.0.1:{port}",
                   "--cache-file", self.home + "/cache.db")
        url = f"http://127.0.0.1:{port}"

        def get(path):
            try:
                with urllib.request.urlopen(url + path, timeout=10) as r:
                    return r.read().decode()
            except OSError:
                return None

        rig.eventually(lambda: get("/v1/health"), TOO_SLOW, "ntfy")
        host = os.uname().nodename
        self.sent("ntfy", url + "/t", story={"reason": "не отвечает"})
        self.sent("ntfy", url + "/t", story={
            "event": "recovery", "reason": "well again after 3 s"})
        got = [json.loads(line) for line in
               get("/t/json?poll=1").splitlines()]
        self.assertEqual(
            [(m["title"], m.get("priority"), m["tags"], m["message"])
             for m in got],
            [(f"ollama gave up on {host}", 4, ["warning"], "не отвечает"),
             (f"ollama is well again on {host}", 2, ["white_check_mark"],
              "well again after 3 s")])

    def test_a_real_desktop(self):
        """a notification daemon on a session bus shows title and text"""
        self.need("dbus-daemon", "dunst", "dunstctl", "Xvfb", "notify-send")
        bus = f"unix:path={self.home}/bus"
        env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus,
               "HOME": self.home, "XDG_RUNTIME_DIR": self.home}
        self.begin("dbus-daemon", "--session", "--nofork",
                   "--address=" + bus)
        read, write = os.pipe()
        self.begin("Xvfb", "-displayfd", str(write), "-nolisten", "tcp",
                   pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as f:
            env["DISPLAY"] = ":" + f.readline().strip()
        self.begin("dunst", env=env)

        def dunst(*words):
            return subprocess.run(["dunstctl", *words], env=env, text=True,
                                  capture_output=True, check=False)

        rig.eventually(lambda: dunst("count").returncode == 0, TOO_SLOW,
                       "dunst")
        self.sent("desktop", story={"reason": "<b> & \\n: 5 > 3"},
                  env={"DBUS_SESSION_BUS_ADDRESS": bus})
        dunst("close-all")
        shown, = json.loads(dunst("history").stdout)["data"][0]
        self.assertEqual(
            [shown[k]["data"] for k in ("appname", "summary", "body")],
            ["svtree", "ollama gave up on " + os.uname().nodename,
             "&lt;b&gt; &amp; \\n: 5 &gt; 3"])

    def test_a_real_mail(self):
        """msmtp delivers the letter by SMTP"""
        self.need("msmtp")
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox)
        server.got = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        with open(self.home + "/.msmtprc", "w", encoding="ascii") as f:
            f.write("account default\nhost 127.0.0.1\n"
                    f"port {server.server_address[1]}\n"
                    "from svtree@example.org\n")
        os.symlink(rig.shutil.which("msmtp"), self.home + "/sendmail")
        self.sent("mail", "me@example.org", story={"reason": "не отвечает"})
        letter, = server.got
        self.assertEqual(letter[0], "RCPT TO:<me@example.org>")
        for line in ("Subject: ollama gave up on " + os.uname().nodename,
                     "Content-Type: text/plain; charset=utf-8",
                     "не отвечает"):
            self.assertIn(line, letter)


if __name__ == "__main__":
    if not rig.shutil.which("curl"):
        print("1..0 # SKIP needs curl")
    else:
        rig.main()
