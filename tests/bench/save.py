"""Saves of ten boxes over HTTP: 1, 8 and 32 clients, and while the machine works."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.bench._base import Bench, Figure, Options, figures
from tests.bench._fill import fill, ready_folder, saves
from tests.bench._label_studio import PEER, label_studio
from tests.bench._load import Outcome, drive
from tests.bench._ours import Box, serving
from tests.bench._peers import PeerMissing
from tests.bench._pictures import archive, model_path

__all__ = ["BENCH"]

_SAVES = {1: 1_000, 8: 4_000, 32: 8_000}
_BUSY_SAVES = 6_000
_BUSY_IMAGES = 1_000
_THEIR_SAVES = {1: 60, 8: 160}


def run(options: Options) -> Iterator[Figure]:
    """Save to images of their own, each answer after its fsync; then again beside machine work."""
    counts = {clients: options.times(count, least=clients) for clients, count in _SAVES.items()}
    busy = options.times(_BUSY_SAVES)
    folder = options.fresh("save") / "data"
    token = ready_folder(folder)
    project_id, label_id, image_ids = fill(folder, "save", sum(counts.values()) + busy)
    waiting = iter(image_ids)
    outcomes: dict[int, Outcome] = {}
    with serving(folder, token) as box:

        def saved(count: int, clients: int) -> Outcome:
            ids = [next(waiting) for _ in range(count)]
            requests = saves(box, project_id, label_id, ids, f"s{clients}-")
            return drive(box.url, requests, clients).require(200)

        for clients, count in counts.items():
            outcomes[clients] = saved(count, clients)
        with _machine_work(box, options):
            busy_outcome = saved(busy, 8)
    theirs, reason = _theirs(options) if options.peers else (None, None)
    yield from figures("save", _named(outcomes), PEER, theirs, reason)
    yield from figures("save", _busy_named(busy_outcome))
    yield from figures("save", {"client_us_per_request_8": (outcomes[8].client_us, "µs")})


def _named(outcomes: dict[int, Outcome]) -> dict[str, tuple[float, str]]:
    named: dict[str, tuple[float, str]] = {}
    for clients, outcome in outcomes.items():
        named[f"p50_ms_{clients}"] = (outcome.p(0.5), "ms")
        named[f"p99_ms_{clients}"] = (outcome.p(0.99), "ms")
        named[f"saves_per_s_{clients}"] = (outcome.per_s, "saves/s")
    return named


def _busy_named(outcome: Outcome) -> dict[str, tuple[float, str]]:
    return {
        "p50_ms_8_busy": (outcome.p(0.5), "ms"),
        "p99_ms_8_busy": (outcome.p(0.99), "ms"),
        "saves_per_s_8_busy": (outcome.per_s, "saves/s"),
    }


@contextmanager
def _machine_work(box: Box, options: Options) -> Iterator[None]:
    """Keep an auto-label run and exports of 1,000 images of ten boxes going.

    Raises:
        RuntimeError: The work was over before the saves were: the figure would not be of a busy box.
    """
    count = options.times(_BUSY_IMAGES, least=300)
    project_id = box.project("work")
    box.send_archive(project_id, archive(options, count))
    snapshot_id = _annotated_snapshot(box, project_id)
    model_id = box.model(model_path())
    labelling = box.ask("POST", f"/api/projects/{project_id}/auto-label", json={"model_id": model_id})
    over, written = threading.Event(), []

    def export() -> None:
        while not over.is_set():
            asked = {"format": "coco", "snapshot_id": snapshot_id}
            written.append(box.finished(box.ask("POST", f"/api/projects/{project_id}/exports", json=asked)))

    exporting = threading.Thread(target=export)
    exporting.start()
    try:
        yield
        if box.ask("GET", f"/api/jobs/{labelling['id']}")["state"] != "running":
            raise RuntimeError("auto-labelling ended before the saves: give it more pictures")
    finally:
        over.set()
        exporting.join()
        box.ask("POST", f"/api/jobs/{labelling['id']}/cancel")
    print(f"busy: {len(written)} exports were written beside the saves", file=sys.stderr)


def _annotated_snapshot(box: Box, project_id: int) -> int:
    """Draw ten boxes on every image and return a snapshot of everything."""
    label = box.ask("POST", f"/api/projects/{project_id}/labels", json={"name": "thing"})
    drive(box.url, saves(box, project_id, label["id"], _image_ids(box, project_id), "b-"), 8).require(200)
    asked = {"name": "busy", "contents": "everything"}
    job = box.finished(box.ask("POST", f"/api/projects/{project_id}/snapshots", json=asked))
    return int(job["result"]["snapshot_id"])


def _image_ids(box: Box, project_id: int) -> Sequence[int]:
    found: list[int] = []
    after: str | None = ""
    while after is not None:
        query = {"limit": 500, **({"after": after} if after else {})}
        page = box.ask("GET", f"/api/projects/{project_id}/images", params=query)
        found += [image["id"] for image in page["items"]]
        after = page["next"]
    return found


def _theirs(options: Options) -> tuple[dict[str, float] | None, str | None]:
    studio, reason = label_studio(options)
    if studio is None:
        return None, reason
    outcomes: dict[int, Outcome] = {}
    try:
        with studio.serving() as served:
            project_id = served.project("save")
            waiting = iter(served.tasks(project_id, sum(_THEIR_SAVES.values())))
            for clients, count in _THEIR_SAVES.items():
                ids = [next(waiting) for _ in range(count)]
                outcomes[clients] = drive(served.url, served.saves(ids), clients).require(201)
    except (PeerMissing, RuntimeError) as error:
        return None, str(error)
    return {name: value for name, (value, _) in _named(outcomes).items()}, None


BENCH = Bench(
    name="save",
    summary="saves of ten boxes, fsynced: latency and throughput with 1, 8 and 32 clients, and on a busy box",
    run=run,
    targets={
        "p50_ms_1": "≤ 3 ms", "p99_ms_1": "≤ 10 ms", "p50_ms_8": "≤ 8 ms", "p99_ms_8": "≤ 25 ms",
        "saves_per_s_8": "≥ 1,000 saves/s",
    },
)  # fmt: skip
