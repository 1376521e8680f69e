"""Who may edit what over the wire, state by state and policy by policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests._site import Site, box, diff, site_at

POLICIES: dict[str, dict[str, Any]] = {
    "all": {"review_policy": "all"},
    "two approvals": {"review_policy": "all", "reviews": 2},
    "everything of the sample": {"review_policy": "sample", "sample_percent": 100},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("editing") / "data") as running:
        running.ids["colleague"] = running.box.person("colleague", "member").id
        running.people["colleague"] = running.box.signed_in("colleague")
        yield running


def team(site: Site, **policy: Any) -> int:
    """Make a project with a second annotator, the ``colleague``."""
    project_id = site.project(**policy)
    url = f"/api/projects/{project_id}/members/{site.ids['colleague']}"
    site.ok(site.people["owner"].put(url, json={"role": "annotator"}))
    return project_id


def submitted(site: Site, project_id: int) -> tuple[int, dict[str, Any]]:
    """Hand an image in as the annotator; return its id and its task."""
    image_id = site.image(project_id)["id"]
    revision = site.draw(project_id, image_id, site.labels(project_id)[0]["id"])
    task = site.task(project_id, image_id)
    return image_id, site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))


def judged(site: Site, project_id: int, task: dict[str, Any], verdict: str, who: str = "reviewer") -> None:
    reason = "one is missing" if verdict == "return" else None
    body = {"revision": task["revision"], "verdict": verdict, "reason": reason}
    site.ok(site.tell(project_id, task["id"], "review", body, who), 201)


def edit(site: Site, project_id: int, image_id: int, who: str) -> httpx.Response:
    """Open the image as somebody does, and save one more box on what is there."""
    seen = site.ok(site.people[who].get(f"/api/projects/{project_id}/images/{image_id}/annotations"))
    label = site.labels(project_id)[0]["id"]
    return site.save(project_id, image_id, diff(seen["revision"], added=[box(label, 30.0)]), who)


def kept(site: Site, project_id: int, image_id: int, who: str, words: str) -> None:
    """Check that somebody's edit is refused in these words and changes nothing."""
    before = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images/{image_id}"))
    problem = site.refused(edit(site, project_id, image_id, who), 409, "conflict")
    assert words in problem["detail"]
    assert site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images/{image_id}")) == before


def test_returned_work_is_read_only_for_everybody_but_its_author(site: Site) -> None:
    project_id = team(site)
    image_id, task = submitted(site, project_id)
    judged(site, project_id, task, "return")
    kept(site, project_id, image_id, "colleague", "somebody else's to annotate")
    site.refused(site.tell(project_id, task["id"], "take", who="colleague"), 409, "conflict")
    assert edit(site, project_id, image_id, "annotator").status_code == 200
    assert site.task(project_id, image_id)["assignee_id"] == site.ids["annotator"]


def test_returned_work_is_for_anybody_where_the_policy_says_so(site: Site) -> None:
    project_id = team(site, returned_to="anyone")
    image_id, task = submitted(site, project_id)
    judged(site, project_id, task, "return")
    assert edit(site, project_id, image_id, "colleague").status_code == 200


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_in_review_is_frozen_for_annotators(site: Site, policy: str) -> None:
    project_id = team(site, **POLICIES[policy])
    image_id, task = submitted(site, project_id)
    assert task["state"] == "in_review"
    for who in ("annotator", "colleague"):
        kept(site, project_id, image_id, who, "in review")
    assert edit(site, project_id, image_id, "reviewer").status_code == 200


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_approved_is_frozen_for_annotators_and_reopened_by_a_reviewers_edit(site: Site, policy: str) -> None:
    project_id = team(site, **POLICIES[policy])
    image_id, task = submitted(site, project_id)
    judged(site, project_id, task, "approve")
    if POLICIES[policy].get("reviews") == 2:
        kept(site, project_id, image_id, "annotator", "in review")
        judged(site, project_id, site.task(project_id, image_id), "approve", "owner")
    done = site.task(project_id, image_id)
    assert done["state"] == "done"
    for who in ("annotator", "colleague"):
        kept(site, project_id, image_id, who, "approved")
    assert edit(site, project_id, image_id, "reviewer").status_code == 200
    opened = site.task(project_id, image_id)
    assert (opened["state"], opened["round"], opened["approvals"]) == ("in_progress", done["round"] + 1, 0)
    assert opened["assignee_id"] == site.ids["reviewer"]


def test_what_is_done_without_review_is_reopened_by_its_author_alone(site: Site) -> None:
    project_id = team(site, review_policy="none")
    image_id, task = submitted(site, project_id)
    assert task["state"] == "done"
    kept(site, project_id, image_id, "colleague", "somebody else finished")
    assert edit(site, project_id, image_id, "annotator").status_code == 200
    assert site.task(project_id, image_id)["state"] == "in_progress"


def test_restoring_an_earlier_revision_is_an_edit_like_any(site: Site) -> None:
    project_id = team(site)
    image_id, task = submitted(site, project_id)
    judged(site, project_id, task, "approve")
    url = f"/api/projects/{project_id}/images/{image_id}/history/1/restore"
    for who in ("annotator", "colleague"):
        site.refused(
            site.people[who].post(url, json={"diff_id": f"back-by-{who}", "revision": task["revision"]}),
            409,
            "conflict",
        )
    assert site.task(project_id, image_id)["state"] == "done"
