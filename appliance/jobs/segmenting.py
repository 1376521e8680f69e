"""Interactive segmentation: a click's way to a segmenter and back.

A person waits for each answer, so clicks borrow the model lane ahead of everything else: a batch
hands it over between two micro-batches.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from appliance.errors import Unavailable
from appliance.geometry.mask import Mask
from appliance.jobs._base import INTERACTIVE
from appliance.records import Click, Image, Record, Segmentation

if TYPE_CHECKING:
    import numpy as np

    from appliance.engine.segmenters._base import Embedding, Session
    from appliance.engine.segmenters._frame import Frame
    from appliance.jobs.lanes import ThreadLane
    from appliance.jobs.tiles import Tiles
    from appliance.store import Store

__all__ = ["Ask", "Segmenting"]

_THREADS = 2
"""One click is answered while the next one's picture is decoded."""

_KEPT_BYTES = 128 << 20
"""Embeddings held in memory: those of the images that people have open."""

Region = tuple[int, int, int, int]


class Ask(Record, frozen=True):
    """What somebody asks about an image, in its canonical pixels.

    `view` is the part that is in sight; without one the whole image is looked at. `mask` is the answer
    to the prompt before.
    """

    points: list[Click] = msgspec.field(default_factory=list)
    box: tuple[float, float, float, float] | None = None
    view: tuple[float, float, float, float] | None = None
    mask: Mask | None = None


class Segmenting:
    """Answers clicks with the segmenter that is there.

    Args:
        store: Where the pictures are.
        lane: Where models take turns.
        tiles: The pyramids of very large pictures.
    """

    def __init__(self, store: Store, lane: ThreadLane, tiles: Tiles) -> None:
        self._store = store
        self._lane = lane
        self._tiles = tiles
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="segment")
        self._seen = _Kept(_KEPT_BYTES)
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def ask(self, image: Image, ask: Ask) -> Future[Segmentation]:
        """Answer a prompt about an image; may be called from the event loop.

        The future raises `UnreadableImage` and `NotFound` where the picture cannot be had.

        Raises:
            Unavailable: The appliance is stopping.
        """
        try:
            return self._threads.submit(copy_context().run, self._answer, image, ask)
        except RuntimeError as error:  # what the pool raises after its shutdown
            raise Unavailable("the appliance is stopping: try again in a moment") from error

    def stop(self) -> None:
        """Answer nothing any more; what runs now is waited for."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for session in self._sessions.values():
            session.close()

    def _answer(self, image: Image, ask: Ask) -> Segmentation:
        from appliance.engine.segmenters._base import BUILT_IN, segmenters
        from appliance.engine.segmenters._frame import Frame
        from appliance.engine.segmenters._region import region_for

        segmenter = segmenters()[BUILT_IN]
        region = region_for(_sight(image, ask), image.width, image.height, segmenter.side)
        key = f"{segmenter.name} {image.sha256} {region}"
        picture = None if key in self._seen else self._cut(image, region, segmenter.side)
        with self._lane.borrowed(INTERACTIVE):
            session = self._session(BUILT_IN)
            seen = self._seen.get(key)
            if seen is None:
                picture = self._cut(image, region, segmenter.side) if picture is None else picture
                height, width = picture.shape[:2]
                seen = self._seen.put(key, Seen(Frame(region, width, height), session.encode(picture)))
            found = session.decode(seen.embedding, seen.frame.prompt(ask.points, ask.box, ask.mask))
        return Segmentation(
            segmenter=segmenter.title,
            model_id=None,
            mask=seen.frame.mask(found.mask, image.width, image.height),
            score=round(found.score, 4),
            region=region,
        )

    def _session(self, name: str) -> Session:
        from appliance.engine.segmenters._base import segmenters

        with self._lock:
            if name not in self._sessions:
                self._sessions[name] = segmenters()[name].open()
            return self._sessions[name]

    def _cut(self, image: Image, region: Region, side: int) -> np.ndarray:
        from appliance.imaging.crop import cut, cut_tiles

        if image.tiled:
            with self._tiles.found(image.sha256) as pack:
                return cut_tiles(pack, region, side)
        return cut(self._store.blobs.path(image.sha256), region, side, name=image.name)


class Seen(NamedTuple):
    """A region that was looked at."""

    frame: Frame
    embedding: Embedding

    @property
    def size_bytes(self) -> int:
        return sum(array.nbytes for array in self.embedding.values())


class _Kept:
    """Regions that were looked at, by name; the least recently used go when there are too many bytes."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._all: OrderedDict[str, Seen] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, key: str) -> bool:
        return key in self._all

    def get(self, key: str) -> Seen | None:
        with self._lock:
            if key in self._all:
                self._all.move_to_end(key)
            return self._all.get(key)

    def put(self, key: str, seen: Seen) -> Seen:
        with self._lock:
            self._all[key] = seen
            while len(self._all) > 1 and sum(one.size_bytes for one in self._all.values()) > self._budget_bytes:
                self._all.popitem(last=False)
        return seen


def _sight(image: Image, ask: Ask) -> tuple[float, float, float, float]:
    """Return what has to lie in the region: the view, and all that the prompt names."""
    if ask.view is None:
        return 0.0, 0.0, float(image.width), float(image.height)
    xs = [click.x for click in ask.points] + ([] if ask.box is None else [ask.box[0], ask.box[2]])
    ys = [click.y for click in ask.points] + ([] if ask.box is None else [ask.box[1], ask.box[3]])
    x1, y1, x2, y2 = ask.view
    return min(x1, *xs), min(y1, *ys), max(x2, *xs), max(y2, *ys)
