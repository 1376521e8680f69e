"""Numbers of a project, added up as things happen: against a count by hand."""

from __future__ import annotations

import pytest

from appliance.geometry.box import Box
from appliance.records import Image, Label, Project, ReviewPolicy, User
from appliance.store import Store, annotations, images, insights, labels, predictions, queues, reviews, tasks
from appliance.store.predictions import Proposal
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
    save,
    shown,
    task_of,
)

MINUTE = 60_000


class Hands:
    """A clock of the test's own, and short words for what people do."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = store
        self.at_ms = store.clock.now_ms()
        monkeypatch.setattr(store.clock, "now_ms", lambda: self.at_ms)

    def wait(self, ms: int) -> Hands:
        self.at_ms += ms
        return self

    def take(self, image: Image, user: User) -> None:
        task = task_of(self.store, image)
        self.store.write(lambda tx: queues.take(tx, image.project_id, task.id, user.id, LEASE_MS))

    def submit(self, image: Image, user: User, active_ms: int | None = None) -> None:
        task, revision = task_of(self.store, image), now(self.store, image).revision
        self.store.write(lambda tx: tasks.submit(tx, image.project_id, task.id, user.id, revision, active_ms))

    def review(self, image: Image, user: User, verdict: str) -> None:
        task, revision = task_of(self.store, image), now(self.store, image).revision
        self.store.write(
            lambda tx: reviews.review(
                tx, image.project_id, task.id, reviewer_id=user.id, revision=revision, verdict=verdict, reason="x"
            )
        )

    def predict(self, image: Image, label: Label, *found: tuple[float, Box], job_id: int = 1) -> None:
        proposals = [Proposal(label.id, confidence, shape) for confidence, shape in found]
        self.store.write(
            lambda tx: predictions.replace(
                tx, now(self.store, image), proposals, model_id=None, job_id=job_id, round_id=str(job_id)
            )
        )

    def seen(self, project: Project, person_id: int | None = None) -> insights.Insights:
        day = insights.today(self.at_ms)
        return self.store.read(
            lambda r: insights.summary(r, project.id, first_day=day - 1, last_day=day, person_id=person_id)
        )


@pytest.fixture
def hands(store: Store, monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(store, monkeypatch)


@pytest.fixture
def ann(store: Store) -> User:
    return a_user(store)


@pytest.fixture
def rita(store: Store) -> User:
    return a_user(store)


def test_work_is_counted_by_day_and_person(store: Store, hands: Hands, ann: User, rita: User) -> None:
    project = a_project(store)
    image, other = an_image(store, project.id), an_image(store, project.id, "b.png")
    for one in (image, other):
        hands.submit(one, ann)
    hands.review(image, rita, "return")
    hands.review(other, rita, "approve")
    hands.submit(image, ann)
    hands.review(image, rita, "approve")
    found = hands.seen(project)
    day = found.days[-1]
    assert (day.submitted, day.reworked, day.approved, day.returned) == (3, 1, 2, 1)
    assert found.days[0].submitted == 0
    by_name = {person.user_id: person for person in found.people}
    assert (by_name[ann.id].submitted, by_name[ann.id].approved, by_name[ann.id].returned) == (3, 2, 1)
    assert by_name[rita.id].reviewed == 3
    assert [one.user_id for one in hands.seen(project, rita.id).people] == [rita.id]


def test_a_withdrawn_verdict_does_not_count(store: Store, hands: Hands, ann: User, rita: User) -> None:
    project = a_project(store)
    image = an_image(store, project.id)
    hands.submit(image, ann)
    hands.review(image, rita, "approve")
    task = task_of(store, image)
    store.write(lambda tx: reviews.withdraw(tx, project.id, task.id, rita.id))
    day = hands.seen(project).days[-1]
    assert (day.approved, day.returned) == (0, 0)


def test_time_is_what_lies_between_saves_without_the_pauses(store: Store, hands: Hands, ann: User) -> None:
    project = a_project(store)
    label, image = a_label(store, project.id), an_image(store, project.id)
    hands.take(image, ann)
    hands.wait(20_000)
    drawn(store, image, label, ann, "one")
    hands.wait(30 * MINUTE)
    drawn(store, image, label, ann, "two")
    hands.wait(40_000)
    hands.submit(image, ann)
    assert hands.seen(project).median_s == pytest.approx(60, rel=0.06)


def test_an_image_leased_ahead_counts_from_the_one_before(store: Store, hands: Hands, ann: User) -> None:
    project = a_project(store)
    first, second = an_image(store, project.id), an_image(store, project.id, "b.png")
    hands.take(first, ann)
    hands.take(second, ann)
    hands.wait(60_000).submit(first, ann)
    hands.wait(10_000).submit(second, ann)
    times = store.read(lambda r: r.execute("SELECT step, n FROM insights WHERE measure = 'time'").fetchall())
    assert len(times) == 2, "ten seconds and a minute, not two minutes"
    assert hands.seen(project).median_s == pytest.approx(10, rel=0.06)


def test_what_became_of_predictions(store: Store, hands: Hands, ann: User, rita: User) -> None:
    project = a_project(store)
    label, image = a_label(store, project.id), an_image(store, project.id)
    places = [Box(12 * n, 1, 12 * n + 10, 11) for n in range(6)]
    hands.predict(image, label, *[(0.05 + n / 10, place) for n, place in enumerate(places)])
    ids = [a.id for a in shown(store, image).annotations]
    changed = [
        a_draft(ids[0], label.id, places[0]),
        a_draft(ids[1], label.id, Box(12, 1, 23, 12)),
        a_draft(ids[2], label.id, places[2], rejected=True),
    ]
    over = a_draft("mine", label.id, Box(36, 1, 46, 11))
    save(store, image, a_diff(1, added=[over], changed=changed, removed=[ids[3], ids[4]]), ann)
    hands.submit(image, ann)
    assert hands.seen(project).outcomes == []
    hands.review(image, rita, "approve")
    fates = {o.step: {f for f in ("accepted", "adjusted", "replaced", "rejected", "left") if getattr(o, f)}
             for o in hands.seen(project).outcomes}  # fmt: skip
    assert fates == {0: {"accepted"}, 1: {"adjusted"}, 2: {"rejected"}, 3: {"replaced"}, 4: {"rejected"}, 5: {"left"}}


def test_an_image_done_anew_is_judged_anew(store: Store, hands: Hands, ann: User) -> None:
    project = a_project(store, policy="none")
    label, image = a_label(store, project.id), an_image(store, project.id)
    hands.predict(image, label, (0.91, Box(1, 1, 9, 9)))
    (made,) = shown(store, image).annotations
    save(store, image, a_diff(1, changed=[a_draft(made.id, label.id, Box(1, 1, 9, 9))]), ann)
    hands.submit(image, ann)
    (first,) = hands.seen(project).outcomes
    assert (first.accepted, first.adjusted) == (1, 0)
    hands.wait(MINUTE)
    moved = a_draft(made.id, label.id, Box(2, 2, 12, 12))
    save(store, image, a_diff(now(store, image).revision, changed=[moved]), ann)
    store.write(lambda tx: tasks.opened_by_edit(tx, task_of(store, image), ann.id, LEASE_MS))
    hands.submit(image, ann)
    (second,) = hands.seen(project).outcomes
    assert (second.accepted, second.adjusted) == (0, 1)


def test_labels_are_counted_by_where_their_annotations_come_from(store: Store, hands: Hands, ann: User) -> None:
    project = a_project(store, policy="none")
    car, van = a_label(store, project.id), a_label(store, project.id, "van")
    image = an_image(store, project.id)
    hands.predict(image, car, (0.9, Box(1, 1, 9, 9)), (0.8, Box(20, 20, 30, 30)), (0.7, Box(40, 40, 50, 50)))
    ids = [a.id for a in shown(store, image).annotations]
    changed = [a_draft(ids[0], van.id, Box(1, 1, 9, 9)), a_draft(ids[1], car.id, rejected=True)]
    save(store, image, a_diff(1, added=[a_draft("own", car.id)], changed=changed), ann)
    hands.submit(image, ann)
    require_label_counts(store, project)
    found = {label.name: label for label in hands.seen(project).labels}
    assert (found["car"].manual, found["car"].rejected, found["car"].prediction) == (1, 1, 1)
    assert found["van"].accepted == 1
    store.write(lambda tx: annotations.merge_label(tx, project.id, image.id, car.id, van.id))
    require_label_counts(store, project)
    store.write(lambda tx: images.delete(tx, project.id, image.id))
    require_label_counts(store, project)
    assert sum(label.manual for label in hands.seen(project).labels) == 0
    store.write(lambda tx: labels.delete(tx, project.id, van.id))


def require_label_counts(store: Store, project: Project) -> None:
    """Compare the kept numbers of a project's labels with a count."""
    sql = (
        "SELECT a.label_id, CASE WHEN status = 'rejected' THEN 'rejected' WHEN source <> 'model' THEN source "
        "WHEN status = 'draft' AND author_id IS NULL THEN 'prediction' ELSE 'accepted' END AS sort, count(*) "
        "FROM annotations AS a JOIN images AS i ON i.id = a.image_id WHERE i.project_id = ? "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )
    kept = (
        "SELECT c.label_id, c.sort, c.annotations FROM annotation_counts AS c JOIN labels AS l ON l.id = c.label_id "
        "WHERE l.project_id = ? AND c.annotations <> 0 ORDER BY 1, 2"
    )
    key = (project.id,)
    assert store.read(lambda r: r.execute(kept, key).fetchall()) == store.read(
        lambda r: r.execute(sql, key).fetchall()
    )


