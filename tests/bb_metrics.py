# SPDX-License-Identifier: ISC
"""The figures of /metrics as Prometheus takes them."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.request

import rig

TOO_SLOW = 60
RULES = os.path.join(rig.TOP, "services", "recovery-listener", "prometheus")
TRIPS = {"conf": "[service]\nrestart-delay = 10ms\nrestart-limit = 1/1m\n",
         "run": "test -e ok || exit 1\nexec sleep 1000\n"}

PROBED = {
    "health-monitor": "[service]\nexec = health-monitor\nready = notify\n"
                      "grants = Report Restart Signal\n",
    "asked": "[service]\nexec = sleep 1000\n"
             "[health]\ntype = exec\ncommand = true\ninterval = 1s\n",
}


class Figures(rig.Case):
    def start(self, services):
        self.port = rig.free_port()
        tree = self.tree({
            "recovery-listener": "[service]\nready = notify\n"
            f"exec = recovery-listener -p {self.port}\ngrants = Once\n",
            **services})
        tree.wait("recovery-listener", "UP")
        return tree

    def text(self, accept=""):
        link = http.client.HTTPConnection("127.0.0.1", self.port,
                                          timeout=rig.TIMEOUT)
        try:
            link.request("GET", "/metrics", headers={"Accept": accept}
                         if accept else {})
            return link.getresponse().read().decode()
        finally:
            link.close()

    def value(self, name, **labels):
        """Of one sample; None when it is not there."""
        wanted = name + ("{" + ",".join(
            f'{k}="{v}"' for k, v in labels.items()) + "}" if labels else "")
        for line in self.text().splitlines():
            if line.rsplit(" ", 1)[0] == wanted:
                return float(line.rsplit(" ", 1)[1])
        return None


class Counted(Figures):
    def test_faults_and_repairs_are_counted(self):
        t = self.start({"a": "[service]\nexec = sleep 1000\n",
                        "b": "[service]\nexec = sleep 1000\n"})
        pid = t.wait("a", "UP")["pid"]
        t.wait("b", "UP")
        self.assertEqual(self.value("svtree_service_faults_total",
                                    service="a", reason="signal"), 0)
        os.kill(pid, signal.SIGKILL)
        rig.eventually(lambda: self.value(
            "svtree_service_repair_seconds_count", service="a") == 1,
            what="the repair")
        self.assertEqual(self.value("svtree_service_faults_total",
                                    service="a", reason="signal"), 1)
        reasons = "svtree_service_restart_reasons_total"
        self.assertEqual(self.value(reasons, service="a", reason="signal"),
                         1)
        t.call("Restart", {"name": "a"})
        rig.eventually(lambda: self.value(reasons, service="a",
                                          reason="asked") == 1,
                       what="the restart that was asked for")
        # times of events have milliseconds: a repair can be faster
        self.assertLess(self.value("svtree_service_repair_seconds_sum",
                                   service="a"), TOO_SLOW)
        self.assertEqual([self.value(
            "svtree_service_repair_seconds_bucket", service="a", le=le)
            for le in ("300.0", "1800.0", "+Inf")], [1, 1, 1])
        t.call("Report", {"name": "b", "health": "failing", "reason": "x",
                          "incident": "odd"})
        t.call("Report", {"name": "b", "oom": True, "reason": "no memory"})
        rig.eventually(lambda: self.value("svtree_service_oom_kills_total",
                                          service="b") == 1, what="the kill")
        self.assertEqual(self.value("svtree_service_incidents_total",
                                    service="b"), 1)
        self.assertEqual(self.value("svtree_service_faults_total",
                                    service="b", reason="health"), 1)
        rig.eventually(lambda: self.value("svtree_service_healthy",
                                          service="b") == 0, what="its health")
        t.call("Report", {"name": "b", "health": "ok"})
        rig.eventually(lambda: self.value(
            "svtree_service_repair_seconds_count", service="b") == 1,
            what="the repair")

    def test_answers_to_probes_are_counted_by_their_time(self):
        """and outlive the health monitor; so is what the supervisor takes"""
        t = self.start(PROBED)
        name = "svtree_service_probe_seconds"
        of = {"service": "asked", "probe": "live"}
        rig.eventually(lambda: (self.value(name + "_count", **of) or 0) >= 3,
                       TOO_SLOW, "three answers")
        text = self.text().splitlines()
        counts = [float(line.rsplit(" ", 1)[1]) for line in text
                  if line.startswith(name + '_bucket{service="asked"')]
        self.assertEqual(len(counts), 13)
        self.assertEqual(counts, sorted(counts))
        self.assertGreaterEqual(counts[-1], 3)
        self.assertEqual(self.value("svtree_service_probe_failures_total",
                                    **of), 0)
        self.assertFalse([x for x in text if "probe_seconds" in x and
                          'service="health-monitor"' in x])
        self.assertRegex(t.svctl("status", "asked").stdout,
                         r"latency: last \d+ ms; in 24 h mean [0-9.]+ ms, at "
                         r"most \d+ ms, \d+ probes\n")
        before = t.wait("health-monitor", "UP")["pid"]
        t.call("Restart", {"name": "health-monitor"})
        t.wait("health-monitor", lambda s: s["state"] == "UP" and
               s["pid"] != before, timeout=TOO_SLOW)
        rig.eventually(lambda: (self.value(name + "_count", **of) or 0) >
                       counts[-1], TOO_SLOW, "more answers than before")
        self.assertGreater(
            self.value("svtree_supervisor_resident_memory_bytes"), 100000)
        self.assertGreater(self.value("svtree_supervisor_open_fds"), 3)

    def test_openmetrics_keeps_its_rules(self):
        """families in one piece, types before samples, # EOF last"""
        self.start(PROBED)
        rig.eventually(lambda: "probe_seconds_bucket" in self.text(),
                       TOO_SLOW, "an answer to a probe")
        lines = self.text().splitlines()
        self.assertEqual(lines[-1], "# EOF")
        suffixes = {"counter": ("_total",), "gauge": ("",),
                    "stateset": ("",), "info": ("_info",),
                    "summary": ("_sum", "_count"),
                    "histogram": ("_bucket", "_sum", "_count")}
        family, kind, seen = None, None, set()
        for line in lines[:-1]:
            if line.startswith("# TYPE "):
                _, _, family, kind = line.split()
                self.assertNotIn(family, seen)
                seen.add(family)
            elif line.startswith("# HELP "):
                self.assertEqual(line.split()[2], family)
            else:
                name, labels, _ = re.fullmatch(
                    r'([a-z_]+)(\{.*\})? (-?[0-9.]+)', line).groups()
                self.assertIn(name, [family + s for s in suffixes[kind]])
                if kind == "stateset":
                    self.assertIn(f'{family}="', labels)
        self.assertGreater(len(seen), 10)


