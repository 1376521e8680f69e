"""History over the wire: reading it, looking back, restoring, and who may."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests._site import Site, box, diff, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("history") / "data") as running:
        yield running


def test_a_project_says_who_changed_what_and_members_alone_read_it(site: Site) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    image = site.approved(project_id, label)
    url = f"/api/projects/{project_id}/history"
    lines = site.ok(site.people["annotator"].get(url))["items"]
    assert [(line["kind"], line["author"], line["image_name"]) for line in lines] == [
        ("review", "reviewer", image["name"]),
        ("edit", "annotator", image["name"]),
    ]
    mine = site.ok(site.people["owner"].get(url, params={"author_id": site.ids["annotator"]}))["items"]
    assert [line["kind"] for line in mine] == ["edit"]
    first = site.ok(site.people["owner"].get(url, params={"limit": 1}))
    rest = site.ok(site.people["owner"].get(url, params={"limit": 1, "after": first["next"]}))
    assert (first["items"] + rest["items"], rest["next"]) == (lines, None)
    site.refused(site.people["owner"].get(url, params={"kind": "magic"}), 422, "invalid-input")
    site.refused(site.people["owner"].get(url, params={"after": "x"}), 422, "invalid-input")
    site.refused(site.people["outsider"].get(url), 404, "not-found")


def test_an_earlier_revision_is_looked_at_and_restored(site: Site) -> None:
    project_id = site.project(review_policy="none")
    label, image = site.labels(project_id)[0]["id"], site.image(project_id)
    site.draw(project_id, image["id"], label)
    site.ok(site.save(project_id, image["id"], diff(1, added=[box(label, 20)])))
    url = f"/api/projects/{project_id}/images/{image['id']}/history"
    (deed,) = site.ok(site.people["annotator"].get(url))["items"][0]["did"]
    assert deed == {"what": "added", "label_id": label, "n": 1}
    then = site.ok(site.people["annotator"].get(f"{url}/1"))
    assert (then["revision"], len(then["annotations"])) == (1, 1)
    site.refused(site.people["annotator"].get(f"{url}/3"), 422, "invalid-input")
    body = {"diff_id": "restore-it-once", "revision": 1}
    site.refused(site.people["annotator"].post(f"{url}/1/restore", json=body), 409, "stale-revision")
    body["revision"] = 2
    made = site.ok(site.people["annotator"].post(f"{url}/1/restore", json=body))
    assert (made["revision"], made["repeated"]) == (3, False)
    assert site.ok(site.people["annotator"].post(f"{url}/1/restore", json=body))["repeated"]
    assert site.task(project_id, image["id"])["state"] == "in_progress"


def test_an_annotator_restores_nothing_that_is_in_review_but_its_reviewer_does(site: Site) -> None:
    project_id = site.project()
    label, image = site.labels(project_id)[0]["id"], site.image(project_id)
    revision = site.draw(project_id, image["id"], label)
    task = site.task(project_id, image["id"])
    site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))
    url = f"/api/projects/{project_id}/images/{image['id']}/history/0/restore"
    body = {"diff_id": "restore-in-review", "revision": revision}
    site.refused(site.people["annotator"].post(url, json=body), 409, "conflict")
    assert site.ok(site.people["reviewer"].post(url, json=body))["revision"] == 2
