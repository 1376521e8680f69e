"""The real server for tests, on a free loopback port: in a thread or as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from appliance.app import Appliance, build
from appliance.records import GlobalRole, ProjectRole, User
from appliance.settings import Settings
from appliance.store import members, users
from appliance.web.server import Server

PASSWORD = "correct horse battery staple"
CHEAP = {"argon2_memory_kib": 19 * 1024, "argon2_time": 2, "argon2_lanes": 1, "port": 0, "free_floor_bytes": 0}


def settings_for(folder: Path, **overrides: Any) -> Settings:
    """Settings for tests: a free port, cheap hashes, no floor for free space."""
    return Settings(**{"data": str(folder), **CHEAP, **overrides})


@dataclass
class Serving:
    """A running appliance and ways to talk to it."""

    appliance: Appliance
    server: Server
    code: str | None
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    def client(self, **options: Any) -> httpx.Client:
        """A browser-like client: it keeps cookies and says where its requests come from."""
        headers = {"Origin": self.url, **options.pop("headers", {})}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=30, verify=False, **options)
        self.clients.append(client)
        return client

    def claim(self, email: str = "admin@example.org") -> httpx.Client:
        """Set the box up and return the signed-in first administrator."""
        client = self.client()
        body = {"code": self.code, "email": email, "name": "Ada", "password": PASSWORD}
        assert client.post("/api/setup", json=body).status_code == 201
        return client

    def person(self, name: str, role: GlobalRole = "member") -> User:
        """Make an account `name`@example.org whose password is `PASSWORD`."""
        hashed = self.appliance.services.passwords.hash(PASSWORD).result()
        return self.appliance.store.write(
            lambda tx: users.create(tx, email=f"{name}@example.org", name=name, role=role, password_hash=hashed)
        )

    def join(self, user: User, project_id: int, role: ProjectRole) -> None:
        """Make a user a member of a project."""
        self.appliance.store.write(lambda tx: members.put(tx, project_id, user.id, role))

    def signed_in(self, name: str) -> httpx.Client:
        """Sign `name`@example.org in."""
        client = self.client()
        answer = client.post("/api/session", json={"email": f"{name}@example.org", "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return client


@contextmanager
def serving(folder: Path, **overrides: Any) -> Iterator[Serving]:
    """Serve `folder` from a thread of this process."""
    appliance = build(settings_for(folder, **overrides))
    started, outcome = threading.Event(), []

    def ready(server: Server, code: str | None) -> None:
        outcome.append(Serving(appliance, server, code))
        started.set()

    def run() -> None:
        try:
            appliance.serve(ready, signals=False)
        except BaseException as error:
            outcome.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="serving", daemon=True)
    thread.start()
    started.wait(60)
    try:
        if not outcome or isinstance(outcome[0], BaseException):
            raise outcome[0] if outcome else TimeoutError("the server did not start")
        yield outcome[0]
        for client in outcome[0].clients:
            client.close()
        outcome[0].server.stop()
        thread.join(60)
        assert not thread.is_alive(), "the server did not stop"
        if isinstance(outcome[-1], BaseException):
            raise outcome[-1]
    finally:
        appliance.close()


_CHILD = """
import json, sys
from appliance.app import build
from appliance.settings import Settings
def ready(server, code):
    print(json.dumps({"url": server.url, "code": code}), flush=True)
with build(Settings(**json.loads(sys.argv[1]))) as appliance:
    appliance.serve(ready)
"""


@dataclass
class Child:
    """A server in a process of its own, which can be killed."""

    process: subprocess.Popen[str]
    url: str
    code: str | None

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def serving_process(folder: Path, **overrides: Any) -> Iterator[Child]:
    """Serve `folder` from a child process; it is killed at the end if it still runs."""
    options = json.dumps({"data": str(folder), **CHEAP, **overrides})
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, options],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the server ended before it was ready"
        yield Child(process, **json.loads(line))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)
        process.stdout.close()
