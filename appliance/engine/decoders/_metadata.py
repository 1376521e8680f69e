"""What an ultralytics export says of itself: its metadata and the shapes of its graph.

Source: https://docs.ultralytics.com/integrations/onnx/ and the metadata that
`ultralytics.engine.exporter` writes (names, imgsz, stride, task, batch, end2end, args).
"""

from __future__ import annotations

import ast
from typing import Any, cast

from appliance.engine.decoders._base import Graph, Tensor
from appliance.errors import UnusableModel
from appliance.records import ModelInfo, ModelTask

__all__ = ["EXPECTS", "more_values", "recognize"]

EXPECTS = (
    "a YOLOv8, YOLO11 or YOLO26 export: one input [batch, 3, height, width] and an output "
    "[batch, 4 + labels, anchors], end to end [batch, 300, 6], or, of a classifier, [batch, labels], "
    "with the labels in the metadata"
)
MAX_LITERAL_CHARS = 200_000
MAX_LABELS = 10_000
MAX_KEYPOINTS = 1_000
MAX_SIDE_PX = 4096
DEFAULT_SIDE_PX = 640
_STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))
_TASKS = ("detect", "segment", "pose", "obb", "classify")
_WAY_OUT = "export it again with `yolo export model=… format=onnx`"


def recognize(graph: Graph) -> ModelInfo | str:
    """Return the facts of a YOLO export, or what about the graph is not of this family.

    Raises:
        UnusableModel: A YOLO export without labels, for another task, or whose shapes and
            labels contradict each other.
    """
    image, head = _image_input(graph), graph.outputs[0] if graph.outputs else None
    classifies = graph.metadata.get("task") == "classify"
    if image is None or head is None or len(head.shape) != (2 if classifies else 3):
        return "its inputs and outputs have other shapes"
    if not classifies and _anchors_last(head, image) is False and "names" not in graph.metadata:
        return "its output lists one row per anchor, as YOLOv5 and YOLOX do, and the file has no metadata"
    labels = _labels(graph)
    task, details = _task(graph)
    end_to_end = not classifies and _is_end_to_end(graph)
    info = ModelInfo(
        family="yolo",
        task=task,
        labels=labels,
        input_size=_input_size(graph, image),
        dynamic=image.shape[2] is None or image.shape[3] is None,
        batch=image.shape[0],
        end_to_end=end_to_end,
        stride=_stride(graph),
        details=graph.facts | {"input_kind": image.kind} | details,
    )
    _check_head(head, info)
    return info


def more_values(info: ModelInfo) -> int:
    """Return how many values an object has besides box and scores."""
    points, values = info.details.get("keypoint_shape", (0, 0))
    return {"segment": info.details.get("mask_weights", 3), "pose": points * values, "obb": 1}.get(info.task, 0)


def _image_input(graph: Graph) -> Tensor | None:
    """Return the only input if it is a batch of RGB pictures."""
    if len(graph.inputs) != 1:
        return None
    image = graph.inputs[0]
    fits = len(image.shape) == 4 and image.shape[1] == 3 and image.kind in ("float32", "float16")
    return image if fits else None


