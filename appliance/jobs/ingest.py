"""The way pictures come into a project.

Staged bytes are decoded once in a child (probe and small copies), settled together with whoever
else waits (one syncfs), and added in small shared transactions. A picture that is in the
project already is answered with the image that is there, so sending one twice is harmless.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from appliance.errors import NotFound, PixelQueueError, StorageFull, Unavailable
from appliance.jobs.pictures import Pictures
from appliance.records import Image, Probe
from appliance.store import Store, Transaction, actor, images
from appliance.store.blobs import Staged

__all__ = ["Admitted", "Also", "Ingest", "Prepared", "Preparing"]

_log = logging.getLogger(__name__)

_SETTLE = 256
_CHUNK = 16
"""Images a transaction: about as many as fit into the writer's slice of 5 ms."""

_READ_BYTES = 1 << 20

T = TypeVar("T")

Admitted: TypeAlias = tuple[Image, bool]
"""The image, and whether the picture was in the project already."""

Also: TypeAlias = Callable[[Transaction, Image, bool], object]
"""What else to write in the transaction that adds a picture: gets the two of `Admitted`; may run twice."""


_Asked: TypeAlias = tuple[str, Staged, Path, Future[Probe]] | PixelQueueError
"""A staged picture that children look at, or why it is refused already."""


class Prepared(msgspec.Struct, frozen=True):
    """A picture that was decoded, waiting to be added; settled when it comes from `prepare`."""

    name: str
    staged: Staged
    probe: Probe


class Preparing:
    """A batch that is being decoded; its staged files are used up by `settled` or by `discard`."""

    def __init__(self, store: Store, pictures: Pictures, asked: list[_Asked]) -> None:
        self._store = store
        self._pictures = pictures
        self._asked = asked

    def settled(self) -> list[Prepared | PixelQueueError]:
        """Return for each item, in order, what `Ingest.add` takes, or why the file is refused; blocks.

        Raises:
            StorageFull: The disk is full; nothing of the batch is left in the temporary folder.
            StoreError: The disk reports an error; likewise.
        """
        outcome = [self._outcome(one) for one in self._asked]
        staged = [one.staged for one in outcome if isinstance(one, Prepared)]
        try:
            self._store.blobs.settle(staged)
        except PixelQueueError:
            _discard(*(one.path for one in staged))
            raise
        return outcome

    def discard(self) -> None:
        """Throw the batch away; blocks while it is being decoded."""
        for one in self._asked:
            if isinstance(prepared := self._outcome(one), Prepared):
                _discard(prepared.staged.path)

    def _outcome(self, asked: _Asked) -> Prepared | PixelQueueError:
        if isinstance(asked, PixelQueueError):
            return asked
        name, staged, thumbnail, probing = asked
        try:
            prepared = Prepared(name, staged, probing.result())
        except PixelQueueError as error:
            _discard(staged.path, thumbnail)
            return error
        self._pictures.keep_copies(staged.sha256, thumbnail)
        return prepared


class _Waiting(msgspec.Struct):
    project_id: int
    prepared: Prepared
    answer: Future[Admitted]
    user_id: int | None
    also: Also | None


