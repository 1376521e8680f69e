"""``pixelqueue label``: the main job on a folder, without a server."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from appliance.commands import _common
from appliance.errors import InvalidInput
from appliance.records import Job, Model, Note

if TYPE_CHECKING:
    from appliance.jobs.services import Jobs
    from appliance.store import Store

__all__ = ["COMMAND"]

_PROJECT = "label"
_WORK = ".pixelqueue"


@click.command("label")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--model", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="YOLO as ONNX."
)
@click.option("--format", "formats", multiple=True, default=("coco",), show_default=True, help="Repeat for several.")
@click.option("--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where datasets go.")
@click.option("--conf", type=click.FloatRange(0, 1), default=0.25, show_default=True, help="Least confidence kept.")
@click.option(
    "--iou", type=click.FloatRange(0, 1), default=0.7, show_default=True, help="Overlap taken as one object."
)
@click.option("--classes", default=None, help="Labels to keep: names or class indices with commas between.")
@click.option("--device", default=None, help="auto, cpu, cuda:0. [default: auto]")
@click.option("--batch", type=click.IntRange(1, 256), default=None, help="Pictures in a micro-batch.")
@_common.json_option
def label(
    folder: Path,
    model: Path,
    formats: tuple[str, ...],
    output: Path,
    conf: float,
    iou: float,
    classes: str | None,
    device: str | None,
    batch: int | None,
    json_: bool,
) -> None:
    """Prelabel every picture below FOLDER and write datasets.

    OUTPUT/coco/annotations.json and OUTPUT/yolo/{images,labels,data.yaml} hold what the model
    found; COCO annotations carry their score. Pictures are hard-linked where possible. The work
    is kept in OUTPUT/.pixelqueue, so a run that was interrupted goes on where it stopped, and a
    run after new pictures came labels only those.

    \b
    pixelqueue label photos --model yolov8n.onnx --format coco --format yolo --output out
    """
    _require_formats(formats)
    output.mkdir(parents=True, exist_ok=True)
    settings = _common.settings_for(output / _WORK)
    started_s = time.monotonic()
    with _common.working(settings, _drop_unwritten, create=True) as jobs:
        run = _Run(jobs, quiet=json_)
        weights = run.model(model)
        imported = run.pictures(folder)
        chosen = _class_indices(classes, weights)
        labelled = run.predictions(
            weights, {"conf": conf, "iou": iou, "classes": chosen, "device": device, "batch": batch}
        )
        snapshot_id = run.snapshot()
        written = [run.dataset(name, snapshot_id, output / name) for name in formats]
        notes = run.notes([imported, labelled, *written])
    seconds = round(time.monotonic() - started_s, 3)
    _report(written[0], notes, seconds, output, json_)


def _drop_unwritten(store: Store) -> None:
    """Cancel exports that an interruption left: this run writes its own, into the same folders."""
    from appliance.store import jobs

    for job in store.read(lambda reading: jobs.listed(reading, limit=500)).items:
        if job.kind in ("export", "snapshot") and job.state in ("queued", "running", "paused"):
            store.write(lambda tx, job=job: jobs.cancel(tx, job.id))


class _Run:
    """The steps of the main job; each takes up the job an interrupted run left behind."""

    def __init__(self, jobs: Jobs, *, quiet: bool) -> None:
        self._jobs = jobs
        self._store = jobs.store
        self._quiet = quiet
        self._project_id = _common.project_named(self._store, _PROJECT, create=True)

    def model(self, path: Path) -> Model:
        """Take the weights in, or find them from last time."""
        return _common.model_of(self._store, path)

    def pictures(self, folder: Path) -> Job:
        parameters = {"folder": str(folder.resolve()), "format": "pictures"}
        return self._done("import", parameters, "Pictures", again=True)

    def predictions(self, model: Model, options: dict[str, Any]) -> Job:
        """Label what has not been labelled with this model and these options yet."""
        parameters = {"model_id": model.id, **{k: v for k, v in options.items() if v is not None}}
        last = self._last("auto-label", parameters)
        if last is not None and last.state == "done":
            parameters["after"] = (last.result or {})["last_image_id"]
        return self._done("auto-label", parameters, "Predictions", again=True)

    def snapshot(self) -> int:
        parameters = {"name": f"label {time.time_ns()}", "contents": "everything"}
        done = self._done("snapshot", parameters, "Snapshot", again=True)
        return int((done.result or {})["snapshot_id"])

    def dataset(self, name: str, snapshot_id: int, folder: Path) -> Job:
        if name == "yolo":  # labels of pictures that are gone would still be read
            shutil.rmtree(folder / "labels", ignore_errors=True)
        parameters = {"format": name, "snapshot_id": snapshot_id, "folder": str(folder.resolve())}
        return self._done("export", parameters, f"Writing {name}", again=True)

    def notes(self, done: list[Job]) -> list[Note]:
        from appliance.store import jobs

        return [note for job in done for note in self._store.read(lambda r, job=job: jobs.notes(r, job.id))]

    def _done(self, kind: str, parameters: dict[str, Any], title: str, *, again: bool) -> Job:
        left = self._last(kind, parameters)
        if left is None or left.state in ("failed", "cancelled") or (again and left.state == "done"):
            left = self._jobs.submit(kind, parameters, project_id=self._project_id)
        elif left.state == "paused":
            left = self._jobs.resume(left.id)
        return _common.finished(self._jobs, left, title, quiet=self._quiet)

    def _last(self, kind: str, parameters: dict[str, Any]) -> Job | None:
        """Return the newest job of this kind with these parameters, whatever became of it."""
        from appliance.store import jobs

        wanted = msgspec.to_builtins(msgspec.convert(parameters, self._jobs.kinds[kind].parameters))
        newest = self._store.read(lambda r: jobs.listed(r, project_id=self._project_id, limit=500)).items
        same = (j for j in newest if j.kind == kind and {**j.parameters, "after": 0} == {**wanted, "after": 0})
        return next(same, None)


def _require_formats(names: tuple[str, ...]) -> None:
    from appliance.formats import formats

    for name in names:
        if name not in formats():
            raise InvalidInput(f"there is no format {name!r}: choose one of {', '.join(formats())}", field="format")


def _class_indices(classes: str | None, model: Model) -> list[int] | None:
    if classes is None:
        return None
    chosen = []
    for part in filter(None, (p.strip() for p in classes.split(","))):
        if part in model.info.labels:
            chosen.append(model.info.labels.index(part))
        elif part.isdecimal() and int(part) < len(model.info.labels):
            chosen.append(int(part))
        else:
            raise InvalidInput(f"the model has no label {part!r}", field="classes")
    return sorted(set(chosen))


def _report(written: Job, notes: list[Note], seconds: float, output: Path, json_: bool) -> None:
    counts = written.result or {}
    errors = [
        {"file": n.file, "code": n.code, "message": n.message} for n in notes if n.file and n.code not in ("renamed",)
    ]
    if json_:
        _common.as_json(
            {"images": counts["images"], "annotations": counts["annotations"], "seconds": seconds, "errors": errors}
        )
        return
    images, made = _common.counted(counts["images"], "image"), _common.counted(counts["annotations"], "annotation")
    _common.say(f"{images}, {made} in {seconds:.1f} s → {output}")
    for line in _common.note_lines(notes):
        _common.say(line)


COMMAND = label
