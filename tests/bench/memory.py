"""Resident memory of the serving process, idle and after load, without a model."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench._base import Bench, Figure, Options, figures
from tests.bench._fill import fill, ready_folder, saves
from tests.bench._label_studio import PEER, label_studio
from tests.bench._load import drive
from tests.bench._ours import Box, serving
from tests.bench._peers import PeerMissing
from tests.bench._pictures import archive, pictures
from tests.bench._process import children_mb, resident_mb

__all__ = ["BENCH"]

_IMAGES = 500
_SAVES = 2_000
_LISTS = 500
_THEIR_SAVES = 200


def run(options: Options) -> Iterator[Figure]:
    """Measure when it has answered its first requests, and again after imports, saves and lists."""
    folder = options.fresh("memory") / "data"
    token = ready_folder(folder)
    project_id, label_id, ids = fill(folder, "memory", options.times(_SAVES))
    with serving(folder, token) as box:
        drive(box.url, [box.get("/api/health"), box.get("/api/session")]).require(200)
        idle_mb = resident_mb(box.process.pid)
        _load(box, options, project_id, label_id, ids)
        loaded_mb, apart_mb = resident_mb(box.process.pid), children_mb(box.process.pid)
    theirs, reason = _theirs(options) if options.peers else (None, None)
    yield from figures("memory", {"idle_mb": (idle_mb, "MB"), "loaded_mb": (loaded_mb, "MB")}, PEER, theirs, reason)
    yield from figures("memory", {"children_mb": (apart_mb, "MB")})


def _load(box: Box, options: Options, project_id: int, label_id: int, ids: list[int]) -> None:
    """Import an archive and single pictures, save, list, fetch pictures."""
    count = options.times(_IMAGES)
    pictured = box.project("pictures")
    box.send_archive(pictured, archive(options, count))
    more = pictures(options, count + 100)[count:]
    path = f"/api/projects/{pictured}/images"
    uploads = [box.post(f"{path}?name=more-{picture.name}", picture.read_bytes(), "image/jpeg") for picture in more]
    drive(box.url, uploads, 8).require(201)
    drive(box.url, saves(box, project_id, label_id, ids, "memory-"), 8).require(200)
    drive(box.url, [box.get(f"/api/projects/{project_id}/images?limit=100")] * _LISTS, 8).require(200)
    shown = box.ask("GET", path, params={"limit": 100})["items"]
    drive(box.url, [box.get(f"{path}/{image['id']}/file") for image in shown], 8).require(200)


def _theirs(options: Options) -> tuple[dict[str, float] | None, str | None]:
    studio, reason = label_studio(options)
    if studio is None:
        return None, reason
    try:
        with studio.serving() as served:
            idle_mb = resident_mb(served.process.pid) + children_mb(served.process.pid)
            project_id = served.project("memory")
            served.send_pictures(project_id, pictures(options, options.times(_IMAGES)))
            ids = served.task_ids(project_id)
            drive(served.url, served.saves(ids[:_THEIR_SAVES]), 8).require(201)
            page = served.get(f"/api/tasks?project={project_id}&page=1&page_size=100")
            drive(served.url, [page] * 50, 8).require(200)
            loaded_mb = resident_mb(served.process.pid) + children_mb(served.process.pid)
    except (PeerMissing, RuntimeError) as error:
        return None, str(error)
    return {"idle_mb": idle_mb, "loaded_mb": loaded_mb}, None


BENCH = Bench(
    name="memory",
    summary="resident memory of the serving process, idle and after imports, saves and lists",
    run=run,
    targets={"idle_mb": "≤ 90 MB", "loaded_mb": "≤ 180 MB"},
)
