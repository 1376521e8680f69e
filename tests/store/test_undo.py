"""Undoing a job: what people did since stays to the last field, everything else is as before the job."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from appliance.errors import Conflict, NotFound
from appliance.geometry.box import Box
from appliance.jobs.kinds.undo import KIND, UndoParameters
from appliance.records import Annotation, Image, Job, Label, Project, User
from appliance.store import (
    Store,
    annotations,
    images,
    jobs,
    labels,
    members,
    predictions,
    queues,
    reviews,
    tasks,
    undo,
    withdrawn,
)
from appliance.store.bulk import Change, Changed, Selection, step
from appliance.store.history import Changes
from appliance.store.predictions import Proposal
from tests.store._nouns import (
    LEASE_MS,
    a_diff,
    a_draft,
    a_label,
    a_project,
    a_user,
    an_image,
    now,
    require_counts,
    require_truth,
    save,
    shown,
    task_of,
)


class Bench:
    """A project in which jobs run and people work."""

    def __init__(self, store: Store, policy: str = "all") -> None:
        self.store = store
        self.ann: User = a_user(store)
        self.project: Project = a_project(store, policy)
        self.label: Label = a_label(store, self.project.id)
        self.other: Label = a_label(store, self.project.id, "van")

    def job(self, kind: str, **parameters: Any) -> Job:
        def make(tx) -> Job:
            made = jobs.create(tx, kind, "io", 100, parameters, project_id=self.project.id, created_by=self.ann.id)
            jobs.claim(tx, "io")
            return made

        return self.store.write(make)

    def over(self, job: Job) -> None:
        self.store.write(lambda tx: jobs.finish(tx, job.id, {}))

    def predict(self, job: Job, image: Image, *found: Box) -> None:
        made = [Proposal(self.label.id, 0.5, shape) for shape in found]
        self.store.write(
            lambda tx: predictions.replace(
                tx, now(self.store, image), made, model_id=None, job_id=job.id, round_id=str(job.id)
            )
        )

    def undone(self, job: Job) -> tuple[Job, dict[str, Any]]:
        """Undo a job in this process, with the kind's own steps."""
        made = self.job("undo", job_id=job.id)
        result = KIND.run(_Context(self.store, made), UndoParameters(job_id=job.id))  # type: ignore[arg-type]
        self.over(made)
        return made, result

    def standing(self, image: Image) -> dict[str, Annotation]:
        return {a.id: a for a in shown(self.store, image).annotations}

    def preview(self, job: Job) -> undo.Preview:
        return self.store.read(lambda r: undo.preview(r, self.project.id, job.id))

    def notes(self, job: Job) -> set[str]:
        return {note.code for note in self.store.read(lambda r: jobs.notes(r, job.id))}


class _Context:
    """The part of a job's context that an undo uses, on the store itself."""

    def __init__(self, store: Store, job: Job) -> None:
        self.store, self.job, self.checkpoint = store, job, {}

    def commit(self, work: Callable[..., Any], **_: Any) -> Any:
        return self.store.write(work, bulk=True)

    def pause_point(self) -> None:
        pass


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def content(found: dict[str, Annotation]) -> dict[str, Any]:
    """Return annotations without the numbers of their revisions."""
    return {key: (a.label_id, a.geometry, a.attributes, a.source, a.status, a.confidence, a.author_id)
            for key, a in found.items()}  # fmt: skip


def a_box(at: int) -> Box:
    return Box(9 * at, 1, 9 * at + 8, 11)


