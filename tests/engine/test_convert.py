"""Checkpoints to ONNX: every task, compared with ultralytics; nothing of a checkpoint ever runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.engine.convert import worker
from appliance.engine.inspect import inspect
from appliance.errors import UnusableModel
from appliance.records import Conversion
from tests._checkpoints import Evil, cut, rewritten, write_checkpoint

pytestmark = pytest.mark.train
torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def detector(ultralytics: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(ultralytics, "yolov8n.yaml", tmp_path_factory.mktemp("detector") / "parts.pt")


def convert(path: Path, folder: Path) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    request = {"do": "convert", "path": str(path), "name": path.name, "folder": str(folder), "trusted": False}
    return worker.handle(request, lambda _: None)


@pytest.mark.parametrize(
    ("source", "task"),
    [
        ("yolov8n.yaml", "detect"),
        ("yolo11n-seg.yaml", "segment"),
        ("yolov8n-pose.yaml", "pose"),
        ("yolo11n-obb.yaml", "obb"),
        ("yolo11n-cls.yaml", "classify"),
        ("yolo26n.yaml", "detect"),
    ],
)
def test_every_task_becomes_a_dynamic_model_that_answers_alike(
    ultralytics: Any, tmp_path: Path, source: str, task: str
) -> None:
    made = convert(write_checkpoint(ultralytics, source, tmp_path / "m.pt"), tmp_path / "out")
    info = inspect(Path(made["files"]["weights"]))
    assert (info.task, info.dynamic, info.batch, info.input_size) == (task, True, None, (64, 64))
    conversion = msgspec.convert(made["conversion"], Conversion)
    assert conversion.reading == "tensors"
    assert conversion.parity is not None
    assert conversion.parity.ok, conversion.parity
    assert conversion.parity.pictures == 2
    assert conversion.parity.worst_output_gap is None or conversion.parity.worst_output_gap < 1e-3
    assert made["metrics"] == {"map50": 0.5, "map50_95": 0.25}
    assert made["parameters"] == {"imgsz": 64, "epochs": 3}


def test_a_checkpoint_that_would_run_a_command_runs_nothing(detector: Path, tmp_path: Path) -> None:
    proof = tmp_path / "ran"

    def poison(contents: dict[str, Any]) -> None:
        contents["train_args"] = Evil(f"touch {proof}")

    with pytest.raises(UnusableModel, match="cannot be read"):
        convert(rewritten(detector, poison), tmp_path / "out")
    assert not proof.exists()


@pytest.mark.parametrize("place", ["activation", "layer"])
def test_an_architecture_that_names_code_is_refused(detector: Path, tmp_path: Path, place: str) -> None:
    proof = tmp_path / "ran"
    code = f"__import__('pathlib').Path({str(proof)!r}).touch()"

    def poison(contents: dict[str, Any]) -> None:
        plan = contents["model"].yaml
        if place == "activation":
            plan["activation"] = code
        else:
            plan["backbone"][0] = [-1, 1, "torch_safe_load", [str(detector)]]

    with pytest.raises(UnusableModel, match="names"):
        convert(rewritten(detector, poison), tmp_path / "out")
    assert not proof.exists()


def test_labels_that_are_not_as_many_as_the_model_tells_apart_are_refused(detector: Path, tmp_path: Path) -> None:
    def relabel(contents: dict[str, Any]) -> None:
        contents["model"].names = {0: "one", 1: "two"}

    with pytest.raises(UnusableModel, match="names 2 labels and its model tells 80 apart"):
        convert(rewritten(detector, relabel), tmp_path / "out")


def test_weights_of_another_architecture_are_refused(detector: Path, tmp_path: Path) -> None:
    def shrink(contents: dict[str, Any]) -> None:
        contents["model"].yaml["backbone"].pop(6)
        contents["model"].yaml["head"] = [[-1, 1, "Conv", [64, 3, 2]], [[-1], 1, "Detect", ["nc"]]]

    with pytest.raises(UnusableModel, match=r"cannot be built|another architecture"):
        convert(rewritten(detector, shrink), tmp_path / "out")


def _plain(path: Path) -> None:
    torch.save({"state": torch.zeros(3)}, path)


def _foreign(path: Path) -> None:
    torch.save({"model": torch.nn.Linear(2, 2)}, path)


def _text(path: Path) -> None:
    path.write_text("not a checkpoint")


@pytest.mark.parametrize(
    ("write", "words"),
    [(_plain, "no family"), (_foreign, "no family.*Linear"), (_text, "no PyTorch checkpoint")],
)
def test_what_is_no_known_checkpoint_is_told_what_it_is(
    tmp_path: Path, write: Callable[[Path], None], words: str
) -> None:
    write(tmp_path / "m.pt")
    with pytest.raises(UnusableModel, match=words) as caught:
        convert(tmp_path / "m.pt", tmp_path / "out")
    assert "m.pt" in caught.value.message


def test_a_checkpoint_that_is_cut_short_says_so(detector: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="cut short"):
        convert(cut(detector, tmp_path / "half.pt"), tmp_path / "out")
