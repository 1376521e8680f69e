"""Projects, their labels and members."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests._site import Site, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("projects") / "data") as running:
        yield running


def _row(site: Site, who: str, project_id: int) -> dict:
    items = site.ok(site.people[who].get("/api/projects"))["items"]
    return next(item for item in items if item["id"] == project_id)


def test_a_row_shows_counts_pictures_and_the_callers_role(site: Site) -> None:
    project_id = site.project()
    image = site.image(project_id)
    row = _row(site, "annotator", project_id)
    assert (row["role"], row["images"], row["members"], row["model"]) == ("annotator", 1, 3, None)
    assert row["states"] == {"open": 1, "in_progress": 0, "in_review": 0, "done": 0, "returned": 0, "skipped": 0}
    assert row["thumbnails"] == [image["id"]]
    assert site.ok(site.people["annotator"].get(f"/api/projects/{project_id}")) == row
    assert _row(site, "admin", project_id)["role"] == "admin"


def test_an_operator_sees_projects_without_pictures_and_an_outsider_none(site: Site) -> None:
    project_id = site.project()
    image = site.image(project_id)
    row = _row(site, "operator", project_id)
    assert (row["role"], row["thumbnails"], row["images"]) == (None, [], 1)
    site.refused(site.people["operator"].get(f"/api/projects/{project_id}/images/{image['id']}"), 403, "forbidden")
    assert site.ok(site.people["outsider"].get("/api/projects"))["items"] == []
    site.refused(site.people["outsider"].get(f"/api/projects/{project_id}"), 404, "not-found")


def test_the_list_goes_on_after_a_page(site: Site) -> None:
    made = [site.project() for _ in range(3)]
    first = site.ok(site.people["owner"].get("/api/projects", params={"after": made[0] - 1, "limit": 2}))
    assert [row["id"] for row in first["items"]] == made[:2]
    rest = site.ok(site.people["owner"].get("/api/projects", params={"after": first["next"]}))
    assert ([row["id"] for row in rest["items"]], rest["next"]) == (made[2:], None)


def test_a_project_is_changed_and_deleted_by_its_admin_alone(site: Site) -> None:
    project_id = site.project()
    url = f"/api/projects/{project_id}"
    for who in ("annotator", "reviewer", "operator"):
        site.refused(site.people[who].patch(url, json={"name": "x"}), 403, "forbidden")
        site.refused(site.people[who].delete(url), 403, "forbidden")
    owner = site.people["owner"]
    changed = site.ok(
        owner.patch(url, json={"name": " Bolts ", "guideline": "All of them.", "review_policy": {"images": "none"}})
    )
    assert (changed["name"], changed["guideline"], changed["review_policy"]["images"]) == (
        "Bolts",
        "All of them.",
        "none",
    )
    assert site.ok(owner.patch(url, json={"model_id": None}))["model_id"] is None
    site.refused(owner.patch(url, json={"model_id": 4711}), 422, "invalid-input")
    site.refused(owner.patch(url, json={}), 422, "invalid-input")
    site.refused(owner.patch(url, json={"created_by": 1}), 400, "malformed-request")
    site.image(project_id)
    site.ok(owner.delete(url), 204)
    site.refused(owner.get(url), 404, "not-found")
    assert site.audited("project.delete")[0]["user_id"] == site.ids["owner"]


def test_labels_are_made_changed_and_deleted(site: Site) -> None:
    project_id = site.project(labels=("bolt",))
    url, owner = f"/api/projects/{project_id}/labels", site.people["owner"]
    spec = {"name": "rusty", "kind": "switch"}
    made = site.ok(owner.post(url, json={"name": "nut", "hotkey": "n", "attributes": [spec]}), 201)
    assert (made["class_index"], made["hotkey"], made["attributes"][0]["name"]) == (1, "n", "rusty")
    site.refused(owner.post(url, json={"name": "nut"}), 409, "conflict")
    site.refused(owner.post(url, json={"name": "x", "color": "red"}), 422, "invalid-input")
    changed = site.ok(owner.patch(f"{url}/{made['id']}", json={"color": "#00ff00", "hotkey": None}))
    assert (changed["color"], changed["hotkey"], changed["name"]) == ("#00FF00", None, "nut")
    site.ok(owner.delete(f"{url}/{made['id']}"), 204)
    assert [label["name"] for label in site.labels(project_id)] == ["bolt"]
    assert site.ok(owner.post(url, json={"name": "pin"}), 201)["class_index"] == 2


@pytest.mark.parametrize("who", ["annotator", "reviewer"])
def test_labels_are_not_for_annotators_and_reviewers(site: Site, who: str) -> None:
    project_id = site.project()
    url, label = f"/api/projects/{project_id}/labels", site.labels(project_id)[0]
    assert site.ok(site.people[who].get(url))["items"][0] == label
    site.refused(site.people[who].post(url, json={"name": "x"}), 403, "forbidden")
    site.refused(site.people[who].patch(f"{url}/{label['id']}", json={"name": "x"}), 403, "forbidden")
    site.refused(site.people[who].delete(f"{url}/{label['id']}"), 403, "forbidden")


def test_a_label_in_use_is_merged_or_deleted_with_its_annotations(site: Site) -> None:
    project_id = site.project(labels=("bolt", "screw", "nut"))
    bolt, screw, nut = (label["id"] for label in site.labels(project_id))
    image = site.image(project_id)
    revision = site.draw(project_id, image["id"], screw)
    site.draw(project_id, image["id"], nut, revision)
    url, owner = f"/api/projects/{project_id}/labels", site.people["owner"]
    problem = site.refused(owner.delete(f"{url}/{screw}"), 409, "conflict")
    assert problem["details"] == {"annotations": 1}
    site.refused(owner.delete(f"{url}/{screw}", params={"merge_into": screw}), 422, "invalid-input")
    site.refused(owner.delete(f"{url}/{screw}", params={"merge_into": 4711}), 422, "invalid-input")
    site.ok(owner.delete(f"{url}/{screw}", params={"merge_into": bolt}), 204)
    site.ok(owner.delete(f"{url}/{nut}", params={"annotations": "delete"}), 204)
    found = site.ok(owner.get(f"/api/projects/{project_id}/images/{image['id']}/annotations"))
    assert ([a["label_id"] for a in found["annotations"]], found["revision"]) == ([bolt], 4)
    history = site.ok(owner.get(f"/api/projects/{project_id}/images/{image['id']}/history"))["items"]
    assert [(e["revision"], e["author_id"], e["changed"], e["removed"]) for e in history[:2]] == [
        (4, site.ids["owner"], 0, 1),
        (3, site.ids["owner"], 1, 0),
    ]


def test_a_label_on_many_images_goes_in_a_job(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.web.resources.labels.DIRECT_IMAGES", 2)
    project_id = site.project()
    bolt, washer = (label["id"] for label in site.labels(project_id))
    drawn = [site.image(project_id, f"{n}.png") for n in range(10)]
    for image in drawn:
        site.draw(project_id, image["id"], bolt)
    url = f"/api/projects/{project_id}/labels/{bolt}"
    job = site.finished(site.people["owner"].delete(url, params={"merge_into": washer}))
    assert (job.kind, job.state, job.result, job.progress, job.total) == ("relabel", "done", {"images": 10}, 10, 10)
    assert [label["id"] for label in site.labels(project_id)] == [washer]
    listed = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images", params={"label": washer}))
    assert [image["id"] for image in listed["items"]] == [image["id"] for image in drawn]


def test_another_projects_label_does_not_exist_here(site: Site) -> None:
    project_id, other_id = site.project(), site.project()
    foreign, owner = site.labels(other_id)[0]["id"], site.people["owner"]
    site.refused(owner.patch(f"/api/projects/{project_id}/labels/{foreign}", json={"name": "x"}), 404, "not-found")
    site.refused(owner.delete(f"/api/projects/{project_id}/labels/{foreign}"), 404, "not-found")
    mine = site.labels(project_id)[0]["id"]
    merged = owner.delete(f"/api/projects/{project_id}/labels/{mine}", params={"merge_into": foreign})
    site.refused(merged, 422, "invalid-input")


def test_members_come_change_and_go(site: Site) -> None:
    project_id = site.project()
    url, owner = f"/api/projects/{project_id}/members", site.people["owner"]
    member = site.ok(owner.put(url, json={"email": "Outsider@example.org", "role": "annotator"}))
    assert (member["user_id"], member["role"]) == (site.ids["outsider"], "annotator")
    site.refused(owner.put(url, json={"email": "nobody@example.org", "role": "annotator"}), 422, "invalid-input")
    one = f"{url}/{site.ids['outsider']}"
    assert site.ok(owner.put(one, json={"role": "reviewer"}))["role"] == "reviewer"
    assert len(site.ok(owner.get(url))["items"]) == 4
    site.refused(site.people["outsider"].put(one, json={"role": "admin"}), 403, "forbidden")
    site.ok(owner.delete(one), 204)
    site.refused(owner.delete(one), 404, "not-found")
    site.refused(site.people["outsider"].get(url), 404, "not-found")


def test_the_last_admin_stays(site: Site) -> None:
    project_id = site.project()
    url = f"/api/projects/{project_id}/members/{site.ids['owner']}"
    site.refused(site.people["owner"].delete(url), 409, "conflict")
    site.refused(site.people["owner"].put(url, json={"role": "annotator"}), 409, "conflict")
    site.refused(site.people["owner"].put(f"{url}999", json={"role": "annotator"}), 422, "invalid-input")
