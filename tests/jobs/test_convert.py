"""Conversion as a job: it ends in a model, or in words, and never touches the active one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.jobs import conversion
from appliance.jobs.services import Jobs
from appliance.jobs.weights import admit_model
from appliance.records import Job, Model, Provenance
from appliance.settings import Settings
from appliance.store import Store, activations, models, policy
from tests._checkpoints import Evil, rewritten, write_checkpoint
from tests._onnx import constant_model, dense_head
from tests.store._nouns import a_project

pytestmark = pytest.mark.train
pytest.importorskip("torch")
WAIT_S = 240.0


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ultralytics = pytest.importorskip("ultralytics")
    return write_checkpoint(ultralytics, "yolov8n.yaml", tmp_path_factory.mktemp("checkpoint") / "parts.pt")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Callable[..., Jobs]]:
    made: list[tuple[Store, Jobs]] = []

    def start(**settings: Any) -> Jobs:
        store = Store(tmp_path / "data", Settings(**settings))
        jobs = Jobs(store, store.settings)
        made.append((store, jobs))
        jobs.start()
        return jobs

    yield start
    for store, jobs in made:
        jobs.stop()
        store.close()


@pytest.fixture
def in_use() -> Callable[[Jobs], tuple[int, Model]]:
    """Give a project an active model, which no failure may touch."""

    def use(jobs: Jobs) -> tuple[int, Model]:
        weights = constant_model([dense_head([(32, 32, 20, 16, 0.9, 0)])]).SerializeToString()
        files = {"weights": jobs.store.blobs.stage([weights])}
        model = admit_model(jobs.store, files, name="old.onnx", provenance=Provenance(), created_by=None)
        project = a_project(jobs.store)
        jobs.store.write(lambda tx: activations.activate(tx, project.id, model.id))
        return project.id, model

    return use


def submit(jobs: Jobs, path: Path, **more: Any) -> Job:
    with path.open("rb") as file:
        staged = jobs.store.blobs.stage(iter(lambda: file.read(1 << 20), b""))
    jobs.store.blobs.settle([staged])
    parameters = {"checkpoint": staged.sha256, "name": path.name, **more}
    return jobs.submit("convert", parameters, blobs=[staged])


def failed(jobs: Jobs, job: Job, words: str, kept: tuple[int, Model]) -> None:
    """Assert that the job failed with these words, and that nothing else happened."""
    over = jobs.wait(job.id, WAIT_S)
    assert over.state == "failed", over
    assert over.error is not None
    assert words in over.error["message"]
    assert str(jobs.store.folder) not in over.error["message"]
    project_id, model = kept
    assert jobs.store.read(lambda r: activations.active(r, project_id)) == model
    assert jobs.store.read(lambda r: models.listed(r)).items == [model]
    assert list(jobs.store.temporary.iterdir()) == []


def test_a_checkpoint_becomes_a_model_and_this_process_never_loads_torch(checkpoint: Path, tmp_path: Path) -> None:
    script = tmp_path / "serve.py"
    script.write_text(_IN_A_PROCESS)
    done = subprocess.run(  # a process of its own: this one has torch, the tests made checkpoints with it
        [sys.executable, script, tmp_path / "other", checkpoint], capture_output=True, text=True, timeout=WAIT_S
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["done", "[]"]
    with Store(tmp_path / "other") as store:
        (model,) = store.read(lambda r: models.listed(r)).items
        report = model.provenance.conversion
    assert (model.name, model.family, model.task, model.metrics) == (
        "parts",
        "yolo",
        "detect",
        {"map50": 0.5, "map50_95": 0.25},
    )
    assert report is not None
    assert report.parity is not None
    assert report.parity.ok
    assert report.reading == "tensors"
    assert report.isolated
    assert model.provenance.file == "parts.pt"
    assert len(model.provenance.source_sha256 or "") == 64


_IN_A_PROCESS = """
import sys
from pathlib import Path
from appliance.jobs.services import Jobs
from appliance.store import Store
store = Store(Path(sys.argv[1]))
jobs = Jobs(store)
jobs.start()
path = Path(sys.argv[2])
staged = store.blobs.stage([path.read_bytes()])
store.blobs.settle([staged])
job = jobs.submit("convert", {"checkpoint": staged.sha256, "name": path.name}, blobs=[staged])
print(jobs.wait(job.id).state, sorted({"torch", "ultralytics", "torchvision"} & set(sys.modules)))
jobs.stop()
store.close()
"""


def test_a_killed_child_is_told_and_leaves_the_active_model(
    service: Callable[..., Jobs], checkpoint: Path, in_use: Callable[[Jobs], tuple[int, Model]]
) -> None:
    jobs = service()
    kept = in_use(jobs)
    exporting = threading.Event()
    jobs.store.bus.subscribe(
        lambda event: (
            exporting.set()
            if event.kind == "job.changed" and event.data["job"]["message"] == "building the model"
            else None
        )
    )
    job = submit(jobs, checkpoint)
    assert exporting.wait(WAIT_S)
    (child,) = _children("engine.convert.worker")
    os.kill(child, signal.SIGKILL)
    failed(jobs, job, "was killed", kept)


def _children(task: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if task.encode() in words and parent == os.getpid():
                found.append(int(entry.name))
    return found


def test_too_little_memory_is_told(
    service: Callable[..., Jobs], checkpoint: Path, in_use: Callable[[Jobs], tuple[int, Model]]
) -> None:
    jobs = service(convert_memory_bytes=1_200 << 20)
    kept = in_use(jobs)
    failed(jobs, submit(jobs, checkpoint), "parts.pt", kept)


def test_too_little_time_is_told(
    service: Callable[..., Jobs], checkpoint: Path, in_use: Callable[[Jobs], tuple[int, Model]]
) -> None:
    jobs = service(convert_s=1)
    kept = in_use(jobs)
    failed(jobs, submit(jobs, checkpoint), "longer to convert than the setting convert_s", kept)


def test_a_full_disk_is_told(
    service: Callable[..., Jobs], checkpoint: Path, in_use: Callable[[Jobs], tuple[int, Model]]
) -> None:
    jobs = service()
    kept = in_use(jobs)
    job = submit(jobs, checkpoint)
    jobs.stop()
    jobs.store.close()
    jobs = service(free_floor_bytes=1 << 60)
    failed(jobs, job, "disk", kept)


def test_a_hostile_checkpoint_runs_nothing_and_an_allowed_one_runs_in_the_child(
    service: Callable[..., Jobs],
    checkpoint: Path,
    in_use: Callable[[Jobs], tuple[int, Model]],
    tmp_path: Path,
) -> None:
    proof = tmp_path / "ran"
    evil = rewritten(checkpoint, lambda contents: contents.update(license=Evil(f"touch {proof}")))
    jobs = service()
    kept = in_use(jobs)
    failed(jobs, submit(jobs, evil), "cannot be read", kept)
    assert not proof.exists()
    failed(jobs, submit(jobs, evil, trusted=True), "an administrator may allow", kept)
    assert not proof.exists()
    jobs.store.write(lambda tx: policy.allow_pickles(tx, True))
    over = jobs.wait(submit(jobs, evil, trusted=True).id, WAIT_S)
    assert over.state == "done", over.error
    assert proof.exists()
    model_id = (over.result or {})["model_id"]
    made = jobs.store.read(lambda r: models.get(r, model_id))
    assert made.provenance.conversion is not None
    assert (made.provenance.conversion.reading, made.provenance.conversion.isolated) == ("pickle", True)


def test_without_the_extra_it_says_what_to_do(
    service: Callable[..., Jobs], checkpoint: Path, in_use: Callable[[Jobs], tuple[int, Model]], tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    jobs = service(convert_python=str(bare))
    kept = in_use(jobs)
    ability = jobs.conversion.found()
    assert not ability.ok
    assert "pixelqueue[train]" in ability.way_out
    assert "yolo export" in ability.way_out
    failed(jobs, submit(jobs, checkpoint), "pixelqueue[train]", kept)


def test_it_says_what_it_can_convert_with() -> None:
    ability = conversion.look(Settings())
    assert ability.ok, ability.reason
    assert "yolo" in {family.name for family in ability.families}
    assert {"torch", "ultralytics"} <= set(ability.versions)
