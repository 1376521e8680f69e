"""The pyramids of very large pictures: whether they are there, and who makes them.

One pyramid serves every image with the same bytes. It lies in the cache: one that had to go is made
again when somebody looks at the picture.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from appliance.errors import NotFound
from appliance.jobs._base import BATCH, FOREGROUND
from appliance.pyramid import Pack
from appliance.records import Image, Job
from appliance.store import Reading, Store, Transaction, jobs

__all__ = ["CACHED", "Tiles", "key_of"]

_log = logging.getLogger(__name__)

CACHED = "tiles"
"""The kind of the pyramids' files in the cache, and of the jobs that make them."""


def key_of(sha256: str) -> str:
    """Return the name of a picture's pyramid in the cache."""
    return f"{sha256}.tiles"


class Tiles:
    """Find pyramids and ask for those that are missing.

    Args:
        store: Its cache holds them.
        submit_in: `Jobs.submit_in`.
    """

    def __init__(self, store: Store, submit_in: Callable[..., Job]) -> None:
        self._store = store
        self._submit_in = submit_in

    def opened(self, sha256: str) -> Pack | None:
        """Open the pyramid of a picture, or return None when there is none; blocks."""
        path = self._store.cache.get(CACHED, key_of(sha256))
        if path is None:
            return None
        try:
            return Pack(path)
        except FileNotFoundError:
            return None
        except ValueError as error:
            _log.warning("tiles are dropped to be made again: %s", error)
            self._store.cache.forget(CACHED, key_of(sha256))
            return None

    def found(self, sha256: str) -> Pack:
        """Open the pyramid of a picture; blocks.

        Raises:
            NotFound: There is none, or none any more.
        """
        pack = self.opened(sha256)
        if pack is None:
            raise NotFound("the tiles of this picture are not there: ask for its tiles' facts, which has them made")
        return pack

    def follow_up(self, tx: Transaction, image: Image) -> None:
        """Have the tiles of a new image made, where it needs some and they are not there."""
        if image.tiled and not self._path(image).exists():
            self.wanted(tx, image, BATCH)

    def wanted(self, tx: Transaction, image: Image, priority: int = FOREGROUND) -> Job:
        """Return the job that makes the image's tiles, submitted when none is under way.

        A job that failed or was cancelled is not started anew: somebody has to retry it.
        """
        job = self.job_of(tx, image)
        if job is None or job.state == "done":
            parameters = {"image_id": image.id, "sha256": image.sha256}
            return self._submit_in(
                tx, CACHED, parameters, project_id=image.project_id, created_by=tx.user_id, priority=priority
            )
        return jobs.hasten(tx, job.id, priority)

    def job_of(self, reading: Reading, image: Image) -> Job | None:
        """Return the newest job that makes, or made, the image's tiles."""
        return jobs.tiling(reading, image.sha256)

    def _path(self, image: Image) -> Path:
        return self._store.cache.path(CACHED, key_of(image.sha256))
