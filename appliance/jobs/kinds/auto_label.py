"""Let a model prelabel the images of a project."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from appliance.errors import InvalidInput, NotFound, PixelQueueError
from appliance.jobs._base import BATCH, Context, JobPaused, Kind
from appliance.jobs.label_matching import Match, matches
from appliance.jobs.plans import Watch
from appliance.records import Image, Label, Model, Note, Prediction
from appliance.store import (
    Reading,
    Transaction,
    filters,
    images,
    jobs,
    labels,
    model_labels,
    models,
    predictions,
    projects,
    task_changes,
    tasks,
)
from appliance.store.filters import EVERYTHING, ImageFilter
from appliance.store.predictions import OPEN_TO_MODELS, Proposal

__all__ = ["KIND", "AutoLabelParameters"]

_log = logging.getLogger(__name__)

_NICE = 10
_COMMIT_IMAGES = 16
_COMMIT_S = 0.5
_PAGE = 500

Fraction = Annotated[float, Meta(ge=0, le=1)]


class AutoLabelParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to predict with, and on what.

    `model_id` defaults to the project's active model, `image_ids` to every image that matches the
    `filter`, is open, in progress or returned and has an id above `after`. `classes` are class indices of the
    model; a label's own threshold, where the project has one, stands for `conf`. With `submit`,
    images that nobody has begun go to review with their predictions.
    """

    model_id: int | None = None
    image_ids: Annotated[list[int], Meta(max_length=100_000)] | None = None
    filter: ImageFilter | None = None
    conf: Fraction = 0.25
    iou: Fraction = 0.7
    classes: list[int] | None = None
    batch: Annotated[int, Meta(ge=1, le=256)] | None = None
    device: str | None = None
    after: Annotated[int, Meta(ge=0)] = 0
    submit: bool = False


class Tally(msgspec.Struct):
    """What has been done up to the checkpoint; it is the checkpoint."""

    after: int = 0
    images: int = 0
    predictions: int = 0
    skipped: int = 0
    errors: int = 0
    foreign: dict[str, int] = msgspec.field(default_factory=dict)


def run(context: Context, parameters: AutoLabelParameters) -> dict[str, Any]:
    """Predict image by image in the order of their ids, committing every few with the checkpoint."""
    from appliance.engine.decoders._base import PredictOptions
    from appliance.engine.predictor import Item

    started_s = time.monotonic()
    project_id = context.job.project_id
    if project_id is None:
        raise InvalidInput("auto-labelling belongs to a project", field="project_id")
    model = context.store.read(lambda reading: _model(reading, project_id, parameters.model_id))
    names = context.commit(lambda tx: _names(tx, project_id, model, parameters))
    total = context.store.read(lambda reading: _total(reading, project_id, parameters))
    tally = msgspec.convert(context.checkpoint or {"after": parameters.after}, Tally)
    keeper = _Keeper(context, model, names, parameters.submit, tally, total)
    options = PredictOptions(conf=names.least, iou=parameters.iou, classes=parameters.classes, batch=parameters.batch)
    weights = context.store.blobs.path(model.file().sha256)
    nice = _NICE if context.job.priority <= BATCH else 0

    def tell(message: str) -> None:
        context.commit(lambda _: None, progress=keeper.seen, total=total, message=message)

    watch = Watch(tell, context.pause_point)
    context.rest()
    loading = context.runtimes.predictor(
        weights, model.info, options, device=parameters.device, nice=nice, watch=watch
    )
    with loading as predictor:
        tell(f"{model.name} on {predictor.device} ({predictor.backend})")
        source = _images(context, project_id, parameters, tally.after)
        items = (Item(image, path, image.name) for image, path in keeper.readable(source))
        try:
            for outcome in predictor.predict(items, context.holding):
                keeper.add(outcome.key, outcome.predictions, outcome.error)
        except JobPaused:
            keeper.flush()
            raise
        keeper.flush()
    _note_foreign(context, tally)
    return {
        "model_id": model.id,
        "images": tally.images,
        "predictions": tally.predictions,
        "skipped": tally.skipped,
        "errors": tally.errors,
        "last_image_id": tally.after,
        "seconds": round(time.monotonic() - started_s, 3),
    }


