"""Which part of an image a segmenter looks at: the whole, or what somebody zoomed in on."""

from __future__ import annotations

__all__ = ["region_for"]

_LEAST = 512
"""Pixels a side of the smallest region: below that there is no more detail to gain."""

_STEPS = 4
"""Regions begin at multiples of a quarter of their side, so that panning a little changes nothing."""


def region_for(
    view: tuple[float, float, float, float], width: int, height: int, side: int
) -> tuple[int, int, int, int]:
    """Return the region, x1, y1, x2, y2 in whole pixels, in which somebody's view lies.

    Regions are squares (cut off by the image) whose side is the image's longer one, halved as often
    as the view allows: few distinct ones, whose embeddings are used again.

    Args:
        view: x1, y1, x2, y2 of what has to lie inside, in pixels of the image.
        width: Of the image.
        height: Of the image.
        side: Pixels of the longer side beyond which the segmenter sees no more detail.
    """
    x1, y1 = max(0.0, view[0]), max(0.0, view[1])
    x2, y2 = min(float(width), view[2]), min(float(height), view[3])
    needed = max(x2 - x1, y2 - y1, 1.0) * _STEPS / (_STEPS - 1)  # so that a multiple of the step is before it
    whole = max(width, height)
    edge = whole
    while whole > side and edge // 2 >= max(needed, _LEAST):
        edge //= 2
    if edge == whole:
        return 0, 0, width, height
    left, right = _span(x1, x2, edge, width)
    top, bottom = _span(y1, y2, edge, height)
    return left, top, right, bottom


def _span(first: float, last: float, edge: int, length: int) -> tuple[int, int]:
    """Return where a region of `edge` pixels begins and ends on one axis, around the middle of a view."""
    step = edge // _STEPS
    begin = round(((first + last) / 2 - edge / 2) / step) * step
    begin = max(0, min(begin, length - edge))
    return begin, min(length, begin + edge)
