"""Which part of an image a segmenter looks at, and how what is said of the image is said of that part."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.engine.segmenters._frame import Frame
from appliance.engine.segmenters._region import region_for
from appliance.geometry.mask import Mask
from appliance.records import Click

SIDE = 1024


def test_what_is_small_or_in_sight_as_a_whole_is_looked_at_whole() -> None:
    assert region_for((10, 10, 20, 20), 640, 480, SIDE) == (0, 0, 640, 480)
    assert region_for((0, 0, 4000, 3000), 4000, 3000, SIDE) == (0, 0, 4000, 3000)


def test_panning_a_little_changes_nothing() -> None:
    first = region_for((1000, 1000, 1300, 1200), 4000, 3000, SIDE)
    assert first[2] - first[0] == 500 or first[2] - first[0] == 1000
    assert region_for((1010, 1008, 1310, 1208), 4000, 3000, SIDE) == first


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 30_000), st.integers(1, 30_000), st.floats(-0.2, 1), st.floats(-0.2, 1), st.floats(0.001, 1.3))
def test_the_view_lies_inside(width: int, height: int, left: float, top: float, share: float) -> None:
    edge = max(width, height) * share
    view = (left * width, top * height, left * width + edge, top * height + edge)
    x1, y1, x2, y2 = region_for(view, width, height, SIDE)
    assert 0 <= x1 < x2 <= width
    assert 0 <= y1 < y2 <= height
    assert x1 <= max(view[0], 0)
    assert min(view[2], width) <= x2
    assert y1 <= max(view[1], 0)
    assert min(view[3], height) <= y2


def test_a_frame_leads_there_and_back() -> None:
    frame = Frame((100, 200, 500, 400), 200, 100)
    drawn = np.zeros((600, 800), bool)
    drawn[240:300, 140:260] = True
    asked = frame.prompt(
        [Click(x=100, y=200), Click(x=300, y=300, positive=False)], (100, 200, 500, 400), Mask.from_array(drawn)
    )
    assert asked.points.tolist() == [[0, 0], [100, 50]]
    assert asked.positive.tolist() == [True, False]
    assert asked.box == (0, 0, 200, 100)
    assert asked.mask is not None
    assert (np.argwhere(asked.mask).min(0).tolist(), asked.mask.sum()) == ([20, 20], 60 * 30)
    back = frame.mask(asked.mask, 800, 600)
    assert back is not None
    assert (back.to_array() == drawn).all()


def test_nothing_inside_is_no_mask() -> None:
    frame = Frame((0, 0, 10, 10), 10, 10)
    assert frame.mask(np.zeros((10, 10), bool), 10, 10) is None
    far = np.zeros((100, 100), bool)
    far[50:, 50:] = True
    assert frame.prompt([], (1, 1, 2, 2), Mask.from_array(far)).mask is None


def test_without_scaling_every_pixel_stays() -> None:
    pixels = np.random.default_rng(1).random((30, 40)) > 0.6
    mask = Frame((60, 0, 100, 30), 40, 30).mask(pixels, 100, 30)
    assert mask is not None
    assert (mask.to_array()[:, 60:] == pixels).all()
    assert not mask.to_array()[:, :60].any()
