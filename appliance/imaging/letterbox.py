"""Fit a picture into a model's input, and take boxes back out of it.

Bit for bit what ultralytics does, because scores depend on it: linear resize with OpenCV, grey
114 around, the odd pixel of padding on the far side.
Source: behaviour of ultralytics 8.4, `data.augment.LetterBox` and `utils.ops.scale_boxes`, checked
in the tests against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ["GREY", "Letterboxed", "letterbox", "unletterbox"]

GREY = 114


@dataclass(frozen=True)
class Letterboxed:
    """A picture inside a model's input.

    Attributes:
        pixels: ``(H, W, 3)`` uint8, same channel order as what went in.
        original: ``(height, width)`` of what went in.
        ratio: Input pixels per canonical pixel, ``(x, y)``: the resized side over the original one.
        pad: Padding at the left and the top in input pixels, ``(x, y)``.
    """

    pixels: np.ndarray
    original: tuple[int, int]
    ratio: tuple[float, float]
    pad: tuple[int, int]


def letterbox(
    pixels: np.ndarray, size: tuple[int, int], *, auto: bool = False, stride: int = 32, scale_up: bool = True
) -> Letterboxed:
    """Resize with the aspect ratio kept and pad to the model's input.

    Args:
        pixels: ``(H, W, 3)`` uint8.
        size: ``(height, width)`` of the input.
        auto: Pad only up to the next multiple of `stride` (for dynamic models).
        stride: The model's stride in pixels.
        scale_up: Small pictures are enlarged too.
    """
    height, width = pixels.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    if not scale_up:
        scale = min(scale, 1.0)
    new_width, new_height = max(round(width * scale), 1), max(round(height * scale), 1)
    pad_width, pad_height = size[1] - new_width, size[0] - new_height
    if auto:
        pad_width, pad_height = pad_width % stride, pad_height % stride
    left, right = _halves(pad_width)
    top, bottom = _halves(pad_height)
    if (new_width, new_height) != (width, height):
        pixels = cv2.resize(pixels, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    framed = cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(GREY,) * 3)
    return Letterboxed(framed, (height, width), (new_width / width, new_height / height), (left, top))


def _halves(pad: int) -> tuple[int, int]:
    """Split padding in two; the ±0.1 gives an odd pixel to the far side."""
    half = pad / 2
    return round(half - 0.1), round(half + 0.1)


def unletterbox(boxes: np.ndarray, boxed: Letterboxed) -> np.ndarray:
    """Take boxes from the model's input back to canonical pixels, clipped to the picture.

    As ultralytics, but for one case: it guesses the resized sides from the padded ones and misses
    them by a pixel where rounding meets a side that needs no padding; here they are known.

    Args:
        boxes: ``(N, 4)`` xyxy in input pixels.
        boxed: What `letterbox` returned for the picture.

    Returns:
        ``(N, 4)`` in the dtype of `boxes` if it is floating, else float64; xyxy canonical pixels.
    """
    dtype = boxes.dtype if np.issubdtype(boxes.dtype, np.floating) else np.float64
    canonical = boxes.astype(dtype, copy=True)
    height, width = boxed.original
    for axis, side in ((0, width), (1, height)):
        edges = canonical[..., axis::2]
        edges -= boxed.pad[axis]
        edges /= boxed.ratio[axis]
        np.clip(edges, 0, side, out=edges)
    return canonical
