"""Images of a project; each comes with its task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from appliance.errors import InvalidInput
from appliance.pyramid import TILED_SIDE, is_tiled
from appliance.records import Image, Probe, Record
from appliance.store import rows
from appliance.store.blobs import Staged
from appliance.store.filters import EVERYTHING, ImageFilter, Sort, ids
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "Folder", "bring_back", "by_content", "by_name", "by_names", "clean_name", "create", "delete", "find", "folders",
    "foreign", "get", "listed", "names_after", "of_ids", "present", "tell_tiled",
]  # fmt: skip

_COLUMNS = rows.columns(Image, sha256="lower(hex(sha256))", tiled=f"max(width, height) > {TILED_SIDE}")
_MAX_NAME = 500


class Folder(Record, frozen=True):
    """A folder as the images' names tell it: ``/`` for names without one, else ``/line-3/monday``."""

    folder: str
    images: int


def clean_name(name: str) -> str:
    """Return the name as a relative POSIX path that is safe to show and to write.

    Raises:
        InvalidInput: Nothing is left of it, or it is too long.
    """
    parts = ("".join(c for c in p if c.isprintable()).strip() for p in name.replace("\\", "/").split("/"))
    cleaned = "/".join(p for p in parts if p not in ("", ".", ".."))
    if not cleaned or len(cleaned) > _MAX_NAME:
        raise InvalidInput(f"an image's name has 1 to {_MAX_NAME} printable characters", field="name")
    return cleaned


def create(
    tx: Transaction, project_id: int, name: str, staged: Staged, probe: Probe, *, job_id: int | None = None
) -> Image:
    """Add an image and its open task; the blob must be settled and registered. `job_id` is the import's.

    The caller has looked with `by_content` that the picture is not there yet. A name that is
    taken by another picture gets a number: ``a (2).jpg``.
    """
    name = _free_name(tx, project_id, clean_name(name))
    image_id = tx.insert(
        "INSERT INTO images (project_id, name, width, height, sha256, size_bytes, format, orientation, "
        "needs_rendition, created_at_ms, job_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            project_id, name, probe.width, probe.height, bytes.fromhex(staged.sha256), staged.size_bytes,
            probe.format, probe.orientation, int(probe.needs_rendition), tx.now_ms,
            job_id,
        ),
    )  # fmt: skip
    _open_task(tx, project_id, image_id, staged.sha256)
    return Image(
        id=image_id, project_id=project_id, name=name, width=probe.width, height=probe.height, sha256=staged.sha256,
        size_bytes=staged.size_bytes, format=probe.format, orientation=probe.orientation,
        needs_rendition=probe.needs_rendition, tiled=is_tiled(probe.width, probe.height), revision=0, annotations=0,
        predictions=0, state="open", created_at_ms=tx.now_ms,
    )  # fmt: skip


def bring_back(tx: Transaction, image: Image, job_id: int) -> Image:
    """Add an image again that was withdrawn, with its id and an open task; its content must not be there."""
    tx.execute(
        "INSERT INTO images (id, project_id, name, width, height, sha256, size_bytes, format, orientation, "
        "needs_rendition, created_at_ms, job_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            image.id, image.project_id, _free_name(tx, image.project_id, image.name), image.width, image.height,
            bytes.fromhex(image.sha256), image.size_bytes, image.format, image.orientation,
            int(image.needs_rendition), image.created_at_ms, job_id,
        ),
    )  # fmt: skip
    _open_task(tx, image.project_id, image.id, image.sha256)
    return get(tx, image.project_id, image.id)


def get(reading: Reading, project_id: int, image_id: int) -> Image:
    """Return one image of the project.

    Raises:
        NotFound: There is none.
    """
    return rows.found(find(reading, project_id, image_id), "image")


def find(reading: Reading, project_id: int, image_id: int) -> Image | None:
    """Return one image of the project, or None."""
    sql = f"SELECT {_COLUMNS} FROM images WHERE id = ? AND project_id = ?"
    return rows.first(Image, reading.execute(sql, (image_id, project_id)))


def by_content(reading: Reading, project_id: int, sha256: str) -> Image | None:
    """Return the project's image with this content, or None."""
    sql = f"SELECT {_COLUMNS} FROM images WHERE project_id = ? AND sha256 = ?"
    return rows.first(Image, reading.execute(sql, (project_id, bytes.fromhex(sha256))))


def by_name(reading: Reading, project_id: int, name: str) -> Image | None:
    """Return the project's image of this name, or None."""
    sql = f"SELECT {_COLUMNS} FROM images WHERE project_id = ? AND name = ?"
    return rows.first(Image, reading.execute(sql, (project_id, name)))


def by_names(reading: Reading, project_id: int, names: Sequence[str]) -> dict[str, str]:
    """Return the content hashes of those images of the project that have one of these names."""
    sql = (
        "SELECT j.value, lower(hex(i.sha256)) FROM json_each(?) AS j "
        "CROSS JOIN images AS i ON i.project_id = ? AND i.name = j.value"
    )
    return dict(reading.execute(sql, (rows.encode(names), project_id)))


