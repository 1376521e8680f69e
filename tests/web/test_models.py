"""Models coming in, and prelabelling with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests._onnx import constant_model, dense_head, write_model
from tests._site import Site, picture, site_at

# One object of the first label in the middle of a 64×64 input: the fake backend looks for red instead.
_NAMES = "{0: 'red', 1: 'bolt'}"
_SAID = {"names": _NAMES, "task": "detect", "stride": "32", "imgsz": "[64, 64]"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("models") / "data", max_model_bytes=1_000_000) as running:
        yield running


def _weights(folder: Path, width: float = 20.0) -> bytes:
    head = dense_head([(32, 32, width, 16, 0.9, 0)])
    return write_model(folder / "m.onnx", [head], metadata=_SAID).read_bytes()


@pytest.fixture(scope="module")
def model(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict:
    return site.ok(_send(site, "parts v1.onnx", _weights(tmp_path_factory.mktemp("weights"))), 201)


def _send(site: Site, name: str, content: bytes, who: str = "operator") -> httpx.Response:
    return site.people[who].post("/api/models", params={"name": name}, content=content)


def test_a_model_is_inspected_and_kept(site: Site, model: dict) -> None:
    assert (model["name"], model["version"], model["info"]["labels"]) == ("parts v1", 1, ["red", "bolt"])
    assert model["provenance"] == {"file": "parts v1.onnx"}
    assert site.ok(site.people["outsider"].get(f"/api/models/{model['id']}")) == model
    assert model in site.ok(site.people["outsider"].get("/api/models"))["items"]
    line = site.audited("model.create")[-1]
    assert (line["user_id"], line["subject"]) == (site.ids["operator"], f"model {model['id']}")


def test_the_same_weights_twice_are_one_model(site: Site, model: dict, tmp_path: Path) -> None:
    again = _send(site, "other.onnx", _weights(tmp_path))
    assert site.ok(again)["id"] == model["id"]
    assert again.headers["x-pixelqueue-duplicate"] == "1"
    assert list(site.box.appliance.store.temporary.iterdir()) == []


def test_unusable_weights_are_refused_by_the_senders_name(site: Site) -> None:
    for name, content in (("notes.onnx", b"no model at all"), ("empty.onnx", b""), ("odd.onnx", _odd())):
        problem = site.refused(_send(site, name, content), 422, "unusable-model")
        assert problem["file"] == name
        assert name in problem["detail"]
        assert "/tmp" not in problem["detail"]
    site.refused(_send(site, "big.onnx", bytes(1_000_001)), 413, "too-large")
    assert list(site.box.appliance.store.temporary.iterdir()) == []


def _odd() -> bytes:
    return constant_model([dense_head([])], input_shape=(1, 7, 64, 64), metadata={}).SerializeToString()


def test_models_are_sent_and_deleted_by_operators(site: Site, model: dict, tmp_path: Path) -> None:
    for who in ("owner", "annotator", "outsider"):
        site.refused(_send(site, "x.onnx", b"x", who), 403, "forbidden")
        site.refused(site.people[who].delete(f"/api/models/{model['id']}"), 403, "forbidden")
    second = site.ok(_send(site, "spare.onnx", _weights(tmp_path, 30)), 201)
    project_id = site.project()
    url = f"/api/projects/{project_id}"
    site.ok(site.people["owner"].patch(url, json={"model_id": second["id"]}))
    shown = site.ok(site.people["owner"].get(url))["model"]
    assert shown == {"id": second["id"], "name": "spare", "version": 1}
    site.refused(site.people["operator"].delete(f"/api/models/{second['id']}"), 409, "conflict")
    site.ok(site.people["owner"].patch(url, json={"model_id": None}))
    site.ok(site.people["operator"].delete(f"/api/models/{second['id']}"), 204)
    site.refused(site.people["operator"].get(f"/api/models/{second['id']}"), 404, "not-found")


def test_a_model_prelabels_the_images_named(site: Site, model: dict) -> None:
    project_id = site.project(labels=("red",))
    named, other = (site.image(project_id, f"{n}.png", picture(64, 64)) for n in range(2))
    url = f"/api/projects/{project_id}/auto-label"
    body = {"model_id": model["id"], "image_ids": [named["id"]]}
    job = site.finished(site.people["annotator"].post(url, json=body))
    assert (job.state, job.created_by, job.priority) == ("done", site.ids["annotator"], 200), job.error
    found = site.ok(site.people["annotator"].get(f"/api/projects/{project_id}/images/{named['id']}/annotations"))
    (made,) = found["annotations"]
    assert (made["source"], made["model_id"], made["geometry"]) == (
        "model",
        model["id"],
        {"type": "box", "x1": 22.0, "y1": 24.0, "x2": 42.0, "y2": 40.0},
    )
    assert site.task(project_id, other["id"])["state"] == "open"
    untouched = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images/{other['id']}"))
    assert untouched["predictions"] == 0


def test_everything_is_prelabelled_and_submitted_by_reviewers(site: Site, model: dict) -> None:
    project_id = site.project(labels=("red",))
    images = [site.image(project_id, f"{n}.png", picture(64, 64)) for n in range(3)]
    site.ok(site.people["owner"].patch(f"/api/projects/{project_id}", json={"model_id": model["id"]}))
    url = f"/api/projects/{project_id}/auto-label"
    for body in ({}, {"image_ids": [images[0]["id"]], "submit": True}):
        site.refused(site.people["annotator"].post(url, json=body), 403, "forbidden")
    job = site.finished(site.people["reviewer"].post(url, json={"conf": 0.5, "submit": True}))
    assert job.result is not None
    assert (job.result["images"], job.result["predictions"]) == (3, 3)
    assert all(site.task(project_id, image["id"])["state"] == "in_review" for image in images)


def test_prelabelling_refuses_what_is_not_the_projects(site: Site, model: dict) -> None:
    project_id, other_id = site.project(), site.project()
    mine, foreign = site.image(project_id)["id"], site.image(other_id)["id"]
    url, owner = f"/api/projects/{project_id}/auto-label", site.people["owner"]
    both = {"model_id": model["id"], "image_ids": [mine, foreign]}
    assert site.refused(owner.post(url, json=both), 404, "not-found")["field"] == "image_ids"
    assert site.refused(owner.post(url, json={}), 422, "invalid-input")["field"] == "model_id"
    assert site.refused(owner.post(url, json={"model_id": 4711}), 422, "invalid-input")["field"] == "model_id"
    site.refused(owner.post(url, json={"model_id": model["id"], "image_ids": []}), 422, "invalid-input")
    site.refused(owner.post(url, json={"model_id": model["id"], "conf": 2}), 422, "invalid-input")
    site.refused(owner.post(url, json={"model_id": model["id"], "device": "cuda:0"}), 400, "malformed-request")
    site.refused(site.people["outsider"].post(url, json={"model_id": model["id"]}), 404, "not-found")
    site.refused(site.people["operator"].post(url, json={"model_id": model["id"]}), 403, "forbidden")
    assert site.ok(owner.get("/api/jobs", params={"project_id": project_id}))["items"] == []
