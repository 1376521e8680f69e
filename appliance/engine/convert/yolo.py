"""YOLOv8, YOLO11 and YOLO26 checkpoints of ultralytics: to ONNX that takes any size of picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from appliance.engine.convert import _checkpoint, _rebuild
from appliance.engine.convert._base import Checkpoint, Converted, Tell
from appliance.errors import UnusableModel

__all__ = ["CONVERTER"]

_FIGURES = {
    "metrics/mAP50(B)": "map50",
    "metrics/mAP50-95(B)": "map50_95",
    "metrics/precision(B)": "precision",
    "metrics/recall(B)": "recall",
    "metrics/mAP50(M)": "mask_map50",
    "metrics/mAP50-95(M)": "mask_map50_95",
    "metrics/mAP50(P)": "pose_map50",
    "metrics/mAP50-95(P)": "pose_map50_95",
    "metrics/accuracy_top1": "top1",
    "metrics/accuracy_top5": "top5",
}
_KEPT = ("epochs", "batch", "imgsz", "lr0", "optimizer", "seed", "pretrained", "patience", "freeze")
_SIDES_PX = {"classify": 224}
_DEFAULT_SIDE_PX = 640


class Yolo:
    """The converter; it has no state."""

    name = "yolo"
    title = "YOLOv8, YOLO11 and YOLO26 of ultralytics (.pt)"
    roles = ("weights",)

    def recognize(self, checkpoint: Checkpoint) -> str | None:
        model = _rebuild.model_of(checkpoint)
        if model is None:
            return "it holds no model of ultralytics"
        called = model.called if isinstance(model, _checkpoint.Shell) else _called(type(model))
        if called not in _rebuild.TASKS:
            known = ", ".join(_rebuild.TASKS.values())
            return f"its model is a {called.rpartition('.')[2] or type(model).__name__}, known are those for {known}"
        return None

    def convert(self, checkpoint: Checkpoint, folder: Path, tell: Tell) -> Converted:
        from ultralytics import YOLO, settings

        settings.update({"sync": False})
        tell("building the model")
        yolo = YOLO(self._source(checkpoint, folder))
        side = _side(yolo)
        tell("exporting to ONNX")
        try:
            made = Path(yolo.export(format="onnx", imgsz=side, dynamic=True, simplify=False, device="cpu"))
        except (RuntimeError, ValueError, TypeError, KeyError) as error:
            raise UnusableModel(f"ultralytics cannot export it: {str(error).strip()[:300]}") from error
        tell("comparing with the checkpoint")
        from appliance.engine.convert._parity import compare

        parity = compare(YOLO(self._source(checkpoint, folder)), made, _sample_pictures())
        contents = checkpoint.contents
        return Converted(
            files={"weights": made},
            parity=parity,
            metrics=_metrics(contents.get("train_metrics")),
            parameters=_parameters(contents.get("train_args")),
            facts=_facts(contents, yolo),
        )

    def _source(self, checkpoint: Checkpoint, folder: Path) -> Path:
        """Return a checkpoint that ultralytics may read: its own classes, made anew here."""
        import torch

        path = folder / "model.pt"
        if not path.exists():
            if checkpoint.trusted:
                path.symlink_to(checkpoint.path)
            else:
                model = _rebuild.rebuilt(checkpoint)
                arguments = {**model.args, "task": model.task}
                torch.save({"model": model, "train_args": arguments, "epoch": -1}, path)
        return path


def _called(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _side(yolo: Any) -> int:
    """Return the size it was trained at, in pixels, as a multiple of what the model can take."""
    said = getattr(yolo.model, "args", {}).get("imgsz")
    side = (
        said if isinstance(said, int) and not isinstance(said, bool) else _SIDES_PX.get(yolo.task, _DEFAULT_SIDE_PX)
    )
    step = 32 if yolo.task == "classify" else int(max(yolo.model.stride))
    return min(max(math.ceil(side / step) * step, step), 4096)


def _sample_pictures() -> list[Path]:
    """Return the photographs that the library itself brings."""
    from ultralytics.utils import ASSETS

    pictures = sorted(Path(ASSETS).glob("*.jpg"))
    if not pictures:
        raise UnusableModel("the installed ultralytics has no sample pictures to compare on: install it anew")
    return pictures


def _metrics(said: Any) -> dict[str, float]:
    if not isinstance(said, dict):
        return {}
    known = {_FIGURES[key]: said[key] for key in _FIGURES if isinstance(said.get(key), (int, float))}
    return {name: round(float(value), 5) for name, value in known.items() if math.isfinite(value)}


def _parameters(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        return {}
    return {key: said[key] for key in _KEPT if isinstance(said.get(key), (int, float, str, bool))}


def _facts(contents: dict[str, Any], yolo: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"architecture": str(yolo.model.yaml.get("yaml_file", ""))[:100]}
    for key in ("epoch", "date", "version", "license"):
        value = contents.get(key)
        if isinstance(value, (int, str)) and value not in ("", -1):
            facts[f"checkpoint_{key}"] = value if isinstance(value, int) else value[:200]
    return {key: value for key, value in facts.items() if value != ""}


CONVERTER = Yolo()
