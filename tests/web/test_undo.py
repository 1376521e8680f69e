"""Undoing a job over the wire: the preview, the job, its notes, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


def undone(site: Site, project_id: int, job: dict[str, Any]) -> dict[str, Any]:
    """Undo a change that was done at once and return what the undo says it did."""
    assert (job["kind"], job["state"]) == ("change-images", "done")
    return site.finished(site.people["owner"].post(f"/api/projects/{project_id}/jobs/{job['id']}/undo")).result


def test_a_few_images_reopened_are_done_again_as_they_were(site: Site) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    done, skipped = site.approved(project_id, label), site.image(project_id)
    site.ok(site.tell(project_id, site.task(project_id, skipped["id"])["id"], "skip", {"reason": "too dark"}))
    before = [site.task(project_id, image["id"]) for image in (done, skipped)]
    url = f"/api/projects/{project_id}/images/reopen"
    outcome = site.ok(site.people["owner"].post(url, json={"ids": [done["id"], skipped["id"]]}))
    assert (outcome["changed"], outcome["job"]["created_by"]) == (2, site.ids["owner"])
    assert site.task(project_id, done["id"])["state"] == "open"
    assert undone(site, project_id, outcome["job"])["tasks"] == 2
    after = [site.task(project_id, image["id"]) for image in (done, skipped)]
    for one in (*before, *after):
        one.pop("updated_at_ms")
    assert after == before


def test_what_somebody_went_on_with_since_stays(site: Site) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    still, edited = site.approved(project_id, label), site.approved(project_id, label)
    outcome = site.ok(site.people["owner"].post(f"/api/projects/{project_id}/images/reopen", json={"filter": {}}))
    site.draw(project_id, edited["id"], label, 2)
    seen = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/jobs/{outcome['job']['id']}/undo"))
    assert seen["tasks"] == 2
    result = undone(site, project_id, outcome["job"])
    assert (result["tasks"], result["kept"]) == (1, 1)
    assert [site.task(project_id, image["id"])["state"] for image in (still, edited)] == ["done", "in_progress"]


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("assign", {"assignee_id": "annotator"}),
        ("share", {"people": ["annotator", "reviewer"]}),
        ("prioritise", {"priority": 3}),
        ("due", {"due_at_ms": 1_900_000_000_000}),
        ("move", {"to": "front"}),
    ],
)
def test_every_change_of_a_few_tasks_is_undone_as_a_whole(site: Site, what: str, more: dict[str, Any]) -> None:
    project_id = site.project()
    ids = [site.image(project_id, f"{n}.png")["id"] for n in range(3)]
    named = {key: _named(site, value) for key, value in more.items()}
    store = site.box.appliance.store

    def rows() -> list[Any]:
        sql = "SELECT state, assignee_id, assigned, priority, due_at_ms, place FROM tasks WHERE project_id = ?"
        return store.read(lambda reading: reading.execute(sql, (project_id,)).fetchall())

    before = rows()
    url = f"/api/projects/{project_id}/images/{what}"
    outcome = site.ok(site.people["owner"].post(url, json={"ids": ids, **named}))
    assert rows() != before
    assert undone(site, project_id, outcome["job"])["tasks"] == 3
    assert rows() == before


def _named(site: Site, value: Any) -> Any:
    if isinstance(value, list):
        return [site.ids[name] for name in value]
    return site.ids.get(value, value) if isinstance(value, str) else value


def test_a_label_merged_on_a_few_images_comes_back(site: Site) -> None:
    project_id = site.project()
    bolt, washer = (label["id"] for label in site.labels(project_id))
    image = site.approved(project_id, bolt)
    owner = site.people["owner"]
    site.ok(owner.delete(f"/api/projects/{project_id}/labels/{bolt}", params={"merge_into": washer}), 204)
    (job,) = site.ok(owner.get("/api/jobs", params={"project_id": project_id}))["items"]
    assert (job["kind"], job["state"], job["result"]) == ("relabel", "done", {"images": 1})
    (line, *_) = site.ok(owner.get(f"/api/projects/{project_id}/history"))["items"]
    assert (line["kind"], line["job_id"]) == ("relabel", job["id"])
    result = site.finished(owner.post(f"/api/projects/{project_id}/jobs/{job['id']}/undo")).result
    assert (result["returned"], result["kept"]) == (1, 0)
    assert [label["id"] for label in site.labels(project_id)] == [bolt, washer]
    url = f"/api/projects/{project_id}/images/{image['id']}/annotations"
    (shape,) = site.ok(owner.get(url))["annotations"]
    assert (shape["label_id"], shape["status"], site.task(project_id, image["id"])["state"]) == (
        bolt,
        "approved",
        "done",
    )


def test_what_changed_nothing_or_cannot_be_undone_leaves_no_job(site: Site) -> None:
    project_id = site.project()
    ids = [site.image(project_id)["id"]]
    url, owner = f"/api/projects/{project_id}/images", site.people["owner"]
    assert site.ok(owner.post(f"{url}/reopen", json={"ids": ids}))["job"] is None
    assert site.ok(owner.post(f"{url}/delete", json={"ids": ids}))["job"] is None
    assert site.ok(owner.get("/api/jobs", params={"project_id": project_id}))["items"] == []