@unittest.skipUnless(shutil.which("promtool") and shutil.which("prometheus"),
                     "needs prometheus")
class Prometheus(Figures):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="pr.", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.home, True)

    def tool(self, *args, text=None):
        return subprocess.run(["promtool", *args], input=text, text=True,
                              capture_output=True, cwd=self.home,
                              timeout=TOO_SLOW, check=False)

    def test_promtool_has_no_complaint(self):
        t = self.start({"a": "[service]\nexec = sleep 1000\n", **PROBED})
        os.kill(t.wait("a", "UP")["pid"], signal.SIGKILL)
        rig.eventually(lambda: "probe_seconds_bucket" in self.text(),
                       TOO_SLOW, "an answer to a probe")
        for accept in ("text/plain", "text/plain;version=0.0.4"):
            done = self.tool("check", "metrics", text=self.text(accept))
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (0, "", ""))
        for name in ("svtree.rules.yml", "prometheus.yml"):
            shutil.copy(os.path.join(RULES, name), self.home)
        done = self.tool("check", "rules", "svtree.rules.yml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("9 rules found", done.stdout)
        done = self.tool("check", "config", "prometheus.yml")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_dashboard_asks_for_figures_that_there_are(self):
        self.start(PROBED)
        rig.eventually(lambda: "probe_seconds_bucket" in self.text(),
                       TOO_SLOW, "an answer to a probe")
        with open(os.path.join(RULES, "grafana-dashboard.json"),
                  encoding="utf-8") as f:
            panels = json.load(f)["panels"]
        exprs = [t["expr"] for p in panels for t in p["targets"]]
        rules = "groups: [{name: x, rules: [" + ", ".join(
            "{record: r%d, expr: %s}" % (i, json.dumps(re.sub(
                r"\$__\w+", "5m", e).replace("$instance", ".*")))
            for i, e in enumerate(exprs)) + "]}]\n"
        with open(os.path.join(self.home, "r.yml"), "w",
                  encoding="utf-8") as f:
            f.write(rules)
        done = self.tool("check", "rules", "r.yml")
        self.assertEqual(done.returncode, 0, done.stderr)
        names = set(re.findall(r"svtree_[a-z_]+(?=\{|\[| |$)",
                               " ".join(exprs)))
        told = set(re.findall(r"^svtree_[a-z_]+", self.text(), re.M))
        self.assertLessEqual(names, told)

    def test_alerts_fire_and_end(self):
        """a real Prometheus scrapes a tree in which a service gives up"""
        t = self.start({"sick": TRIPS})
        t.wait("sick", "TRIPPED")
        base = self.prometheus()

        def firing():
            with urllib.request.urlopen(base + "/api/v1/alerts", None,
                                        rig.TIMEOUT) as answer:
                alerts = json.load(answer)["data"]["alerts"]
            return {a["labels"]["alertname"] for a in alerts
                    if a["state"] == "firing" and
                    a["labels"].get("service", "sick") == "sick"}
        wanted = {"SvtreeServiceTripped", "SvtreeServiceUnhealthy"}
        rig.eventually(lambda: firing() >= wanted, TOO_SLOW, "the alerts")
        with open(os.path.join(t.services, "sick", "ok"), "w",
                  encoding="ascii"):
            pass
        t.call("Start", {"name": "sick"})
        t.wait("sick", "UP")
        rig.eventually(lambda: not firing() & wanted, TOO_SLOW,
                       "the end of the alerts")
        t.kill_supervisor()
        rig.eventually(lambda: "SvtreeSupervisorDown" in firing(), TOO_SLOW,
                       "the alert that no supervisor answers")

    def prometheus(self):
        """Its address; it scrapes and judges every second, without
        patience."""
        for name in ("svtree.rules.yml", "prometheus.yml"):
            with open(os.path.join(RULES, name), encoding="utf-8") as f:
                text = f.read()
            text = re.sub(r"for: \w+", "for: 0s", text).replace(
                "scrape_interval: 15s",
                "scrape_interval: 1s\n  evaluation_interval: 1s")
            with open(os.path.join(self.home, name), "w",
                      encoding="utf-8") as f:
                f.write(text)
        os.mkdir(os.path.join(self.home, "targets"))
        with open(os.path.join(self.home, "targets", "here.json"), "w",
                  encoding="utf-8") as f:
            json.dump([{"targets": [f"127.0.0.1:{self.port}"]}], f)
        port = rig.free_port()
        p = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml",
             f"--web.listen-address=127.0.0.1:{port}",
             "--storage.tsdb.path=data", "--log.level=error"],
            cwd=self.home, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (p.kill(), p.wait()))
        base = f"http://127.0.0.1:{port}"
        rig.eventually(lambda: self.is_ready(base), TOO_SLOW, "Prometheus")
        return base

    def is_ready(self, base):
        try:
            with urllib.request.urlopen(base + "/-/ready", None, 5) as a:
                return a.status == 200
        except OSError:
            return False


if __name__ == "__main__":
    rig.main()
