"""A hundred annotators, five reviewers and a batch on one box, and whether all they were told is true."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from appliance.records import ProjectRole, ReviewPolicy
from appliance.settings import Settings
from appliance.store import Store, Transaction, members, projects, users
from appliance.store.passwords import Passwords
from tests.bench._base import Bench, Figure, Options, figures, percentile
from tests.bench._crowd import Outcome, Plan, send
from tests.bench._fill import fill_pictures, ready_folder
from tests.bench._ledger import faults
from tests.bench._ours import Box, serving
from tests.bench._pictures import model_path, pictures
from tests.bench._process import resident_mb
from tests.bench._roles import Person

__all__ = ["BENCH", "Somebody", "prepare", "signed_in"]

Somebody = tuple[str, ProjectRole]
"""A name and a role in the project."""

_EVERYBODY: list[Somebody] = [
    *((f"annotator {number}", "annotator") for number in range(100)),
    *((f"reviewer {number}", "reviewer") for number in range(5)),
]
_WATCHING = 4
"""Every fourth person's page follows the events."""
_PASSWORD = "correct horse battery staple"
_PICTURES = 128
_TASKS_PER_S = 30
_ALONE = 2_000
"""Images at the end of the queue for the batch alone."""
_SHOWN_ERRORS = 20


def run(options: Options) -> Iterator[Figure]:
    """Fill a box, sign everybody in, let the batch run alone, then beside the people; look at the database."""
    seconds = options.minutes * 60 * options.scale
    folder = options.fresh("people")
    token = ready_folder(folder / "data")
    sources = pictures(options, _PICTURES)
    count = round(seconds * _TASKS_PER_S) + 1_000 + _ALONE
    project_id = prepare(folder / "data", _EVERYBODY, sources, count)
    with serving(folder / "data", token) as box:
        model_id = box.model(model_path())
        alone = _alone(box, project_id, model_id, seconds=max(10.0, min(60.0, seconds / 5)))
        labels = box.ask("GET", f"/api/projects/{project_id}/labels")["items"]
        people = signed_in(box.url, _EVERYBODY)
        port = int(box.url.rpartition(":")[2])
        plan = Plan(port, project_id, [label["id"] for label in labels], people, seconds)
        batch = _Batch(box, project_id, {"model_id": model_id})
        outcome, resident = _observed(box, plan, folder, batch)
        beside = batch.end()
    ledger = outcome.ledger
    errors = ledger.errors + faults(folder / "data", project_id, ledger)
    for error in errors[:_SHOWN_ERRORS]:
        print(f"people: {error}", file=sys.stderr)
    diffs = sum(len(saved) for saved in ledger.saved.values())
    print(f"people: {diffs} diffs on {len(ledger.saved)} images, {len(ledger.tasks)} tasks, {ledger.events} events "
          f"delivered, {ledger.stale} times stale, {ledger.idle} times nothing to take", file=sys.stderr)  # fmt: skip
    yield from figures("people", {"errors": (float(len(errors)), "errors")})
    yield from figures("people", _latencies(ledger.latencies_ms))
    yield from figures("people", {"saves_per_s": (diffs / seconds, "saves/s")})
    yield from figures(
        "people", {"batch_images_per_s": (beside, "images/s")}, "the batch alone", {"batch_images_per_s": alone}
    )
    yield from figures("people", {"rss_growth_mb": (_growth(resident), "MB")})
    yield from figures("people", {"client_cpu_share": (outcome.cpu_share, "cores")})


def prepare(folder: Path, everybody: list[Somebody], sources: list[Path], count: int) -> int:
    """Add a project of `count` pictures, all of whose work is reviewed, and its people; return its id."""
    settings = Settings(data=str(folder))
    hashing = Passwords(settings)
    hashed = hashing.hash(_PASSWORD).result()
    hashing.close()

    def begin(tx: Transaction) -> int:
        project = projects.create(tx, name="People", review_policy=ReviewPolicy(images="all"), created_by=1)
        for name, role in everybody:
            person = users.create(tx, email=_email(name), name=name, role="member", password_hash=hashed)
            members.put(tx, project.id, person.id, role)
        return project.id

    with Store(folder, settings) as store:
        project_id = store.write(begin)
        fill_pictures(store, project_id, sources, count)
    return project_id


def _email(name: str) -> str:
    return f"{name.replace(' ', '-')}@example.org"


