"""Making a snapshot inside a job: a child reads the project, the job keeps what it found.

The child has a read-only connection of its own, so that a large project is serialised
without taking the interpreter from those who annotate meanwhile.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, NoReturn

import msgspec

from appliance.errors import InvalidDataset
from appliance.jobs._base import CHILD_DEADLINE_S, Context, child_memory_bytes
from appliance.records import DatasetImage, Snapshot, SnapshotSummary
from appliance.store import Transaction, database, jobs, labels, policies, projects, snapshots, validation
from appliance.store.blobs import Blobs, Staged
from appliance.store.validation import Problem

__all__ = ["CHILD_TASK", "handle", "make_snapshot"]

CHILD_TASK = True
_TASK = "jobs.datasets"
_HASHES_AT_ONCE = 1_000
_TELL_EVERY = 200
_PROBLEMS_AT_ONCE = 500


def make_snapshot(context: Context, name: str, contents: Literal["approved", "everything"], seed: int) -> Snapshot:
    """Make a snapshot of the job's project, or return the one an interrupted run of the job made.

    Of approved work every annotation is checked; the problems are kept for people to work off.

    Raises:
        InvalidDataset: Approved work has faults.
        InvalidInput: The project has nothing of that kind.
        Conflict: The name is taken.
    """
    project_id = context.job.project_id
    assert project_id is not None
    pictures: list[bytes] = []
    if "snapshot_id" not in context.checkpoint:
        _create(context, project_id, name, contents, seed, pictures)
    snapshot_id = context.checkpoint["snapshot_id"]
    made = context.store.read(lambda reading: snapshots.get(reading, project_id, snapshot_id))
    if not context.checkpoint.get("protected"):
        _protect(context, made, pictures)
    return made


def _create(
    context: Context,
    project_id: int,
    name: str,
    contents: Literal["approved", "everything"],
    seed: int,
    pictures: list[bytes],
) -> None:
    header = context.store.read(
        lambda reading: snapshots.Header(
            project=projects.get(reading, project_id).name,
            contents=contents,
            seed=seed,
            labels=labels.listed(reading, project_id),
        )
    )
    request = {"project_id": project_id, "header": msgspec.to_builtins(header)}
    problems: list[Problem] = []
    answer = _ask(context, request, pictures, problems)
    if answer["problems"]:
        _refuse(context, project_id, name, answer, problems)
    staged = msgspec.convert(answer["staged"], Staged, dec_hook=lambda kind, value: kind(value))
    context.store.blobs.settle([staged])
    blobs, created_by = context.store.blobs, context.job.created_by

    def create(tx: Transaction) -> dict[str, Any]:
        made = snapshots.create(
            tx,
            blobs,
            project_id=project_id,
            name=name,
            header=header,
            manifest=staged,
            images=answer["images"],
            annotation_count=answer["annotations"],
            summary=msgspec.convert(answer["summary"], SnapshotSummary, strict=False),
            created_by=created_by,
        )
        if contents == "approved":
            validation.clear(tx, project_id)
        checkpoint = {**context.checkpoint, "snapshot_id": made.id}
        jobs.advance(tx, context.job.id, checkpoint=checkpoint)
        return checkpoint

    context.checkpoint = context.commit(create)


def _refuse(
    context: Context, project_id: int, name: str, answer: dict[str, Any], problems: list[Problem]
) -> NoReturn:
    """Keep the problems in slices, then end the job with how many there are."""
    counts, images, job_id = Counter(answer["problems"]), answer["images"], context.job.id
    context.commit(
        lambda tx: validation.begin(tx, project_id, job_id=job_id, name=name, images=images, counts=counts)
    )
    for start in range(0, len(problems), _PROBLEMS_AT_ONCE):
        part = problems[start : start + _PROBLEMS_AT_ONCE]
        context.commit(lambda tx, part=part, first=start + 1: validation.add(tx, project_id, first, part))
    many = "1 problem keeps" if counts.total() == 1 else f"{counts.total():,} problems keep"
    raise InvalidDataset(
        f"{many} the approved work from being ground truth: the dataset's page lists where, correct it there",
        details={"problems": counts.total(), "counts": counts},
    )


def _protect(context: Context, made: Snapshot, pictures: list[bytes]) -> None:
    """Keep the snapshot's pictures; after an interruption the manifest tells again which they are."""
    if not pictures:
        _ask(context, {"manifest": made.manifest_sha256}, pictures)
    for start in range(0, len(pictures), _HASHES_AT_ONCE):
        part = pictures[start : start + _HASHES_AT_ONCE]
        context.commit(lambda tx, part=part: snapshots.protect(tx, made.id, part))
    context.commit(lambda _: None, checkpoint={**context.checkpoint, "protected": True})


