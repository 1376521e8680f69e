"""Projects of very many images, as rows made in the store itself; a few pictures serve all thumbnails."""

from __future__ import annotations

import os
from collections.abc import Sequence

from appliance.store import Store, Transaction

__all__ = ["many_images"]

_SLICE = 10_000
_NUMBERS = "WITH RECURSIVE n(k) AS (SELECT ? UNION ALL SELECT k + 1 FROM n WHERE k + 1 < ?) "


def many_images(store: Store, project_id: int, count: int, pictures: Sequence[bytes] = ()) -> list[int]:
    """Add images ``day-000/IMG_0000000.jpg`` and so on, one in five of them done; return their ids.

    Args:
        store: Written to in slices, straight in SQL.
        project_id: An empty project.
        count: Up to 10 million.
        pictures: JPEG bytes that become the thumbnails in turn; none leaves them out.
    """
    for start in range(0, count, _SLICE):
        store.write(lambda tx, a=start: _add(tx, project_id, a, min(a + _SLICE, count)), bulk=True)
    if pictures:
        _link_thumbnails(store, project_id, count, pictures)
    sql = "SELECT id FROM images WHERE project_id = ? ORDER BY id"
    return [row[0] for row in store.read(lambda reading: reading.execute(sql, (project_id,)).fetchall())]


def _add(tx: Transaction, project_id: int, start: int, end: int) -> None:
    digest = f"unhex(printf('%032x%032x', {project_id}, k * 2654435761 % 4294967296))"
    tx.execute(
        f"{_NUMBERS} INSERT INTO blobs SELECT {digest}, 50000, 50000, 'plain', ? FROM n", (start, end, tx.now_ms)
    )
    tx.execute(
        f"{_NUMBERS} INSERT INTO images (project_id, name, width, height, sha256, size_bytes, format, orientation, "
        "needs_rendition, annotations, predictions, created_at_ms) "
        f"SELECT ?, printf('day-%03d/IMG_%07d.jpg', k / 5000, k), 640, 480, {digest}, 50000, 'jpeg', 1, "
        "0, k % 7, (k % 11) / 9 * 3, ? FROM n",
        (start, end, project_id, tx.now_ms),
    )
    tx.execute(
        "INSERT INTO tasks (project_id, image_id, updated_at_ms) SELECT project_id, id, ? FROM images "
        "WHERE project_id = ? AND id > (SELECT coalesce(max(image_id), 0) FROM tasks)",
        (tx.now_ms, project_id),
    )
    tx.execute(
        "UPDATE tasks SET state = 'done' WHERE project_id = ? AND id % 5 = 0 AND state = 'open'", (project_id,)
    )


def _link_thumbnails(store: Store, project_id: int, count: int, pictures: Sequence[bytes]) -> None:
    sources = []
    for number, data in enumerate(pictures):
        path = store.temporary / f"thumbnail-{number}.jpg"
        path.write_bytes(data)
        sources.append(path)
    for k in range(count):
        key = f"{project_id:032x}{k * 2654435761 % 4294967296:032x}.jpg"
        path = store.cache.path("thumbnail", key)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(sources[k % len(sources)], path)
