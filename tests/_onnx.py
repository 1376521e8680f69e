"""Small real ONNX files for tests: graphs that answer with given tensors, whatever the picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["NAMES", "constant_model", "dense_head", "labour", "write_model"]

NAMES = "{0: 'washer', 1: 'bolt'}"


def dense_head(objects: Sequence[tuple[float, ...]], labels: int = 2, anchors: int = 84) -> np.ndarray:
    """Return ``[1, 4 + labels, anchors]`` with objects of ``cx, cy, w, h, score, index``."""
    head = np.zeros((1, 4 + labels, anchors), np.float32)
    for anchor, (cx, cy, w, h, score, index) in enumerate(objects):
        head[0, :4, anchor] = cx, cy, w, h
        head[0, 4 + int(index), anchor] = score
    return head


def constant_model(
    outputs: Sequence[np.ndarray],
    *,
    input_shape: Sequence[int | str] = (1, 3, 64, 64),
    metadata: dict[str, str] | None = None,
    half: bool = False,
    work: int = 0,
) -> onnx.ModelProto:
    """Return a model whose outputs are the given ones (first axis 1), repeated over the batch.

    Axes of `input_shape` given by name are dynamic; those of the outputs follow the batch's. With `work`
    it multiplies matrices of 512 x 512 that often before it answers, to take its time.
    """
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    nodes = [helper.make_node("Shape", ["images"], ["size"], start=0, end=1)]
    initializers = []
    count = "size"
    if work:
        nodes += [
            helper.make_node("ReduceMean", ["images"], ["mean"], axes=[0, 1], keepdims=0),
            helper.make_node("Tile", ["mean", "eightfold"], ["square"]),
            *labour("square", work),
            helper.make_node("Cast", ["nothing"], ["none"], to=TensorProto.INT64),
            helper.make_node("Add", ["size", "none"], [count := "count"]),
        ]
        initializers.append(numpy_helper.from_array(np.array([8, 8]), "eightfold"))
    described = []
    for index, value in enumerate(outputs):
        typed = value.astype(np.float16 if half else np.float32)
        initializers.append(numpy_helper.from_array(typed, f"value{index}"))
        initializers.append(numpy_helper.from_array(np.ones(value.ndim - 1, np.int64), f"once{index}"))
        nodes.append(helper.make_node("Concat", [count, f"once{index}"], [f"times{index}"], axis=0))
        nodes.append(helper.make_node("Tile", [f"value{index}", f"times{index}"], [f"output{index}"]))
        described.append(helper.make_tensor_value_info(f"output{index}", kind, [input_shape[0], *value.shape[1:]]))
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("images", kind, list(input_shape))],
        described,
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    said: dict[str, Any] = {"names": NAMES, "task": "detect", "stride": "32", "imgsz": "[64, 64]"}
    helper.set_model_props(model, said if metadata is None else metadata)
    return model


def labour(square: str, work: int) -> list[onnx.NodeProto]:
    """Return nodes that multiply a square matrix by itself so many times, and give 0 as `nothing`."""
    nodes, last = [], square
    for n in range(work):
        nodes.append(helper.make_node("MatMul", [last, square], [f"product{n}"]))
        nodes.append(helper.make_node("Tanh", [f"product{n}"], [last := f"bent{n}"]))
    nodes.append(helper.make_node("ReduceMean", [last], ["one"], keepdims=0))
    nodes.append(helper.make_node("Constant", [], ["none_of_it"], value_float=0.0))
    nodes.append(helper.make_node("Mul", ["one", "none_of_it"], ["nothing"]))
    return nodes


def write_model(path: Path, *arguments: Any, **keywords: Any) -> Path:
    """Write a `constant_model` and return its path."""
    path.write_bytes(constant_model(*arguments, **keywords).SerializeToString())
    return path
