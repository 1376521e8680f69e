"""Images of a project: the list, one of them, and its pictures."""

from __future__ import annotations

import asyncio
import logging
import sys
import zlib
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from operator import sub
from pathlib import Path, PurePosixPath
from typing import Annotated

from msgspec import Meta

from appliance.errors import InvalidInput, NotFound, PixelQueueError
from appliance.jobs.pictures import Pictures
from appliance.records import Image, Sha256, Task
from appliance.screens import has_screen
from appliance.store import Reading, facets, filters, images, outlines, tasks
from appliance.web.files import File, Page
from appliance.web.operations import OF_A_FILE, Call, Listing, Operations, Query, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, Id
from appliance.web.resources._filter import FilterQuery

__all__ = ["OPERATIONS", "ImageWithTask", "Version"]

OPERATIONS = Operations("images", "Images of a project, and their pictures")

_log = logging.getLogger(__name__)

_IDS = r"^\d{1,18}(,\d{1,18}){0,499}\Z"
_GZIP = 16 + zlib.MAX_WBITS

# A copy that has to be made occupies its thread for seconds; what is read meanwhile must not wait for it.
_makers = ThreadPoolExecutor(4, thread_name_prefix="pictures")


class ImageQuery(FilterQuery, frozen=True):
    """A page of the images that match, or with `ids` those of these ids, in their order."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    after: Annotated[str, Meta(max_length=500)] | None = None
    ids: Annotated[str, Meta(pattern=_IDS)] | None = None


class IdsQuery(FilterQuery, frozen=True):
    """With `after`, an image's id, only those behind it in the order by age."""

    after: Id | None = None


class OutlinesQuery(Query, frozen=True):
    """The images by id, separated by commas."""

    ids: Annotated[str, Meta(pattern=_IDS)]


class FolderQuery(Query, frozen=True):
    """A page of folders by name."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 500
    after: Annotated[str, Meta(max_length=600)] | None = None


class Count(Body):
    images: int


class ImageWithTask(Image, frozen=True, kw_only=True):
    task: Task


class Version(Query, frozen=True):
    """`v` is the picture's hash: with it the answer may be kept for good."""

    v: Sha256 | None = None


@OPERATIONS.get(
    "/api/projects/{project_id}/images",
    permission=Permission.PROJECT_READ,
    query=ImageQuery,
    response=Listing[Image],
    summary="List the images",
)
async def list_images(call: Call) -> Listing[Image]:
    project_id, query = call.project_id, call.query
    wanted = query.wanted()

    def read(reading: Reading) -> Listing[Image]:
        if query.ids is not None:
            image_ids = [int(part) for part in query.ids.split(",")]
            return Listing(items=images.of_ids(reading, project_id, image_ids))
        return listing(
            images.listed(reading, project_id, wanted, sort=query.sort, after=query.after, limit=query.limit)
        )

    return await call.store.aread(read)


@OPERATIONS.get(
    "/api/projects/{project_id}/images/ids",
    permission=Permission.PROJECT_READ,
    query=IdsQuery,
    response=bytes,
    summary="Fetch the ids of all images that match, packed",
)
async def list_image_ids(call: Call) -> Page:
    """Answer with little-endian 32-bit numbers: the first id, then the difference to the one before."""
    project_id, query = call.project_id, call.query
    wanted = query.wanted()
    if query.after is not None and query.sort == "name":
        raise InvalidInput("`after` goes with the orders by age only", field="after")

    def read(reading: Reading) -> bytes:
        found = filters.packed(reading, project_id, wanted, sort=query.sort, after=query.after)
        return zlib.compress(_differences(found), level=1, wbits=_GZIP)

    call.headers["Content-Encoding"] = "gzip"
    return Page(await call.store.aread(read), "application/octet-stream")


@OPERATIONS.get(
    "/api/projects/{project_id}/images/count",
    permission=Permission.PROJECT_READ,
    query=FilterQuery,
    response=Count,
    summary="Count the images that match",
)
async def count_images(call: Call) -> Count:
    project_id, wanted = call.project_id, call.query.wanted()
    return Count(images=await call.store.aread(lambda reading: filters.count(reading, project_id, wanted)))


@OPERATIONS.get(
    "/api/projects/{project_id}/images/outlines",
    permission=Permission.PROJECT_READ,
    query=OutlinesQuery,
    response=Listing[outlines.Outlines],
    summary="Fetch the annotations of some images as small as thumbnails show them",
)
async def list_outlines(call: Call) -> Listing[outlines.Outlines]:
    project_id, ids = call.project_id, [int(part) for part in call.query.ids.split(",")]
    return Listing(items=await call.store.aread(lambda reading: outlines.of_images(reading, project_id, ids)))


@OPERATIONS.get(
    "/api/projects/{project_id}/images/folders",
    permission=Permission.PROJECT_READ,
    query=FolderQuery,
    response=Listing[images.Folder],
    summary="List the folders that the names tell, with how many images lie in each",
)
async def list_folders(call: Call) -> Listing[images.Folder]:
    project_id, query = call.project_id, call.query
    return listing(
        await call.store.aread(
            lambda reading: images.folders(reading, project_id, after=query.after, limit=query.limit)
        )
    )


