"""A SAM model answers a project's clicks: chosen, kept, looked ahead, and done without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.jobs.embeddings import CACHED
from appliance.jobs.weights import admit_model
from appliance.records import Model, Provenance
from tests._sam import small_pair
from tests._site import Site, site_at
from tests._wait import until
from tests.web.test_segment import PLACE, SIZE, iou, scene, url

CLICK = {"points": [{"x": 140, "y": 110}]}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_at(tmp_path / "data") as running:
        yield running


def admitted(site: Site, files: dict[str, Path]) -> Model:
    """Take in a pair as uploads are."""
    store = site.box.appliance.store

    content = {role: store.blobs.stage([path.read_bytes()]) for role, path in files.items()}
    return admit_model(store, content, name="red.onnx", provenance=Provenance(), created_by=None)


def choose(site: Site, project_id: int, model_id: int | None, who: str = "owner") -> httpx.Response:
    return site.people[who].put(f"/api/projects/{project_id}/segmenter", json={"model_id": model_id})


def answer(site: Site, project_id: int, image: dict[str, Any], prompt: dict[str, Any] = CLICK) -> dict[str, Any]:
    found: dict[str, Any] = site.ok(site.people["annotator"].post(url(project_id, image), json=prompt))
    return found


def embeddings(site: Site) -> list[Path]:
    return sorted(site.box.appliance.store.cache.folder.joinpath(CACHED).rglob("*.npz"))


def test_a_chosen_model_answers_and_the_built_in_one_does_without_it(site: Site, tmp_path: Path) -> None:
    project_id = site.project()
    image = site.image(project_id, content=scene(*SIZE, PLACE))
    model = admitted(site, small_pair(tmp_path / "pair"))
    get = f"/api/projects/{project_id}/segmenter"
    before = site.ok(site.people["annotator"].get(get))
    assert (before["segmenter"], before["model_id"], [one["id"] for one in before["models"]]) == (
        "Built-in", None, [model.id],
    )  # fmt: skip
    after = site.ok(choose(site, project_id, model.id))
    assert (after["segmenter"], after["model_id"]) == ("SAM of red", model.id)
    found = answer(site, project_id, image)
    assert (found["segmenter"], found["model_id"], found["score"]) == ("SAM of red", model.id, 0.9)
    assert iou(found, PLACE, SIZE) > 0.8
    site.ok(choose(site, project_id, None))
    assert answer(site, project_id, image)["segmenter"] == "Built-in"
    assert site.audited("segmenter.choose")


def test_only_models_that_answer_clicks_are_chosen(site: Site) -> None:
    project_id = site.project()
    refused = site.refused(choose(site, project_id, 99), 422, "invalid-input")
    assert refused["field"] == "model_id"
    assert choose(site, project_id, None, "annotator").status_code == 403


def test_an_embedding_is_kept_with_half_the_precision_and_found_again(site: Site, tmp_path: Path) -> None:
    project_id = site.project()
    image = site.image(project_id, content=scene(*SIZE, PLACE))
    site.ok(choose(site, project_id, admitted(site, small_pair(tmp_path / "pair")).id))
    first = answer(site, project_id, image)
    [kept] = embeddings(site)
    assert kept.stat().st_size == pytest.approx(256 * 64 * 64 * 2, rel=0.01)
    made_ns = kept.stat().st_ino
    site.box.appliance.jobs.segmenting._seen._all.clear()
    assert answer(site, project_id, image) | {"chain": first["chain"]} == first
    assert embeddings(site)[0].stat().st_ino == made_ns
    kept.write_bytes(b"PK torn")
    site.box.appliance.jobs.segmenting._seen._all.clear()
    assert answer(site, project_id, image) | {"chain": first["chain"]} == first
    assert kept.stat().st_size > 1_000_000


def test_an_answer_is_gone_on_from_as_the_model_gave_it(site: Site, tmp_path: Path) -> None:
    """Its logits are below 3; those that a mask comes back as are 10."""
    project_id = site.project()
    image, other = (site.image(project_id, f"{n}.png", scene(*SIZE, (n, 60, 180, 160))) for n in (90, 100))
    site.ok(choose(site, project_id, admitted(site, small_pair(tmp_path / "pair")).id))
    first = answer(site, project_id, image)
    going_on = CLICK | {"mask": first["mask"], "chain": first["chain"]}
    assert first["chain"]
    assert answer(site, project_id, image, going_on)["score"] > 0.47
    assert answer(site, project_id, image, CLICK | {"mask": first["mask"]})["score"] == pytest.approx(0.4)
    assert answer(site, project_id, other, going_on)["score"] == pytest.approx(0.4)
    for _ in range(64):
        answer(site, project_id, image)
    assert answer(site, project_id, image, going_on)["score"] == pytest.approx(0.4)


def test_what_is_leased_is_looked_at_ahead(site: Site, tmp_path: Path) -> None:
    project_id = site.project()
    site.ok(choose(site, project_id, admitted(site, small_pair(tmp_path / "pair")).id))
    for n in range(2):
        image = site.image(project_id, f"{n}.png", scene(64 + n, 48, (10, 10, 40, 40)))
        assert len(embeddings(site)) == n
        site.ok(site.tell(project_id, site.task(project_id, image["id"])["id"], "take"))
        until(lambda wanted=n + 1: len(embeddings(site)) == wanted)


def test_a_click_ends_what_is_looked_at_ahead_and_that_is_done_later(site: Site, tmp_path: Path) -> None:
    project_id, other = site.project(), site.project()
    slow = admitted(site, small_pair(tmp_path / "slow", title="slow", work=150))
    site.ok(choose(site, project_id, slow.id))
    site.image(project_id, content=scene(64, 48, (10, 10, 40, 40)))
    image = site.image(other, content=scene(*SIZE, PLACE))
    segmenting = site.box.appliance.jobs.segmenting
    task = site.ok(
        site.people["annotator"].post(f"/api/projects/{project_id}/tasks/next", params={"role": "annotate"})
    )
    assert task
    until(lambda: segmenting._ahead._now is not None)
    _, stop = segmenting._ahead._now
    assert answer(site, other, image)["segmenter"] == "Built-in"
    assert stop.is_set
    until(lambda: len(embeddings(site)) == 1)


def test_weights_that_are_gone_leave_the_built_in_segmenter(site: Site, tmp_path: Path) -> None:
    project_id = site.project()
    image = site.image(project_id, content=scene(*SIZE, PLACE))
    model = admitted(site, small_pair(tmp_path / "pair"))
    site.ok(choose(site, project_id, model.id))
    path = site.box.appliance.store.blobs.path(model.file("decoder").sha256)
    path.unlink()
    path.write_bytes(b"\0" * 1000)
    assert answer(site, project_id, image)["segmenter"] == "Built-in"