@pytest.mark.parametrize("seed", range(30))
def test_what_people_did_after_a_run_stays_exactly_and_the_rest_is_as_before(store: Store, seed: int) -> None:
    dice, bench = random.Random(seed), Bench(store)
    pictures = [an_image(store, bench.project.id, f"{n}.png") for n in range(4)]
    first = bench.job("auto-label")
    for image in pictures:
        save(store, image, a_diff(0, [a_draft("by-hand", bench.label.id, Box(0, 40, 30, 70))]), bench.ann)
        bench.predict(first, image, *(a_box(n) for n in range(dice.randint(0, 3))))
    bench.over(first)
    before = {image.id: content(bench.standing(image)) for image in pictures}
    run = bench.job("auto-label")
    for image in pictures:
        bench.predict(run, image, *(a_box(n + dice.randint(0, 2)) for n in range(0, 8, 3)))
    bench.over(run)
    after = {image.id: content(bench.standing(image)) for image in pictures}
    touched: dict[int, set[str]] = {image.id: set() for image in pictures}
    for _ in range(dice.randint(0, 12)):
        image = dice.choice(pictures)
        present = bench.standing(image)
        key = dice.choice([*present, "new"])
        there = now(store, image).revision
        if key == "new":
            name = f"drawn-{dice.randint(0, 10**6):06}"
            save(store, image, a_diff(there, [a_draft(name, bench.label.id, Box(60, 60, 90, 79))]), bench.ann)
            touched[image.id].add(name.ljust(8, "_"))
        elif dice.random() < 0.4:
            save(store, image, a_diff(there, removed=[key]), bench.ann)
            touched[image.id].add(key)
        else:
            shape = dice.choice([present[key].geometry, Box(1, 1, dice.randint(5, 90), 50)])
            draft = a_draft(key, bench.other.id, shape, rejected=dice.random() < 0.2)
            save(store, image, a_diff(there, changed=[draft]), bench.ann)
            touched[image.id].add(key)
    theirs = {image.id: content(bench.standing(image)) for image in pictures}
    seen = bench.preview(run)
    undoing, result = bench.undone(run)
    for image in pictures:
        found, mine = content(bench.standing(image)), touched[image.id]
        assert {k: v for k, v in found.items() if k in mine} == {
            k: v for k, v in theirs[image.id].items() if k in mine
        }
        rest = {k: v for k, v in found.items() if k not in mine}
        allowed = {k: v for k, v in before[image.id].items() if k not in mine}
        assert rest.items() <= allowed.items(), "nothing of the run is left"
        gone = allowed.keys() - rest.keys()
        people = [a for a in bench.standing(image).values() if not a.is_prediction]
        for key in gone:
            assert key not in after[image.id]
            shape = Proposal(allowed[key][0], 0.5, allowed[key][1])
            assert predictions.covered(shape, people), "only what a person's shape covers stays away"
        store.read(lambda r, i=image: require_truth(r, i))
    assert result["removed"] == seen.annotations
    assert result["returned"] <= seen.returning
    assert seen.kept + seen.kept_images == 0 or result["kept"] > 0
    back, _ = bench.undone(undoing)
    for image in pictures:
        again = content(bench.standing(image))
        mine = touched[image.id]
        assert {k: v for k, v in again.items() if k in mine} == {
            k: v for k, v in theirs[image.id].items() if k in mine
        }
        covered = before[image.id].keys() - after[image.id].keys()
        assert {k: v for k, v in again.items() if k not in mine | covered} == {
            k: v for k, v in theirs[image.id].items() if k not in mine | covered
        }
        store.read(lambda r, i=image: require_truth(r, i))
    assert back.id > undoing.id


def test_what_was_handed_in_or_judged_since_is_left_alone_and_said(store: Store, bench: Bench) -> None:
    image, rita = an_image(store, bench.project.id), a_user(store)
    run = bench.job("auto-label")
    bench.predict(run, image, a_box(1))
    bench.over(run)
    task = task_of(store, image)
    store.write(lambda tx: tasks.submit(tx, bench.project.id, task.id, bench.ann.id, 1))
    assert (bench.preview(run).kept_images, bench.preview(run).annotations) == (1, 0)
    undoing, result = bench.undone(run)
    assert (result["removed"], result["kept"], bench.notes(undoing)) == (0, 1, {"judged-since"})
    assert len(bench.standing(image)) == 1
    store.write(
        lambda tx: reviews.review(
            tx, bench.project.id, task.id, reviewer_id=rita.id, revision=1, verdict="return", reason="x"
        )
    )
    assert bench.undone(run)[1]["removed"] == 1, "returned, it is open to the undo"


def test_what_a_run_sent_to_review_is_open_again(store: Store, bench: Bench) -> None:
    from appliance.store import task_changes

    image = an_image(store, bench.project.id)
    run = bench.job("auto-label")

    def sent(tx) -> None:
        proposals = [Proposal(bench.label.id, 0.9, a_box(1))]
        predictions.replace(tx, image, proposals, model_id=None, job_id=run.id, round_id="x")
        before = task_changes.facts(tx, [image.id])
        assert tasks.submit_by_machine(tx, image)
        task_changes.keep(tx, run.id, before)

    store.write(sent)
    bench.over(run)
    assert task_of(store, image).state == "in_review"
    _, result = bench.undone(run)
    assert (result["removed"], result["tasks"]) == (1, 1)
    assert (task_of(store, image).state, bench.standing(image)) == ("open", {})


