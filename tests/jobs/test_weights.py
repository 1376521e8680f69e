"""Models coming in from the command line's side: a store, a staged file, an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import Unavailable, UnusableModel
from appliance.jobs.weights import admit_model
from appliance.records import Provenance
from appliance.store import Store
from tests._onnx import constant_model, dense_head


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "data") as opened:
        yield opened


def _weights() -> bytes:
    return constant_model([dense_head([(32, 32, 20, 16, 0.9, 0)])]).SerializeToString()


def test_weights_are_inspected_kept_and_known_again(store: Store) -> None:
    made = admit_model(
        store,
        {"weights": store.blobs.stage([_weights()])},
        name="a\\b/Parts.ONNX",
        provenance=Provenance(file="a"),
        created_by=None,
    )
    assert (made.name, made.version, made.info.family, made.provenance) == ("Parts", 1, "yolo", Provenance(file="a"))
    assert store.blobs.read(made.sha256) == _weights()
    again = admit_model(
        store, {"weights": store.blobs.stage([_weights()])}, name="x", provenance=Provenance(), created_by=None
    )
    assert again == made
    assert list(store.temporary.iterdir()) == []


def test_what_is_refused_is_called_by_its_name_and_leaves_nothing(store: Store) -> None:
    with pytest.raises(UnusableModel, match=r"notes\.onnx") as caught:
        admit_model(
            store,
            {"weights": store.blobs.stage([b"hello"])},
            name="notes.onnx",
            provenance=Provenance(),
            created_by=None,
        )
    assert caught.value.file == "notes.onnx"
    assert str(store.temporary) not in caught.value.message
    assert list(store.temporary.iterdir()) == []


def test_stopping_ends_an_inspection(store: Store) -> None:
    with pytest.raises(Unavailable, match="stopping"):
        admit_model(
            store,
            {"weights": store.blobs.stage([_weights()])},
            name="a.onnx",
            provenance=Provenance(),
            created_by=None,
            stopping=lambda: True,
        )
    assert list(store.temporary.iterdir()) == []
