"""What a review policy asks for, and that nothing is done against it."""

from __future__ import annotations

import pytest

from appliance.errors import Conflict
from appliance.geometry.box import Box
from appliance.records import Annotation, Image, ReviewPolicy, User, Verdict
from appliance.store import Store, annotations, members, policies, projects, queues, reviews, tasks
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
    some_images,
    task_of,
)  # fmt: skip


class Place:
    """A project with a policy, an author, two reviewers and images with a box each."""

    def __init__(self, store: Store, **policy: object) -> None:
        self.store = store
        self.author, self.rita, self.rob = (a_user(store) for _ in range(3))
        self.project = a_project(store, ReviewPolicy(**policy), created_by=self.rob.id)  # type: ignore[arg-type]
        self.label = a_label(store, self.project.id)
        for user, role in ((self.author, "annotator"), (self.rita, "reviewer")):
            store.write(lambda tx, u=user, r=role: members.put(tx, self.project.id, u.id, r))

    def image(self, *, submitted: bool = True, by_model: bool = False) -> Image:
        image = an_image(self.store, self.project.id)
        if by_model:
            accepted = Annotation(
                id="accepted", label_id=self.label.id, geometry=Box(1, 1, 9, 9), source="model", confidence=0.9,
                author_id=self.author.id,
            )  # fmt: skip
            put = Changes(put=[(None, accepted)])
            self.store.write(
                lambda tx: annotations.apply(tx, now(self.store, image), put, diff_id="accepted-by-hand")
            )
        else:
            drawn(self.store, image, self.label, self.author, "one")
        if submitted:
            self.submit(image)
        return image

    def submit(self, image: Image, user: User | None = None) -> None:
        task, revision, user_id = (
            task_of(self.store, image),
            now(self.store, image).revision,
            (user or self.author).id,
        )
        self.store.write(lambda tx: tasks.submit(tx, self.project.id, task.id, user_id, revision))

    def judge(self, image: Image, user: User, verdict: str = "approve", *verdicts: Verdict) -> None:
        task, revision = task_of(self.store, image), now(self.store, image).revision
        self.store.write(
            lambda tx: reviews.review(
                tx, self.project.id, task.id, reviewer_id=user.id, revision=revision, verdict=verdict, reason="edges",
                verdicts=list(verdicts),
            )
        )  # fmt: skip

    def withdraw(self, image: Image, user: User) -> None:
        task = task_of(self.store, image)
        self.store.write(lambda tx: reviews.withdraw(tx, self.project.id, task.id, user.id))

    def change(self, **policy: object) -> None:
        made = ReviewPolicy(**policy)  # type: ignore[arg-type]
        self.store.write(lambda tx: projects.change(tx, self.project.id, review_policy=made))

    def state(self, image: Image) -> tuple[str, int]:
        task = task_of(self.store, image)
        return task.state, task.approvals

    def unfinished(self, image: Image) -> str | None:
        return self.store.read(lambda r: policies.unfinished(r, self.project.id, [image.id])).get(image.id)

    def settle(self, image: Image) -> bool:
        return self.store.write(lambda tx: tasks.settle(tx, tasks.of_image(tx, image.id)))


@pytest.mark.parametrize(("policy", "by_model", "state"), [
    ({}, False, "done"),
    ({}, True, "done"),
    ({"images": "all"}, False, "in_review"),
    ({"images": "sample", "sample_percent": 100}, False, "in_review"),
    ({"model_made": True}, False, "done"),
    ({"model_made": True}, True, "in_review"),
    ({"reviews": 2}, False, "done"),
])  # fmt: skip
def test_what_is_reviewed(store: Store, policy, by_model: bool, state: str) -> None:
    place = Place(store, **policy)
    image = place.image(by_model=by_model)
    assert place.state(image) == (state, 0)
    assert (place.unfinished(image) is None) is (state == "done")
    if state == "in_review":
        place.judge(image, place.rita)
        assert place.state(image) == ("done", 1)
        assert place.unfinished(image) is None


def test_a_sample_is_the_pictures_own_and_only_grows(store: Store) -> None:
    place = Place(store, images="sample", sample_percent=30)
    found = [image.id for image in some_images(store, place.project.id, 300)]

    # What nobody handed in is a model's and always reviewed: give each to somebody.
    store.write(lambda tx: tx.execute("UPDATE tasks SET assignee_id = ?", (place.author.id,)).fetchall())

    def lots(percent: int) -> set[int]:
        place.change(images="sample", sample_percent=percent)
        return store.read(lambda r: {i for i in found if policies.needed(r, tasks.of_image(r, i))})

    few, more = lots(30), lots(60)
    assert few < more
    assert lots(30) == few
    assert 0.2 < len(few) / len(found) < 0.4
    assert 0.5 < len(more) / len(found) < 0.7
    assert lots(100) == set(found)
    other = Place(store, images="sample", sample_percent=30)
    data = [f"picture of both {n}".encode() for n in range(40)]

    def both(where: Place) -> list[int]:
        made = [an_image(store, where.project.id, f"{n}.png", bytes_) for n, bytes_ in enumerate(data)]
        ids = [image.id for image in made]
        sql = "UPDATE tasks SET assignee_id = ? WHERE project_id = ?"
        store.write(lambda tx: tx.execute(sql, (where.author.id, where.project.id)).fetchall())
        return store.read(lambda r: [policies.needed(r, tasks.of_image(r, i)) for i in ids])

    place.change(images="sample", sample_percent=50)
    other.change(images="sample", sample_percent=50)
    assert both(place) != both(other), "one project's lots tell nothing of another's"