def test_measured_time_counts_as_far_as_time_has_passed(store: Store, hands: Hands, ann: User) -> None:
    project = a_project(store, policy="none")
    first, second, third = (an_image(store, project.id, f"{n}.png") for n in range(3))
    hands.take(first, ann)
    hands.take(second, ann)
    hands.wait(10 * MINUTE)
    hands.submit(first, ann, 4 * MINUTE)
    assert hands.seen(project).days[-1].active_s == 240
    hands.submit(second, ann, 60 * MINUTE)
    assert hands.seen(project).days[-1].active_s == 240 + 600, "no longer than the task was taken"
    store.write(lambda tx: tx.execute("UPDATE clocks SET until_ms = ?", (hands.at_ms - 5_000,)))
    hands.submit(third, ann, 60 * MINUTE)
    assert hands.seen(project).days[-1].active_s == 240 + 600 + 5, "no longer than the clock has left"
    hands.wait(MINUTE)
    (own,) = hands.seen(project).people
    assert own.active_s == 845


def test_a_submission_taken_back_takes_its_time_back_and_goes_on_with_it(
    store: Store, hands: Hands, ann: User
) -> None:
    project = a_project(store)
    image = an_image(store, project.id)
    hands.take(image, ann)
    hands.wait(5 * MINUTE).submit(image, ann, 2 * MINUTE)
    task = task_of(store, image)
    store.write(lambda tx: tasks.take_back(tx, project.id, task.id, ann.id, LEASE_MS))
    found = hands.seen(project)
    assert (found.days[-1].submitted, found.days[-1].active_s, found.median_s) == (0, 0, None)
    hands.wait(MINUTE).submit(image, ann, MINUTE)
    found = hands.seen(project)
    assert (found.days[-1].submitted, found.days[-1].active_s) == (1, 180)
    assert found.median_s == pytest.approx(180, rel=0.06)


