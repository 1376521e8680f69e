from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from appliance.engine.inspect import MAX_DEPTH, inspect
from appliance.errors import UnusableModel
from tests._onnx import NAMES, constant_model, dense_head, write_model
from tests._shared import shared

HEAD = dense_head([])
MASK_HEAD = [np.zeros((1, 8, 84), np.float32), np.zeros((1, 2, 16, 16), np.float32)]
SAID = {"names": NAMES, "task": "detect", "stride": "32", "imgsz": "[64, 64]"}


def refused(path: Path, **limits: int) -> str:
    with pytest.raises(UnusableModel) as caught:
        inspect(path, **limits)
    assert caught.value.file == path.name
    return caught.value.message


def saved(path: Path, model: onnx.ModelProto) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def test_a_detector_tells_labels_and_size(file: Path) -> None:
    info = inspect(write_model(file, [HEAD]))
    assert (info.family, info.task, info.labels) == ("yolo", "detect", ["washer", "bolt"])
    assert (info.input_size, info.dynamic, info.batch, info.end_to_end, info.stride) == (
        (64, 64),
        False,
        1,
        False,
        32,
    )
    assert info.details["input_kind"] == "float32"


def test_a_segmenter_tells_its_prototypes(file: Path) -> None:
    info = inspect(write_model(file, MASK_HEAD, metadata=SAID | {"task": "segment"}))
    assert info.task == "segment"
    assert info.details["mask_weights"] == 2


def test_dynamic_axes_take_the_size_of_the_metadata(file: Path) -> None:
    shape = ("batch", 3, "height", "width")
    info = inspect(write_model(file, [HEAD], input_shape=shape, metadata=SAID | {"imgsz": "[96, 128]"}))
    assert (info.input_size, info.dynamic, info.batch) == ((96, 128), True, None)


@pytest.mark.parametrize("said", [{"end2end": "True"}, {"args": "{'nms': True, 'dynamic': False}"}])
def test_heads_that_suppress_are_known(file: Path, said: dict[str, str]) -> None:
    info = inspect(write_model(file, [np.zeros((1, 300, 6), np.float32)], metadata=SAID | said))
    assert info.end_to_end


def test_half_precision_is_known(file: Path) -> None:
    assert inspect(write_model(file, [HEAD], half=True)).details["input_kind"] == "float16"


def test_labels_may_be_a_list(file: Path) -> None:
    assert inspect(write_model(file, [HEAD], metadata=SAID | {"names": "['a', 'b']"})).labels == ["a", "b"]


@pytest.mark.parametrize("content", [b"just some words\nand more\n", "Schraube ✓".encode(), b"{}"])
def test_text_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "text" in refused(file)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"PK\x03\x04" + bytes(40), "convert"),
        (bytes(range(256)), "not an ONNX"),
        (b"\x08\x08", "0 ONNX graphs"),
        (b"\xff" * 40, "not an ONNX"),
        (b"\x3a\x02\xff\xff", "cannot be parsed"),
    ],
)
def test_other_files_are_refused(file: Path, content: bytes, reason: str) -> None:
    file.write_bytes(content)
    assert reason in refused(file)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_a_file_cut_short_is_refused(file: Path, share: float) -> None:
    content = constant_model([HEAD]).SerializeToString()
    file.write_bytes(content[: int(len(content) * share)])
    assert "cut short" in refused(file)


def test_every_cut_before_the_metadata_is_refused(file: Path) -> None:
    content = constant_model([np.zeros((1, 6, 4), np.float32)]).SerializeToString()
    for length in range(0, content.index(b"names"), 7):
        file.write_bytes(content[:length])
        refused(file)


def test_a_file_too_big_is_refused_unread(file: Path) -> None:
    assert "at most 1,000" in refused(write_model(file, [HEAD]), max_bytes=1000)


def test_external_data_is_refused(file: Path) -> None:
    model = constant_model([HEAD])
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../../etc/passwd")
    assert "external data" in refused(saved(file, model))