def test_two_approvals_by_two_people_make_it_done(store: Store) -> None:
    place = Place(store, images="all", reviews=2)
    image = place.image()
    place.judge(image, place.rita)
    assert place.state(image) == ("in_review", 1)
    assert [a.status for a in shown(store, image).annotations] == ["draft"]
    assert task_of(store, image).reviewer_id is None
    with pytest.raises(Conflict):
        place.judge(image, place.rita)
    with pytest.raises(Conflict):
        place.judge(image, place.author)
    offered = store.write(lambda tx: queues.next_to_review(tx, place.project.id, place.rita.id, LEASE_MS))
    assert offered is None
    place.judge(image, place.rob)
    assert place.state(image) == ("done", 2)
    assert [a.status for a in shown(store, image).annotations] == ["approved"]
    store.read(lambda r: require_truth(r, image))


def test_when_two_disagree_the_image_is_returned(store: Store) -> None:
    place = Place(store, images="all", reviews=2)
    image = place.image()
    place.judge(image, place.rita)
    place.judge(image, place.rob, "return")
    assert place.state(image) == ("returned", 0)
    assert task_of(store, image).assignee_id == place.author.id
    place.submit(image)
    place.judge(image, place.rita)
    place.judge(image, place.rob)
    assert place.state(image) == ("done", 2)


def test_what_changes_the_image_voids_the_first_approval(store: Store) -> None:
    place = Place(store, images="all", reviews=2)
    image = place.image()
    place.judge(image, place.rita)
    drawn(store, image, place.label, place.rob, "two")
    assert place.state(image) == ("in_review", 0)
    with pytest.raises(Conflict):
        place.judge(image, place.rob)
    place.judge(image, place.rita)
    assert place.state(image) == ("in_review", 1)
    third = a_user(store)
    place.judge(image, third)
    assert place.state(image) == ("done", 2)


def test_a_single_rejection_is_a_change_the_first_has_not_seen(store: Store) -> None:
    place = Place(store, images="all", reviews=2)
    image = place.image()
    place.judge(image, place.rita)
    place.judge(image, place.rob, "approve", Verdict(annotation_id="one_____", verdict="reject"))
    assert place.state(image) == ("in_review", 1)
    place.judge(image, place.rita)
    assert place.state(image) == ("done", 2)
    assert [a.status for a in shown(store, image).annotations] == ["rejected"]


@pytest.mark.parametrize("verdict", ["approve", "return"])
def test_withdrawing_the_second_verdict_leaves_the_first(store: Store, verdict: str) -> None:
    place = Place(store, images="all", reviews=2)
    image = place.image()
    place.judge(image, place.rita)
    place.judge(image, place.rob, verdict)
    place.withdraw(image, place.rob)
    assert place.state(image) == ("in_review", 1)
    with pytest.raises(Conflict):
        place.judge(image, place.rita)
    place.judge(image, place.rob)
    assert place.state(image) == ("done", 2)


def test_nobody_approves_their_own_work_nor_their_own_fix(store: Store) -> None:
    place = Place(store, images="all", others_only=True)
    image = place.image()
    with pytest.raises(Conflict):
        place.judge(image, place.author)
    drawn(store, image, place.label, place.rita, "fix")
    with pytest.raises(Conflict):
        place.judge(image, place.rita)
    place.judge(image, place.rob)
    assert place.state(image) == ("done", 1)
    drawn(store, image, place.label, place.rob, "next")
    store.write(lambda tx: tasks.opened_by_edit(tx, tasks.of_image(tx, image.id), place.rob.id, LEASE_MS))
    place.submit(image, place.rob)
    place.judge(image, place.rita)
    assert place.state(image) == ("done", 1), "what was approved before is nobody's own any more"


def test_without_that_rule_reviewers_approve_what_they_fixed(store: Store) -> None:
    place = Place(store, images="all")
    image = place.image()
    drawn(store, image, place.label, place.rita, "fix")
    place.judge(image, place.rita)
    assert place.state(image) == ("done", 1)


