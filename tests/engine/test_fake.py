from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from appliance.engine.backends._base import choose
from appliance.engine.backends.fake import BACKEND, fake_info
from appliance.engine.decoders._base import PredictOptions
from appliance.engine.decoders.yolo import DECODER
from appliance.errors import BackendUnavailable
from appliance.geometry.box import Box
from appliance.geometry.polygon import Polygon

BGR = {"red": (0, 0, 255), "green": (0, 255, 0), "blue": (255, 0, 0)}


def picture(**boxes: tuple[int, int, int, int]) -> np.ndarray:
    image = np.full((320, 320, 3), 90, np.uint8)
    for colour, (x1, y1, x2, y2) in boxes.items():
        image[y1:y2, x1:x2] = BGR[colour]
    return image


def predicted(image: np.ndarray, task: str = "detect") -> list[tuple[str, float, object]]:
    info = fake_info(task)
    tensor, place = DECODER.prepare(image, info)
    outputs = BACKEND.load(Path("none"), info, "cpu").run(tensor[None])
    found = DECODER.decode(outputs, [place], info, PredictOptions())[0]
    return [(info.labels[p.class_index], p.confidence, p.geometry) for p in found]


def test_coloured_rectangles_are_found_exactly() -> None:
    image = picture(green=(10, 20, 100, 90), blue=(200, 200, 300, 310))
    assert sorted(predicted(image)) == [("blue", 1.0, Box(200, 200, 300, 310)), ("green", 1.0, Box(10, 20, 100, 90))]


def test_half_filled_boxes_score_less() -> None:
    image = picture(red=(0, 0, 100, 50))
    image[50:100, :50] = BGR["red"]
    assert predicted(image) == [("red", pytest.approx(0.875), Box(0, 0, 100, 100))]


def test_a_grey_picture_has_nothing() -> None:
    assert predicted(picture()) == []


def test_masks_follow_the_colour() -> None:
    ((label, _, shape),) = predicted(picture(red=(40, 40, 120, 80)), "segment")
    assert label == "red"
    assert isinstance(shape, Polygon)
    assert shape.bounds() == pytest.approx((40, 40, 120, 80), abs=2)


def test_it_is_never_chosen_unasked() -> None:
    assert choose()[0].name != "fake"
    assert choose("fake") == (BACKEND, "cpu")
    with pytest.raises(BackendUnavailable):
        choose("fake", "cuda:0")
