"""What segmenters saw of images: in memory for those that are open, in the cache for those that come back."""

from __future__ import annotations

import hashlib
import logging
import threading
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from appliance.engine.segmenters._base import Embedding
    from appliance.engine.segmenters._frame import Frame
    from appliance.store.cache import Cache

__all__ = ["CACHED", "Embeddings", "Key", "Seen"]

_log = logging.getLogger(__name__)

CACHED = "embedding"
"""The kind of their files in the cache: arrays with half the precision."""

Region = tuple[int, int, int, int]


class Key(NamedTuple):
    """What an embedding is of: a segmenter (a model's hash, or a name), an image's hash, a region."""

    segmenter: str
    sha256: str
    region: Region

    @property
    def file(self) -> str:
        said = f"{self.segmenter} {self.sha256} {' '.join(map(str, self.region))}"
        return f"{hashlib.sha256(said.encode()).hexdigest()}.npz"


class Seen(NamedTuple):
    """A region that was looked at."""

    frame: Frame
    embedding: Embedding

    @property
    def size_bytes(self) -> int:
        return sum(array.nbytes for array in self.embedding.values())


class Embeddings:
    """Regions that were looked at; of those in memory the least recently used go first.

    Args:
        cache: Where the costly ones are kept.
        budget_bytes: For those in memory.
    """

    def __init__(self, cache: Cache, budget_bytes: int) -> None:
        self._cache = cache
        self._budget_bytes = budget_bytes
        self._all: OrderedDict[Key, Seen] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Seen | None:
        """Return what is known, from memory or the cache."""
        with self._lock:
            if key in self._all:
                self._all.move_to_end(key)
                return self._all[key]
        path = self._cache.get(CACHED, key.file)
        seen = None if path is None else self._read(key, path)
        return None if seen is None else self._hold(key, seen)

    def put(self, key: Key, seen: Seen, *, keep: bool) -> Seen:
        """Hold what was seen; with `keep` also for after a restart. Returns it as it will be found again."""
        if keep:
            seen = self._write(key, seen)
        return self._hold(key, seen)

    def has(self, key: Key) -> bool:
        """Tell whether it is known, without reading it."""
        return key in self._all or self._cache.get(CACHED, key.file) is not None

    def _hold(self, key: Key, seen: Seen) -> Seen:
        with self._lock:
            self._all[key] = seen
            while len(self._all) > 1 and sum(one.size_bytes for one in self._all.values()) > self._budget_bytes:
                self._all.popitem(last=False)
        return seen

    def _write(self, key: Key, seen: Seen) -> Seen:
        import numpy as np

        halved = {name: array.astype(np.float16) for name, array in seen.embedding.items()}
        size = np.array([seen.frame.width, seen.frame.height])

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, size=size, **halved)  # type: ignore[arg-type]

        try:
            self._cache.put(CACHED, key.file, write)
        except OSError as error:
            _log.warning("an embedding could not be kept: %s", error)
        return Seen(seen.frame, {name: array.astype(np.float32) for name, array in halved.items()})

    def _read(self, key: Key, path: Path) -> Seen | None:
        import numpy as np

        from appliance.engine.segmenters._frame import Frame

        try:
            with np.load(path, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            width, height = (int(side) for side in arrays.pop("size"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            _log.warning("an embedding is dropped to be made again: %s", error)
            self._cache.forget(CACHED, key.file)
            return None
        frame = Frame(key.region, width, height)
        return Seen(frame, {name: array.astype(np.float32) for name, array in arrays.items()})
