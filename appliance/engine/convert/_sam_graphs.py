"""The two graphs of a SAM model in ONNX.

Their inputs and outputs are named as in the exports that others publish; their features lie by place.
Source: https://github.com/facebookresearch/segment-anything (scripts/export_onnx_model.py) for the
names and the way prompts are embedded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.engine.segmenters._sam import SIDE

__all__ = ["export"]

_OPSET = 17
_LOW_SIDE = 256


def export(model: Any, folder: Path, *, title: str, high_resolution: bool) -> dict[str, Path]:
    """Write the two graphs of a model and return them by role.

    Args:
        model: A SAM or SAM 2 model of ultralytics, on the CPU, for inference.
        folder: Where they go.
        title: What people call the model; kept in the graphs.
        high_resolution: It is SAM 2: the decoder also takes two finer feature maps.
    """
    import torch

    from appliance.engine.convert._sam_decoder import Decoder
    from appliance.engine.convert._sam_windows import merged_windows

    files = {"encoder": folder / "encoder.onnx", "decoder": folder / "decoder.onnx"}
    features = ["image_embed", "high_res_feats_0", "high_res_feats_1"] if high_resolution else ["image_embeddings"]
    image = torch.zeros(1, 3, SIDE, SIDE)
    prompt = {
        "point_coords": torch.full((1, 3, 2), SIDE / 2.0),
        "point_labels": torch.tensor([[1.0, 0.0, -1.0]]),
        "mask_input": torch.zeros(1, 1, _LOW_SIDE, _LOW_SIDE),
        "has_mask_input": torch.zeros(1),
    }
    with torch.no_grad(), _fixed_channels(model), merged_windows(model):
        encoder = _encoder(model, high_resolution)
        prompts = model.sam_prompt_encoder if high_resolution else model.prompt_encoder
        masks = model.sam_mask_decoder if high_resolution else model.mask_decoder
        torch.onnx.export(
            encoder, (image,), str(files["encoder"]), dynamo=False, opset_version=_OPSET,
            input_names=["image"], output_names=features,
        )  # fmt: skip
        torch.onnx.export(
            Decoder(prompts, masks, second=high_resolution).eval(),
            (*encoder(image), *prompt.values()),
            str(files["decoder"]),
            dynamo=False,
            opset_version=_OPSET,
            input_names=[*features, *prompt],
            output_names=["masks", "iou_predictions"],
            dynamic_axes={"point_coords": {1: "points"}, "point_labels": {1: "points"}},
        )
    for path in files.values():
        _say(path, title)
    return files


def _encoder(model: Any, high_resolution: bool) -> Any:
    import torch

    from appliance.engine.convert._sam_decoder import by_place

    class Encoder(torch.nn.Module):
        """From a normalised picture to its features by place: the coarse ones, then the finest first."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, image: Any) -> tuple[Any, ...]:
            if not high_resolution:
                return (by_place(self.model.image_encoder(image), 0),)
            fine, middle, coarse = self.model.forward_image(image)["backbone_fpn"][-3:]
            remembered = self.model.no_mem_embed.reshape(1, 1, -1)
            return by_place(coarse, 0) + remembered, by_place(fine, 2), by_place(middle, 1)

    return Encoder().eval()


@contextlib.contextmanager
def _fixed_channels(model: Any) -> Iterator[None]:
    """Let layer norms take their number of channels from their weights: a shape that is traced has none."""
    import torch
    from ultralytics.nn.modules.transformer import LayerNorm2d

    def forward(self: Any, x: Any) -> Any:
        size = (len(self.weight),)
        moved = torch.nn.functional.layer_norm(x.permute(0, 2, 3, 1), size, self.weight, self.bias, self.eps)
        return moved.permute(0, 3, 1, 2)

    norms = [one for one in model.modules() if isinstance(one, LayerNorm2d)]
    for one in norms:
        one.forward = forward.__get__(one)
    try:
        yield
    finally:
        for one in norms:
            del one.forward


def _say(path: Path, title: str) -> None:
    """Keep in the graph what people call the model."""
    import onnx

    graph = onnx.load(str(path))
    graph.metadata_props.add(key="title", value=title)
    onnx.save(graph, str(path))
