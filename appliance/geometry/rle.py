"""COCO's run-length encoding of masks: strings, run lengths, areas, unions, intersections.

A mask of shape (height, width) is read column by column (flat index ``x * height + y``).
*Runs* are the int64 lengths of alternating stretches outside and inside, starting outside,
that add up to ``height * width``; only the first may be 0 in what this module makes.
*Counts* is the compressed string of the runs.

Source: the string format is that of COCO's ``maskApi.c`` (github.com/cocodataset/cocoapi):
each number is the difference to the run two before it (from the fourth on), in groups of 5
bits, low first, sign-extended from the last, bit 6 set while more follow, plus 48.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from appliance.errors import InvalidGeometry
from appliance.geometry._base import refused
from appliance.geometry._numpy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Runs = NDArray[np.int64]

__all__ = [
    "MAX_COUNTS_LENGTH", "area", "bounds", "combine", "compress", "cropped", "decode", "encode", "from_list",
    "from_switches", "iou", "overlap", "parse", "placed", "runs_of", "to_array", "union",
]  # fmt: skip


MAX_COUNTS_LENGTH = 1 << 22
"""Characters in one string; a 24-megapixel mask of hair needs a tenth. Bounds what decoding allocates."""

_GROUPS = 7  # 35 bits hold any difference of runs in an image of up to 2**34 pixels


def encode(pixels: NDArray[np.bool_]) -> str:
    """Return the counts of a bool array of shape (height, width)."""
    return compress(runs_of(pixels))


def decode(counts: str, height: int, width: int) -> NDArray[np.bool_]:
    """Return the bool array of shape (height, width).

    Raises:
        InvalidGeometry: The string is not one of exactly ``height * width`` pixels.
    """
    return to_array(parse(counts, height, width), height, width)


def runs_of(pixels: NDArray[np.bool_]) -> Runs:
    """Return the runs of a bool array of shape (height, width)."""
    flat = np.asarray(pixels, dtype=bool).ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    first = [0] if flat.size and flat[0] else []
    return _lengths(np.concatenate(([0], first, changes, [flat.size])))


def to_array(runs: Runs, height: int, width: int) -> NDArray[np.bool_]:
    """Return the bool array of shape (height, width) of valid runs."""
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape((height, width), order="F")


def cropped(runs: Runs, height: int) -> tuple[NDArray[np.bool_], int, int]:
    """Return the pixels within the mask's bounds as a bool array, and its top-left x, y."""
    x1, y1, x2, y2 = (int(edge) for edge in bounds(runs, height))
    edges = np.clip(np.cumsum(runs), x1 * height, x2 * height) - x1 * height
    inside = np.arange(len(runs)) % 2 == 1
    strip = np.repeat(inside, np.diff(edges, prepend=0)).reshape(x2 - x1, height)
    return strip.T[y1:y2], x1, y1


def placed(pixels: NDArray[np.bool_], x: int, y: int, height: int, width: int) -> Runs:
    """Return the runs of a mask of shape (height, width) that is `pixels` at x, y and nothing elsewhere.

    `pixels` lies wholly inside. Only its own pixels are ever allocated.
    """
    rows, columns = pixels.shape
    padded = np.zeros((columns, rows + 2), dtype=bool)  # a gap on both sides keeps columns apart
    padded[:, 1:-1] = pixels.T
    flat = padded.ravel()
    column, row = np.divmod(np.flatnonzero(flat[1:] != flat[:-1]), rows + 2)
    return _ascending((x + column) * height + y + row, height * width)


def compress(runs: Runs) -> str:
    """Return the counts string of runs."""
    values = np.array(runs, dtype=np.int64)
    values[3:] -= runs[1:-2]
    characters = np.zeros((len(values), _GROUPS + 6), dtype=np.uint8)
    going = np.arange(len(values))  # most numbers are over after one group
    for group in range(characters.shape[1]):
        low = values & 31
        values = values >> 5
        more = values != -(low >> 4)  # what is left is no more than the sign of the last group
        characters[going, group] = low + 48 + 32 * more
        going, values = going[more], values[more]
        if not len(going):
            break
    flat = characters.ravel()
    return flat[flat > 0].tobytes().decode("ascii")


def parse(counts: str, height: int, width: int) -> Runs:
    """Return the runs of a counts string, checked to cover the image exactly.

    Memory is bounded by the length of the string, which is capped before anything is made;
    nothing of the size the string *claims* is ever allocated.

    Raises:
        InvalidGeometry: Too long, foreign characters, a cut-off number, a negative run, or a
            sum other than ``height * width``.
    """
    pixels = height * width
    if len(counts) > min(MAX_COUNTS_LENGTH, _GROUPS * (pixels + 1)):
        raise _broken(f"{len(counts)} characters are too many for {width} × {height} pixels")
    try:
        codes = np.frombuffer(counts.encode("ascii"), dtype=np.uint8)
    except UnicodeEncodeError as error:
        raise _broken("it holds a character outside ASCII") from error
    runs = _numbers(codes)
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    _check_runs(runs, height, width)
    return runs


