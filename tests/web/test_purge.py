"""Erasing an image for good: nothing of it is left but the audit's line, and what others have stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests._site import Site, picture, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("purge") / "data") as running:
        yield running


def erase(site: Site, project_id: int, image: dict, who: str = "owner", **facts):
    body = {"confirm": image["name"], "reason": "a face is on it", **facts}
    return site.people[who].post(f"/api/projects/{project_id}/images/{image['id']}/purge", json=body)


def test_nothing_is_left_but_that_it_happened_who_did_it_and_why(site: Site) -> None:
    project_id = site.project(review_policy="none")
    label, image = site.labels(project_id)[0]["id"], site.image(project_id, "secret/face.png")
    site.draw(project_id, image["id"], label)
    url = f"/api/projects/{project_id}/images/{image['id']}"
    site.people["owner"].get(f"{url}/thumbnail").raise_for_status()
    threads = {"text": "look here", "key": "key-of-comment-1", "x": 1.0, "y": 1.0}
    site.people["annotator"].post(f"{url}/threads", json=threads)
    store = site.box.appliance.store
    assert list(store.cache.folder.rglob(f"{image['sha256']}*"))
    seen = site.ok(site.people["owner"].get(f"{url}/purge"))
    assert (seen["name"], seen["revisions"], seen["snapshots"], seen["shared"]) == ("secret/face.png", 1, [], False)
    site.refused(erase(site, project_id, image, confirm="face.png"), 422, "invalid-input")
    site.refused(erase(site, project_id, image, reason=""), 422, "invalid-input")
    for who, status in (("annotator", 403), ("reviewer", 403), ("outsider", 404)):
        assert erase(site, project_id, image, who).status_code == status
    assert site.ok(erase(site, project_id, image))["files"] == 1
    site.refused(site.people["owner"].get(f"{url}/history"), 404, "not-found")
    assert not store.blobs.exists(image["sha256"])
    assert not list(store.cache.folder.rglob(f"{image['sha256']}*"))
    key = (image["id"],)
    for table in ("annotations", "history", "tasks", "threads", "comments", "late", "uploads"):
        assert store.read(lambda r, t=table: r.execute(f"SELECT * FROM {t} WHERE image_id = ?", key).fetchall()) == []
    (line,) = [one for one in site.audited("image.purge") if one["subject"] == f"image {image['id']}"]
    assert (line["user_id"], line["details"]["reason"]) == (site.ids["owner"], "a face is on it")
    assert "face.png" not in str(line)
    assert image["sha256"] not in str(line)


def test_bytes_that_another_project_has_stay_there(site: Site) -> None:
    content = picture()
    one, other = site.project(), site.project()
    mine, theirs = site.image(one, content=content), site.image(other, content=content)
    url = f"/api/projects/{other}/images/{theirs['id']}/thumbnail"
    assert site.ok(site.people["owner"].get(f"/api/projects/{one}/images/{mine['id']}/purge"))["shared"]
    assert site.ok(erase(site, one, mine))["files"] == 0
    assert site.people["owner"].get(url).status_code == 200
    assert site.box.appliance.store.blobs.exists(theirs["sha256"])


def test_a_snapshot_that_holds_it_goes_too_or_nothing_goes(site: Site) -> None:
    project_id = site.project()
    image = site.approved(project_id, site.labels(project_id)[0]["id"])
    kept = site.approved(project_id, site.labels(project_id)[0]["id"])
    body = {"name": "week 1", "contents": "approved"}
    site.finished(site.people["owner"].post(f"/api/projects/{project_id}/snapshots", json=body))
    problem = site.refused(erase(site, project_id, image), 409, "conflict")
    assert [one["name"] for one in problem["details"]["snapshots"]] == ["week 1"]
    assert site.people["owner"].get(f"/api/projects/{project_id}/images/{image['id']}").status_code == 200
    done = site.ok(erase(site, project_id, image, delete_snapshots=True))
    assert (len(done["snapshots"]), done["files"]) == (1, 2)
    assert site.ok(site.people["owner"].get(f"/api/projects/{project_id}/snapshots"))["items"] == []
    assert site.people["owner"].get(f"/api/projects/{project_id}/images/{kept['id']}/file").status_code == 200
