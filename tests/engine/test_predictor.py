from __future__ import annotations

import collections
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from appliance.engine.backends._graph import Stop
from appliance.engine.backends.fake import BACKEND, FakeSession, fake_info
from appliance.engine.backends.onnxruntime import BACKEND as ONNXRUNTIME
from appliance.engine.decoders._base import PredictOptions
from appliance.engine.inspect import inspect
from appliance.engine.predictor import Item, Outcome, Predictor
from appliance.errors import BackendUnavailable, JobCancelled, NotFound, UnreadableImage, UnusableModel
from appliance.geometry.box import Box
from appliance.records import ModelInfo
from tests._onnx import dense_head, write_model
from tests._wait import until

NO_FILE = Path("fake")


def write_picture(folder: Path, index: int, size: tuple[int, int] = (64, 64)) -> Item:
    """Write a picture with a red box that starts at column `index`."""
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    pixels[10:40, index : index + 20] = (255, 0, 0)
    path = folder / f"{index}-{size[0]}.png"
    Image.fromarray(pixels).save(path)
    return Item(index, path, path.name)


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    return [write_picture(tmp_path, index) for index in range(20)]


@pytest.fixture
def load() -> Iterator[Callable[..., Predictor]]:
    opened = []

    def open_one(info: ModelInfo | None = None, backend: object = BACKEND, **options: object) -> Predictor:
        predictor = Predictor(
            NO_FILE, info or fake_info(input_size=(64, 64)), backend, "cpu", PredictOptions(**options)
        )
        opened.append(predictor)
        return predictor

    yield open_one
    for predictor in opened:
        predictor.close()


def column(outcome: Outcome) -> float:
    assert outcome.error is None
    assert (outcome.width, outcome.height) == (64, 64)
    return outcome.predictions[0].geometry.bounds()[0]


@pytest.mark.parametrize("batch", [None, 1, 3, 8, 64])
def test_outcomes_come_in_the_order_given(load: Callable, items: list[Item], batch: int | None) -> None:
    outcomes = list(load(batch=batch).predict(items))
    assert [o.key for o in outcomes] == list(range(20))
    assert [column(o) for o in outcomes] == list(range(20))


@pytest.mark.parametrize("batch", [1, 4])
def test_an_unreadable_picture_harms_no_neighbour(
    load: Callable, items: list[Item], tmp_path: Path, batch: int
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    mixed = [Item("a", broken, "broken.jpg"), *items[:5], Item("b", tmp_path / "gone.jpg"), *items[5:9]]
    outcomes = list(load(batch=batch).predict(mixed))
    assert [o.key for o in outcomes] == [i.key for i in mixed]
    failed = {o.key: o for o in outcomes if o.error}
    assert set(failed) == {"a", "b"}
    assert isinstance(failed["a"].error, UnreadableImage)
    assert isinstance(failed["b"].error, NotFound)
    assert all(o.predictions == [] for o in failed.values())
    assert "broken.jpg" in failed["a"].error.message
    assert [column(o) for o in outcomes if not o.error] == list(range(9))


def test_only_unreadable_pictures_are_fine(load: Callable, tmp_path: Path) -> None:
    outcomes = list(load(batch=2).predict(Item(n, tmp_path / "gone.png") for n in range(5)))
    assert all(o.error for o in outcomes)
    assert len(outcomes) == 5


def test_nothing_gives_nothing(load: Callable) -> None:
    assert list(load().predict([])) == []


@pytest.mark.parametrize("batch", [1, 8])
def test_pictures_of_different_shapes_go_through_a_dynamic_model(load: Callable, tmp_path: Path, batch: int) -> None:
    sizes = [(64, 64), (64, 64), (128, 64), (64, 128), (64, 128), (64, 64)]
    items = [write_picture(tmp_path, index, size) for index, size in enumerate(sizes)]
    info = ModelInfo(
        family="yolo",
        task="detect",
        labels=["red", "green", "blue"],
        input_size=(128, 128),
        dynamic=True,
        batch=None,
        end_to_end=True,
    )
    outcomes = list(load(info, batch=batch).predict(items))
    assert [(o.width, o.height) for o in outcomes] == sizes
    for index, outcome in enumerate(outcomes):
        found = outcome.predictions[0].geometry.bounds()
        assert found == pytest.approx((index, 10, index + 20, 40), abs=1)


def test_a_fixed_batch_is_filled_up(tmp_path: Path, items: list[Item]) -> None:
    path = write_model(tmp_path / "m.onnx", [dense_head([(32, 32, 10, 10, 0.9, 1)])], input_shape=(4, 3, 64, 64))
    with Predictor(path, inspect(path), ONNXRUNTIME, "cpu", PredictOptions(batch=1)) as predictor:
        outcomes = list(predictor.predict(items[:6]))
    assert [o.key for o in outcomes] == list(range(6))
    assert all(o.predictions[0].geometry == Box(27, 27, 37, 37) for o in outcomes)


def test_the_hook_runs_before_each_micro_batch_one_at_a_time(load: Callable, items: list[Item]) -> None:
    threads = []

    def hold(_: Stop) -> AbstractContextManager[None]:
        threads.append(threading.current_thread())
        return nullcontext()

    list(load(batch=4).predict(items, hold))
    assert len(threads) == 5
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()


def test_cancelling_in_the_hook_comes_after_what_was_done(load: Callable, items: list[Item]) -> None:
    turns = itertools.count(1)

    def cancel_third(_: Stop) -> AbstractContextManager[None]:
        if next(turns) == 3:
            raise JobCancelled("enough")
        return nullcontext()

    predictor = load(batch=2)
    outcomes = []
    with pytest.raises(JobCancelled, match="enough"):
        collections.deque(map(outcomes.append, predictor.predict(items, cancel_third)), maxlen=0)
    assert [o.key for o in outcomes] == [0, 1, 2, 3]
    assert next(turns) == 4, "no run after the one that was cancelled"
    assert len(list(predictor.predict(items))) == 20


def test_the_hook_may_hold_the_model_back(load: Callable, items: list[Item]) -> None:
    asked, go = threading.Event(), threading.Event()

    def wait(_: Stop) -> AbstractContextManager[None]:
        asked.set()
        assert go.wait(30)
        return nullcontext()

    outcomes = load(batch=4).predict(items, wait)
    first: list[Outcome] = []
    taker = threading.Thread(target=lambda: first.append(next(outcomes)))
    taker.start()
    assert asked.wait(30)
    assert first == []
    go.set()
    taker.join(30)
    assert [o.key for o in [*first, *outcomes]] == list(range(20))


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Predictor]:
    head = dense_head([(32, 32, 10, 10, 0.9, 1)])
    path = write_model(tmp_path / "slow.onnx", [head], work=60)
    with Predictor(path, inspect(path), ONNXRUNTIME, "cpu", PredictOptions(batch=1)) as predictor:
        yield predictor


