"""Prediction over many pictures: decoding, inference and post-processing overlap, memory stays flat.

Pictures are decoded by a few threads (the codecs release the GIL), one thread runs the
model, one turns tensors into geometry; between them are short queues. The generator that
`Predictor.predict` returns drives it all: when nobody takes outcomes, the queues fill and
the threads wait.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from appliance.engine.backends._base import Backend
from appliance.engine.backends._graph import Stop, Stopped
from appliance.engine.backends.onnxruntime import physical_cores
from appliance.engine.decoders._base import Placement, PredictOptions, decoders
from appliance.errors import JobCancelled, PixelQueueError, UnreadableImage, UnusableModel
from appliance.imaging.decode import decode_bgr
from appliance.records import ModelInfo, Prediction

__all__ = ["Item", "Outcome", "Predictor"]

log = logging.getLogger(__name__)

_IN_FLIGHT = 3
"""Micro-batches under way: one runs, one waits for it, one is decoded."""

_STOPS = 24
"""A micro-batch that was ended so often goes to its end: of clicks in a row fewer than one in twenty waits."""

_GPU_BATCH = 8
_MAX_DECODERS = 16


class Item(NamedTuple):
    """A picture to predict on: `key` comes back with its outcome, `name` is for messages.

    The file has been admitted (decoded once in a limited child) when it comes from outside.
    """

    key: Any
    path: Path
    name: str | None = None


class Outcome(NamedTuple):
    """What became of one picture: predictions (perhaps none), or the error that it alone had.

    `width` and `height` are canonical pixels, 0 when the picture could not be read.
    """

    key: Any
    predictions: list[Prediction]
    error: PixelQueueError | None
    width: int
    height: int


Holding = Callable[[Stop], AbstractContextManager[None]]
"""Holds the device for one run, which the stop ends."""


class _Prepared(NamedTuple):
    key: Any
    tensor: np.ndarray | None
    placement: Placement | None
    error: PixelQueueError | None


class Predictor:
    """One model on one device. Close it, or use it in a ``with``.

    `predict` may be called again and from several threads; runs of the model take turns.

    Args:
        model_path: The ONNX file, passed by `inspect`.
        info: What it says of itself.
        backend: The runtime.
        device: One of the backend's devices.
        options: How to predict.
        nice: Added to the niceness of the threads, so that a batch takes only what people leave.

    Attributes:
        backend: The runtime's name.
        device: Where the model is loaded.

    Raises:
        UnusableModel: No decoder for its family, or the runtime refuses it.
        BackendUnavailable: The device is not there.
    """

    def __init__(
        self,
        model_path: Path,
        info: ModelInfo,
        backend: Backend,
        device: str,
        options: PredictOptions,
        *,
        nice: int = 0,
    ) -> None:
        if info.family not in decoders():
            raise UnusableModel(f"there is no decoder for models of the family {info.family!r}", file=model_path.name)
        self.backend, self.device = backend.name, device
        self._info = info
        self._options = options
        self._decoder = decoders()[info.family]
        self._batch = info.batch or options.batch or (1 if device == "cpu" else _GPU_BATCH)
        readers = max(2, min(_MAX_DECODERS, physical_cores()))
        self._ahead = 2 * readers + 2 * self._batch
        self._readers = ThreadPoolExecutor(readers, "predict-read", _give_way, (nice,))
        self._runner = ThreadPoolExecutor(1, "predict-run", _give_way, (nice,))
        self._finisher = ThreadPoolExecutor(1, "predict-finish", _give_way, (nice,))
        # The runtime's own threads inherit the niceness of the one that loads the model.
        loading = self._runner.submit(backend.load, model_path, info, device, options.threads)
        try:
            self._session = loading.result()
        except BaseException:
            self._runner.shutdown()
            raise
        log.debug("loaded %s on %s:%s, micro-batches of %d", model_path.name, backend.name, device, self._batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads and free the model; what runs now is waited for, what waits is dropped."""
        for pool in (self._readers, self._runner, self._finisher):
            pool.shutdown(wait=True, cancel_futures=True)
        self._session.close()

    def predict(self, images: Iterable[Item], holding: Holding = nullcontext) -> Iterator[Outcome]:
        """Yield one outcome for each picture, in the order given.

        Args:
            images: Read a little ahead of the outcomes, in the caller's thread.
            holding: Entered for each run of the model, on the thread that runs it: outside the
                device is idle. It may wait (to lend the device to somebody more urgent) or raise
                (`JobCancelled`); what it raises comes out here, after the outcomes of all runs
                before it. A run whose stop is set is done again, which changes no outcome.

        Raises:
            JobCancelled: The predictor was closed meanwhile.
            BackendUnavailable: The runtime gave up.
        """
        over = threading.Event()
        waiting: deque[Future[_Prepared]] = deque()
        running: deque[Future[list[Outcome]]] = deque()
        source = iter(images)
        try:
            while self._refill(waiting, source) or running:
                while waiting and len(running) < _IN_FLIGHT:
                    running.append(self._start(self._take_batch(waiting), holding, over))
                    self._refill(waiting, source)
                yield from running.popleft().result()
        except (CancelledError, _Closed) as error:
            raise JobCancelled("the model was unloaded while it was predicting") from error
        finally:
            over.set()
            for future in (*waiting, *running):
                future.cancel()

    def _refill(self, waiting: deque[Future[_Prepared]], source: Iterator[Item]) -> bool:
        """Read ahead; say whether any picture waits."""
        while len(waiting) < self._ahead and (item := next(source, None)) is not None:
            waiting.append(_submit(self._readers, self._prepare, item))
        return bool(waiting)

    def _prepare(self, item: Item) -> _Prepared:
        """Read one picture; its errors stay its own."""
        try:
            image = decode_bgr(item.path, name=item.name)
            tensor, placement = self._decoder.prepare(image, self._info)
        except PixelQueueError as error:
            return _Prepared(item.key, None, None, error)
        except OSError as error:
            unreadable = UnreadableImage(f"{item.path.name} cannot be read: {error.strerror}", file=item.path.name)
            unreadable.__cause__ = error
            return _Prepared(item.key, None, None, unreadable)
        return _Prepared(item.key, tensor, placement, None)

    def _take_batch(self, waiting: deque[Future[_Prepared]]) -> list[_Prepared]:
        """Take the next pictures whose tensors have one shape; unreadable ones ride along."""
        batch = [waiting.popleft().result()]
        shape = batch[0].tensor.shape if batch[0].tensor is not None else None
        while waiting and len(batch) < self._batch:
            tensor = waiting[0].result().tensor
            if tensor is not None and shape not in (None, tensor.shape):
                break
            shape = tensor.shape if tensor is not None else shape
            batch.append(waiting.popleft().result())
        return batch

    def _start(self, batch: list[_Prepared], holding: Holding, over: threading.Event) -> Future[list[Outcome]]:
        readable = [p.tensor for p in batch if p.tensor is not None]
        run = _submit(self._runner, self._run, readable, holding, over)
        return _submit(self._finisher, self._finish, batch, run)

    def _run(self, readable: list[np.ndarray], holding: Holding, over: threading.Event) -> list[np.ndarray]:
        if over.is_set():
            raise CancelledError
        try:
            return self._unless_ended(readable, holding)
        except BaseException:
            over.set()  # the batches that wait must not run after one that failed
            raise

    def _unless_ended(self, readable: list[np.ndarray], holding: Holding) -> list[np.ndarray]:
        """Run the model, and again where somebody more urgent ended the run."""
        ended = 0
        while True:
            with holding(stop := Stop()):
                try:
                    given = stop if ended < _STOPS else None
                    return self._session.run(self._stacked(readable), given) if readable else []
                except Stopped:
                    ended += 1
                    log.debug("somebody more urgent ended a run, %d so far of this micro-batch", ended)

    def _stacked(self, tensors: list[np.ndarray]) -> np.ndarray:
        """Return the batch, filled up with black where the model's batch size is fixed."""
        missing = (self._info.batch or 0) - len(tensors)
        if len(tensors) == 1 and missing <= 0:
            return tensors[0][None]
        return np.stack(tensors + [np.zeros_like(tensors[0])] * missing)

    def _finish(self, batch: list[_Prepared], run: Future[list[np.ndarray]]) -> list[Outcome]:
        outputs = run.result()
        places = [p.placement for p in batch if p.placement is not None]
        found = iter(self._decoder.decode(outputs, places, self._info, self._options) if places else ())
        return [
            Outcome(p.key, next(found), None, p.placement.width, p.placement.height)
            if p.placement is not None
            else Outcome(p.key, [], p.error, 0, 0)
            for p in batch
        ]


def _give_way(nice: int) -> None:
    """Make the calling thread nicer; on Linux niceness is a thread's own."""
    if nice:
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + nice, 19))


class _Closed(Exception):
    """Work was handed to a predictor that is closed."""


def _submit(pool: ThreadPoolExecutor, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
    try:
        return pool.submit(work, *arguments)
    except RuntimeError as error:  # what the pool raises after its shutdown
        raise _Closed from error
