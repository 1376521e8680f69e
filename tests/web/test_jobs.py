"""Jobs over HTTP: who sees them, who steers them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.records import Job
from tests._site import Site, site_at
from tests.jobs._service import Gate


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("jobs") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def gate(site: Site) -> Gate:
    return Gate(site.box.appliance.jobs)


@pytest.fixture(scope="module")
def project_id(site: Site) -> int:
    return site.project()


def _submitted(site: Site, project_id: int | None, name: str, who: str = "annotator") -> Job:
    return site.box.appliance.jobs.submit(
        "gate", {"name": name, "batches": 2}, project_id=project_id, created_by=site.ids[who]
    )


def _tell(site: Site, job: Job, what: str, who: str) -> dict:
    return site.ok(site.people[who].post(f"/api/jobs/{job.id}/{what}"))


def test_a_job_is_paused_resumed_and_audited(site: Site, gate: Gate, project_id: int) -> None:
    job = _submitted(site, project_id, "pause")
    gate.reached("pause", 0)
    _tell(site, job, "pause", "annotator")
    gate.let("pause")
    assert site.box.appliance.jobs.wait(job.id, 30).state == "paused"
    shown = site.ok(site.people["reviewer"].get(f"/api/jobs/{job.id}"))
    assert (shown["state"], shown["progress"], shown["notes"]) == ("paused", 1, [])
    gate.let("pause")
    assert _tell(site, job, "resume", "owner")["state"] in ("queued", "running")
    assert site.box.appliance.jobs.wait(job.id, 30).state == "done"
    site.refused(site.people["owner"].post(f"/api/jobs/{job.id}/cancel"), 409, "conflict")
    line = site.audited("job.pause")[0]
    assert (line["user_id"], line["subject"], line["project_id"]) == (
        site.ids["annotator"],
        f"job {job.id}",
        project_id,
    )


def test_a_job_is_cancelled_and_tried_again(site: Site, gate: Gate, project_id: int) -> None:
    job = _submitted(site, project_id, "cancel")
    gate.reached("cancel", 0)
    _tell(site, job, "cancel", "admin")
    gate.let("cancel")
    assert site.box.appliance.jobs.wait(job.id, 30).state == "cancelled"
    gate.let("cancel")
    _tell(site, job, "retry", "owner")
    assert site.box.appliance.jobs.wait(job.id, 30).state == "done"


def test_a_failed_job_says_why(site: Site, project_id: int) -> None:
    jobs = site.box.appliance.jobs
    job = jobs.submit("fake", {"to": 1, "then": "fail"}, project_id=project_id, created_by=site.ids["owner"])
    assert jobs.wait(job.id, 30).state == "failed"
    shown = site.ok(site.people["annotator"].get(f"/api/jobs/{job.id}"))
    assert (shown["error"]["field"], [note["file"] for note in shown["notes"]]) == ("then", ["a.jpg"])


def test_jobs_are_seen_by_whom_they_concern(site: Site, project_id: int) -> None:
    jobs = site.box.appliance.jobs
    ours = jobs.submit("fake", {"to": 0}, project_id=project_id, created_by=site.ids["owner"])
    lone = jobs.submit("fake", {"to": 0}, created_by=site.ids["outsider"])
    for job in (ours, lone):
        jobs.wait(job.id, 30)
    seen = {
        who: {item["id"] for item in site.ok(client.get("/api/jobs"))["items"]} & {ours.id, lone.id}
        for who, client in site.people.items()
    }
    assert seen == {
        "admin": {ours.id, lone.id},
        "owner": {ours.id},
        "reviewer": {ours.id},
        "annotator": {ours.id},
        "outsider": {lone.id},
        "operator": set(),
    }
    site.refused(site.people["outsider"].get(f"/api/jobs/{ours.id}"), 404, "not-found")
    site.refused(site.people["owner"].get(f"/api/jobs/{lone.id}"), 404, "not-found")
    site.refused(site.people["outsider"].post(f"/api/jobs/{ours.id}/cancel"), 404, "not-found")
    site.refused(site.people["operator"].post(f"/api/jobs/{ours.id}/cancel"), 404, "not-found")
    filtered = {"project_id": project_id, "state": "done", "limit": 1}
    page = site.ok(site.people["owner"].get("/api/jobs", params=filtered))
    assert [item["id"] for item in page["items"]] == [ours.id]
    assert site.ok(site.people["outsider"].get("/api/jobs", params={"project_id": project_id}))["items"] == []


def test_members_do_not_steer_each_others_jobs(site: Site, gate: Gate, project_id: int) -> None:
    job = _submitted(site, project_id, "others", "owner")
    for who in ("annotator", "reviewer"):
        for what in ("pause", "resume", "cancel", "retry"):
            site.refused(site.people[who].post(f"/api/jobs/{job.id}/{what}"), 403, "forbidden")
    gate.let("others", 2)
    assert site.box.appliance.jobs.wait(job.id, 30).state == "done"


def test_who_left_the_project_does_not_steer_in_it(site: Site, gate: Gate) -> None:
    project_id = site.project()
    job = _submitted(site, project_id, "left")
    site.ok(site.people["owner"].delete(f"/api/projects/{project_id}/members/{site.ids['annotator']}"), 204)
    site.refused(site.people["annotator"].post(f"/api/jobs/{job.id}/cancel"), 403, "forbidden")
    gate.let("left", 2)
    assert site.box.appliance.jobs.wait(job.id, 30).state == "done"
