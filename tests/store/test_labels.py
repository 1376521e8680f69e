"""Labels: names and colours, and class indices that only append."""

from __future__ import annotations

import pytest

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.geometry.keypoints import Keypoints
from appliance.records import AttributeSpec, Diff, Draft, Skeleton
from appliance.store import Store, annotations, labels
from tests.store._nouns import a_draft, a_label, a_project, a_user, an_image, drawn, now, require_truth, shown


def test_a_class_index_is_never_given_twice(store: Store) -> None:
    project = a_project(store)
    first, second = a_label(store, project.id, "car"), a_label(store, project.id, "van")
    store.write(lambda tx: labels.delete(tx, project.id, second.id))
    third = a_label(store, project.id, "van")
    assert [label.class_index for label in (first, second, third)] == [0, 1, 2]
    assert a_label(store, a_project(store).id).class_index == 0


def test_colours_come_from_the_palette_in_turn(store: Store) -> None:
    project = a_project(store)
    made = [a_label(store, project.id, f"label {n}").color for n in range(11)]
    assert made == [*labels.PALETTE, labels.PALETTE[0]]
    assert a_label(store, project.id, "own", color="#abcdef").color == "#ABCDEF"


@pytest.mark.parametrize("fields", [{"name": "  "}, {"name": "x" * 201}, {"color": "red"}, {"color": "#12345g"},
    {"skeleton": Skeleton(points=["a", "b"], edges=[(0, 2)])}, {"skeleton": Skeleton(points=[])},
    {"skeleton": Skeleton(points=["a", "a"])}, {"skeleton": Skeleton(points=["a"], layout=[0.5])},
    {"skeleton": Skeleton(points=["a"], layout=[0.5, 1.5])},
    {"attributes": [AttributeSpec(name="state", kind="choice")]},
    {"attributes": [AttributeSpec(name="state", kind="choice", choices=["new", "new"])]},
    {"attributes": [AttributeSpec(name="state", kind="choice", choices=["new"], default="old")]},
    {"attributes": [AttributeSpec(name="count", kind="number", default=True)]},
    {"attributes": [AttributeSpec(name="x", kind="text"), AttributeSpec(name="x", kind="text")]}])  # fmt: skip
def test_what_is_no_label_is_refused(store: Store, fields) -> None:
    project = a_project(store)
    with pytest.raises(InvalidInput):
        a_label(store, project.id, **{"name": "car", **fields})
    assert store.read(lambda reading: labels.listed(reading, project.id)) == []
    assert a_label(store, project.id).class_index == 0


def test_names_are_unique_in_their_project(store: Store) -> None:
    project = a_project(store)
    label, other = a_label(store, project.id, " car "), a_label(store, project.id, "van")
    assert label.name == "car"
    a_label(store, a_project(store).id, "car")
    with pytest.raises(Conflict):
        a_label(store, project.id, "car")
    with pytest.raises(Conflict):
        store.write(lambda tx: labels.change(tx, project.id, other.id, name="car"))
    assert store.write(lambda tx: labels.change(tx, project.id, other.id, name="bus", hotkey="b")).hotkey == "b"
    with pytest.raises(InvalidInput):
        store.write(lambda tx: labels.change(tx, project.id, other.id, class_index=7))


def test_ensure_makes_what_is_missing_in_order(store: Store) -> None:
    project = a_project(store)
    car = a_label(store, project.id, "car")
    made = store.write(lambda tx: labels.ensure(tx, project.id, ["van", "car", "van "]))
    assert [label.name for label in made] == ["van", "car", "van"]
    assert made[1] == car
    assert len(store.read(lambda reading: labels.listed(reading, project.id))) == 2


def test_other_projects_labels_are_not_found(store: Store) -> None:
    label = a_label(store, a_project(store).id)
    other = a_project(store)
    for call in (labels.get, labels.change, labels.delete):
        with pytest.raises(NotFound):
            store.write(lambda tx, c=call: c(tx, other.id, label.id))
    with pytest.raises(NotFound):
        a_label(store, 99)


def test_a_label_in_use_is_merged_or_emptied_first(store: Store) -> None:
    user = a_user(store)
    project = a_project(store)
    car, van = a_label(store, project.id), a_label(store, project.id, "van")
    image = an_image(store, project.id)
    drawn(store, image, car, user, "one", "two")
    with pytest.raises(Conflict) as caught:
        store.write(lambda tx: labels.delete(tx, project.id, car.id))
    assert caught.value.details == {"annotations": 2}
    store.write(lambda tx: annotations.merge_label(tx, project.id, image.id, car.id, van.id))
    assert {a.label_id for a in shown(store, image).annotations} == {van.id}
    store.write(lambda tx: labels.delete(tx, project.id, car.id))
    store.write(lambda tx: annotations.delete_label(tx, project.id, image.id, van.id))
    store.write(lambda tx: labels.delete(tx, project.id, van.id))
    assert (now(store, image).annotations, now(store, image).revision) == (0, 3)
    store.read(lambda reading: require_truth(reading, image))


def test_a_skeleton_in_use_keeps_its_points(store: Store) -> None:
    user, project = a_user(store), a_project(store)
    label = a_label(
        store, project.id, skeleton=Skeleton(points=["head", "tail"], edges=[(0, 1)], layout=[0, 0, 1, 1])
    )
    image = an_image(store, project.id)
    draft = Draft(id="fish-0001", label_id=label.id, geometry=Keypoints(points=[1, 1, 2, 5, 5, 2]))
    diff = Diff(diff_id="first-diff", revision=0, added=[draft])
    store.write(lambda tx: annotations.save(tx, project.id, image.id, diff, author_id=user.id))
    more = Skeleton(points=["nose", "tail", "fin"], edges=[(0, 1), (1, 2)])
    assert store.write(lambda tx: labels.change(tx, project.id, label.id, skeleton=more)).skeleton == more
    for fewer in (Skeleton(points=["nose", "tail"]), None):
        with pytest.raises(Conflict):
            store.write(lambda tx, wanted=fewer: labels.change(tx, project.id, label.id, skeleton=wanted))


def test_a_save_reads_no_label_but_its_own(store: Store) -> None:
    project = a_project(store)
    own, *_ = [a_label(store, project.id, f"label {n}") for n in range(20)]
    other = a_label(store, a_project(store).id)
    image, user = an_image(store, project.id), a_user(store)
    diff = Diff(diff_id="diff-0001", revision=0, added=[a_draft("shape-0001", own.id), a_draft("shape-0002", own.id)])
    read: list[str] = []

    def save(tx):
        tx.connection.set_exec_trace(lambda _cursor, sql, _bindings: bool(read.append(sql)) or True)
        try:
            return annotations.save(tx, project.id, image.id, diff, author_id=user.id)
        finally:
            tx.connection.set_exec_trace(None)

    store.write(save)
    assert len([sql for sql in read if "FROM labels" in sql]) == 1
    found = store.read(lambda r: labels.of_ids(r, project.id, [own.id, other.id, 10**6]))
    assert found == {own.id: own}
    assert own.id in store.read(lambda r: labels.ids(r, project.id))
