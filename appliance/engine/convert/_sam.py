"""Models of the SAM families as an image encoder and a prompt decoder in ONNX.

Inputs and outputs are named as in the exports that others publish, so that those are taken too.
Source: https://github.com/facebookresearch/segment-anything (scripts/export_onnx_model.py) for the
names and the way prompts are embedded. Torch is there only where converters run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from appliance.engine.inspect import inspect_files
from appliance.engine.segmenters._base import Prompt, Weights, segmenters
from appliance.errors import UnusableModel
from appliance.imaging.decode import decode_bgr
from appliance.records import Parity

__all__ = ["SIDE", "compared", "export", "loaded", "state_of"]

SIDE = 1024
"""Pixels a side of what the encoders take."""

_OPSET = 17
_LOW_SIDE = 256
_GRID = 64
_GRID_PLACES = [(0.25, 0.25), (0.5, 0.5), (0.75, 0.25), (0.3, 0.7), (0.6, 0.8)]
_ALIKE = 0.99


def state_of(contents: Any) -> dict[str, Any] | None:
    """Return the tensors of an official checkpoint by name, or None where it holds none."""
    inside = contents.get("model", contents) if isinstance(contents, dict) else None
    if not isinstance(inside, dict) or not inside:
        return None
    tensors = {str(name): one for name, one in inside.items() if hasattr(one, "shape")}
    return tensors if len(tensors) == len(inside) else None


def loaded(model: Any, state: Mapping[str, Any], parts: tuple[str, ...], name: str) -> Any:
    """Give a model the tensors of a checkpoint and return it, ready for inference.

    Args:
        model: Of the size that the checkpoint has.
        state: The tensors by name.
        parts: Prefixes of those that are needed; of the others none has to be there, or known.
        name: The file, for messages.

    Raises:
        UnusableModel: A tensor is missing, unknown or of another shape.
    """
    own = model.state_dict()
    needed = {key for key in own if key.startswith(parts)}
    given = {key: value for key, value in state.items() if key in own or key.startswith(parts)}
    odd = sorted(needed - set(given)) or sorted(set(given) - set(own))
    odd = odd or sorted(key for key, value in given.items() if value.shape != own[key].shape)
    if odd:
        raise UnusableModel(f"{name} does not fit its kind of model: {odd[0]} is missing, unknown or odd", file=name)
    model.load_state_dict(given, strict=False)
    return model.float().eval()


def compared(predictor: Any, model: Any, files: Mapping[str, Path], family: str) -> Parity:
    """Ask the checkpoint's own predictor and the graphs the same about the library's photographs."""
    import numpy as np
    from ultralytics.utils import ASSETS

    pictures = _shown_pictures(Path(ASSETS))
    worst, matched, total = 1.0, 0, 0
    info = inspect_files(files)
    session = segmenters()[family].open(Weights(files, info))
    for picture in pictures:
        height, width = picture.shape[:2]
        source = predictor(overrides={"imgsz": SIDE, "save": False, "verbose": False, "device": "cpu"})
        source.setup_model(model, verbose=False)
        source.set_image(np.ascontiguousarray(picture[:, :, ::-1]))
        seen = session.encode(picture)
        for x, y in _GRID_PLACES:
            point = [[x * width, y * height]]
            masks, facts = source.inference_features(
                source.features, (height, width), (SIDE, SIDE), points=[point], labels=[[1]], multimask_output=True
            )
            theirs = masks[int(facts[:, 4].argmax())].cpu().numpy()
            ours = session.decode(seen, Prompt(np.array(point), np.array([True])), width, height).mask
            union = int((theirs | ours).sum())
            iou = 1.0 if union == 0 else int((theirs & ours).sum()) / union
            worst, total, matched = min(worst, iou), total + 1, matched + (iou >= _ALIKE)
    session.close()
    return Parity(
        ok=matched == total,
        pictures=len(pictures),
        expected=total,
        found=total,
        matched=matched,
        worst_iou=round(worst, 5),
        note="masks of single clicks",
    )


def _shown_pictures(folder: Path) -> list[Any]:
    """Return the library's photographs: uint8 ``[height, width, 3]``, RGB."""
    return [decode_bgr(path)[:, :, ::-1].copy() for path in sorted(folder.glob("*.jpg"))]


