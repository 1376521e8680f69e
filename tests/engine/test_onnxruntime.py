from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from appliance.engine.backends._base import choose
from appliance.engine.backends.onnxruntime import BACKEND, physical_cores
from appliance.engine.inspect import inspect
from appliance.errors import BackendUnavailable, UnusableModel
from tests._onnx import dense_head, write_model

HEAD = dense_head([(20, 20, 10, 10, 0.9, 1)])


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("shape", [(1, 3, 64, 64), ("batch", 3, "height", "width"), (2, 3, 64, 64)])
def test_it_runs_what_the_file_holds(tmp_path: Path, half: bool, shape: tuple[int | str, ...]) -> None:
    path = write_model(tmp_path / "m.onnx", [HEAD], input_shape=shape, half=half)
    info = inspect(path)
    session = BACKEND.load(path, info, "cpu", threads=1)
    (output,) = session.run(np.zeros((info.batch or 3, 3, *info.input_size), np.float32))
    assert output.dtype == np.float32
    assert output.shape == (info.batch or 3, 6, 84)
    assert np.allclose(output, HEAD, atol=1e-3)
    session.close()
    with pytest.raises(BackendUnavailable, match="unloaded"):
        session.run(np.zeros((1, 3, 64, 64), np.float32))


def test_a_file_the_runtime_refuses_is_unusable(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", [HEAD])
    info = inspect(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UnusableModel, match="refuses"):
        BACKEND.load(path, info, "cpu")


def test_tensors_it_cannot_run_are_its_error(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", [HEAD])
    session = BACKEND.load(path, inspect(path), "cpu")
    with pytest.raises(BackendUnavailable, match="could not run"):
        session.run(np.zeros((1, 3, 32, 32), np.float32))


def test_devices_that_are_not_there_are_named(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", [HEAD])
    with pytest.raises(BackendUnavailable, match="cuda:7"):
        BACKEND.load(path, inspect(path), "cuda:7")
    with pytest.raises(BackendUnavailable, match="no backend can run on cuda:7"):
        choose("auto", "cuda:7")
    with pytest.raises(BackendUnavailable, match="no backend 'magic'"):
        choose("magic")


def test_there_is_a_core() -> None:
    assert physical_cores() >= 1