def test_what_was_returned_is_reviewed_again_whatever_the_sample_says(store: Store) -> None:
    place = Place(store, images="all")
    image = place.image(by_model=True)
    place.change(images="none", model_made=True)
    place.judge(image, place.rita, "return")
    redrawn = a_diff(
        now(store, image).revision, [a_draft("mine", place.label.id, Box(40, 1, 49, 9))], (), ["accepted"]
    )
    save(store, image, redrawn, place.author)
    place.submit(image)
    assert place.state(image) == ("in_review", 0)


def test_an_edit_of_a_done_image_reopens_it_whatever_makes_it(store: Store) -> None:
    place = Place(store, images="all")
    image = place.image()
    place.judge(image, place.rita)
    imported = Annotation(id="imported", label_id=place.label.id, geometry=Box(40, 1, 49, 9), source="import")
    put = Changes(put=[(None, imported)])
    store.write(lambda tx: annotations.apply(tx, now(store, image), put, diff_id="import-1", kind="import"))
    assert place.state(image) == ("open", 0)
    assert task_of(store, image).round == 2


def test_done_is_not_written_without_approvals(store: Store) -> None:
    place = Place(store, images="all")
    image = place.image()
    for facts in ({}, {"approvals": 0}):
        with pytest.raises(Conflict):
            store.write(lambda tx, f=facts: tasks.write(tx, task_of(store, image).id, state="done", **f))
    stale = now(store, image).revision - 1
    with pytest.raises(Conflict):
        store.write(lambda tx: tasks.write(tx, task_of(store, image).id, state="done", approvals=1, revision=stale))


def test_a_stricter_policy_leaves_done_images_done_but_not_truth_until_settled(store: Store) -> None:
    place = Place(store)
    image = place.image()
    assert place.state(image) == ("done", 0)
    place.change(images="all")
    assert place.state(image) == ("done", 0)
    assert place.unfinished(image) == "unfinished review: 1 more to approve it"
    assert place.settle(image)
    assert place.state(image) == ("in_review", 0)
    place.judge(image, place.rita)
    assert (place.state(image), place.unfinished(image)) == (("done", 1), None)
    place.change(images="all", reviews=2)
    assert place.unfinished(image)
    assert place.settle(image)
    assert place.state(image) == ("in_review", 1)
    place.judge(image, place.rob)
    assert place.state(image) == ("done", 2)


def test_a_looser_policy_leaves_images_in_review_until_the_next_verdict_or_settled(store: Store) -> None:
    place = Place(store, images="all", reviews=2)
    first, second, third = place.image(), place.image(), place.image()
    for image in (first, second):
        place.judge(image, place.rita)
    place.change(images="all")
    assert place.state(first) == ("in_review", 1)
    assert place.settle(first)
    assert place.state(first) == ("done", 1)
    assert [a.status for a in shown(store, first).annotations] == ["approved"]
    place.judge(second, place.rob)
    assert place.state(second) == ("done", 2)
    assert not place.settle(third)
    place.change()
    assert place.settle(third)
    assert place.state(third) == ("done", 0)


def test_what_a_model_handed_in_waits_for_a_person(store: Store) -> None:
    place = Place(store, images="sample", sample_percent=1)
    image = an_image(store, place.project.id)
    store.write(lambda tx: tasks.submit_by_machine(tx, image))
    assert place.state(image) == ("in_review", 0)
    place.change()
    assert not place.settle(image)
    assert place.state(image) == ("in_review", 0)


@pytest.mark.parametrize(("policy", "brought", "role", "who", "refused"), [
    ({}, "done", "annotator", "author", False),
    ({}, "done", "annotator", "other", True),
    ({}, "done", "reviewer", "other", False),
    ({"images": "all"}, "in_review", "annotator", "author", True),
    ({"images": "all"}, "in_review", "reviewer", "other", False),
    ({"images": "all"}, "done", "annotator", "author", True),
    ({"images": "all"}, "done", "admin", "other", False),
    ({"images": "all"}, "returned", "annotator", "author", False),
    ({"images": "all"}, "returned", "annotator", "other", True),
    ({"images": "all"}, "open", "annotator", "other", False),
])  # fmt: skip
def test_who_may_edit_in_which_state(store: Store, policy, brought, role, who, refused) -> None:
    place = Place(store, **policy)
    image = place.image(submitted=brought != "open")
    if brought == "returned" or (brought == "done" and policy):
        place.judge(image, place.rita, "return" if brought == "returned" else "approve")
    task, revision = task_of(store, image), now(store, image).revision
    assert task.state == brought
    user_id = place.author.id if who == "author" else place.rob.id
    if refused:
        with pytest.raises(Conflict):
            store.read(lambda r: tasks.refuse_edit(r, task, user_id, role, revision))
    else:
        store.read(lambda r: tasks.refuse_edit(r, task, user_id, role, revision))