class _Names:
    """From the model's class indices to the project's label ids, and how sure each must be.

    Attributes:
        least: The confidence below which no prediction is taken, whatever its label.
    """

    def __init__(self, found: Sequence[Match], conf: float) -> None:
        self._matches = found
        self._conf = conf
        self.least = min((self._needed(m) for m in found if m.label_id is not None), default=conf)

    def label_id(self, class_index: int) -> int | None:
        return self._matches[class_index].label_id

    def ignored(self, class_index: int) -> bool:
        return self._matches[class_index].how == "ignored"

    def sure(self, class_index: int, confidence: float) -> bool:
        return confidence > self._needed(self._matches[class_index])

    def name(self, class_index: int) -> str:
        return self._matches[class_index].name

    def _needed(self, match: Match) -> float:
        return self._conf if match.confidence is None else match.confidence


class _Keeper:
    """Collects outcomes and commits them in small batches, each with its checkpoint."""

    def __init__(self, context: Context, model: Model, names: _Names, submit: bool, tally: Tally, total: int) -> None:
        self._context = context
        self._model = model
        self._names = names
        self._submit = submit
        self._tally = tally
        self._total = total
        self._waiting: list[tuple[Image, list[Proposal] | None]] = []
        self._due_s = time.monotonic() + _COMMIT_S

    @property
    def seen(self) -> int:
        return self._tally.images + self._tally.skipped + self._tally.errors

    def readable(self, source: Iterator[Image]) -> Iterator[tuple[Image, Any]]:
        """Yield images with the path of their bytes; missing bytes are this image's error alone."""
        for image in source:
            try:
                yield image, self._context.store.blobs.path(image.sha256)
            except PixelQueueError as error:
                self._tally.errors += 1
                self._context.note(Note(code=error.code, message=error.message, file=image.name))

    def add(self, image: Image, found: Sequence[Prediction], error: PixelQueueError | None) -> None:
        if error is not None:
            self._context.note(Note(code=error.code, message=error.message, file=image.name))
            self._waiting.append((image, None))
        else:
            self._waiting.append((image, self._proposals(found)))
        if len(self._waiting) >= _COMMIT_IMAGES or time.monotonic() >= self._due_s:
            self.flush()

    def flush(self) -> None:
        """Commit what waits, in one transaction with the checkpoint behind it."""
        self._due_s = time.monotonic() + _COMMIT_S
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        tally = self._context.commit(lambda tx: self._write(tx, waiting))
        for name in Tally.__struct_fields__:
            setattr(self._tally, name, getattr(tally, name))
        self._context.checkpoint = msgspec.to_builtins(tally)

    def _write(self, tx: Transaction, waiting: Sequence[tuple[Image, list[Proposal] | None]]) -> Tally:
        tally = msgspec.convert(msgspec.to_builtins(self._tally), Tally)
        for stale, proposals in waiting:
            tally.after = stale.id
            if proposals is None:
                tally.errors += 1
                continue
            made = self._put(tx, stale, proposals)
            if made is None:
                tally.skipped += 1
            else:
                tally.images += 1
                tally.predictions += made
        done = tally.images + tally.skipped + tally.errors
        jobs.advance(
            tx,
            self._context.job.id,
            checkpoint=msgspec.to_builtins(tally),
            progress=done,
            total=max(self._total, done),
        )
        return tally

    def _put(self, tx: Transaction, stale: Image, proposals: list[Proposal]) -> int | None:
        """Write one image's predictions; None when it was deleted or submitted meanwhile."""
        try:
            image = images.get(tx, stale.project_id, stale.id)
        except NotFound:
            return None
        if image.state not in OPEN_TO_MODELS:
            return None
        job_id = self._context.job.id
        made = predictions.replace(tx, image, proposals, model_id=self._model.id, job_id=job_id, round_id=str(job_id))
        if self._submit:
            before = task_changes.facts(tx, [image.id])
            if tasks.submit_by_machine(tx, image):
                task_changes.keep(tx, job_id, before)
        return made

    def _proposals(self, found: Sequence[Prediction]) -> list[Proposal]:
        made = []
        for p in found:
            label_id = self._names.label_id(p.class_index)
            if self._names.ignored(p.class_index) or not self._names.sure(p.class_index, p.confidence):
                continue
            if label_id is None:
                name = self._names.name(p.class_index)
                self._tally.foreign[name] = self._tally.foreign.get(name, 0) + 1
            else:
                made.append(Proposal(label_id, round(p.confidence, 6), p.geometry))
        return made


