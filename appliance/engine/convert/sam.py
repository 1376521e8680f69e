"""MobileSAM checkpoints as their authors publish them: to an encoder and a decoder in ONNX."""

from __future__ import annotations

from pathlib import Path

from appliance.engine.convert._base import Checkpoint, Converted, Tell
from appliance.engine.convert._sam import compared, loaded, state_of
from appliance.engine.convert._sam_graphs import export

__all__ = ["CONVERTER"]

_MARK = "image_encoder.patch_embed.seq.0.c.weight"
"""The first layer of the encoder that MobileSAM alone has."""


class Sam:
    """The converter; it has no state."""

    name = "sam"
    title = "MobileSAM (.pt)"
    roles = ("decoder", "encoder")

    def recognize(self, checkpoint: Checkpoint) -> str | None:
        state = state_of(checkpoint.contents)
        if state is None or "mask_decoder.iou_token.weight" not in state:
            return "it holds no tensors of a Segment Anything model"
        return None if _MARK in state else "its encoder is not MobileSAM's"

    def convert(self, checkpoint: Checkpoint, folder: Path, tell: Tell) -> Converted:
        from ultralytics.models.sam.build import build_mobile_sam
        from ultralytics.models.sam.predict import Predictor

        tell("building the model")
        model = loaded(build_mobile_sam(), state_of(checkpoint.contents) or {}, ("",), checkpoint.name)
        tell("exporting to ONNX")
        files = export(model, folder, title="MobileSAM", high_resolution=False)
        tell("comparing with the checkpoint")
        parity = compared(Predictor, model, files, self.name)
        return Converted(files, parity, {}, {}, {"architecture": "MobileSAM"})


CONVERTER = Sam()