def test_a_run_that_is_ended_is_done_again_with_the_same_outcome(slow: Predictor, items: list[Item]) -> None:
    alone = list(slow.predict(items[:3]))
    stops: list[Stop] = []

    @contextmanager
    def ended_once(stop: Stop) -> Iterator[None]:
        stops.append(stop)
        first = len(stops) % 2 == 1
        ender = threading.Thread(target=_end_under_way, args=(stop,)) if first else None
        if ender:
            ender.start()
        yield
        if ender:
            ender.join()

    assert list(slow.predict(items[:3], ended_once)) == alone
    assert [stop.is_set for stop in stops] == [True, False] * 3
    assert len(alone[0].predictions) == 1


def _end_under_way(stop: Stop) -> None:
    """Set a stop once the runtime has it."""
    until(lambda: stop._options is not None)
    stop.set()


def test_a_run_that_is_ended_again_and_again_is_let_finish(slow: Predictor, items: list[Item]) -> None:
    begun = itertools.count()

    def end(stop: Stop) -> AbstractContextManager[None]:
        next(begun)
        stop.set()
        return nullcontext()

    assert list(slow.predict(items[:2], end)) == list(slow.predict(items[:2]))
    assert next(begun) == 2 * 25


def test_it_reads_only_a_little_ahead(load: Callable, items: list[Item]) -> None:
    taken = itertools.count()
    endless = (Item(next(taken), items[0].path) for _ in itertools.repeat(None))
    outcomes = load().predict(endless)
    assert [next(outcomes).key for _ in range(5)] == list(range(5))
    outcomes.close()
    assert next(taken) < 50


def test_an_error_of_the_source_comes_out(load: Callable, items: list[Item]) -> None:
    def failing() -> Iterator[Item]:
        yield from items[:3]
        raise RuntimeError("the list broke")

    with pytest.raises(RuntimeError, match="the list broke"):
        list(load().predict(failing()))


def test_close_ends_the_threads_and_predict_says_so(load: Callable, items: list[Item]) -> None:
    before = threading.active_count()
    predictor = load()
    outcomes = predictor.predict(items)
    next(outcomes)
    assert threading.active_count() > before
    predictor.close()
    assert threading.active_count() == before
    with pytest.raises(JobCancelled, match="unloaded"):
        list(outcomes)
    with pytest.raises(JobCancelled, match="unloaded"):
        list(predictor.predict(items))


class _Failing(FakeSession):
    def run(self, *_: object) -> list[np.ndarray]:
        raise BackendUnavailable("the device is lost")


class _FailingBackend(type(BACKEND)):
    def load(self, *_: object, **__: object) -> FakeSession:
        return _Failing(masks=False)


def test_a_runtime_that_gives_up_ends_the_prediction(load: Callable, items: list[Item]) -> None:
    with pytest.raises(BackendUnavailable, match="lost"):
        list(load(backend=_FailingBackend()).predict(items))


def test_two_threads_may_predict_with_one_model(load: Callable, items: list[Item]) -> None:
    predictor = load(batch=2)
    found: dict[int, list[float]] = {}

    def work(number: int) -> None:
        found[number] = [column(o) for o in predictor.predict(items)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {0: list(map(float, range(20))), 1: list(map(float, range(20)))}


def test_families_without_a_decoder_are_refused() -> None:
    info = ModelInfo(family="unheard-of", task="detect", labels=["a"], input_size=(64, 64))
    with pytest.raises(UnusableModel, match="unheard-of"):
        Predictor(NO_FILE, info, BACKEND, "cpu", PredictOptions())


@pytest.mark.slow
def test_memory_stays_flat_over_ten_thousand_pictures(tmp_path: Path, items: list[Item]) -> None:
    path = write_model(tmp_path / "m.onnx", [dense_head([(32, 32, 10, 10, 0.9, 1)])])
    endless = itertools.cycle(items)
    with Predictor(path, inspect(path), ONNXRUNTIME, "cpu", PredictOptions()) as predictor:
        for _ in predictor.predict(itertools.islice(endless, 500)):
            pass
        start = psutil.Process().memory_info().rss
        done = sum(1 for _ in predictor.predict(itertools.islice(endless, 10_000)))
        grown = psutil.Process().memory_info().rss - start
    assert done == 10_000
    assert grown < 24e6, f"resident memory grew by {grown / 1e6:.1f} MB"
