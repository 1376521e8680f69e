"""Models carried between boxes as one file: what goes out comes in, what is hostile stays out."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import PixelQueueError, StorageFull
from appliance.jobs import packages
from appliance.jobs.weights import admit_model
from appliance.records import Model, Provenance
from appliance.settings import Settings
from appliance.store import Store, models
from tests._onnx import constant_model, dense_head


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    opened: list[Store] = []

    def start(name: str = "one", **settings: Any) -> Store:
        opened.append(Store(tmp_path / name, Settings(**settings)))
        return opened[-1]

    yield start
    for store in opened:
        store.close()


def a_model(store: Store) -> Model:
    content = constant_model([dense_head([(32, 32, 20, 16, 0.9, 0)])]).SerializeToString()
    files = {"weights": store.blobs.stage([content])}
    return admit_model(store, files, name="parts.onnx", provenance=Provenance(file="parts.onnx"), created_by=None)


def admit(store: Store, path: Path) -> Model:
    staged = store.blobs.stage([path.read_bytes()])
    return packages.admit_package(store, staged, name=path.name, created_by=None)


@pytest.fixture
def package(box: Callable[..., Store], tmp_path: Path) -> Path:
    store = box()
    path = tmp_path / "parts.pqmodel"
    packages.write(store, a_model(store), path)
    return path


def test_a_model_is_carried_to_another_box(box: Callable[..., Store], package: Path) -> None:
    other = box("two")
    made = admit(other, package)
    assert (made.name, made.version, made.info.labels) == ("parts", 1, ["washer", "bolt"])
    assert made.provenance.file == "parts.onnx"
    imported = made.provenance.imported
    assert imported is not None
    assert (imported["name"], imported["version"]) == ("parts", 1)
    assert admit(other, package) == made
    assert other.blobs.read(made.file().sha256)
    assert list(other.temporary.iterdir()) == []


def test_the_same_model_gives_the_same_bytes(box: Callable[..., Store], tmp_path: Path) -> None:
    store = box()
    model = a_model(store)
    for name in ("a", "b"):
        packages.write(store, model, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    first = packages.packed(store, model)
    assert packages.packed(store, model) == first
    assert first.read_bytes() == (tmp_path / "a").read_bytes()


def rewritten(package: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Unpack, let `change` alter the files by name, and pack again."""
    with zipfile.ZipFile(package) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    change(files)
    made = package.with_name("changed.pqmodel")
    with zipfile.ZipFile(made, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return made


def manifest(**more: Any) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        said = json.loads(files["manifest.json"])
        for key, value in more.items():
            said[key] = value(said[key]) if callable(value) else value
        files["manifest.json"] = json.dumps(said).encode()

    return change


def flipped(files: dict[str, bytes]) -> None:
    content = bytearray(files["files/weights.onnx"])
    content[len(content) // 2] ^= 1
    files["files/weights.onnx"] = bytes(content)


def climbing(files: dict[str, bytes]) -> None:
    files["../outside.onnx"] = b"x"


def stray(files: dict[str, bytes]) -> None:
    files["files/readme.txt"] = b"x"


def missing(files: dict[str, bytes]) -> None:
    del files["manifest.json"]


HOSTILE = {
    "a flipped bit": (flipped, "checksum-mismatch"),
    "a name that climbs out": (climbing, "unsafe-archive"),
    "a file nobody named": (stray, "unsafe-archive"),
    "no manifest": (missing, "unsafe-archive"),
    "an unknown field": (manifest(extra=1), "unsafe-archive"),
    "a newer version": (manifest(version=2), "unsafe-archive"),
    "no files": (manifest(files=[]), "unsafe-archive"),
    "a role that is a path": (manifest(files=lambda f: [{**f[0], "role": "../x"}]), "unsafe-archive"),
    "other labels": (manifest(info=lambda i: {**i, "labels": ["a", "b"]}), "unusable-model"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_not_as_it_says_is_refused_and_leaves_nothing(
    box: Callable[..., Store], package: Path, what: str
) -> None:
    change, code = HOSTILE[what]
    other = box("two")
    with pytest.raises(PixelQueueError) as caught:
        admit(other, rewritten(package, change))
    assert caught.value.code == code
    assert caught.value.file == "changed.pqmodel"
    assert str(other.folder) not in caught.value.message
    _nothing(other)


def _nothing(store: Store) -> None:
    assert store.read(lambda r: models.listed(r)).items == []
    assert list(store.temporary.iterdir()) == []
    assert list(store.blobs.files()) == []


def test_links_bombs_and_halves_are_refused(box: Callable[..., Store], package: Path, tmp_path: Path) -> None:
    other = box("two", max_model_bytes=1 << 20)
    link = tmp_path / "link.pqmodel"
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(link, "w") as opened:
        opened.writestr("manifest.json", source.read("manifest.json"))
        entry = zipfile.ZipInfo("files/weights.onnx")
        entry.external_attr = 0o120777 << 16
        opened.writestr(entry, "/etc/passwd")
    bomb = tmp_path / "bomb.pqmodel"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("manifest.json", bytes(100 << 20))
    half = tmp_path / "half.pqmodel"
    half.write_bytes(package.read_bytes()[:-100])
    text = tmp_path / "text.pqmodel"
    text.write_text("no package")
    for path in (link, bomb, half, text):
        with pytest.raises(PixelQueueError) as caught:
            admit(other, path)
        assert caught.value.code == "unsafe-archive", path
        assert path.name in caught.value.message
    _nothing(other)


def test_an_onnx_bomb_in_a_package_ends_in_words(box: Callable[..., Store], package: Path) -> None:
    import hashlib

    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    shape = numpy_helper.from_array(np.array([400_000, 400_000], np.int64), "shape")
    graph = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["shape"], ["output0"])],
        "bomb",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [400_000, 400_000])],
        [shape],
    )
    bomb = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    assert len(bomb) < 250

    def plant(files: dict[str, bytes]) -> None:
        files["files/weights.onnx"] = bomb
        entry = {"role": "weights", "sha256": hashlib.sha256(bomb).hexdigest(), "size_bytes": len(bomb)}
        manifest(files=[entry])(files)

    other = box("two")
    with pytest.raises(PixelQueueError) as caught:
        admit(other, rewritten(package, plant))
    assert caught.value.code == "unusable-model"
    _nothing(other)


def test_a_full_disk_refuses_a_package(box: Callable[..., Store], package: Path) -> None:
    other = box("two", free_floor_bytes=1 << 60)
    staged = other.blobs.stage([package.read_bytes()])
    with pytest.raises(StorageFull):
        packages.admit_package(other, staged, name="parts.pqmodel", created_by=None)
    _nothing(other)
