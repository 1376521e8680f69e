"""Whose turn it is: leases, order, handing in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.errors import Conflict, NotFound, StaleRevision
from appliance.records import Image, ReviewPolicy
from appliance.store import Store, members, projects, queues, reviews, tasks
from tests.store._nouns import (
    LEASE_MS,
    a_label,
    a_project,
    a_user,
    an_image,
    drawn,
    now,
    require_counts,
    shown,
    some_images,
    task_of,
)  # fmt: skip


@pytest.fixture
def scene(store: Store):
    user = a_user(store)
    project = a_project(store, created_by=user.id)
    return user, a_label(store, project.id), an_image(store, project.id)


def brought_to(store: Store, image: Image, state: str, user_id: int) -> None:
    """Bring the image's task into a state, by the way tasks take."""
    task = task_of(store, image)
    take = lambda tx: queues.take(tx, image.project_id, task.id, user_id, LEASE_MS)  # noqa: E731
    submit = lambda tx: tasks.submit(tx, image.project_id, task.id, user_id, 0)  # noqa: E731

    def judge(verdict):
        return lambda tx: reviews.review(
            tx, image.project_id, task.id, reviewer_id=user_id, revision=0, verdict=verdict, reason="edges"
        )

    ways = {
        "open": [],
        "in_progress": [take],
        "in_review": [submit],
        "done": [submit, judge("approve")],
        "returned": [submit, judge("return")],
        "skipped": [lambda tx: tasks.skip(tx, image.project_id, task.id, user_id, "dark")],
    }
    for step in ways[state]:
        store.write(step)
    assert task_of(store, image).state == state


