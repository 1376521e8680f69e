"""Numbers of a project, added up as things happen: against a count by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from appliance.errors import InvalidInput
from appliance.geometry.box import Box
from appliance.records import Image, Label, Project, ReviewPolicy, User
from appliance.store import Store, annotations, images, insights, labels, predictions, queues, reviews, tasks
from appliance.store.days import EPOCH, Period, hour_of, zone_of
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

    def open(self, image: Image, user: User) -> None:
        task = task_of(self.store, image)
        self.store.write(lambda tx: queues.take_to_review(tx, image.project_id, task.id, user.id, LEASE_MS))

    def review(self, image: Image, user: User, verdict: str, active_ms: int | None = None) -> None:
        task, revision = task_of(self.store, image), now(self.store, image).revision
        said = {"revision": revision, "verdict": verdict, "reason": "x", "active_ms": active_ms}
        self.store.write(lambda tx: reviews.review(tx, image.project_id, task.id, reviewer_id=user.id, **said))

    def predict(self, image: Image, label: Label, *found: tuple[float, Box], job_id: int = 1) -> None:
        proposals = [Proposal(label.id, confidence, shape) for confidence, shape in found]
        self.store.write(
            lambda tx: predictions.replace(
                tx, now(self.store, image), proposals, model_id=None, job_id=job_id, round_id=str(job_id)
            )
        )

    def seen(self, project: Project, person_id: int | None = None) -> insights.Insights:
        return self.store.read(lambda r: insights.summary(r, project.id, Period(self.at_ms, 2), person_id))


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


def test_reviewing_is_timed_apart_from_annotating(store: Store, hands: Hands, ann: User, rita: User) -> None:
    project = a_project(store)
    one, two, three = (an_image(store, project.id, f"{n}.png") for n in range(3))
    for image in (one, two, three):
        hands.wait(MINUTE).submit(image, ann, 30_000)
    hands.open(one, rita)
    hands.wait(10 * MINUTE).review(one, rita, "approve", active_ms=4 * MINUTE)
    hands.open(two, rita)
    hands.wait(MINUTE).review(two, rita, "return", active_ms=60 * MINUTE)
    found = hands.seen(project)
    people = {person.user_id: person for person in found.people}
    assert (people[rita.id].reviewing_s, people[rita.id].active_s) == (240 + 60, 0), (
        "no longer than since it was opened"
    )
    assert (people[ann.id].reviewing_s, people[ann.id].active_s) == (0, 90)
    assert (found.days[-1].reviewing_s, found.days[-1].active_s) == (300, 90)
    hands.open(three, rita)
    hands.wait(20_000).review(three, rita, "approve")
    assert hands.seen(project).days[-1].reviewing_s == 320, "without a measure it is the time since it was opened"
    hands.wait(30 * MINUTE)
    task = task_of(store, three)
    store.write(lambda tx: reviews.withdraw(tx, project.id, task.id, rita.id))
    assert hands.seen(project).days[-1].reviewing_s == 320, "it was spent all the same"
    hands.review(three, rita, "approve")
    assert hands.seen(project).days[-1].reviewing_s == 320, "half an hour away is no reviewing"


def test_annotating_and_reviewing_draw_from_one_clock(store: Store, hands: Hands, ann: User, rita: User) -> None:
    project = a_project(store)
    own, others = an_image(store, project.id), an_image(store, project.id, "b.png")
    hands.submit(others, ann)
    hands.take(own, rita)
    hands.open(others, rita)
    store.write(lambda tx: tx.execute("INSERT INTO clocks VALUES (?, ?)", (rita.id, hands.at_ms)))
    hands.wait(MINUTE).submit(own, rita, MINUTE)
    hands.review(others, rita, "approve", active_ms=MINUTE)
    (rita_,) = hands.seen(project, rita.id).people
    assert (rita_.active_s, rita_.reviewing_s) == (60, 0)


@pytest.mark.parametrize(("zone", "days"), [
    # 2026-03-29, when Berlin's day has 23 hours, and 2026-10-25, when it has 25
    ("UTC", {"2026-03-28": 2, "2026-03-29": 2, "2026-10-24": 2, "2026-10-25": 3, "2026-10-26": 1}),
    ("Europe/Berlin", {"2026-03-28": 1, "2026-03-29": 2, "2026-03-30": 1, "2026-10-24": 1, "2026-10-25": 3,
                       "2026-10-26": 2}),
    ("America/New_York", {"2026-03-28": 3, "2026-03-29": 1, "2026-10-24": 3, "2026-10-25": 3}),
])  # fmt: skip
def test_days_are_those_of_the_zone_across_daylight_saving(
    store: Store, hands: Hands, ann: User, zone: str, days: dict[str, int]
) -> None:
    project = a_project(store)
    for at in ("2026-03-28T22:30", "2026-03-28T23:30", "2026-03-29T00:30", "2026-03-29T22:30",
               "2026-10-24T21:30", "2026-10-24T22:30", "2026-10-25T00:30", "2026-10-25T22:30", "2026-10-25T23:30",
               "2026-10-26T01:30"):  # fmt: skip
        hands.at_ms = int(datetime.fromisoformat(f"{at}+00:00").timestamp() * 1000)
        hands.submit(an_image(store, project.id, f"{at}.png"), ann, 0)
    hands.at_ms = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp() * 1000)
    period = Period(hands.at_ms, 300, zone_of(zone))
    found = store.read(lambda r: insights.summary(r, project.id, period))
    assert {str(EPOCH + timedelta(day.day)): day.submitted for day in found.days if day.submitted} == days
    assert EPOCH + timedelta(found.last_day) == date(2026, 11, 1)


def test_a_day_begins_where_its_midnight_does_not_exist() -> None:
    """In Beirut clocks went from 00:00 to 01:00 on 2026-03-29: that day has 23 hours, from its 01:00 on."""
    noon_ms = int(datetime(2026, 3, 29, 9, tzinfo=UTC).timestamp() * 1000)
    period = Period(noon_ms, 1, zone_of("Asia/Beirut"))
    assert period.end - period.begin == 23
    assert period.begin == hour_of(int(datetime(2026, 3, 28, 22, tzinfo=UTC).timestamp() * 1000))


@pytest.mark.parametrize("name", ["Mars/Olympus", "../UTC", "/etc/passwd", "Europe", "", "a\0b"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        zone_of(name)
