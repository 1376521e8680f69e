"""Whose turn it is when many ask at once: no task twice, none forgotten, in the project's order."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from appliance.errors import Conflict, InvalidInput
from appliance.geometry.box import Box
from appliance.records import Annotation, Image, QueueOrder, ReviewPolicy, Task
from appliance.settings import Settings
from appliance.store import Store, bulk, members, projects, queues, reviews, tasks, uncertainty, users, workload
from appliance.store.bulk import Change, Changed, Selection
from appliance.store.predictions import Proposal
from tests._many import many_images
from tests.store._nouns import LEASE_MS, a_label, a_project, a_user, an_image, drawn, now, some_images, task_of

TASKS, TAKERS = 10_000, 100


def put_forward(store: Store, by_ms: int) -> None:
    """Let the store's clock go forward."""
    with store.clock._lock:
        store.clock._last_ms += by_ms


def take_next(store: Store, project_id: int, user_id: int) -> Task | None:
    return store.write(lambda tx: queues.next_to_annotate(tx, project_id, user_id, LEASE_MS))


def changed(store: Store, project_id: int, image_ids: Sequence[int], **facts: object) -> Changed:
    """Do a change to many images, and all its steps."""
    change = Change(selection=Selection(ids=list(image_ids)), **facts)  # type: ignore[arg-type]
    store.read(lambda reading: bulk.check(reading, project_id, change))
    change = store.read(lambda reading: bulk.prepared(reading, project_id, change))
    so_far = Changed()
    while (done := store.write(lambda tx, at=so_far: bulk.step(tx, project_id, change, at))) is not so_far:
        so_far = done
    return so_far


@pytest.fixture
def scene(store: Store):
    user = a_user(store)
    project = a_project(store, created_by=user.id)
    return user, project, a_label(store, project.id)


class Taker:
    """One of many people: takes, forgets some, hands in the rest."""

    def __init__(self, store: Store, project_id: int, seed: int) -> None:
        self.store = store
        self.project_id = project_id
        self.random = random.Random(seed)
        self.user_id = a_user(store).id
        self.taken: list[Task] = []
        self.submitted: list[int] = []

    def work(self, *, steady: bool = False) -> None:
        while (task := take_next(self.store, self.project_id, self.user_id)) is not None:
            self.taken.append(task)
            luck = 1.0 if steady else self.random.random()
            if luck < 0.02:  # gone for good: somebody new sits down
                self.user_id = a_user(self.store).id
            elif luck < 0.03:  # off for a while: this lease, and those of others, may run out
                put_forward(self.store, LEASE_MS // 3)
            else:
                self._submit(task)

    def _submit(self, task: Task) -> None:
        def submit(tx):
            queues.refuse_others(tasks.get(tx, self.project_id, task.id), self.user_id, tx.now_ms)
            tasks.submit(tx, self.project_id, task.id, self.user_id, 0)

        try:
            self.store.write(submit)
            self.submitted.append(task.id)
        except Conflict:
            return  # the lease ran out meanwhile and somebody else has it


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Store]:
    """A store in memory: thousands of commits, and nothing here is about the disk."""
    memory = Path("/dev/shm")
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder,
        Store(Path(folder) / "box", Settings(reserve_bytes=0)) as opened,
    ):
        yield opened


