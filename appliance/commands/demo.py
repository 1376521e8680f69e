"""``pixelqueue demo``: the whole loop on pictures that come with the program, or on the user's own."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from appliance.commands import _common
from appliance.commands.serve import announce
from appliance.errors import Conflict, Unavailable
from appliance.jobs.services import Jobs
from appliance.records import Annotation, Label, Model, Note, Project, Review, ReviewPolicy, Task
from appliance.settings import Settings
from appliance.store import Store, Transaction
from appliance.store import jobs as noun

__all__ = ["COMMAND"]

ACCOUNTS = (
    ("admin@example.com", "admin123", "admin"),
    ("reviewer@example.com", "reviewer123", "reviewer"),
    ("annotator@example.com", "annotator123", "annotator"),
)
_REPORT = "demo.json"
_AT_ONCE = 50
_CONFIDENCE, _OVERLAP = 0.4, 0.6
"""Where the demo's model finds most pictures' objects, each once."""


@click.command("demo")
@click.option("--images", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Your own pictures.")
@click.option("--model", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own YOLO as ONNX.")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), default=Path("data/demo"), show_default=True
)
@click.option("--port", type=int, default=8000, show_default=True, help="Another one is taken when it is in use.")
@click.option("--exit", "exit_", is_flag=True, help="Do the job and end, without serving.")
@_common.json_option
def demo(images: Path | None, model: Path | None, data: Path, port: int, exit_: bool, json_: bool) -> None:
    """Label, review and export a project, then serve it on this machine.

    Without options it uses pictures of fasteners and a detector that come with the program, and
    a simulated reviewer who knows the truth. With --images and --model it prelabels your own
    pictures, and the review is yours. The accounts are admin@example.com / admin123,
    reviewer@example.com / reviewer123 and annotator@example.com / annotator123; the data
    directory is marked as a demo for good and never listens on the network.
    """
    settings = _common.settings_for(data, port=port)
    report = _prepared(settings, images, model, quiet=json_)
    if json_:
        _common.as_json(report)
    else:
        _tell(report)
    if not exit_:
        _serve(settings, json_)


def _prepared(settings: Settings, images: Path | None, model: Path | None, *, quiet: bool) -> dict[str, Any]:
    """Do the job, or return the report of the last time when it is done."""
    source = {"images": str(images.resolve()) if images else None, "model": str(model.resolve()) if model else None}
    kept = Path(settings.data) / _REPORT
    if kept.exists():
        report: dict[str, Any] = msgspec.json.decode(kept.read_bytes())
        if report["source"] == source:
            return report
    with _common.working(settings, create=True) as jobs:
        _seed_accounts(jobs.store, settings)
        done = _Demo(jobs, images, model, quiet=quiet).run()
        report = {"source": source, **msgspec.to_builtins(done)}
    partial = kept.with_suffix(".part")
    partial.write_bytes(msgspec.json.encode(report))
    partial.replace(kept)
    return report


def _seed_accounts(store: Store, settings: Settings) -> None:
    from appliance.store import setup, users

    if store.read(setup.is_demo):
        return
    if store.read(users.any_exist):
        raise Conflict(f"{settings.data} is somebody's data directory, no demo: give another --data", field="data")
    hashed = [_common.password_hash(settings, password) for _, password, _ in ACCOUNTS]

    def seed(tx: Transaction) -> None:
        setup.mark_demo(tx)
        for (email, _, role), hash_ in zip(ACCOUNTS, hashed, strict=True):
            global_role = "admin" if role == "admin" else "member"
            users.create(tx, email=email, name=email.partition("@")[0], role=global_role, password_hash=hash_)

    store.write(seed)


class _Demo:
    """The steps of the demo; each says how long it took."""

    def __init__(self, jobs: Jobs, images: Path | None, model: Path | None, *, quiet: bool) -> None:
        self._jobs = jobs
        self._store = jobs.store
        self._images = images
        self._model = model
        self._quiet = quiet
        self._seconds: dict[str, float] = {}
        self._last_job = 0
        self._refused: list[Note] = []
        self._truth: dict[str, list[tuple[str, Any]]] = {}
        self._own = images is not None or model is not None

    def run(self) -> dict[str, Any]:
        from appliance.demo.content import model_path

        weights = _common.model_of(self._store, self._model or model_path())
        project = self._project(weights)
        with self._timed("pictures"):
            imported = self._import(project)
        with self._timed("auto_label"):
            sure = {} if self._own else {"conf": _CONFIDENCE, "iou": _OVERLAP}
            parameters = {"model_id": weights.id, "submit": True, **sure}
            labelled = self._done("auto-label", parameters, project, "Auto-label")
        facts: dict[str, Any] = {
            "images": imported["seen"] - imported["errors"],
            "predictions": labelled["predictions"],
            "errors": self._refused,
        }
        contents = "everything"
        if not self._own:
            contents = "approved"
            with self._timed("review"):
                facts |= self._reviewed(project)
        with self._timed("export"):
            facts["exports"] = self._exports(project, contents)
        return {"project": project.name, **facts, "seconds": self._seconds}

    def _project(self, weights: Model) -> Project:
        from appliance.demo.content import DEMO_LABELS
        from appliance.store import labels, members, projects

        name = self._images.resolve().name if self._images else "Fasteners on a tray"
        accounts = [(_common.user_of(self._store, email), role) for email, _, role in ACCOUNTS]

        def create(tx: Transaction) -> Project:
            made = projects.create(
                tx, name=name, review_policy=ReviewPolicy(images="all"), created_by=accounts[0][0].id
            )
            for user, role in accounts[1:]:
                members.put(tx, made.id, user.id, role)  # type: ignore[arg-type]
            if not self._own:
                for label, color in DEMO_LABELS:
                    labels.create(tx, made.id, labels.NewLabel(name=label, color=color))
            return projects.change(tx, made.id, model_id=weights.id)

        return self._store.write(create)

    def _import(self, project: Project) -> dict[str, Any]:
        if self._images is not None:
            return self._imported(self._images, project)
        from appliance.demo.content import DEMO_SEEDS
        from appliance.demo.scene import pictures

        drawn = Path(tempfile.mkdtemp(prefix="pixelqueue-demo-"))
        try:
            if not self._quiet:
                _common.say(f"Drawing {len(DEMO_SEEDS)} pictures …")
            for picture in pictures(DEMO_SEEDS):
                (drawn / picture.name).write_bytes(picture.data)
                self._truth[picture.name] = [(item.label, item.box) for item in picture.objects]
            return self._imported(drawn, project)
        finally:
            shutil.rmtree(drawn)

    def _imported(self, folder: Path, project: Project) -> dict[str, Any]:
        parameters = {"folder": str(folder.resolve()), "format": "pictures"}
        imported = self._done("import", parameters, project, "Pictures")
        self._refused = self._store.read(lambda reading: noun.notes(reading, self._last_job))
        return imported

    def _reviewed(self, project: Project) -> dict[str, Any]:
        """Let the simulated reviewer judge every image by the truth; return counts and accuracy."""
        from appliance.demo.evaluate import mean_average_precision

        found: dict[str, list[Any]] = {}
        verdicts = {"approve": 0, "return": 0}
        reviewer = _common.user_of(self._store, "reviewer@example.com")
        names = {label.id: label.name for label in self._labels(project)}
        for task in self._waiting(project):
            name, shapes = self._on(task)
            found[name] = [(names[a.label_id], a.geometry.bounds(), a.confidence) for a in shapes]
            verdicts[self._judged(task, reviewer.id, name, found[name]).verdict] += 1
        accuracy = mean_average_precision(found, self._truth)
        return {
            "approved": verdicts["approve"],
            "returned": verdicts["return"],
            "map50": round(accuracy.map50, 4),
            "map50_95": round(accuracy.map50_95, 4),
        }

    def _judged(self, task: Task, reviewer_id: int, name: str, found: list[Any]) -> Review:
        from appliance.demo.evaluate import match
        from appliance.store import images, reviews

        faults = match(found, self._truth[name])
        reason = ", ".join(sorted({f"{fault.kind} ({fault.label})" for fault in faults}))

        def review(tx: Transaction) -> Review:
            return reviews.review(
                tx,
                task.project_id,
                task.id,
                reviewer_id=reviewer_id,
                revision=images.get(tx, task.project_id, task.image_id).revision,
                verdict="return" if faults else "approve",
                reason=reason or None,
            )

        return self._store.write(review)

    def _labels(self, project: Project) -> list[Label]:
        from appliance.store import labels

        return self._store.read(lambda reading: labels.listed(reading, project.id))

    def _waiting(self, project: Project) -> Iterator[Task]:
        from appliance.store import tasks

        after: int | None = 0
        while after is not None:
            page = self._store.read(
                lambda reading, after=after: tasks.listed(
                    reading, project.id, state="in_review", after=after, limit=_AT_ONCE
                )
            )
            yield from page.items
            after = page.next

    def _on(self, task: Task) -> tuple[str, list[Annotation]]:
        from appliance.store import annotations, images

        name = self._store.read(lambda reading: images.get(reading, task.project_id, task.image_id)).name
        shapes = self._store.read(lambda reading: annotations.of_image(reading, task.project_id, task.image_id))
        return name, shapes.annotations

    def _exports(self, project: Project, contents: str) -> dict[str, Any]:
        snapshot = self._done("snapshot", {"name": "demo", "contents": contents}, project, "Snapshot")
        made = {}
        for name in ("coco", "yolo"):
            parameters = {"format": name, "snapshot_id": snapshot["snapshot_id"]}
            result = self._done("export", parameters, project, f"Export {name}")
            made[name] = {key: result[key] for key in ("export_id", "images", "annotations")}
        return made

    def _done(self, kind: str, parameters: dict[str, Any], project: Project, title: str) -> dict[str, Any]:
        job = self._jobs.submit(kind, parameters, project_id=project.id, created_by=project.created_by)
        self._last_job = job.id
        return _common.finished(self._jobs, job, title, quiet=self._quiet).result or {}

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        started_s = time.monotonic()
        yield
        self._seconds[step] = round(time.monotonic() - started_s, 2)


def _tell(report: dict[str, Any]) -> None:
    seconds = report["seconds"]
    click.echo(f"Project “{report['project']}”")
    click.echo(f"  {report['images']} pictures taken in                 {seconds['pictures']:>7.2f} s")
    click.echo(f"  {report['predictions']} objects predicted               {seconds['auto_label']:>7.2f} s")
    if "map50" in report:
        click.echo(
            f"  {report['approved']} approved, {report['returned']} returned by review   {seconds['review']:>7.2f} s"
        )
        click.echo(f"  mAP50 {report['map50']:.3f}, mAP50-95 {report['map50_95']:.3f} against the truth")
    else:
        click.echo("  the pictures wait for your review; what was exported are predictions, no ground truth")
    for line in _common.note_lines(msgspec.convert(report["errors"], list[Note])):
        click.echo(line)
    for name, made in report["exports"].items():
        click.echo(f"  {name}: {made['images']} images, {made['annotations']} annotations")
    click.echo(f"  both exports                        {seconds['export']:>7.2f} s")


def _serve(settings: Settings, json_: bool) -> None:
    from appliance.app import build

    try:
        with build(settings) as appliance:
            appliance.serve(lambda server, code: _welcome(server, code, json_))
    except Unavailable:
        if not settings.port:
            raise
        with build(msgspec.structs.replace(settings, port=0)) as appliance:
            appliance.serve(lambda server, code: _welcome(server, code, json_))


def _welcome(server: Any, code: str | None, json_: bool) -> None:
    announce(server, code, json_)
    if not json_:
        for email, password, _ in ACCOUNTS:
            click.echo(f"  {email} / {password}")


COMMAND = demo
