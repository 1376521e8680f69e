"""What a run may do to an image: its own untouched predictions, and nothing else."""

from __future__ import annotations

import pytest

from appliance.errors import InvalidInput
from appliance.geometry.box import Box
from appliance.records import Draft, Image, ModelInfo, Provenance, ReviewPolicy, Verdict
from appliance.store import Store, labels, models, predictions, projects, reviews, tasks
from appliance.store.predictions import Proposal
from tests.store._nouns import (
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
    settled,
    shown,
    task_of,
)  # fmt: skip

HERE, THERE = Box(10.0, 10.0, 30.0, 30.0), Box(50.0, 10.0, 70.0, 30.0)
OVER = Box(10, 10, 30, 27)  # IoU with HERE: 0.85
NEAR = Box(10, 10, 30, 23)  # IoU with HERE: 0.65


@pytest.fixture
def scene(store: Store):
    user = a_user(store)
    project = a_project(store, created_by=user.id)
    info = ModelInfo(family="fake", task="detect", labels=["car", "van"], input_size=(64, 64))
    for number in range(2):
        staged = settled(store, b"weights %d" % number)
        store.write(
            lambda tx, staged=staged: models.create(
                tx,
                store.blobs,
                name="m",
                files={"weights": staged},
                info=info,
                provenance=Provenance(),
                created_by=None,
            )
        )
    return user, a_label(store, project.id), an_image(store, project.id)


def run(store: Store, image: Image, *proposals: Proposal, job: int = 1, model: int = 1) -> int:
    fresh = now(store, image)
    return store.write(
        lambda tx: predictions.replace(tx, fresh, proposals, model_id=model, job_id=job, round_id=str(job))
    )


def boxes(store: Store, image: Image, *, predicted: bool) -> list[Box]:
    present = shown(store, image).annotations
    return sorted((a.geometry for a in present if a.is_prediction == predicted), key=lambda b: b.bounds())


def test_untouched_predictions_are_replaced_whoever_made_them(store: Store, scene) -> None:
    _, label, image = scene
    assert run(store, image, Proposal(label.id, 0.9, HERE), Proposal(label.id, 0.8, THERE)) == 2
    assert (now(store, image).predictions, now(store, image).annotations) == (2, 0)
    assert run(store, image, Proposal(label.id, 0.7, NEAR), job=2, model=2) == 1
    (only,) = shown(store, image).annotations
    assert (only.geometry, only.confidence, only.model_id, only.is_prediction) == (NEAR, 0.7, 2, True)
    store.read(lambda reading: require_truth(reading, image))


def test_what_somebody_accepted_by_changing_it_stays(store: Store, scene) -> None:
    user, label, image = scene
    run(store, image, Proposal(label.id, 0.9, HERE), Proposal(label.id, 0.8, THERE))
    touched = next(a for a in shown(store, image).annotations if a.geometry == HERE)
    save(store, image, a_diff(1, changed=[a_draft(touched.id, label.id, OVER)]), user)
    accepted = next(a for a in shown(store, image).annotations if a.id == touched.id)
    assert (accepted.source, accepted.status, accepted.author_id) == ("model", "draft", user.id)
    assert (accepted.model_id, accepted.confidence) == (1, 0.9)
    assert (now(store, image).annotations, now(store, image).predictions) == (1, 1)
    run(store, image, Proposal(label.id, 0.9, HERE), Proposal(label.id, 0.9, THERE), job=2)
    assert boxes(store, image, predicted=False) == [OVER]
    assert boxes(store, image, predicted=True) == [THERE]


def test_what_was_refused_does_not_come_back(store: Store, scene) -> None:
    user, label, image = scene
    run(store, image, Proposal(label.id, 0.9, HERE))
    (refused,) = shown(store, image).annotations
    save(store, image, a_diff(1, changed=[a_draft(refused.id, label.id, HERE, rejected=True)]), user)
    assert (now(store, image).annotations, now(store, image).predictions) == (0, 0)
    assert run(store, image, Proposal(label.id, 0.9, HERE), Proposal(label.id, 0.9, OVER), job=2) == 0
    assert [a.status for a in shown(store, image).annotations] == ["rejected"]


def test_a_reviewers_rejection_counts_as_well(store: Store, scene) -> None:
    user, label, image = scene
    run(store, image, Proposal(label.id, 0.9, HERE))
    (made,) = shown(store, image).annotations
    task = task_of(store, image)
    store.write(lambda tx: tasks.submit(tx, image.project_id, task.id, user.id, 1))
    store.write(
        lambda tx: reviews.review(
            tx, image.project_id, task.id, reviewer_id=user.id, revision=1, verdict="return", reason="no",
            verdicts=[Verdict(annotation_id=made.id, verdict="reject")],
        )
    )  # fmt: skip
    assert run(store, image, Proposal(label.id, 0.9, HERE), job=2) == 0