def _numbers(codes: NDArray[np.uint8]) -> Runs:
    """Return the signed numbers the characters spell."""
    if not len(codes) or codes.min() < 48 or codes.max() > 111:
        raise _broken("it is empty or holds a character outside '0'…'o'")
    bits = codes - np.uint8(48)
    ends = np.flatnonzero(bits < 32)
    if not len(ends) or ends[-1] != len(bits) - 1:
        raise _broken("the last number is cut off")
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > _GROUPS:
        raise _broken("a number is too large")
    numbers = np.zeros(len(ends), dtype=np.int64)
    for group in range(int(lengths.max())):
        has = lengths > group
        numbers[has] |= (bits[starts[has] + group].astype(np.int64) & 31) << (5 * group)
    negative = (bits[ends] & 16) > 0
    numbers[negative] -= np.int64(1) << (5 * lengths[negative])
    return numbers


def from_list(counts: Sequence[int], height: int, width: int) -> Runs:
    """Return the runs of COCO's uncompressed list, with stretches of length 0 merged away.

    Raises:
        InvalidGeometry: Not whole numbers of at least 0 that add up to ``height * width``.
    """
    if not counts or not all(type(count) is int and 0 <= count <= height * width for count in counts):
        raise _broken(f"its list is empty or holds something other than whole numbers of 0…{height * width}")
    runs = np.array(counts, dtype=np.int64)
    _check_runs(runs, height, width)
    return from_switches(np.cumsum(runs)[:-1], height * width)


def area(runs: Runs) -> int:
    """Return the number of pixels inside."""
    return int(runs[1::2].sum())


def bounds(runs: Runs, height: int) -> tuple[float, float, float, float]:
    """Return ``(x1, y1, x2, y2)`` around the pixels inside, zeros when there is none."""
    edges = np.cumsum(runs)
    starts, ends = edges[:-1:2], edges[1::2]
    starts = starts[: len(ends)]
    starts, ends = starts[ends > starts], ends[ends > starts]
    if not len(starts):
        return 0.0, 0.0, 0.0, 0.0
    x1, x2 = starts[0] // height, (ends[-1] - 1) // height + 1
    if (starts // height != (ends - 1) // height).any():
        return float(x1), 0.0, float(x2), float(height)
    return float(x1), float((starts % height).min()), float(x2), float(((ends - 1) % height).max() + 1)


def combine(masks: Sequence[Runs], *, intersect: bool = False) -> Runs:
    """Return the union (or the intersection) of masks of one size."""
    total = int(masks[0].sum())
    edges = np.concatenate([np.cumsum(runs)[:-1] for runs in masks])
    steps = np.concatenate([np.where(np.arange(len(runs) - 1) % 2 == 0, 1, -1) for runs in masks])
    order = np.argsort(edges, kind="stable")
    depth = np.cumsum(steps[order])
    inside = depth >= (len(masks) if intersect else 1)
    changed = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0))
    return from_switches(edges[order][changed], total)


def union(masks: Sequence[Runs]) -> Runs:
    """Return the union of masks of one size."""
    return combine(masks)


def overlap(a: Runs, b: Runs) -> int:
    """Return the number of pixels inside both."""
    return area(combine([a, b], intersect=True))


def iou(a: Runs, b: Runs) -> float:
    """Return intersection over union of two masks of one size, 0 when both are empty."""
    shared = overlap(a, b)
    together = area(a) + area(b) - shared
    return shared / together if together else 0.0


def from_switches(positions: NDArray[np.int64], total: int) -> Runs:
    """Return runs from the flat positions where the mask switches; pairs at one position cancel."""
    positions, times = np.unique(positions, return_counts=True)
    return _ascending(positions[times % 2 == 1], total)


def _ascending(switches: NDArray[np.int64], total: int) -> Runs:
    """Return runs from positions in ascending order, at most two of them the same: those cancel."""
    once = np.ones(len(switches) + 1, dtype=bool)
    once[1:-1] = switches[1:] != switches[:-1]
    switches = switches[once[1:] & once[:-1]]
    return _lengths(np.concatenate(([0], switches[switches < total], [total])))


def _lengths(edges: NDArray[Any]) -> Runs:
    positions = edges.astype(np.int64)
    return positions[1:] - positions[:-1]


def _check_runs(runs: Runs, height: int, width: int) -> None:
    pixels = height * width
    if len(runs) > 2 * pixels + 2:
        raise _broken(f"it has {len(runs)} runs, too many for {width} × {height} pixels")
    if runs.min() < 0:
        raise _broken("a run is shorter than 0")
    if runs.max() > pixels or int(runs.sum()) != pixels:
        raise _broken(f"its runs do not add up to the {width} × {height} = {pixels} pixels of the image")


def _broken(problem: str) -> InvalidGeometry:
    return refused("malformed", f"the mask's counts are not COCO run lengths: {problem}")
