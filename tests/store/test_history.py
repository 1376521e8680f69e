"""The history: pages, counts and the way back."""

from __future__ import annotations

import pytest

from appliance.errors import NotFound
from appliance.geometry.box import Box
from appliance.store import Store, annotations, history
from tests.store._nouns import a_diff, a_draft, a_label, a_project, a_user, an_image, now, require_truth, save, shown


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
    page = store.read(lambda r: history.listed(r, image.id, limit=2))
    rest = store.read(lambda r: history.listed(r, image.id, before=page.next, limit=2))
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