def _anchors_last(head: Tensor, image: Tensor) -> bool | None:
    """Say whether the last axis counts the anchors of a grid; None when the file does not tell."""
    _, _, height, width = image.shape
    if height is None or width is None or head.shape[1] is None or head.shape[2] is None:
        return None
    counts = {sum((height // s) * (width // s) for s in strides) for strides in _STRIDES}
    if head.shape[2] in counts:
        return True
    return False if head.shape[1] in counts else None


def _task(graph: Graph) -> tuple[ModelTask, dict[str, Any]]:
    """Return the task and what belongs to it; a file that does not say is told by its outputs."""
    masks = _mask_weights(graph)
    said = graph.metadata.get("task", "segment" if masks else "detect")
    if said not in _TASKS:
        raise UnusableModel(f"this is a YOLO model for the task {said[:40]!r}, none of {', '.join(_TASKS)}")
    task = cast(ModelTask, said)
    if task == "segment" and not masks:
        raise UnusableModel(f"a segment model without an output of mask prototypes; {_WAY_OUT}")
    if task == "pose":
        return task, {"keypoint_shape": _keypoint_shape(graph)}
    if task == "detect" and masks:
        task = "segment"
    return task, {"mask_weights": masks} if task == "segment" else {}


def _keypoint_shape(graph: Graph) -> list[int]:
    """Return how many keypoints there are, and whether each has 2 or 3 values."""
    shape = _literal(graph, "kpt_shape") if "kpt_shape" in graph.metadata else None
    fits = isinstance(shape, (list, tuple)) and len(shape) == 2 and all(isinstance(v, int) for v in shape)
    if not fits or not (1 <= shape[0] <= MAX_KEYPOINTS and shape[1] in (2, 3)):
        raise UnusableModel(f"the metadata's `kpt_shape` must be points and 2 or 3 values, not {shape!r}; {_WAY_OUT}")
    return list(shape)


def _labels(graph: Graph) -> list[str]:
    """Return the labels by class index, from a literal such as ``{0: 'person', 1: 'car'}``."""
    if "names" not in graph.metadata:
        raise UnusableModel(
            f"a model without labels: its metadata has no `names`. {_WAY_OUT.capitalize()}, which writes them"
        )
    names = _literal(graph, "names")
    if isinstance(names, (list, tuple)):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or set(names) != set(range(len(names))):
        raise UnusableModel(f"the metadata's `names` must number the labels 0, 1, 2 …; {_WAY_OUT}")
    if len(names) > MAX_LABELS:
        raise UnusableModel(f"the model has {len(names)} labels, at most {MAX_LABELS} are taken")
    return [str(names[index]).strip()[:200] or f"class {index}" for index in range(len(names))]


def _literal(graph: Graph, key: str) -> Any:
    """Parse one metadata value that is written as a Python literal."""
    text = graph.metadata[key]
    if len(text) > MAX_LITERAL_CHARS:
        raise UnusableModel(f"the metadata's `{key}` is {len(text)} characters long, more than {MAX_LITERAL_CHARS}")
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise UnusableModel(f"the metadata's `{key}` cannot be read: {text[:60]!r}; {_WAY_OUT}") from error


def _mask_weights(graph: Graph) -> int:
    """Return how many mask prototypes there are, 0 for a detector."""
    prototypes = [o for o in graph.outputs[1:] if len(o.shape) == 4]
    if not prototypes:
        return 0
    if prototypes[0].shape[1] is None:
        raise UnusableModel(f"the masks' output {prototypes[0].name!r} does not say its channels; {_WAY_OUT}")
    return prototypes[0].shape[1]


def _is_end_to_end(graph: Graph) -> bool:
    """Say whether the head suppresses by itself (YOLO26, or exported with ``nms=True``)."""
    arguments = _literal(graph, "args") if "args" in graph.metadata else {}
    inside = isinstance(arguments, dict) and bool(arguments.get("nms"))
    return inside or graph.metadata.get("end2end", "").strip().lower() == "true"


def _check_head(head: Tensor, info: ModelInfo) -> None:
    axis, width = 1, len(info.labels)
    if info.task != "classify":
        width = (6 if info.end_to_end else 4 + len(info.labels)) + more_values(info)
        axis = 2 if info.end_to_end else 1
    if head.shape[axis] not in (None, width):
        raise UnusableModel(
            f"the output {_shown(head)} does not fit {len(info.labels)} labels: axis {axis} should be {width}; "
            f"{_WAY_OUT}"
        )


def _input_size(graph: Graph, image: Tensor) -> tuple[int, int]:
    """Return height and width: the graph's where fixed, else those of the metadata."""
    said = _literal(graph, "imgsz") if "imgsz" in graph.metadata else DEFAULT_SIDE_PX
    pair = [said, said] if isinstance(said, int) else said
    if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(isinstance(v, int) for v in pair):
        raise UnusableModel(f"the metadata's `imgsz` must be a height and a width, not {said!r}; {_WAY_OUT}")
    height, width = image.shape[2] or pair[0], image.shape[3] or pair[1]
    stride = _stride(graph)
    if not all(0 < side <= MAX_SIDE_PX and side % stride == 0 for side in (height, width)):
        raise UnusableModel(
            f"the model's input of {height} × {width} pixels cannot be used: each side must be a multiple of "
            f"{stride}, at most {MAX_SIDE_PX}"
        )
    return height, width


def _stride(graph: Graph) -> int:
    if graph.metadata.get("task") == "classify":
        return 1
    text = graph.metadata.get("stride", "32").strip()
    if text not in ("8", "16", "32", "64", "128"):
        raise UnusableModel(f"the metadata's `stride` must be 8, 16, 32, 64 or 128, not {text[:20]!r}; {_WAY_OUT}")
    return int(text)


def _shown(tensor: Tensor) -> str:
    return f"{tensor.name} {[a if a is not None else '?' for a in tensor.shape]}"
