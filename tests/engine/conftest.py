"""ultralytics without a network, photographs, and exports of real and made weights."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests._shared import shared


@pytest.fixture(scope="module")
def ultralytics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Import it with every way to the network closed: it checks for updates, fonts and packages."""

    def closed(*_: object, **__: object) -> None:
        raise OSError("tests do not use the network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOLO_OFFLINE", "true")
        patch.setenv("YOLO_AUTOINSTALL", "false")
        patch.setenv("YOLO_CONFIG_DIR", os.fspath(tmp_path_factory.mktemp("ultralytics")))
        patch.setattr(socket, "getaddrinfo", closed)
        patch.setattr(socket.socket, "connect", closed)
        import ultralytics

        yield ultralytics


@pytest.fixture(scope="module")
def photos() -> list[Path]:
    return sorted(shared("data/coco128/images").glob("*.jpg"))


@pytest.fixture(scope="module")
def export(ultralytics: Any, photos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Export a real checkpoint, or an architecture with random weights that finds something."""
    count = itertools.count()

    def make(source: str, spread: float = 0.4, **options: Any) -> Path:
        folder = tmp_path_factory.mktemp(f"export{next(count)}")
        if source.endswith(".yaml"):
            import torch

            torch.manual_seed(7)
            yolo = ultralytics.YOLO(source)
            _make_decisive(yolo.model, photos[:8], spread)
            yolo.save(folder / "model.pt")
        else:
            (folder / "model.pt").symlink_to(shared(source))
        made = ultralytics.YOLO(folder / "model.pt").export(format="onnx", imgsz=320, simplify=False, **options)
        return Path(made)

    return make


def _make_decisive(model: Any, pictures: list[Path], spread: float) -> None:
    """Let untrained normalisation see pictures, and spread the head's scores, which else are all alike."""
    import torch

    seen = [cv2.resize(cv2.imread(os.fspath(p)), (320, 320))[..., ::-1].transpose(2, 0, 1) for p in pictures]
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        model.train()(torch.tensor(np.array(seen), dtype=torch.float32) / 255)
        for name in ("cv3", "one2one_cv3"):
            for branch in getattr(model.model[-1], name, None) or ():
                branch[-1].weight.normal_(0, spread)
                branch[-1].bias.fill_(-6)
    model.eval()
