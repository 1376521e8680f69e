"""``data.yaml``, the description of a YOLO dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from appliance.errors import UnreadableDataset

__all__ = ["MAX_YAML_BYTES", "description_of", "pose_columns"]

MAX_YAML_BYTES = 1 << 20


def description_of(path: Path) -> dict[str, Any]:
    """Return the top level of a ``data.yaml``; every scalar stays the text it is.

    Text, so that a class called ``no`` or ``007`` keeps its name, and nothing is ever constructed.

    Raises:
        UnreadableDataset: Not YAML, not a mapping, or over a megabyte.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_YAML_BYTES + 1)
    except OSError as error:
        raise UnreadableDataset(f"{path.name}: cannot be read: {error.strerror}", file=path.name) from error
    if len(text) > MAX_YAML_BYTES:
        raise UnreadableDataset(f"{path.name}: over {MAX_YAML_BYTES >> 20} MB", file=path.name)
    try:
        facts = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UnreadableDataset(f"{path.name}{line}: not YAML: {error.problem}", file=path.name) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnreadableDataset(f"{path.name}: not YAML: {error}", file=path.name) from error
    if not isinstance(facts, dict):
        raise UnreadableDataset(f"{path.name}: not a mapping of names and folders", file=path.name)
    return facts


def pose_columns(shape: Any) -> int | None:
    """Return how many columns a row of a pose dataset has, from ``kpt_shape: [points, dimensions]``."""
    if not (isinstance(shape, list) and len(shape) == 2 and all(str(side).isdecimal() for side in shape)):
        return None
    return 5 + int(shape[0]) * int(shape[1])
