"""Undo a job as a whole: an auto-label run, an import, a change to many images, another undo.

It goes over what the job did, the newest first, in steps that each commit with the place they came
to; an interrupted run goes on there. What was kept and why is in its notes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from appliance.errors import InvalidInput
from appliance.jobs._base import FOREGROUND, Context, Kind
from appliance.records import Job, Label, Note
from appliance.store import Transaction, images, jobs, labels, task_changes, undo, withdrawn
from appliance.store.undo import Kept, Place

__all__ = ["KIND", "UndoParameters"]

_AT_ONCE = 8
"""About as many as fit into the writer's slice of 5 ms."""

_NOTES = 200
_WORDS: dict[Kept, str] = {
    "changed-since": "somebody changed or removed it since: it stays as it is",
    "judged-since": "the image was handed in or judged since: it stays as it is",
    "covered": "a person's shape is in the place of the prediction: it does not come back",
    "label-gone": "its label is deleted: it does not come back",
    "there-already": "it is there again already",
}


class UndoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The job to take back."""

    job_id: int


class Tally(msgspec.Struct):
    """How far it came; it is the checkpoint. `label` is the one that the job deleted, if it did."""

    phase: str = "label"
    after: list[int] = msgspec.field(default_factory=list)
    seen: int = 0
    removed: int = 0
    returned: int = 0
    images_removed: int = 0
    images_returned: int = 0
    tasks: int = 0
    kept: int = 0
    notes: int = 0
    label: Label | None = None


def run(context: Context, parameters: UndoParameters) -> dict[str, Any]:
    """Take phase after phase back, step after step, until none is left."""
    project_id = context.job.project_id
    if project_id is None:
        raise InvalidInput("an undo belongs to a project", field="project_id")
    job = context.store.read(lambda reading: undo.check(reading, project_id, parameters.job_id))
    undoing = _Undoing(context, project_id, job)
    while undoing.step():
        context.pause_point()
    return undoing.result()


class _Undoing:
    """The phases in their order, each a step that says how many things it saw; 0 ends it."""

    def __init__(self, context: Context, project_id: int, job: Job) -> None:
        self._context = context
        self._project_id = project_id
        self._job = job
        self._tally = msgspec.convert(context.checkpoint or {}, Tally)
        self._total = context.store.read(self._number)
        self._phases: dict[str, Callable[[Transaction, Tally, list[Note]], int]] = {
            "label": self._label_back,
            "returning": self._pictures_back,
            "pictures": self._pictures_away,
            "revisions": self._revisions,
            "tasks": self._tasks,
            "unlabel": self._label_away,
        }

    def step(self) -> bool:
        """Commit the next few things with the checkpoint behind them; False when all is done."""
        if self._tally.phase not in self._phases:
            return False
        self._tally = tally = self._context.commit(self._some)
        self._context.checkpoint = msgspec.to_builtins(tally)
        return True

    def result(self) -> dict[str, Any]:
        names = ("removed", "returned", "images_removed", "images_returned", "tasks", "kept")
        return {"job_id": self._job.id} | {name: getattr(self._tally, name) for name in names}

    def _number(self, reading: Any) -> int:
        job_id = self._job.id
        there, _ = withdrawn.number_brought(reading, self._project_id, job_id)
        rest = undo.count(reading, job_id) + task_changes.count(reading, job_id) + withdrawn.count(reading, job_id)
        return max(there + rest, self._tally.seen)

    def _some(self, tx: Transaction) -> Tally:
        tally = msgspec.convert(msgspec.to_builtins(self._tally), Tally)
        notes: list[Note] = []
        seen = self._phases[tally.phase](tx, tally, notes)
        tally.seen += seen
        if not seen:
            names = [*self._phases, "done"]
            tally.phase, tally.after = names[names.index(tally.phase) + 1], []
        done = min(tally.seen, self._total)
        jobs.advance(
            tx, self._context.job.id, checkpoint=msgspec.to_builtins(tally), progress=done, total=self._total
        )
        jobs.add_notes(tx, self._context.job.id, notes)
        return tally

    def _label_back(self, tx: Transaction, tally: Tally, _notes: list[Note]) -> int:
        facts = jobs.standing(tx, self._job.id)[0].get("label")
        if facts is not None:
            tally.label = msgspec.convert(facts, Label)
            if tally.label.id not in labels.ids(tx, self._project_id):
                labels.bring_back(tx, tally.label)
        return 0

    def _pictures_back(self, tx: Transaction, tally: Tally, notes: list[Note]) -> int:
        found = withdrawn.waiting(tx, self._job.id, tally.after[0] if tally.after else 0, _AT_ONCE)
        for image_id in found:
            made = withdrawn.return_one(tx, self._project_id, image_id, self._job.id, self._context.job.id)
            tally.images_returned += made is not None
            tally.returned += made or 0
            if made is None:
                self._keep(tally, notes, "there-already", f"image {image_id}", 1)
        tally.after = found[-1:]
        return len(found)

    def _pictures_away(self, tx: Transaction, tally: Tally, _notes: list[Note]) -> int:
        after = tally.after[0] if tally.after else 0
        found = withdrawn.brought(tx, self._project_id, self._job.id, after, _AT_ONCE)
        for image_id in found:
            tally.removed += withdrawn.withdraw(tx, self._project_id, image_id, self._context.job.id)
        tally.images_removed += len(found)
        tally.after = found[-1:]
        return len(found)

    def _revisions(self, tx: Transaction, tally: Tally, notes: list[Note]) -> int:
        below = Place(*tally.after) if tally.after else None
        found = undo.revisions(tx, self._job.id, below, _AT_ONCE)
        for place in found:
            outcome = undo.take_back(tx, self._project_id, place, self._context.job.id)
            tally.removed += outcome.removed
            tally.returned += outcome.returned
            for why, n in outcome.kept.items():
                self._keep(tally, notes, why, images.get(tx, self._project_id, place.image_id).name, n)
        tally.after = list(found[-1]) if found else []
        return len(found)

    def _tasks(self, tx: Transaction, tally: Tally, notes: list[Note]) -> int:
        found = task_changes.listed(tx, self._job.id, tally.after[0] if tally.after else 0, _AT_ONCE)
        for image_id in found:
            if task_changes.take_back(tx, self._job.id, image_id, self._context.job.id):
                tally.tasks += 1
            else:
                self._keep(tally, notes, "changed-since", images.get(tx, self._project_id, image_id).name, 1)
        tally.after = found[-1:]
        return len(found)

    def _label_away(self, tx: Transaction, tally: Tally, _notes: list[Note]) -> int:
        """Delete again, when an undo is undone, the label which that had brought back."""
        if tally.label is not None and self._job.kind == "undo" and not labels.uses(tx, tally.label.id):
            labels.delete(tx, self._project_id, tally.label.id)
        return 0

    def _keep(self, tally: Tally, notes: list[Note], why: Kept, file: str, n: int) -> None:
        tally.kept += n
        if tally.notes < _NOTES:
            tally.notes += 1
            notes.append(Note(code=why, message=_WORDS[why], file=file, count=n))


KIND = Kind(name="undo", lane="io", priority=FOREGROUND, parameters=UndoParameters, run=run)