class Ingest:
    """Admission of pictures; thread-safe.

    Args:
        store: Where they go.
        pictures: Who decodes them.
        follow_up: Called for each new image in the transaction that adds it.
    """

    def __init__(self, store: Store, pictures: Pictures, follow_up: Callable[[Transaction, Image], None]) -> None:
        self._store = store
        self._pictures = pictures
        self._follow_up = follow_up
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._settler: threading.Thread | None = None

    def admitting(self, project_id: int, name: str, staged: Staged, *, also: Also | None = None) -> Future[Admitted]:
        """Admit one staged picture; never blocks, the future answers after the commit.

        The staged file is used up, whatever the outcome. The future raises `UnreadableImage`
        and its subclasses, `InvalidInput` for a bad name, `NotFound` for a project that is gone.

        Raises:
            StorageFull: The disk is nearly full.
        """
        answer: Future[Admitted] = Future()
        answer.set_running_or_notify_cancel()
        user_id = actor.get()
        try:
            self._store.require_space()
            name = images.clean_name(name)
            thumbnail = self._thumbnail_path()
            probing = self._pictures.admitting(staged.path, name, thumbnail)
        except BaseException:
            staged.path.unlink(missing_ok=True)
            raise

        def probed(done: Future[Probe]) -> None:
            try:
                prepared = Prepared(name, staged, done.result())
                self._pictures.keep_copies(staged.sha256, thumbnail)
                self._enqueue(_Waiting(project_id, prepared, answer, user_id, also))
            except Exception as error:
                _discard(staged.path, thumbnail)
                answer.set_exception(error)

        probing.add_done_callback(probed)
        return answer

    def admit(self, project_id: int, name: str, staged: Staged) -> Admitted:
        """Admit one staged picture and return its image; blocks until it is durable.

        Raises:
            UnreadableImage: With its subclasses.
            StorageFull: The disk is nearly full.
            InvalidInput: A name nothing is left of.
            NotFound: The project is gone.
        """
        return self.admitting(project_id, name, staged).result()

    def preparing(self, items: Iterable[tuple[str, Path | Staged]]) -> Preparing:
        """Stage a batch and have it decoded, for jobs that add it together with their checkpoint.

        Files given by path are copied, but for those in the store's temporary folder, which are
        the appliance's own and only get a second name; staged ones are used up.

        Raises:
            StorageFull: The batch does not fit on the disk.
        """
        wanted = list(items)
        self._store.require_space(sum(os.stat(item).st_size for _, item in wanted if isinstance(item, Path)))
        return Preparing(self._store, self._pictures, [self._asked(name, item) for name, item in wanted])

    def prepare(self, items: Iterable[tuple[str, Path | Staged]]) -> list[Prepared | PixelQueueError]:
        """Stage, decode and settle a batch: `preparing` and its outcome at once; blocks.

        Raises:
            StorageFull: The batch does not fit on the disk.
        """
        return self.preparing(items).settled()

    def add(
        self, tx: Transaction, project_id: int, prepared: Sequence[Prepared], job_id: int | None = None
    ) -> list[Admitted]:
        """Add prepared pictures as images with open tasks, in the caller's transaction.

        `job_id` is the import they came with.

        Raises:
            NotFound: The project is gone.
        """
        if not tx.execute("SELECT 1 FROM projects WHERE id = ?", (project_id,)).fetchall():
            raise NotFound(f"there is no project {project_id}", field="project_id")
        added = [self._add_one(tx, project_id, one, job_id) for one in prepared]
        fresh = [image for image, duplicate in added if not duplicate]
        if fresh:
            tx.event("image.added", {"image_ids": [image.id for image in fresh]}, project_id=project_id)
        for image in fresh:
            self._follow_up(tx, image)
        return added

    def admit_batch(
        self, project_id: int, items: Iterable[tuple[str, Path | Staged]]
    ) -> list[Admitted | PixelQueueError]:
        """Admit a batch; settle and commit together.

        Returns:
            For each item, in order, the image and whether it was there, or why the file is refused.

        Raises:
            StorageFull: The batch does not fit on the disk.
            NotFound: The project is gone.
        """
        outcome = self.prepare(items)
        good = [one for one in outcome if isinstance(one, Prepared)]
        writes = [
            self._store.writing(partial(self.add, project_id=project_id, prepared=chunk), bulk=True)
            for chunk in _chunks(good)
        ]
        added = iter([one for write in writes for one in write.result()])
        return [next(added) if isinstance(one, Prepared) else one for one in outcome]

    def stop(self) -> None:
        """Add what has been decoded and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._settler is not None:
            self._settler.join()

    def _add_audited(self, tx: Transaction, chunk: Sequence[_Waiting]) -> list[Admitted]:
        """Add pictures of one project that people sent, each in its sender's name."""
        project_id = chunk[0].project_id
        added = self.add(tx, project_id, [one.prepared for one in chunk])
        for one, (image, duplicate) in zip(chunk, added, strict=True):
            if not duplicate:
                tx.user_id = one.user_id
                tx.audit("image.add", f"image {image.id}", project_id=project_id, name=image.name)
            if one.also is not None:
                one.also(tx, image, duplicate)
        return added

    def _add_one(self, tx: Transaction, project_id: int, prepared: Prepared, job_id: int | None) -> Admitted:
        present = images.by_content(tx, project_id, prepared.staged.sha256)
        if present is not None:
            self._store.blobs.mended(tx, prepared.staged.sha256)
            return present, True
        self._store.blobs.register(tx, prepared.staged)
        image = images.create(tx, project_id, prepared.name, prepared.staged, prepared.probe, job_id=job_id)
        return image, False

    def _asked(self, name: str, item: Path | Staged) -> _Asked:
        try:
            name = images.clean_name(name)
            staged = item if isinstance(item, Staged) else self._staged(item)
        except StorageFull:
            raise
        except PixelQueueError as error:
            if isinstance(item, Staged):
                item.path.unlink(missing_ok=True)
            return error
        thumbnail = self._thumbnail_path()
        return name, staged, thumbnail, self._pictures.admitting(staged.path, name, thumbnail)

    def _staged(self, path: Path) -> Staged:
        if path.is_relative_to(self._store.temporary):
            return self._store.blobs.stage_link(path)
        return self._store.blobs.stage(_read(path))

    def _thumbnail_path(self) -> Path:
        return self._store.temporary / f"{secrets.token_hex(16)}.jpg"

    def _enqueue(self, waiting: _Waiting) -> None:
        with self._changed:
            if self._closing:
                raise Unavailable("the appliance is stopping: send the file again in a moment")
            if self._settler is None:
                self._settler = threading.Thread(target=self._settle_all, name="ingest", daemon=True)
                self._settler.start()
            self._waiting.append(waiting)
            self._changed.notify()

    def _settle_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                batch = [self._waiting.popleft() for _ in range(min(_SETTLE, len(self._waiting)))]
            try:
                self._settle(batch)
            except Exception as error:
                _log.warning("%d pictures could not be stored: %s", len(batch), error)
                for one in batch:
                    one.prepared.staged.path.unlink(missing_ok=True)
                    if not one.answer.done():
                        one.answer.set_exception(error)

    def _settle(self, batch: list[_Waiting]) -> None:
        """Make a batch durable and hand it to the writer, which answers; do not wait for that."""
        self._store.blobs.settle([one.prepared.staged for one in batch])
        by_project: dict[int, list[_Waiting]] = {}
        for one in batch:
            by_project.setdefault(one.project_id, []).append(one)
        for group in by_project.values():
            for chunk in _chunks(group):
                write = self._store.writing(partial(self._add_audited, chunk=chunk), bulk=True)
                write.add_done_callback(partial(_answer, chunk))


def _answer(chunk: Sequence[_Waiting], done: Future[list[Admitted]]) -> None:
    error = done.exception()
    for number, one in enumerate(chunk):
        if error is not None:
            one.answer.set_exception(error)
        else:
            one.answer.set_result(done.result()[number])


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _discard(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            yield chunk
