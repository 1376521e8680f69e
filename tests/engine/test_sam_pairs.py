"""Pairs of an encoder and a decoder: which are taken, and what is said of the others."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import onnx
import pytest

from appliance.engine.backends._graph import Stop, Stopped
from appliance.engine.segmenters._base import Prompt, Weights, segmenters
from appliance.engine.worker import try_out
from appliance.errors import UnusableModel
from tests._sam import small_pair


def red(width: int = 320, height: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Return a grey picture with a red part, and where that is."""
    picture = np.full((height, width, 3), 110, np.uint8)
    truth = np.zeros((height, width), bool)
    truth[height // 4 : height // 2, width // 4 : width // 2] = True
    picture[truth] = (230, 20, 20)
    return picture, truth


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_pair_is_known_and_says_its_title(tmp_path: Path) -> None:
    info = try_out(small_pair(tmp_path))
    assert (info.family, info.task, info.labels, info.details["title"]) == ("sam", "prompt", [], "SAM of red")


@pytest.mark.parametrize("by_place", [False, True])
@pytest.mark.parametrize("size", [(320, 240), (240, 320), (1024, 700), (300, 1000)])
def test_masks_lie_where_they_belong(tmp_path: Path, size: tuple[int, int], by_place: bool) -> None:
    files = small_pair(tmp_path, by_place=by_place)
    session = segmenters()["sam"].open(Weights(files, try_out(files)))
    picture, truth = red(*size)
    found = session.decode(session.encode(picture), Prompt(np.array([[9.0, 9.0]]), np.array([True])), *size)
    assert iou(found.mask, truth) > 0.8
    assert found.score == pytest.approx(0.9)
    session.close()


def test_one_click_takes_the_likeliest_mask_and_more_take_the_single_one(tmp_path: Path) -> None:
    files = small_pair(tmp_path)
    session = segmenters()["sam"].open(Weights(files, try_out(files)))
    seen = session.encode(red()[0])
    click = Prompt(np.array([[9.0, 9.0]]), np.array([True]))
    two = Prompt(np.array([[9.0, 9.0], [4.0, 4.0]]), np.array([True, False]))
    asked = [click, two, click._replace(box=(1.0, 1.0, 9.0, 9.0)), click._replace(mask=red()[1])]
    assert [round(session.decode(seen, one, 320, 240).score, 3) for one in asked] == [0.9, 0.5, 0.5, 0.4]


def test_what_takes_long_is_ended_from_another_thread(tmp_path: Path) -> None:
    files = small_pair(tmp_path, work=400)
    session = segmenters()["sam"].open(Weights(files, try_out(small_pair(tmp_path / "quick"))))
    stop = Stop()
    ended: list[BaseException] = []

    def look() -> None:
        try:
            session.encode(red()[0], stop)
        except Stopped as error:
            ended.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    stop.set()
    thread.join(60)
    assert len(ended) == 1
    early = Stop()
    early.set()
    with pytest.raises(Stopped):
        session.encode(red()[0], early)


def test_graphs_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match=r"the decoder has no \[1, 256, 64, 64\] among image_embeddings"):
        try_out(small_pair(tmp_path, features=128))


def test_graphs_that_lay_features_out_differently_are_refused(tmp_path: Path) -> None:
    ours, others = small_pair(tmp_path / "a", by_place=True), small_pair(tmp_path / "b")
    with pytest.raises(UnusableModel, match=r"the encoder has no \[1, 4096, 256\] among image_embeddings"):
        try_out({"encoder": others["encoder"], "decoder": ours["decoder"]})


def test_a_decoder_without_its_outputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="the decoder has no masks"):
        try_out(small_pair(tmp_path, output="shapes"))


def test_graphs_of_two_models_are_refused(tmp_path: Path) -> None:
    first, second = small_pair(tmp_path / "a", title="SAM A"), small_pair(tmp_path / "b", title="SAM B")
    with pytest.raises(UnusableModel, match="the encoder is of SAM A, the decoder of SAM B"):
        try_out({"encoder": first["encoder"], "decoder": second["decoder"]})


def test_swapped_graphs_are_refused(tmp_path: Path) -> None:
    files = small_pair(tmp_path)
    with pytest.raises(UnusableModel, match="the encoder takes image_embeddings"):
        try_out({"encoder": files["decoder"], "decoder": files["encoder"]})


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    files = small_pair(tmp_path)
    files["decoder"].write_bytes(files["decoder"].read_bytes()[:-100])
    with pytest.raises(UnusableModel, match="cut short") as refused:
        try_out(files)
    assert refused.value.file == "decoder.onnx"


def test_a_decoder_that_wants_the_size_of_the_picture_is_taken(tmp_path: Path) -> None:
    """Segment Anything's own export: masks at the size it is told, logits under another name."""
    files = small_pair(tmp_path, output="low_res_masks")
    model = onnx.load(str(files["decoder"]))
    model.graph.input.append(onnx.helper.make_tensor_value_info("orig_im_size", onnx.TensorProto.FLOAT, [2]))
    onnx.save(model, str(files["decoder"]))
    assert try_out(files).details["sized"]
