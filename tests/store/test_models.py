"""Models of one file and several, which of them a project uses, and how it goes back."""

from __future__ import annotations

import hashlib

import pytest

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.records import Model, ModelInfo, Provenance
from appliance.store import Store, activations, labels, model_labels, models, projects, scrub, storage
from appliance.store.model_labels import LabelChoice
from tests.store._nouns import a_label, a_project, a_user, settled

INFO = ModelInfo(family="fake", task="detect", labels=["car", "van"], input_size=(8, 8))


def a_model(store: Store, content: bytes = b"one", name: str = "m", **files: bytes) -> Model:
    staged = {role: settled(store, data) for role, data in (files or {"weights": content}).items()}
    info = INFO if "weights" in staged else ModelInfo(family="fake", task="prompt", labels=[], input_size=(8, 8))
    return store.write(
        lambda tx: models.create(
            tx, store.blobs, name=name, files=staged, info=info, provenance=Provenance(file="a"), created_by=None
        )
    )


def test_a_model_of_one_file_has_its_hash_and_one_of_several_a_hash_of_them(store: Store) -> None:
    single = a_model(store)
    assert single.sha256 == single.file().sha256 == hashlib.sha256(b"one").hexdigest()
    pair = a_model(store, encoder=b"encoder", decoder=b"decoder")
    assert [one.role for one in pair.files] == ["decoder", "encoder"]
    assert pair.size_bytes == 14
    assert pair.sha256 == models.content_sha256({f.role: f.sha256 for f in pair.files})
    assert pair.sha256 not in {one.sha256 for one in pair.files}
    assert store.read(lambda r: models.by_content(r, pair.sha256)) == pair
    swapped = a_model(store, encoder=b"decoder", decoder=b"encoder")
    assert swapped.sha256 != pair.sha256


def test_each_file_counts_for_its_model_in_scrub_and_storage(store: Store) -> None:
    pair = a_model(store, encoder=b"encoder", decoder=b"decoder")
    for file in pair.files:
        (owner,) = store.read(lambda r, s=file.sha256: scrub.owners(r, s))
        assert (owner.what, owner.id, owner.name) == ("model", pair.id, "m 1")
    uses = store.read(lambda r: storage.stretch(r, b"", 100))
    assert [(use.kind, use.owner_id) for use in uses] == [("models", pair.id)] * 2


def test_the_same_content_is_one_model_and_comes_back_from_the_archive(store: Store) -> None:
    first = a_model(store)
    store.write(lambda tx: models.archive(tx, first.id))
    assert a_model(store, name="other") == first
    assert a_model(store, b"two").version == 2
    assert store.read(lambda r: models.named(r, "m")).version == 2
    assert store.read(lambda r: models.named(r, "m", 1)) == first
    assert store.read(lambda r: models.named(r, "m", 3)) is None


def test_rolling_back_goes_step_by_step_and_passes_over_what_is_gone(store: Store) -> None:
    project = a_project(store)
    one, two, three = (a_model(store, bytes([n])) for n in range(3))

    def use(model: Model | None) -> None:
        store.write(lambda tx: activations.activate(tx, project.id, model.id if model else None))

    def back() -> int:
        store.write(lambda tx: activations.roll_back(tx, project.id))
        return store.read(lambda r: projects.get(r, project.id)).model_id

    with pytest.raises(Conflict):
        back()
    for model in (one, two, two, None, three):
        use(model)
    assert store.read(lambda r: activations.previous(r, project.id)) == two
    assert back() == two.id
    assert back() == one.id
    with pytest.raises(Conflict, match="no earlier model"):
        back()
    use(three)
    store.write(lambda tx: models.delete(tx, two.id))
    assert back() == one.id
    turns = store.read(lambda r: activations.listed(r, project.id))
    assert [(t.model_name, t.rolled_back) for t in turns[:3]] == [("m-1", True), ("m-3", False), ("m-1", True)]
    assert {t.model_name for t in turns if t.model_id is None} == {None, "m-2"}


def test_what_is_in_use_stays(store: Store) -> None:
    project = a_project(store)
    model = a_model(store)
    store.write(lambda tx: projects.change(tx, project.id, model_id=model.id))
    for refused in (models.delete, models.archive):
        with pytest.raises(Conflict, match=project.name):
            store.write(lambda tx, call=refused: call(tx, model.id))
    store.write(lambda tx: projects.change(tx, project.id, model_id=None))
    store.write(lambda tx: models.archive(tx, model.id))
    with pytest.raises(Conflict, match="archived"):
        store.write(lambda tx: activations.activate(tx, project.id, model.id))
    with pytest.raises(InvalidInput, match="no model 99"):
        store.write(lambda tx: activations.activate(tx, project.id, 99))
    pair = a_model(store, encoder=b"e", decoder=b"d")
    with pytest.raises(InvalidInput, match="prelabels nothing"):
        store.write(lambda tx: activations.activate(tx, project.id, pair.id))
    store.write(lambda tx: models.delete(tx, model.id))
    with pytest.raises(NotFound):
        store.read(lambda r: models.get(r, model.id))


def test_choices_of_labels_are_checked_and_follow_a_merge(store: Store) -> None:
    project = a_project(store, created_by=a_user(store).id)
    car, van = a_label(store, project.id, "auto"), a_label(store, project.id, "lorry")
    foreign = a_label(store, a_project(store).id, "foreign")
    model = a_model(store)

    def put(*choices: LabelChoice) -> None:
        store.write(lambda tx: model_labels.put(tx, project.id, model, choices))

    for wrong in (
        [LabelChoice(class_index=2)],
        [LabelChoice(class_index=0), LabelChoice(class_index=0)],
        [LabelChoice(class_index=0, label_id=foreign.id)],
        [LabelChoice(class_index=0, label_id=car.id, ignored=True)],
    ):
        with pytest.raises(InvalidInput):
            put(*wrong)
    put(LabelChoice(class_index=0, label_id=car.id, confidence=0.6), LabelChoice(class_index=1, ignored=True))
    store.write(lambda tx: model_labels.merge(tx, car.id, van.id))
    store.write(lambda tx: labels.delete(tx, project.id, car.id))
    found = store.read(lambda r: model_labels.chosen(r, project.id, model.id))
    assert found == {
        0: LabelChoice(class_index=0, label_id=van.id, confidence=0.6),
        1: LabelChoice(class_index=1, ignored=True),
    }
    store.write(lambda tx: labels.delete(tx, project.id, van.id))
    found = store.read(lambda r: model_labels.chosen(r, project.id, model.id))
    assert found[0] == LabelChoice(class_index=0, confidence=0.6)


def test_a_models_folder_of_files_goes_with_it(store: Store) -> None:
    model = a_model(store)
    store.write(lambda tx: models.delete(tx, model.id))
    assert store.read(lambda r: r.execute("SELECT count(*) FROM model_files").fetchall()) == [(0,)]
