"""Projects: counts on their rows, and a deletion that leaves nothing."""

from __future__ import annotations

import pytest

from appliance.errors import InvalidInput, NotFound
from appliance.records import SnapshotSummary
from appliance.store import Store, exports, jobs, members, projects, reviews, tasks
from appliance.store.snapshots import Header, create, protect
from tests.store._nouns import a_label, a_project, a_user, an_image, drawn, require_counts, settled, task_of


def fill(store: Store, project_id: int) -> None:
    """Give the project a row in every table that may hold one."""
    user = a_user(store)
    store.write(lambda tx: members.put(tx, project_id, user.id, "admin"))
    label, image = a_label(store, project_id), an_image(store, project_id)
    drawn(store, image, label, user, "one", "two")
    task = task_of(store, image)
    store.write(lambda tx: tasks.submit(tx, project_id, task.id, user.id, 1))
    store.write(
        lambda tx: reviews.review(tx, project_id, task.id, reviewer_id=user.id, revision=1, verdict="approve")
    )
    manifest = settled(store, b"manifest")
    header = Header(project="p", contents="approved", seed=1, labels=[])

    def rest(tx):
        made = create(
            tx, store.blobs, project_id=project_id, name="s", header=header, manifest=manifest, images=1,
            annotation_count=2, summary=SnapshotSummary(splits={"train": 1}, labels={}, geometries={}, empty=0),
            created_by=user.id,
        )  # fmt: skip
        protect(tx, made.id, [bytes.fromhex(image.sha256)])
        job = jobs.create(tx, "export", "cpu", 1, {}, project_id=project_id, created_by=user.id)
        jobs.attach(tx, store.blobs, job.id, manifest)
        exports.create(
            tx, project_id=project_id, snapshot_id=made.id, format_name="coco", job_id=job.id, created_by=user.id
        )

    store.write(rest)


def rows(store: Store) -> dict[str, list[tuple]]:
    kept = {"meta", "audit", "events", "users", "blobs", "blob_totals", "sqlite_sequence", "image_counts"}
    with store.reading() as reading:
        tables = [t for (t,) in reading.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        own = [
            t for t in tables if t not in kept and not t.startswith("image_names_")
        ]  # those are how FTS5 keeps names
        return {t: sorted(reading.execute(f"SELECT * FROM {t}"), key=repr) for t in own}


def test_deleting_leaves_no_row_of_it_anywhere(store: Store) -> None:
    kept, gone = a_project(store), a_project(store)
    fill(store, kept.id)
    before = rows(store)
    before["projects"] = [row for row in before["projects"] if row[0] == kept.id]
    fill(store, gone.id)
    assert [t for t, found in rows(store).items() if before[t] and len(found) <= len(before[t])] == []
    store.write(lambda tx: projects.delete(tx, gone.id))
    assert rows(store) == before
    assert store.read(lambda r: r.execute("PRAGMA foreign_key_check").fetchall()) == []
    store.read(require_counts)
    with pytest.raises(NotFound):
        store.write(lambda tx: projects.delete(tx, gone.id))


def test_a_row_of_the_list_has_its_counts(store: Store) -> None:
    project = a_project(store)
    fill(store, project.id)
    newest = [an_image(store, project.id).id for _ in range(6)][:0:-1]
    found = store.read(lambda reading: projects.summary(reading, project.id))
    assert (found.images, found.members, found.thumbnails) == (7, 1, newest)
    assert {state: n for state, n in found.states.items() if n} == {"open": 6, "done": 1}


def test_members_see_their_projects_only(store: Store) -> None:
    ann, bob = a_user(store), a_user(store)
    made = [a_project(store, created_by=(ann, bob)[n % 2].id).id for n in range(5)]
    mine = store.read(lambda r: projects.listed(r, member_id=ann.id, limit=2))
    rest = store.read(lambda r: projects.listed(r, member_id=ann.id, after=mine.next, limit=2))
    assert [p.id for p in mine.items + rest.items] == made[::2]
    assert [p.id for p in store.read(lambda r: projects.listed(r, member_id=None)).items] == made


def test_changes_are_checked(store: Store) -> None:
    project = a_project(store)
    changed = store.write(lambda tx: projects.change(tx, project.id, name=" new ", guideline="g"))
    assert (changed.name, changed.guideline) == ("new", "g")
    for fields in ({"name": ""}, {"model_id": 9}, {"created_by": 1}):
        with pytest.raises(InvalidInput):
            store.write(lambda tx, f=fields: projects.change(tx, project.id, **f))


def test_the_last_activity_is_that_of_any_event_right_to_a_minute(store: Store) -> None:
    project = a_project(store)

    def active_at_ms() -> int:
        return store.read(lambda reading: projects.summary(reading, project.id)).active_at_ms

    began_ms = active_at_ms()
    assert began_ms == project.created_at_ms

    def told(later_ms: int) -> None:
        def tell(tx):
            tx.now_ms = began_ms + later_ms
            tx.event("task.changed", {}, project_id=project.id)

        store.write(tell)

    told(59_000)
    assert active_at_ms() == began_ms
    told(61_000)
    assert active_at_ms() == began_ms + 61_000
