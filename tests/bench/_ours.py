"""The appliance under measurement: a real process on a free port of this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests._shared import ROOT
from tests.bench._load import render

__all__ = ["Box", "serving", "start"]


@dataclass
class Box:
    """A served appliance and an administrator's token for it."""

    url: str
    process: subprocess.Popen[str]
    token: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=120)

    @property
    def headers(self) -> dict[str, str]:
        """Headers for raw requests."""
        return {"Host": self.url.removeprefix("http://"), "Authorization": f"Bearer {self.token}"}

    def get(self, path: str) -> bytes:
        """Render a GET."""
        return render("GET", path, self.headers)

    def post(self, path: str, body: bytes, kind: str = "application/json") -> bytes:
        """Render a POST."""
        return render("POST", path, self.headers | {"Content-Type": kind}, body)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Send a request apart from the load and return its decoded answer.

        Raises:
            RuntimeError: It was refused.
        """
        answer = self.client.request(method, path, **options)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path} got {answer.status_code}: {answer.text[:500]}")
        return answer.json()

    def project(self, name: str) -> int:
        """Make a project and return its id."""
        return int(self.ask("POST", "/api/projects", json={"name": name})["id"])

    def model(self, path: Path) -> int:
        """Send a model and return its id."""
        return int(self.ask("POST", "/api/models", params={"name": path.name}, content=path.read_bytes())["id"])

    def send_archive(self, project_id: int, archive: Path) -> dict[str, Any]:
        """Import a zip archive and return the job when it is done."""
        path = f"/api/projects/{project_id}/archives"
        with archive.open("rb") as file:
            job = self.ask("POST", path, params={"name": archive.name}, content=file.read())
        return self.finished(job)

    def finished(self, job: dict[str, Any], every_s: float = 0.1) -> dict[str, Any]:
        """Wait for a job, asking seldom, so that asking costs nothing beside the work.

        Raises:
            RuntimeError: It did not end well.
        """
        while job["state"] in ("queued", "running"):
            time.sleep(every_s)
            job = self.ask("GET", f"/api/jobs/{job['id']}")
        if job["state"] != "done":
            raise RuntimeError(f"job {job['kind']} is {job['state']}: {job['error']}")
        return job

    def stop(self) -> None:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


@contextmanager
def serving(folder: Path, token: str) -> Iterator[Box]:
    """Serve the data directory from a process of its own."""
    process = start(folder)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the appliance did not start; it ended with {process.wait(60)}")
        box = Box(json.loads(line)["url"], process, token)
        yield box
        box.stop()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)


def start(folder: Path, port: int = 0, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start the appliance on a data directory; its log goes beside it."""
    command = [sys.executable, "-m", "appliance", "serve", "--data", str(folder), "--port", str(port), "--json"]
    with (folder.parent / f"{folder.name}.log").open("w") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