STATES = ["open", "in_progress", "in_review", "done", "returned", "skipped"]
AFTER = {
    "take": ["in_progress", "in_progress", None, None, "in_progress", "in_progress"],
    "submit": ["in_review", "in_review", None, None, "in_review", "in_review"],
    "skip": ["skipped", "skipped", None, None, "skipped", "skipped"],
    "edit": ["in_progress", "in_progress", "in_review", "in_progress", "in_progress", "in_progress"],
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", AFTER)
def test_every_verb_in_every_state(store: Store, scene, state: str, verb: str) -> None:
    user, _, image = scene
    brought_to(store, image, state, user.id)
    task = task_of(store, image)
    project_id, user_id = image.project_id, user.id
    call = {
        "take": lambda tx: queues.take(tx, project_id, task.id, user_id, LEASE_MS),
        "submit": lambda tx: tasks.submit(tx, project_id, task.id, user_id, 0),
        "skip": lambda tx: tasks.skip(tx, project_id, task.id, user_id, "dark"),
        "edit": lambda tx: tasks.opened_by_edit(tx, task, user_id, LEASE_MS),
    }[verb]
    expected = AFTER[verb][STATES.index(state)]
    if expected is None:
        with pytest.raises(Conflict):
            store.write(call)
        assert task_of(store, image) == task
    else:
        store.write(call)
        assert task_of(store, image).state == now(store, image).state == expected
        assert task_of(store, image).round == task.round + (verb == "edit" and state == "done")
    store.read(require_counts)


def test_an_edit_of_a_done_image_reopens_it_in_the_next_round(store: Store, scene) -> None:
    user, label, image = scene
    drawn(store, image, label, user, "one")
    task = task_of(store, image)
    store.write(lambda tx: projects.change(tx, image.project_id, review_policy=ReviewPolicy()))
    done = store.write(lambda tx: tasks.submit(tx, image.project_id, task.id, user.id, 1))
    assert (done.state, done.revision, done.round) == ("done", 2, 1)
    assert [a.status for a in shown(store, image).annotations] == ["approved"]
    store.write(lambda tx: tasks.opened_by_edit(tx, tasks.of_image(tx, image.id), user.id, LEASE_MS))
    assert (task_of(store, image).state, task_of(store, image).round) == ("in_progress", 2)


def test_submitting_an_older_revision_is_refused(store: Store, scene) -> None:
    user, label, image = scene
    drawn(store, image, label, user, "one")
    task = task_of(store, image)
    with pytest.raises(StaleRevision) as caught:
        store.write(lambda tx: tasks.submit(tx, image.project_id, task.id, user.id, 0))
    assert caught.value.details == {"revision": 1}


def test_order_of_work(store: Store, scene) -> None:
    user, _, first = scene
    other = a_user(store)
    rest = some_images(store, first.project_id, 4)
    urgent, mine, held, returned = rest
    store.write(lambda tx: tx.execute("UPDATE tasks SET priority = 5 WHERE image_id = ?", (urgent.id,)).fetchall())
    brought_to(store, returned, "returned", user.id)
    brought_to(store, mine, "in_progress", user.id)
    brought_to(store, held, "in_progress", other.id)

    def next_image(user_id: int) -> int | None:
        task = store.write(lambda tx: queues.next_to_annotate(tx, first.project_id, user_id, LEASE_MS))
        if task is None:
            return None
        store.write(lambda tx: tasks.submit(tx, first.project_id, task.id, user_id, 0))
        return task.image_id

    order = [next_image(user.id) for _ in range(5)]
    assert order == [returned.id, mine.id, urgent.id, first.id, None]
    assert next_image(other.id) == held.id


def test_an_abandoned_task_goes_to_the_next_person(store: Store, scene) -> None:
    user, _, image = scene
    other = a_user(store)
    brought_to(store, image, "in_progress", user.id)
    task = task_of(store, image)
    with pytest.raises(Conflict):
        store.write(lambda tx: queues.take(tx, image.project_id, task.id, other.id, LEASE_MS))
    store.write(lambda tx: tasks.change(tx, task, lease_until_ms=tx.now_ms - 1))
    taken = store.write(lambda tx: queues.next_to_annotate(tx, image.project_id, other.id, LEASE_MS))
    assert (taken.image_id, taken.assignee_id) == (image.id, other.id)


def test_an_edit_keeps_a_living_lease_and_takes_over_a_dead_one(store: Store, scene) -> None:
    user, _, image = scene
    other = a_user(store)
    brought_to(store, image, "in_progress", user.id)
    edit = lambda tx: tasks.opened_by_edit(tx, tasks.of_image(tx, image.id), other.id, LEASE_MS)  # noqa: E731
    store.write(edit)
    assert task_of(store, image).assignee_id == user.id
    store.write(lambda tx: tasks.change(tx, tasks.of_image(tx, image.id), lease_until_ms=tx.now_ms - 1))
    store.write(edit)
    assert task_of(store, image).assignee_id == other.id


def test_many_takers_never_get_the_same_task(store: Store, scene) -> None:
    _, _, image = scene
    some_images(store, image.project_id, 15)
    people = [a_user(store).id for _ in range(8)]

    def grab(user_id: int) -> list[int]:
        got = []
        for _ in range(2):
            task = store.write(lambda tx: queues.next_to_annotate(tx, image.project_id, user_id, LEASE_MS))
            got.append(task.image_id)
            store.write(lambda tx, t=task: tasks.submit(tx, image.project_id, t.id, user_id, 0))
        return got

    with ThreadPoolExecutor(8) as threads:
        grabbed = [image_id for got in threads.map(grab, people) for image_id in got]
    assert len(set(grabbed)) == len(grabbed) == 16
    with ThreadPoolExecutor(8) as threads:
        lease = lambda u: store.write(lambda tx: queues.next_to_review(tx, image.project_id, u, LEASE_MS))  # noqa: E731
        leased = [task.id for task in threads.map(lease, people)]
    assert len(set(leased)) == 8


def test_what_nobody_handed_in_and_was_returned_waits_for_anybody(store: Store, scene) -> None:
    user, _, image = scene
    store.write(lambda tx: tasks.submit_by_machine(tx, image))
    task = task_of(store, image)
    assert (task.state, task.assignee_id) == ("in_review", None)
    store.write(
        lambda tx: reviews.review(
            tx, image.project_id, task.id, reviewer_id=user.id, revision=0, verdict="return", reason="blurred"
        )
    )
    got = store.write(lambda tx: queues.next_to_annotate(tx, image.project_id, user.id, LEASE_MS))
    assert (got.image_id, got.reason) == (image.id, "blurred")


@pytest.mark.parametrize(("state", "policy", "sent"), [
    ("open", "all", True), ("open", "none", False), ("in_progress", "all", False), ("done", "all", False),
])  # fmt: skip
def test_a_machine_hands_in_only_what_nobody_began(store: Store, scene, state: str, policy: str, sent: bool) -> None:
    user, _, image = scene
    brought_to(store, image, state, user.id)
    store.write(lambda tx: projects.change(tx, image.project_id, review_policy=ReviewPolicy(images=policy)))
    store.write(lambda tx: tasks.submit_by_machine(tx, image))
    assert task_of(store, image).state == ("in_review" if sent else state)


def test_the_work_of_who_leaves_the_project_waits_for_anybody(store: Store, scene) -> None:
    user, _, image = scene
    leaver = a_user(store)
    store.write(lambda tx: members.put(tx, image.project_id, leaver.id, "annotator"))
    brought_to(store, image, "returned", leaver.id)
    assert store.write(lambda tx: queues.next_to_annotate(tx, image.project_id, user.id, LEASE_MS)) is None
    store.write(lambda tx: members.remove(tx, image.project_id, leaver.id))
    got = store.write(lambda tx: queues.next_to_annotate(tx, image.project_id, user.id, LEASE_MS))
    assert got.image_id == image.id


def test_pages_of_tasks_have_no_gaps(store: Store, scene) -> None:
    user, _, first = scene
    ids = [first.id, *[i.id for i in some_images(store, first.project_id, 6)]]
    for assignee_id in (None, user.id):
        if assignee_id:
            store.write(lambda tx: tx.execute("UPDATE tasks SET assignee_id = ?", (user.id,)).fetchall())
        seen, after = [], None
        while True:
            page = store.read(
                lambda r, a=after, u=assignee_id: tasks.listed(
                    r, first.project_id, state="open", assignee_id=u, after=a, limit=3
                )
            )
            seen += [task.image_id for task in page.items]
            after = page.next
            if after is None:
                break
        assert seen == ids
    with pytest.raises(NotFound):
        store.read(lambda reading: tasks.get(reading, first.project_id + 1, task_of(store, first).id))
