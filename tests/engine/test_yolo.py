from __future__ import annotations

import numpy as np
import pytest

from appliance.engine.decoders._base import Placement, PredictOptions
from appliance.engine.decoders.yolo import DECODER
from appliance.errors import UnusableModel
from appliance.geometry.box import Box
from appliance.geometry.polygon import Polygon
from appliance.records import ModelInfo, Prediction
from tests._onnx import dense_head

PLACE = Placement(64, 64, 64, 64, 1.0, 1.0, 0, 0)
DENSE = ModelInfo(family="yolo", task="detect", labels=["washer", "bolt"], input_size=(64, 64))
END_TO_END = ModelInfo(family="yolo", task="detect", labels=["washer", "bolt"], input_size=(64, 64), end_to_end=True)
MASKS = ModelInfo(family="yolo", task="segment", labels=["washer"], input_size=(64, 64), details={"mask_weights": 2})


def decoded(
    outputs: list[np.ndarray], info: ModelInfo = DENSE, place: Placement = PLACE, **options: object
) -> list[Prediction]:
    return DECODER.decode(outputs, [place], info, PredictOptions(**options))[0]


def rows(*found: tuple[float, ...]) -> np.ndarray:
    head = np.zeros((1, 300, 6), np.float32)
    for row, values in zip(head[0], found, strict=False):
        row[:] = values
    return head


def test_a_dense_head_becomes_boxes_best_first() -> None:
    found = decoded([dense_head([(20, 20, 10, 10, 0.6, 0), (40, 40, 8, 4, 0.875, 1), (9, 9, 4, 4, 0.2, 0)])])
    assert [(p.class_index, p.confidence) for p in found] == [(1, 0.875), (0, pytest.approx(0.6))]
    assert found[0].geometry == Box(36, 38, 44, 42)


def test_overlapping_boxes_of_a_label_become_one() -> None:
    same = [(20, 20, 10, 10, 0.6, 0), (20, 20.5, 10, 10, 0.9, 0), (20, 20, 10, 10, 0.7, 1)]
    assert [p.confidence for p in decoded([dense_head(same)])] == pytest.approx([0.9, 0.7])
    assert [p.confidence for p in decoded([dense_head(same)], agnostic=True)] == pytest.approx([0.9])
    assert len(decoded([dense_head(same)], iou=0.95)) == 3


def test_options_choose_what_stays() -> None:
    head = dense_head([(10, 10, 4, 4, 0.5, 0), (30, 30, 4, 4, 0.75, 1), (50, 50, 4, 4, 0.9, 0)])
    assert len(decoded([head], conf=0.6)) == 2
    assert {p.class_index for p in decoded([head], classes=[0])} == {0}
    assert decoded([head], classes=[]) == []
    assert [p.confidence for p in decoded([head], max_det=1)] == pytest.approx([0.9])


def test_a_confidence_of_exactly_the_threshold_does_not_count() -> None:
    assert decoded([dense_head([(10, 10, 4, 4, 0.25, 0)])]) == []


def test_an_end_to_end_head_is_only_filtered() -> None:
    head = rows((1, 2, 3, 4, 0.9, 1), (1, 2, 3, 4, 0.8, 1), (5, 6, 9, 9, 0.3, 0), (5, 6, 9, 9, 0.1, 0))
    found = decoded([head], END_TO_END)
    assert [p.class_index for p in found] == [1, 1, 0]
    assert found[0].geometry == Box(1, 2, 3, 4)
    assert len(decoded([head], END_TO_END, max_det=2)) == 2
    assert len(decoded([head], END_TO_END, classes=[0])) == 1


def test_boxes_are_taken_out_of_the_letterbox_and_clipped() -> None:
    place = Placement(128, 64, 64, 64, 0.5, 0.5, 0, 16)
    found = decoded([dense_head([(32, 32, 16, 16, 0.9, 0), (0, 20, 20, 40, 0.8, 0)])], place=place)
    assert found[0].geometry == Box(48, 16, 80, 48)
    assert found[1].geometry == Box(0, 0, 20, 48)


