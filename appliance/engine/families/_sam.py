"""How a pair of encoder and decoder of the SAM families is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from appliance.engine.decoders._base import Graph, Tensor
from appliance.engine.segmenters._base import Weights, segmenters
from appliance.engine.segmenters._sam import SIDE, check_answer
from appliance.errors import UnusableModel
from appliance.records import ModelInfo

__all__ = ["SamFamily"]

_PROMPT = {"point_coords": 3, "point_labels": 2, "mask_input": 4, "has_mask_input": 1}
"""Inputs of a decoder beside the features, with their numbers of axes."""

_SIZE = "orig_im_size"
Shape = tuple[int | None, ...]


class SamFamily:
    """A family of the two graphs.

    Args:
        name: The family.
        title: What people call a model that does not say its own title.
        features: Shapes of what the encoder hands to the decoder, as other exports have them; ours have the
            places of each in a row, channels last.
    """

    roles = ("decoder", "encoder")

    def __init__(self, name: str, title: str, features: list[Shape]) -> None:
        self.name = name
        self.expects = (
            f"an encoder of a picture [1, 3, {SIDE}, {SIDE}] to features {_listed(features)}, and a decoder of these "
            f"with {', '.join(_PROMPT)}"
        )
        self._title = title
        self._features = features

    def recognize(self, graphs: Mapping[str, Graph]) -> ModelInfo | str:
        encoder, decoder = graphs["encoder"], graphs["decoder"]
        if [_fixed(one) for one in encoder.inputs] != [(1, 3, SIDE, SIDE)]:
            return f"the encoder takes {_shown(encoder.inputs)}"
        wanted = [one for one in decoder.inputs if one.name not in _PROMPT and one.name != _SIZE]
        if len(wanted) != len(self._features):
            return f"the decoder takes {_shown(wanted)} beside the prompt"
        paired = {}
        for shape in map(_by_place, self._features) if all(len(one.shape) == 3 for one in wanted) else self._features:
            inside = [one for one in wanted if one.name not in paired and _fits(one.shape, shape)]
            outside = [one for one in encoder.outputs if _fits(one.shape, shape) and one.name not in paired.values()]
            if not inside or not outside:
                side, shown = ("encoder", encoder.outputs) if inside else ("decoder", wanted)
                return f"the {side} has no {_listed([shape])} among {_shown(shown)}"
            paired[inside[0].name] = outside[0].name
        return ModelInfo(
            family=self.name,
            task="prompt",
            labels=[],
            input_size=(SIDE, SIDE),
            details={
                "title": _title(encoder, decoder) or self._title,
                "image": encoder.inputs[0].name,
                "features": paired,
                **_answers(decoder),
            },
        )

    def first_run(self, files: Mapping[str, Path], info: ModelInfo) -> None:
        session = segmenters()[self.name].open(Weights(files, info))
        try:
            check_answer(session, files["decoder"].name)
        finally:
            session.close()


def _answers(decoder: Graph) -> dict[str, object]:
    """Return where the logits are and whether the decoder wants the size of the picture.

    Raises:
        UnusableModel: The decoder is none of a SAM.
    """
    given = {one.name: one for one in decoder.inputs}
    lacking = [name for name, axes in _PROMPT.items() if name not in given or len(given[name].shape) != axes]
    sized = _SIZE in given
    logits = "low_res_masks" if sized else "masks"
    lacking += [name for name in (logits, "iou_predictions") if name not in {one.name for one in decoder.outputs}]
    if lacking:
        raise UnusableModel(f"the decoder has no {', no '.join(lacking)}: export it as Segment Anything's own script")
    return {"logits": logits, "sized": sized}


def _title(encoder: Graph, decoder: Graph) -> str | None:
    """Return what both graphs say they are.

    Raises:
        UnusableModel: They say they are of different models.
    """
    first, second = encoder.metadata.get("title"), decoder.metadata.get("title")
    if first and second and first != second:
        raise UnusableModel(f"the encoder is of {first[:60]}, the decoder of {second[:60]}: send a pair")
    said = first or second
    return said[:60] if said else None


def _by_place(shape: Shape) -> Shape:
    batch, channels, *sides = shape
    return batch, math.prod(side or 1 for side in sides), channels


def _fixed(tensor: Tensor) -> Shape:
    """Return the shape with a batch of one where any will do."""
    return (tensor.shape[0] or 1, *tensor.shape[1:]) if tensor.shape else ()


def _fits(shape: Shape, wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(a is None or a == b for a, b in zip(shape, wanted, strict=True))


def _listed(shapes: list[Shape]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes)


def _shown(tensors: list[Tensor]) -> str:
    return (
        "; ".join(f"{t.name} {[a if a is not None else '?' for a in t.shape]}" for t in tensors[:8])[:400] or "none"
    )
