"""The peer Label Studio: its own environment, SQLite, loopback, one data directory for a whole run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.bench._base import Options
from tests.bench._load import render
from tests.bench._peers import PeerMissing, environment
from tests.bench._process import clean_environment, end, first_200_s

__all__ = ["PEER", "LabelStudio", "Studio", "label_studio"]

PEER = "label-studio 1.23.2"
_WANTED = "label-studio==1.23.2"
_TOKEN = "0123456789abcdef0123456789abcdef01234567"
_FILES = 50
"""Files in one request; it refuses more than 100."""
_RECTANGLES = 10
_CONFIG = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
    '<Label value="thing"/></RectangleLabels></View>'
)


@dataclass
class Studio:
    """A served Label Studio."""

    url: str
    process: subprocess.Popen[str]
    client: httpx.Client

    @property
    def headers(self) -> dict[str, str]:
        """Headers for raw requests."""
        return {"Host": self.url.removeprefix("http://"), "Authorization": self.client.headers["Authorization"]}

    def get(self, path: str) -> bytes:
        """Render a GET."""
        return render("GET", path, self.headers)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Send a request apart from the load.

        Raises:
            RuntimeError: It was refused.
        """
        answer = self.client.request(method, path, **options)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path} got {answer.status_code}: {answer.text[:300]}")
        return answer.json()

    def project(self, title: str) -> int:
        """Make a project with one label for rectangles."""
        return int(self.ask("POST", "/api/projects", json={"title": title, "label_config": _CONFIG})["id"])

    def send_pictures(self, project_id: int, paths: Sequence[Path]) -> float:
        """Import picture files by HTTP, as many a request as it likes, and return the seconds."""
        started_s = time.perf_counter()
        for start in range(0, len(paths), _FILES):
            batch = paths[start : start + _FILES]
            files = [(path.name, (path.name, path.read_bytes(), "image/jpeg")) for path in batch]
            self.ask("POST", f"/api/projects/{project_id}/import", files=files)
        return time.perf_counter() - started_s

    def tasks(self, project_id: int, count: int) -> list[int]:
        """Add tasks that only name a picture and return their ids."""
        for start in range(0, count, 250):
            names = [{"data": {"image": f"/data/{n}.jpg"}} for n in range(start, min(start + 250, count))]
            self.ask("POST", f"/api/projects/{project_id}/import", json=names)
        return self.task_ids(project_id)

    def task_ids(self, project_id: int) -> list[int]:
        """Return the ids of all tasks of a project."""
        found: list[int] = []
        page = 1
        while True:
            asked = {"project": project_id, "page": page, "page_size": 100}
            answer = self.client.get("/api/tasks", params=asked)
            if answer.status_code == 404 or not (tasks := answer.json()["tasks"]):
                return found
            found += [task["id"] for task in tasks]
            if len(tasks) < 100:
                return found
            page += 1

    def saves(self, task_ids: Sequence[int]) -> Iterator[bytes]:
        """Render one save of ten rectangles for each task."""
        body = json.dumps({"result": [_rectangle(n) for n in range(_RECTANGLES)], "lead_time": 1.0}).encode()
        headers = self.headers | {"Content-Type": "application/json"}
        for task_id in task_ids:
            yield render("POST", f"/api/tasks/{task_id}/annotations", headers, body)


class LabelStudio:
    """Its installation and its data directory, started once so that later starts are later ones.

    Attributes:
        first_start_s: Seconds of the first start ever: bytecode, migrations, first 200.

    Raises:
        PeerMissing: It cannot be installed, does not come up, or lets nobody in.
    """

    def __init__(self, options: Options) -> None:
        self._bin = environment("label-studio", _WANTED)
        self._home = options.fresh("label-studio")
        self._first: dict[str, str] = {"PYTHONPYCACHEPREFIX": str(options.fresh("peer-bytecode"))}
        print("starting Label Studio for the first time, which takes a minute", file=sys.stderr)
        try:
            self.first_start_s, process = first_200_s(self.start, "/health")
        except RuntimeError as error:
            raise PeerMissing(str(error)) from error
        end(process)
        self._first = {}

    def start(self, port: int) -> subprocess.Popen[str]:
        """Start it on a port of loopback."""
        command = [str(self._bin / "label-studio"), "start", "--no-browser", "--internal-host", "127.0.0.1"]
        command += ["--port", str(port), "--enable-legacy-api-token"]
        settings = clean_environment(
            LABEL_STUDIO_BASE_DATA_DIR=str(self._home / "data"),
            LABEL_STUDIO_USERNAME="bench@example.org",
            LABEL_STUDIO_PASSWORD="bench-bench-bench",
            LABEL_STUDIO_USER_TOKEN=_TOKEN,
            LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN="true",
            COLLECT_ANALYTICS="false",
            LATEST_VERSION_CHECK="false",
            HOME=str(self._home),
            **self._first,
        )
        with (self._home / "log").open("a") as log:
            return subprocess.Popen(command, cwd=self._home, env=settings, stdout=log, stderr=log, text=True)

    @contextmanager
    def serving(self) -> Iterator[Studio]:
        """Serve it and sign in.

        Raises:
            PeerMissing: Its token does not let us in.
        """
        ports: list[int] = []

        def start(port: int) -> subprocess.Popen[str]:
            ports.append(port)
            return self.start(port)

        _, process = first_200_s(start, "/health")
        url = f"http://127.0.0.1:{ports[0]}"
        try:
            with httpx.Client(base_url=url, headers={"Authorization": f"Token {_TOKEN}"}, timeout=300) as client:
                answer = client.get("/api/projects")
                if answer.status_code != 200:
                    raise PeerMissing(f"its token is refused with {answer.status_code}")
                yield Studio(url, process, client)
        finally:
            end(process)


def label_studio(options: Options) -> tuple[LabelStudio | None, str | None]:
    """Return the peer, set up once in a run, or why it cannot be measured."""
    if "label-studio" not in options.kept:
        try:
            options.kept["label-studio"] = LabelStudio(options), None
        except PeerMissing as error:
            options.kept["label-studio"] = None, str(error)
    found: tuple[LabelStudio | None, str | None] = options.kept["label-studio"]
    return found


def _rectangle(number: int) -> dict[str, Any]:
    value = {"x": 5 + number, "y": 10, "width": 20, "height": 15, "rotation": 0, "rectanglelabels": ["thing"]}
    return {
        "id": f"r{number}",
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "value": value,
        "original_width": 640,
        "original_height": 480,
        "image_rotation": 0,
    }