def test_thresholds_weigh_what_was_right_against_what_was_wrong(store: Store, hands: Hands, ann: User) -> None:
    project = a_project(store, policy="none")
    label, image = a_label(store, project.id), an_image(store, project.id)
    places = [Box(12 * n, 1, 12 * n + 10, 11) for n in range(4)]
    hands.predict(image, label, *zip((0.15, 0.35, 0.55, 0.85), places, strict=True))
    ids = [a.id for a in shown(store, image).annotations]
    refused = a_draft(ids[0], label.id, places[0], rejected=True)
    taken = [a_draft(ids[n], label.id, places[n]) for n in (1, 2, 3)]
    save(store, image, a_diff(1, changed=[refused, *taken]), ann)
    hands.submit(image, ann)
    found = {(t.label_id, t.step): t for t in hands.seen(project).thresholds}
    assert (found[0, 0].right, found[0, 0].wrong, found[0, 0].missed) == (3, 1, 0)
    assert (found[label.id, 5].right, found[label.id, 5].wrong, found[label.id, 5].missed) == (2, 0, 1)
    assert [t.step for t in found.values() if t.best and t.label_id == 0] == [2]


def test_two_reviewers_agree_or_do_not(store: Store, hands: Hands, ann: User, rita: User) -> None:
    project, other = a_project(store, policy=ReviewPolicy(images="all", reviews=2)), a_user(store)
    one, two = an_image(store, project.id), an_image(store, project.id, "b.png")
    for image in (one, two):
        hands.submit(image, ann)
        hands.review(image, rita, "approve")
    hands.review(one, other, "approve")
    hands.review(two, other, "return")
    day = hands.seen(project).days[-1]
    assert (day.agreed, day.disagreed) == (1, 1)
    task = task_of(store, two)
    store.write(lambda tx: reviews.withdraw(tx, project.id, task.id, other.id))
    assert hands.seen(project).days[-1].disagreed == 0
