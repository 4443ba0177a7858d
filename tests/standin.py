# SPDX-License-Identifier: ISC
"""llm-standin as the tests use it: where it listens, what goes wrong.

    server = standin.Server("ollama")           a free port
    tree.add("ollama", server.conf(health="interval = 200ms"))
    server.fault("hang"); server.fault("slow", ms=500); server.state()

tests/standin_fault.c lists the faults. Nothing here starts a process, but
for Process, which runs the stand-in beside a tree.
"""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request

import rig

PATHS = {"ollama": "/api/tags", "mlx": "/health", "openai": "/health"}


class Server:
    """A stand-in at a port of its own, whoever starts it."""

    def __init__(self, mode="ollama", port=None):
        self.mode = mode
        self.port = port or rig.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = [rig.program("llm-standin"), mode, "--port",
                        str(self.port)]
        if mode == "ollama":
            self.command.append("serve")

    def conf(self, service="", health="", more="", guard=False, env=None):
        """Text of a service.conf that runs it, with a probe of its mode."""
        command = " ".join(self.command)
        if guard:
            command = f"port-guard {self.port} -- {command}"
        return (f"[service]\nexec = {command}\n{service}\n"
                "[environment]\n"
                + "".join(f"{k} = {v}\n" for k, v in (env or {}).items())
                + f"[health]\ntype = {self.mode}\nurl = {self.url}\n"
                f"{health}\n{more}\n")

    def request(self, path, body=None, timeout=rig.TIMEOUT):
        """Status and body; (0, reason) when there is no answer."""
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(self.url + path, data,
                                        timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.read().decode()
        except OSError as e:
            return 0, str(e)

    def answers(self):
        """The status of its first path, 0 while nobody answers."""
        return self.request(PATHS[self.mode])[0]

    def wait(self, timeout=rig.TIMEOUT):
        """Until somebody answers there; what /_standin says."""
        return rig.eventually(self.state, timeout, "an answer at " + self.url)

    def fault(self, fault, **more):
        status, text = self.request("/_standin", {"fault": fault, **more})
        if status != 200:
            raise RuntimeError(f"fault {fault}: {status} {text}")
        return json.loads(text)

    def state(self):
        """pid, mode, fault, runners and the numbers of requests."""
        status, text = self.request("/_standin")
        return json.loads(text) if status == 200 else None


class Process(Server):
    """A stand-in that runs outside of any tree, as user when one is given."""

    def __init__(self, mode="ollama", port=None, user=None, env=None,
                 program=None):
        super().__init__(mode, port)
        if program:
            self.command[0] = program
        how = {"user": user} if user else {}
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": "/", **(env or {})}, cwd="/",
            start_new_session=True, **how)
        self.wait()

    def close(self):
        """Ends it and the runners that it has left."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
