"""Conversions: outlines that rasterise back, pycocotools' pixels, COCO's rings with holes."""

from __future__ import annotations

from math import cos, pi, sin

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco

from appliance.errors import InvalidGeometry
from appliance.geometry import convert, measure
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.geometry.polyline import Polyline
from appliance.geometry.rotated_box import RotatedBox
from appliance.geometry.tag import Tag

quick = settings(max_examples=40, deadline=None)
arrays_with_pixels = (
    st.tuples(st.integers(1, 18), st.integers(1, 18))
    .flatmap(lambda shape: arrays(bool, shape))
    .filter(lambda pixels: bool(pixels.any()))
)
rays = st.lists(st.floats(5, 90), min_size=3, max_size=24)


def _star(lengths: list[float]) -> list[float]:
    turn = 2 * pi / len(lengths)
    return [v for i, r in enumerate(lengths) for v in (100 + r * cos(i * turn), 100 + r * sin(i * turn))]


def _to_outline(ring: list[float], x: float, y: float) -> float:
    corners = np.reshape(ring, (-1, 2))
    step = np.roll(corners, -1, axis=0) - corners
    away = np.array([x, y]) - corners
    along = np.clip((away * step).sum(axis=1) / (step**2).sum(axis=1), 0, 1)
    return float(np.hypot(*(away - along[:, None] * step).T).min())


@quick
@given(arrays_with_pixels)
def test_a_mask_s_outline_rasterises_back_to_it(pixels: np.ndarray) -> None:
    height, width = pixels.shape
    mask = Mask.from_array(pixels)
    outline = convert.to_polygon(mask)
    outline.check(width, height)
    assert convert.to_mask(outline, width, height) == mask
    assert outline.area() == mask.area()
    assert outline.bounds() == mask.bounds()
    assert measure.self_crossings(outline) == []


@quick
@given(arrays_with_pixels)
def test_coco_s_rings_hold_a_mask_s_outline(pixels: np.ndarray) -> None:
    height, width = pixels.shape
    outline = convert.to_polygon(Mask.from_array(pixels))
    rings = convert.polygon_to_coco(outline)
    assert len(rings) == len(outline.parts)
    theirs = coco.decode(coco.merge(coco.frPyObjects(rings, height, width))).astype(bool)
    assert (theirs == pixels).all()
    back = convert.polygon_from_coco(rings)
    assert convert.to_mask(back, width, height).to_array().tolist() == pixels.tolist()
    assert back.area() == outline.area()


def test_a_ring_of_pixels_has_a_hole() -> None:
    pixels = np.ones((3, 3), dtype=bool)
    pixels[1, 1] = False
    assert convert.to_polygon(Mask.from_array(pixels)).parts == [[[0, 0, 3, 0, 3, 3, 0, 3], [1, 2, 2, 2, 2, 1, 1, 1]]]


def test_an_island_in_a_hole_is_a_part_of_its_own() -> None:
    pixels = np.ones((5, 5), dtype=bool)
    pixels[1:4, 1:4] = False
    pixels[2, 2] = True
    parts = convert.to_polygon(Mask.from_array(pixels)).parts
    assert [len(part) for part in parts] == [2, 1]
    assert parts[1] == [[2, 2, 3, 2, 3, 3, 2, 3]]


def test_pixels_that_touch_at_a_corner_are_apart() -> None:
    parts = convert.to_polygon(Mask.from_array(np.eye(2, dtype=bool))).parts
    assert parts == [[[0, 0, 1, 0, 1, 1, 0, 1]], [[1, 1, 2, 1, 2, 2, 1, 2]]]


def test_two_holes_survive_coco_s_rings() -> None:
    hole_a, hole_b = [20.0, 20.0, 20.0, 30.0, 30.0, 30.0], [60.0, 60.0, 60.0, 70.0, 70.0, 70.0]
    outer = [10.0, 10.0, 90.0, 10.0, 90.0, 90.0, 10.0, 90.0]
    polygon = Polygon([[outer, hole_a, hole_b]])
    (ring,) = convert.polygon_to_coco(polygon)
    (part,) = convert.polygon_from_coco([ring]).parts
    assert part[0] == outer
    assert sorted(sorted(zip(r[::2], r[1::2], strict=True)) for r in part[1:]) == sorted(
        sorted(zip(r[::2], r[1::2], strict=True)) for r in (hole_a, hole_b)
    )


def test_a_closed_coco_ring_is_opened() -> None:
    assert convert.polygon_from_coco([[0, 0, 9, 0, 9, 9, 0, 0]]).parts == [[[0, 0, 9, 0, 9, 9]]]


@pytest.mark.parametrize("ring", [[], [1, 2, 3], ["1", 2, 3, 4, 5, 6], [None] * 6, 7])
def test_a_broken_coco_ring_is_named(ring: object) -> None:
    with pytest.raises(InvalidGeometry, match="ring 2 of the segmentation"):
        convert.polygon_from_coco([[0, 0, 9, 0, 9, 9], ring])  # type: ignore[list-item]


