"""Saving diffs over HTTP: revisions, conflicts, repeats and what they do to the task."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests._site import Site, box, diff, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("annotations") / "data", max_json_bytes=100_000) as running:
        yield running


@pytest.fixture(scope="module")
def project_id(site: Site) -> int:
    return site.project()


@pytest.fixture(scope="module")
def label(site: Site, project_id: int) -> int:
    return int(site.labels(project_id)[0]["id"])


@pytest.fixture
def image_id(site: Site, project_id: int) -> int:
    return int(site.image(project_id)["id"])


def _present(site: Site, project_id: int, image_id: int) -> dict:
    return site.ok(site.people["reviewer"].get(f"/api/projects/{project_id}/images/{image_id}/annotations"))


def test_what_is_saved_comes_back_and_begins_the_task(site: Site, project_id: int, label: int, image_id: int) -> None:
    drawn = [box(label), {**box(label), "geometry": {"type": "tag"}}]
    saved = site.ok(site.save(project_id, image_id, diff(0, added=drawn)))
    assert saved == {"image_id": image_id, "revision": 1, "repeated": False}
    found = _present(site, project_id, image_id)
    assert {a["id"]: a["geometry"]["type"] for a in found["annotations"]} == {
        drawn[0]["id"]: "box",
        drawn[1]["id"]: "tag",
    }
    assert all(a["author_id"] == site.ids["annotator"] for a in found["annotations"])
    task = site.task(project_id, image_id)
    assert (task["state"], task["assignee_id"]) == ("in_progress", site.ids["annotator"])


def test_the_same_diff_again_changes_nothing(site: Site, project_id: int, label: int, image_id: int) -> None:
    body = diff(0, added=[box(label)])
    site.ok(site.save(project_id, image_id, body))
    before = site.task(project_id, image_id)
    assert site.ok(site.save(project_id, image_id, body)) == {"image_id": image_id, "revision": 1, "repeated": True}
    assert site.task(project_id, image_id) == before
    site.ok(site.save(project_id, image_id, diff(1)))
    assert site.task(project_id, image_id) == before


def test_an_empty_diff_does_not_open_a_task(site: Site, project_id: int, image_id: int) -> None:
    assert site.ok(site.save(project_id, image_id, diff(0)))["revision"] == 0
    assert site.task(project_id, image_id)["state"] == "open"


def test_a_collision_shows_the_present_state(site: Site, project_id: int, label: int, image_id: int) -> None:
    mine = box(label)
    site.ok(site.save(project_id, image_id, diff(0, added=[mine])))
    site.ok(site.save(project_id, image_id, diff(1, changed=[{**mine, **_moved(mine)}]), "reviewer"))
    stale = site.save(project_id, image_id, diff(1, changed=[{**mine, "rejected": False}]))
    details = site.refused(stale, 409, "stale-revision")["details"]
    assert (details["revision"], details["conflicts"]) == (2, [mine["id"]])
    assert details["annotations"][0]["geometry"]["x1"] == 5
    elsewhere = site.save(project_id, image_id, diff(1, added=[box(label)]))
    assert site.ok(elsewhere)["revision"] == 3


def _moved(draft: dict) -> dict:
    return {"geometry": {**draft["geometry"], "x1": 5}}


def test_what_does_not_fit_is_refused_by_field(site: Site, project_id: int, label: int, image_id: int) -> None:
    other = site.labels(site.project())[0]["id"]
    outside = {**box(label), "geometry": {"type": "box", "x1": 0, "y1": 0, "x2": 9000, "y2": 5}}
    for draft, field in ((box(other), "added.0.label_id"), (outside, "added.0.geometry")):
        problem = site.refused(site.save(project_id, image_id, diff(0, added=[draft])), 422, _code(field))
        assert problem["field"] == field
    site.refused(site.save(project_id, image_id, diff(7)), 422, "invalid-input")
    site.refused(site.save(project_id, image_id, {"revision": 0}), 422, "invalid-input")
    assert _present(site, project_id, image_id)["revision"] == 0


def _code(field: str) -> str:
    return "invalid-geometry" if field.endswith("geometry") else "invalid-input"


def test_a_body_beyond_the_limit_is_refused(site: Site, project_id: int, label: int, image_id: int) -> None:
    body = diff(0, added=[box(label) for _ in range(1_000)])
    site.refused(site.save(project_id, image_id, body), 413, "too-large")


def test_editing_a_done_image_reopens_it(site: Site, project_id: int, label: int) -> None:
    image = site.approved(project_id, label)
    revision = _present(site, project_id, image["id"])["revision"]
    refused = site.save(project_id, image["id"], diff(revision, added=[box(label)]))
    site.refused(refused, 409, "conflict")
    site.draw(project_id, image["id"], label, revision, who="reviewer")
    task = site.task(project_id, image["id"])
    assert (task["state"], task["round"]) == ("in_progress", 2)


def test_history_lists_revisions_newest_first(site: Site, project_id: int, label: int, image_id: int) -> None:
    for revision in range(3):
        site.draw(project_id, image_id, label, revision)
    url, client = f"/api/projects/{project_id}/images/{image_id}/history", site.people["annotator"]
    page = site.ok(client.get(url, params={"limit": 2}))
    assert [entry["revision"] for entry in page["items"]] == [3, 2]
    assert page["items"][0]["added"] == 1
    rest = site.ok(client.get(url, params={"after": page["next"]}))
    assert ([entry["revision"] for entry in rest["items"]], rest["next"]) == ([1], None)


def test_nobody_outside_saves_or_reads(site: Site, project_id: int, label: int, image_id: int) -> None:
    site.refused(site.save(project_id, image_id, diff(0, added=[box(label)]), "outsider"), 404, "not-found")
    site.refused(site.save(project_id, image_id, diff(0, added=[box(label)]), "operator"), 403, "forbidden")
    url = f"/api/projects/{project_id}/images/{image_id}/annotations"
    site.refused(site.people["operator"].get(url), 403, "forbidden")
