"""Erasing an image for good: the only thing that erases history.

The audit log keeps that it happened, who did it, when and why, and not what was erased.
"""

import msgspec

from appliance.errors import Conflict, InvalidInput
from appliance.records import Record
from appliance.store import collect, images, jobs, snapshots
from appliance.store.blobs import Blobs
from appliance.store.cache import Cache
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["Affected", "Held", "Purged", "affected", "purge"]


class Held(Record, frozen=True):
    """A snapshot that holds the image."""

    id: int
    name: str


class Affected(Record, frozen=True):
    """What goes with an image; with `shared` its bytes stay, because another image or project has them."""

    name: str
    annotations: int
    revisions: int
    threads: int
    snapshots: list[Held]
    shared: bool


class Purged(Record, frozen=True):
    """What went: the snapshots, and the stored files that nothing else refers to."""

    snapshots: list[int]
    files: int


def affected(reading: Reading, project_id: int, image_id: int) -> Affected:
    """Return what a purge would erase.

    Raises:
        NotFound: The project has no such image.
    """
    image = images.get(reading, project_id, image_id)
    return Affected(
        name=image.name,
        annotations=image.annotations + image.predictions,
        revisions=image.revision,
        threads=_number(reading, "SELECT count(*) FROM threads WHERE image_id = ?", image_id),
        snapshots=_snapshots(reading, project_id, image.sha256),
        shared=_number(reading, "SELECT count(*) FROM images WHERE sha256 = unhex(?)", image.sha256) > 1,
    )


def purge(
    tx: Transaction, blobs: Blobs, cache: Cache, project_id: int, image_id: int, *, confirm: str, reason: str,
    delete_snapshots: bool = False,
) -> Purged:  # fmt: skip
    """Erase an image with its annotations, history, comments, bytes and copies, at once.

    Bytes that another image, project or snapshot of another project refers to stay there.

    Raises:
        InvalidInput: `confirm` is not the image's name.
        Conflict: A snapshot holds it and is not to go too, or one is being made.
    """
    image = images.get(tx, project_id, image_id)
    if confirm != image.name:
        raise InvalidInput("type the image's name as it is shown, to erase it for good", field="confirm")
    if jobs.under_way_in(tx, project_id, ("snapshot", "export", "undo")):
        raise Conflict("a snapshot, export or undo of this project is under way: wait until it is over")
    held = _snapshots(tx, project_id, image.sha256)
    if held and not delete_snapshots:
        raise Conflict(
            f"{len(held)} snapshots hold this image ({', '.join(one.name for one in held[:3])}): "
            "delete them with it, or keep it",
            field="delete_snapshots",
            details={"snapshots": msgspec.to_builtins(held)},
        )
    tx.execute("PRAGMA secure_delete = ON")
    hashes = {image.sha256}
    for one in held:
        hashes |= _files_of(tx, one.id)
        snapshots.delete(tx, project_id, one.id)
    tx.execute("DELETE FROM uploads WHERE image_id = ?", (image_id,))
    tx.execute("DELETE FROM withdrawn WHERE project_id = ? AND sha256 = unhex(?)", (project_id, image.sha256))
    tx.execute("DELETE FROM images WHERE id = ?", (image_id,))
    files = collect.delete_blobs(tx, blobs, sorted(hashes), tx.now_ms + 1, 0.0)
    tx.execute("PRAGMA secure_delete = OFF")
    if not _number(tx, "SELECT count(*) FROM images WHERE sha256 = unhex(?)", image.sha256):
        tx.after_commit.append(lambda: cache.forget_picture(image.sha256))
    tx.audit("image.purge", f"image {image_id}", project_id=project_id, reason=reason, snapshots=[h.id for h in held])
    tx.event("image.deleted", {"image_ids": [image_id]}, project_id=project_id)
    return Purged(snapshots=[one.id for one in held], files=files)


def _snapshots(reading: Reading, project_id: int, sha256: str) -> list[Held]:
    sql = (
        "SELECT s.id, s.name FROM snapshot_pictures AS p CROSS JOIN snapshots AS s ON s.id = p.snapshot_id "
        "WHERE p.sha256 = unhex(?) AND s.project_id = ?"
    )
    return [Held(id=key, name=name) for key, name in reading.execute(sql, (sha256, project_id))]


def _files_of(reading: Reading, snapshot_id: int) -> set[str]:
    sql = (
        "SELECT lower(hex(manifest_sha256)) FROM snapshots WHERE id = ?1 UNION "
        "SELECT lower(hex(sha256)) FROM exports WHERE snapshot_id = ?1 AND sha256 IS NOT NULL"
    )
    return {sha256 for (sha256,) in reading.execute(sql, (snapshot_id,))}


def _number(reading: Reading, sql: str, key: int | str) -> int:
    ((number,),) = reading.execute(sql, (key,)).fetchall()
    return int(number)