@quick
@given(rays)
def test_rasterising_differs_from_pycocotools_only_on_the_outline(lengths: list[float]) -> None:
    ring = _star(lengths)
    theirs = coco.decode(coco.frPyObjects([ring], 200, 200))[..., 0].astype(bool)
    ours = convert.to_mask(Polygon([[ring]]), 200, 200).to_array()
    ys, xs = np.nonzero(ours != theirs)
    for x, y in zip(xs + 0.5, ys + 0.5, strict=True):
        assert _to_outline(ring, x, y) <= 0.5


@quick
@given(rays)
@example([30.0, 5.0, 5.0, 30.0])
def test_pixels_are_inside_when_their_centres_are(lengths: list[float]) -> None:
    """On the outline itself there is no inside: pixels are half-open downwards, points to the right."""
    ring = _star(lengths)
    polygon = Polygon([[ring]])
    pixels = convert.to_mask(polygon, 200, 200).to_array()
    for x, y in ((100, 100), (120, 90), (60, 130), (150, 150), (99, 40)):
        if _to_outline(ring, x + 0.5, y + 0.5) > 1e-9:
            assert pixels[y, x] == polygon.contains(x + 0.5, y + 0.5)


@quick
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=3, max_size=10))
def test_shapes_that_share_an_edge_share_no_pixel(points: list[tuple[int, int]]) -> None:
    ring = [float(v) for p in points for v in p]
    frame = [0.0, 0.0, 20.0, 0.0, 20.0, 20.0, 0.0, 20.0]
    inside = convert.to_mask(Polygon([[ring]]), 20, 20).to_array()
    outside = convert.to_mask(Polygon([[frame, ring]]), 20, 20).to_array()
    assert (inside ^ outside).all()


def test_a_box_covers_the_pixels_whose_centres_it_holds() -> None:
    pixels = convert.to_mask(Box(1.5, 0.4, 3.5, 2.0), 5, 4).to_array()
    expected = np.zeros((4, 5), dtype=bool)
    expected[0:2, 1:3] = True
    assert (pixels == expected).all()


def test_overlapping_parts_are_united() -> None:
    square = [0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0]
    moved = [2.0, 2.0, 6.0, 2.0, 6.0, 6.0, 2.0, 6.0]
    assert convert.to_mask(Polygon([[square], [moved]]), 8, 8).area() == 28


def test_a_polygon_beyond_the_image_covers_what_is_inside() -> None:
    huge = Polygon([[[-1e12, -1e12, 1e12, -1e12, 1e12, 1e12, -1e12, 1e12]]])
    assert convert.to_mask(huge, 7, 5).area() == 35


def test_tolerance_saves_vertices_of_an_outline() -> None:
    y, x = np.mgrid[:120, :120]
    disc = Mask.from_array((x - 60) ** 2 + (y - 60) ** 2 < 50**2)
    exact, simple = convert.to_polygon(disc), convert.to_polygon(disc, 1.0)
    assert len(simple.parts[0][0]) * 4 < len(exact.parts[0][0])
    assert measure.iou(disc, simple) > 0.97


def test_a_small_mask_in_a_large_image_keeps_its_place() -> None:
    pixels = np.zeros((500, 700), dtype=bool)
    pixels[321:330, 411:450] = True
    assert convert.to_polygon(Mask.from_array(pixels)).parts == [[[411, 321, 450, 321, 450, 330, 411, 330]]]


def test_boxes_around() -> None:
    assert convert.to_box(RotatedBox(50, 40, 20, 10, 90)).bounds() == pytest.approx((45, 30, 55, 50))
    assert convert.to_box(Polyline([1, 2, 5, 9])) == Box(1, 2, 5, 9)
    assert convert.to_box(Box(1, 2, 3, 4)) == Box(1, 2, 3, 4)


@pytest.mark.parametrize("shape", [Tag(), Keypoints([1, 2, 2]), Polyline([1, 2, 1, 9])])
def test_what_has_no_extent_has_no_box_and_no_outline(shape: Tag | Keypoints | Polyline) -> None:
    with pytest.raises(InvalidGeometry, match=shape.name):
        convert.to_box(shape)
    with pytest.raises(InvalidGeometry, match=shape.name):
        convert.to_polygon(shape)


def test_coco_s_run_lengths_in_all_three_spellings() -> None:
    mask = convert.mask_from_coco([3, 4], [4, 2, 6])
    assert mask == Mask([3, 4], "426")
    assert convert.mask_from_coco([3, 4], "426") == convert.mask_from_coco((3, 4), b"426") == mask
    assert convert.mask_from_coco([3, 4], [2, 0, 2, 1, 0, 1, 6]) == mask
    for size, counts in (([3], "426"), ([0, 4], "0"), ([3, 4], "42"), ([3, 4], b"\xff")):
        with pytest.raises(InvalidGeometry):
            convert.mask_from_coco(size, counts)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidGeometry, match="size"):
        convert.to_mask(Mask([3, 4], "426"), 9, 9)


def test_rings_of_whole_numbers_are_joined_too() -> None:
    polygon = Polygon([[[0, 0, 40, 0, 40, 40, 0, 40], [10, 10, 10, 20, 20, 20, 20, 10]]])
    (ring,) = convert.polygon_to_coco(polygon)
    assert convert.polygon_from_coco([ring]).area() == polygon.area() == 1500