@pytest.mark.parametrize(("proposed", "other_label", "comes"), [
    (OVER, False, False), (NEAR, False, True), (OVER, True, True), (HERE, True, True),
])  # fmt: skip
def test_nothing_goes_over_a_human_shape_of_the_same_label(store: Store, scene, proposed, other_label, comes) -> None:
    user, label, image = scene
    van = a_label(store, image.project_id, "van")
    save(store, image, a_diff(0, [a_draft("human", label.id, HERE)]), user)
    run(store, image, Proposal(van.id if other_label else label.id, 0.9, proposed))
    assert boxes(store, image, predicted=True) == ([proposed] if comes else [])
    assert boxes(store, image, predicted=False) == [HERE]


def test_iou_of_exactly_seven_tenths_is_the_same_object(store: Store, scene) -> None:
    user, label, image = scene
    save(store, image, a_diff(0, [a_draft("human", label.id, Box(0, 0, 10, 10))]), user)
    run(store, image, Proposal(label.id, 0.9, Box(0, 0, 10, 7)))
    assert boxes(store, image, predicted=True) == []


def test_the_same_run_twice_changes_nothing(store: Store, scene) -> None:
    _, label, image = scene
    run(store, image, Proposal(label.id, 0.9, HERE))
    before = shown(store, image)
    assert run(store, image, Proposal(label.id, 0.4, THERE)) == 1
    assert shown(store, image) == before


def test_identical_findings_make_no_revision(store: Store, scene) -> None:
    _, label, image = scene
    found = [Proposal(label.id, 0.9, HERE), Proposal(label.id, 0.8, THERE)]
    run(store, image, *found)
    before = shown(store, image)
    assert run(store, image, *reversed(found), job=2) == 2
    assert shown(store, image) == before
    run(store, image, *found, job=3, model=2)
    assert shown(store, image).revision == 2


@pytest.mark.parametrize("policy", ["all", "none"])
def test_what_is_in_review_or_done_is_left_alone(store: Store, scene, policy: str) -> None:
    user, label, image = scene
    store.write(lambda tx: projects.change(tx, image.project_id, review_policy=ReviewPolicy(images=policy)))
    drawn(store, image, label, user, "one")
    task = task_of(store, image)
    store.write(lambda tx: tasks.submit(tx, image.project_id, task.id, user.id, 1))
    before = shown(store, image)
    run(store, image, Proposal(label.id, 0.9, THERE))
    assert shown(store, image) == before


def test_a_person_drawing_never_collides_with_a_run(store: Store, scene) -> None:
    user, label, image = scene
    drawn(store, image, label, user, "one")
    run(store, image, Proposal(label.id, 0.9, THERE))
    moved = a_diff(1, changed=[a_draft("one", label.id, HERE)])
    assert save(store, image, moved, user).revision == 3


def test_a_label_deleted_meanwhile_is_passed_over(store: Store, scene) -> None:
    _, label, image = scene
    van = a_label(store, image.project_id, "van")
    store.write(lambda tx: labels.delete(tx, image.project_id, van.id))
    assert run(store, image, Proposal(van.id, 0.9, HERE), Proposal(label.id, 0.9, THERE)) == 1
    assert boxes(store, image, predicted=True) == [THERE]


def test_an_id_that_stands_is_never_given_again(store: Store, scene) -> None:
    user, label, image = scene
    save(store, image, a_diff(0, [a_draft("p000001-0000", label.id, THERE)]), user)
    run(store, image, Proposal(label.id, 0.9, HERE))
    assert boxes(store, image, predicted=False) == [THERE]
    assert boxes(store, image, predicted=True) == [HERE]
    store.read(lambda reading: require_truth(reading, image))


def test_an_acceptance_taken_back_is_a_prediction_again(store: Store, scene) -> None:
    user, label, image = scene
    run(store, image, Proposal(label.id, 0.9, HERE))
    (made,) = shown(store, image).annotations
    save(store, image, a_diff(now(store, image).revision, changed=[a_draft(made.id, label.id, THERE)]), user)
    assert boxes(store, image, predicted=False) == [THERE]
    back = Draft(id=made.id, label_id=label.id, geometry=HERE, untouched=True)
    save(store, image, a_diff(now(store, image).revision, changed=[back]), user)
    (again,) = shown(store, image).annotations
    assert again.is_prediction
    assert (again.geometry, again.confidence, again.model_id) == (HERE, 0.9, 1)
    assert (now(store, image).annotations, now(store, image).predictions) == (0, 1)


def test_only_what_the_model_made_can_be_left_untouched(store: Store, scene) -> None:
    user, label, image = scene
    run(store, image, Proposal(label.id, 0.9, HERE))
    (made,) = shown(store, image).annotations
    moved = Draft(id=made.id, label_id=label.id, geometry=THERE, untouched=True)
    with pytest.raises(InvalidInput, match="not what the model made"):
        save(store, image, a_diff(now(store, image).revision, changed=[moved]), user)
    invented = Draft(id="human-drawn-1", label_id=label.id, geometry=HERE, untouched=True)
    with pytest.raises(InvalidInput, match="not what the model made"):
        save(store, image, a_diff(now(store, image).revision, added=[invented]), user)