@pytest.mark.parametrize("box", [(100, 100, 4, 4), (np.nan, 5, 4, 4), (np.inf, 5, 4, 4), (5, 5, 0, 4)])
def test_boxes_that_are_none_are_left_out(box: tuple[float, ...]) -> None:
    found = decoded([dense_head([(*box, 0.9, 0), (20, 20, 10, 10, 0.6, 0)])])
    assert [p.confidence for p in found] == pytest.approx([0.6])


def test_classes_that_the_model_does_not_have_are_left_out() -> None:
    assert decoded([rows((1, 2, 3, 4, 0.9, 2), (1, 2, 3, 4, 0.9, -1))], END_TO_END) == []


def segment_outputs() -> list[np.ndarray]:
    head = np.zeros((1, 7, 84), np.float32)
    head[0, :, 0] = (32, 32, 32, 32, 0.9, 1, 0)
    head[0, :, 1] = (12, 12, 8, 8, 0.8, 0, 1)
    prototypes = np.full((1, 2, 16, 16), -1, np.float32)
    prototypes[0, 0, 6:10, 6:10] = 1
    return [head, prototypes]


def test_masks_become_polygons_and_empty_ones_nothing() -> None:
    found = decoded(segment_outputs(), MASKS)
    assert len(found) == 1
    assert isinstance(found[0].geometry, Polygon)
    found[0].geometry.check(64, 64)
    assert found[0].geometry.bounds() == pytest.approx((24, 24, 40, 40), abs=1)


def test_masks_of_boxes_off_the_picture_are_left_out() -> None:
    outputs = segment_outputs()
    outputs[0][0, :2, 0] = 200
    assert decoded(outputs, MASKS) == []


def test_pictures_of_a_batch_are_decoded_apart() -> None:
    head = np.concatenate((dense_head([(10, 10, 4, 4, 0.5, 0)]), dense_head([])))
    wide = Placement(128, 128, 64, 64, 0.5, 0.5, 0, 0)
    first, second = DECODER.decode([head], [wide, PLACE], DENSE, PredictOptions())
    assert first[0].geometry == Box(16, 16, 24, 24)
    assert second == []


@pytest.mark.parametrize(
    ("outputs", "info"),
    [
        ([np.zeros((1, 7, 84), np.float32)], DENSE),
        ([np.zeros((1, 6), np.float32)], DENSE),
        ([np.zeros((0, 6, 84), np.float32)], DENSE),
        ([np.zeros((1, 300, 7), np.float32)], END_TO_END),
        ([np.zeros((1, 7, 84), np.float32)], MASKS),
        ([np.zeros((1, 7, 84), np.float32), np.zeros((1, 3, 16, 16), np.float32)], MASKS),
    ],
)
def test_tensors_of_other_shapes_are_refused(outputs: list[np.ndarray], info: ModelInfo) -> None:
    with pytest.raises(UnusableModel, match="does not fit"):
        decoded(outputs, info)


def test_pictures_become_rgb_fractions_in_a_fixed_or_the_smallest_shape() -> None:
    image = np.zeros((32, 64, 3), np.uint8)
    image[..., 0] = 255
    tensor, place = DECODER.prepare(image, DENSE)
    assert tensor.dtype == np.float32
    assert tensor.shape == (3, 64, 64)
    assert tensor[:, 32, 32].tolist() == [0, 0, 1]
    assert tensor[:, 0, 0] == pytest.approx([114 / 255] * 3)
    assert place == Placement(64, 32, 64, 64, 1.0, 1.0, 0, 16)
    dynamic = ModelInfo(family="yolo", task="detect", labels=["a"], input_size=(64, 64), dynamic=True, batch=None)
    assert DECODER.prepare(image, dynamic)[0].shape == (3, 32, 64)
