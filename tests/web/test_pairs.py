"""Models that answer clicks: ready pairs and checkpoints come in, go to another box, and answer the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests._sam import small_pair
from tests._site import Site, site_at
from tests.web.test_segment import PLACE, SIZE, iou, scene, url

CLICK = {"points": [{"x": 140, "y": 110}]}
PATIENCE_S = 240
PICTURE = scene(*SIZE, PLACE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("pairs") / "data") as running:
        yield running


def send(site: Site, files: dict[str, Path], who: str = "operator", **query: Any) -> httpx.Response:
    encoder, decoder = files["encoder"].read_bytes(), files["decoder"].read_bytes()
    asked = {"name": "red.onnx", "encoder_bytes": len(encoder), **query}
    return site.people[who].post("/api/models/pair", params=asked, content=encoder + decoder)


def clicked(site: Site, model_id: int) -> dict[str, Any]:
    """Let a model answer a click in a new project, and return its answer."""
    project_id = site.project()
    image = site.image(project_id, content=PICTURE)
    site.ok(site.people["owner"].put(f"/api/projects/{project_id}/segmenter", json={"model_id": model_id}))
    found: dict[str, Any] = site.ok(
        site.people["annotator"].post(url(project_id, image), json=CLICK, timeout=PATIENCE_S)
    )
    return found


def carried(site: Site, model_id: int, folder: Path) -> dict[str, Any]:
    """Carry a model to another box and return what answers a click there."""
    package = site.people["operator"].get(f"/api/models/{model_id}/file").content
    with site_at(folder) as other:
        sent = other.people["operator"].post(
            "/api/models/import", params={"name": "a.pqmodel"}, content=package, timeout=PATIENCE_S
        )
        model = other.ok(sent, 201)
        assert sorted(one["role"] for one in model["files"]) == ["decoder", "encoder"]
        return clicked(other, model["id"])


def test_a_ready_pair_comes_in_and_answers_the_same_on_another_box(site: Site, tmp_path: Path) -> None:
    files = small_pair(tmp_path / "pair")
    model = site.ok(send(site, files), 201)
    assert (model["name"], model["family"], model["task"]) == ("red", "sam", "prompt")
    assert {one["role"]: one["size_bytes"] for one in model["files"]} == {
        role: path.stat().st_size for role, path in files.items()
    }
    again = send(site, files)
    assert (site.ok(again)["id"], again.headers["x-pixelqueue-duplicate"]) == (model["id"], "1")
    found = clicked(site, model["id"])
    assert (found["segmenter"], found["model_id"]) == ("SAM of red", model["id"])
    assert iou(found, PLACE, SIZE) > 0.8
    there = carried(site, model["id"], tmp_path / "other")
    assert (there["segmenter"], there["mask"], there["score"]) == ("SAM of red", found["mask"], found["score"])


def test_two_files_that_are_no_pair_are_refused_and_leave_nothing(site: Site, tmp_path: Path) -> None:
    files = small_pair(tmp_path / "pair", title="another")
    size = files["encoder"].stat().st_size
    swapped = {"encoder": files["decoder"], "decoder": files["encoder"]}
    for answer in (
        send(site, swapped),
        send(site, files, encoder_bytes=size - 5),
        send(site, files, encoder_bytes=10**9),
    ):
        problem = site.refused(answer, 422, "unusable-model")
        assert "red.onnx" in problem["detail"]
        assert "/tmp" not in problem["detail"]
    site.refused(send(site, files, encoder_bytes=0), 422, "invalid-input")
    site.refused(send(site, files, "owner"), 403, "forbidden")
    assert list(site.box.appliance.store.temporary.iterdir()) == []


def test_a_model_that_answers_clicks_somewhere_stays(site: Site, tmp_path: Path) -> None:
    model = site.ok(send(site, small_pair(tmp_path / "pair", title="used")), 201)
    clicked(site, model["id"])
    operator = site.people["operator"]
    (row,) = (one for one in site.ok(operator.get("/api/models"))["items"] if one["id"] == model["id"])
    assert [one["name"] for one in row["used_by"]] == ["Parts"]
    site.refused(operator.delete(f"/api/models/{model['id']}"), 409, "conflict")
    site.refused(operator.patch(f"/api/models/{model['id']}", json={"archived": True}), 409, "conflict")
    project_id = row["used_by"][0]["project_id"]
    site.ok(site.people["owner"].put(f"/api/projects/{project_id}/segmenter", json={"model_id": None}))
    site.ok(operator.delete(f"/api/models/{model['id']}"), 204)


@pytest.mark.train
def test_a_checkpoint_becomes_a_pair_that_answers_here_and_on_another_box(site: Site, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("ultralytics")
    from tests._sam import checkpoint

    source = checkpoint(tmp_path, "mobile_sam").path
    sent = site.people["operator"].post(
        "/api/models/convert", params={"name": source.name}, content=source.read_bytes(), timeout=PATIENCE_S
    )
    job = site.box.appliance.jobs.wait(site.ok(sent, 202)["id"], PATIENCE_S)
    assert job.state == "done", job.error
    model = site.ok(site.people["operator"].get(f"/api/models/{(job.result or {})['model_id']}"))
    assert (model["name"], model["family"], model["task"], len(model["files"])) == ("mobile_sam", "sam", "prompt", 2)
    assert model["provenance"]["conversion"]["parity"]["ok"]
    found = clicked(site, model["id"])
    assert found["model_id"] == model["id"]
    there = carried(site, model["id"], tmp_path / "other")
    assert (there["segmenter"], there["mask"], there["score"]) == (found["segmenter"], found["mask"], found["score"])
