# SPDX-License-Identifier: ISC
"""The status page: what it is served from, and the page in a real Chromium."""

import http.client
import json
import os
import signal
import socket
import time
import unittest

import browser
import rig

TOKEN = "0123456789abcdef-page"
SLEEPER = "[service]\nexec = sleep 1000\n"
TOO_SLOW = 60           # seconds: a browser on a busy machine
ASKED = {
    "health-monitor": "[service]\nexec = health-monitor\nready = notify\n"
                      "grants = Report\n",
    "asked": SLEEPER + "[health]\ntype = exec\ncommand = true\n"
             "interval = 1s\n"}
ENTER, TAB = "\ue007", "\ue004"


class Paged(rig.Case):
    def start(self, services=None, token=TOKEN):
        self.port = rig.free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        env = f"RECOVERY_LISTENER_TOKEN = {token}\n" if token else ""
        tree = self.tree({
            "recovery-listener": "[service]\nready = notify\n"
            f"exec = recovery-listener -p {self.port}\n"
            f"grants = Once Restart Start\n[environment]\n{env}",
            "recover": {"conf": "[service]\ntype = oneshot\nexec = recover\n"
                        "restart = never\ngrants = Restart Report\n",
                        "down": True},
            "a": {"conf": "[service]\ndescription = the first\n",
                  "run": "echo hello from a; exec sleep 1000"},
            "b": SLEEPER + "needs = a\n", **(services or {})})
        tree.wait("recovery-listener", "UP")
        tree.wait("b", "UP")
        return tree

    def ask(self, method, path, headers=None, body=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port,
                                          timeout=rig.TIMEOUT)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            link.close()


class Stream:
    """One reader of /events."""

    def __init__(self, port, timeout=30):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.file = self.sock.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass

    def next(self, wanted):
        """Data of the next message of that name."""
        name = None
        while line := self.file.readline():
            line = line.decode().strip()
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: ") and name == wanted:
                return json.loads(line[6:])
        raise ConnectionError("the stream has ended")

    def close(self):
        self.file.close()
        self.sock.close()


