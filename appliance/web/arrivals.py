"""What happens to the bytes of an upload: kept as they come, made an image at the end.

The offset that a client is told is durable: the bytes were synced before the row says so. A
request that breaks off keeps what came of it, unless a checksum was to vouch for it.
"""

from __future__ import annotations

import asyncio
import logging
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import falcon.asgi

from appliance.errors import Conflict, InvalidInput, PixelQueueError, UnreadableDataset, UnsafeArchive, UploadLocked
from appliance.jobs.services import Jobs
from appliance.records import Image, Upload
from appliance.store import Store, Transaction, actor, uploads
from appliance.store.incoming import Appending
from appliance.web.problems import MalformedRequest
from appliance.web.requests import blocks
from appliance.web.tus import Checksum

__all__ = ["Arrivals"]

_log = logging.getLogger(__name__)
_DURABLE_EVERY = 16 << 20
"""Bytes a killed box forgets at most of a request that is under way."""

_SILENCE_S = 60.0
"""A client that sends nothing for so long is gone; the next one need not wait for it."""

_AT_ONCE = 500


class Arrivals:
    """Take in uploads; on the event loop.

    Args:
        store: Where rows and bytes go.
        jobs: Whose ingest admits pictures.
    """

    def __init__(self, store: Store, jobs: Jobs) -> None:
        self._store = store
        self._jobs = jobs
        self._keep_s = store.settings.upload_keep_s
        self._busy: set[int] = set()

    def offset(self, upload: Upload) -> int:
        """Return what is durable of an upload, and never more than is on disk."""
        if upload.state != "receiving":
            return upload.length_bytes
        return min(upload.offset_bytes, self._store.incoming.size_bytes(upload.id))

    @contextmanager
    def holding(self, upload: Upload) -> Iterator[None]:
        """Keep everybody else from writing to an upload.

        Raises:
            UploadLocked: Somebody writes to it.
        """
        if upload.id in self._busy:
            raise UploadLocked("another request sends this upload: ask for its offset and go on in a moment")
        self._busy.add(upload.id)
        try:
            yield
        finally:
            self._busy.discard(upload.id)

    def held(self, upload: Upload) -> bool:
        """Tell whether somebody writes to an upload."""
        return upload.id in self._busy

    async def receive(
        self, request: falcon.asgi.Request, upload: Upload, offset: int, checksum: Checksum | None
    ) -> Upload:
        """Append a request's body; call it while `holding`.

        Raises:
            Conflict: The offset is another one, or the upload is over.
            TooLarge: The body goes beyond the upload's length.
            ChecksumMismatch: The body is not what its checksum says; nothing of it is kept.
            StorageFull: The disk is (nearly) full.
            MalformedRequest: It broke off.
        """
        durable = self.offset(upload)
        if offset != durable or upload.state != "receiving":
            raise Conflict(f"the upload is at {durable}, not at {offset}: go on there", field="Upload-Offset")
        left = upload.length_bytes - offset
        await asyncio.to_thread(self._store.require_space, min(request.content_length or 0, left))
        appending = await asyncio.to_thread(self._store.incoming.appending, upload.id, offset)
        try:
            return await self._appended(request, upload, appending, checksum)
        finally:
            await asyncio.to_thread(appending.close)

    async def _appended(
        self, request: falcon.asgi.Request, upload: Upload, appending: Appending, checksum: Checksum | None
    ) -> Upload:
        began = kept = appending.offset_bytes
        digest = checksum.hasher() if checksum else None
        try:
            async with asyncio.timeout(_SILENCE_S) as patience:
                async for block in blocks(request, upload.length_bytes - began):
                    await asyncio.to_thread(appending.write, block)
                    if digest:
                        digest.update(block)
                    elif appending.offset_bytes - kept >= _DURABLE_EVERY:
                        upload = await self._kept(upload, appending)
                        kept = upload.offset_bytes
                    patience.reschedule(asyncio.get_running_loop().time() + _SILENCE_S)
        except BaseException as error:
            if not checksum and appending.offset_bytes > kept:
                await asyncio.shield(self._kept(upload, appending))
            if isinstance(error, TimeoutError):
                raise MalformedRequest("nothing came for a minute: go on with the upload") from error
            raise
        if checksum and digest:
            checksum.check(digest.digest())
        return await self._kept(upload, appending)

    async def _kept(self, upload: Upload, appending: Appending) -> Upload:
        offset_bytes = appending.offset_bytes
        await asyncio.to_thread(appending.sync)
        return await self._store.awrite(lambda tx: uploads.progressed(tx, upload, offset_bytes, self._keep_s))

    async def finish(self, upload: Upload) -> Upload:
        """Deal with an upload whose bytes are all there; call it while `holding`.

        Raises:
            Unavailable: The box cannot do it now: the bytes stay, ask for the upload again later.
        """
        if upload.state != "receiving" or self.offset(upload) < upload.length_bytes:
            return upload
        try:
            finished = await (self._looked_at(upload) if upload.kind == "dataset" else self._admitted(upload))
        except InvalidInput as error:
            problem = error.as_dict()
            finished = await self._store.awrite(lambda tx: uploads.failed(tx, upload, problem))
        if finished.state != "ready":
            await asyncio.to_thread(self._store.incoming.remove, upload.id)
        return finished

    async def _admitted(self, upload: Upload) -> Upload:
        made: list[Upload] = []

        def also(tx: Transaction, image: Image, duplicate: bool) -> None:
            made[:] = [uploads.settled(tx, upload, image.id, duplicate=duplicate)]

        staged = await asyncio.to_thread(self._store.blobs.stage_link, self._store.incoming.path(upload.id))
        admitting = self._jobs.ingest.admitting(upload.project_id, upload.name, staged, also=also)
        await asyncio.shield(asyncio.wrap_future(admitting))
        return made[0]

    async def _looked_at(self, upload: Upload) -> Upload:
        path, name = self._store.incoming.path(upload.id), upload.name
        if name.lower().endswith(".zip"):
            if not await asyncio.to_thread(zipfile.is_zipfile, path):
                raise UnsafeArchive(f"{name} is no zip archive: pack the files as .zip", file=name)
        elif not upload.length_bytes:
            raise UnreadableDataset(f"{name} is empty", file=name)
        return await self._store.awrite(lambda tx: uploads.ready(tx, upload))

    async def remove(self, upload: Upload) -> None:
        """Forget an upload and delete its bytes; call it while `holding`."""
        await self._store.awrite(lambda tx: uploads.delete(tx, upload))
        await asyncio.to_thread(self._store.incoming.remove, upload.id)

    async def tidy(self) -> None:
        """Finish what came whole and was left by its sender, and remove what has expired."""
        for upload in await self._store.aread(lambda reading: uploads.whole(reading, _AT_ONCE)):
            await self._tried(upload)
        now_ms = self._store.clock.now_ms()
        while over := await self._store.aread(lambda reading: uploads.expired(reading, now_ms, _AT_ONCE)):
            free = [upload for upload in over if not self.held(upload)]
            for upload in free:
                with self.holding(upload):
                    await self.remove(upload)
            if len(free) < _AT_ONCE:
                break
        await self._sweep()

    async def _tried(self, upload: Upload) -> None:
        if self.held(upload):
            return
        token = actor.set(upload.user_id)
        try:
            with self.holding(upload):
                await self.finish(upload)
        except PixelQueueError as error:
            _log.warning("upload %d waits: %s", upload.id, error)
        finally:
            actor.reset(token)

    async def _sweep(self) -> None:
        """Delete bytes whose upload is gone, as after its project was deleted."""
        for upload_id in await asyncio.to_thread(list, self._store.incoming.ids()):
            if not await self._store.aread(partial(uploads.known, upload_id=upload_id)):
                await asyncio.to_thread(self._store.incoming.remove, upload_id)
