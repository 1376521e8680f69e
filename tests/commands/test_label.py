"""`pixelqueue label`: the main job on a folder, and what survives kill -9."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import apsw
import pytest

from tests._shared import ROOT, shared
from tests.commands._folder import command, model, pictures, ran


def label(folder: Path, weights: Path, output: Path) -> list[str | Path]:
    return ["label", folder, "--model", weights, "--format", "coco", "--format", "yolo", "--output", output, "--json"]


def coco(output: Path) -> dict:
    return json.loads((output / "coco" / "annotations.json").read_text())


def tree(output: Path) -> dict[str, bytes]:
    """Return every file of both datasets by its path."""
    found = {}
    for name in ("coco", "yolo"):
        found |= {str(p.relative_to(output)): p.read_bytes() for p in (output / name).rglob("*") if p.is_file()}
    return found


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Path, Path]:
    return pictures(tmp_path / "in", 12), model(tmp_path)


def test_it_writes_both_datasets(inputs, tmp_path: Path):
    folder, weights = inputs
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    answer = ran(*label(folder, weights, tmp_path / "out"))
    assert (answer["images"], answer["annotations"]) == (12, 24)
    assert [e["file"] for e in answer["errors"] if e["code"] != "no-score"] == ["broken.jpg"]
    written = coco(tmp_path / "out")
    assert len(written["images"]) == 12
    assert all(0 < a["score"] <= 1 for a in written["annotations"])
    assert [c["name"] for c in written["categories"]] == ["washer", "bolt"]
    yolo = tmp_path / "out" / "yolo"
    labels = sorted(p for p in yolo.rglob("*.txt"))
    assert len(labels) == 12
    assert all(len(p.read_text().splitlines()) == 2 for p in labels)
    linked = next(p for p in (yolo / "images").rglob("*.jpg"))
    assert linked.stat().st_nlink == 2


def test_a_second_run_labels_only_what_is_new(inputs, tmp_path: Path):
    folder, weights = inputs
    ran(*label(folder, weights, tmp_path / "out"))
    before = tree(tmp_path / "out")
    again = ran(*label(folder, weights, tmp_path / "out"))
    assert again["images"] == 12
    assert tree(tmp_path / "out") == before
    pictures(folder, 3, first=50)
    assert ran(*label(folder, weights, tmp_path / "out"))["images"] == 15
    jobs = ran("jobs", "list", "--data", tmp_path / "out" / ".pixelqueue", "--state", "done", "--json")
    assert jobs["kind"] == "import"  # the last line is the oldest job
    database = apsw.Connection(str(tmp_path / "out" / ".pixelqueue" / "pixelqueue.sqlite"))
    runs = database.execute("SELECT result FROM jobs WHERE kind = 'auto-label' ORDER BY id").fetchall()
    assert [json.loads(str(r))["images"] for (r,) in runs] == [12, 0, 3]


def test_classes_are_chosen_by_name_and_index(inputs, tmp_path: Path):
    folder, weights = inputs
    assert ran(*label(folder, weights, tmp_path / "a"), "--classes", "bolt")["annotations"] == 12
    assert ran(*label(folder, weights, tmp_path / "b"), "--classes", "0")["annotations"] == 12
    assert "no label 'nut'" in ran(*label(folder, weights, tmp_path / "c"), "--classes", "nut", code=2)["stderr"]


def test_what_cannot_be_done_is_said(inputs, tmp_path: Path):
    folder, weights = inputs
    bad = tmp_path / "bad.onnx"
    bad.write_text("no model at all")
    assert "bad.onnx" in ran(*label(folder, bad, tmp_path / "a"), code=2)["stderr"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no picture" in ran(*label(empty, weights, tmp_path / "b"), code=2)["stderr"]
    arguments = ["label", folder, "--model", weights, "--format", "word", "--output", tmp_path / "c"]
    assert "choose one of coco" in ran(*arguments, code=2)["stderr"]


def test_twenty_kills_lose_and_double_nothing(tmp_path: Path):
    """Kill -9 at random moments and inside each kind of job; the datasets equal those of an undisturbed run."""
    folder, weights = pictures(tmp_path / "in", 240), model(tmp_path)
    ran(*label(folder, weights, tmp_path / "whole"))
    output, dice = tmp_path / "out", random.Random(20)
    aims = ["import", "auto-label", "snapshot", "export"] * 3 + [None] * 8
    for aim in aims:
        while not _killed(label(folder, weights, output), output, aim, dice.uniform(0.3, 2.5)):
            shutil.rmtree(output)  # it got through: begin again, each kill is to hit
    ran(*label(folder, weights, output))
    assert tree(output) == tree(tmp_path / "whole")


def _killed(arguments: list[str | Path], output: Path, aim: str | None, after_s: float) -> bool:
    """Start the command and kill it while a job of the kind runs, or after a time; False when it ended first."""
    started = subprocess.Popen(command(*arguments), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline_s = time.monotonic() + (after_s if aim is None else 60)
    while started.poll() is None:
        if aim in _running(output) if aim else time.monotonic() > deadline_s:
            started.send_signal(signal.SIGKILL)
            started.wait()
            return True
        assert time.monotonic() < deadline_s + 60, "the command hangs"
    return False


def _running(output: Path) -> set[str]:
    """Return the kinds of the jobs that run at this moment, as another process sees them."""
    file = output / ".pixelqueue" / "pixelqueue.sqlite"
    if not file.exists():
        return set()
    try:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
        return {str(kind) for (kind,) in connection.execute("SELECT kind FROM jobs WHERE state = 'running'")}
    except apsw.Error:
        return set()


@pytest.mark.slow
def test_real_weights_on_real_pictures(tmp_path: Path):
    answer = ran(*label(shared("data/coco128/images"), shared("models/yolov8n.onnx"), tmp_path / "out"))
    assert answer["images"] == 128
    assert answer["annotations"] > 500
    assert len(coco(tmp_path / "out")["categories"]) == 80
