"""What holds for every shape, whatever it is."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from appliance.errors import InvalidGeometry
from appliance.geometry import Geometry
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import MAX_POINTS, Polygon
from appliance.geometry.polyline import Polyline
from appliance.geometry.rotated_box import RotatedBox
from appliance.geometry.tag import Tag

quick = settings(max_examples=40, deadline=None)
WIDTH, HEIGHT = 100, 80

near = st.floats(-60, 160, width=32)
points = st.tuples(near, near)
boxes = st.tuples(near, near, near, near).map(
    lambda v: Box(min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
)
rotated = st.builds(
    RotatedBox, near, near, st.floats(0.5, 90, width=32), st.floats(0.5, 90, width=32), st.floats(-180, 179, width=32)
)
rings = st.lists(points, min_size=3, max_size=12).map(lambda ring: [v for p in ring for v in p])
polygons = st.lists(st.lists(rings, min_size=1, max_size=3), min_size=1, max_size=3).map(Polygon)
polylines = st.lists(points, min_size=2, max_size=12).map(lambda path: Polyline([v for p in path for v in p]))
keypoints = st.lists(st.tuples(near, near, st.sampled_from([0.0, 1.0, 2.0])), min_size=1, max_size=8).map(
    lambda triples: Keypoints([v for t in triples for v in t])
)
pixels = st.tuples(st.integers(1, 16), st.integers(1, 16)).flatmap(lambda shape: arrays(bool, shape))
masks = pixels.map(Mask.from_array)
shapes: st.SearchStrategy[Any] = st.one_of(boxes, rotated, polygons, polylines, keypoints, masks, st.just(Tag()))
factors = st.sampled_from([0.25, 0.5, 1.0, 2.0, 3.0, -1.0, -2.0])
shifts = st.integers(-50, 50).map(float)


@quick
@given(shapes)
def test_json_gives_the_same_shape_back(shape: Any) -> None:
    assert msgspec.json.decode(msgspec.json.encode(shape), type=Geometry) == shape


@quick
@given(shapes)
def test_clipping_twice_is_clipping_once(shape: Any) -> None:
    once = shape.clipped(WIDTH, HEIGHT)
    if once is not None:
        assert once.clipped(WIDTH, HEIGHT) == once


@quick
@given(st.one_of(boxes, rotated, polylines, keypoints, masks))
def test_what_is_clipped_passes_the_check(shape: Any) -> None:
    clipped = shape.clipped(WIDTH, HEIGHT)
    if clipped is not None:
        clipped.check(WIDTH, HEIGHT)


@quick
@given(polygons)
def test_a_clipped_polygon_passes_the_check(polygon: Polygon) -> None:
    clipped = polygon.clipped(WIDTH, HEIGHT)
    if clipped is not None:
        clipped.check(WIDTH, HEIGHT)


@quick
@given(st.one_of(boxes, masks))
def test_clipping_never_adds_area(shape: Any) -> None:
    clipped = shape.clipped(WIDTH, HEIGHT)
    if clipped is not None:
        assert clipped.area() <= shape.area()


@quick
@given(polygons)
def test_bounds_contain_the_vertices(polygon: Polygon) -> None:
    x1, y1, x2, y2 = polygon.bounds()
    for ring in (ring for part in polygon.parts for ring in part):
        assert all(x1 <= x <= x2 for x in ring[::2])
        assert all(y1 <= y <= y2 for y in ring[1::2])


@quick
@given(rotated)
def test_a_rotated_box_has_the_area_of_its_corners(box: RotatedBox) -> None:
    assert Polygon([[box.corners()]]).area() == pytest.approx(box.area(), rel=1e-9)
    x1, y1, x2, y2 = box.bounds()
    assert (x1 + x2) / 2 == pytest.approx(box.cx, abs=1e-6)
    assert (y1 + y2) / 2 == pytest.approx(box.cy, abs=1e-6)


@quick
@given(st.one_of(boxes, rotated, polygons, polylines, keypoints), shifts, shifts)
def test_area_does_not_depend_on_the_place(shape: Any, dx: float, dy: float) -> None:
    assert shape.transformed(1, 1, dx, dy).area() == pytest.approx(shape.area(), abs=1e-6)


@quick
@given(st.one_of(boxes, polygons, polylines, keypoints), factors, factors, shifts, shifts)
def test_transforming_there_and_back(shape: Any, sx: float, sy: float, dx: float, dy: float) -> None:
    back = shape.transformed(sx, sy, dx, dy).transformed(1 / sx, 1 / sy, -dx / sx, -dy / sy)
    assert back.bounds() == pytest.approx(shape.bounds(), abs=1e-6)
    assert back.area() == pytest.approx(shape.area(), abs=1e-5)


@quick
@given(rotated, factors, st.booleans(), shifts, shifts)
def test_a_rotated_box_there_and_back(box: RotatedBox, s: float, mirror: bool, dx: float, dy: float) -> None:
    sy = -s if mirror else s
    there = box.transformed(s, sy, dx, dy)
    assert there.area() == pytest.approx(box.area() * s * s)
    assert -180 <= there.angle < 180
    back = there.transformed(1 / s, 1 / sy, -dx / s, -dy / sy)
    assert back.bounds() == pytest.approx(box.bounds(), abs=1e-6)


@quick
@given(masks, st.integers(1, 3), st.integers(0, 5), st.integers(0, 5))
def test_a_mask_there_and_back(mask: Mask, s: int, dx: int, dy: int) -> None:
    there = mask.transformed(s, s, dx, dy)
    assert there.size == [mask.size[0] * s + dy, mask.size[1] * s + dx]
    assert there.area() == mask.area() * s * s
    assert there.transformed(1 / s, 1 / s, -dx / s, -dy / s) == mask


@quick
@given(masks)
def test_a_mirrored_mask_is_the_mirrored_array(mask: Mask) -> None:
    mirrored = mask.transformed(-1, 1, mask.size[1], 0)
    assert (mirrored.to_array() == mask.to_array()[:, ::-1]).all()


def _distance(x: float, y: float, path: list[float]) -> float:
    a = np.reshape(path, (-1, 2))
    step, away = a[1:] - a[:-1], np.array([x, y]) - a[:-1]
    length = (step**2).sum(axis=1)
    along = np.divide((away * step).sum(axis=1), length, out=np.zeros(len(step)), where=length > 0)
    return float(np.hypot(*(away - np.clip(along, 0, 1)[:, None] * step).T).min())


@quick
@given(st.lists(points, min_size=2, max_size=200), st.floats(0.1, 30))
def test_simplified_paths_stay_within_the_tolerance(path: list[tuple[float, float]], tolerance: float) -> None:
    line = Polyline([v for p in path for v in p])
    simple = line.simplified(tolerance)
    assert len(simple.points) <= len(line.points)
    assert simple.points[:2] == line.points[:2]
    assert simple.points[-2:] == line.points[-2:]
    assert all(_distance(x, y, simple.points) <= tolerance + 1e-9 for x, y in path)


@quick
@given(st.lists(points, min_size=3, max_size=100), st.floats(0.1, 30))
def test_simplified_rings_stay_within_the_tolerance(ring: list[tuple[float, float]], tolerance: float) -> None:
    simple = Polygon([[[v for p in ring for v in p]]]).simplified(tolerance).parts[0][0]
    assert len(simple) >= 6
    assert all(_distance(x, y, simple + simple[:2]) <= tolerance + 1e-9 for x, y in ring)


@quick
@given(shapes)
def test_no_tolerance_changes_nothing(shape: Any) -> None:
    assert shape.simplified(0.0) == shape


@quick
@given(polylines)
def test_a_clipped_path_is_no_longer(line: Polyline) -> None:
    clipped = line.clipped(WIDTH, HEIGHT)
    assume(clipped is not None)
    assert clipped is not None
    assert 0 < clipped.length() <= line.length() + 1e-9


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize(
    "make",
    [
        lambda v: Box(v, 1.0, 5.0, 5.0),
        lambda v: Box(1.0, 1.0, v, 5.0),
        lambda v: Polygon([[[1.0, 1.0, 9.0, v, 5.0, 5.0]]]),
        lambda v: Polygon([[[1.0, 1.0, 9.0, 1.0, 5.0, 5.0], [v, 2.0, 5.0, 2.0, 5.0, 3.0]]]),
        lambda v: Polyline([1.0, 1.0, v, 5.0]),
        lambda v: Keypoints([1.0, v, 2.0]),
        lambda v: Keypoints([1.0, 1.0, v]),
        lambda v: Keypoints([1.0, 1.0, 2.0, v, 0.0, 0.0]),
        lambda v: RotatedBox(v, 1.0, 5.0, 5.0, 0.0),
        lambda v: RotatedBox(5.0, 5.0, v, 5.0, 0.0),
        lambda v: RotatedBox(5.0, 5.0, 5.0, 5.0, v),
    ],
)
def test_what_is_not_finite_is_refused(make: Any, bad: float) -> None:
    with pytest.raises(InvalidGeometry):
        make(bad).check(WIDTH, HEIGHT)


def test_a_polygon_with_too_many_points_is_refused() -> None:
    ring = [float(v) for i in range(MAX_POINTS + 1) for v in (i % 90, (i * 7) % 77)]
    with pytest.raises(InvalidGeometry, match=f"{MAX_POINTS} are allowed"):
        Polygon([[ring]]).check(WIDTH, HEIGHT)


def test_unknown_fields_and_types_are_refused() -> None:
    for text in (b'{"type":"box","x1":0,"y1":0,"x2":1,"y2":1,"z":1}', b'{"type":"ellipse"}', b'{"x1":0}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(text, type=Geometry)


def test_rings_simplified_together_are_those_simplified_alone() -> None:
    turns = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    wave = np.stack((100 + 50 * np.cos(turns), 100 + 40 * np.sin(3 * turns)), axis=1).ravel().tolist()
    rings = [wave, [0, 0, 20, 1, 40, 0, 40, 40, 20, 40, 0, 40], [5, 5, 5, 5, 5, 5, 5, 5], wave[::-1]]
    together = Polygon([[ring] for ring in rings]).simplified(1.0)
    assert together.parts == [Polygon([[ring]]).simplified(1.0).parts[0] for ring in rings]
    assert len(together.parts[0][0]) * 3 < len(wave)
    assert together.parts[2] == [rings[2]]