class Served(Paged):
    def stream(self):
        stream = Stream(self.port)
        self.addCleanup(stream.close)
        return stream

    def test_the_page_is_for_browsers_and_may_load_nothing_foreign(self):
        self.start()
        status, headers, text = self.ask("GET", "/", {
            "Accept": "text/html,application/xhtml+xml"})
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/html"))
        policy = headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertNotIn("http", policy)
        self.assertEqual(headers["X-Frame-Options"], "DENY")
        for name in ("page.css", "page.js"):
            self.assertIn(name, text)
            status, _, content = self.ask("GET", "/" + name)
            self.assertEqual(status, 200)
            with open(os.path.join(rig.TOP, "services", "recovery-listener",
                                   name), encoding="utf-8") as f:
                self.assertEqual(content, f.read())
        self.assertEqual(json.loads(self.ask("GET", "/")[2])["status"], "ok")

    def test_a_stream_tells_what_changes(self):
        t = self.start()
        streams = [self.stream() for _ in range(5)]
        for s in streams:
            self.assertEqual(s.next("hello"), {
                "supervisor": True, "actions": "token", "trusted": False})
        pid = t.service("b")["pid"]
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        for s in streams:
            e = s.next("incident")
            self.assertEqual((e["service"], e["reason"]),
                             ("b", "killed by SIGKILL"))
            while (sv := s.next("service"))["name"] != "b" or \
                    sv["pid"] in (pid, None) or sv["state"] != "UP":
                pass
            self.assertEqual(sv["restarts"], 1)
        took = time.monotonic() - began
        print(f"# a kill is told to 5 streams within {took:.3f} s")
        self.assertLess(took, 10)   # not with the sign of life, at 15 s
        told = json.loads(self.ask("GET", "/incidents")[2])
        self.assertIn(("b", "exit", "killed by SIGKILL"), [
            (e["service"], e["event"], e["reason"]) for e in told])

    def test_streams_are_bounded_and_end_with_their_readers(self):
        self.start()
        streams = [self.stream() for _ in range(16)]
        for s in streams:
            self.assertEqual(s.status, 200)
            s.next("hello")
        status, headers, _ = self.ask("GET", "/events")
        self.assertEqual(status, 503)
        self.assertGreater(int(headers["Retry-After"]), 0)
        for s in streams:
            s.close()

        def again():
            s = Stream(self.port)
            try:
                return s.status == 200
            finally:
                s.close()
        rig.eventually(again, TOO_SLOW, "room for another stream")

    def test_a_reader_that_does_not_read_holds_up_nobody(self):
        t = self.start()
        lazy, eager = self.stream(), self.stream()
        eager.next("hello")
        # Each is read before the next, so that only the other lags.
        for i in range(400):
            t.call("Report", {"name": "a", "incident": f"{i} " + "x" * 150})
            while not eager.next("incident")["reason"].startswith(f"{i} "):
                pass
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        lazy.next("hello")

    def test_a_dead_supervisor_and_its_successor_are_told(self):
        t = self.start()
        s = self.stream()
        s.next("hello")
        t.kill_supervisor()
        s.next("gone")
        t.start()
        s.next("reload")

    def test_incidents_of_before_are_read_from_the_log(self):
        t = self.start()
        t.call("Report", {"name": "a", "incident": "something odd"})
        rig.eventually(lambda: "something odd" in t.log_text("svtree"),
                       what="the line in the log")
        t.call("Restart", {"name": "recovery-listener"})
        rig.eventually(lambda: "something odd" in self.try_incidents(),
                       TOO_SLOW, "the incident of before")

    def try_incidents(self):
        try:
            return self.ask("GET", "/incidents")[2]
        except OSError:
            return ""

    def test_the_last_day_is_told_and_outlives_the_listener(self):
        t = self.start({"sick": {"conf": "[service]\nrestart-delay = 10ms\n"
                                 "restart-limit = 1/1m\n", "run": "exit 1"}})
        t.wait("sick", "TRIPPED")

        def day(name):
            try:
                told = json.loads(self.ask("GET", "/availability")[2])
            except OSError:
                return {"slots": "?", "ratio": -1}
            self.assertEqual(told["slot_s"], 900)
            return told["services"].get(name, {"slots": "?", "ratio": None})
        self.assertEqual(len(day("a")["slots"]), 96)
        rig.eventually(lambda: day("a")["slots"][-1] == "w" and
                       day("a")["ratio"] > 0.9, what="a well one")
        rig.eventually(lambda: day("sick")["slots"][-1] == "i" and
                       day("sick")["ratio"] < 0.5, what="an ill one")
        t.call("Start", {"name": "sick"})
        t.call("Stop", {"name": "sick"})
        t.call("Restart", {"name": "recovery-listener"})
        rig.eventually(lambda: "i" in day("sick")["slots"], TOO_SLOW,
                       "what was before, from the log")

    def test_how_long_answers_took_is_told(self):
        self.start(ASKED)
        told = rig.eventually(lambda: json.loads(self.ask(
            "GET", "/latency")[2])["services"].get("asked"), TOO_SLOW,
            "an answer")
        self.assertEqual(len(told["slots"]), 96)
        self.assertEqual(told["slots"][0], None)
        self.assertGreaterEqual(told["last_ms"], 0)
        self.assertGreaterEqual(told["max_ms"], told["mean_ms"])
        self.assertEqual(told["failed"], 0)
        self.assertIn(told["mean_ms"], told["slots"][-2:])

    def test_the_end_of_a_log_is_read_and_nothing_else(self):
        t = self.start({"many": {"run": "i=0; while [ $i -lt 300 ]; do "
                                        "i=$((i+1)); echo line $i; done\n"
                                        "exec sleep 1000"}})
        rig.eventually(lambda: "line 300\n" in t.log_text("many"),
                       what="its lines")
        text = self.ask("GET", "/log/many")[2].splitlines()
        self.assertEqual((len(text), text[0].split()[-1],
                          text[-1].split()[-1]), (100, "201", "300"))
        text = self.ask("GET", "/log/many?n=3")[2].splitlines()
        self.assertEqual([x.split()[-1] for x in text], ["298", "299", "300"])
        for path, status in (("/log/nosuch", 404), ("/log", 404),
                             ("/log/../state", 404), ("/log/..", 404),
                             ("/log/%2e%2e/run", 404), ("/log/a/current", 404),
                             ("/log/a?n=0", 400), ("/log/a?n=x", 400),
                             ("/log/a?n=100000", 400)):
            with self.subTest(path=path):
                self.assertEqual(self.ask("GET", path)[0], status)

    def test_a_restart_wants_the_token_and_what_may_be_restarted(self):
        t = self.start({"off": SLEEPER, "done": SLEEPER})
        old = t.service("b")["pid"]
        mine = {"Authorization": "Bearer " + TOKEN}
        self.assertEqual(self.ask("POST", "/restart/b")[0], 401)
        self.assertEqual(t.service("b")["pid"], old)
        self.assertEqual(self.ask("POST", "/restart/b", mine)[0], 202)
        t.wait("b", lambda s: s["state"] == "UP" and s["pid"] != old)
        t.call("Disable", {"name": "off"})
        t.wait("off", "DOWN")
        self.assertEqual(self.ask("POST", "/restart/off", mine)[0], 409)
        self.assertEqual(self.ask("POST", "/restart/nosuch", mine)[0], 404)
        t.call("Stop", {"name": "done"})
        t.wait("done", "DOWN")
        self.assertEqual(self.ask("POST", "/restart/done", mine)[0], 202)
        t.wait("done", "UP")

    def test_without_a_token_nothing_can_be_restarted(self):
        t = self.start(token="")
        old = t.service("b")["pid"]
        status, _, text = self.ask("POST", "/restart/b")
        self.assertEqual(status, 403)
        self.assertIn("was given none", text)
        self.assertEqual(t.service("b")["pid"], old)


