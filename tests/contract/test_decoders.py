"""What every decoder owes its callers."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.engine.decoders._base import Decoder, Graph, Placement, PredictOptions, Tensor, decoders
from appliance.errors import UnusableModel
from appliance.records import ModelInfo

pytestmark = pytest.mark.parametrize("decoder", decoders().values(), ids=decoders())


def info(decoder: Decoder) -> ModelInfo:
    return ModelInfo(family=decoder.name, task="detect", labels=["a"], input_size=(64, 96))


def test_graphs_of_no_family_get_a_reason(decoder: Decoder) -> None:
    foreign = Graph([Tensor("x", (1, 7), "int64")], [Tensor("y", (None,), "bool")], {}, {})
    assert isinstance(decoder.recognize(foreign), str)
    assert isinstance(decoder.recognize(Graph([], [], {}, {})), str)
    assert decoder.expects


@pytest.mark.parametrize("size", [(64, 96), (1, 1), (1, 3000), (3000, 1), (500, 333)])
def test_any_picture_becomes_a_tensor_and_knows_its_place(decoder: Decoder, size: tuple[int, int]) -> None:
    tensor, place = decoder.prepare(np.full((*size, 3), 200, np.uint8), info(decoder))
    assert tensor.dtype == np.float32
    assert tensor.shape == (3, 64, 96)
    assert tensor.flags.c_contiguous
    assert 0 <= tensor.min() <= tensor.max() <= 1
    assert (place.height, place.width, place.input_height, place.input_width) == (*size, 64, 96)
    assert place.pad_x + place.width * place.gain_x <= 96.01
    assert place.pad_y + place.height * place.gain_y <= 64.01


def test_tensors_that_do_not_fit_are_refused(decoder: Decoder) -> None:
    place = Placement(96, 64, 96, 64, 1.0, 1.0, 0, 0)
    with pytest.raises(UnusableModel):
        decoder.decode([np.zeros((1, 2), np.float32)], [place], info(decoder), PredictOptions())