def signed_in(url: str, everybody: list[Somebody]) -> list[Person]:
    """Sign everybody in with their password, two at a time."""

    def sign_in(number: int, name: str, role: ProjectRole) -> Person:
        facts = {"email": _email(name), "password": _PASSWORD}
        answer = httpx.post(f"{url}/api/session", json=facts, headers={"Origin": url}, timeout=120)
        answer.raise_for_status()
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return Person(answer.json()["user"]["id"], role, cookie, watches=number % _WATCHING == 0)

    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(sign_in, number, *who) for number, who in enumerate(everybody)]
        return [one.result() for one in asked]


class _Batch:
    """Auto-labelling without a break: begun again as often as it comes to the end."""

    def __init__(self, box: Box, project_id: int, facts: dict[str, Any]) -> None:
        self._box = box
        self._asked = {"path": f"/api/projects/{project_id}/auto-label", "json": facts}
        self._done = 0
        self._job = self._begin()
        self._from_s, self._from = time.perf_counter(), self._seen

    def _begin(self) -> dict[str, Any]:
        """Start a run and wait until it has loaded its model and labelled something."""
        job: dict[str, Any] = self._box.ask("POST", **self._asked)
        while job["state"] == "queued" or (job["state"] == "running" and not job["progress"]):
            time.sleep(0.1)
            job = self._box.ask("GET", f"/api/jobs/{job['id']}")
        if job["state"] not in ("running", "done"):
            raise RuntimeError(f"auto-labelling is {job['state']}: {job['error']}")
        return job

    @property
    def _seen(self) -> int:
        return self._done + int(self._job["progress"])

    def look(self) -> None:
        """Ask how far it is, and begin anew when it is through."""
        self._job = self._box.ask("GET", f"/api/jobs/{self._job['id']}")
        if self._job["state"] == "done":
            self._done += int(self._job["progress"])
            self._job = self._begin()

    def end(self) -> float:
        """Cancel it and return how many images it labelled a second since it had begun."""
        self.look()
        rate = (self._seen - self._from) / (time.perf_counter() - self._from_s)
        self._box.ask("POST", f"/api/jobs/{self._job['id']}/cancel")
        while self._job["state"] in ("queued", "running"):
            time.sleep(0.1)
            self._job = self._box.ask("GET", f"/api/jobs/{self._job['id']}")
        return rate


def _alone(box: Box, project_id: int, model_id: int, seconds: float) -> float:
    """Let the batch run with nobody there; return images per second."""
    (newest,) = box.ask("GET", f"/api/projects/{project_id}/images", params={"limit": 1, "sort": "newest"})["items"]
    ids = list(range(newest["id"] - _ALONE + 1, newest["id"] + 1))
    batch = _Batch(box, project_id, {"model_id": model_id, "image_ids": ids})
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        time.sleep(1)
        batch.look()
    return batch.end()


def _observed(box: Box, plan: Plan, folder: Path, batch: _Batch) -> tuple[Outcome, list[float]]:
    """Let the people work; return what they were told, and the server's memory second by second."""
    resident: list[float] = []
    ended = send(plan, folder)
    while (outcome := ended()) is None:
        time.sleep(1)
        resident.append(resident_mb(box.process.pid))
        batch.look()
    return outcome, resident


def _latencies(taken: dict[str, list[float]]) -> dict[str, tuple[float, str]]:
    named: dict[str, tuple[float, str]] = {}
    for name, kind, share in (
        ("save_p50_ms", "save", 0.5), ("save_p99_ms", "save", 0.99), ("take_p99_ms", "take", 0.99),
        ("submit_p99_ms", "submit", 0.99), ("review_p99_ms", "review", 0.99), ("look_p99_ms", "look", 0.99),
        ("picture_p99_ms", "picture", 0.99),
    ):  # fmt: skip
        if taken.get(kind):
            named[name] = (percentile(taken[kind], share), "ms")
    return named


def _growth(resident: list[float]) -> float:
    """Return how much more the last tenth of the time held than the first, by their medians."""
    tenth = max(1, len(resident) // 10)
    return statistics.median(resident[-tenth:]) - statistics.median(resident[:tenth])


BENCH = Bench(
    name="people",
    summary="100 annotators, 5 reviewers and a batch for --minutes: errors, latencies, throughput, memory",
    run=run,
    targets={
        "errors": "0", "save_p99_ms": "≤ 100 ms", "batch_images_per_s": "not starved: ≥ 0.25 × alone",
        "rss_growth_mb": "≤ 10 MB",
    },
)  # fmt: skip
