"""Images: names, filters, pages, deletion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import InvalidInput, NotFound, StoreError
from appliance.store import Store, images
from tests.store._nouns import (
    a_label,
    a_project,
    a_user,
    an_image,
    drawn,
    now,
    require_counts,
    settled,
    task_of,
)  # fmt: skip


@pytest.mark.parametrize(("given_name", "kept"), [
    ("a.jpg", "a.jpg"), ("/etc/passwd", "etc/passwd"), ("..\\..\\a.jpg", "a.jpg"), ("./x//y/a.jpg", "x/y/a.jpg"),
    (" a \t.jpg\x00", "a .jpg"), ("x/\u202egpj.a", "x/gpj.a"), ("Ärger 1.png", "Ärger 1.png"),
    ("x/.\u200b./a.jpg", "x/a.jpg"), ("x/\x00../\x07./a.jpg", "x/a.jpg"), ("\u200b ../a", "a"),
])  # fmt: skip
def test_names_become_safe_relative_paths(given_name: str, kept: str) -> None:
    assert images.clean_name(given_name) == kept


@given(st.text(max_size=30) | st.text("./\\ \u200b\x00a", max_size=12))
def test_no_name_climbs_or_hides_anything(name: str) -> None:
    try:
        cleaned = images.clean_name(name)
    except InvalidInput:
        return
    assert cleaned.isprintable()
    assert "\\" not in cleaned
    assert all(part not in ("", ".", "..") and part == part.strip() for part in cleaned.split("/"))
    assert images.clean_name(cleaned) == cleaned


@pytest.mark.parametrize("name", ["", "  ", "../..", "\x00", "a" * 501])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        images.clean_name(name)


def test_a_taken_name_gets_a_number(store: Store) -> None:
    project = a_project(store)
    made = [an_image(store, project.id, "x/a.tar.gz").name for _ in range(6)]
    assert made == ["x/a.tar.gz", *(f"x/a.tar ({n}).gz" for n in range(2, 7))]
    assert an_image(store, project.id, "README").name == "README"
    assert an_image(store, project.id, "README").name == "README (2)"
    assert an_image(store, a_project(store).id, "x/a.tar.gz").name == "x/a.tar.gz"


def test_each_image_comes_with_an_open_task(store: Store) -> None:
    image = an_image(store, a_project(store).id)
    task = task_of(store, image)
    assert (task.state, task.image_id, task.round, image.state, image.revision) == ("open", image.id, 1, "open", 0)
    assert store.read(lambda r: images.by_content(r, image.project_id, image.sha256)) == image
    assert store.read(lambda r: images.by_name(r, image.project_id, image.name)) == image


def test_deleting_takes_everything_but_the_bytes(store: Store) -> None:
    user, project = a_user(store), a_project(store)
    label, image, other = a_label(store, project.id), an_image(store, project.id), an_image(store, project.id)
    drawn(store, image, label, user, "one")
    drawn(store, other, label, user, "one")
    store.write(lambda tx: images.delete(tx, project.id, image.id))
    with pytest.raises(NotFound):
        now(store, image)
    for table in ("annotations", "history", "tasks"):
        sql = f"SELECT DISTINCT image_id FROM {table}"
        assert store.read(lambda r, s=sql: r.execute(s).fetchall()) == [(other.id,)]
    assert store.blobs.exists(image.sha256)
    store.read(require_counts)
    with pytest.raises(NotFound):
        store.write(lambda tx: images.delete(tx, project.id + 1, other.id))


def test_the_same_picture_is_refused_twice_in_a_project_by_the_schema(store: Store) -> None:
    project = a_project(store)
    an_image(store, project.id, "a.png", b"same")
    with pytest.raises(StoreError):
        an_image(store, project.id, "b.png", b"same")
    assert an_image(store, a_project(store).id, "a.png", b"same").sha256 == settled(store, b"same").sha256
