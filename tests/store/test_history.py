"""The history: pages, counts and the way back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from appliance.errors import InvalidInput, NotFound
from appliance.geometry.box import Box
from appliance.store import Store, annotations, history, labels, predictions, restore, revisions, rows, tasks
from appliance.store.predictions import Proposal
from tests.store._nouns import (
    a_diff,
    a_draft,
    a_label,
    a_project,
    a_user,
    an_image,
    now,
    require_truth,
    save,
    shown,
    task_of,
)


@pytest.fixture
def scene(store: Store):
    user, project = a_user(store), a_project(store)
    label, image = a_label(store, project.id), an_image(store, project.id)
    save(store, image, a_diff(0, [a_draft(f"shape-{n:03}", label.id) for n in range(40)], diff_id="the-first"), user)
    save(store, image, a_diff(1, changed=[a_draft("shape-000", label.id, Box(2, 2, 5, 5))]), user)
    save(store, image, a_diff(2, [a_draft("last", label.id)], removed=["shape-001", "shape-002"]), user)
    return user, image


def test_pages_newest_first_with_what_each_did(store: Store, scene) -> None:
    user, image = scene
    page = store.read(lambda r: revisions.of_image(r, image.id, limit=2))
    rest = store.read(lambda r: revisions.of_image(r, image.id, before=page.next, limit=2))
    found = page.items + rest.items
    assert [(e.revision, e.added, e.changed, e.removed) for e in found] == [(3, 1, 0, 2), (2, 0, 1, 0), (1, 40, 0, 0)]
    assert {e.author_id for e in found} == {user.id}
    assert rest.next is None
    assert [e.at_ms for e in found] == sorted((e.at_ms for e in found), reverse=True)


def test_long_revisions_are_compressed_and_read_back(store: Store, scene) -> None:
    _, image = scene
    sql = "SELECT revision, changes FROM history WHERE image_id = ?"
    raw = dict(store.read(lambda r: r.execute(sql, (image.id,)).fetchall()))
    assert raw[1][:4] == b"\x28\xb5\x2f\xfd"
    assert raw[2][:1] == b"{"
    assert len(store.read(lambda r: history.changes_at(r, image.id, 1)).put) == 40
    with pytest.raises(NotFound):
        store.read(lambda r: history.changes_at(r, image.id, 4))


def test_a_diff_is_known_by_its_id(store: Store, scene) -> None:
    _, image = scene
    assert store.read(lambda r: history.revision_of(r, image.id, "the-first")) == 1
    assert store.read(lambda r: history.revision_of(r, image.id, "another")) is None
    assert store.read(lambda r: history.revision_of(r, image.id + 1, "the-first")) is None


def test_an_inverse_takes_the_newest_revision_back_and_its_own_inverse_brings_it_again(store: Store, scene) -> None:
    _, image = scene

    def standing() -> dict[str, object]:
        return {a.id: (a.geometry, a.author_id) for a in shown(store, image).annotations}

    def undo() -> None:
        fresh = now(store, image)
        back = history.inverse(store.read(lambda r: history.changes_at(r, image.id, fresh.revision)))
        store.write(lambda tx: annotations.apply(tx, fresh, back, diff_id=f"undo:{fresh.revision}"))

    before = standing()
    undo()
    assert standing().keys() == before.keys() - {"last____"} | {"shape-001", "shape-002"}
    undo()
    assert standing() == before
    assert now(store, image).revision == 5
    store.read(lambda reading: require_truth(reading, image))


def test_a_revision_says_in_words_what_it_did(store: Store, scene) -> None:
    user, image = scene
    (label,) = {a.label_id for a in shown(store, image).annotations}
    page = store.read(lambda r: revisions.of_image(r, image.id))
    told = [{(deed.what, deed.n) for deed in entry.did} for entry in page.items]
    assert told == [{("added", 1), ("removed", 2)}, {("moved", 1)}, {("added", 40)}]
    assert all(deed.label_id == label for entry in page.items for deed in entry.did)
    assert {(entry.kind, entry.author) for entry in page.items} == {("edit", user.name)}


def test_an_image_is_seen_as_it_stood_and_made_so_again(store: Store, scene) -> None:
    user, image = scene
    seen = [store.read(lambda r, n=n: restore.at(r, image.project_id, image.id, n)) for n in range(4)]
    assert [len(one.annotations) for one in seen] == [0, 40, 40, 39]
    assert seen[3].annotations == shown(store, image).annotations
    with pytest.raises(InvalidInput):
        store.read(lambda r: restore.at(r, image.project_id, image.id, 4))

    def back(revision: int, diff_id: str):
        return store.write(
            lambda tx: restore.restore(tx, image.project_id, image.id, revision, diff_id=diff_id, author_id=user.id)
        )

    assert back(2, "back-to-2").revision == 4
    assert back(2, "back-to-2").repeated
    present = {a.id: (a.geometry, a.label_id) for a in shown(store, image).annotations}
    assert present == {a.id: (a.geometry, a.label_id) for a in seen[2].annotations}
    assert back(4, "to-itself").revision == 4, "nothing to change makes no revision"
    assert back(0, "to-nothing").revision == 5
    assert shown(store, image).annotations == []
    assert back(3, "from-nothing").revision == 6
    assert {a.id for a in shown(store, image).annotations} == {a.id for a in seen[3].annotations}
    store.read(lambda reading: require_truth(reading, image))
    kinds = [entry.kind for entry in store.read(lambda r: revisions.of_image(r, image.id)).items]
    assert kinds == ["restore"] * 3 + ["edit"] * 3


def test_restoring_approves_nothing_and_leaves_deleted_labels_away(store: Store) -> None:
    user, project = a_user(store), a_project(store, policy="none")
    keep, gone = a_label(store, project.id), a_label(store, project.id, "gone")
    image = an_image(store, project.id)
    save(store, image, a_diff(0, [a_draft("one", keep.id), a_draft("two", gone.id)]), user)
    task = task_of(store, image)
    store.write(lambda tx: tasks.submit(tx, project.id, task.id, user.id, 1))
    assert {a.status for a in shown(store, image).annotations} == {"approved"}
    save(store, image, a_diff(2, changed=[a_draft("one", keep.id, Box(3, 3, 8, 8))]), user)
    store.write(lambda tx: annotations.delete_label(tx, project.id, image.id, gone.id))
    store.write(lambda tx: labels.delete(tx, project.id, gone.id))
    store.write(lambda tx: restore.restore(tx, project.id, image.id, 2, diff_id="restore-2", author_id=user.id))
    (only,) = shown(store, image).annotations
    assert (only.id, only.geometry, only.status) == ("one_____", Box(1, 1, 9, 9), "draft")


def test_a_projects_history_is_filtered_and_paged_without_gaps(store: Store, monkeypatch) -> None:
    ann, bob, project = a_user(store), a_user(store), a_project(store)
    label = a_label(store, project.id)
    images_ = [an_image(store, project.id, f"{n}.png") for n in range(4)]
    other = an_image(store, a_project(store).id)
    at_ms = store.clock.now_ms()
    monkeypatch.setattr(store.clock, "now_ms", lambda: at_ms)  # all at once: order must not hang on the clock
    for number in range(3):
        for image in images_:
            save(store, image, a_diff(number, [a_draft(f"{number}", label.id)]), (ann, bob)[image.id % 2])
    for image in images_[:2]:
        store.write(
            lambda tx, i=image: predictions.replace(
                tx,
                now(store, i),
                [Proposal(label.id, 0.5, Box(40, 40, 60, 60))],
                model_id=None,
                job_id=7,
                round_id="7",
            )
        )
    assert other

    def page(after: str | None, limit: int, wanted: dict[str, Any]) -> rows.Page:
        chosen = revisions.Filter(**wanted)
        return store.read(lambda r: revisions.of_project(r, project.id, chosen, after=after, limit=limit))

    def pages(limit: int = 500, **wanted: Any) -> list[revisions.Revision]:
        part = page(None, limit, wanted)
        found = part.items
        while part.next is not None:
            part = page(str(part.next), limit, wanted)
            found += part.items
        return found

    everything = pages()
    assert [(e.image_id, e.revision) for e in pages(3)] == [(e.image_id, e.revision) for e in everything]
    assert len(everything) == 14
    assert all(e.image_name and e.did is None for e in everything)
    for wanted, fits in (
        ({"author_id": ann.id}, lambda e: e.author_id == ann.id),
        ({"kind": "auto-label"}, lambda e: e.kind == "auto-label"),
        ({"job_id": 7}, lambda e: e.job_id == 7),
        ({"author_id": bob.id, "kind": "edit"}, lambda e: e.author_id == bob.id),
        ({"since_ms": at_ms + 1}, lambda _: False),
        ({"until_ms": at_ms}, lambda _: False),
        ({"since_ms": at_ms, "until_ms": at_ms + 1}, lambda _: True),
    ):
        assert pages(2, **wanted) == [e for e in everything if fits(e)], wanted


def test_the_schema_knows_every_kind_of_revision(store: Store) -> None:
    ((sql,),) = store.read(lambda r: r.execute("SELECT sql FROM sqlite_schema WHERE name = 'history'").fetchall())
    listed = sql[sql.index("kind IN (") :].split(")")[0]
    assert set(re.findall(r"'([\w-]+)'", listed)) == set(history.KINDS)
