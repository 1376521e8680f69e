from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from appliance.engine.worker import handle
from appliance.errors import InvalidInput, UnusableModel
from appliance.records import ModelInfo
from tests._onnx import constant_model, dense_head, write_model
from tests._shared import shared

HEAD = dense_head([(20, 20, 10, 10, 0.9, 1)])
LIMIT_BYTES = 3 << 30


def test_a_model_is_inspected_and_run_once(tmp_path: Path) -> None:
    answer = handle({"do": "inspect", "files": {"weights": str(write_model(tmp_path / "m.onnx", [HEAD]))}})
    info = msgspec.convert(msgspec.json.decode(msgspec.json.encode(answer["info"])), ModelInfo)
    assert info.labels == ["washer", "bolt"]


@pytest.mark.parametrize("shape", [("batch", 3, "height", "width"), (4, 3, 64, 64)])
def test_dynamic_models_and_batches_run(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    handle({"do": "inspect", "files": {"weights": str(write_model(tmp_path / "m.onnx", [HEAD], input_shape=shape))}})


def test_a_graph_the_runtime_refuses_is_unusable(tmp_path: Path) -> None:
    model = constant_model([HEAD])
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.array([2, -7]), "once0"))
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UnusableModel) as caught:
        handle({"do": "inspect", "files": {"weights": str(path)}})
    assert caught.value.file == "m.onnx"


def test_outputs_other_than_promised_are_unusable(tmp_path: Path) -> None:
    model = constant_model([HEAD])
    model.graph.output[0].type.tensor_type.shape.dim[1].ClearField("dim_value")
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.zeros((1, 9, 84), np.float32), "value0"))
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UnusableModel, match="does not fit"):
        handle({"do": "inspect", "files": {"weights": str(path)}})


def test_other_requests_are_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot do"):
        handle({"do": "dance"})


def test_a_real_export_passes() -> None:
    assert (
        handle({"do": "inspect", "files": {"weights": str(shared("models/yolov8n.onnx"))}})["info"]["task"]
        == "detect"
    )


def in_limited_child(path: Path) -> subprocess.CompletedProcess[str]:
    request = {"do": "inspect", "files": {"weights": str(path)}}
    code = f"from appliance.engine.worker import handle; handle({request!r})"
    return subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_graph_that_asks_for_640_gigabytes_fails_in_the_child(tmp_path: Path) -> None:
    # Through a sum, so that no look at the file tells the size; it passes for a YOLO export.
    model = constant_model([HEAD])
    model.graph.initializer.append(helper.make_tensor("half", TensorProto.INT64, [2], [200_000, 200_000]))
    model.graph.node.extend(
        [
            helper.make_node("Add", ["half", "half"], ["huge"]),
            helper.make_node("ConstantOfShape", ["huge"], ["filled"]),
            helper.make_node("ReduceMax", ["filled"], ["top"], keepdims=0),
        ]
    )
    model.graph.output.append(helper.make_tensor_value_info("top", TensorProto.FLOAT, []))
    path = tmp_path / "huge.onnx"
    path.write_bytes(model.SerializeToString())
    done = in_limited_child(path)
    assert done.returncode != 0
    assert "UnusableModel" in done.stderr
    assert in_limited_child(write_model(path, [HEAD])).returncode == 0