def names_after(reading: Reading, project_id: int, after: int, limit: int) -> list[tuple[int, str, str]]:
    """Return id, name and content hash of the images behind an id, for going over all names."""
    sql = "SELECT id, name, lower(hex(sha256)) FROM images WHERE project_id = ? AND id > ? ORDER BY id LIMIT ?"
    return list(reading.execute(sql, (project_id, after, limit)))


def present(reading: Reading, project_id: int, hashes: Sequence[str]) -> int:
    """Return how many of these contents the project has."""
    sql = (
        "SELECT count(*) FROM json_each(?) AS j "
        "CROSS JOIN images AS i ON i.project_id = ? AND i.sha256 = unhex(j.value)"
    )
    for (count,) in list(reading.execute(sql, (rows.encode(hashes), project_id))):
        return int(count)
    return 0


def foreign(reading: Reading, project_id: int, image_ids: Sequence[int]) -> int | None:
    """Return the first of these ids that is no image of the project, or None."""
    sql = (
        "SELECT value FROM json_each(?) "
        "WHERE NOT EXISTS (SELECT 1 FROM images WHERE id = value AND project_id = ?) LIMIT 1"
    )
    for (image_id,) in list(reading.execute(sql, (rows.encode(image_ids), project_id))):
        return int(image_id)
    return None


def of_ids(reading: Reading, project_id: int, image_ids: Sequence[int]) -> list[Image]:
    """Return the project's images of these ids, in the order of the ids; what is gone is left out."""
    if not image_ids:
        return []
    marks = ", ".join("?" * len(image_ids))
    sql = f"SELECT {_COLUMNS} FROM images WHERE id IN ({marks}) AND project_id = ?"
    found = {image.id: image for image in rows.made(Image, reading.execute(sql, (*image_ids, project_id)))}
    return [found[image_id] for image_id in image_ids if image_id in found]


def listed(
    reading: Reading,
    project_id: int,
    wanted: ImageFilter = EVERYTHING,
    *,
    sort: Sort = "oldest",
    after: int | str | None = None,
    limit: int | None = None,
) -> rows.Page:
    """Return a page of the images that match; `after` is the `next` of the page before."""
    size = rows.page_size(limit)
    found = of_ids(reading, project_id, ids(reading, project_id, wanted, sort=sort, after=after, limit=size + 1))
    page = found[:size]
    if len(found) <= size:
        return rows.Page(page)
    return rows.Page(page, page[-1].name if sort == "name" else page[-1].id)


def folders(reading: Reading, project_id: int, *, after: str | None = None, limit: int | None = None) -> rows.Page:
    """Return the project's folders by name with the number of images right in them."""
    size = rows.page_size(limit)
    sql = "SELECT folder, images FROM folder_counts WHERE project_id = ? AND folder > ? ORDER BY folder LIMIT ?"
    found = rows.made(Folder, reading.execute(sql, (project_id, after or "", size + 1)))
    return rows.Page(found[:size], found[size - 1].folder if len(found) > size else None)


def tell_tiled(tx: Transaction, sha256: str) -> None:
    """Tell every project that has this picture that its tiles are there."""
    sql = "SELECT id, project_id FROM images WHERE sha256 = ?"
    for image_id, project_id in tx.execute(sql, (bytes.fromhex(sha256),)).fetchall():
        tx.event("image.tiled", {"image_id": image_id}, project_id=project_id)


def delete(tx: Transaction, project_id: int, image_id: int) -> None:
    """Delete an image with its annotations, task and history; snapshots keep their picture."""
    image = get(tx, project_id, image_id)
    tx.execute("DELETE FROM images WHERE id = ?", (image_id,))
    tx.audit("image.delete", f"image {image_id}", project_id=project_id, name=image.name, sha256=image.sha256)
    tx.event("image.deleted", {"image_id": image_id}, project_id=project_id)


def _open_task(tx: Transaction, project_id: int, image_id: int, sha256: str) -> None:
    shuffle = int(sha256[:12], 16)  # the picture's place when a project's order is random
    tx.execute(
        "INSERT INTO tasks (project_id, image_id, shuffle, updated_at_ms) VALUES (?, ?, ?, ?)",
        (project_id, image_id, shuffle, tx.now_ms),
    )


def _free_name(reading: Reading, project_id: int, name: str) -> str:
    # A camera may send 100,000 pictures of one name: gallop to a free number, then halve the way back.
    def numbered(number: int) -> str:
        if number == 1:
            return name
        path = PurePosixPath(name)
        return str(path.with_name(f"{path.stem} ({number}){path.suffix}"))

    def taken(number: int) -> bool:
        sql = "SELECT 1 FROM images WHERE project_id = ? AND name = ?"
        return bool(reading.execute(sql, (project_id, numbered(number))).fetchall())

    low, free = 0, 1
    while taken(free):
        low, free = free, free * 2
    while free - low > 1:
        middle = (low + free) // 2
        low, free = (middle, free) if taken(middle) else (low, middle)
    return numbered(free)
