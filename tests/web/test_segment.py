"""Interactive segmentation over HTTP, answered by the built-in segmenter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from appliance.geometry.mask import Mask
from tests._pictures import encode
from tests._site import Site, site_at

SIZE = (320, 240)
PLACE = (100, 60, 180, 160)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("site") / "data") as running:
        yield running


def scene(width: int, height: int, place: tuple[int, int, int, int]) -> bytes:
    """A red part on a grey table, both with some noise."""
    pixels = np.random.default_rng(5).integers(100, 130, (height, width, 3)).astype(np.uint8)
    x1, y1, x2, y2 = place
    pixels[y1:y2, x1:x2] = np.random.default_rng(6).integers(0, 30, (y2 - y1, x2 - x1, 3)) + np.array([190, 20, 20])
    return encode(pixels, "png")


def url(project_id: int, image: dict[str, Any]) -> str:
    return f"/api/projects/{project_id}/images/{image['id']}/segment"


def iou(answer: dict[str, Any], place: tuple[int, int, int, int], size: tuple[int, int]) -> float:
    found = Mask(**{k: v for k, v in answer["mask"].items() if k != "type"}).to_array()
    truth = np.zeros((size[1], size[0]), bool)
    truth[place[1] : place[3], place[0] : place[2]] = True
    return float((found & truth).sum() / (found | truth).sum())


@pytest.fixture(scope="module")
def part(site: Site) -> tuple[int, dict[str, Any]]:
    project_id = site.project()
    return project_id, site.image(project_id, content=scene(*SIZE, PLACE))


@pytest.mark.parametrize(
    "prompt",
    [
        {"points": [{"x": 140, "y": 110}]},
        {"box": [90, 50, 190, 170]},
        {"points": [{"x": 140, "y": 110}, {"x": 30, "y": 30, "positive": False}]},
        {"points": [{"x": 140, "y": 110}], "box": [90, 50, 190, 170]},
    ],
    ids=["click", "box", "both signs", "click and box"],
)
def test_the_object_is_outlined(site: Site, part: tuple[int, dict[str, Any]], prompt: dict[str, Any]) -> None:
    answer = site.ok(site.people["annotator"].post(url(*part), json=prompt))
    assert (answer["segmenter"], answer["model_id"], answer["region"]) == ("Built-in", None, [0, 0, *SIZE])
    assert iou(answer, PLACE, SIZE) > 0.9
    assert 0 < answer["score"] <= 1


def test_the_answer_before_is_gone_on_from(site: Site, part: tuple[int, dict[str, Any]]) -> None:
    first = site.ok(site.people["annotator"].post(url(*part), json={"points": [{"x": 140, "y": 110}]}))
    again = {"points": [{"x": 140, "y": 110}, {"x": 20, "y": 200, "positive": False}], "mask": first["mask"]}
    assert iou(site.ok(site.people["annotator"].post(url(*part), json=again)), PLACE, SIZE) > 0.9


@pytest.mark.parametrize("size", [(3000, 2000), (8600, 400)], ids=["large", "in tiles"])
def test_a_large_picture_is_looked_at_where_somebody_zoomed_in(site: Site, size: tuple[int, int]) -> None:
    width, height = size
    place = (width - 200, height - 120, width - 100, height - 60)
    project_id = site.project()
    image = site.image(project_id, content=scene(width, height, place))
    view = [width - 300, height - 200, width, height]
    prompt = {"points": [{"x": width - 150, "y": height - 90}], "view": view}
    if max(size) > 8192:
        root = f"/api/projects/{project_id}/images/{image['id']}/tiles"
        site.box.appliance.jobs.wait(site.people["annotator"].get(root).json()["job"]["id"], 60)
    answer = site.ok(site.people["annotator"].post(url(project_id, image), json=prompt))
    x1, y1, x2, y2 = answer["region"]
    assert x1 <= view[0]
    assert y1 <= view[1]
    assert (x2, y2) == size
    assert x2 - x1 < width / 2
    assert iou(answer, place, size) > 0.9


@pytest.mark.parametrize(
    ("prompt", "field"),
    [
        ({}, "points"),
        ({"points": [{"x": 1, "y": 1, "positive": False}]}, "points"),
        ({"points": [{"x": 1, "y": 1}, {"x": 999, "y": 1}]}, "points.1"),
        ({"box": [9, 9, 9, 20]}, "box"),
        ({"box": [400, 9, 500, 20]}, "box"),
        ({"points": [{"x": 1, "y": 1}], "view": [5, 5, 1, 9]}, "view"),
        ({"points": [{"x": 1, "y": 1}], "mask": {"type": "mask", "size": [2, 2], "counts": "04"}}, "geometry"),
        ({"points": [{"x": 1, "y": 1}], "chain": "abc"}, "chain"),
        ({"points": [{"x": 1, "y": 1, "sure": True}]}, "points.0.sure"),
    ],
)
def test_what_means_nothing_is_refused(
    site: Site, part: tuple[int, dict[str, Any]], prompt: dict[str, Any], field: str
) -> None:
    answer = site.people["annotator"].post(url(*part), json=prompt)
    assert answer.status_code in (400, 422)
    assert answer.json()["field"] == field, answer.text


def test_a_picture_whose_bytes_are_gone_is_said_so(site: Site) -> None:
    project_id = site.project()
    image = site.image(project_id, content=scene(64, 48, (10, 10, 40, 40)))
    site.box.appliance.store.blobs.path(image["sha256"]).unlink()
    answer = site.people["annotator"].post(url(project_id, image), json={"points": [{"x": 20, "y": 20}]})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
