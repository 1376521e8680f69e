"""Filters of images against a naive look at every image, with data drawn at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.errors import InvalidInput
from appliance.geometry.box import Box
from appliance.records import Annotation, Image, TaskState
from appliance.store import Reading, Store, annotations, filters, images, tasks
from appliance.store.filters import ImageFilter, Sort
from appliance.store.history import Changes
from appliance.store.splits import split_of
from tests.store._nouns import PROBE, a_label, a_project, a_user, settled, task_of

STATES: tuple[TaskState, ...] = ("open", "in_progress", "in_review", "done", "returned", "skipped")
NAMES = ("beach", "Beach 1", "a/beach", "a/b/IMG_01", "a/b/100%", "a/b/IMGx01", "night/äöü", "night/x", "zz", "a\\b")
COUNT = 60


class Filled:
    """A project of images in every state beside another one, and what a naive filter needs to know."""

    def __init__(self, store: Store) -> None:
        self.store = store
        random_ = random.Random(5)
        self.people = [a_user(store) for _ in range(3)]
        self.project = a_project(store, "none")
        other = a_project(store)
        self.labels = [a_label(store, self.project.id, name) for name in ("car", "van", "bus", "none")]
        self.predicted: dict[int, list[float]] = {}
        self.labelled: dict[int, set[int]] = {}
        self.jobs: dict[int, int | None] = {}
        self.planned: dict[int, dict[str, Any]] = {}
        for number in range(COUNT):
            self._add(other.id, number, random_, None)
            self._image(number, random_)

    def _image(self, number: int, random_: random.Random) -> None:
        job_id = random_.choice((None, 3, 4))
        image = self._add(self.project.id, number, random_, job_id)
        self.jobs[image.id] = job_id
        task = task_of(self.store, image)
        facts = {
            "state": random_.choice(STATES),
            "assignee_id": random_.choice([None, *(p.id for p in self.people[:2])]),
            "priority": random_.choice((0, 0, 1, 2, -1)),
            "due_at_ms": random_.choice((None, 10, 20, 30)),
        }
        self.planned[image.id] = facts
        self.store.write(lambda tx: tasks.change(tx, task, **facts))
        put = []
        for n in range(random_.randrange(4)):
            author_id = self.people[0].id if random_.random() < 0.3 else None
            put.append(Annotation(
                id=f"shape-{n:03}", label_id=random_.choice(self.labels[:3]).id, geometry=Box(n, n, n + 5, n + 5),
                source="model", confidence=round(random_.random(), 2), author_id=author_id,
            ))  # fmt: skip
        changes = Changes(put=[(None, one) for one in put])
        self.store.write(lambda tx: annotations.apply(tx, image, changes, diff_id="d", kind="undo", job_id=1))
        self.predicted[image.id] = [a.confidence or 0.0 for a in put if a.is_prediction]
        self.labelled[image.id] = {a.label_id for a in put}

    def _add(self, project_id: int, number: int, random_: random.Random, job_id: int | None) -> Image:
        staged = settled(self.store, f"{project_id}/{number}".encode())
        name = f"{random_.choice(NAMES)}-{number}.png"

        def add(tx: Any) -> Image:
            self.store.blobs.register(tx, staged)
            return images.create(tx, project_id, name, staged, PROBE, job_id=job_id)

        return self.store.write(add)

    def all(self) -> list[Image]:
        return self.store.read(lambda r: images.listed(r, self.project.id, limit=500)).items

    def naive(self, wanted: ImageFilter) -> list[Image]:
        return [image for image in self.all() if self._matches(image, wanted)]

    def _due(self, image: Image, wanted: ImageFilter) -> bool:
        if wanted.due_since_ms is None and wanted.due_until_ms is None:
            return True
        at_ms = self.planned[image.id]["due_at_ms"]
        late = 2**60 if wanted.due_until_ms is None else wanted.due_until_ms
        unfinished = image.state in ("open", "in_progress", "returned")
        return unfinished and at_ms is not None and (wanted.due_since_ms or 0) <= at_ms < late

    def _matches(self, image: Image, wanted: ImageFilter) -> bool:
        low, high = wanted.confidence or (0, 1)
        folder = "/" + image.name.rpartition("/")[0]
        return (
            (not wanted.states or image.state in wanted.states)
            and (not wanted.labels or bool(self.labelled[image.id] & set(wanted.labels)))
            and (wanted.assignee is None or (image.assignee_id or filters.NOBODY) == wanted.assignee)
            and (wanted.confidence is None or any(low <= c <= high for c in self.predicted[image.id]))
            and (wanted.folder is None or folder == wanted.folder)
            and (wanted.job_id is None or self.jobs[image.id] == wanted.job_id)
            and (wanted.since_ms is None or image.created_at_ms >= wanted.since_ms)
            and (wanted.until_ms is None or image.created_at_ms < wanted.until_ms)
            and (wanted.text is None or wanted.text.lower() in image.name.lower())
            and (not wanted.priorities or self.planned[image.id]["priority"] in wanted.priorities)
            and self._due(image, wanted)
            and (not wanted.splits or split_of(image.sha256, 0) in wanted.splits)
        )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with Store(tmp_path_factory.mktemp("filters") / "box") as store:
        yield Filled(store)


def walked(filled: Filled, wanted: ImageFilter, sort: Sort, limit: int) -> list[Image]:
    seen: list[Image] = []
    after: int | str | None = None
    while True:
        page = filled.store.read(
            lambda r, a=after: images.listed(r, filled.project.id, wanted, sort=sort, after=a, limit=limit)
        )
        seen += page.items
        after = page.next
        if after is None:
            return seen


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_filter_in_every_order_finds_what_a_naive_one_finds(filled: Filled, data: st.DataObject) -> None:
    draw = data.draw
    at_ms = st.sampled_from([0, *(image.created_at_ms for image in filled.all()), 2**60])
    wanted = ImageFilter(
        states=draw(st.lists(st.sampled_from(STATES), max_size=3)),
        labels=draw(st.lists(st.sampled_from([label.id for label in filled.labels]), max_size=3)),
        assignee=draw(st.none() | st.sampled_from([filters.NOBODY, *(p.id for p in filled.people)])),
        confidence=draw(st.none() | st.sampled_from([(0.0, 1.0), (0.5, 0.6), (0.9, 1.0)])),
        folder=draw(st.none() | st.sampled_from(["/", "/a", "/a/b", "/night", "/none"])),
        job_id=draw(st.none() | st.sampled_from([3, 4, 9])),
        since_ms=draw(st.none() | at_ms),
        until_ms=draw(st.none() | at_ms),
        text=draw(
            st.none()
            | st.sampled_from(["beach", "EACH", "IMG_0", "100%", '"b"', "0%", "ä", "b", "/b/", "%", "zzz", "\\"])
        ),
        splits=draw(st.lists(st.sampled_from(["train", "val", "test"]), max_size=2)),
        priorities=draw(st.lists(st.sampled_from([-1, 0, 1, 2, 9]), max_size=2)),
        due_since_ms=draw(st.sampled_from([None, None, 15])),
        due_until_ms=draw(st.sampled_from([None, None, 20, 25])),
    )
    expected = filled.naive(wanted)
    orders: dict[Sort, list[Image]] = {
        "oldest": expected, "newest": expected[::-1], "name": sorted(expected, key=lambda image: image.name),
    }  # fmt: skip
    for sort, images_ in orders.items():
        assert walked(filled, wanted, sort, draw(st.sampled_from([1, 7, 500]))) == images_
        packed = filled.store.read(lambda r, s=sort: filters.packed(r, filled.project.id, wanted, sort=s))
        assert packed == [image.id for image in images_]
    assert filled.store.read(lambda r: filters.count(r, filled.project.id, wanted)) == len(expected)


def test_what_came_after_an_image_is_asked_for_alone(filled: Filled) -> None:
    ids = [image.id for image in filled.all()]
    for sort, rest in (("oldest", ids[41:]), ("newest", ids[:40][::-1])):
        found = filled.store.read(
            lambda r, s=sort: filters.packed(r, filled.project.id, ImageFilter(), sort=s, after=ids[40])
        )
        assert found == rest


def test_a_cursor_of_another_order_is_refused(filled: Filled) -> None:
    for limit in (0, 501):
        with pytest.raises(InvalidInput):
            filled.store.read(lambda r, m=limit: images.listed(r, filled.project.id, limit=m))
    with pytest.raises(InvalidInput):
        filled.store.read(lambda r: images.listed(r, filled.project.id, after="beach"))


def folders_of(reading: Reading, project_id: int) -> dict[str, int]:
    return {one.folder: one.images for one in images.folders(reading, project_id, limit=500).items}


def test_folders_are_counted_as_images_come_and_go(filled: Filled) -> None:
    expected: dict[str, int] = {}
    for image in filled.all():
        folder = "/" + image.name.rpartition("/")[0]
        expected[folder] = expected.get(folder, 0) + 1
    assert filled.store.read(lambda r: folders_of(r, filled.project.id)) == expected
    first = filled.store.read(lambda r: images.folders(r, filled.project.id, limit=1))
    assert (first.items[0].folder, first.next) == ("/", "/")


def test_names_and_folders_go_with_their_images(store: Store) -> None:
    filled = Filled(store)
    wanted = ImageFilter(text="beach")
    for image in filled.naive(wanted):
        store.write(lambda tx, i=image: images.delete(tx, filled.project.id, i.id))
    assert store.read(lambda r: filters.count(r, filled.project.id, wanted)) == 0
    assert sum(store.read(lambda r: folders_of(r, filled.project.id)).values()) == len(filled.all())
    ((bad,),) = store.read(lambda r: r.execute("PRAGMA integrity_check").fetchall())
    assert bad == "ok"


def test_a_deleted_person_is_nobody(store: Store) -> None:
    filled = Filled(store)
    person = filled.people[0]
    theirs = [image.id for image in filled.all() if image.assignee_id == person.id]
    store.write(lambda tx: tx.execute("DELETE FROM users WHERE id = ?", (person.id,)))
    assert {image.assignee_id for image in filled.all() if image.id in theirs} == {None}
