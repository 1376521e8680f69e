"""Data directories made ready before they are served: an administrator, and projects of any size."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from appliance.records import Probe
from appliance.settings import Settings
from appliance.store import Store, Transaction, images, labels, projects, tokens, users
from appliance.store.blobs import Staged
from tests.bench._ours import Box

__all__ = ["fill", "fill_pictures", "ready_folder", "saves"]

_EMAIL = "bench@example.org"
_PAGE = 1_000
_PROBE = Probe(format="jpeg", width=640, height=480)


def ready_folder(folder: Path) -> str:
    """Make a data directory with an administrator and return a token of theirs."""

    def seed(tx: Transaction) -> str:
        user = users.create(tx, email=_EMAIL, name="Bench", role="admin", password_hash="!")
        return tokens.create(tx, user.id, name="bench", scopes=["read", "write", "admin"])[1]

    with Store(folder, Settings(data=str(folder))) as store:
        return store.write(seed)


def fill(folder: Path, name: str, count: int) -> tuple[int, int, list[int]]:
    """Add a project of `count` images that are rows only, without picture files.

    Returns:
        Ids of the project, of its one label and of its images.
    """
    with Store(folder, Settings(data=str(folder))) as store:

        def begin(tx: Transaction) -> tuple[int, int]:
            (owner,) = tx.execute("SELECT id FROM users WHERE email = ?", (_EMAIL,)).fetchall()[0]
            project = projects.create(tx, name=name, created_by=owner)
            return project.id, labels.ensure(tx, project.id, ["thing"])[0].id

        project_id, label_id = store.write(begin)
        ids: list[int] = []
        for start in range(0, count, _PAGE):
            numbers = range(start, min(start + _PAGE, count))
            ids += store.write(lambda tx, numbers=numbers: [_image(tx, project_id, number) for number in numbers])
    return project_id, label_id, ids


def _image(tx: Transaction, project_id: int, number: int) -> int:
    """Add an image whose content is named but not there."""
    digest = hashlib.sha256(f"{project_id}/{number}".encode())
    tx.execute("INSERT INTO blobs VALUES (?, 50000, 50000, 'plain', ?)", (digest.digest(), tx.now_ms))
    staged = Staged(Path("absent"), digest.hexdigest(), 50_000, 50_000, "plain")
    return images.create(tx, project_id, f"{number:07d}.jpg", staged, _PROBE).id


def fill_pictures(store: Store, project_id: int, pictures: Sequence[Path], count: int) -> None:
    """Add images whose bytes are there: the pictures, each time with another comment, so that all differ."""
    contents = [picture.read_bytes() for picture in pictures]
    for start in range(0, count, _PAGE):
        numbers = range(start, min(start + _PAGE, count))
        staged = [store.blobs.stage([_commented(contents[n % len(contents)], n)]) for n in numbers]
        store.blobs.settle(staged)

        def add(tx: Transaction, numbers: range = numbers, staged: Sequence[Staged] = staged) -> None:
            for number, one in zip(numbers, staged, strict=True):
                store.blobs.register(tx, one)
                images.create(tx, project_id, f"{number:07d}.jpg", one, _PROBE)

        store.write(add)


def _commented(jpeg: bytes, number: int) -> bytes:
    """Put a comment segment behind the start of a JPEG."""
    said = b"%08d" % number
    return jpeg[:2] + b"\xff\xfe" + (len(said) + 2).to_bytes(2, "big") + said + jpeg[2:]


def saves(box: Box, project_id: int, label_id: int, image_ids: Sequence[int], tag: str) -> Iterator[bytes]:
    """Render one save for each image: ten new boxes on its first revision."""
    random_ = random.Random(7)
    for image_id in image_ids:
        added = [
            {"id": f"{tag}{image_id:09d}-{n}", "label_id": label_id, "geometry": _box(random_)} for n in range(10)
        ]
        body = {"diff_id": f"{tag}{image_id:09d}", "revision": 0, "added": added}
        path = f"/api/projects/{project_id}/images/{image_id}/annotations"
        yield box.post(path, json.dumps(body).encode())


def _box(random_: random.Random) -> dict[str, float | str]:
    x, y = random_.uniform(0, 500), random_.uniform(0, 400)
    sides = random_.uniform(10, 130), random_.uniform(10, 75)
    return {"type": "box", "x1": x, "y1": y, "x2": x + sides[0], "y2": y + sides[1]}
