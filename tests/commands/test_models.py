"""``pixelqueue models`` and what the doctor says of it, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from appliance.store import Store, projects
from tests._onnx import dense_head, write_model
from tests._sam import small_pair
from tests._shared import ROOT
from tests.commands._folder import command, ran


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a project."""
    folder = tmp_path / "box"
    ran("user", "add", "ann@example.com", "--password", "a long enough secret 9", "--data", folder)
    with Store(folder) as store:
        store.write(lambda tx: projects.create(tx, name="Trays", created_by=None))
    return folder


def weights(path: Path, width: float) -> Path:
    path.parent.mkdir(exist_ok=True)
    return write_model(path, [dense_head([(32, 32, width, 16, 0.9, 0)])])


def listed(data: Path) -> list[dict[str, Any]]:
    words = command("models", "list", "--data", data, "--json")
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_models_are_added_used_rolled_back_and_removed(data: Path, tmp_path: Path) -> None:
    at = ("--data", data)
    first = ran("models", "add", weights(tmp_path / "parts.onnx", 20), *at, "--json")
    assert (first["name"], first["version"], first["task"]) == ("parts", 1, "detect")
    second = ran("models", "add", weights(tmp_path / "new" / "parts.onnx", 30), *at)
    assert "parts-2: yolo detect, 2 labels" in second["stderr"]
    assert ran("models", "add", tmp_path / "parts.onnx", *at, "--json")["id"] == first["id"]
    ran("models", "activate", "parts-1", "--project", "Trays", *at)
    ran("models", "activate", "parts", "--project", "Trays", *at)
    assert [(one["model"]["version"], one["used_by"]) for one in listed(data)] == [(1, []), (2, ["Trays"])]
    assert "Trays" in ran("models", "remove", "parts-2", *at, code=4)["stderr"]
    assert "parts-1 again" in ran("models", "rollback", "--project", "Trays", *at)["stderr"]
    assert [one["used_by"] for one in listed(data)] == [["Trays"], []]
    ran("models", "archive", "parts-1", *at, code=4)
    ran("models", "archive", "parts-2", *at)
    assert "archived" in ran("models", "list", *at)["words"]
    ran("models", "archive", "parts-2", "--undo", *at)
    ran("models", "remove", "parts-2", *at)
    assert [one["model"]["version"] for one in listed(data)] == [1]
    assert "no model 'bolts'" in ran("models", "activate", "bolts", "--project", "Trays", *at, code=3)["stderr"]


def test_a_pair_is_added_and_carried_to_another_box(data: Path, tmp_path: Path) -> None:
    files = small_pair(tmp_path / "pair")
    encoder = files["encoder"].rename(tmp_path / "red.encoder.onnx")
    added = ran("models", "add", encoder, files["decoder"], "--data", data, "--json")
    assert (added["name"], added["task"], added["family"]) == ("red", "prompt", "sam")
    ran("models", "export", "red", tmp_path, "--data", data)
    package = tmp_path / "red-1.pqmodel"
    there = ran("models", "import", package, "--data", tmp_path / "other", "--json")
    assert (there["sha256"], there["info"]) == (added["sha256"], added["info"])
    cut = tmp_path / "cut.pqmodel"
    cut.write_bytes(package.read_bytes()[:-200])
    assert "cut.pqmodel" in ran("models", "import", cut, "--data", data, code=2)["stderr"]
    checkpoint = tmp_path / "x.pt"
    checkpoint.write_bytes(b"x")
    assert "decoder" in ran("models", "add", checkpoint, encoder, "--data", data, code=2)["stderr"]


def test_what_is_no_model_is_refused_by_name(data: Path, tmp_path: Path) -> None:
    files = small_pair(tmp_path / "pair")
    stderr = ran("models", "add", files["decoder"], files["encoder"], "--data", data, code=2)["stderr"]
    assert "decoder.onnx" in stderr
    notes = tmp_path / "notes.onnx"
    notes.write_text("no model")
    assert "notes.onnx" in ran("models", "add", notes, "--data", data, code=2)["stderr"]
    assert listed(data) == []


@pytest.mark.train
def test_the_doctor_says_what_runs_models_and_whether_checkpoints_convert() -> None:
    done = subprocess.run(
        command("doctor", "--json"), capture_output=True, text=True, cwd=ROOT, timeout=240, check=True
    )
    found = {one["what"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert found["backend onnxruntime"]["ok"]
    assert "cpu" in found["backend onnxruntime"]["facts"]
    assert found["backend tensorrt"]["facts"]
    assert found["conversion"]["ok"]
    assert "ultralytics" in found["conversion"]["facts"]
