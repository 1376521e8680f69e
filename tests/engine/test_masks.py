from __future__ import annotations

import numpy as np
import pytest

from appliance.engine.decoders._base import Placement
from appliance.engine.decoders._masks import Crop, crop_of, instance_mask, outlines
from appliance.geometry.convert import to_mask
from appliance.geometry.polygon import Polygon

SQUARE = Placement(64, 64, 64, 64, 1.0, 1.0, 0, 0)


def sampled(coarse: np.ndarray, y: int, x: int, size: tuple[int, int]) -> float:
    """One bilinear sample with half-pixel centres, written out."""

    def taps(at: int, source: int, target: int) -> tuple[int, int, float]:
        place = max((at + 0.5) * source / target - 0.5, 0)
        return int(place), min(int(place) + 1, source - 1), place - int(place)

    (t, b, v), (left, right, u) = taps(y, coarse.shape[0], size[0]), taps(x, coarse.shape[1], size[1])
    upper = coarse[t, left] * (1 - u) + coarse[t, right] * u
    lower = coarse[b, left] * (1 - u) + coarse[b, right] * u
    return upper * (1 - v) + lower * v


def outline(mask: np.ndarray, crop: Crop, place: Placement) -> Polygon | None:
    return outlines([(mask, crop)], place)[0]


@pytest.mark.parametrize("crop", [(0, 0, 64, 48), (5, 7, 6, 8), (61, 40, 64, 48), (10, 0, 30, 48)])
def test_a_mask_is_the_weighted_prototypes_enlarged_inside_the_crop(crop: tuple[int, int, int, int]) -> None:
    random = np.random.default_rng(3)
    prototypes = random.normal(size=(5, 12, 16)).astype(np.float32)
    weights = random.normal(size=5).astype(np.float32)
    mask = instance_mask(prototypes, weights, crop, (48, 64))
    coarse = np.tensordot(weights, prototypes, axes=1)
    x1, y1, x2, y2 = crop
    expected = [[sampled(coarse, y, x, (48, 64)) > 0 for x in range(x1, x2)] for y in range(y1, y2)]
    assert np.array_equal(mask, expected)


def test_a_crop_holds_the_pixels_inside_the_box_and_the_picture() -> None:
    place = Placement(100, 50, 64, 64, 0.64, 0.64, 0, 16)
    assert crop_of(np.array([1.2, 20.0, 30.0, 40.5], np.float32), place) == (2, 20, 30, 41)
    assert crop_of(np.array([-9.0, -9.0, 99.0, 99.0], np.float32), place) == (0, 16, 64, 48)


def test_an_outline_keeps_parts_and_holes_and_drops_specks() -> None:
    mask = np.zeros((40, 40), bool)
    mask[2:22, 2:22] = True
    mask[8:14, 8:14] = False
    mask[18, 4] = False
    mask[26:36, 26:36] = True
    mask[38, 2] = True
    shape = outline(mask, (0, 0, 40, 40), SQUARE)
    assert shape is not None
    assert [len(part) for part in shape.parts] == [2, 1]
    mask[18, 4], mask[38, 2] = True, False
    assert np.array_equal(to_mask(shape, 64, 64).to_array()[:40, :40], mask)


def test_an_outline_is_in_canonical_pixels() -> None:
    place = Placement(200, 100, 64, 64, 0.32, 0.32, 0, 16)
    shape = outline(np.ones((16, 32), bool), (16, 20, 48, 36), place)
    assert shape is not None
    assert shape.bounds() == pytest.approx((50, 12.5, 150, 62.5))


def test_the_smallest_object_is_still_outlined_and_nothing_is_none() -> None:
    dot = np.zeros((9, 9), bool)
    assert outline(dot, (0, 0, 9, 9), SQUARE) is None
    dot[4, 4] = True
    shape = outline(dot, (0, 0, 9, 9), SQUARE)
    assert shape is not None
    assert shape.bounds() == (4, 4, 5, 5)


def test_the_outlines_of_a_picture_are_those_of_its_masks_alone() -> None:
    y, x = np.mgrid[:40, :40]
    discs = [(x - 20) ** 2 + (y - 20) ** 2 < radius**2 for radius in (19, 0, 12, 1)]
    discs[2] &= (x - 20) ** 2 + (y - 20) ** 2 > 6**2
    masks = [(disc, (left, left, left + 40, left + 40)) for left, disc in enumerate(discs)]
    assert outlines(masks, SQUARE) == [outline(*mask, SQUARE) for mask in masks]
    assert [shape is None for shape in outlines(masks, SQUARE)] == [False, True, False, False]
    assert outlines([], SQUARE) == []
