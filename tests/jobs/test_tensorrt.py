"""TensorRT through jobs: plans, workers, fallback. The GPU, its driver and TensorRT are stand-ins;
the driver's calls, the worker, the shared memory and the model are real."""

from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.engine.backends import fake, onnxruntime
from appliance.engine.decoders._base import PredictOptions
from appliance.engine.inspect import inspect
from appliance.engine.tensorrt.cuda import Facts
from appliance.engine.tensorrt.plan import Target, check, key_of, seal, shapes_of
from appliance.errors import BackendUnavailable, UnusableModel
from appliance.jobs.plans import Watch
from appliance.jobs.runtimes import Runtimes, look
from appliance.jobs.tensorrt import TensorRt
from appliance.jobs.workers import Worker, WorkerSession
from appliance.records import ModelInfo
from appliance.settings import Settings
from appliance.store.cache import Cache
from tests._onnx import dense_head, write_model
from tests.engine.tensorrt._made import interpreter

pytestmark = pytest.mark.skipif(find_spec("tensorrt") is not None, reason="this Python has TensorRT itself")
HEAD = dense_head([(32, 32, 20, 20, 0.9, 1)])
SHA256 = "ab" * 32


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 1 << 30)


def model(folder: Path, shape: tuple[int | str, ...] = ("n", 3, "h", "w")) -> tuple[Path, ModelInfo]:
    path = write_model(folder / SHA256, [HEAD], input_shape=shape)
    return path, inspect(path)


def settings(folder: Path, *, budget: int = 1 << 30, **variables: str) -> Settings:
    python = interpreter(folder / "python", **variables)
    return Settings(tensorrt_python=str(python), engine_memory_bytes=budget, log_level="warning")


def plans_in(cache: Cache) -> list[Path]:
    return sorted((cache.folder / "engines").rglob("*.plan"))


class Told:
    """Follows a build."""

    def __init__(self) -> None:
        self.words: list[str] = []

    @property
    def watch(self) -> Watch:
        return Watch(self.words.append)


def test_it_says_which_release_and_which_python(tmp_path: Path, cache: Cache) -> None:
    found = TensorRt(cache, settings(tmp_path)).probe()
    assert found.ok
    assert found.devices == ("cuda:0",)
    assert "10.3.0 under" in found.reason


@pytest.mark.parametrize(
    ("python", "reason"), [("", "tensorrt_python"), ("/nowhere/python", "nowhere"), ("/bin/false", "ended")]
)
def test_it_says_why_it_cannot_run(cache: Cache, python: str, reason: str) -> None:
    backend = TensorRt(cache, Settings(tensorrt_python=python))
    assert not backend.probe().ok
    assert reason in backend.probe().reason
    with pytest.raises(BackendUnavailable, match=reason):
        backend.load(Path("m.onnx"), fake.fake_info(), "cuda:0")


def test_doctor_and_the_models_page_are_told(tmp_path: Path) -> None:
    found = {one.name: one for one in look(settings(tmp_path)).backends}
    assert found["tensorrt"].ok
    assert found["tensorrt"].devices == ["cuda:0"]
    missing = {one.name: one for one in look(Settings()).backends}
    assert "tensorrt_python" in missing["tensorrt"].reason


@pytest.mark.parametrize("shape", [("n", 3, "h", "w"), ("n", 3, 64, 64), (1, 3, 64, 64)])
def test_it_answers_as_onnx_runtime_does(tmp_path: Path, cache: Cache, shape: tuple[int | str, ...]) -> None:
    path, info = model(tmp_path, shape)
    told = Told()
    session = TensorRt(cache, settings(tmp_path)).load(path, info, "cuda:0", watch=told.watch)
    reference = onnxruntime.BACKEND.load(path, info, "cpu", threads=1)
    for count in (1,) if info.batch else (1, 3, 8):
        batch = np.random.default_rng(count).random((count, 3, 64, 64), np.float32)
        found, expected = session.run(batch), reference.run(batch)
        assert [o.dtype for o in found] == [o.dtype for o in expected]
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    assert told.words[0] == "TensorRT builds the engine: Building Engine, 0 of 4"
    assert told.words[-1].endswith("4 of 4")


