"""Undoing a job over the wire: the preview, the job, its notes, and who may."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.geometry.box import Box
from appliance.store import images, jobs, predictions
from appliance.store.predictions import Proposal
from tests._site import Site, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("undo") / "data") as running:
        yield running


def a_run(site: Site, project_id: int, image_id: int, state: str = "done") -> int:
    """Put one prediction on an image, as a run that is over."""
    label = site.labels(project_id)[0]["id"]

    def predict(tx) -> int:
        made = jobs.create(tx, "auto-label", "none", 100, {}, project_id=project_id, created_by=None)
        found = [Proposal(label, 0.7, Box(1, 1, 20, 20))]
        image = images.get(tx, project_id, image_id)
        predictions.replace(tx, image, found, model_id=None, job_id=made.id, round_id=str(made.id))
        tx.execute("UPDATE jobs SET state = ? WHERE id = ?", (state, made.id))
        return made.id

    return site.box.appliance.store.write(predict)


def test_a_run_is_undone_with_a_preview_by_the_projects_admin(site: Site) -> None:
    project_id = site.project()
    image = site.image(project_id)
    run = a_run(site, project_id, image["id"])
    url = f"/api/projects/{project_id}/jobs/{run}/undo"
    seen = site.ok(site.people["owner"].get(url))
    assert (seen["images"], seen["annotations"], seen["kept"], seen["undone_by"]) == (1, 1, 0, None)
    for who in ("annotator", "reviewer"):
        site.refused(site.people[who].get(url), 403, "forbidden")
        site.refused(site.people[who].post(url), 403, "forbidden")
    site.refused(site.people["outsider"].post(url), 404, "not-found")
    elsewhere = site.project()
    site.refused(site.people["owner"].get(f"/api/projects/{elsewhere}/jobs/{run}/undo"), 404, "not-found")
    done = site.finished(site.people["owner"].post(url))
    assert (done.kind, done.state, done.result["removed"]) == ("undo", "done", 1)
    assert site.audited("job.undo")[0]["details"] == {"kind": "auto-label", "by": done.id}
    assert site.ok(site.people["owner"].get(url))["undone_by"] == done.id
    lines = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/history"))["items"]
    assert (lines[0]["kind"], lines[0]["author"]) == ("undo", "owner")
    back = site.finished(site.people["owner"].post(f"/api/projects/{project_id}/jobs/{done.id}/undo"))
    assert back.result["returned"] == 1


def test_what_is_not_over_is_not_undone(site: Site) -> None:
    project_id = site.project()
    run = a_run(site, project_id, site.image(project_id)["id"], "paused")
    url = f"/api/projects/{project_id}/jobs/{run}/undo"
    site.refused(site.people["owner"].get(url), 409, "conflict")
    site.refused(site.people["owner"].post(url), 409, "conflict")
