"""Short ways to nouns in a store, and what must be true of every image at any time."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from appliance.geometry import Geometry
from appliance.geometry.box import Box
from appliance.records import (
    Diff,
    Draft,
    Image,
    ImageAnnotations,
    Label,
    Probe,
    Project,
    ReviewPolicy,
    Saved,
    Task,
    User,
)
from appliance.store import Reading, Store, annotations, history, images, labels, projects, tasks, users, wire
from appliance.store.blobs import Staged

WIDTH, HEIGHT = 100, 80
PROBE = Probe(format="png", width=WIDTH, height=HEIGHT)
LEASE_MS = 60_000
_number = itertools.count(1)


def a_user(store: Store, role: Any = "member") -> User:
    email = f"user-{next(_number)}@box.example"
    return store.write(lambda tx: users.create(tx, email=email, name="Ann", role=role, password_hash="x"))


def a_project(store: Store, policy: Any = "all", created_by: int | None = None) -> Project:
    made = ReviewPolicy(images=policy) if isinstance(policy, str) else policy
    return store.write(lambda tx: projects.create(tx, name="field", review_policy=made, created_by=created_by))


def a_label(store: Store, project_id: int, name: str = "car", **fields: Any) -> Label:
    return store.write(lambda tx: labels.create(tx, project_id, labels.NewLabel(name=name, **fields)))


def settled(store: Store, data: bytes, *, compress: bool = False) -> Staged:
    staged = store.blobs.stage([data], compress=compress)
    store.blobs.settle([staged])
    return staged


def an_image(store: Store, project_id: int, name: str = "a.png", data: bytes | None = None) -> Image:
    staged = settled(store, data if data is not None else f"picture {next(_number)}".encode())

    def add(tx):
        store.blobs.register(tx, staged)
        return images.create(tx, project_id, name, staged, PROBE)

    return store.write(add)


def some_images(store: Store, project_id: int, count: int) -> list[Image]:
    return [an_image(store, project_id, f"{number}.png") for number in range(count)]


def a_draft(annotation_id: str, label_id: int, geometry: Geometry | None = None, **fields: Any) -> Draft:
    return Draft(id=annotation_id.ljust(8, "_"), label_id=label_id, geometry=geometry or Box(1, 1, 9, 9), **fields)


def a_diff(
    revision: int,
    added: Sequence[Draft] = (),
    changed: Sequence[Draft] = (),
    removed: Sequence[str] = (),
    diff_id: str | None = None,
) -> Diff:
    return Diff(
        diff_id=diff_id or secrets.token_hex(8),
        revision=revision,
        added=list(added),
        changed=list(changed),
        removed=[i.ljust(8, "_") for i in removed],
    )


def save(store: Store, image: Image, diff: Diff, author: User | None = None) -> Saved:
    author_id = author.id if author else None
    return store.write(lambda tx: annotations.save(tx, image.project_id, image.id, diff, author_id=author_id))


def shown(store: Store, image: Image) -> ImageAnnotations:
    return store.read(lambda reading: annotations.of_image(reading, image.project_id, image.id))


def now(store: Store, image: Image) -> Image:
    return store.read(lambda reading: images.get(reading, image.project_id, image.id))


def task_of(store: Store, image: Image) -> Task:
    return store.read(lambda reading: tasks.of_image(reading, image.id))


def drawn(store: Store, image: Image, label: Label, author: User, *ids: str) -> Saved:
    """Draw boxes beside each other, as `author`, at the image's present revision."""
    count = now(store, image).annotations
    boxes = [Box(10 * (count + n), 0, 10 * (count + n) + 9, 9) for n in range(len(ids))]
    added = [a_draft(i, label.id, box) for i, box in zip(ids, boxes, strict=True)]
    return save(store, image, a_diff(now(store, image).revision, added), author)


def require_truth(reading: Reading, image: Image) -> None:
    """Compare the image's counters and history with its annotations themselves."""
    present = annotations.of_image(reading, image.project_id, image.id)
    sent = msgspec.json.encode(wire.of_image(reading, image.project_id, image.id))
    assert msgspec.json.decode(sent, type=ImageAnnotations) == present
    fresh = images.get(reading, image.project_id, image.id)
    assert fresh.predictions == sum(a.is_prediction for a in present.annotations)
    assert fresh.annotations == sum(not a.is_prediction and a.status != "rejected" for a in present.annotations)
    ((rows, top),) = reading.execute(
        "SELECT count(*), coalesce(max(revision), 0) FROM history WHERE image_id = ?", (image.id,)
    ).fetchall()
    assert fresh.revision == rows == top
    assert all(1 <= a.revision <= fresh.revision for a in present.annotations)
    _require_replay(reading, image.id, fresh.revision, {a.id: a for a in present.annotations})
    ((state,),) = reading.execute("SELECT state FROM tasks WHERE image_id = ?", (image.id,)).fetchall()
    assert state == fresh.state


def _require_replay(reading: Reading, image_id: int, revision: int, standing: dict[str, Any]) -> None:
    """Walk the history back: each revision's inverse fits what stands, and in the end nothing stands."""
    for number in range(revision, 0, -1):
        back = history.inverse(history.changes_at(reading, image_id, number))
        for gone in back.removed:
            assert standing.pop(gone.id) == gone
        for old, new in back.put:
            assert standing.get(new.id) == old
            standing[new.id] = new
    assert standing == {}


def require_counts(reading: Reading) -> None:
    """Compare the kept numbers of images by state with a count."""
    kept = reading.execute("SELECT project_id, state, images FROM image_counts WHERE images != 0 ORDER BY 1, 2")
    counted = reading.execute("SELECT project_id, state, count(*) FROM images GROUP BY 1, 2 ORDER BY 1, 2")
    assert kept.fetchall() == counted.fetchall()
