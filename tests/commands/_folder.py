"""A folder of small pictures and a small real model, for tests of the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests._onnx import dense_head, write_model
from tests._shared import ROOT

__all__ = ["command", "model", "pictures", "ran"]


def pictures(folder: Path, count: int, *, first: int = 0) -> Path:
    """Write `count` different JPEGs of different sizes, some in subfolders."""
    rng = np.random.default_rng(7)
    for number in range(first, first + count):
        height, width = 48 + number % 7 * 8, 64 + number % 5 * 16
        pixels = rng.integers(0, 255, (height, width, 3), np.uint8)
        pixels[:4, :4] = number % 251, number // 251, 77
        path = folder / (f"line {number % 3}" if number % 2 else "") / f"picture-{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pixels)
    return folder


def model(folder: Path) -> Path:
    """Write a model that finds one washer and one bolt at fixed places of its input."""
    head = dense_head([(20, 24, 16, 12, 0.9, 0), (44, 36, 12, 14, 0.6, 1)])
    return write_model(folder / "constant.onnx", [head])


def command(*arguments: str | Path) -> list[str]:
    """Return the command line that starts the program in a process of its own."""
    return [sys.executable, "-m", "appliance", *map(str, arguments)]


def ran(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    """Run the program, require its exit code, and return its last line of JSON (or its words)."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True, cwd=ROOT, timeout=240, check=False)
    assert done.returncode == code, f"exit code {done.returncode}: {done.stdout}\n{done.stderr}"
    last = done.stdout.strip().splitlines()[-1:] or ["{}"]
    try:
        answer = json.loads(last[0])
    except ValueError:
        answer = {"words": done.stdout}
    return {**answer, "stderr": done.stderr} if isinstance(answer, dict) else {"answer": answer}
