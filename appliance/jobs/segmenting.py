"""Interactive segmentation: a click's way to a segmenter and back.

A person waits for each answer, so clicks borrow the model lane ahead of everything else: the run of
a batch and a prefetch that are under way are ended, and done again afterwards. What the images of
the queues look like to a model is made ahead, as soon as somebody leases them.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from appliance.errors import BackendUnavailable, NotFound, StoreError, Unavailable, UnusableModel
from appliance.geometry.mask import Mask
from appliance.jobs._base import FOREGROUND, INTERACTIVE
from appliance.jobs.ahead import Ahead
from appliance.jobs.chains import Chains
from appliance.jobs.embeddings import Embeddings, Key, Region, Seen
from appliance.records import Click, Image, Model, Record, Segmentation
from appliance.store import Reading, Store, images, segmenters

if TYPE_CHECKING:
    import numpy as np

    from appliance.engine.backends._graph import Stop
    from appliance.engine.segmenters._base import Segmenter, Session
    from appliance.jobs.lanes import ThreadLane
    from appliance.jobs.tiles import Tiles

__all__ = ["Ask", "Segmenting"]

_log = logging.getLogger(__name__)

_THREADS = 4
"""Clicks on what was looked at are answered while the pictures of others are decoded and looked at."""

_KEPT_BYTES = 128 << 20
"""Embeddings held in memory: those of the images that people have open."""

_SESSIONS = 2
"""Models held in memory."""


class Ask(Record, frozen=True):
    """What somebody asks about an image, in its canonical pixels.

    `view` is the part that is in sight; without one the whole image is looked at. `mask` is the answer
    to the prompt before, and `chain` that answer's.
    """

    points: list[Click] = msgspec.field(default_factory=list)
    box: tuple[float, float, float, float] | None = None
    view: tuple[float, float, float, float] | None = None
    mask: Mask | None = None
    chain: str | None = None


class _Answering(Record, frozen=True):
    """What answers: a family, and the model of it, where it has one."""

    family: str
    model: Model | None

    @property
    def key(self) -> str:
        return self.model.sha256 if self.model else self.family

    @property
    def title(self) -> str:
        from appliance.engine.segmenters._base import segmenters as known

        return str(self.model.info.details["title"]) if self.model else known()[self.family].title


class Segmenting:
    """Answers clicks with the segmenter that a project chose, or the one that is always there.

    Args:
        store: Where pictures and models are.
        lane: Where models take turns.
        tiles: The pyramids of very large pictures.
        device: The setting.
    """

    def __init__(self, store: Store, lane: ThreadLane, tiles: Tiles, device: str) -> None:
        self._store = store
        self._lane = lane
        self._tiles = tiles
        self._device = device
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="segment")
        self._seen = Embeddings(store.cache, _KEPT_BYTES)
        self._chains = Chains()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()
        self._ahead = Ahead(self._look_ahead)

    def start(self) -> None:
        """Begin to look ahead at what people lease."""
        self._ahead.start(self._store)

    def stop(self) -> None:
        """Answer nothing any more; what runs now is waited for."""
        self._ahead.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for session in self._sessions.values():
            session.close()

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

    def answering(self, reading: Reading, project_id: int) -> str:
        """Return the name of what will answer a project's clicks."""
        return self._of(segmenters.chosen(reading, project_id)).title

    def _answer(self, image: Image, ask: Ask) -> Segmentation:
        chosen = self._of(self._store.read(lambda reading: segmenters.chosen(reading, image.project_id)))
        try:
            return self._answered_by(chosen, image, ask)
        except (BackendUnavailable, UnusableModel) as error:
            if chosen.model is None:
                raise
            _log.warning("%s cannot answer, the built-in segmenter does: %s", chosen.title, error)
            return self._answered_by(self._of(None), image, ask)

    def _answered_by(self, chosen: _Answering, image: Image, ask: Ask) -> Segmentation:
        segmenter = _family(chosen)
        region = _region(_sight(image, ask), image, segmenter)
        key = Key(chosen.key, image.sha256, region)
        seen = self._seen.get(key)
        picture = self._cut(image, region, segmenter.side) if seen is None else None
        lane = self._lane.borrowed(INTERACTIVE, hurried=True, brief=seen is not None)
        with self._ahead.out_of_the_way(key), lane:
            session = self._session(chosen)
            seen = seen or self._seen.get(key) or self._look(key, session, picture, keep=segmenter.costly)
            logits = self._chains.get(ask.chain, key)
            prompt = seen.frame.prompt(ask.points, ask.box, ask.mask if logits is None else None)
            prompt = prompt._replace(logits=logits)
            found = session.decode(seen.embedding, prompt, seen.frame.width, seen.frame.height)
        return Segmentation(
            segmenter=chosen.title,
            model_id=chosen.model.id if chosen.model else None,
            mask=seen.frame.mask(found.mask, image.width, image.height),
            score=round(found.score, 4),
            region=region,
            chain=None if found.logits is None else self._chains.put(key, found.logits),
        )

    def _look(
        self, key: Key, session: Session, picture: np.ndarray | None, *, keep: bool, stop: Stop | None = None
    ) -> Seen:
        from appliance.engine.segmenters._frame import Frame

        assert picture is not None
        height, width = picture.shape[:2]
        made = Seen(Frame(key.region, width, height), session.encode(picture, stop))
        return self._seen.put(key, made, keep=keep)

    def _look_ahead(self, image_id: int, project_id: int, begin: Callable[[Key], Stop]) -> None:
        """Make the embedding of a whole image, where its project's segmenter has costly ones."""

        def read(reading: Reading) -> tuple[Image, Model | None]:
            return images.get(reading, project_id, image_id), segmenters.chosen(reading, project_id)

        image, model = self._store.read(read)
        chosen = self._of(model)
        segmenter = _family(chosen)
        region = (0, 0, image.width, image.height)
        key = Key(chosen.key, image.sha256, region)
        if not segmenter.costly or self._seen.has(key):
            return
        picture = self._cut(image, region, segmenter.side)
        stop = begin(key)
        with self._lane.borrowed(FOREGROUND):
            session = self._session(chosen)
            if not self._seen.has(key):
                self._look(key, session, picture, keep=True, stop=stop)

    def _of(self, model: Model | None) -> _Answering:
        from appliance.engine.segmenters._base import BUILT_IN
        from appliance.engine.segmenters._base import segmenters as known

        if model is not None and model.family in known():
            return _Answering(family=model.family, model=model)
        return _Answering(family=BUILT_IN, model=None)

    def _session(self, chosen: _Answering) -> Session:
        from appliance.engine.segmenters._base import Weights

        with self._lock:
            session = self._sessions.pop(chosen.key, None)
            if session is None:
                model = chosen.model
                weights = Weights(self._files(model), model.info, self._device) if model else None
                session = _family(chosen).open(weights)
            self._sessions[chosen.key] = session
            while len(self._sessions) > _SESSIONS:
                self._sessions.popitem(last=False)[1].close()
            return session

    def _files(self, model: Model) -> dict[str, Path]:
        """Return a model's files by role.

        Raises:
            UnusableModel: They are gone, or not what they were.
        """
        try:
            return {one.role: self._store.blobs.path(one.sha256) for one in model.files}
        except (NotFound, StoreError) as error:
            raise UnusableModel(f"{model.title}: {error.message}") from error

    def _cut(self, image: Image, region: Region, side: int) -> np.ndarray:
        from appliance.imaging.crop import cut, cut_tiles

        if image.tiled:
            with self._tiles.found(image.sha256) as pack:
                return cut_tiles(pack, region, side)
        return cut(self._store.blobs.path(image.sha256), region, side, name=image.name)


def _family(chosen: _Answering) -> Segmenter:
    from appliance.engine.segmenters._base import segmenters as known

    return known()[chosen.family]


def _region(sight: tuple[float, float, float, float], image: Image, segmenter: Segmenter) -> Region:
    from appliance.engine.segmenters._region import region_for

    return region_for(sight, image.width, image.height, segmenter.side)


def _sight(image: Image, ask: Ask) -> tuple[float, float, float, float]:
    """Return what has to lie in the region: the view, and all that the prompt names."""
    if ask.view is None:
        return 0.0, 0.0, float(image.width), float(image.height)
    xs = [click.x for click in ask.points] + ([] if ask.box is None else [ask.box[0], ask.box[2]])
    ys = [click.y for click in ask.points] + ([] if ask.box is None else [ask.box[1], ask.box[3]])
    x1, y1, x2, y2 = ask.view
    return min(x1, *xs), min(y1, *ys), max(x2, *xs), max(y2, *ys)
