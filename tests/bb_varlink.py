# SPDX-License-Identifier: ISC
"""The control socket asked by Varlink's own client for Python (PyPI)."""

import json
import os
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig  # noqa: E402

SLEEPER = "[service]\nexec = sleep 1000\n"
VENV = os.path.join(os.environ.get("builddir") or rig.BIN, "varlink-venv")
PYTHON = os.path.join(VENV, "bin", "python")

CLIENT = """
import json, sys, varlink
with varlink.Client("unix:" + sys.argv[1]) as client:
    told = {"interfaces": sorted(client.get_interfaces())}
    with client.open("org.varlink.service") as meta:
        told["info"] = meta.GetInfo()
    with client.open("org.svtree") as tree:
        told["status"] = tree.Status(["a"])
        told["stop"] = tree.Stop("a", "by the client")
        try:
            tree.Start("nobody")
        except varlink.VarlinkError as e:
            told["error"] = [e.error(), e.parameters()]
        with client.open("org.svtree") as events:
            seen = []
            for reply in events.Subscribe(_more=True):
                event = reply.get("event")
                if event is None:
                    tree.Start("a")
                    continue
                seen.append(event)
                if event["event"] == "state" and event["state"] == "UP":
                    break
            told["events"] = [e["event"] for e in seen]
            told["seq"] = [e["seq"] for e in seen]
print(json.dumps(told))
"""


def missing():
    """Why the client cannot be had; None when it is there."""
    if not os.path.exists(PYTHON):
        subprocess.run([sys.executable, "-m", "venv", VENV], check=False,
                       capture_output=True)
    done = subprocess.run([PYTHON, "-c", "import varlink"], check=False,
                          capture_output=True, text=True)
    if done.returncode != 0:
        done = subprocess.run(
            [PYTHON, "-m", "pip", "install", "--quiet",
             "--disable-pip-version-check", "varlink"],
            check=False, capture_output=True, text=True, timeout=110)
    if done.returncode != 0:
        return "pip cannot get varlink: " + done.stderr.strip()[-200:]
    return None


class Client(rig.Case):
    def test_varlink_s_own_client_works_unchanged(self):
        why = missing()
        if why:
            raise unittest.SkipTest(why)
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        done = subprocess.run([PYTHON, "-c", CLIENT, t.socket], check=False,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["interfaces"],
                         ["org.svtree", "org.varlink.service"])
        self.assertEqual(told["info"]["product"], "svtree supervisor")
        self.assertEqual(told["status"]["services"][0]["state"], "UP")
        self.assertEqual(told["error"][0], "org.svtree.NoSuchService")
        self.assertEqual(told["error"][1]["name"], "nobody")
        self.assertIn("state", told["events"])
        first = told["seq"][0]
        self.assertEqual(told["seq"],
                         list(range(first, first + len(told["seq"]))))

    def test_no_event_lands_in_the_middle_of_a_list(self):
        """on one connection: subscribed, then lists that are not read"""
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        t.wait("svlog", "UP")   # no event comes by itself from here on
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(t.socket)
            s.sendall(b'{"method":"org.svtree.Subscribe","more":true}\0')
            s.settimeout(1)
            try:            # until the supervisor does not take more
                while True:
                    s.sendall(b'{"method":"org.svtree.Status"}\0' * 10)
            except TimeoutError:
                pass
            for _ in range(3):
                t.call("Restart", {"name": "a"})
                t.wait("a", "UP")
            s.settimeout(30)
            said = b""
            try:
                while chunk := s.recv(65536):
                    said += chunk
            except ConnectionResetError:    # what was not read of ours
                pass
        whole = [json.loads(x) for x in said.split(b"\0")[:-1]]
        self.assertEqual(whole[0], {"parameters": {}, "continues": True})
        self.assertTrue(any("services" in x["parameters"] for x in whole))
        self.assertEqual(t.wait("a", "UP")["want"], "up")

    def test_what_is_reported_at_length_is_cut_and_not_dropped(self):
        t = self.tree({"a": SLEEPER})
        t.wait("a", "UP")
        t.call("Report", {"name": "a", "health": "failing",
                          "reason": "no answer " * 20, "text": "t" * 700,
                          "incident": "it burns " * 100})
        sv = t.service("a")
        self.assertTrue(sv["health_text"].startswith("no answer no answer"))
        self.assertTrue(sv["text"].startswith("ttt"))
        rig.eventually(lambda: '"reason":"it burns it burns' in
                       t.log_text("svtree"), what="the incident")

    def test_each_interface_is_described(self):
        t = self.tree({"a": SLEEPER})
        with rig.Varlink(t.socket) as link:
            for name in ("org.svtree", "org.varlink.service"):
                text = link.call(
                    "org.varlink.service.GetInterfaceDescription",
                    {"interface": name})["description"]
                self.assertIn("interface " + name, text)


if __name__ == "__main__":
    rig.main()
