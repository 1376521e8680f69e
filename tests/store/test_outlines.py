"""Annotations as thumbnails show them."""

from __future__ import annotations

from typing import Any

from appliance.geometry import Geometry
from appliance.geometry.box import Box
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.geometry.polyline import Polyline
from appliance.geometry.rotated_box import RotatedBox
from appliance.geometry.tag import Tag
from appliance.records import Annotation
from appliance.store import Store, annotations, outlines
from appliance.store.history import Changes
from tests.store._nouns import PROBE, a_label, a_project, a_user, an_image

WIDTH, HEIGHT = PROBE.width, PROBE.height


def shown(store: Store, shapes: list[Geometry], **facts: Any) -> outlines.Outlines:
    project, user = a_project(store), a_user(store)
    image, label = an_image(store, project.id), a_label(store, project.id)
    more = {"author_id": user.id, **facts}
    put = [Annotation(id=f"shape-{n:03}", label_id=label.id, geometry=one, **more) for n, one in enumerate(shapes)]
    store.write(lambda tx: annotations.apply(tx, image, Changes(put=[(None, one) for one in put]), diff_id="d"))
    (found,) = store.read(lambda r: outlines.of_images(r, project.id, [image.id, 10**9]))
    assert store.read(lambda r: outlines.of_images(r, project.id + 1, [image.id])) == []
    assert (found.image_id, found.revision) == (image.id, 1)
    return found


def test_shapes_become_few_numbers_the_largest_first(store: Store) -> None:
    w, h = WIDTH / 4, HEIGHT / 4
    found = shown(store, [
        Box(0, 0, w, h),
        Polygon([[[0.0, 0.0, 2 * w, 0.0, 2 * w, 0.01, 2 * w, 2 * h, 0.0, 2 * h]]]),
        Polyline([0.0, 0.0, w, 3 * h]),
        RotatedBox(2 * w, 2 * h, 4 * w, 4 * h, 0.0),
        Tag(),
    ])  # fmt: skip
    lines = [shape.lines for shape in found.shapes]
    assert lines == [
        [[0, 0, 512, 0, 512, 512, 0, 512]],
        [[0, 0, 256, 0, 256, 256, 0, 256]],
        [[0, 0, 128, 384]],
        [[0, 0, 128, 128]],
    ]
    assert [shape.open for shape in found.shapes] == [False, False, True, False]
    assert not any(shape.predicted for shape in found.shapes)


def test_a_mask_shows_its_bounds(store: Store) -> None:
    import numpy as np

    pixels = np.zeros((HEIGHT, WIDTH), dtype=bool)
    pixels[HEIGHT // 2 :, WIDTH // 2 :] = True
    (shape,) = shown(store, [Mask.from_array(pixels)]).shapes
    assert shape.lines == [[256, 256, 512, 512]]


def test_predictions_are_told_apart_and_what_is_refused_is_not_there(store: Store) -> None:
    predicted = {"source": "model", "confidence": 0.5, "author_id": None}
    assert [s.predicted for s in shown(store, [Box(0, 0, 9, 9)], **predicted).shapes] == [True]
    assert shown(store, [Box(0, 0, 9, 9)], **predicted, status="rejected").shapes == []


def test_of_very_many_the_largest_are_shown(store: Store) -> None:
    found = shown(store, [Box(0, 0, 1 + n / 4, 1 + n / 4) for n in range(130)])
    assert (len(found.shapes), found.more) == (outlines.MOST, 30)
    assert found.shapes[0].lines[0][2] > found.shapes[-1].lines[0][2]
