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
    listed = site.ok(site.people["outsider"].get("/api/models"))["items"]
    assert {**model, "used_by": []} in listed
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


def test_a_project_activates_rolls_back_and_keeps_the_turns(site: Site, model: dict, tmp_path: Path) -> None:
    second = site.ok(_send(site, "turns.onnx", _weights(tmp_path, 34)), 201)
    project_id = site.project()
    url, owner = f"/api/projects/{project_id}/models", site.people["owner"]
    site.refused(owner.post(f"{url}/rollback"), 409, "conflict")
    for one in (model, second):
        site.ok(owner.post(f"{url}/activate", json={"model_id": one["id"]}))
    shown = site.ok(site.people["annotator"].get(url))
    assert (shown["active"]["id"], shown["previous"]["id"]) == (second["id"], model["id"])
    back = site.ok(owner.post(f"{url}/rollback"))
    assert (back["active"]["id"], back["previous"]) == (model["id"], None)
    assert [(t["model_id"], t["rolled_back"]) for t in back["history"]] == [
        (model["id"], True),
        (second["id"], False),
        (model["id"], False),
    ]
    assert back["history"][0]["user_id"] == site.ids["owner"]
    for who in ("annotator", "reviewer"):
        site.refused(site.people[who].post(f"{url}/rollback"), 403, "forbidden")
    assert site.audited("model.rollback")[-1]["details"]["name"] == "parts v1-1"
    rows = {row["id"]: row for row in site.ok(site.people["outsider"].get("/api/models"))["items"]}
    assert rows[model["id"]]["used_by"] == []
    mine = {row["id"]: row for row in site.ok(owner.get("/api/models"))["items"]}
    assert {"project_id": project_id, "name": "Parts"} in mine[model["id"]]["used_by"]


def test_a_mapping_decides_what_prelabelling_makes(site: Site, model: dict) -> None:
    project_id = site.project(labels=("crimson", "Bolts"))
    crimson, bolts = site.labels(project_id)
    url, owner = f"/api/projects/{project_id}/models/{model['id']}/labels", site.people["owner"]
    red, bolt = site.ok(site.people["annotator"].get(url))["labels"]
    assert (red["label_id"], red["how"]) == (None, "none")
    assert (bolt["label_id"], bolt["how"], bolt["suggestions"][0]["why"]) == (bolts["id"], "name", "words")

    def prelabelled(*choices: dict) -> list[dict]:
        site.ok(owner.put(url, json={"labels": list(choices)}))
        image = site.image(project_id, f"{len(made)}.png", picture(64, 64))
        made.append(image)
        body = {"model_id": model["id"], "image_ids": [image["id"]]}
        job = site.finished(owner.post(f"/api/projects/{project_id}/auto-label", json=body))
        assert job.state == "done", job.error
        shown = owner.get(f"/api/projects/{project_id}/images/{image['id']}/annotations")
        return site.ok(shown)["annotations"]

    made: list[dict] = []
    assert prelabelled() == []
    (found,) = prelabelled({"class_index": 0, "label_id": crimson["id"]})
    assert found["label_id"] == crimson["id"]
    assert prelabelled({"class_index": 0, "label_id": crimson["id"], "confidence": 0.95}) == []
    assert len(prelabelled({"class_index": 0, "label_id": crimson["id"], "confidence": 0.1})) == 1
    assert prelabelled({"class_index": 0, "ignored": True}) == []
    wrong = {"labels": [{"class_index": 7}]}
    assert site.refused(owner.put(url, json=wrong), 422, "invalid-input")["field"] == "labels.0.class_index"
    site.refused(site.people["annotator"].put(url, json={"labels": []}), 403, "forbidden")


def test_a_model_is_prepared_and_says_what_it_runs_on(site: Site, model: dict) -> None:
    asked = f"/api/models/{model['id']}/prepare"
    assert site.people["annotator"].post(asked).status_code == 403
    job = site.ok(site.people["operator"].post(asked), 202)
    ended = site.box.appliance.jobs.wait(job["id"], 60)
    assert ended.state == "done", ended.error
    assert ended.result is not None
    assert (ended.result["backend"], ended.result["device"], ended.result["fallback"]) == ("onnxruntime", "cpu", None)


