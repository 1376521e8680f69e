"""Cut a very large picture into tiles, so that a browser need not hold it whole.

A child does it in little memory. The pyramid appears in the cache when it is finished, never
before; a run that was interrupted leaves nothing behind and begins anew.
"""

from __future__ import annotations

import shutil
from typing import Any

import msgspec

from appliance.errors import StorageFull
from appliance.jobs._base import BATCH, CHILD_DEADLINE_S, Context, Kind, child_memory_bytes
from appliance.jobs.tiles import CACHED, key_of
from appliance.records import Image, Sha256
from appliance.store import Transaction, images

__all__ = ["KIND", "TilesParameters"]

_TASK = "imaging.worker"
_BYTES_PER_PIXEL = 4
"""What a turned picture needs on the disk while it is cut: its pixels, and its tiles twice over."""


class TilesParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The image, and the hash of its picture: other images with the same bytes share the tiles."""

    image_id: int
    sha256: Sha256


def run(context: Context, parameters: TilesParameters) -> dict[str, Any]:
    """Have the pyramid made where it is missing, and tell everybody who has the picture."""
    sha256 = parameters.sha256
    cache = context.store.cache
    answer: dict[str, Any] = {}
    if cache.get(CACHED, key_of(sha256)) is None:
        image = _image(context, parameters)
        if image is None:
            return answer  # deleted meanwhile; who else has the picture asks again
        answer = _make(context, image)
        if cache.get(CACHED, key_of(sha256)) is None:
            raise StorageFull("the cache is too small for the tiles of this picture: raise the setting cache_bytes")

    def tell(tx: Transaction) -> None:
        images.tell_tiled(tx, sha256)

    context.commit(tell, progress=100, total=100, message="")
    return answer


def _image(context: Context, parameters: TilesParameters) -> Image | None:
    project_id = context.job.project_id
    assert project_id is not None, "tiles are asked for by a project's image"
    return context.store.read(lambda reading: images.find(reading, project_id, parameters.image_id))


def _make(context: Context, image: Image) -> dict[str, Any]:
    store = context.store
    store.require_space(image.width * image.height * (_BYTES_PER_PIXEL if image.orientation > 2 else 1))
    folder = store.temporary / f"tiles-{context.job.id}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    made = folder / "made.tiles"

    def receive(message: dict[str, Any]) -> None:
        context.commit(lambda _: None, progress=message["percent"])

    request = {
        "do": "tiles",
        "path": str(store.blobs.path(image.sha256).absolute()),
        "name": image.name,
        "out": str(made.absolute()),
        "folder": str(folder.absolute()),
        "max_pixels": context.settings.max_pixels,
    }
    try:
        context.commit(lambda _: None, progress=0, total=100, message=image.name)
        answer = context.child(
            _TASK,
            request,
            on_message=receive,
            deadline_s=CHILD_DEADLINE_S,
            memory_bytes=child_memory_bytes(context.settings),
        )
        store.cache.adopt(CACHED, key_of(image.sha256), made)
        return answer
    finally:
        shutil.rmtree(folder, ignore_errors=True)


KIND = Kind(name=CACHED, lane="cpu", priority=BATCH, parameters=TilesParameters, run=run)
