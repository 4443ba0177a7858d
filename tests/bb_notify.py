# SPDX-License-Identifier: ISC
"""svtree-notify, and the hooks that it is made for: messages that arrive."""

import http.server
import json
import os
import signal
import stat
import subprocess
import threading

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


class Told(rig.Case):
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
                'said "no" \\ went'])
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
        t.call("Report", {"name": "well", "incident": "the roof leaks"})
        self.assertEqual(self.story("well", "incident")["reason"],
                         "the roof leaks")
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


if __name__ == "__main__":
    if not rig.shutil.which("curl"):
        print("1..0 # SKIP needs curl")
    else:
        rig.main()