def test_models_are_archived_and_restored(site: Site, tmp_path: Path) -> None:
    model = site.ok(_send(site, "old.onnx", _weights(tmp_path, 36)), 201)
    url, operator = f"/api/models/{model['id']}", site.people["operator"]
    assert site.ok(operator.patch(url, json={"archived": True}))["archived_at_ms"]
    project_id = site.project()
    activate = f"/api/projects/{project_id}/models/activate"
    site.refused(site.people["owner"].post(activate, json={"model_id": model["id"]}), 409, "conflict")
    again = _send(site, "old.onnx", _weights(tmp_path, 36))
    assert site.ok(again)["archived_at_ms"] is None
    site.ok(site.people["owner"].post(activate, json={"model_id": model["id"]}))
    site.refused(operator.patch(url, json={"archived": True}), 409, "conflict")


def test_a_model_leaves_as_one_file_and_comes_back(site: Site, tmp_path: Path) -> None:
    model = site.ok(_send(site, "carried.onnx", _weights(tmp_path, 38)), 201)
    url, operator = f"/api/models/{model['id']}", site.people["operator"]
    site.refused(site.people["owner"].get(f"{url}/file"), 403, "forbidden")
    file = operator.get(f"{url}/file")
    assert file.status_code == 200
    assert "carried-1.pqmodel" in file.headers["content-disposition"]
    known = operator.post("/api/models/import", params={"name": "c.pqmodel"}, content=file.content)
    assert site.ok(known)["id"] == model["id"]
    assert known.headers["x-pixelqueue-duplicate"] == "1"
    site.ok(operator.delete(url), 204)
    back = site.ok(operator.post("/api/models/import", params={"name": "c.pqmodel"}, content=file.content), 201)
    assert (back["name"], back["provenance"]["imported"]["version"]) == ("carried", 1)
    broken = file.content[:-40]
    problem = site.refused(
        operator.post("/api/models/import", params={"name": "c.pqmodel"}, content=broken), 422, "unsafe-archive"
    )
    assert problem["file"] == "c.pqmodel"


def test_the_box_tells_what_runs_models_and_what_converts(site: Site) -> None:
    runtimes = site.ok(site.people["annotator"].get("/api/models/runtimes"))
    assert (runtimes["backend"], runtimes["device"]) != (None, None)
    assert runtimes["backend"] in {one["name"] for one in runtimes["backends"]}
    found = site.ok(site.people["annotator"].get("/api/models/conversion"))
    assert found["pickles_allowed"] is False
    assert found["ability"]["ok"] or found["ability"]["way_out"]


def test_pickles_run_only_where_an_administrator_said_so(site: Site) -> None:
    url, operator = "/api/models/conversion/pickles", site.people["operator"]
    site.refused(operator.put(url, json={"allowed": True}), 403, "forbidden")
    trusted = {"name": "a.pt", "trusted": "true"}
    site.refused(operator.post("/api/models/convert", params=trusted, content=b"x"), 409, "conflict")
    site.ok(site.people["admin"].put(url, json={"allowed": True}), 204)
    assert site.audited("model.pickles")[-1]["details"] == {"allowed": True}
    assert site.ok(operator.get("/api/models/conversion"))["pickles_allowed"] is True
    site.ok(site.people["admin"].put(url, json={"allowed": False}), 204)


def test_what_is_no_checkpoint_fails_with_words(site: Site) -> None:
    operator = site.people["operator"]
    for name, content in (("a.onnx", b"x"), ("a.pt", b"")):
        answer = operator.post("/api/models/convert", params={"name": name}, content=content)
        assert site.refused(answer, 422, "invalid-input")["file"] == name
    site.refused(
        site.people["owner"].post("/api/models/convert", params={"name": "a.pt"}, content=b"x"), 403, "forbidden"
    )
    job = site.finished(operator.post("/api/models/convert", params={"name": "a.pt"}, content=b"not a checkpoint"))
    assert job.state == "failed"
    assert job.error is not None
    assert "a.pt" in job.error["message"] or "pixelqueue[train]" in job.error["message"]
