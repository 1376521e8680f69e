"""Annotations as they travel are the annotations."""

from __future__ import annotations

import msgspec
import pytest

from appliance.errors import NotFound
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.polygon import Polygon
from appliance.geometry.tag import Tag
from appliance.records import AttributeSpec, ImageAnnotations
from appliance.store import Store, annotations, wire
from tests.store._nouns import a_diff, a_draft, a_label, a_project, a_user, an_image, now, save

GEOMETRIES = [
    Box(1.5, 2, 9, 9.25),
    Polygon([[[0.1, 0.2, 30, 4, 12, 17.3]]]),
    Keypoints([1, 2, 2, 0, 0, 0, 3, 4, 1]),
    Tag(),
]


def test_what_travels_is_what_is_stored(store: Store) -> None:
    user = a_user(store)
    project = a_project(store, created_by=user.id)
    label = a_label(store, project.id, attributes=[AttributeSpec(name="side", kind="text")])
    image = an_image(store, project.id)
    drafts = [a_draft(f"shape-{n}", label.id, shape) for n, shape in enumerate(GEOMETRIES)]
    drafts.append(a_draft("attributed", label.id, attributes={"side": "left “ü”"}))
    save(store, image, a_diff(now(store, image).revision, drafts), user)

    stored = store.read(lambda reading: annotations.of_image(reading, project.id, image.id))
    sent = msgspec.json.encode(store.read(lambda reading: wire.of_image(reading, project.id, image.id)))

    assert msgspec.json.decode(sent, type=ImageAnnotations) == stored
    assert len(stored.annotations) == len(GEOMETRIES) + 1


def test_an_image_of_another_project_is_not_there(store: Store) -> None:
    user = a_user(store)
    ours, theirs = a_project(store, created_by=user.id), a_project(store, created_by=user.id)
    image = an_image(store, theirs.id)
    with pytest.raises(NotFound):
        store.read(lambda reading: wire.of_image(reading, ours.id, image.id))