@OPERATIONS.get(
    "/api/projects/{project_id}/images/facets",
    permission=Permission.PROJECT_READ,
    response=facets.Facets,
    summary="Count annotations by label and images by assignee, and sketch the confidence of predictions",
)
async def get_facets(call: Call) -> facets.Facets:
    """What a filter panel shows beside its choices; images are counted up to `most`."""
    project_id = call.project_id
    return await call.store.aread(lambda reading: facets.of(reading, project_id))


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}",
    permission=Permission.PROJECT_READ,
    response=ImageWithTask,
    summary="Show one image with its task",
)
async def get_image(call: Call) -> ImageWithTask:
    project_id, image_id = call.project_id, call.ids["image_id"]

    def read(reading: Reading) -> ImageWithTask:
        image = images.get(reading, project_id, image_id)
        facts = {name: getattr(image, name) for name in Image.__struct_fields__}
        return ImageWithTask(**facts, task=tasks.of_image(reading, image_id))

    return await call.store.aread(read)


@OPERATIONS.delete(
    "/api/projects/{project_id}/images/{image_id}",
    permission=Permission.PROJECT_ADMIN,
    audit="image.delete",
    summary="Delete an image with its annotations and history",
)
async def delete_image(call: Call) -> None:
    project_id, image_id = call.project_id, call.ids["image_id"]
    await call.store.awrite(lambda tx: images.delete(tx, project_id, image_id))


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/file",
    permission=Permission.PROJECT_READ,
    query=Version,
    response=bytes,
    also=OF_A_FILE,
    summary="Fetch the picture as it was sent",
)
async def get_file(call: Call) -> File:
    return await _original(call, await call.store.aread(lambda reading: _image(call, reading)))


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/rendition",
    permission=Permission.PROJECT_READ,
    query=Version,
    response=bytes,
    also=OF_A_FILE,
    summary="Fetch the picture as a browser can show it, upright",
)
async def get_rendition(call: Call) -> File:
    image, path = await call.store.aread(lambda reading: _copy_of(call, reading, "rendition"))
    if not image.needs_rendition:
        return await _original(call, image)
    return await _copy(call, image, path, "rendition", call.jobs.pictures.cached_rendition)


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/view",
    permission=Permission.PROJECT_READ,
    query=Version,
    response=bytes,
    summary="Fetch what shows the picture first: a smaller copy of a large one, else its rendition",
)
async def get_view(call: Call) -> File:
    """Who opens an image by its address can ask for this before anything is known of the image.

    It is the thumbnail where the picture is shown by tiles. A large one's copy is made by the way
    where there is none: the rendition is there sooner.
    """
    image, path = await call.store.aread(lambda reading: _copy_of(call, reading, "screen"))
    if image.tiled:
        return await get_thumbnail(call)
    if not path and has_screen(image.width, image.height):
        _makers.submit(_make_screen, call.jobs.pictures, image)
    if path is None:
        return await get_rendition(call)
    return await _copy(call, image, path, "screen", call.jobs.pictures.cached_screen)


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/thumbnail",
    permission=Permission.PROJECT_READ,
    query=Version,
    response=bytes,
    also=OF_A_FILE,
    summary="Fetch a small upright JPEG",
)
async def get_thumbnail(call: Call) -> File:
    image, path = await call.store.aread(lambda reading: _copy_of(call, reading, "thumbnail"))
    return await _copy(call, image, path, "thumbnail", call.jobs.pictures.cached_thumbnail)


def _make_screen(pictures: Pictures, image: Image) -> None:
    try:
        pictures.cached_screen(image)
    except PixelQueueError as error:
        _log.warning("a copy of %s could not be made: %s", image.name, error)


def _differences(image_ids: Sequence[int]) -> bytes:
    numbers = array("i", map(sub, image_ids, chain((0,), image_ids)))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _image(call: Call, reading: Reading) -> Image:
    """Look the image up.

    Raises:
        NotFound: The project has none such, or its picture is not the one that is asked for.
    """
    image = images.get(reading, call.project_id, call.ids["image_id"])
    if call.query.v not in (None, image.sha256):
        raise NotFound("the image has no such picture: load the list again", field="v")
    return image


def _copy_of(call: Call, reading: Reading, what: str) -> tuple[Image, Path | None]:
    """Look the image up, and its copy in the cache."""
    image = _image(call, reading)
    return image, call.store.cache.get(what, f"{image.sha256}.jpg")


async def _original(call: Call, image: Image) -> File:
    path = await asyncio.to_thread(call.store.blobs.path, image.sha256)
    return File(
        path=path,
        media_type=f"image/{image.format}",
        etag=image.sha256,
        name=PurePosixPath(image.name).name,
        immutable=call.query.v is not None,
    )


async def _copy(call: Call, image: Image, path: Path | None, what: str, make: Callable[[Image], Path]) -> File:
    if path is None:
        path = await asyncio.get_running_loop().run_in_executor(_makers, make, image)
    return File(
        path=path,
        media_type="image/jpeg",
        etag=f"{image.sha256}-{what}",
        name=f"{PurePosixPath(image.name).stem}.jpg",
        immutable=call.query.v is not None,
    )
