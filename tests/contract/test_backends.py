"""What every backend owes its callers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from appliance.engine.backends._base import Backend, backends, choose
from appliance.engine.backends.fake import fake_info
from appliance.engine.inspect import inspect
from appliance.errors import BackendUnavailable
from appliance.records import ModelInfo
from tests._onnx import dense_head, write_model

pytestmark = pytest.mark.parametrize("backend", backends().values(), ids=backends())


def model(backend: Backend, folder: Path) -> tuple[Path, ModelInfo]:
    if backend.name == "fake":
        return folder / "none", fake_info(input_size=(64, 64))
    path = write_model(folder / "m.onnx", [dense_head([])], input_shape=("n", 3, "h", "w"))
    return path, inspect(path)


def test_the_probe_answers_with_a_reason_and_devices(backend: Backend) -> None:
    found = backend.probe()
    assert found.reason
    assert bool(found.devices) == found.ok
    assert found == backend.probe()


def test_it_can_be_chosen_by_name_on_each_device_or_says_why_not(backend: Backend) -> None:
    found = backend.probe()
    for device in found.devices:
        assert choose(backend.name, device) == (backend, device)
    with pytest.raises(BackendUnavailable, match=backend.name):
        choose(backend.name, "abacus:0")


def test_sessions_answer_for_each_picture_in_float32_until_closed(backend: Backend, tmp_path: Path) -> None:
    path, info = model(backend, tmp_path)
    for device in backend.probe().devices:
        session = backend.load(path, info, device, threads=1)
        for pictures in (1, 3):
            outputs = session.run(np.zeros((pictures, 3, 64, 64), np.float32))
            assert all(o.shape[0] == pictures and o.dtype == np.float32 for o in outputs)
        session.close()
        session.close()
        with pytest.raises(BackendUnavailable):
            session.run(np.zeros((1, 3, 64, 64), np.float32))


def test_devices_it_does_not_have_are_refused(backend: Backend, tmp_path: Path) -> None:
    path, info = model(backend, tmp_path)
    with pytest.raises(BackendUnavailable, match="abacus"):
        backend.load(path, info, "abacus:0")