CONTRAST = """
function rgb(text) { return text.match(/[0-9.]+/g).slice(0, 3).map(Number); }
function light(c) {
    const [r, g, b] = c.map((v) => { v /= 255;
        return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b;
}
function ground(e) {
    for (; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor;
        if (!/, 0\\)$|transparent/.test(c))
            return rgb(c);
    }
    return [255, 255, 255];
}
let least = 99, where = "";
for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 &&
        n.textContent.trim());
    if (!own || !e.checkVisibility() || e.disabled)
        continue;
    const a = light(rgb(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < least) {
        least = ratio;
        where = e.tagName + ": " + e.textContent.slice(0, 40);
    }
}
return [least, where];
"""


@unittest.skipIf(browser.missing(), browser.missing())
class Page(Paged):
    def open(self, path="", **how):
        b = browser.Browser(**how)
        self.addCleanup(b.close)
        b.go(self.url + path)
        try:
            b.wait("return document.querySelectorAll('#rows tr').length > 2 "
                   "&& document.body.dataset.live === 'yes'",
                   timeout=TOO_SLOW)
        except TimeoutError:
            raise TimeoutError(
                f"the page is not there: {b.text('body')!r}, "
                f"{b.console()}, {self.ask('GET', '/healthz')[0]}") from None
        return b

    def row(self, b, name):
        """The words of a service's row, cell by cell."""
        return b.run("""
for (const tr of document.querySelectorAll("#rows tr"))
    if (tr.querySelector("th button")?.textContent === arguments[0])
        return [...tr.children].map((c) => c.innerText.trim());
return null;""", name)

    def show(self, b, name):
        """A picture for people, where they ask for one."""
        if os.environ.get("SVTREE_SCREENSHOTS"):
            b.screenshot(os.path.join(os.environ["SVTREE_SCREENSHOTS"],
                                      name + ".png"))

    def sick(self):
        return self.start({
            "tripped": {"conf": "[service]\nrestart-delay = 10ms\n"
                        "restart-limit = 1/1m\n", "run": "exit 1"},
            "waits": SLEEPER + "needs = a:healthy\n",
            "off": SLEEPER})

    def test_shows_the_tree_in_words(self):
        t = self.sick()
        t.call("Disable", {"name": "off"})
        t.wait("off", "DOWN")
        t.wait("tripped", "TRIPPED")
        rig.eventually(lambda: "gave up" in t.log_text("svtree") or
                       "too many failures" in t.log_text("svtree"),
                       what="its end in the log")
        t.call("Report", {"name": "b", "health": "busy",
                          "reason": "all slots taken"})
        b = self.open()
        names = b.run("return [...document.querySelectorAll('#rows th "
                      "button')].map((e) => e.textContent)")
        self.assertEqual(names, ["a", "b", "waits", "off", "recover",
                                 "recovery-listener", "svlog", "tripped"])
        levels = b.run("return [...document.querySelectorAll("
                       "'#rows tr:not(.details)')].map((e) => e.className)")
        self.assertEqual(levels[:4], ["level-0", "level-1", "level-1",
                                      "level-0"])
        head, state, health, _, restarts, _, day, why, _ = self.row(b, "tripped")
        self.assertIn("% well", day)
        self.assertIn("The last 24 hours: well", b.run(
            "return document.querySelector('.strip').ariaLabel"))
        self.assertIn("TRIPPED", state)
        self.assertIn("wanted up", state)
        self.assertEqual(restarts, "1")
        self.assertIn("too many failures", why)
        self.assertIn("next step in 5 min", why)
        self.assertIn("the first", self.row(b, "a")[0])
        self.assertIn("disabled", self.row(b, "off")[1])
        _, _, health, _, _, _, _, why, _ = self.row(b, "b")
        self.assertEqual((health, why), ("busy", "all slots taken"))
        self.assertIn("waits for a to be healthy", self.row(b, "waits")[7])
        self.assertIn("2 of 6 wanted services not well: waits, tripped",
                      b.text("#verdict"))
        self.assertIn("tripped\nexited with code 1", b.text("#incidents"))
        # two ends; the last stands there with what followed, and once
        self.assertIn("TRIPPED: exited with code 1; too many failures",
                      b.text("#incidents"))
        self.assertEqual(b.text("#incidents").count("exited with code 1"), 2)
        self.assertIn("svtree ", b.text("#supervisor"))
        self.assertEqual(head, "tripped")
        self.assertEqual(b.console(), [])

    def test_is_fit_for_eyes_in_light_and_dark_and_for_phones(self):
        t = self.sick()
        t.wait("tripped", "TRIPPED")
        for dark, width in ((False, 1200), (True, 1200), (False, 390),
                            (True, 320)):
            with self.subTest(dark=dark, width=width):
                b = self.open(dark=dark, width=width)
                b.type("#token", TOKEN)
                b.click("#rows tr th button")
                b.wait("return document.querySelector('pre')"
                       ".textContent.includes('hello from a')")
                least, where = b.run(CONTRAST)
                self.assertGreaterEqual(least, 4.5, where)
                self.assertLessEqual(
                    b.run("return document.documentElement.scrollWidth"),
                    width)
                if width < 600:
                    low = b.run("return Math.min(...[...document."
                                "querySelectorAll('td.act button')].filter("
                                "(e) => e.checkVisibility()).map((e) => "
                                "e.getBoundingClientRect().height))")
                    self.assertGreaterEqual(low, 38)
                self.show(b, f"page-{'dark' if dark else 'light'}-{width}")
                self.assertEqual(b.console(), [])
                b.close()

    def test_is_told_to_screen_readers(self):
        self.start()
        b = self.open()
        nodes = b.accessible()
        for role, name in (("heading", "Services"), ("heading",
                           "What happened"), ("columnheader", "State"),
                           ("rowheader", "a the first"), ("button", "a"),
                           ("textbox", "Token for actions"),
                           ("status", "")):
            self.assertIn((role, name), nodes)
        self.assertTrue(any(role in ("table", "grid") for role, _ in nodes))
        for role, name in nodes:
            if role in ("button", "link", "textbox"):
                self.assertTrue(name, role)
        self.assertEqual(b.run("return document.documentElement.lang"), "en")

    def test_latency_is_drawn_and_told_in_words(self):
        self.start(ASKED)
        rig.eventually(lambda: "asked" in self.ask("GET", "/latency")[2],
                       TOO_SLOW, "an answer")
        b = self.open()
        words = b.wait("return document.querySelector('svg.spark[aria-label]'"
                       ")?.ariaLabel", timeout=TOO_SLOW)
        self.assertRegex(words, "^Latency: last .*ms, mean .*at most .*in 24 h")
        self.assertRegex(b.run("return document.querySelector('svg.spark["
                               "aria-label] path').getAttribute('d')"),
                         r"^M\d+ [0-9.]+H")
        self.assertIn("ms", self.row(b, "asked")[5])
        self.assertEqual(self.row(b, "a")[5], "")
        self.assertIn(("image", words), b.accessible())
        self.assertEqual(b.console(), [])

    def test_changes_by_itself_after_a_kill(self):
        t = self.start()
        b = self.open()
        b.run("window.mark = 1")
        old = t.service("b")["pid"]
        os.kill(old, signal.SIGKILL)
        began = time.monotonic()
        rig.eventually(lambda: self.row(b, "b")[4] == "1", TOO_SLOW,
                       "the restart on the page")
        print(f"# a kill shows on the page after "
              f"{time.monotonic() - began:.2f} s")
        rig.eventually(lambda: "UP" in self.row(b, "b")[1], TOO_SLOW,
                       "its new run on the page")
        rig.eventually(lambda: "killed by SIGKILL" in b.text("#incidents"),
                       TOO_SLOW, "the incident on the page")
        t.call("Stop", {"name": "b"})
        rig.eventually(lambda: "wanted down" in self.row(b, "b")[1],
                       TOO_SLOW, "the stop on the page")
        t.add("late", SLEEPER)
        t.call("Reload")
        rig.eventually(lambda: self.row(b, "late"), TOO_SLOW, "a new service")
        t.remove("late")
        t.call("Reload")
        rig.eventually(lambda: not self.row(b, "late"), TOO_SLOW,
                       "its end")
        self.assertEqual(b.run("return window.mark"), 1)
        self.assertEqual(b.console(), [])

    def test_acts_with_the_token_and_not_without(self):
        t = self.start()
        b = self.open()
        shown = ("return [...document.querySelectorAll('button')].filter("
                 "(e) => e.checkVisibility()).map((e) => e.innerText)")
        self.assertNotIn("Restart", b.run(shown))
        self.assertNotIn("Recover now", b.run(shown))
        old = t.service("b")["pid"]
        b.type("#token", "wrong-" + TOKEN)
        b.wait("return document.querySelector('[aria-label=\"Restart b\"]')"
               "?.checkVisibility()")
        b.click('[aria-label="Restart b"]')
        rig.eventually(lambda: "Not done: a token is wanted" in
                       b.text("#said"), TOO_SLOW, "the refusal")
        self.assertEqual(t.service("b")["pid"], old)
        self.assertTrue(all("401" in m for m in b.console()))
        b.run("document.querySelector('#token').value = ''")
        b.type("#token", TOKEN)
        b.click('[aria-label="Restart b"]')
        t.wait("b", lambda s: s["state"] == "UP" and s["pid"] != old,
               timeout=TOO_SLOW)
        with t.subscribe(TOO_SLOW) as events:
            b.click("#recover")
            events.state("recover", "UP")
        rig.eventually(lambda: "recover" in b.text("#said"), TOO_SLOW,
                       "what was said")
        b.go(self.url)      # the tab remembers
        b.wait("return !document.querySelector('#recover').hidden")
        self.assertEqual(b.console(), [])

    def test_an_address_with_the_token_needs_no_other(self):
        t = self.start()
        b = self.open(TOKEN + "/")
        b.wait("return !document.querySelector('#recover').hidden")
        self.assertFalse(b.run("return document.querySelector('#actions')"
                               ".checkVisibility()"))
        old = t.service("b")["pid"]
        b.click('[aria-label="Restart b"]')
        t.wait("b", lambda s: s["state"] == "UP" and s["pid"] != old,
               timeout=TOO_SLOW)
        self.assertEqual(b.console(), [])

    def test_without_a_token_it_says_how_to_get_actions(self):
        self.start(token="")
        b = self.open()
        self.assertIn("give recovery-listener a token",
                      b.text("#no-actions").replace("\n", " "))
        self.assertFalse(b.run("return document.querySelector('#recover')"
                               ".checkVisibility()"))

    def test_works_by_keyboard(self):
        self.start(token="")
        b = self.open()
        b.keys(TAB)
        self.assertEqual(b.run("return document.activeElement.innerText"),
                         "Skip to the services")
        b.keys(TAB)
        self.assertEqual(b.run("return document.activeElement.innerText"),
                         "a")
        b.keys(ENTER)
        self.assertEqual(b.run("return document.activeElement."
                               "getAttribute('aria-expanded')"), "true")
        b.wait("return document.querySelector('#details-a pre').textContent"
               ".includes('hello from a')")
        self.assertIn("Wanted", b.text("#details-a"))
        b.keys(ENTER)
        self.assertFalse(b.run("return document.querySelector('#details-a')"
                               ".checkVisibility()"))

    def test_a_supervisor_s_death_and_return_are_shown(self):
        t = self.start()
        b = self.open()
        t.kill_supervisor()
        rig.eventually(lambda: "no supervisor" in b.text("#link"), TOO_SLOW,
                       "the word that it is gone")
        rig.eventually(lambda: "No supervisor" in b.text("#verdict"),
                       TOO_SLOW, "the verdict")
        self.assertIn("UP", self.row(b, "b")[1])
        t.start()
        rig.eventually(lambda: b.text("#link") == "live", TOO_SLOW,
                       "its return")
        rig.eventually(lambda: "are well" in b.text("#verdict"), TOO_SLOW,
                       "the verdict")

    def test_words_of_services_are_words_and_no_markup(self):
        evil = "<img src=x onerror=document.title='evil'><script>1</script>"
        t = self.start({"c": {"conf": "[service]\ndescription = " + evil,
                              "run": f"echo \"{evil}\"; exec sleep 1000"}})
        t.call("Report", {"name": "c", "text": evil, "incident": evil})
        b = self.open()
        rig.eventually(lambda: evil in (self.row(b, "c") or [""] * 8)[7],
                       TOO_SLOW, "its text")
        self.assertIn(evil, b.text("#incidents"))
        b.click('[aria-controls="details-c"]')
        b.wait("return document.querySelector('#details-c pre').textContent"
               ".includes('onerror')")
        self.assertEqual(b.run("return document.querySelectorAll('img, "
                               "tbody script').length"), 0)
        self.assertIn("svtree", b.run("return document.title"))
        self.assertEqual(b.console(), [])


if __name__ == "__main__":
    rig.main()
