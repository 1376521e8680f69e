"""A project with one of everything that has an id."""

from __future__ import annotations

import io
import secrets
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests._onnx import dense_head, write_model
from tests._site import Site, box, diff, picture
from tests.web import _tus as tus

__all__ = ["Worked", "model_of", "worked"]


@dataclass
class Worked:
    """A project of the owner's.

    `ids` are by the name of the path parameter, `key` is its thread's, `drawn` the box on its
    image; the image `done` is approved and has a late diff.
    """

    project_id: int
    ids: dict[str, int]
    image: dict[str, Any]
    done: dict[str, Any]
    drawn: str
    key: str

    def path(self, template: str, **other: int) -> str:
        """Fill a template with the ids, or with others'."""
        return template.format_map({"project_id": self.project_id, "level": 0, "x": 0, "y": 0} | self.ids | other)


def model_of(site: Site, folder: Path) -> int:
    """Send a small model that finds one bolt, and return its id."""
    said = {"names": "{0: 'red', 1: 'bolt'}", "task": "detect", "stride": "32", "imgsz": "[64, 64]"}
    weights = write_model(folder / "m.onnx", [dense_head([(32, 32, 20, 16, 0.9, 0)])], metadata=said)
    answer = site.people["operator"].post("/api/models", params={"name": "m.onnx"}, content=weights.read_bytes())
    return int(answer.json()["id"])


def worked(site: Site, model_id: int) -> Worked:
    """Make a project in which something of every kind has happened, all of it by the owner."""
    project_id, owner = site.project(), site.people["owner"]
    url = f"/api/projects/{project_id}"
    label_id = site.labels(project_id)[0]["id"]
    done = site.approved(project_id, label_id)
    image = site.image(project_id, "worked.png", picture(64, 64))
    drawn = box(label_id)
    site.ok(site.save(project_id, image["id"], diff(0, added=[drawn]), "owner"))
    key = secrets.token_urlsafe(12)
    thread = site.ok(owner.post(f"{url}/images/{image['id']}/comments", json={"key": key, "text": "Is this one?"}))
    late = site.ok(owner.post(f"{url}/images/{done['id']}/late", json=diff(0, added=[box(label_id)])))
    upload = tus.whole(owner, project_id, "set.zip", _zip({"a.png": picture(), "b.png": picture()}))
    job = site.finished(owner.post(f"{url}/archives", params={"name": "one.zip"}, content=_zip({"c.png": picture()})))
    made = site.finished(owner.post(f"{url}/snapshots", json={"name": "first", "contents": "everything"}))
    snapshot_id = site.ok(owner.get(f"{url}/snapshots"))["items"][0]["id"]
    site.finished(owner.post(f"{url}/exports", json={"format": "coco", "snapshot_id": snapshot_id}))
    assert (job.state, made.state) == ("done", "done")
    ids = {
        "image_id": image["id"],
        "task_id": site.task(project_id, image["id"])["id"],
        "label_id": label_id,
        "revision": 1,
        "thread_id": thread["id"],
        "comment_id": thread["comments"][0]["id"],
        "late_id": late["id"],
        "upload_id": upload["id"],
        "job_id": job.id,
        "snapshot_id": snapshot_id,
        "export_id": site.ok(owner.get(f"{url}/exports"))["items"][0]["id"],
        "model_id": model_id,
        "user_id": site.ids["annotator"],
    }
    return Worked(project_id, ids, image, done, drawn["id"], key)


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()