def _model(reading: Reading, project_id: int, model_id: int | None) -> Model:
    chosen = model_id if model_id is not None else projects.get(reading, project_id).model_id
    if chosen is None:
        raise InvalidInput("the project has no model yet: choose one, or name it", field="model_id")
    model = models.get(reading, chosen)
    if model.task == "prompt":
        raise InvalidInput(f"{model.title} answers clicks and prelabels nothing: choose another", field="model_id")
    return model


def _names(tx: Transaction, project_id: int, model: Model, parameters: AutoLabelParameters) -> _Names:
    present = _labels(tx, project_id, model, parameters.classes)
    return _Names(matches(model, present, model_labels.chosen(tx, project_id, model.id)), parameters.conf)


def _labels(tx: Transaction, project_id: int, model: Model, classes: list[int] | None) -> list[Label]:
    """Return the project's labels; a project without any gets the model's, in the model's order."""
    present = labels.listed(tx, project_id)
    if present:
        return present
    wanted = [n for i, n in enumerate(model.info.labels) if classes is None or i in classes]
    return labels.ensure(tx, project_id, wanted)


def _total(reading: Reading, project_id: int, parameters: AutoLabelParameters) -> int:
    if parameters.image_ids is not None:
        return len(set(parameters.image_ids))
    if parameters.filter is not None:
        states = [s for s in OPEN_TO_MODELS if s in parameters.filter.states or not parameters.filter.states]
        wanted = msgspec.structs.replace(parameters.filter, states=states)
        return filters.count(reading, project_id, wanted) if states else 0
    if parameters.after:
        sql = "SELECT COUNT(*) FROM images WHERE project_id = ? AND id > ?"
        ((count,),) = reading.execute(sql, (project_id, parameters.after)).fetchall()
        return int(count)
    marks = ", ".join("?" * len(OPEN_TO_MODELS))
    sql = f"SELECT COALESCE(SUM(images), 0) FROM image_counts WHERE project_id = ? AND state IN ({marks})"
    ((count,),) = reading.execute(sql, (project_id, *OPEN_TO_MODELS)).fetchall()
    return int(count)


def _images(context: Context, project_id: int, parameters: AutoLabelParameters, after: int) -> Iterator[Image]:
    if parameters.image_ids is not None:
        ids = iter(sorted({i for i in parameters.image_ids if i > after}))
        while page := list(islice(ids, _PAGE)):
            yield from context.store.read(_some(project_id, page))
        return
    while found := context.store.read(_page(project_id, parameters.filter or EVERYTHING, after)):
        yield from (image for image in found if image.state in OPEN_TO_MODELS)
        after = found[-1].id


def _page(project_id: int, wanted: ImageFilter, after: int) -> Callable[[Reading], list[Image]]:
    return lambda reading: images.listed(reading, project_id, wanted, after=after, limit=_PAGE).items


def _some(project_id: int, ids: Sequence[int]) -> Callable[[Reading], list[Image]]:
    def read(reading: Reading) -> list[Image]:
        found = (images.find(reading, project_id, image_id) for image_id in ids)
        return [image for image in found if image is not None and image.state in OPEN_TO_MODELS]

    return read


def _note_foreign(context: Context, tally: Tally) -> None:
    for name, count in sorted(tally.foreign.items()):
        message = f"the model found {name!r}, which is no label of this project: add the label, or map it to one"
        context.note(Note(code="label-not-in-project", message=message, count=count))


KIND = Kind(name="auto-label", lane="model", priority=BATCH, parameters=AutoLabelParameters, run=run)