def _ask(
    context: Context, request: dict[str, Any], pictures: list[bytes], problems: list[Problem] | None = None
) -> dict[str, Any]:
    def receive(message: dict[str, Any]) -> None:
        if problems is not None:
            problems.extend(msgspec.convert(message["problems"], list[Problem]))
        pictures.extend(bytes.fromhex(sha256) for sha256 in message["pictures"])
        context.commit(lambda _: None, progress=len(pictures), message="reading the project")

    return context.child(
        _TASK,
        {"folder": str(context.store.folder), **request},
        on_message=receive,
        deadline_s=CHILD_DEADLINE_S,
        memory_bytes=child_memory_bytes(context.settings),
    )


def handle(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Write the manifest of a project as a staged blob, or tell the pictures of one; runs in a child.

    Args:
        request: ``folder`` of the store; then ``project_id`` and the manifest's ``header``, or the
            hash of a ``manifest``.
        send: Gets ``{"pictures": [sha256, …], "problems": […]}`` now and then.

    Returns:
        ``{"staged": …, "images": n, "annotations": n, "summary": …, "problems": {}}``; where there
        are problems ``{"images": n, "problems": {code: n}}``; nothing for a manifest.
    """
    folder = Path(request["folder"])
    blobs = Blobs(folder / "blobs", folder / "tmp")
    tell = _Teller(send)
    if "manifest" in request:
        for image in snapshots.opened(blobs, request["manifest"])[1]:
            tell.add(image)
        tell.flush()
        return {}
    header = msgspec.convert(request["header"], snapshots.Header)
    connection = database.connect(folder / database.FILE, readonly=True)
    connection.execute("BEGIN").fetchall()
    out = blobs.staging(compress=True)
    encode = msgspec.json.Encoder().encode
    out.write(encode(header) + b"\n")
    known = {label.id: label for label in header.labels}
    for image_id, image in snapshots.lines(connection, request["project_id"], header):
        out.write(encode(image) + b"\n")
        if header.contents == "approved":
            why = policies.unfinished(connection, request["project_id"], [image_id])
            tell.fault(Problem(one, None, "unfinished-review", words) for one, words in why.items())
            tell.fault(validation.problems_of(image_id, image, known))
        tell.add(image)
    tell.flush()
    if tell.problems:
        out.discard()
        return {"images": tell.images, "problems": tell.problems}
    staged = out.finish()
    facts = {**msgspec.structs.asdict(staged), "path": str(staged.path)}
    return {
        "staged": facts,
        "images": tell.images,
        "annotations": tell.annotations,
        "summary": tell.summary(),
        "problems": {},
    }


class _Teller:
    """Counts images and annotations, and sends the images' hashes in bundles."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._hashes: list[str] = []
        self._faults: list[Problem] = []
        self.problems: Counter[str] = Counter()
        self.images = 0
        self.annotations = 0
        self._splits: Counter[str] = Counter()
        self._labels: dict[int, Counter[str]] = defaultdict(Counter)
        self._geometries: Counter[str] = Counter()
        self._empty = 0

    def summary(self) -> dict[str, Any]:
        """Return the fields of `SnapshotSummary`."""
        labels = {str(label_id): dict(counts) for label_id, counts in self._labels.items()}
        splits, geometries = dict(self._splits), dict(self._geometries)
        return {"splits": splits, "labels": labels, "geometries": geometries, "empty": self._empty}

    def add(self, image: DatasetImage) -> None:
        assert image.sha256 is not None
        self.images += 1
        self.annotations += len(image.annotations)
        self._splits[image.split] += 1
        self._empty += not image.annotations
        for annotation in image.annotations:
            self._labels[annotation.label_id][image.split] += 1
            self._geometries[str(annotation.geometry.__struct_config__.tag)] += 1
        self._hashes.append(image.sha256)
        if len(self._hashes) == _TELL_EVERY:
            self.flush()

    def fault(self, found: Iterable[Problem]) -> None:
        for problem in found:
            if self.problems.total() < validation.MOST_KEPT:
                self._faults.append(problem)
            self.problems[problem.code] += 1

    def flush(self) -> None:
        if self._hashes:
            self._send({"pictures": self._hashes, "problems": msgspec.to_builtins(self._faults)})
        self._hashes, self._faults = [], []