def test_ten_thousand_tasks_to_a_hundred_takers_without_a_double_or_a_gap(quick: Store) -> None:
    """Some are abandoned and leases run out in between: each task is handed in once, and held by one at a time."""
    store = quick
    project = a_project(store)
    many_images(store, project.id, TASKS * 5 // 4)
    takers = [Taker(store, project.id, seed) for seed in range(TAKERS)]
    with ThreadPoolExecutor(TAKERS) as threads:
        list(threads.map(Taker.work, takers))
    put_forward(store, LEASE_MS + 1)
    takers[0].work(steady=True)
    submitted = [task_id for taker in takers for task_id in taker.submitted]
    wanted = store.read(
        lambda r: [i for (i,) in r.execute("SELECT id FROM tasks WHERE state = 'in_review' ORDER BY 1")]
    )
    assert sorted(submitted) == wanted
    assert len(wanted) == TASKS
    held: defaultdict[int, list[Task]] = defaultdict(list)
    for taker in takers:
        for task in taker.taken:
            held[task.id].append(task)
    assert len(held) == TASKS
    assert any(len(holds) > 1 for holds in held.values()), "nothing was ever abandoned"
    for holds in held.values():
        for earlier, later in pairwise(sorted(holds, key=lambda task: task.lease_until_ms or 0)):
            began_ms = (later.lease_until_ms or 0) - LEASE_MS
            assert later.assignee_id == earlier.assignee_id or began_ms > (earlier.lease_until_ms or 0)
    assert len({task.assignee_id for holds in held.values() for task in holds}) > TAKERS


@pytest.mark.parametrize("order", ["manual", "oldest", "random", "uncertain"])
def test_each_order_hands_out_everything_once_urgent_and_due_first(store: Store, scene, order: QueueOrder) -> None:
    user, project, _ = scene
    ids = [image.id for image in some_images(store, project.id, 12)]
    store.write(lambda tx: projects.change(tx, project.id, queue_order=order))
    for number, image_id in enumerate(ids):
        store.write(lambda tx, n=number, i=image_id: uncertainty.keep(tx, i, (n * 5 % 12) / 12))
    changed(store, project.id, ids[9:], action="move", to="front")
    changed(store, project.id, ids[:2], action="move", to="end")
    changed(store, project.id, [ids[6]], action="due", due_at_ms=9_000)
    changed(store, project.id, [ids[7]], action="due", due_at_ms=5_000)
    changed(store, project.id, [ids[5]], action="prioritise", priority=3)
    ahead = store.read(lambda r: queues.to_annotate(r, project.id, user.id, now_ms=0, limit=50))
    found = []
    while (task := take_next(store, project.id, user.id)) is not None:
        found.append(task.image_id)
        store.write(lambda tx, t=task: tasks.submit(tx, project.id, t.id, user.id, 0))
    assert found == [task.image_id for task in ahead]
    assert found[:3] == [ids[5], ids[7], ids[6]]
    rest = [image_id for image_id in ids if image_id not in found[:3]]
    expected = {
        "oldest": rest,
        "manual": [*ids[9:], *ids[2:5], ids[8], *ids[:2]],
        "uncertain": sorted(rest, key=lambda i: -(ids.index(i) * 5 % 12)),
    }
    if order in expected:
        assert found[3:] == expected[order]
    else:
        assert sorted(found[3:]) == rest
        assert found[3:] != rest


def test_the_random_place_of_a_picture_is_its_own(store: Store, scene) -> None:
    _, project, _ = scene
    other = a_project(store)
    places = []
    sql = "SELECT shuffle FROM tasks WHERE image_id = ?"
    for where in (project, other):
        image = an_image(store, where.id, data=b"the same")
        places.append(store.read(lambda r, i=image: r.execute(sql, (i.id,)).fetchall()))
    assert places[0] == places[1] != [(0,)]


def test_assigned_work_is_its_assignees_and_nobody_elses(store: Store, scene) -> None:
    owner, project, _ = scene
    ann, bob = a_user(store), a_user(store)
    for person in (ann, bob):
        store.write(lambda tx, p=person: members.put(tx, project.id, p.id, "annotator"))
    free, given = some_images(store, project.id, 2)
    changed(store, project.id, [given.id], action="assign", assignee_id=ann.id)
    with pytest.raises(Conflict):
        store.write(lambda tx: queues.take(tx, project.id, task_of(store, given).id, bob.id, LEASE_MS))
    assert take_next(store, project.id, ann.id).image_id == given.id
    put_forward(store, LEASE_MS + 1)
    assert take_next(store, project.id, bob.id).image_id == free.id
    store.write(lambda tx: tasks.submit(tx, project.id, task_of(store, free).id, bob.id, 0))
    assert take_next(store, project.id, bob.id) is None
    with pytest.raises(Conflict):
        store.write(lambda tx: tasks.refuse_edit(tx, task_of(store, given), bob.id, "annotator", 0))
    changed(store, project.id, [given.id], action="assign", assignee_id=None)
    assert take_next(store, project.id, bob.id).image_id == given.id
    with pytest.raises(InvalidInput):
        changed(store, project.id, [given.id], action="assign", assignee_id=a_user(store).id)
    assert owner.id not in {task_of(store, image).assignee_id for image in (free, given)}


def test_dealing_out_gives_each_the_same(store: Store, scene) -> None:
    _, project, _ = scene
    people = [a_user(store) for _ in range(3)]
    for person in people:
        store.write(lambda tx, p=person: members.put(tx, project.id, p.id, "annotator"))
    ids = [image.id for image in some_images(store, project.id, 20)]
    changed(store, project.id, ids, action="share", people=[p.id for p in people])
    loads = {one.user_id: one for one in store.read(lambda r: workload.of_project(r, project.id, 0))}
    assert sorted(loads[p.id].assigned for p in people) == [6, 7, 7]
    assert loads[None].assigned == 0


def test_the_work_of_everybody_adds_up(store: Store, scene) -> None:
    owner, project, _ = scene
    ann = a_user(store)
    store.write(lambda tx: members.put(tx, project.id, ann.id, "annotator"))
    images = some_images(store, project.id, 7)
    changed(store, project.id, [i.id for i in images[:2]], action="assign", assignee_id=ann.id)
    changed(store, project.id, [images[1].id], action="due", due_at_ms=1)
    for image in images[2:4]:
        store.write(lambda tx, i=image: queues.take(tx, project.id, task_of(store, i).id, ann.id, LEASE_MS))
    put_forward(store, LEASE_MS + 1)
    store.write(lambda tx: queues.take(tx, project.id, task_of(store, images[3]).id, ann.id, LEASE_MS))
    store.write(lambda tx: tasks.skip(tx, project.id, task_of(store, images[4]).id, ann.id, "dark"))
    store.write(lambda tx: tasks.submit(tx, project.id, task_of(store, images[5]).id, ann.id, 0))
    store.write(lambda tx: queues.next_to_review(tx, project.id, owner.id, LEASE_MS))
    found = store.read(lambda r: workload.of_project(r, project.id, store.clock.now_ms()))
    load = next(one for one in found if one.user_id == ann.id)
    assert (load.assigned, load.begun, load.abandoned, load.overdue, load.skipped) == (2, 1, 1, 1, 1)
    assert (next(one for one in found if one.user_id == owner.id).to_review, found[-1].assigned) == (1, 1)


@pytest.mark.parametrize("policy", ["author", "anyone"])
@pytest.mark.parametrize("gone", [False, True])
def test_returned_work_tops_its_authors_queue_or_anybodys(store: Store, scene, policy: str, gone: bool) -> None:
    owner, project, _ = scene
    ann, bob = a_user(store), a_user(store)
    for person in (ann, bob):
        store.write(lambda tx, p=person: members.put(tx, project.id, p.id, "annotator"))
    set_policy(store, project.id, images="all", returned_to=policy)
    image, _ = some_images(store, project.id, 2)
    store.write(lambda tx: tasks.submit(tx, project.id, task_of(store, image).id, ann.id, 0))
    if gone:
        store.write(lambda tx: users.change(tx, ann.id, disabled=True))
    judge(store, image, owner.id, "return")
    stays = policy == "author" and not gone
    assert task_of(store, image).assignee_id == (ann.id if stays else None)
    taker = ann if stays else bob
    assert take_next(store, project.id, taker.id).image_id == image.id


def test_work_of_who_is_disabled_is_free_again(store: Store, scene) -> None:
    _, project, _ = scene
    ann, bob = a_user(store), a_user(store)
    for person in (ann, bob):
        store.write(lambda tx, p=person: members.put(tx, project.id, p.id, "annotator"))
    given, begun = some_images(store, project.id, 2)
    changed(store, project.id, [given.id, begun.id], action="assign", assignee_id=ann.id)
    store.write(lambda tx: queues.take(tx, project.id, task_of(store, begun).id, ann.id, LEASE_MS))
    store.write(lambda tx: users.change(tx, ann.id, disabled=True))
    taken = []
    for _ in range(2):
        task = take_next(store, project.id, bob.id)
        taken.append(task.image_id)
        store.write(lambda tx, t=task: tasks.submit(tx, project.id, t.id, bob.id, 0))
    assert sorted(taken) == [given.id, begun.id]


def test_reviewers_are_offered_only_what_they_may_approve(store: Store, scene) -> None:
    owner, project, label = scene
    ann = a_user(store)
    set_policy(store, project.id, images="all", others_only=True)
    own, fixed, foreign = some_images(store, project.id, 3)
    for image, author in ((own, owner), (fixed, ann), (foreign, ann)):
        store.write(lambda tx, i=image, a=author: tasks.submit(tx, project.id, task_of(store, i).id, a.id, 0))
    drawn(store, fixed, label, owner, "fix")
    task = store.write(lambda tx: queues.next_to_review(tx, project.id, owner.id, LEASE_MS))
    assert task.image_id == foreign.id
    assert [t.image_id for t in to_review(store, project.id, owner.id)] == [foreign.id]
    assert [t.image_id for t in to_review(store, project.id, a_user(store).id)] == [own.id, fixed.id]


def to_review(store: Store, project_id: int, user_id: int) -> list[Task]:
    now_ms = store.clock.now_ms()
    return store.read(lambda r: queues.to_review(r, project_id, user_id, now_ms=now_ms, limit=9))


def set_policy(store: Store, project_id: int, **facts: object) -> None:
    policy = ReviewPolicy(**facts)  # type: ignore[arg-type]
    store.write(lambda tx: projects.change(tx, project_id, review_policy=policy))


def judge(store: Store, image: Image, user_id: int, verdict: str = "approve") -> None:
    revision, task = now(store, image).revision, task_of(store, image)
    store.write(
        lambda tx: reviews.review(
            tx, image.project_id, task.id, reviewer_id=user_id, revision=revision, verdict=verdict, reason="edges"
        )
    )


HERE, THERE = Box(10, 10, 30, 30), Box(50, 50, 70, 70)


@pytest.mark.parametrize(("found", "people", "others", "expected"), [
    ([], [], [], 0.0),
    ([(0.9, HERE)], [], [], 0.2),
    ([(0.5, HERE), (0.99, THERE)], [], [], 1.0),
    ([(1.0, HERE)], [HERE], [], 0.0),
    ([(1.0, HERE)], [THERE], [], 1.0),
    ([(1.0, HERE), (1.0, THERE)], [HERE], [], 1 - 2 / 3),
    ([], [HERE], [], 1.0),
    ([(1.0, HERE)], [], [HERE, THERE], 1 - 2 / 3),
])  # fmt: skip
def test_how_unsure_a_run_is(found, people, others, expected) -> None:
    proposals = [Proposal(1, confidence, box) for confidence, box in found]
    present = [Annotation(id=f"person-{n}", label_id=1, geometry=b, author_id=1) for n, b in enumerate(people)]
    present += [
        Annotation(id=f"model---{n}", label_id=1, geometry=b, source="model", confidence=0.9, model_id=1)
        for n, b in enumerate(others)
    ]
    assert uncertainty.of_run(proposals, present, model_id=2) == pytest.approx(expected, abs=1e-5)
