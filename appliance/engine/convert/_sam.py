"""Checkpoints of the SAM families: what is in them, and how alike their graphs answer.

Torch is there only where converters run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.engine.inspect import inspect_files
from appliance.engine.segmenters._base import Prompt, Weights, segmenters
from appliance.engine.segmenters._sam import SIDE
from appliance.errors import UnusableModel
from appliance.imaging.decode import decode_bgr
from appliance.records import Parity

__all__ = ["compared", "loaded", "state_of"]

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