def test_an_undone_merge_brings_the_label_back_and_undoing_that_merges_again(store: Store, bench: Bench) -> None:
    image, late = an_image(store, bench.project.id), an_image(store, bench.project.id, "b.png")
    for one in (image, late):
        drafts = [a_draft("one", bench.label.id), a_draft("two", bench.label.id, a_box(3))]
        save(store, one, a_diff(0, drafts), bench.ann)
    before = content(bench.standing(image))
    run = bench.job("relabel", label_id=bench.label.id, merge_into=bench.other.id)

    def merge(tx) -> None:
        for one in (image, late):
            annotations.merge_label(tx, bench.project.id, one.id, bench.label.id, bench.other.id, job_id=run.id)
        labels.delete(tx, bench.project.id, bench.label.id)
        jobs.advance(tx, run.id, checkpoint={"label": _built(bench.label)})

    store.write(merge)
    bench.over(run)
    save(store, late, a_diff(2, changed=[a_draft("one", bench.other.id, a_box(5))]), bench.ann)
    merged = content(bench.standing(image))
    undoing, result = bench.undone(run)
    assert (result["returned"], result["kept"]) == (3, 1)
    assert content(bench.standing(image)) == before
    assert bench.standing(late)["one_____"].label_id == bench.other.id
    assert store.read(lambda r: labels.get(r, bench.project.id, bench.label.id)) == bench.label
    bench.undone(undoing)
    assert content(bench.standing(image)) == merged
    with pytest.raises(NotFound):
        store.read(lambda r: labels.get(r, bench.project.id, bench.label.id))


def test_an_undone_import_takes_away_what_nobody_touched_and_can_bring_it_back(store: Store, bench: Bench) -> None:
    run = bench.job("import")
    pictures = [an_image(store, bench.project.id, f"in/{n}.png") for n in range(3)]
    untouched, worked, mine = pictures
    made = Annotation(id="i000001-1", label_id=bench.label.id, geometry=a_box(1), source="import")

    def brought(tx) -> None:
        for image in (untouched, worked):
            tx.execute("UPDATE images SET job_id = ? WHERE id = ?", (run.id, image.id))
            annotations.apply(tx, image, Changes(put=[(None, made)]), diff_id="import", kind="import", job_id=run.id)

    store.write(brought)
    bench.over(run)
    save(store, worked, a_diff(1, [a_draft("drawn", bench.label.id, a_box(4))]), bench.ann)
    seen = bench.preview(run)
    assert (seen.pictures, seen.kept_pictures) == (1, 1)
    undoing, result = bench.undone(run)
    assert (result["images_removed"], result["removed"]) == (1, 2)
    assert store.read(lambda r: images.find(r, bench.project.id, untouched.id)) is None
    assert set(bench.standing(worked)) == {"drawn___"}
    assert store.read(lambda r: images.find(r, bench.project.id, mine.id)) is not None
    store.read(require_counts)
    assert bench.preview(undoing).pictures_back == 1
    again, result = bench.undone(undoing)
    assert result["images_returned"] == 1
    assert now(store, untouched).name == "in/0.png"
    assert content(bench.standing(untouched)) == content({made.id: made})
    assert set(bench.standing(worked)) == {"drawn___", made.id}
    store.read(require_counts)
    _, result = bench.undone(again)
    assert result["images_removed"] == 1
    assert store.read(lambda r: withdrawn.count(r, again.id)) == 0


def test_tasks_go_back_to_whom_they_were_unless_somebody_went_on(store: Store, bench: Bench) -> None:
    bob = a_user(store)
    for user in (bench.ann, bob):
        store.write(lambda tx, u=user: members.put(tx, bench.project.id, u.id, "annotator"))
    pictures = [an_image(store, bench.project.id, f"{n}.png") for n in range(3)]
    first = task_of(store, pictures[0])
    store.write(lambda tx: queues.take(tx, bench.project.id, first.id, bob.id, LEASE_MS))
    run = bench.job("change-images", action="assign")
    change = Change(
        action="assign", selection=Selection(ids=[image.id for image in pictures]), assignee_id=bench.ann.id
    )
    store.write(lambda tx: step(tx, bench.project.id, change, Changed(), run.id))
    bench.over(run)
    last = task_of(store, pictures[2])
    store.write(lambda tx: queues.take(tx, bench.project.id, last.id, bench.ann.id, LEASE_MS))
    undoing, result = bench.undone(run)
    assert (result["tasks"], result["kept"], bench.notes(undoing)) == (2, 1, {"changed-since"})
    assert [task_of(store, image).assignee_id for image in pictures] == [bob.id, None, bench.ann.id]
    assert task_of(store, pictures[0]).state == "in_progress"
    store.read(require_counts)


def test_only_what_is_over_and_of_the_project_is_undone(store: Store, bench: Bench) -> None:
    run = bench.job("auto-label")
    with pytest.raises(Conflict):
        store.read(lambda r: undo.check(r, bench.project.id, run.id))
    bench.over(run)
    with pytest.raises(NotFound):
        store.read(lambda r: undo.check(r, a_project(store).id, run.id))
    gone = bench.job("change-images", action="delete")
    bench.over(gone)
    with pytest.raises(Conflict):
        store.read(lambda r: undo.check(r, bench.project.id, gone.id))
    assert bench.preview(run).undone_by is None
    undoing, _ = bench.undone(run)
    assert bench.preview(run).undone_by == undoing.id


def _built(label: Label) -> Any:
    import msgspec

    return msgspec.to_builtins(label)
