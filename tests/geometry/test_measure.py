"""Overlaps: symmetric, within 0…1, exact where they say so."""

from __future__ import annotations

from math import cos, pi, sin, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import InvalidGeometry
from appliance.geometry import convert, measure, validity
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.geometry.polyline import Polyline
from appliance.geometry.rotated_box import RotatedBox
from appliance.geometry.tag import Tag

quick = settings(max_examples=40, deadline=None)
place = st.floats(0, 60, width=32)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), place, place, st.floats(1, 40), st.floats(1, 40))
turned = st.builds(RotatedBox, place, place, st.floats(1, 40), st.floats(1, 40), st.floats(-180, 179))
rings = st.lists(st.tuples(place, place), min_size=3, max_size=9).map(lambda r: [v for p in r for v in p])
polygons = st.lists(st.lists(rings, min_size=1, max_size=2), min_size=1, max_size=2).map(Polygon)
shapes: st.SearchStrategy[Any] = st.one_of(
    boxes,
    turned,
    polygons,
    boxes.map(lambda box: convert.to_mask(box, 100, 100)),
    st.just(Tag()),
    st.just(Polyline([1.0, 2.0, 40.0, 30.0])),
    st.just(Keypoints([1.0, 2.0, 2.0, 40.0, 30.0, 1.0])),
)


@quick
@given(shapes, shapes)
def test_iou_is_symmetric_and_within_its_range(a: Any, b: Any) -> None:
    value = measure.iou(a, b)
    assert 0 <= value <= 1
    assert measure.iou(b, a) == pytest.approx(value, abs=1e-6)


@quick
@given(st.one_of(boxes, turned))
def test_a_shape_is_itself(shape: Any) -> None:
    assert measure.iou(shape, shape) == pytest.approx(1)


@quick
@given(boxes, boxes)
def test_boxes_as_polygons_have_the_same_iou(a: Box, b: Box) -> None:
    assert measure.iou(convert.to_polygon(a), b) == pytest.approx(measure.iou(a, b), abs=1e-6)


@quick
@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_many_boxes_at_once(a: list[Box], b: list[Box]) -> None:
    table = measure.box_iou(np.array([x.bounds() for x in a]), np.array([x.bounds() for x in b]))
    assert table.shape == (len(a), len(b))
    for i, first in enumerate(a):
        for j, second in enumerate(b):
            assert table[i, j] == pytest.approx(measure.iou(first, second))


@quick
@given(polygons, polygons)
def test_the_exact_overlap_is_that_of_a_fine_raster(a: Polygon, b: Polygon) -> None:
    fine = 4
    grids = [convert.to_mask(p.transformed(fine, fine, 0, 0), 60 * fine, 60 * fine).to_array() for p in (a, b)]
    counted = (grids[0] & grids[1]).sum() / fine**2
    outlines = sum(Polyline(ring + ring[:2]).length() for p in (a, b) for part in p.parts for ring in part)
    assert measure.overlap_area(a, b) == pytest.approx(counted, abs=outlines * sqrt(2) / fine + 1e-6)


def test_known_overlaps() -> None:
    square = Box(40, 40, 60, 60)
    assert measure.iou(RotatedBox(50, 50, 20, 20, 45), square) == pytest.approx(1 / sqrt(2))
    framed = Polygon([[[0, 0, 10, 0, 10, 10, 0, 10], [2, 2, 8, 2, 8, 8, 2, 8]]])
    assert measure.overlap_area(framed, convert.to_polygon(Box(2, 2, 8, 8))) == 0
    assert measure.overlap_area(framed, convert.to_polygon(Box(0, 0, 5, 5))) == pytest.approx(16)
    assert measure.iou(framed, Box(0, 0, 10, 10)) == pytest.approx(0.64)
    overlapping = Polygon([[[0, 0, 4, 0, 4, 4, 0, 4]], [[2, 2, 6, 2, 6, 6, 2, 6]]])
    assert measure.overlap_area(overlapping, overlapping) == pytest.approx(28)


def test_large_polygons_are_measured_on_a_grid() -> None:
    turn = 2 * pi / 1000
    disc = Polygon([[[v for i in range(1000) for v in (50 + 40 * cos(i * turn), 50 + 40 * sin(i * turn))]]])
    moved = disc.transformed(1, 1, 40, 0)
    lens = 2 * 40**2 * pi / 3 - 40 * sqrt(3 * 40**2) / 2
    assert measure.overlap_area(disc, moved) == pytest.approx(lens, rel=1e-3)
    assert measure.iou(disc, moved) == pytest.approx(lens / (2 * pi * 40**2 - lens), rel=2e-3)


def test_masks_are_compared_pixel_by_pixel() -> None:
    mask = convert.to_mask(Box(0, 0, 10, 10), 20, 20)
    assert measure.iou(mask, Box(0, 0, 10, 5)) == 0.5
    with pytest.raises(InvalidGeometry, match="compared"):
        measure.iou(mask, Mask([3, 4], "426"))


def test_tags_are_the_same_and_nothing_else() -> None:
    assert measure.iou(Tag(), Tag()) == 1
    assert measure.iou(Tag(), Box(0, 0, 1, 1)) == 0


def test_self_crossings_are_found() -> None:
    bowtie = Polygon([[[0, 0, 10, 10, 10, 0, 0, 10]]])
    assert measure.self_crossings(bowtie) == [(5, 5)]
    assert measure.self_crossings(Polygon([[[0, 0, 10, 0, 10, 10, 0, 10], [2, 2, 2, 4, 4, 4]]])) == []
    hole_reaches_out = Polygon([[[0, 0, 10, 0, 10, 10, 0, 10], [5, 2, 15, 2, 15, 4, 5, 4]]])
    assert sorted(measure.self_crossings(hole_reaches_out)) == [(10, 2), (10, 4)]


def test_a_crossing_is_found_with_few_edges_and_with_many() -> None:
    rounded = [v for n in range(200) for v in (50 + 40 * cos(n * pi / 100), 40 + 30 * sin(n * pi / 100))]
    assert validity.fault_of(Polygon([[rounded]]), 100, 80) is None
    rounded[100:102], rounded[120:122] = rounded[120:122], rounded[100:102]
    for ring in (rounded, rounded[80:140]):
        fault = validity.fault_of(Polygon([[ring]]), 100, 80)
        assert fault is not None
        assert fault.code == "self-crossing"


def test_self_crossings_of_many_edges_stop_at_the_limit() -> None:
    numbers = np.random.default_rng(7).uniform(0, 100, 4000).tolist()
    assert len(measure.self_crossings(Polygon([[numbers]]), limit=25)) == 25
