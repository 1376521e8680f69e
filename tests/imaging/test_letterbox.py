"""Letterboxing: ultralytics' bits, and boxes that come back where they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.imaging.letterbox import GREY, letterbox, unletterbox

SIDES = st.integers(1, 900)


@pytest.mark.train
@settings(max_examples=150, deadline=None)
@given(
    width=SIDES, height=SIDES, size=st.sampled_from([(640, 640), (320, 320), (416, 640), (64, 1280)]),
    auto=st.booleans(), scale_up=st.booleans(), seed=st.integers(0, 9),
)  # fmt: skip
def test_pixels_and_boxes_are_those_of_ultralytics(width, height, size, auto, scale_up, seed) -> None:
    from ultralytics.data.augment import LetterBox
    from ultralytics.utils.ops import scale_boxes

    dice = np.random.default_rng(seed)
    pixels = dice.integers(0, 256, (height, width, 3), np.uint8)
    boxed = letterbox(pixels, size, auto=auto, scale_up=scale_up)
    theirs = LetterBox(size, auto=auto, scaleup=scale_up, stride=32)(image=pixels)
    assert np.array_equal(boxed.pixels, theirs)
    # scale_boxes guesses the resized sides from the padded ones, and misses them by a pixel where
    # rounding meets a side that needs no padding; ours remembers what was done.
    gain = min(theirs.shape[0] / height, theirs.shape[1] / width)
    guessed = [max(round(side * gain), 1) for side in (width, height)]
    if scale_up and guessed == [round(width * boxed.ratio[0]), round(height * boxed.ratio[1])]:
        boxes = dice.uniform(-20, 700, (50, 4)).astype(np.float32)
        expected = scale_boxes(theirs.shape[:2], boxes.copy(), (height, width))
        np.testing.assert_allclose(unletterbox(boxes, boxed), expected, rtol=1e-6, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(width=SIDES, height=SIDES, auto=st.booleans())
def test_corners_come_back(width: int, height: int, auto: bool) -> None:
    boxed = letterbox(np.zeros((height, width, 3), np.uint8), (640, 512), auto=auto)
    new_width, new_height = width * boxed.ratio[0], height * boxed.ratio[1]
    inside = np.array([[*boxed.pad, boxed.pad[0] + new_width, boxed.pad[1] + new_height]])
    np.testing.assert_allclose(unletterbox(inside, boxed), [[0, 0, width, height]], atol=1e-6)
    assert unletterbox(np.array([[-50.0, -50, 2000, 2000]]), boxed).tolist() == [[0, 0, width, height]]


def test_padding_is_grey_and_the_odd_pixel_lies_on_the_far_side() -> None:
    boxed = letterbox(np.zeros((100, 201, 3), np.uint8), (640, 640))
    height = round(100 * 640 / 201)
    top = (640 - height) // 2
    assert boxed.pixels.shape == (640, 640, 3)
    assert boxed.pad == (0, top)
    assert (boxed.pixels[:top] == GREY).all()
    assert (boxed.pixels[top : top + height] == 0).all()
    assert (boxed.pixels[top + height :] == GREY).all()
    odd = letterbox(np.zeros((5, 9, 3), np.uint8), (12, 9), auto=False)
    assert odd.pad == (0, 3)


def test_auto_pads_to_the_stride_only() -> None:
    assert letterbox(np.zeros((480, 640, 3), np.uint8), (640, 640), auto=True).pixels.shape == (480, 640, 3)
    assert letterbox(np.zeros((427, 640, 3), np.uint8), (640, 640), auto=True).pixels.shape == (448, 640, 3)


def test_integer_boxes_become_floats_and_the_input_stays() -> None:
    boxed = letterbox(np.zeros((30, 50, 3), np.uint8), (64, 64))
    boxes = np.array([[3, 20, 40, 50]])
    assert unletterbox(boxes, boxed).dtype == np.float64
    assert boxes.tolist() == [[3, 20, 40, 50]]
    assert unletterbox(np.zeros((0, 4), np.float32), boxed).shape == (0, 4)
