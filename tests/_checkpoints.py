"""Small checkpoints for tests: architectures of ultralytics with random weights, and hostile files."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

__all__ = ["Evil", "cut", "rewritten", "write_checkpoint"]


class Evil:
    """Pickled, it runs a command when it is read the usual way."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (self.command,)


def write_checkpoint(ultralytics: Any, source: str, path: Path, side: int = 64) -> Path:
    """Write an architecture (``yolov8n.yaml``) with random weights as ultralytics saves it."""
    import torch

    torch.manual_seed(7)
    yolo = ultralytics.YOLO(source)
    yolo.model.args = {**dict(yolo.model.args), "imgsz": side}
    torch.save({"model": yolo.model, "train_args": {"imgsz": side, "epochs": 3}, "train_metrics": _METRICS}, path)
    return path


_METRICS = {"metrics/mAP50(B)": 0.5, "metrics/mAP50-95(B)": 0.25, "fitness": 0.3}


def rewritten(path: Path, change: Any) -> Path:
    """Read a checkpoint, let `change` alter what it holds, and write it beside."""
    import torch

    contents = torch.load(path, weights_only=False)
    change(contents)
    made = path.with_name(f"{path.stem}-changed.pt")
    torch.save(contents, made)
    return made


def cut(path: Path, target: Path) -> Path:
    """Write the first two thirds of a file."""
    content = path.read_bytes()
    target.write_bytes(content[: len(content) * 2 // 3])
    assert not zipfile.is_zipfile(target)
    return target
