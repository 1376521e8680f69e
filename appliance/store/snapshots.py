"""Snapshots: immutable versions of a project's dataset, the only input to export and training.

The manifest is a blob of JSON lines: a header, then one `DatasetImage` a line in the order
of the images' ids. It holds the annotations themselves, so an export is a function of the
manifest and the pictures alone, whatever happens to the project afterwards.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, TypeVar

import msgspec

from appliance.errors import Conflict, InvalidInput, StoreCorrupt
from appliance.records import Annotation, DatasetImage, Label, Snapshot, SnapshotSummary
from appliance.store import annotations, rows
from appliance.store.blobs import Blobs, Staged
from appliance.store.splits import split_of
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["Header", "create", "delete", "get", "lines", "listed", "opened", "protect", "split_of", "summary"]

T = TypeVar("T")

_COLUMNS = rows.columns(Snapshot, manifest_sha256="lower(hex(manifest_sha256))")
_IMAGES_AT_ONCE = 500


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a manifest."""

    version: int = 1
    project: str
    contents: Literal["approved", "everything"]
    seed: int
    labels: list[Label]


_image = msgspec.json.Decoder(DatasetImage)
_header = msgspec.json.Decoder(Header)


def lines(reading: Reading, project_id: int, header: Header) -> Iterator[tuple[int, DatasetImage]]:
    """Yield what a snapshot of the project holds now, with the images' ids and in their order."""
    where = "AND state = 'done'" if header.contents == "approved" else ""
    sql = (
        "SELECT id, name, width, height, lower(hex(sha256)) FROM images "
        f"WHERE project_id = ? {where} AND id > ? ORDER BY id LIMIT ?"
    )
    after = 0
    while page := list(reading.execute(sql, (project_id, after, _IMAGES_AT_ONCE))):
        found = annotations.of_images(reading, [row[0] for row in page])
        for image_id, name, width, height, sha256 in page:
            yield (
                image_id,
                DatasetImage(
                    name=name,
                    width=width,
                    height=height,
                    sha256=sha256,
                    split=split_of(sha256, header.seed),
                    annotations=[a for a in found[image_id] if _belongs(a, header.contents)],
                ),
            )
        after = page[-1][0]


def opened(blobs: Blobs, manifest_sha256: str) -> tuple[Header, Iterator[DatasetImage]]:
    """Read a manifest: its header, and its images as a stream of constant memory.

    Raises:
        NotFound: The blob is missing.
        StoreCorrupt: It does not parse, or does not match its name, seen after the last line.
    """
    text = _split_lines(blobs.stream(manifest_sha256))
    header = _decoded(_header, next(text, b""), manifest_sha256)
    return header, (_decoded(_image, line, manifest_sha256) for line in text)


def create(
    tx: Transaction,
    blobs: Blobs,
    *,
    project_id: int,
    name: str,
    header: Header,
    manifest: Staged,
    images: int,
    annotation_count: int,
    summary: SnapshotSummary,
    created_by: int | None,
) -> Snapshot:
    """Add a snapshot whose manifest is settled.

    Raises:
        InvalidInput: There is nothing in it.
        Conflict: The project has a snapshot of that name.
    """
    if not images:
        raise InvalidInput(_nothing(header.contents), field="contents")
    if tx.execute("SELECT 1 FROM snapshots WHERE project_id = ? AND name = ?", (project_id, name)).fetchall():
        raise Conflict(f"the project has a snapshot {name!r} already", field="name")
    blobs.register(tx, manifest)
    snapshot_id = tx.insert(
        "INSERT INTO snapshots (project_id, name, contents, manifest_sha256, images, annotations, summary, seed, "
        "created_by, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            project_id, name, header.contents, bytes.fromhex(manifest.sha256), images, annotation_count,
            rows.encode(summary), header.seed, created_by, tx.now_ms,
        ),
    )  # fmt: skip
    tx.audit("snapshot.create", f"snapshot {snapshot_id}", project_id=project_id, name=name, images=images)
    tx.event("snapshot.made", {"snapshot_id": snapshot_id, "name": name}, project_id=project_id)
    return get(tx, project_id, snapshot_id)


def protect(tx: Transaction, snapshot_id: int, pictures: Iterable[bytes]) -> None:
    """Keep these pictures (raw SHA-256) from being collected as long as the snapshot lives.

    In slices after `create`: until then the grace of the collector protects what is deleted.
    """
    sql = "INSERT OR IGNORE INTO snapshot_pictures (snapshot_id, sha256) VALUES (?, ?)"
    tx.executemany(sql, ((snapshot_id, sha256) for sha256 in pictures))


def delete(tx: Transaction, project_id: int, snapshot_id: int) -> None:
    """Delete a snapshot with its exports; pictures that only it kept go with the collector.

    Raises:
        NotFound: There is none.
    """
    snapshot = get(tx, project_id, snapshot_id)
    tx.execute("DELETE FROM snapshots WHERE id = ?", (snapshot_id,))
    tx.audit("snapshot.delete", f"snapshot {snapshot_id}", project_id=project_id, name=snapshot.name)
    tx.event("snapshot.deleted", {"snapshot_id": snapshot_id}, project_id=project_id)


def get(reading: Reading, project_id: int, snapshot_id: int) -> Snapshot:
    """Return one snapshot of the project.

    Raises:
        NotFound: There is none.
    """
    sql = f"SELECT {_COLUMNS} FROM snapshots WHERE id = ? AND project_id = ?"
    return rows.found(rows.first(Snapshot, reading.execute(sql, (snapshot_id, project_id))), "snapshot")


def summary(reading: Reading, project_id: int, snapshot_id: int) -> SnapshotSummary:
    """Return what the snapshot holds, in numbers.

    Raises:
        NotFound: There is none.
    """
    get(reading, project_id, snapshot_id)
    ((text,),) = reading.execute("SELECT summary FROM snapshots WHERE id = ?", (snapshot_id,)).fetchall()
    return msgspec.json.decode(text, type=SnapshotSummary, strict=False)


def listed(reading: Reading, project_id: int, *, after: int | None = None, limit: int | None = None) -> rows.Page:
    """Return the project's snapshots by id."""
    size = rows.page_size(limit)
    sql = f"SELECT {_COLUMNS} FROM snapshots WHERE project_id = ? AND id > ? ORDER BY id LIMIT ?"
    found = rows.made(Snapshot, reading.execute(sql, (project_id, after or 0, size + 1)))
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)


def _belongs(a: Annotation, contents: str) -> bool:
    return a.status == "approved" if contents == "approved" else a.status != "rejected"


def _nothing(contents: str) -> str:
    if contents == "approved":
        return "no image of this project is approved yet: review some first"
    return "this project has no images yet: add some first"


def _decoded(decoder: msgspec.json.Decoder[T], line: bytes, manifest_sha256: str) -> T:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreCorrupt(
            "the manifest of a snapshot is damaged: the disk may be failing, restore it from a backup",
            details={"sha256": manifest_sha256},
        ) from error


def _split_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
