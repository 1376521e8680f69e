"""Checkpoints of the SAM families with made weights, in the form their authors publish them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from appliance.engine.convert._base import Checkpoint
from tests._onnx import labour

__all__ = ["BUILDERS", "checkpoint", "pair", "small_pair"]

BUILDERS = {
    "mobile_sam": ("sam", "build_mobile_sam"),
    "sam2.1_tiny": ("sam2", "build_sam2_t"),
    "sam2.1_small": ("sam2", "build_sam2_s"),
    "sam2.1_base+": ("sam2", "build_sam2_b"),
}


def checkpoint(folder: Path, name: str) -> Checkpoint:
    """Save a model of the real architecture with seeded weights and read it back as tensors.

    Biases and norms are made too: as they are initialised, every mask would be nothing or everything.
    """
    import torch
    from ultralytics.models.sam import build

    torch.manual_seed(7)
    model = getattr(build, BUILDERS[name][1])()
    state = model.state_dict()
    for key, value in state.items():
        if value.dtype.is_floating_point and value.ndim == 1:
            value.copy_(
                value + torch.randn_like(value).abs() * 0.05
                if "var" in key
                else value + torch.randn_like(value) * 0.05
            )
    path = folder / f"{name}.pt"
    torch.save({"model": state} if name.startswith("sam2") else state, path)
    return Checkpoint(path, path.name, torch.load(path, weights_only=True), frozenset())


def pair(folder: Path, name: str) -> dict[str, Path]:
    """Return the graphs of such a model by role."""
    from appliance.engine.convert._base import converters

    return dict(converters()[BUILDERS[name][0]].convert(checkpoint(folder, name), folder, lambda _: None).files)


def small_pair(
    folder: Path,
    *,
    title: str = "SAM of red",
    features: int = 256,
    output: str = "masks",
    work: int = 0,
    by_place: bool = False,
) -> dict[str, Path]:
    """Write a pair of the first SAM's shapes whose masks are where the picture is red, whatever the prompt.

    It is less sure by a hundredth of the largest logit of a mask before.

    Args:
        folder: Where it goes.
        title: What both graphs say they are.
        features: Channels that the decoder takes; 256 is what the encoder hands over.
        output: What the decoder calls its masks.
        work: Multiplications of large matrices that the encoder does besides, to take its time.
        by_place: The features are handed over as converters lay them out, places in a row, channels last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {"encoder": folder / "encoder.onnx", "decoder": folder / "decoder.onnx"}
    _save(_encoder(work, by_place), files["encoder"], title)
    _save(_decoder(features, output, by_place), files["decoder"], title)
    return files


def _encoder(work: int, by_place: bool) -> onnx.GraphProto:
    kernel = np.zeros((256, 3, 16, 16), np.float32)
    kernel[0, 0], kernel[0, 1:] = 1 / 256, -0.5 / 256
    nodes = [helper.make_node("Conv", ["image", "kernel"], ["seen"], strides=[16, 16])]
    nodes += [helper.make_node("ReduceMean", ["image"], ["mean"], axes=[0, 1], keepdims=0)]
    nodes += [*labour("mean", work), helper.make_node("Add", ["seen", "nothing"], ["found"])]
    nodes += [helper.make_node("Reshape", ["found", "rows"], ["row"])] if by_place else []
    nodes += [
        helper.make_node("Transpose", ["row"], ["image_embeddings"], perm=[0, 2, 1])
        if by_place
        else helper.make_node("Identity", ["found"], ["image_embeddings"])
    ]
    return helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 1024, 1024])],
        [helper.make_tensor_value_info("image_embeddings", TensorProto.FLOAT, _shape(256, by_place))],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(np.array([1, 256, -1]), "rows")],
    )


def _decoder(features: int, output: str, by_place: bool) -> onnx.GraphProto:
    shapes: dict[str, list[int | str]] = {
        "image_embeddings": _shape(features, by_place),
        "point_coords": [1, "points", 2],
        "point_labels": [1, "points"],
        "mask_input": [1, 1, 256, 256],
        "has_mask_input": [1],
    }
    nodes = [
        helper.make_node("Slice", ["image_embeddings", "zero", "first", "axis"], ["channel"]),
        helper.make_node("Reshape", ["channel", "square"], ["red"]),
        helper.make_node("Resize", ["red", "", "scales"], ["large"], mode="nearest"),
        helper.make_node("Sub", ["large", "half"], ["masked"]),
        helper.make_node("Tile", ["masked", "times"], [output]),
        helper.make_node("ReduceMax", ["mask_input"], ["before"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["before", "has_mask_input"], ["given"]),
        helper.make_node("Mul", ["given", "hundredth"], ["less"]),
        helper.make_node("Sub", ["sure", "less"], ["iou_predictions"]),
    ]  # fmt: skip
    constants = {
        "zero": np.array([0]), "first": np.array([1]), "axis": np.array([2 if by_place else 1]),
        "square": np.array([1, 1, 64, 64]),
        "scales": np.array([1, 1, 4, 4], np.float32), "half": np.float32(0.5), "hundredth": np.float32(0.01),
        "sure": np.array([[0.5, 0.6, 0.9, 0.7]], np.float32), "times": np.array([1, 4, 1, 1]),
    }  # fmt: skip
    return helper.make_graph(
        nodes,
        "decoder",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, 4, 256, 256]),
            helper.make_tensor_value_info("iou_predictions", TensorProto.FLOAT, [1, 4]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )


def _shape(channels: int, by_place: bool) -> list[int | str]:
    return [1, 64 * 64, channels] if by_place else [1, channels, 64, 64]


def _save(graph: onnx.GraphProto, path: Path, title: str) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"title": title})
    onnx.save(model, str(path))
