"""Diffs: what is saved, what is refused, what collides, and what stays true whatever happens."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from appliance.errors import Conflict, InvalidGeometry, InvalidInput, NotFound, StaleRevision
from appliance.geometry.box import Box
from appliance.geometry.polygon import Polygon
from appliance.records import Annotation, AttributeSpec, Verdict
from appliance.settings import Settings
from appliance.store import Store, annotations, labels, predictions, reviews, revisions, tasks
from appliance.store.predictions import Proposal
from tests.store._nouns import (
    HEIGHT,
    LEASE_MS,
    WIDTH,
    a_diff,
    a_draft,
    a_label,
    a_project,
    a_user,
    an_image,
    drawn,
    now,
    require_counts,
    require_truth,
    save,
    shown,
    task_of,
)


@pytest.fixture
def scene(store: Store):
    user = a_user(store)
    project = a_project(store, created_by=user.id)
    return user, a_label(store, project.id), an_image(store, project.id)


def test_a_diff_adds_changes_and_removes(store: Store, scene) -> None:
    user, label, image = scene
    assert drawn(store, image, label, user, "one", "two").revision == 1
    polygon = Polygon([[[1.0, 1.0, 20.0, 1.0, 20.0, 20.0]]])
    diff = a_diff(1, [a_draft("three", label.id)], [a_draft("one", label.id, polygon)], ["two"])
    assert save(store, image, diff, user).revision == 2
    present = shown(store, image)
    assert present.revision == 2
    assert [(a.id, a.geometry, a.revision) for a in present.annotations] == [
        ("one_____", polygon, 2),
        ("three___", Box(1, 1, 9, 9), 2),
    ]
    assert all((a.source, a.status, a.author_id) == ("manual", "draft", user.id) for a in present.annotations)
    store.read(lambda reading: require_truth(reading, image))


def test_the_same_diff_again_changes_nothing(store: Store, scene) -> None:
    user, label, image = scene
    diff = a_diff(0, [a_draft("one", label.id)])
    first = save(store, image, diff, user)
    drawn(store, image, label, user, "two")
    before, events = shown(store, image), store.read(lambda r: r.execute("SELECT max(seq) FROM events").fetchall())
    again = save(store, image, diff, user)
    assert (again.revision, again.repeated, first.repeated) == (first.revision, True, False)
    assert shown(store, image) == before
    assert store.read(lambda r: r.execute("SELECT max(seq) FROM events").fetchall()) == events


def test_two_people_on_different_annotations_both_get_through(store: Store, scene) -> None:
    ann, label, image = scene
    bob = a_user(store)
    drawn(store, image, label, ann, "left", "right")
    assert save(store, image, a_diff(1, changed=[a_draft("left", label.id, Box(2, 2, 8, 8))]), ann).revision == 2
    assert save(store, image, a_diff(1, changed=[a_draft("right", label.id, Box(30, 2, 38, 8))]), bob).revision == 3
    assert save(store, image, a_diff(1, added=[a_draft("new", label.id)]), bob).revision == 4
    assert {a.id: a.author_id for a in shown(store, image).annotations} == {
        "left____": ann.id,
        "right___": bob.id,
        "new_____": bob.id,
    }


@pytest.mark.parametrize("how", ["changed", "removed", "added"])
def test_the_same_annotation_collides_and_the_answer_has_the_present_state(store: Store, scene, how: str) -> None:
    user, label, image = scene
    drawn(store, image, label, user, "one", "two")
    save(store, image, a_diff(1, changed=[a_draft("one", label.id, Box(2, 2, 8, 8))]), user)
    stale = {
        "changed": a_diff(1, changed=[a_draft("one", label.id)]),
        "removed": a_diff(1, removed=["one"]),
        "added": a_diff(1, added=[a_draft("one", label.id)]),
    }[how]
    before = shown(store, image)
    with pytest.raises(StaleRevision) as caught:
        save(store, image, stale, user)
    details = caught.value.details
    assert (details["revision"], details["conflicts"]) == (2, ["one_____"])
    assert [a["id"] for a in details["annotations"]] == ["one_____", "two_____"]
    assert shown(store, image) == before


def test_changing_what_somebody_removed_collides(store: Store, scene) -> None:
    user, label, image = scene
    drawn(store, image, label, user, "one")
    save(store, image, a_diff(1, removed=["one"]), user)
    with pytest.raises(StaleRevision) as caught:
        save(store, image, a_diff(1, changed=[a_draft("one", label.id)]), user)
    assert caught.value.details["conflicts"] == ["one_____"]


def test_removing_what_is_gone_makes_no_revision(store: Store, scene) -> None:
    user, label, image = scene
    drawn(store, image, label, user, "one")
    save(store, image, a_diff(1, removed=["one"]), user)
    assert save(store, image, a_diff(1, removed=["one"]), user).revision == 2
    assert save(store, image, a_diff(2), user).revision == 2
    store.read(lambda reading: require_truth(reading, image))


def test_what_does_not_belong_is_refused_with_its_place(store: Store, scene) -> None:
    user, label, image = scene
    foreign = a_label(store, a_project(store).id)
    good = a_draft("good", label.id)
    cases = [
        (a_diff(0, [good, a_draft("one", foreign.id)]), InvalidInput, "added.1.label_id"),
        (a_diff(0, [a_draft("one", 999)]), InvalidInput, "added.0.label_id"),
        (a_diff(0, [a_draft("one", label.id, Box(0, 0, WIDTH + 1, 5))]), InvalidGeometry, "added.0.geometry"),
        (a_diff(0, [a_draft("one", label.id, Box(5, 0, 5, HEIGHT))]), InvalidGeometry, "added.0.geometry"),
        (a_diff(0, [a_draft("one", label.id, attributes={"hue": "red"})]), InvalidInput, "added.0.attributes"),
        (a_diff(0, [good, good]), InvalidInput, "added.1"),
        (a_diff(0, [good], removed=["good"]), InvalidInput, "removed.0"),
        (a_diff(1, [good]), InvalidInput, "revision"),
    ]
    for diff, kind, field in cases:
        with pytest.raises(kind) as caught:
            save(store, image, diff, user)
        assert caught.value.field == field
    assert shown(store, image).annotations == []
    with pytest.raises(NotFound):
        store.write(lambda tx: annotations.save(tx, foreign.project_id, image.id, a_diff(0), author_id=user.id))


def test_ten_thousand_ids_are_compared_at_once(store: Store, scene) -> None:
    user, label, image = scene
    ids = [f"annotation-{number}" for number in range(10_000)]
    with pytest.raises(InvalidInput, match="annotation-9999"):
        save(store, image, a_diff(0, [a_draft(ids[-1], label.id)], removed=ids), user)


SPECS = [
    AttributeSpec(name="kind", kind="choice", choices=["a", "b"]),
    AttributeSpec(name="note", kind="text"),
    AttributeSpec(name="speed", kind="number"),
    AttributeSpec(name="hidden", kind="switch"),
]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [("kind", "a", "c"), ("note", "words", 1.0), ("speed", 2.5, True), ("hidden", True, 1.0), ("speed", 1.0, "1")],
)
def test_attributes_follow_their_label(store: Store, scene, name: str, good: object, bad: object) -> None:
    user, _, image = scene
    label = a_label(store, image.project_id, "van", attributes=SPECS)
    save(store, image, a_diff(0, [a_draft("one", label.id, attributes={name: good})]), user)
    assert shown(store, image).annotations[0].attributes == {name: good}
    with pytest.raises(InvalidInput) as caught:
        save(store, image, a_diff(1, [a_draft("two", label.id, attributes={name: bad})]), user)
    assert caught.value.field == f"added.0.attributes.{name}"


def test_an_attribute_the_label_lost_may_stay_but_not_change(store: Store, scene) -> None:
    user, _, image = scene
    label = a_label(store, image.project_id, "van", attributes=SPECS)
    save(store, image, a_diff(0, [a_draft("one", label.id, attributes={"kind": "a"})]), user)
    store.write(lambda tx: labels.change(tx, image.project_id, label.id, attributes=[]))
    moved = a_draft("one", label.id, Box(3, 3, 7, 7), attributes={"kind": "a"})
    assert save(store, image, a_diff(1, changed=[moved]), user).revision == 2
    with pytest.raises(InvalidInput):
        save(store, image, a_diff(2, changed=[a_draft("one", label.id, attributes={"kind": "b"})]), user)


def test_a_client_cannot_take_the_ids_the_appliance_makes(store: Store, scene) -> None:
    user, label, image = scene
    drawn(store, image, label, user, "one")
    task = task_of(store, image)
    store.write(lambda tx: tasks.submit(tx, image.project_id, task.id, user.id, 1))
    store.write(
        lambda tx: reviews.review(tx, image.project_id, task.id, reviewer_id=user.id, revision=1, verdict="approve")
    )
    sql = "SELECT diff_id FROM history WHERE image_id = ? AND revision = 2"
    ((made,),) = store.read(lambda reading: reading.execute(sql, (image.id,)).fetchall())
    assert ":" in made
    other = a_label(store, image.project_id, "van")
    store.write(lambda tx: annotations.merge_label(tx, image.project_id, image.id, label.id, other.id))
    store.write(lambda tx: annotations.delete_label(tx, image.project_id, image.id, other.id))
    made = store.read(lambda r: [i for (i,) in r.execute("SELECT diff_id FROM history WHERE revision > 1")])
    assert len(made) == 3
    assert all(":" in diff_id for diff_id in made)
    assert shown(store, image).annotations == []


IDS = [f"shape-{n:02}" for n in range(6)]
PLACES = st.integers(0, 6).map(lambda n: Box(10.0 * n, 0.0, 10.0 * n + 9, 9.0))


class Image(RuleBasedStateMachine):
    """Two people, a model and a reviewer at one image, in any order."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")  # thousands of commits: nothing here is about the disk
        self._folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        self.store = Store(Path(self._folder.name), Settings(reserve_bytes=0, readers=1))
        self.people = [a_user(self.store), a_user(self.store)]
        self.project = a_project(self.store)
        self.labels = [a_label(self.store, self.project.id, name) for name in ("car", "van")]
        self.image = an_image(self.store, self.project.id)
        an_image(self.store, self.project.id, "other.png")
        sql = (
            "INSERT INTO models (name, version, family, task, sha256, size_bytes, info, provenance, created_at_ms) "
            "SELECT 'm', 1, 'fake', 'detect', sha256, 1, '{}', '{}', 0 FROM blobs LIMIT 1"
        )
        self.store.write(lambda tx: tx.execute(sql).fetchall())
        self.runs = 0

    def teardown(self) -> None:
        self.store.close()
        self._folder.cleanup()

    @property
    def state(self) -> str:
        return now(self.store, self.image).state

    @rule(
        ids=st.lists(st.sampled_from(IDS), unique=True, min_size=1, max_size=3),
        place=PLACES,
        label=st.integers(0, 1),
        person=st.integers(0, 1),
        rejected=st.booleans(),
        behind=st.integers(0, 2),
    )
    def edit(self, ids: list[str], place: Box, label: int, person: int, rejected: bool, behind: int) -> None:
        """Add what is missing, change what is there, remove every third; judged on an older revision."""
        present = {a.id: a for a in shown(self.store, self.image).annotations}
        model_made = [i for i in sorted(present) if i not in IDS][:1]
        drafts = [a_draft(i, self.labels[label].id, place, rejected=rejected) for i in ids[:2] + model_made]
        revision = max(0, now(self.store, self.image).revision - behind)
        diff = a_diff(
            revision,
            [d for d in drafts if d.id not in present],
            [d for d in drafts if d.id in present],
            ids[2:],
        )
        user = self.people[person]
        try:
            saved = save(self.store, self.image, diff, user)
        except StaleRevision as error:
            assert behind
            touched = [*diff.removed, *(d.id for d in diff.changed)]
            newer = {i for i in touched if i in present and present[i].revision > revision}
            if set(error.details["conflicts"]) != newer or not newer:
                raise AssertionError(f"{error.details['conflicts']} collided, not {newer}") from error
            return
        task = task_of(self.store, self.image)
        if saved.revision > revision:
            self.store.write(lambda tx: tasks.opened_by_edit(tx, task, user.id, LEASE_MS))

    @rule(places=st.lists(PLACES, max_size=4), label=st.integers(0, 1))
    def predict(self, places: list[Box], label: int) -> None:
        self.runs += 1
        proposals = [Proposal(self.labels[label].id, 0.5, place) for place in places]
        image, run = now(self.store, self.image), str(self.runs)
        before = [a for a in shown(self.store, self.image).annotations if not a.is_prediction]
        self.store.write(lambda tx: predictions.replace(tx, image, proposals, model_id=1, job_id=1, round_id=run))
        assert [a for a in shown(self.store, self.image).annotations if not a.is_prediction] == before

    @precondition(lambda self: self.state not in ("in_review", "done"))
    @rule(person=st.integers(0, 1))
    def submit(self, person: int) -> None:
        task, revision = task_of(self.store, self.image), now(self.store, self.image).revision
        user_id = self.people[person].id
        self.store.write(lambda tx: tasks.submit(tx, self.project.id, task.id, user_id, revision))

    @precondition(lambda self: self.state == "in_review")
    @rule(verdict=st.sampled_from(["approve", "return"]), person=st.integers(0, 1), data=st.data())
    def review(self, verdict: str, person: int, data: st.DataObject) -> None:
        task, image = task_of(self.store, self.image), now(self.store, self.image)
        present: list[Annotation] = shown(self.store, self.image).annotations
        judged = data.draw(st.lists(st.sampled_from([a.id for a in present]), unique=True)) if present else []
        verdicts = [
            Verdict(annotation_id=i, verdict=data.draw(st.sampled_from(["approve", "reject"]))) for i in judged
        ]
        self.store.write(
            lambda tx: reviews.review(
                tx,
                self.project.id,
                task.id,
                reviewer_id=self.people[person].id,
                revision=image.revision,
                verdict=verdict,
                reason="edges",
                verdicts=verdicts,
            )
        )

    @rule(person=st.integers(0, 1))
    def withdraw(self, person: int) -> None:
        """Either refused, or what stands is what the reviewer had before them."""
        task, user_id = task_of(self.store, self.image), self.people[person].id
        last = self.store.read(lambda reading: reviews.latest(reading, self.image.id))
        before = shown(self.store, self.image)
        try:
            self.store.write(lambda tx: reviews.withdraw(tx, self.project.id, task.id, user_id))
        except Conflict:
            assert shown(self.store, self.image) == before
            return
        assert last is not None
        assert (last.reviewer_id, self.state) == (user_id, "in_review")
        assert before.revision - last.revision in (0, 1)

    @invariant()
    def everything_is_true(self) -> None:
        self.store.read(lambda reading: (require_truth(reading, self.image), require_counts(reading)))

    @invariant()
    def the_listed_history_is_whole(self) -> None:
        page = self.store.read(lambda reading: revisions.of_image(reading, self.image.id, limit=500))
        assert [e.revision for e in page.items] == list(range(now(self.store, self.image).revision, 0, -1))


TestImage = Image.TestCase
TestImage.settings = settings(
    max_examples=10, stateful_step_count=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
