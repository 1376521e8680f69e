"""JPEGs of 640×480 and about 50 kB, all different, made of the shared photographs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np

from tests._shared import ROOT
from tests.bench._base import Options

__all__ = ["archive", "model_path", "pictures"]

_PHOTOGRAPHS = ROOT.parent / "shared" / "data" / "coco128" / "images"
_DETECTOR = ROOT.parent / "shared" / "models" / "yolov8n.onnx"
_SIZE = (640, 480)
_BYTES = 50_000


def pictures(options: Options, count: int) -> list[Path]:
    """Return `count` different JPEGs; made once in a run.

    Each is one of the shared photographs, resized and shifted a little; without them, drawn scenes.
    """
    made: list[Path] = options.kept.setdefault("pictures", [])
    if len(made) < count:
        sources, qualities = _sources(), {}
        folder = made[0].parent if made else options.fresh("pictures")
        for number in range(len(made), count):
            index, turn = number % len(sources), number // len(sources)
            pixels = np.roll(sources[index], (13 * turn, 29 * turn), axis=(0, 1))
            if index not in qualities:
                qualities[index] = _quality(pixels)
            path = folder / f"{number:05d}.jpg"
            path.write_bytes(_jpeg(pixels, qualities[index]))
            made.append(path)
    return made[:count]


def archive(options: Options, count: int) -> Path:
    """Return a zip of the first `count` pictures."""
    path = options.folder / f"pictures-{count}.zip"
    if not path.exists():
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
            for picture in pictures(options, count):
                packed.write(picture, picture.name)
    return path


def model_path() -> Path:
    """Return the shared detector, or the demo's where there is none."""
    from appliance.demo import content

    return _DETECTOR if _DETECTOR.exists() else content.model_path()


def _sources() -> list[np.ndarray]:
    """Return ``(480, 640, 3)`` uint8 BGR pictures."""
    if _PHOTOGRAPHS.exists():
        read = (cv2.imread(str(path)) for path in sorted(_PHOTOGRAPHS.glob("*.jpg")))
        return [cv2.resize(pixels, _SIZE, interpolation=cv2.INTER_AREA) for pixels in read if pixels is not None]
    from appliance.demo.content import DEMO_SEEDS
    from appliance.demo.scene import render

    drawn = (np.asarray(render(seed).pixels) for seed in DEMO_SEEDS)
    return [cv2.resize(pixels[:, :, ::-1], _SIZE, interpolation=cv2.INTER_AREA) for pixels in drawn]


def _quality(pixels: np.ndarray) -> int:
    """Return the JPEG quality at which the picture has about 50 kB."""
    low, high = 20, 98
    while low < high:
        middle = (low + high) // 2
        if len(_jpeg(pixels, middle)) < _BYTES:
            low = middle + 1
        else:
            high = middle
    return low


def _jpeg(pixels: np.ndarray, quality: int) -> bytes:
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
