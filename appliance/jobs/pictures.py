"""Whatever is done with picture bytes: asked of a pool of limited children, never done here."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from appliance.errors import ChildFailed, PixelQueueError, Unavailable, UnreadableImage
from appliance.jobs.children import Child
from appliance.jobs.pool import Pool
from appliance.records import Image, Probe
from appliance.settings import Settings
from appliance.store import Store

__all__ = ["Pictures"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

_DEADLINE_S = 60.0
"""The largest picture allowed, as PNG on a busy core of 2026, takes about half of it."""

_BASE_BYTES = 1 << 30
_BYTES_PER_PIXEL = 5
"""Pillow holds four bytes per colour pixel; the largest picture allowed must fit beside the libraries."""

_WORDS = {
    "deadline": "takes longer than {seconds:g} s to decode: it may be damaged, save it again from its source",
    "memory": "needs more memory to decode than a picture may: scale it down or cut it into tiles",
    "signal": "made the decoder crash: it may be damaged, save it again from its source",
}

_NOT_ITS_FAULT = {"starved": "could not be decoded in time, because the box is very busy: send it again later"}
_ENDED = (
    "could not be decoded, because the box's decoder ended: send it again, and where that does not help, "
    "restart the box and look into its log"
)


class Pictures:
    """A pool of children that probe, thumbnail and convert pictures.

    A picture that hangs or crashes its child is refused by name; its neighbours are not touched.
    The methods block; those that return a future do not, and may be called from the event loop.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._max_pixels = settings.max_pixels
        size = settings.image_children or os.cpu_count() or 1
        memory_bytes = _BASE_BYTES + _BYTES_PER_PIXEL * settings.max_pixels
        self._pool = Pool(lambda: Child("imaging.worker", memory_bytes=memory_bytes), size, deadline_s=_DEADLINE_S)

    def admitting(self, path: Path, name: str, thumbnail: Path) -> Future[Probe]:
        """Decode a picture once: learn what it is and write its thumbnail and, beside it, its screen's copy.

        The future raises `UnreadableImage` and its subclasses, naming the file.
        """
        request = {"do": "admit", "path": path, "thumbnail": thumbnail, "screen": _screen_beside(thumbnail)}
        return self._asked(request, name, lambda answer: msgspec.convert(answer["probe"], Probe))

    def admit(self, path: Path, name: str, thumbnail: Path) -> Probe:
        """Decode a picture once: return what it is and write its thumbnail; blocks.

        Raises:
            UnreadableImage: With its subclasses; the file is named.
        """
        return self.admitting(path, name, thumbnail).result()

    def thumbnail(self, path: Path, name: str, out: Path) -> None:
        """Write a small upright JPEG; blocks."""
        self._asked({"do": "thumbnail", "path": path, "out": out}, name, lambda _: None).result()

    def screen(self, path: Path, name: str, out: Path) -> None:
        """Write the copy of a screen's size of a picture that has one; blocks."""
        with tempfile.TemporaryDirectory(dir=self._store.temporary) as folder:
            thumbnail = Path(folder, "thumbnail.jpg")
            self.admit(path, name, thumbnail)
            _screen_beside(thumbnail).replace(out)

    def rendition(self, path: Path, name: str, out: Path) -> None:
        """Write an upright picture browsers can show; blocks."""
        self._asked({"do": "rendition", "path": path, "out": out}, name, lambda _: None).result()

    def upright(self, path: Path, name: str, out: Path) -> str | None:
        """Write a copy that is upright in its pixels; return its extension, or None when none is needed."""
        extension: str | None = self._asked(
            {"do": "upright", "path": path, "out": out}, name, lambda answer: answer["extension"]
        ).result()
        return extension

    def cached_thumbnail(self, image: Image) -> Path:
        """Return the image's thumbnail (JPEG), made when it is not there; blocks.

        Raises:
            NotFound: The stored bytes are missing.
            StoreCorrupt: They are not what they were.
        """
        return self._cached("thumbnail", image, self.thumbnail)

    def cached_rendition(self, image: Image) -> Path:
        """Return what browsers show of the image (JPEG), made when it is not there; blocks.

        Raises:
            NotFound: The stored bytes are missing.
            StoreCorrupt: They are not what they were.
        """
        return self._cached("rendition", image, self.rendition)

    def cached_screen(self, image: Image) -> Path:
        """Return the image's copy of a screen's size (JPEG), made when it is not there; blocks.

        Raises:
            NotFound: The stored bytes are missing.
            StoreCorrupt: They are not what they were.
        """
        return self._cached("screen", image, self.screen)

    def keep_copies(self, sha256: str, thumbnail: Path) -> None:
        """Move what `admitting` made into the cache; what is not there is made when somebody asks."""
        for kind, made in (("screen", _screen_beside(thumbnail)), ("thumbnail", thumbnail)):
            try:
                if kind == "thumbnail" or made.exists():
                    self._store.cache.adopt(kind, f"{sha256}.jpg", made)
            except OSError as error:
                _log.warning("a %s could not be kept: %s", kind, error)
                made.unlink(missing_ok=True)

    @property
    def children(self) -> int:
        """How many children there are at present; they end when idle."""
        return len(self._pool)

    def stop(self) -> None:
        """End the children; what they have not answered fails."""
        self._pool.stop()

    def _cached(self, what: str, image: Image, make: Callable[[Path, str, Path], None]) -> Path:
        key = f"{image.sha256}.jpg"
        path = self._store.cache.get(what, key)
        if path is not None:
            return path
        source = self._store.blobs.path(image.sha256)
        return self._store.cache.put(what, key, lambda partial: make(source, image.name, partial))

    def _asked(self, request: dict[str, Any], name: str, made: Callable[[dict[str, Any]], T]) -> Future[T]:
        paths = {key: str(value.absolute()) for key, value in request.items() if isinstance(value, Path)}
        asked = self._pool.submit({**request, **paths, "name": name, "max_pixels": self._max_pixels})
        answer: Future[T] = Future()

        def settle(done: Future[dict[str, Any]]) -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                answer.set_result(made(done.result()))
            except ChildFailed as error:
                answer.set_exception(_named(error, name))
            except Exception as error:
                answer.set_exception(error)

        asked.add_done_callback(settle)
        return answer


def _screen_beside(thumbnail: Path) -> Path:
    return thumbnail.with_suffix(".screen.jpg")


def _named(error: ChildFailed, name: str) -> PixelQueueError:
    """Turn a child's end into words about the file it was busy with."""
    reason = error.details.get("reason", "")
    if reason == "stop":
        return Unavailable("the appliance is stopping: send the file again in a moment", file=name)
    words = _WORDS.get(reason)
    refused = (
        UnreadableImage(f"{name} {words.format(seconds=_DEADLINE_S)}", file=name)
        if words
        else Unavailable(f"{name} {_NOT_ITS_FAULT.get(reason, _ENDED)}", file=name)
    )
    refused.__cause__ = error
    return refused
