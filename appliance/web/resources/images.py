"""Images of a project: the list, one of them, and its pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from appliance.errors import NotFound
from appliance.records import Image, Sha256, Task, TaskState
from appliance.store import Reading, images, tasks
from appliance.web.files import File
from appliance.web.operations import Call, Listing, Operations, Paged, Query, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Id

__all__ = ["OPERATIONS", "ImageWithTask", "Version"]

OPERATIONS = Operations("images", "Images of a project, and their pictures")

# A copy that has to be made occupies its thread for seconds; what is read meanwhile must not wait for it.
_makers = ThreadPoolExecutor(4, thread_name_prefix="pictures")


class ImageQuery(Paged, frozen=True):
    """Only images in this state, only images with annotations of this label, or both."""

    state: TaskState | None = None
    label: Id | None = None


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
    summary="List the images by id",
)
async def list_images(call: Call) -> Listing[Image]:
    project_id, query = call.project_id, call.query
    return listing(
        await call.store.aread(
            lambda reading: images.listed(
                reading, project_id, state=query.state, label_id=query.label, after=query.after, limit=query.limit
            )
        )
    )


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
    summary="Fetch the picture as it was sent",
)
async def get_file(call: Call) -> File:
    return await _original(call, await call.store.aread(lambda reading: _image(call, reading)))


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/rendition",
    permission=Permission.PROJECT_READ,
    query=Version,
    response=bytes,
    summary="Fetch the picture as a browser can show it, upright",
)
async def get_rendition(call: Call) -> File:
    image, path = await call.store.aread(lambda reading: _copy_of(call, reading, "rendition"))
    if not image.needs_rendition:
        return await _original(call, image)
    return await _copy(call, image, path, "rendition", call.jobs.pictures.cached_rendition)


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/thumbnail",
    permission=Permission.PROJECT_READ,
    query=Version,
    response=bytes,
    summary="Fetch a small upright JPEG",
)
async def get_thumbnail(call: Call) -> File:
    image, path = await call.store.aread(lambda reading: _copy_of(call, reading, "thumbnail"))
    return await _copy(call, image, path, "thumbnail", call.jobs.pictures.cached_thumbnail)


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
