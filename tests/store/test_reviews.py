"""Verdicts on whole images, and taking them back."""

from __future__ import annotations

import pytest

from appliance.errors import Conflict, InvalidInput, StaleRevision
from appliance.geometry.box import Box
from appliance.records import Annotation, Image, Review, ReviewPolicy, User, Verdict
from appliance.store import Store, annotations, projects, reviews, tasks
from appliance.store.history import Changes
from tests.store._nouns import (
    LEASE_MS,
    a_diff,
    a_draft,
    a_label,
    a_project,
    a_user,
    an_image,
    drawn,
    now,
    require_truth,
    save,
    shown,
    task_of,
)  # fmt: skip


@pytest.fixture
def scene(store: Store):
    """An image with two drawn shapes, handed in by `author`, and a reviewer."""
    author, reviewer = a_user(store), a_user(store)
    project = a_project(store, created_by=author.id)
    label, image = a_label(store, project.id), an_image(store, project.id)
    drawn(store, image, label, author, "one", "two")
    submit(store, image, author)
    return author, reviewer, label, image


def submit(store: Store, image: Image, user: User) -> None:
    task, revision = task_of(store, image), now(store, image).revision
    store.write(lambda tx: tasks.submit(tx, image.project_id, task.id, user.id, revision))


def judge(store: Store, image: Image, user: User, verdict: str = "approve", **fields: object) -> Review:
    task = task_of(store, image)
    fields.setdefault("revision", now(store, image).revision)
    fields.setdefault("reason", "edges")
    return store.write(
        lambda tx: reviews.review(tx, image.project_id, task.id, reviewer_id=user.id, verdict=verdict, **fields)
    )


def withdraw(store: Store, image: Image, user: User) -> None:
    task = task_of(store, image)
    store.write(lambda tx: reviews.withdraw(tx, image.project_id, task.id, user.id))


def status(store: Store, image: Image) -> dict[str, str]:
    return {a.id.rstrip("_"): a.status for a in shown(store, image).annotations}


def predicted(store: Store, image: Image, label_id: int) -> None:
    made = Annotation(id="guess---", label_id=label_id, geometry=Box(50, 50, 60, 60), source="model", confidence=0.5)
    fresh = now(store, image)
    store.write(lambda tx: annotations.apply(tx, fresh, Changes(put=[(None, made)]), diff_id="run:1"))


def test_approving_approves_what_was_drawn(store: Store, scene) -> None:
    _, reviewer, _, image = scene
    made = judge(store, image, reviewer)
    task = task_of(store, image)
    assert (made.verdict, made.revision, made.reviewer_id) == ("approve", 1, reviewer.id)
    assert (task.state, task.revision, task.reviewer_id, task.round) == ("done", 2, reviewer.id, 1)
    assert status(store, image) == {"one": "approved", "two": "approved"}
    store.read(lambda reading: require_truth(reading, image))


def test_predictions_nobody_accepted_stay_predictions(store: Store, scene) -> None:
    _, reviewer, label, image = scene
    predicted(store, image, label.id)
    judge(store, image, reviewer)
    assert status(store, image) == {"guess---": "draft", "one": "approved", "two": "approved"}
    assert now(store, image).predictions == 1


def test_of_a_machines_work_the_predictions_are_what_is_judged(store: Store, scene) -> None:
    _, reviewer, label, first = scene
    image = an_image(store, first.project_id, "b.png")
    predicted(store, image, label.id)
    store.write(lambda tx: tasks.submit_by_machine(tx, image))
    judge(store, image, reviewer)
    assert status(store, image) == {"guess---": "approved"}
    assert (now(store, image).annotations, now(store, image).predictions) == (1, 0)


def test_returning_keeps_status_and_begins_the_next_round(store: Store, scene) -> None:
    author, reviewer, _, image = scene
    judge(store, image, reviewer, "return", verdicts=[Verdict(annotation_id="two_____", verdict="reject")])
    task = task_of(store, image)
    assert (task.state, task.round, task.reason, task.assignee_id) == ("returned", 2, "edges", author.id)
    assert status(store, image) == {"one": "draft", "two": "rejected"}
    assert now(store, image).annotations == 1


