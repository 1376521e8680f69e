"""SAM 2 and 2.1 checkpoints as their authors publish them: to an encoder and a decoder in ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.engine.convert._base import Checkpoint, Converted, Tell
from appliance.engine.convert._sam import compared, loaded, state_of
from appliance.engine.convert._sam_graphs import export
from appliance.errors import UnusableModel

__all__ = ["CONVERTER"]

_WIDTH = "image_encoder.trunk.patch_embed.proj.weight"
_SIZES = {
    (96, 12): ("tiny", "build_sam2_t"),
    (96, 16): ("small", "build_sam2_s"),
    (112, 24): ("base+", "build_sam2_b"),
    (144, 48): ("large", "build_sam2_l"),
}
"""Channels of the first layer and number of blocks → size. Source: the configurations of SAM 2."""

_PICTURE_PARTS = ("image_encoder.", "sam_prompt_encoder.", "sam_mask_decoder.", "no_mem_embed")
"""What answers prompts about a picture; the rest remembers the frames of a video."""


class Sam2:
    """The converter; it has no state."""

    name = "sam2"
    title = "SAM 2 and SAM 2.1 (.pt): tiny, small, base+, large"
    roles = ("decoder", "encoder")

    def recognize(self, checkpoint: Checkpoint) -> str | None:
        state = state_of(checkpoint.contents)
        if state is None or _WIDTH not in state:
            return "it holds no tensors of a SAM 2 model"
        return None if _size(state) in _SIZES else "its encoder has a size that SAM 2 does not come in"

    def convert(self, checkpoint: Checkpoint, folder: Path, tell: Tell) -> Converted:
        from ultralytics.models.sam import build
        from ultralytics.models.sam.predict import SAM2Predictor

        state = state_of(checkpoint.contents) or {}
        if _size(state) not in _SIZES:
            raise UnusableModel("its encoder has a size that SAM 2 does not come in", file=checkpoint.name)
        size, builder = _SIZES[_size(state)]
        title = f"SAM 2{'.1' if 'no_obj_embed_spatial' in state else ''} {size}"
        tell("building the model")
        model = loaded(getattr(build, builder)(), state, _PICTURE_PARTS, checkpoint.name)
        tell("exporting to ONNX")
        files = export(model, folder, title=title, high_resolution=True)
        tell("comparing with the checkpoint")
        parity = compared(SAM2Predictor, model, files, self.name)
        return Converted(files, parity, {}, {}, {"architecture": title})


def _size(state: Mapping[str, Any]) -> tuple[int, int]:
    blocks = {name.split(".")[3] for name in state if name.startswith("image_encoder.trunk.blocks.")}
    return int(state[_WIDTH].shape[0]), len(blocks)


CONVERTER = Sam2()
