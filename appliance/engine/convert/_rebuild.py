"""An ultralytics model made anew from what its checkpoint says, with this machine's own code.

The checkpoint gives the architecture as plain values and the weights as tensors. Before the
library builds from the former, it is held to layers of the library and of torch: the library
itself would call whatever name stands there, and evaluate the activation as code.
Source: `parse_model` of ultralytics/nn/tasks.py.
"""

from __future__ import annotations

import re
from typing import Any

from appliance.engine.convert import _checkpoint
from appliance.engine.convert._base import Checkpoint
from appliance.errors import UnusableModel

__all__ = ["TASKS", "labels_of", "model_of", "rebuilt"]

TASKS = {
    "ultralytics.nn.tasks.DetectionModel": "detect",
    "ultralytics.nn.tasks.SegmentationModel": "segment",
    "ultralytics.nn.tasks.PoseModel": "pose",
    "ultralytics.nn.tasks.OBBModel": "obb",
    "ultralytics.nn.tasks.ClassificationModel": "classify",
}
_ACTIVATION = re.compile(r"(?:torch\.)?nn\.([A-Z]\w*)\(\)")
_MAX_LAYERS = 500


def model_of(checkpoint: Checkpoint) -> Any:
    """Return the model in a checkpoint of ultralytics: its average over the training where there is one."""
    contents = checkpoint.contents
    if not isinstance(contents, dict):
        return None
    return contents.get("ema") or contents.get("model")


def labels_of(model: Any) -> list[str]:
    """Return the labels by class index.

    Raises:
        UnusableModel: They are missing, or are not as many as the model tells apart.
    """
    names = getattr(model, "names", None)
    if isinstance(names, (list, tuple)):
        names = dict(enumerate(names))
    classes = (getattr(model, "yaml", None) or {}).get("nc")
    if not isinstance(names, dict) or set(names) != set(range(len(names))) or not names:
        raise UnusableModel("the checkpoint has no labels that are numbered 0, 1, 2 …")
    if len(names) != classes:
        raise UnusableModel(f"the checkpoint names {len(names)} labels and its model tells {classes} apart")
    return [str(names[index]) for index in range(len(names))]


def rebuilt(checkpoint: Checkpoint) -> Any:
    """Return the model, in float32, ready to predict.

    Raises:
        UnusableModel: Its architecture is not one of the library's, or the weights are of another.
    """
    from ultralytics.nn import tasks

    shell = model_of(checkpoint)
    kind = shell.called.rpartition(".")[2]
    plan = _plan(shell)
    labels = labels_of(shell)
    try:
        model = getattr(tasks, kind)(cfg=plan, ch=3, verbose=False)
        missing, unexpected = model.load_state_dict(_floats(shell), strict=False)
    except (RuntimeError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UnusableModel(f"its model cannot be built: {str(error).strip().splitlines()[0][:200]}") from error
    lost = [name for name in (*missing, *unexpected) if not name.endswith(("num_batches_tracked", "anchors"))]
    if lost:
        raise UnusableModel(f"its weights are of another architecture than it says: {', '.join(lost[:3])}")
    model.names = dict(enumerate(labels))
    model.task = TASKS[shell.called]
    model.args = _plain(getattr(shell, "args", {}))
    return model.eval()


def _floats(shell: Any) -> dict[str, Any]:
    return {name: value.detach().float() for name, value in _checkpoint.tensors(shell).items()}


def _plan(shell: Any) -> dict[str, Any]:
    """Return the architecture as plain values that name nothing but layers.

    Raises:
        UnusableModel: It is none.
    """
    plan = _plain(getattr(shell, "yaml", None) or {})
    layers = [*_rows(plan, "backbone"), *_rows(plan, "head")]
    if plan.get("channels", plan.get("ch", 3)) != 3:
        raise UnusableModel("it takes pictures of other than 3 channels")
    if not 0 < len(layers) <= _MAX_LAYERS:
        raise UnusableModel("it does not say its architecture")
    for layer in layers:
        if len(layer) != 4 or not isinstance(layer[2], str) or not _is_layer(layer[2]):
            raise UnusableModel(f"its architecture names {str(layer)[:60]!r}, which is no layer of ultralytics")
    activation = plan.get("activation")
    named = _ACTIVATION.fullmatch(activation) if isinstance(activation, str) else None
    if activation and not (named and _is_layer(f"nn.{named[1]}")):
        raise UnusableModel(f"its architecture names the activation {str(activation)[:60]!r}, which is none of torch")
    return plan


def _rows(plan: dict[str, Any], part: str) -> list[Any]:
    rows = plan.get(part)
    return [row if isinstance(row, list) else [] for row in rows] if isinstance(rows, list) else []


def _is_layer(name: str) -> bool:
    import torch
    from ultralytics.nn import tasks

    found = getattr(torch.nn, name[3:], None) if name.startswith("nn.") else vars(tasks).get(name)
    if not isinstance(found, type) or not issubclass(found, torch.nn.Module):
        return False
    return name != "TorchVision" and found.__module__.startswith(("torch.nn.modules", "ultralytics.nn.modules"))


def _plain(value: Any) -> Any:
    """Return a value with nothing but what JSON has in it, dictionaries by string."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else None