def export(model: Any, folder: Path, *, title: str, high_resolution: bool) -> dict[str, Path]:
    """Write the two graphs of a model and return them by role.

    Args:
        model: A SAM or SAM 2 model of ultralytics, on the CPU, for inference.
        folder: Where they go.
        title: What people call the model; kept in the graphs.
        high_resolution: It is SAM 2: the decoder also takes two finer feature maps.
    """
    import torch

    files = {"encoder": folder / "encoder.onnx", "decoder": folder / "decoder.onnx"}
    features = ["image_embed", "high_res_feats_0", "high_res_feats_1"] if high_resolution else ["image_embeddings"]
    image = torch.zeros(1, 3, SIDE, SIDE)
    prompt = {
        "point_coords": torch.full((1, 3, 2), SIDE / 2.0),
        "point_labels": torch.tensor([[1.0, 0.0, -1.0]]),
        "mask_input": torch.zeros(1, 1, _LOW_SIDE, _LOW_SIDE),
        "has_mask_input": torch.zeros(1),
    }
    with torch.no_grad(), _fixed_channels(model):
        encoder = _encoder(model, high_resolution)
        seen = encoder(image)
        torch.onnx.export(
            encoder, (image,), str(files["encoder"]), dynamo=False, opset_version=_OPSET,
            input_names=["image"], output_names=features,
        )  # fmt: skip
        torch.onnx.export(
            _decoder(model, high_resolution),
            (*(seen if high_resolution else (seen,)), *prompt.values()),
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

    class Encoder(torch.nn.Module):
        """From a normalised picture to its features, coarsest first."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, image: Any) -> Any:
            if not high_resolution:
                return self.model.image_encoder(image)
            fine, middle, coarse = self.model.forward_image(image)["backbone_fpn"][-3:]
            return coarse + self.model.no_mem_embed.reshape(1, -1, 1, 1), fine, middle

    return Encoder().eval()


def _decoder(model: Any, high_resolution: bool) -> Any:
    import torch

    class Decoder(torch.nn.Module):
        """From features and a prompt to the logits and the predicted IoU of all four masks."""

        def __init__(self) -> None:
            super().__init__()
            self.prompts = model.sam_prompt_encoder if high_resolution else model.prompt_encoder
            self.masks = model.sam_mask_decoder if high_resolution else model.mask_decoder
            self.register_buffer("places", self.prompts.get_dense_pe())

        def forward(self, *given: Any) -> Any:
            *features, coords, labels, mask, has_mask = given
            tokens = torch.cat([self._heads(), self._sparse(coords, labels)], dim=1)
            source = features[0] + self._dense(mask, has_mask)
            answered, source = self.masks.transformer(source, self.places, tokens)
            fine = self._upscaled(source.transpose(1, 2).reshape(1, -1, _GRID, _GRID), features[1:])
            first = 1 if high_resolution else 0  # SAM 2 asks first whether there is an object at all
            heads = answered[:, first + 1 : first + 1 + self.masks.num_mask_tokens]
            weights = torch.stack(
                [mlp(heads[:, n]) for n, mlp in enumerate(self.masks.output_hypernetworks_mlps)], dim=1
            )
            logits = (weights @ fine.flatten(2)).reshape(1, -1, _LOW_SIDE, _LOW_SIDE)
            return logits, self.masks.iou_prediction_head(answered[:, first])

        def _heads(self) -> Any:
            own = [self.masks.obj_score_token.weight] if high_resolution else []
            return torch.cat([*own, self.masks.iou_token.weight, self.masks.mask_tokens.weight])[None]

        def _sparse(self, coords: Any, labels: Any) -> Any:
            """Embed points; labels are 1 on and 0 beside the object, 2 and 3 corners of a box, -1 nothing."""
            labels = labels.unsqueeze(-1)
            found = self.prompts.pe_layer.forward_with_coords(coords + 0.5, (SIDE, SIDE)) * (labels != -1)
            found = found + self.prompts.not_a_point_embed.weight * (labels == -1)
            for n, embedding in enumerate(self.prompts.point_embeddings):
                found = found + embedding.weight * (labels == n)
            return found

        def _dense(self, mask: Any, has_mask: Any) -> Any:
            none = self.prompts.no_mask_embed.weight.reshape(1, -1, 1, 1)
            return has_mask * self.prompts.mask_downscaling(mask) + (1 - has_mask) * none

        def _upscaled(self, source: Any, finer: list[Any]) -> Any:
            if not high_resolution:
                return self.masks.output_upscaling(source)
            first, norm, bend, second, last = self.masks.output_upscaling
            return last(second(bend(norm(first(source) + finer[1]))) + finer[0])

    return Decoder().eval()


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