def test_outputs_larger_than_the_first_memory_come_whole(tmp_path: Path, cache: Cache) -> None:
    path = write_model(tmp_path / SHA256, [dense_head([], anchors=100_000)], input_shape=("n", 3, 64, 64))
    session = TensorRt(cache, settings(tmp_path)).load(path, inspect(path), "cuda:0")
    assert session.run(np.zeros((8, 3, 64, 64), np.float32))[0].shape == (8, 6, 100_000)
    assert session.run(np.zeros((1, 3, 64, 64), np.float32))[0].shape == (1, 6, 100_000)


def test_more_pictures_than_the_plan_takes_are_refused_in_words(tmp_path: Path, cache: Cache) -> None:
    session = TensorRt(cache, settings(tmp_path)).load(*model(tmp_path), "cuda:0")
    with pytest.raises(UnusableModel, match=r"shape \(9, 3, 64, 64\), the plan takes"):
        session.run(np.zeros((9, 3, 64, 64), np.float32))


def test_a_plan_is_built_once_and_its_timings_help_the_next(tmp_path: Path, cache: Cache) -> None:
    path, info = model(tmp_path)
    for expected in (5, 0):
        told = Told()
        TensorRt(cache, settings(tmp_path)).load(path, info, "cuda:0", watch=told.watch)
        assert bool(told.words) == bool(expected)
    assert len(plans_in(cache)) == 1
    (timings,) = (cache.folder / "engines").rglob("timings-*")
    assert timings.read_bytes() == b"measured;"
    plans_in(cache)[0].unlink()
    TensorRt(cache, settings(tmp_path)).load(path, info, "cuda:0")
    assert timings.read_bytes() == b"measured;measured;"


@pytest.mark.parametrize("harm", ["cut", "flip", "foreign", "empty"])
def test_a_damaged_or_foreign_plan_is_built_anew(tmp_path: Path, cache: Cache, harm: str) -> None:
    path, info = model(tmp_path)
    TensorRt(cache, settings(tmp_path)).load(path, info, "cuda:0")
    (plan,) = plans_in(cache)
    whole = plan.read_bytes()
    harmed = {"cut": whole[:-10], "flip": whole[:-1] + b"?", "empty": b"", "foreign": seal(b"other", "0" * 64)}
    plan.write_bytes(harmed[harm])
    told = Told()
    session = TensorRt(cache, settings(tmp_path)).load(path, info, "cuda:0", watch=told.watch)
    assert told.words
    assert session.run(np.zeros((1, 3, 64, 64), np.float32))
    assert plan.read_bytes() == whole


def test_a_sound_plan_that_tensorrt_does_not_take_is_built_once_more(tmp_path: Path, cache: Cache) -> None:
    path, info = model(tmp_path)
    TensorRt(cache, settings(tmp_path)).load(path, info, "cuda:0")
    (plan,) = plans_in(cache)
    plan.write_bytes(seal(b'{"release": "9"}\n', plan.stem))
    told = Told()
    TensorRt(cache, settings(tmp_path)).load(path, info, "cuda:0", watch=told.watch)
    assert told.words


@pytest.mark.parametrize("variable", ["STAND_IN_DRIVER", "STAND_IN_RELEASE"])
def test_another_driver_or_release_gets_a_plan_of_its_own(tmp_path: Path, cache: Cache, variable: str) -> None:
    path, info = model(tmp_path)
    TensorRt(cache, settings(tmp_path)).load(path, info, "cuda:0")
    TensorRt(cache, settings(tmp_path / "other", **{variable: "10.9"})).load(path, info, "cuda:0")
    assert len(plans_in(cache)) == 2


