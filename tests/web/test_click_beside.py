"""Clicks beside a batch: they end its run at once, and it labels every image all the same."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.engine.backends.onnxruntime import OnnxRuntime, OnnxSession
from appliance.jobs._base import INTERACTIVE
from appliance.jobs.lanes import ThreadLane
from appliance.jobs.weights import admit_model
from appliance.records import Model, Provenance
from tests._onnx import dense_head, write_model
from tests._site import Site, picture, site_at
from tests._wait import until
from tests.web.test_segment import PLACE, SIZE, scene
from tests.web.test_segmenter import answer

IMAGES = 4


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("site") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def model(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A detector that takes its time."""
    return detector(site, tmp_path_factory.mktemp("model"), work=60)


def detector(site: Site, folder: Path, work: int) -> Model:
    head = dense_head([(32, 32, 10, 10, 0.9, 1)])
    path = write_model(folder / "slow.onnx", [head], work=work)
    store = site.box.appliance.store
    staged = {"weights": store.blobs.stage([path.read_bytes()])}
    return admit_model(store, staged, name="slow.onnx", provenance=Provenance(), created_by=None)


@pytest.fixture
def project_id(site: Site) -> int:
    project_id = site.project()
    for n in range(IMAGES):
        site.image(project_id, f"{n}.png", picture(64, 64))
    return project_id


def lane_of(site: Site) -> ThreadLane:
    return site.box.appliance.jobs.lanes["model"]


def prelabel(site: Site, project_id: int, model: Model) -> int:
    answer = site.people["owner"].post(f"/api/projects/{project_id}/auto-label", json={"model_id": model.id})
    return int(site.ok(answer, 202)["id"])


def under_way(site: Site) -> bool:
    """Tell whether the batch's model runs just now."""
    return any(turn.end is not None for turn in list(lane_of(site)._active))


def running(site: Site, job_id: int) -> bool:
    return site.ok(site.people["owner"].get(f"/api/jobs/{job_id}"))["state"] in ("queued", "running")


def found(site: Site, project_id: int, job_id: int) -> list[Any]:
    """Return what a finished batch put on each image."""
    job = site.box.appliance.jobs.wait(job_id, 60)
    assert (job.state, job.result["images"], job.result["errors"]) == ("done", IMAGES, 0), job.error
    root, owner = f"/api/projects/{project_id}/images", site.people["owner"]
    images = site.ok(owner.get(root))["items"]
    made = [site.ok(owner.get(f"{root}/{image['id']}/annotations"))["annotations"] for image in images]
    return [[(one["label_id"], one["geometry"], one["confidence"]) for one in each] for each in made]


def test_a_click_ends_the_run_of_a_batch_which_labels_everything_all_the_same(
    site: Site, model: Model, project_id: int, caplog: pytest.LogCaptureFixture
) -> None:
    alone = site.project()
    for n in range(IMAGES):
        site.image(alone, f"{n}.png", picture(64, 64))
    undisturbed = found(site, alone, prelabel(site, alone, model))
    clicked = site.project()
    image = site.image(clicked, content=scene(*SIZE, PLACE))
    answer(site, clicked, image)
    with caplog.at_level(logging.DEBUG, "appliance.engine.predictor"):
        job_id = prelabel(site, project_id, model)
        for _ in range(3):
            until(lambda: under_way(site) or not running(site, job_id))
            assert answer(site, clicked, image)["segmenter"] == "Built-in"
        disturbed = found(site, project_id, job_id)
    assert [[one[1:] for one in each] for each in disturbed] == [[one[1:] for one in each] for each in undisturbed]
    assert all(len(each) == 1 for each in disturbed)
    assert any("ended a run" in record.message for record in caplog.records)


def test_a_click_is_answered_while_the_model_of_a_batch_is_loaded(
    site: Site, project_id: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicked = site.project()
    image = site.image(clicked, content=scene(*SIZE, PLACE))
    asked, answered = threading.Event(), threading.Event()
    load = OnnxRuntime.load

    def held_up(*given: Any, **named: Any) -> OnnxSession:
        asked.set()
        assert answered.wait(60), "nobody answered the click"
        return load(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(OnnxRuntime, "load", held_up)
        job_id = prelabel(site, project_id, detector(site, tmp_path, work=1))
        assert asked.wait(60)
        assert answer(site, clicked, image)["segmenter"] == "Built-in"
        assert running(site, job_id)
        answered.set()
        assert all(len(each) == 1 for each in found(site, project_id, job_id))


def test_a_hundred_clicks_in_a_row_do_not_starve_a_batch(site: Site, model: Model, project_id: int) -> None:
    job_id = prelabel(site, project_id, model)
    for _ in range(IMAGES * 25):
        until(lambda: under_way(site) or not running(site, job_id))
        with lane_of(site).borrowed(INTERACTIVE, hurried=True):
            pass
    assert len(found(site, project_id, job_id)) == IMAGES


def test_a_click_on_what_was_looked_at_does_not_wait_for_somebody_elses_look(site: Site) -> None:
    project_id = site.project()
    image = site.image(project_id, content=scene(*SIZE, PLACE))
    answer(site, project_id, image)
    with lane_of(site).borrowed(INTERACTIVE, hurried=True):
        assert answer(site, project_id, image)["segmenter"] == "Built-in"
