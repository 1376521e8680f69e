"""Run lengths against pycocotools, and against strings made to hurt."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco

from appliance.errors import InvalidGeometry
from appliance.geometry import rle
from appliance.geometry.mask import Mask

quick = settings(max_examples=40, deadline=None)
sides = st.integers(1, 24)
masks = st.tuples(sides, sides).flatmap(lambda shape: arrays(bool, shape))
pairs = st.tuples(sides, sides).flatmap(lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape)))


def _coco(pixels: np.ndarray) -> dict[str, Any]:
    return coco.encode(np.asfortranarray(pixels.astype(np.uint8)))


@quick
@given(masks)
def test_strings_are_those_of_pycocotools(pixels: np.ndarray) -> None:
    counts = rle.encode(pixels)
    assert counts == _coco(pixels)["counts"].decode()
    assert (rle.decode(counts, *pixels.shape) == pixels).all()


@quick
@given(masks, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_a_part_is_placed_in_the_whole(pixels: np.ndarray, x: int, y: int, right: int, below: int) -> None:
    rows, columns = pixels.shape
    whole = np.zeros((y + rows + below, x + columns + right), dtype=bool)
    whole[y : y + rows, x : x + columns] = pixels
    assert rle.compress(rle.placed(pixels, x, y, *whole.shape)) == rle.encode(whole)


@quick
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=12))
def test_long_runs_are_written_like_pycocotools(lengths: list[int]) -> None:
    total = max(1, sum(lengths))
    lengths = lengths if sum(lengths) else [1]
    expected = coco.frPyObjects({"size": [total, 1], "counts": lengths}, total, 1)["counts"].decode()
    assert rle.compress(np.array(lengths)) == expected
    merged = rle.from_list(lengths, total, 1)
    assert (merged[1:] > 0).all()
    assert rle.area(merged) == sum(lengths[1::2])


@quick
@given(masks)
def test_area_and_bounds_are_those_of_pycocotools(pixels: np.ndarray) -> None:
    runs, theirs = rle.runs_of(pixels), _coco(pixels)
    assert rle.area(runs) == coco.area(theirs)
    x, y, width, height = coco.toBbox(theirs)
    if pixels.any():
        assert rle.bounds(runs, pixels.shape[0]) == (x, y, x + width, y + height)


@quick
@given(pairs)
def test_merges_and_iou_are_those_of_pycocotools(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    ours, theirs = [rle.runs_of(a), rle.runs_of(b)], [_coco(a), _coco(b)]
    assert rle.compress(rle.union(ours)) == coco.merge(theirs)["counts"].decode()
    assert rle.compress(rle.combine(ours, intersect=True)) == coco.merge(theirs, True)["counts"].decode()
    if a.any() or b.any():
        assert rle.iou(*ours) == pytest.approx(coco.iou([theirs[0]], [theirs[1]], [0])[0, 0])


@quick
@given(masks.filter(lambda pixels: pixels.any()))
def test_cropping_loses_nothing(pixels: np.ndarray) -> None:
    crop, x, y = rle.cropped(rle.runs_of(pixels), pixels.shape[0])
    assert crop.sum() == pixels.sum()
    assert (pixels[y : y + crop.shape[0], x : x + crop.shape[1]] == crop).all()


@quick
@given(st.text(max_size=60), sides, sides)
def test_any_text_is_a_mask_or_a_clear_refusal(counts: str, height: int, width: int) -> None:
    try:
        runs = rle.parse(counts, height, width)
    except InvalidGeometry:
        return
    assert runs.sum() == height * width
    assert (runs >= 0).all()


@quick
@given(st.text(alphabet=[chr(c) for c in range(48, 112)], max_size=40), st.integers(1, 3), st.integers(1, 3))
def test_whatever_parses_decodes(counts: str, height: int, width: int) -> None:
    try:
        pixels = rle.decode(counts, height, width)
    except InvalidGeometry:
        return
    assert pixels.shape == (height, width)
    assert (rle.decode(rle.encode(pixels), height, width) == pixels).all()


@pytest.mark.parametrize(
    "counts", ["PPPPPP?", "0" * 10_000_000, "1" * 7_000, "o" * 7_000], ids=["terabyte", "long", "many", "endless"]
)
def test_a_hostile_string_allocates_nothing_it_claims(counts: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InvalidGeometry):
            Mask([30, 30], counts).check(30, 30)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("counts", [[], [1.5, 2.5], [True, 3], [-1, 5], [3], [2**70], ["4"], [[4]]])
def test_a_list_that_does_not_fit_is_refused(counts: list[Any]) -> None:
    with pytest.raises(InvalidGeometry, match="counts"):
        rle.from_list(counts, 2, 2)
