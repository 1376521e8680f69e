"""Pictures taken in: decoded, durable, in the database, with thumbnails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench._base import Bench, Figure, Options, figures
from tests.bench._fill import ready_folder
from tests.bench._label_studio import PEER, label_studio
from tests.bench._load import drive
from tests.bench._ours import Box, serving
from tests.bench._peers import PeerMissing
from tests.bench._pictures import archive, pictures

__all__ = ["BENCH"]

_IMAGES = 1_000
_CONNECTIONS = 8


def run(options: Options) -> Iterator[Figure]:
    """Send the same pictures as one archive and one by one over eight connections."""
    paths = pictures(options, options.times(_IMAGES))
    packed = archive(options, len(paths))
    folders = [options.fresh("import") / "data" for _ in range(2)]
    by_job = _by_archive(folders[0], packed, len(paths))
    by_http, client_us = _by_http(folders[1], paths)
    theirs, reason = _theirs(options, paths) if options.peers else (None, None)
    ours = {"images_per_s": (by_job, "images/s"), "images_per_s_http_8": (by_http, "images/s")}
    beside = None if theirs is None else dict.fromkeys(ours, theirs)
    yield from figures("import", ours, PEER, beside, reason)
    yield from figures("import", {"client_us_per_request": (client_us, "µs")})


def _by_archive(folder: Path, packed: Path, count: int) -> float:
    """Return images/s from the first byte of the upload to the end of the job, which the job itself tells."""
    with serving(folder, ready_folder(folder)) as box:
        project_id = box.project("archive")
        started_s = time.time()
        job = box.send_archive(project_id, packed)
        seconds = job["finished_at_ms"] / 1000 - started_s
        if job["result"]["images"] != count:
            raise RuntimeError(f"{count} pictures were sent, the job tells {job['result']}")
        _require_thumbnails(folder, count)
    return count / seconds


def _by_http(folder: Path, paths: list[Path]) -> tuple[float, float]:
    """Return images/s and the client's own cost of one upload."""
    with serving(folder, ready_folder(folder)) as box:
        project_id = box.project("uploads")
        requests = [_upload(box, project_id, path) for path in paths]
        outcome = drive(box.url, requests, _CONNECTIONS).require(201)
        _require_thumbnails(folder, len(paths))
    return outcome.per_s, outcome.client_us


def _upload(box: Box, project_id: int, path: Path) -> bytes:
    return box.post(f"/api/projects/{project_id}/images?name={path.name}", path.read_bytes(), "image/jpeg")


def _require_thumbnails(folder: Path, count: int) -> None:
    """Check that the figure says the truth: thumbnails are there when the images are.

    Raises:
        RuntimeError: Some are missing.
    """
    made = sum(1 for _ in (folder / "cache" / "thumbnail").rglob("*.jpg"))
    if made < count:
        raise RuntimeError(f"only {made} of {count} thumbnails are there")


def _theirs(options: Options, paths: list[Path]) -> tuple[float | None, str | None]:
    studio, reason = label_studio(options)
    if studio is None:
        return None, reason
    try:
        with studio.serving() as served:
            return len(paths) / served.send_pictures(served.project("import"), paths), None
    except (PeerMissing, RuntimeError) as error:
        return None, str(error)


BENCH = Bench(
    name="import",
    summary="JPEGs of 640×480 accepted durably, images/s, thumbnails included",
    run=run,
    targets={"images_per_s": "≥ 1,000 images/s", "images_per_s_http_8": "≥ 1,000 images/s"},
)
