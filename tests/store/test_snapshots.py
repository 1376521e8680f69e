"""Snapshots: what is in them, in which order, and splits that stay."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Conflict, InvalidInput, StoreCorrupt
from appliance.records import Annotation, DatasetImage, SnapshotSummary, Split
from appliance.store import Store, annotations, filters, images, labels, projects, snapshots, tasks
from appliance.store.history import Changes
from appliance.store.snapshots import Header
from tests.store._nouns import a_label, a_project, a_user, an_image, drawn, now, some_images, task_of


@pytest.fixture
def scene(store: Store):
    """Three images: one done with a rejected and a predicted shape, one only begun, one empty and done."""
    user, project = a_user(store), a_project(store, "none")
    label = a_label(store, project.id)
    first, begun, empty = some_images(store, project.id, 3)
    for image in (first, begun):
        drawn(store, image, label, user, "kept", "refused")
        extra = {"source": "model", "confidence": 0.5}
        fresh, box = now(store, image), annotations.Box(1.0, 1.0, 5.0, 5.0)
        put = [(None, Annotation(id="guess---", label_id=label.id, geometry=box, **extra))]
        store.write(lambda tx, f=fresh, p=put: annotations.apply(tx, f, Changes(put=p), diff_id="run:1"))
        refused = store.read(lambda r, i=image: annotations.of_image(r, project.id, i.id)).annotations[2]
        assert refused.id == "refused_"
        put = [(refused, annotations.with_status(refused, "rejected"))]
        fresh = now(store, image)
        store.write(lambda tx, f=fresh, p=put: annotations.apply(tx, f, Changes(put=p), diff_id="r:2"))
    for image in (first, empty):
        task, revision = task_of(store, image), now(store, image).revision
        store.write(lambda tx, t=task, r=revision: tasks.submit(tx, project.id, t.id, user.id, r))
    return project, [first, begun, empty]


def header(store: Store, project_id: int, contents: str, seed: int = 7) -> Header:
    return store.read(
        lambda r: Header(
            project=projects.get(r, project_id).name,
            contents=contents,
            seed=seed,
            labels=labels.listed(r, project_id),
        )
    )


def lines(store: Store, project_id: int, contents: str, seed: int = 7) -> list[DatasetImage]:
    top = header(store, project_id, contents, seed)
    return store.read(lambda r: [image for _, image in snapshots.lines(r, project_id, top)])


def made(store: Store, project_id: int, name: str, contents: str = "everything"):
    top, found = header(store, project_id, contents), lines(store, project_id, contents)
    chunks = (msgspec.json.encode(line) + b"\n" for line in (top, *found))
    staged = store.blobs.stage(chunks, compress=True)
    store.blobs.settle([staged])
    count = sum(len(image.annotations) for image in found)
    return store.write(
        lambda tx: snapshots.create(
            tx, store.blobs, project_id=project_id, name=name, header=top, manifest=staged, images=len(found),
            annotation_count=count, created_by=None,
            summary=SnapshotSummary(splits={}, labels={1: {"train": count}}, geometries={"box": count}, empty=0),
        )
    )  # fmt: skip


def test_approved_holds_done_images_and_approved_shapes_only(store: Store, scene) -> None:
    project, (first, _, empty) = scene
    found = lines(store, project.id, "approved")
    assert [(i.name, i.sha256) for i in found] == [(first.name, first.sha256), (empty.name, empty.sha256)]
    assert [[a.id for a in i.annotations] for i in found] == [["kept____"], []]


def test_everything_holds_all_but_what_was_refused(store: Store, scene) -> None:
    project, pictures = scene
    found = lines(store, project.id, "everything")
    assert [i.name for i in found] == [i.name for i in pictures]
    assert [[a.id for a in i.annotations] for i in found] == [["guess---", "kept____"]] * 2 + [[]]


def test_the_manifest_streams_back_whatever_happened_since(store: Store, scene) -> None:
    project, _ = scene
    wanted = lines(store, project.id, "everything")
    snapshot = made(store, project.id, "v1")
    assert (snapshot.images, snapshot.annotations) == (3, 4)
    store.write(lambda tx: projects.change(tx, project.id, name="renamed"))
    an_image(store, project.id)
    top, found = snapshots.opened(store.blobs, snapshot.manifest_sha256)
    assert (top.project, top.contents, top.seed, [x.name for x in top.labels]) == ("field", "everything", 7, ["car"])
    assert list(found) == wanted


def test_names_are_unique_and_nothing_is_no_snapshot(store: Store, scene) -> None:
    project, _ = scene
    snapshot = made(store, project.id, "v1")
    with pytest.raises(Conflict):
        made(store, project.id, "v1")
    with pytest.raises(InvalidInput):
        made(store, a_project(store).id, "v1")
    assert store.read(lambda r: snapshots.listed(r, project.id)).items == [snapshot]


def test_a_damaged_manifest_is_said_to_be(store: Store, scene) -> None:
    project, _ = scene
    snapshot = made(store, project.id, "v1")
    (path,) = [path for sha256, path in store.blobs.files() if sha256 == snapshot.manifest_sha256]
    content = path.read_bytes()
    for place in range(0, len(content), max(1, len(content) // 40)):
        path.unlink()
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        with pytest.raises(StoreCorrupt):
            list(snapshots.opened(store.blobs, snapshot.manifest_sha256)[1])


def test_splits_stay_when_images_come_and_go(store: Store) -> None:
    project = a_project(store)
    some_images(store, project.id, 12)
    before = {i.sha256: i.split for i in lines(store, project.id, "everything")}
    some_images(store, project.id, 8)
    after = {i.sha256: i.split for i in lines(store, project.id, "everything")}
    assert len(after) == 20
    assert before.items() <= after.items()


def test_splits_are_eighty_ten_ten_and_follow_the_seed() -> None:
    hashes = [f"{number:064x}" for number in range(10_000)]
    counts = Counter(snapshots.split_of(sha256, 1) for sha256 in hashes)
    assert all(abs(counts[name] - share) < 200 for name, share in (("train", 8000), ("val", 1000), ("test", 1000)))
    assert [snapshots.split_of(h, 1) for h in hashes] != [snapshots.split_of(h, 2) for h in hashes]


@given(st.lists(st.binary(max_size=9).filter(lambda line: b"\n" not in line and line), max_size=9), st.integers(1, 7))
def test_lines_are_cut_right_however_the_chunks_fall(wanted: list[bytes], size: int) -> None:
    text = b"".join(line + b"\n" for line in wanted)
    chunks = (text[start : start + size] for start in range(0, len(text), size))
    assert list(snapshots._split_lines(chunks)) == wanted


def test_images_are_filtered_by_the_split_the_newest_snapshot_gives_them(store: Store) -> None:
    project, other = a_project(store), a_project(store)
    some_images(store, project.id, 30)
    some_images(store, other.id, 3)

    def found(*splits: Split) -> set[int]:
        return set(store.read(lambda r: filters.ids(r, project.id, filters.ImageFilter(splits=list(splits)))))

    def expected(seed: int, *splits: Split) -> set[int]:
        everything = store.read(lambda r: images.listed(r, project.id, limit=100)).items
        return {image.id for image in everything if snapshots.split_of(image.sha256, seed) in splits}

    assert found("val") == expected(0, "val") != expected(7, "val")
    made(store, project.id, "v1")
    made(store, other.id, "v1")
    assert found("val") == expected(7, "val")
    assert found("train", "test") == expected(7, "train", "test")
