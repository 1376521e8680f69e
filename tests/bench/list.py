"""Reading: a page of a long list, one image with its annotations, picture bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.bench._base import Bench, Figure, Options, figures
from tests.bench._fill import fill, ready_folder, saves
from tests.bench._label_studio import PEER, Studio, label_studio
from tests.bench._load import drive
from tests.bench._ours import Box, serving
from tests.bench._peers import PeerMissing
from tests.bench._pictures import pictures

__all__ = ["BENCH"]

_SIZES = (1_000, 100_000)
_REQUESTS = 500
_PICTURES = 100
_PICTURE_REQUESTS = 4_000
_THEIR_TASKS = 1_000
_THEIR_REQUESTS = 30


def run(options: Options) -> Iterator[Figure]:
    """Fill projects with rows, then read them over one connection at random places."""
    folder = options.fresh("list") / "data"
    token = ready_folder(folder)
    filled = {size: fill(folder, f"list of {size}", size) for size in _SIZES}
    theirs, reason = _theirs(options) if options.peers else (None, None)
    with serving(folder, token) as box:
        measured: dict[str, tuple[float, str]] = {}
        for size, (project_id, _, ids) in filled.items():
            measured[f"p50_ms_{size}"] = (_pages_ms(box, project_id, ids, options.times(_REQUESTS)), "ms")
        project_id, label_id, ids = filled[_SIZES[-1]]
        measured["task_p50_ms"] = (_tasks_ms(box, project_id, label_id, ids[:_REQUESTS]), "ms")
        measured |= _pictures(box, options)
    yield from figures("list", measured, PEER, theirs, reason)


def _pages_ms(box: Box, project_id: int, ids: list[int], count: int) -> float:
    """Return the median time of a page of 100 images; cursors are those the list itself gives."""
    path = f"/api/projects/{project_id}/images?limit=100"
    cursors = [box.ask("GET", f"{path}&after={after}")["next"] for after in _places(ids)]
    requests = [box.get(f"{path}&after={cursors[n % len(cursors)]}") for n in range(count)]
    return drive(box.url, requests).require(200).p(0.5)


def _places(ids: list[int]) -> list[int]:
    """Return ids behind which there are two pages at least."""
    return random.Random(7).sample(ids[:-300], 20)


def _tasks_ms(box: Box, project_id: int, label_id: int, ids: list[int]) -> float:
    """Return the median time of the ten annotations of an image with its revision."""
    drive(box.url, saves(box, project_id, label_id, ids, "list-"), 8).require(200)
    paths = [f"/api/projects/{project_id}/images/{image_id}/annotations" for image_id in ids]
    return drive(box.url, [box.get(path) for path in paths]).require(200).p(0.5)


def _pictures(box: Box, options: Options) -> dict[str, tuple[float, str]]:
    """Return the median time of a picture's bytes, and pictures/s over eight connections."""
    project_id = box.project("pictures")
    addresses = []
    for path in pictures(options, _PICTURES):
        sent = f"/api/projects/{project_id}/images"
        image = box.ask("POST", sent, params={"name": path.name}, content=path.read_bytes())
        addresses.append(f"{sent}/{image['id']}/file?v={image['sha256']}")
    count = options.times(_PICTURE_REQUESTS)
    requests = [box.get(addresses[n % len(addresses)]) for n in range(count)]
    alone = drive(box.url, requests[: count // 4]).require(200)
    together = drive(box.url, requests, 8).require(200)
    return {
        "picture_p50_ms": (alone.p(0.5), "ms"),
        "pictures_per_s_8": (together.per_s, "pictures/s"),
        "client_us_per_picture": (together.client_us, "µs"),
    }


def _theirs(options: Options) -> tuple[dict[str, float] | None, str | None]:
    studio, reason = label_studio(options)
    if studio is None:
        return None, reason
    try:
        with studio.serving() as served:
            return _read(served, options), None
    except (PeerMissing, RuntimeError) as error:
        return None, str(error)


def _read(served: Studio, options: Options) -> dict[str, float]:
    """Measure the peer on 1,000 tasks, which favours it beside our 100,000."""
    project_id = served.project("list")
    ids = served.tasks(project_id, _THEIR_TASKS)
    some = ids[:_THEIR_REQUESTS]
    drive(served.url, served.saves(some)).require(201)
    page = served.get(f"/api/tasks?project={project_id}&page=2&page_size=100")
    page_ms = drive(served.url, [page] * _THEIR_REQUESTS).require(200).p(0.5)
    task_ms = drive(served.url, [served.get(f"/api/tasks/{task_id}") for task_id in some]).require(200).p(0.5)
    shown = served.project("pictures")
    served.send_pictures(shown, pictures(options, _THEIR_REQUESTS))
    addresses = [served.ask("GET", f"/api/tasks/{n}")["data"]["image"] for n in served.task_ids(shown)]
    picture_ms = drive(served.url, [served.get(address) for address in addresses]).require(200).p(0.5)
    rate = drive(served.url, [served.get(address) for address in addresses * 4], 8).require(200).per_s
    paged = {f"p50_ms_{size}": page_ms for size in _SIZES}
    return {**paged, "task_p50_ms": task_ms, "picture_p50_ms": picture_ms, "pictures_per_s_8": rate}


BENCH = Bench(
    name="list",
    summary="a page of 100 of 1,000 and 100,000 images, one image's annotations, picture bytes",
    run=run,
    targets={
        "p50_ms_1000": "≤ 5 ms", "p50_ms_100000": "≤ 5 ms", "task_p50_ms": "≤ 2 ms", "picture_p50_ms": "≤ 1 ms",
        "pictures_per_s_8": "≥ 3,000 pictures/s",
    },
)  # fmt: skip
