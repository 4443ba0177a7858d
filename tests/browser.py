# SPDX-License-Identifier: ISC
"""A real Chromium, driven by chromedriver over the WebDriver protocol.

    with browser.Browser(dark=True, width=390) as b:
        b.go("http://127.0.0.1:9099/")
        b.run("return document.title")
        b.wait("return document.querySelector('#rows tr')")
        b.screenshot("/tmp/x.png")
        b.console()         # what the page complained of

It knows no page of ours.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

import rig

DRIVER = shutil.which("chromedriver")
CHROMIUM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome"))), None)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def missing():
    """What lacks, in words; None when all is there."""
    if not (DRIVER and CHROMIUM):
        return "needs chromium and chromedriver"
    return None


class Browser:
    def __init__(self, dark=False, width=1200, height=900, timeout=60):
        self.timeout = timeout
        self.session = None
        self.home = tempfile.mkdtemp(prefix="br.", dir="/tmp")
        port = rig.free_port()
        self.base = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(
            [DRIVER, f"--port={port}"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.home}, start_new_session=True)
        try:
            rig.eventually(self._answers, timeout, "chromedriver")
            self._open(dark, width, height)
        except BaseException:
            self.close()
            raise

    def _answers(self):
        try:
            return self.call("GET", "/status")["ready"]
        except OSError:
            return False

    def _open(self, dark, width, height):
        got = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"binary": CHROMIUM, "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", "--no-first-run",
                "--hide-scrollbars", f"--user-data-dir={self.home}/profile",
                f"--window-size={width},{height}"]}}}})
        self.session = "/session/" + got["sessionId"]
        self.cdp("Emulation.setDeviceMetricsOverride", width=width,
                 height=height, deviceScaleFactor=1, mobile=width < 600)
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"}])

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base + path, data, {"Content-Type": "application/json"},
            method=method)
        try:
            with urllib.request.urlopen(request, None, self.timeout) as a:
                return json.load(a)["value"]
        except urllib.error.HTTPError as e:
            with e:
                raise RuntimeError(e.read().decode()[:2000]) from None

    def cdp(self, command, **parameters):
        """A command of the DevTools protocol."""
        return self.call("POST", self.session + "/goog/cdp/execute",
                         {"cmd": command, "params": parameters})

    def go(self, url):
        self.call("POST", self.session + "/url", {"url": url})

    def run(self, script, *args):
        return self.call("POST", self.session + "/execute/sync",
                         {"script": script, "args": list(args)})

    def wait(self, script, *args, timeout=30):
        """Until the script gives something true, and that."""
        return rig.eventually(lambda: self.run(script, *args), timeout,
                              script)

    def text(self, selector):
        return self.run("const e = document.querySelector(arguments[0]);"
                        "return e && e.innerText", selector)

    def find(self, selector):
        return self.call("POST", self.session + "/element", {
            "using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"{self.session}/element/{self.find(selector)}"
                  "/click", {})

    def type(self, selector, text):
        self.call("POST", f"{self.session}/element/{self.find(selector)}"
                  "/value", {"text": text})

    def keys(self, *keys):
        """Pressed one after the other, wherever the focus is."""
        for key in keys:
            self.call("POST", self.session + "/actions", {"actions": [{
                "type": "key", "id": "keyboard", "actions": [
                    {"type": "keyDown", "value": key},
                    {"type": "keyUp", "value": key}]}]})

    def screenshot(self, path):
        picture = self.cdp("Page.captureScreenshot",
                           captureBeyondViewport=True)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(picture))

    def console(self):
        """Errors and warnings of the console so far."""
        return [e["message"] for e in self.call(
            "POST", self.session + "/se/log", {"type": "browser"})
                if e["level"] in ("SEVERE", "WARNING")]

    def accessible(self):
        """Roles and names of what a screen reader is given."""
        nodes = self.cdp("Accessibility.getFullAXTree")["nodes"]
        return [(n["role"]["value"], n.get("name", {}).get("value", ""))
                for n in nodes if not n.get("ignored")]

    def close(self):
        if self.session:
            try:
                self.call("DELETE", self.session)
            except (OSError, RuntimeError):
                pass
        try:
            os.killpg(self.driver.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.driver.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
