"""What the demo shows: its labels, its pictures and its model."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

__all__ = [
    "DEMO_LABELS", "DEMO_SEEDS", "TEST_SEEDS", "VALIDATION_SEEDS",
    "model_path", "training_seeds",
]  # fmt: skip

# Name and colour, in the order of the model's class indices.
DEMO_LABELS = (
    ("bolt", "#FFE600"),
    ("nut", "#88AAFF"),
    ("screw", "#FF66AA"),
    ("spring", "#AAE6AA"),
    ("washer", "#CC2222"),
)
# The demo shows the first, accuracy is stated on the second; training sees neither.
DEMO_SEEDS = tuple(range(1, 49))
TEST_SEEDS = tuple(range(3_000, 3_040))
VALIDATION_SEEDS = tuple(range(2_000, 2_032))


def training_seeds(count: int) -> range:
    """Return the seeds of the training pictures."""
    return range(1_000_000, 1_000_000 + count)


def model_path() -> Path:
    """Return where the demo's model lies; the facts about it lie beside it as ``.json``."""
    return Path(str(importlib.resources.files("appliance.demo").joinpath("fasteners.onnx")))
