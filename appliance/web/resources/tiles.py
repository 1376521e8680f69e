"""Tiles of a very large picture: whether they are there, each of them, and the overview."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from appliance.errors import NotFound
from appliance.pyramid import TILE, Pack, Pyramid
from appliance.records import Image, Job
from appliance.store import Reading, images
from appliance.web.files import File
from appliance.web.operations import OF_A_FILE, Call, Operations
from appliance.web.permissions import Permission
from appliance.web.resources.images import Version

__all__ = ["OPERATIONS", "TilesFacts"]

OPERATIONS = Operations("tiles", "Tiles of pictures with a side of more than 8,192 pixels")

_ROOT = "/api/projects/{project_id}/images/{image_id}/tiles"


class TilesFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a client needs to ask for tiles.

    Level 0 is one tile, each level has twice as many pixels a side as the one before, and the last
    of the `levels` is the picture itself. While the tiles are not `ready`, `job` is what makes them,
    or the one that failed or was cancelled.
    """

    ready: bool
    width: int
    height: int
    tile_size: int
    levels: int
    job: Job | None = None


@OPERATIONS.get(
    _ROOT,
    permission=Permission.PROJECT_READ,
    response=TilesFacts,
    summary="Say whether the tiles are there, and have them made where they are not",
)
async def get_tiles(call: Call) -> TilesFacts:
    """A job that failed or was cancelled is not started again: retry it."""

    def read(reading: Reading) -> tuple[Image, bool]:
        image = _tiled(images.get(reading, call.project_id, call.ids["image_id"]))
        pack = call.jobs.tiles.opened(image.sha256)
        if pack is not None:
            pack.close()
        return image, pack is not None

    image, ready = await call.store.aread(read)
    job = None if ready else await call.store.awrite(lambda tx: call.jobs.tiles.wanted(tx, image))
    levels = Pyramid(image.width, image.height).levels
    return TilesFacts(ready=ready, width=image.width, height=image.height, tile_size=TILE, levels=levels, job=job)


@OPERATIONS.get(
    f"{_ROOT}/overview",
    permission=Permission.PROJECT_READ,
    query=Version,
    response=bytes,
    also=OF_A_FILE,
    summary="Fetch the whole picture as a JPEG of at most 2,048 pixels a side",
)
async def get_overview(call: Call) -> File:
    return await _part(call, "overview", Pack.overview)


@OPERATIONS.get(
    _ROOT + "/{level}/{x}/{y}",
    permission=Permission.PROJECT_READ,
    query=Version,
    response=bytes,
    also=OF_A_FILE,
    summary="Fetch one tile as a JPEG",
)
async def get_tile(call: Call) -> File:
    level, x, y = (call.ids[name] for name in ("level", "x", "y"))
    return await _part(call, f"{level}-{x}-{y}", lambda pack: pack.tile(level, x, y))


async def _part(call: Call, what: str, take: Callable[[Pack], bytes]) -> File:
    """Read a part of the pyramid's file on the thread that looks the image up."""

    def read(reading: Reading) -> tuple[Image, bytes]:
        image = _tiled(images.get(reading, call.project_id, call.ids["image_id"]))
        if call.query.v not in (None, image.sha256):
            raise NotFound("the image has no such picture: load the list again", field="v")
        with call.jobs.tiles.found(image.sha256) as pack:
            return image, take(pack)

    image, body = await call.store.aread(read)
    return File(media_type="image/jpeg", etag=f"{image.sha256}-{what}", body=body, immutable=call.query.v is not None)


def _tiled(image: Image) -> Image:
    """Return the image.

    Raises:
        NotFound: It is small enough to be shown whole.
    """
    if not image.tiled:
        raise NotFound("this picture is shown whole and has no tiles: fetch its rendition")
    return image