def test_one_rejected_inside_an_approval(store: Store, scene) -> None:
    _, reviewer, _, image = scene
    judge(store, image, reviewer, verdicts=[Verdict(annotation_id="two_____", verdict="reject")])
    assert status(store, image) == {"one": "approved", "two": "rejected"}


@pytest.mark.parametrize(("fields", "kind"), [
    ({"revision": 0}, StaleRevision),
    ({"verdict": "return", "reason": None}, InvalidInput),
    ({"verdict": "return", "reason": "  "}, InvalidInput),
    ({"verdicts": [Verdict(annotation_id="nothing_", verdict="reject")]}, InvalidInput),
])  # fmt: skip
def test_what_is_refused_changes_nothing(store: Store, scene, fields, kind) -> None:
    _, reviewer, _, image = scene
    before, task = shown(store, image), task_of(store, image)
    with pytest.raises(kind):
        judge(store, image, reviewer, **fields)
    assert (shown(store, image), task_of(store, image)) == (before, task)
    assert store.read(lambda reading: reviews.of_image(reading, image.id)) == []


def test_a_second_verdict_is_a_conflict(store: Store, scene) -> None:
    _, reviewer, _, image = scene
    judge(store, image, reviewer)
    with pytest.raises(Conflict):
        judge(store, image, reviewer)


@pytest.mark.parametrize("verdict", ["approve", "return"])
@pytest.mark.parametrize("single", [[], [Verdict(annotation_id="one_____", verdict="reject")]])
def test_withdrawing_brings_everything_back(store: Store, scene, verdict: str, single) -> None:
    _, reviewer, _, image = scene
    before, task = status(store, image), task_of(store, image)
    judge(store, image, reviewer, verdict, verdicts=single)
    withdraw(store, image, reviewer)
    after = task_of(store, image)
    assert status(store, image) == before
    assert (after.state, after.round, after.assignee_id) == ("in_review", task.round, task.assignee_id)
    assert store.read(lambda reading: reviews.latest(reading, image.id)) is None
    store.read(lambda reading: require_truth(reading, image))
    judge(store, image, reviewer, verdict, verdicts=single)
    withdraw(store, image, reviewer)


def test_only_ones_own_verdict_is_withdrawn(store: Store, scene) -> None:
    author, reviewer, _, image = scene
    with pytest.raises(Conflict):
        withdraw(store, image, reviewer)
    judge(store, image, reviewer)
    with pytest.raises(Conflict):
        withdraw(store, image, author)
    assert task_of(store, image).state == "done"


def test_nothing_is_withdrawn_once_somebody_went_on(store: Store, scene) -> None:
    author, reviewer, label, image = scene
    judge(store, image, reviewer, "return")
    save(store, image, a_diff(1, [a_draft("new", label.id, Box(60, 60, 70, 70))]), author)
    with pytest.raises(Conflict):
        withdraw(store, image, reviewer)


def test_an_old_verdict_never_takes_back_what_an_annotator_did_after_it(store: Store, scene) -> None:
    """Approved, reopened by an edit, then handed in where nobody reviews any more."""
    author, reviewer, _, image = scene
    judge(store, image, reviewer)
    save(store, image, a_diff(2, removed=["one"]), author)
    store.write(lambda tx: tasks.opened_by_edit(tx, tasks.of_image(tx, image.id), author.id, LEASE_MS))
    store.write(lambda tx: projects.change(tx, image.project_id, review_policy=ReviewPolicy()))
    submit(store, image, author)
    assert task_of(store, image).state == "done"
    with pytest.raises(Conflict):
        withdraw(store, image, reviewer)
    assert status(store, image) == {"two": "approved"}


def test_a_return_is_not_withdrawn_from_what_is_done(store: Store, scene) -> None:
    author, reviewer, _, image = scene
    judge(store, image, reviewer, "return")
    store.write(lambda tx: projects.change(tx, image.project_id, review_policy=ReviewPolicy()))
    submit(store, image, author)
    with pytest.raises(Conflict):
        withdraw(store, image, reviewer)
