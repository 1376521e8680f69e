"""Members: roles, and the last admin who cannot leave."""

from __future__ import annotations

import pytest

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.store import Store, members, users
from tests.store._nouns import a_project, a_user


def test_the_creator_is_admin_and_others_join(store: Store) -> None:
    ann, bob = a_user(store), a_user(store)
    project = a_project(store, created_by=ann.id)
    store.write(lambda tx: members.put(tx, project.id, bob.id, "annotator"))
    found = store.read(lambda reading: members.listed(reading, project.id))
    assert [(m.user_id, m.role, m.email) for m in found] == [
        (ann.id, "admin", ann.email),
        (bob.id, "annotator", bob.email),
    ]
    store.write(lambda tx: members.put(tx, project.id, bob.id, "reviewer"))
    assert store.read(lambda reading: members.role_of(reading, project.id, bob.id)) == "reviewer"
    assert store.read(lambda reading: members.projects_of(reading, bob.id)) == {project.id}
    store.write(lambda tx: members.remove(tx, project.id, bob.id))
    assert store.read(lambda reading: members.role_of(reading, project.id, bob.id)) is None


def test_the_last_admin_can_neither_leave_nor_step_down(store: Store) -> None:
    ann, bob = a_user(store), a_user(store)
    project = a_project(store, created_by=ann.id)
    store.write(lambda tx: members.put(tx, project.id, bob.id, "reviewer"))
    calls = (
        lambda tx: members.remove(tx, project.id, ann.id),
        lambda tx: members.put(tx, project.id, ann.id, "annotator"),
    )
    for call in calls:
        with pytest.raises(Conflict, match="last admin"):
            store.write(call)
    store.write(lambda tx: members.put(tx, project.id, ann.id, "admin"))
    store.write(lambda tx: members.put(tx, project.id, bob.id, "admin"))
    store.write(calls[1])
    assert store.read(lambda reading: members.role_of(reading, project.id, ann.id)) == "annotator"


def test_a_disabled_admin_does_not_count(store: Store) -> None:
    ann, bob = a_user(store), a_user(store)
    project = a_project(store, created_by=ann.id)
    store.write(lambda tx: members.put(tx, project.id, bob.id, "admin"))
    store.write(lambda tx: users.change(tx, bob.id, disabled=True))
    with pytest.raises(Conflict, match="last admin"):
        store.write(lambda tx: members.remove(tx, project.id, ann.id))
    store.write(lambda tx: users.change(tx, bob.id, disabled=False))
    store.write(lambda tx: members.remove(tx, project.id, ann.id))


def test_strangers_are_named(store: Store) -> None:
    project = a_project(store)
    with pytest.raises(InvalidInput):
        store.write(lambda tx: members.put(tx, project.id, 99, "annotator"))
    with pytest.raises(NotFound):
        store.write(lambda tx: members.remove(tx, project.id, 99))
