"""Names of labels that mean the same, and names that do not."""

from __future__ import annotations

import pytest

from appliance.jobs.label_matching import matches
from appliance.records import Label, Model, ModelInfo, Provenance
from appliance.store.model_labels import LabelChoice


def a_model(*labels: str) -> Model:
    info = ModelInfo(family="yolo", task="detect", labels=list(labels), input_size=(64, 64))
    return Model(
        id=1, name="m", version=1, family="yolo", task="detect", sha256="", size_bytes=0, files=[], info=info,
        metrics={}, provenance=Provenance(), created_by=None, created_at_ms=0, archived_at_ms=None,
    )  # fmt: skip


def some_labels(*names: str) -> list[Label]:
    return [
        Label(id=number, project_id=1, class_index=number - 1, name=name, color="#FFFFFF")
        for number, name in enumerate(names, 1)
    ]


@pytest.mark.parametrize(
    ("theirs", "ours", "why"),
    [
        ("car", "car", "same"),
        ("Car", "car", "words"),
        ("cars", "car", "words"),
        ("hex_bolt", "Hex bolts", "words"),
        ("hexBolt", "hex-bolt", "words"),
        ("boxes", "box", "words"),
        ("batteries", "battery", "words"),
        ("people", "person", "words"),
        ("motorbike", "motorcycle", "synonym"),
        ("pedestrian", "Person", "synonym"),
        ("tv_monitor", "television", "synonym"),
        ("scracth", "scratch", "similar"),
        ("cat", "car", None),
        ("glass", "gas", None),
        ("bolt", "washer", None),
    ],
)
def test_likeness(theirs: str, ours: str, why: str | None) -> None:
    (match,) = matches(a_model(theirs), some_labels(ours), {})
    assert [s.why for s in match.suggestions] == ([why] if why else [])
    taken = why in ("same", "words")
    assert (match.label_id, match.how) == ((1, "name") if taken else (None, "none"))


def test_the_best_comes_first_and_only_names_decide_alone() -> None:
    present = some_labels("automobile", "cars", "car")
    (match,) = matches(a_model("car"), present, {})
    assert [(s.label_id, s.why) for s in match.suggestions] == [(3, "same"), (2, "words"), (1, "synonym")]
    assert (match.label_id, match.how) == (3, "name")


def test_what_people_decided_stands_above_names() -> None:
    chosen = {
        0: LabelChoice(class_index=0, label_id=2, confidence=0.7),
        1: LabelChoice(class_index=1, ignored=True),
        2: LabelChoice(class_index=2, confidence=0.4),
    }
    found = matches(a_model("car", "van", "bus"), some_labels("car", "lorry", "bus"), chosen)
    assert [(m.label_id, m.how, m.confidence) for m in found] == [
        (2, "chosen", 0.7),
        (None, "ignored", None),
        (3, "name", 0.4),
    ]
