# SPDX-License-Identifier: ISC
"""As much of a container engine's API as our programs ask for, on a UNIX
socket, with containers and events of the test's making. dockerd.py has a real
one."""

import http.server
import json
import os
import queue
import socketserver
import sys
import threading
import time
import urllib.parse


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class EngineHandler(Quiet):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        engine = self.server.engine
        engine.talks.wait()
        if url.path.endswith("/_ping"):
            self.answer(200, b"OK", "text/plain")
        elif url.path.endswith("/events"):
            self.stream(urllib.parse.parse_qs(url.query))
        elif url.path.endswith("/json"):
            name = url.path.split("/")[-2]
            c = engine.containers.get(name)
            self.answer(200 if c else 404, c or {"message": "no such one"})
        else:
            self.answer(404, {"message": "page not found"})

    def stream(self, query):
        engine = self.server.engine
        lines = queue.Queue()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        with engine.lock:
            since = float(query.get("since", ["inf"])[0])
            for e in engine.history:
                if e["timeNano"] / 1e9 >= since - 1e-6:
                    lines.put(e)
            engine.streams.append(lines)
        engine.opened.put(query)
        self.close_connection = True
        try:
            while (event := lines.get()) is not None:
                data = json.dumps(event).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()
        except OSError:
            pass    # the watcher went away


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Whoever asked has hung up: that is no error here."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Engine:
    """As much of a Docker Engine as the watcher asks for."""

    ID = "c0ffee" * 10 + "beef"

    def __init__(self, path):
        self.lock = threading.Lock()
        self.history, self.streams = [], []
        self.opened = queue.Queue()
        self.containers = {}
        self.path = path
        self.talks = threading.Event()      # cleared: accepts, says nothing
        self.talks.set()
        self.server = UnixServer(path, EngineHandler)
        self.server.engine = self
        threading.Thread(target=self.server.serve_forever,
                         args=(0.02,), daemon=True).start()

    def container(self, name, oom=False, memory=0, status="exited"):
        self.containers[name] = {
            "Id": self.ID, "Name": "/" + name, "RestartCount": 0,
            "State": {"Status": status, "OOMKilled": oom, "ExitCode": 137,
                      "Error": ""},
            "HostConfig": {"Memory": memory,
                           "RestartPolicy": {"Name": "no"}}}

    def event(self, name, action, at=None, **attributes):
        ns = time.time_ns() if at is None else int(at * 1e9)
        e = {"Type": "container", "Action": action, "scope": "local",
             "Actor": {"ID": self.ID,
                       "Attributes": {"name": name, **attributes}},
             "time": ns // 10**9, "timeNano": ns}
        with self.lock:
            self.history.append(e)
            for lines in self.streams:
                lines.put(e)

    def drop(self):
        """Ends all streams, as a restarted engine does."""
        with self.lock:
            for lines in self.streams:
                lines.put(None)
            self.streams = []

    def close(self):
        self.talks.set()
        self.drop()
        self.server.shutdown()
        self.server.server_close()
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