def test_release_11_gets_a_graph_of_half_precision(tmp_path: Path, cache: Cache) -> None:
    import onnx

    path, info = model(tmp_path)
    session = TensorRt(cache, settings(tmp_path, STAND_IN_RELEASE="11.4.0")).load(path, info, "cuda:0")
    (half,) = (cache.folder / "engines").rglob("*.half")
    kinds = {tensor.data_type for tensor in onnx.load(str(half)).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds
    assert onnx.TensorProto.FLOAT not in kinds
    found = session.run(np.zeros((2, 3, 64, 64), np.float32))[0]
    assert found.dtype == np.float32
    assert np.allclose(found, np.repeat(HEAD, 2, axis=0), atol=1e-2)


def test_a_worker_that_is_killed_ends_the_run_and_the_next_load_works(tmp_path: Path, cache: Cache) -> None:
    path, info = model(tmp_path)
    backend = TensorRt(cache, settings(tmp_path))
    session = backend.load(path, info, "cuda:0")
    os.kill(worker_of(session).pid, signal.SIGKILL)
    with pytest.raises(BackendUnavailable, match="gave up"):
        session.run(np.zeros((1, 3, 64, 64), np.float32))
    session.close()
    assert backend.load(path, info, "cuda:0").run(np.zeros((1, 3, 64, 64), np.float32))


def test_a_build_can_be_ended_and_leaves_nothing(tmp_path: Path, cache: Cache) -> None:
    class Enough(Exception):
        pass

    def attend() -> None:
        raise Enough

    path, info = model(tmp_path)
    backend = TensorRt(cache, settings(tmp_path, STAND_IN_SLOW="60"))
    with pytest.raises(Enough):
        backend.load(path, info, "cuda:0", watch=Watch(attend=attend))
    assert plans_in(cache) == []
    assert [p for p in cache.folder.rglob("*") if p.is_file() and not p.name.startswith("timings")] == []


def test_models_are_kept_loaded_within_the_budget(tmp_path: Path, cache: Cache) -> None:
    path, info = model(tmp_path)
    roomy = TensorRt(cache, settings(tmp_path))
    first = roomy.load(path, info, "cuda:0")
    pid = worker_of(first).pid
    first.close()
    again = roomy.load(path, info, "cuda:0")
    assert worker_of(again).pid == pid
    tight = TensorRt(cache, settings(tmp_path, budget=1 << 20))
    tight.load(path, info, "cuda:0")
    with pytest.raises(BackendUnavailable, match="engine_memory_bytes"):
        tight.load(path, info, "cuda:0")


def test_what_tensorrt_refuses_goes_to_onnx_runtime_and_the_reason_is_kept(tmp_path: Path, cache: Cache) -> None:
    path, info = model(tmp_path)
    runtimes = Runtimes(cache, settings(tmp_path, STAND_IN_REFUSES="1"))
    with runtimes.predictor(path, info, PredictOptions()) as predictor:
        assert (predictor.backend, predictor.device) == ("onnxruntime", "cpu")
    told = {one.name: one.fallback for one in runtimes.found().backends}
    assert "TopK" in str(told["tensorrt"])


def test_what_is_asked_for_by_name_does_not_fall_back(tmp_path: Path, cache: Cache) -> None:
    path, info = model(tmp_path)
    asked = Settings(backend="tensorrt", tensorrt_python=str(interpreter(tmp_path, STAND_IN_REFUSES="1")))
    with pytest.raises(UnusableModel, match="TopK"):
        Runtimes(cache, asked).predictor(path, info, PredictOptions())


def test_the_fake_backend_answers_the_same_from_a_worker() -> None:
    batch = np.zeros((2, 3, 320, 320), np.float32)
    batch[0, 0, 40:80, 60:200] = 1
    session = WorkerSession(Worker(), {"runtime": "fake"})
    expected = fake.BACKEND.load(Path(), fake.fake_info(), "cpu").run(batch)
    assert all(np.array_equal(a, b) for a, b in zip(session.run(batch), expected, strict=True))
    session.close()
    session.close()
    with pytest.raises(BackendUnavailable, match="unloaded"):
        session.run(batch)


def test_the_key_tells_everything_apart_that_a_plan_depends_on() -> None:
    facts = Facts("Orin", 87, 12060, 8 << 30)
    info = fake.fake_info()
    shapes = shapes_of(info)
    target = Target("10.3.0", facts, True)
    keys = {
        key_of(SHA256, target, shapes),
        key_of("cd" * 32, target, shapes),
        key_of(SHA256, target._replace(tensorrt="10.3.1"), shapes),
        key_of(SHA256, target._replace(half=False), shapes),
        key_of(SHA256, target._replace(device=facts._replace(name="AGX")), shapes),
        key_of(SHA256, target._replace(device=facts._replace(sm=89)), shapes),
        key_of(SHA256, target._replace(device=facts._replace(driver=12070)), shapes),
        key_of(SHA256, target, shapes_of(fake.fake_info(input_size=(640, 640)))),
    }
    assert len(keys) == 8


def test_a_sealed_plan_is_whole_or_none(tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_bytes(seal(b"plan", "k"))
    offset = check(path, "k")
    assert offset is not None
    assert path.read_bytes()[offset:] == b"plan"
    assert check(path, "other") is None


def worker_of(session: Any) -> Worker:
    """Return the worker below a lent session."""
    worker: Worker = session._session._worker
    return worker
