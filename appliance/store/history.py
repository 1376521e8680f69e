"""The append-only history: every revision of every image, with what was there before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import msgspec
import zstandard

from appliance.errors import NotFound
from appliance.records import Annotation, Image
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "KINDS", "Changes", "Kind", "add", "changes_at", "decoded", "encoded", "inverse", "newest_first", "of_jobs",
    "predicted", "predictions", "revision_of",
]  # fmt: skip

Kind = Literal[
    "edit", "late", "submit", "take-back", "review", "withdraw", "relabel", "restore", "auto-label", "import", "undo"
]
"""What made a revision; the schema knows the same words."""

KINDS: tuple[Kind, ...] = get_args(Kind)

_COMPRESS_FROM = 512
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Changes(msgspec.Struct):
    """One revision: annotations put (with what they replaced, or None) and removed."""

    put: list[tuple[Annotation | None, Annotation]] = msgspec.field(default_factory=list)
    removed: list[Annotation] = msgspec.field(default_factory=list)


_compressor = zstandard.ZstdCompressor(level=1)  # for the writer's thread alone
_changes = msgspec.json.Decoder(Changes)


def add(
    tx: Transaction,
    image: Image,
    revision: int,
    changes: Changes,
    *,
    diff_id: str,
    kind: Kind,
    author_id: int | None,
    job_id: int | None,
) -> None:
    """Append one revision."""
    added = sum(old is None for old, _ in changes.put)
    tx.execute(
        "INSERT INTO history (image_id, revision, project_id, diff_id, kind, author_id, job_id, at_ms, "
        "added, changed, removed, changes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            image.id, revision, image.project_id, diff_id, kind, author_id, job_id, tx.now_ms,
            added, len(changes.put) - added, len(changes.removed), encoded(changes),
        ),
    )  # fmt: skip


def revision_of(reading: Reading, image_id: int, diff_id: str) -> int | None:
    """Return the revision a diff made, or None when it never came."""
    sql = "SELECT revision FROM history WHERE image_id = ? AND diff_id = ?"
    for (revision,) in reading.execute(sql, (image_id, diff_id)):
        return int(revision)
    return None


def changes_at(reading: Reading, image_id: int, revision: int) -> Changes:
    """Return what a revision changed.

    Raises:
        NotFound: The image has no such revision.
    """
    sql = "SELECT changes FROM history WHERE image_id = ? AND revision = ?"
    for (row,) in reading.execute(sql, (image_id, revision)):
        return decoded(row)
    raise NotFound(f"the image has no revision {revision}")


def of_jobs(reading: Reading, image_id: int) -> list[Changes]:
    """Return what machine work changed on an image, oldest first."""
    sql = "SELECT changes FROM history WHERE image_id = ? AND +job_id IS NOT NULL "
    return [decoded(row) for (row,) in reading.execute(sql + "ORDER BY revision", (image_id,))]


def predicted(reading: Reading, image_id: int, annotation_id: str) -> Annotation | None:
    """Return the annotation as a model last made it on this image, or None when none did."""
    sql = "SELECT changes FROM history WHERE image_id = ? ORDER BY revision DESC"
    for (row,) in reading.execute(sql, (image_id,)):
        for _, new in decoded(row).put:
            if new.id == annotation_id and new.is_prediction:
                return new
    return None


def predictions(reading: Reading, image_id: int) -> list[Annotation]:
    """Return every annotation that a model made on this image, as it last made it."""
    made: dict[str, Annotation] = {}
    for (row,) in reading.execute("SELECT changes FROM history WHERE image_id = ? ORDER BY revision", (image_id,)):
        for _, new in decoded(row).put:
            if new.is_prediction:
                made[new.id] = new
    return list(made.values())


def inverse(changes: Changes) -> Changes:
    """Return the changes that take a revision back, as long as nothing came after it."""
    back: list[tuple[Annotation | None, Annotation]] = [(new, old) for old, new in changes.put if old is not None]
    back += [(None, gone) for gone in changes.removed]
    return Changes(put=back, removed=[new for old, new in changes.put if old is None])


def newest_first(reading: Reading, image_id: int, down_to: int) -> Iterator[Changes]:
    """Yield what each revision past `down_to` changed, the newest first."""
    sql = "SELECT changes FROM history WHERE image_id = ? AND revision > ? ORDER BY revision DESC"
    for (row,) in reading.execute(sql, (image_id, down_to)):
        yield decoded(row)


def encoded(changes: Changes) -> bytes:
    """Return changes as a row of the history holds them; for the writer's thread alone."""
    text = msgspec.json.encode(changes)
    return _compressor.compress(text) if len(text) >= _COMPRESS_FROM else text


def decoded(text: bytes) -> Changes:
    """Return what a row of the history holds."""
    if text[:4] == _ZSTD_MAGIC:
        text = zstandard.ZstdDecompressor().decompress(text, max_output_size=1 << 30)
    return _changes.decode(text)
