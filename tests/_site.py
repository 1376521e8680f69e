"""A served box with people in every role, and short words for what tests do with it."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from appliance.records import Job
from tests._pictures import encode
from tests._server import Serving, serving

__all__ = ["ROLES", "Site", "box", "diff", "picture", "site_at"]

ROLES = ("owner", "reviewer", "annotator")
_WAIT_S = 60.0
_seeds = itertools.count(1)


def picture(
    width: int = 64, height: int = 48, kind: str = "png", colour: tuple[int, int, int] | None = None
) -> bytes:
    """Return the bytes of a picture that differs from every other one; `colour` fills its middle."""
    pixels = np.random.default_rng(next(_seeds)).integers(100, 120, (height, width, 3)).astype(np.uint8)
    if colour is not None:
        pixels[height // 4 : height // 2, width // 4 : width // 2] = colour
    return encode(pixels, kind)


@dataclass
class Site:
    """A box in use; `people` holds a signed-in client by name.

    ``admin`` is the global administrator, ``operator`` a global operator, ``outsider`` a member of
    the box but of no project made here; the rest have the roles of `ROLES` in every project.
    """

    box: Serving
    people: dict[str, httpx.Client]
    ids: dict[str, int]

    def project(self, review_policy: str = "all", labels: tuple[str, ...] = ("bolt", "washer"), **policy: Any) -> int:
        """Make a project of the owner with its members, and return its id."""
        body = {
            "name": "Parts",
            "review_policy": {"images": review_policy, **policy},
            "labels": [{"name": n} for n in labels],
        }
        project_id: int = self.ok(self.people["owner"].post("/api/projects", json=body), 201)["id"]
        for name in ("reviewer", "annotator"):
            url = f"/api/projects/{project_id}/members/{self.ids[name]}"
            self.ok(self.people["owner"].put(url, json={"role": name}))
        return project_id

    def labels(self, project_id: int) -> list[dict[str, Any]]:
        """Return the project's labels."""
        items: list[dict[str, Any]] = self.ok(self.people["owner"].get(f"/api/projects/{project_id}/labels"))["items"]
        return items

    def image(self, project_id: int, name: str = "a.png", content: bytes | None = None) -> dict[str, Any]:
        """Upload a picture as the annotator and return its image."""
        url, content = f"/api/projects/{project_id}/images", picture() if content is None else content
        return self.ok(self.people["annotator"].post(url, params={"name": name}, content=content), 201)

    def draw(self, project_id: int, image_id: int, label_id: int, revision: int = 0, who: str = "annotator") -> int:
        """Save one box and return the image's revision."""
        answer = self.save(project_id, image_id, diff(revision, added=[box(label_id)]), who)
        return int(self.ok(answer)["revision"])

    def save(self, project_id: int, image_id: int, body: dict[str, Any], who: str = "annotator") -> httpx.Response:
        """Send a diff."""
        return self.people[who].post(f"/api/projects/{project_id}/images/{image_id}/annotations", json=body)

    def task(self, project_id: int, image_id: int) -> dict[str, Any]:
        """Return the image's task."""
        task: dict[str, Any] = self.ok(self.people["owner"].get(f"/api/projects/{project_id}/images/{image_id}"))[
            "task"
        ]
        return task

    def tell(
        self, project_id: int, task_id: int, what: str, body: Any = None, who: str = "annotator"
    ) -> httpx.Response:
        """Post to a task."""
        return self.people[who].post(f"/api/projects/{project_id}/tasks/{task_id}/{what}", json=body)

    def approved(self, project_id: int, label_id: int) -> dict[str, Any]:
        """Upload a picture, draw on it, submit and approve it; return the image."""
        image = self.image(project_id)
        task, revision = self.task(project_id, image["id"]), self.draw(project_id, image["id"], label_id)
        self.ok(self.tell(project_id, task["id"], "submit", {"revision": revision}))
        verdict = {"revision": revision, "verdict": "approve"}
        self.ok(self.tell(project_id, task["id"], "review", verdict, "reviewer"), 201)
        return image

    def finished(self, answer: httpx.Response) -> Job:
        """Wait until the job of a 202 answer is over and return it."""
        return self.box.appliance.jobs.wait(self.ok(answer, 202)["id"], _WAIT_S)

    def audited(self, action: str) -> list[dict[str, Any]]:
        """Return the newest audit lines of an action."""
        items = self.ok(self.people["admin"].get("/api/audit", params={"limit": 500}))["items"]
        return [line for line in items if line["action"] == action]

    @staticmethod
    def ok(answer: httpx.Response, status: int = 200) -> Any:
        """Return the body of an answer that has the status."""
        assert answer.status_code == status, (answer.request.url, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    @staticmethod
    def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
        """Return the problem of an answer that has the status and the code."""
        problem: dict[str, Any] = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), (answer.request.url, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        return problem


def box(label_id: int, at: float = 4.0, **more: Any) -> dict[str, Any]:
    """Return a draft of a box."""
    geometry = {"type": "box", "x1": at, "y1": at, "x2": at + 20, "y2": at + 16}
    return {"id": secrets.token_urlsafe(12), "label_id": label_id, "geometry": geometry, **more}


def diff(revision: int, **changes: Any) -> dict[str, Any]:
    """Return a diff with an id of its own."""
    return {"diff_id": secrets.token_urlsafe(12), "revision": revision, **changes}


@contextmanager
def site_at(folder: Path, **settings: Any) -> Iterator[Site]:
    """Serve a box with its people."""
    with serving(folder, image_children=1, **settings) as running:
        people, ids = {"admin": running.claim()}, {}
        for name in (*ROLES, "outsider", "operator"):
            ids[name] = running.person(name, "operator" if name == "operator" else "member").id
            people[name] = running.signed_in(name)
        yield Site(running, people, ids)