def test_external_data_inside_an_operator_is_refused(file: Path) -> None:
    model = constant_model([HEAD])
    hidden = TensorProto(data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    hidden.external_data.add(key="location", value="weights.bin")
    model.graph.node.append(helper.make_node("Constant", [], ["hidden"], value=hidden))
    assert "external data" in refused(saved(file, model))


def test_a_model_without_labels_is_refused_with_the_way_out(file: Path) -> None:
    message = refused(write_model(file, [HEAD], metadata={"task": "detect"}))
    assert "without labels" in message
    assert "yolo export" in message


@pytest.mark.parametrize(
    "names",
    [
        "",
        "person, car",
        "{0: 'a'",
        "{1: 'a', 2: 'b'}",
        "{}",
        "[" * 5000,
        "'x' * 9",
        "x" * 300_000,
        "{0: 'a', 0.5: 'b'}",
    ],
)
def test_labels_that_do_not_parse_are_refused(file: Path, names: str) -> None:
    assert "`names`" in refused(write_model(file, [HEAD], metadata=SAID | {"names": names}))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"task": "depth"}, "the task 'depth'"),
        ({"task": "segment"}, "mask prototypes"),
        ({"task": "pose"}, "`kpt_shape`"),
        ({"task": "pose", "kpt_shape": "[17, 4]"}, "`kpt_shape`"),
        ({"task": "pose", "kpt_shape": "[5, 3]"}, "does not fit"),
        ({"task": "obb"}, "does not fit"),
        ({"names": "{0: 'a'}"}, "does not fit 1 labels"),
        ({"stride": "33"}, "`stride`"),
        ({"end2end": "True"}, "does not fit"),
        ({"args": "import os"}, "`args`"),
    ],
)
def test_metadata_that_contradicts_is_refused(file: Path, said: dict[str, str], reason: str) -> None:
    assert reason in refused(write_model(file, [HEAD], metadata=SAID | said))


@pytest.mark.parametrize("imgsz", ["[64, 99]", "[0, 64]", "[640000, 64]", "'big'", "[64]"])
def test_sizes_that_cannot_be_are_refused(file: Path, imgsz: str) -> None:
    shape = ("batch", 3, "height", "width")
    refused(write_model(file, [HEAD], input_shape=shape, metadata=SAID | {"imgsz": imgsz}))


def test_other_graphs_are_refused_with_what_was_expected_and_seen(file: Path) -> None:
    message = refused(write_model(file, [np.zeros((1, 1000), np.float32)]))
    assert "Expected a YOLOv8" in message
    assert "output0 [1, 1000] float32" in message


def test_yolox_is_refused_with_what_was_expected_and_seen() -> None:
    message = refused(shared("models/yolox_nano_416.onnx"))
    assert "Expected a YOLOv8, YOLO11 or YOLO26 export" in message
    assert "[1, 3549, 85]" in message


@pytest.mark.parametrize("name", ["yolov8n.onnx", "yolov8n-seg.onnx"])
def test_real_exports_are_taken(name: str) -> None:
    info = inspect(shared("models") / name)
    assert info.labels[0] == "person"
    assert len(info.labels) == 80
    assert info.input_size == (640, 640)


def test_what_the_checker_refuses_is_refused(file: Path) -> None:
    model = constant_model([HEAD])
    model.graph.node.append(helper.make_node("Relu", ["nowhere"], ["lost"]))
    assert "checker" in refused(saved(file, model))


def test_foreign_and_unbounded_operators_are_refused(file: Path) -> None:
    model = constant_model([HEAD])
    model.opset_import.append(helper.make_opsetid("com.evil", 1))
    model.graph.node.append(helper.make_node("Exec", ["images"], ["done"], domain="com.evil"))
    assert "com.evil::Exec" in refused(saved(file, model))
    model = constant_model([HEAD])
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )
    model.graph.node.append(helper.make_node("Loop", ["", ""], [], body=body))
    assert "no bound" in refused(saved(file, model))


def test_graphs_inside_graphs_have_an_end(file: Path) -> None:
    model = constant_model([HEAD])
    inner = helper.make_graph([], "inner", [], [])
    for _ in range(MAX_DEPTH + 2):
        inner = helper.make_graph(
            [helper.make_node("If", ["condition"], [], then_branch=inner, else_branch=inner)], "deeper", [], []
        )
    model.graph.initializer.append(helper.make_tensor("condition", TensorProto.BOOL, [], [True]))
    model.graph.node.append(helper.make_node("If", ["condition"], [], then_branch=inner, else_branch=inner))
    assert "levels of graphs" in refused(saved(file, model))


def test_a_constant_no_weights_have_is_refused_unmade(file: Path) -> None:
    model = constant_model([HEAD])
    model.graph.initializer.append(helper.make_tensor("huge", TensorProto.INT64, [2], [400_000, 400_000]))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["huge"], ["filled"]))
    assert "400000 × 400000" in refused(saved(file, model))
