"""From a picture to an approved image: tasks, submissions, reviews."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests._site import Site, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("work") / "data") as running:
        yield running


def test_an_image_goes_from_open_to_done(site: Site) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    image = site.image(project_id)
    task = site.ok(
        site.people["annotator"].post(f"/api/projects/{project_id}/tasks/next", params={"role": "annotate"})
    )
    assert (task["image_id"], task["state"], task["assignee_id"]) == (
        image["id"],
        "in_progress",
        site.ids["annotator"],
    )
    revision = site.draw(project_id, image["id"], label)
    task = site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))
    assert (task["state"], task["revision"]) == ("in_review", revision)
    task = site.ok(site.people["reviewer"].post(f"/api/projects/{project_id}/tasks/next", params={"role": "review"}))
    assert task["reviewer_id"] == site.ids["reviewer"]
    review = site.ok(
        site.tell(project_id, task["id"], "review", {"revision": revision, "verdict": "approve"}, "reviewer"), 201
    )
    assert (review["verdict"], review["reviewer_id"]) == ("approve", site.ids["reviewer"])
    assert site.task(project_id, image["id"])["state"] == "done"
    found = site.ok(site.people["annotator"].get(f"/api/projects/{project_id}/images/{image['id']}/annotations"))
    assert [a["status"] for a in found["annotations"]] == ["approved"]
