"""What changed between two snapshots: a child reads both manifests, the answer is cached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import msgspec

from appliance.jobs import children
from appliance.records import DatasetImage, Snapshot
from appliance.store import Store, snapshots
from appliance.store.blobs import Blobs

__all__ = ["CHILD_TASK", "Changes", "compare", "handle"]

CHILD_TASK = True
_TASK = "jobs.comparison"
_NAMES = 100
_DEADLINE_S = 600.0
_MEMORY_BYTES = 2 << 30


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """How the images of one snapshot differ from those of an earlier one.

    The counts are of all images; the names are the first hundred of each kind.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    same: int = 0
    added_names: list[str] = []
    removed_names: list[str] = []
    changed_names: list[str] = []


def compare(store: Store, old: Snapshot, new: Snapshot) -> Changes:
    """Compare two snapshots; blocks, for seconds when they hold many images.

    Raises:
        ChildFailed: The child that reads them ended without an answer.
        StoreCorrupt: A manifest is damaged.
    """
    key = sha256(f"{old.manifest_sha256} {new.manifest_sha256}".encode()).hexdigest() + ".json"
    path = store.cache.get("changes", key)
    if path is None:
        request = {"folder": str(store.folder), "old": old.manifest_sha256, "new": new.manifest_sha256}
        answer = children.once(_TASK, request, deadline_s=_DEADLINE_S, memory_bytes=_MEMORY_BYTES)
        path = store.cache.put("changes", key, lambda partial: _write(partial, answer))
    return msgspec.json.decode(path.read_bytes(), type=Changes)


def _write(path: Path, answer: dict[str, Any]) -> None:
    path.write_bytes(msgspec.json.encode(answer))


def handle(request: dict[str, Any], _send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Compare the manifests `old` and `new` of the store in `folder`; runs in a child.

    Returns:
        The fields of `Changes`.
    """
    folder = Path(request["folder"])
    blobs = Blobs(folder / "blobs", folder / "tmp")
    before = dict(_digests(blobs, request["old"]))
    counts = {"added": 0, "removed": 0, "changed": 0, "same": 0}
    names: dict[str, list[str]] = {"added": [], "removed": [], "changed": []}

    def note(what: str, name: str) -> None:
        counts[what] += 1
        if what in names and len(names[what]) < _NAMES:
            names[what].append(name)

    for name, digest in _digests(blobs, request["new"]):
        old = before.pop(name, None)
        note("added" if old is None else "same" if old == digest else "changed", name)
    for name in before:
        note("removed", name)
    return {**counts, **{f"{what}_names": found for what, found in names.items()}}


def _digests(blobs: Blobs, manifest_sha256: str) -> Iterator[tuple[str, bytes]]:
    """Yield each image's name with a digest of its picture, split and annotations."""
    for image in snapshots.opened(blobs, manifest_sha256)[1]:
        yield image.name, blake2b(_content(image), digest_size=16).digest()


def _content(image: DatasetImage) -> bytes:
    """Return what counts as the image's content: not who drew it, nor at which revision."""
    shapes = [(a.id, a.label_id, a.geometry, a.attributes) for a in image.annotations]
    return msgspec.json.encode((image.sha256, image.split, shapes), order="deterministic")
