"""Snapshots and exports, and the download of what they made."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator

import pytest

from tests._site import Site, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("exports") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def project_id(site: Site) -> int:
    """A project with one approved image and one that is open."""
    made = site.project()
    site.approved(made, site.labels(made)[0]["id"])
    site.image(made, "open.png")
    return made


def _exports(project_id: int) -> str:
    return f"/api/projects/{project_id}/exports"


def test_an_export_is_what_the_download_brings(site: Site, project_id: int) -> None:
    job = site.finished(site.people["owner"].post(_exports(project_id), json={"format": "coco"}))
    assert job.state == "done", job.error
    assert job.result is not None
    export = site.ok(site.people["reviewer"].get(_exports(project_id)))["items"][0]
    assert (export["id"], export["job_id"]) == (job.result["export_id"], job.id)
    answer = site.people["owner"].get(f"{_exports(project_id)}/{export['id']}/file")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == export["sha256"]
    assert len(answer.content) == export["size_bytes"]
    assert answer.headers["content-type"] == "application/zip"
    assert f'attachment; filename="Parts-coco-{export["id"]}.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        coco = json.loads(archive.read("annotations.json"))
    assert ([image["file_name"] for image in coco["images"]], len(coco["annotations"])) == (["a.png"], 1)


def test_a_download_that_broke_off_goes_on(site: Site, project_id: int) -> None:
    body = {"format": "yolo", "options": {"pictures": True}}
    job = site.finished(site.people["operator"].post(_exports(project_id), json=body))
    assert job.state == "done", job.error
    assert job.result is not None
    url = f"{_exports(project_id)}/{job.result['export_id']}/file"
    whole = site.people["operator"].get(url)
    etag = whole.headers["etag"]
    head = site.people["operator"].get(url, headers={"Range": "bytes=0-99"})
    tail = site.people["operator"].get(url, headers={"Range": "bytes=100-", "If-Range": etag})
    assert (head.status_code, tail.status_code) == (206, 206)
    assert tail.headers["content-range"] == f"bytes 100-{len(whole.content) - 1}/{len(whole.content)}"
    assert head.content + tail.content == whole.content
    changed = site.people["operator"].get(url, headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, whole.content)


def test_a_snapshot_is_made_shown_and_exported_again(site: Site, project_id: int) -> None:
    url = f"/api/projects/{project_id}/snapshots"
    job = site.finished(site.people["owner"].post(url, json={"name": "first", "contents": "everything"}))
    assert job.result is not None
    snapshot_id = job.result["snapshot_id"]
    shown = site.ok(site.people["operator"].get(f"{url}/{snapshot_id}"))
    assert (shown["name"], shown["images"], shown["contents"]) == ("first", 2, "everything")
    assert shown in site.ok(site.people["annotator"].get(url))["items"]
    body = {"format": "coco", "snapshot_id": snapshot_id}
    done = site.finished(site.people["owner"].post(_exports(project_id), json=body))
    assert (done.state, done.result and done.result["images"]) == ("done", 2)
    taken = site.finished(site.people["owner"].post(url, json={"name": "first"}))
    assert (taken.state, taken.error and taken.error["code"]) == ("failed", "conflict")


def test_nothing_approved_is_nothing_to_export(site: Site) -> None:
    project_id = site.project()
    owner = site.people["owner"]
    nothing = site.refused(owner.post(_exports(project_id), json={"format": "coco"}), 422, "invalid-input")
    assert "no image of this project is approved yet" in nothing["detail"]
    url = f"/api/projects/{project_id}/snapshots"
    site.refused(owner.post(url, json={"name": "x"}), 422, "invalid-input")
    site.refused(owner.post(url, json={"name": "x", "contents": "everything"}), 422, "invalid-input")


def test_what_does_not_fit_is_refused_at_once(site: Site, project_id: int) -> None:
    owner, url = site.people["owner"], _exports(project_id)
    assert site.refused(owner.post(url, json={"format": "pdf"}), 422, "invalid-input")["field"] == "format"
    wrong = {"format": "coco", "options": {"nonsense": 1}}
    assert site.refused(owner.post(url, json=wrong), 422, "invalid-input")["field"] == "options"
    site.refused(owner.post(url, json={"format": "coco", "folder": "/tmp"}), 400, "malformed-request")
    missing = {"format": "coco", "snapshot_id": 4711}
    assert site.refused(owner.post(url, json=missing), 422, "invalid-input")["field"] == "snapshot_id"


def test_exports_are_for_the_projects_admin_and_operators(site: Site, project_id: int) -> None:
    export_id = site.ok(site.people["owner"].get(_exports(project_id)))["items"][0]["id"]
    for who in ("annotator", "reviewer"):
        site.refused(site.people[who].post(_exports(project_id), json={"format": "coco"}), 403, "forbidden")
        site.refused(site.people[who].get(f"{_exports(project_id)}/{export_id}/file"), 403, "forbidden")
    site.refused(site.people["outsider"].get(_exports(project_id)), 404, "not-found")


def test_exports_and_snapshots_of_another_project_do_not_exist_here(site: Site, project_id: int) -> None:
    other_id, owner = site.project(), site.people["owner"]
    export = site.ok(owner.get(_exports(project_id)))["items"][0]
    site.refused(owner.get(f"{_exports(other_id)}/{export['id']}/file"), 404, "not-found")
    url = f"/api/projects/{other_id}/snapshots/{export['snapshot_id']}"
    site.refused(owner.get(url), 404, "not-found")
    body = {"format": "coco", "snapshot_id": export["snapshot_id"]}
    site.refused(owner.post(_exports(other_id), json=body), 422, "invalid-input")


def test_a_snapshot_tells_what_it_holds_and_what_changed(site: Site) -> None:
    project_id = site.project()
    bolt, washer = (label["id"] for label in site.labels(project_id))
    url = f"/api/projects/{project_id}/snapshots"
    kept = site.approved(project_id, bolt)
    gone = site.image(project_id, "gone.png")
    first = site.finished(site.people["owner"].post(url, json={"name": "first", "contents": "everything"}))
    site.ok(site.people["owner"].delete(f"/api/projects/{project_id}/images/{gone['id']}"), 204)
    new = site.image(project_id, "new.png")
    site.draw(project_id, new["id"], washer)
    site.draw(project_id, kept["id"], washer, revision=2, who="reviewer")
    second = site.finished(site.people["owner"].post(url, json={"name": "second", "contents": "everything"}))
    old_id, new_id = (job.result["snapshot_id"] for job in (first, second) if job.result)

    summary = site.ok(site.people["annotator"].get(f"{url}/{old_id}/summary"))
    assert (sum(summary["splits"].values()), summary["empty"], summary["geometries"]) == (2, 1, {"box": 1})
    assert {label: sum(counts.values()) for label, counts in summary["labels"].items()} == {str(bolt): 1}
    later = site.ok(site.people["annotator"].get(f"{url}/{new_id}/summary"))
    assert {label: sum(counts.values()) for label, counts in later["labels"].items()} == {
        str(bolt): 1,
        str(washer): 2,
    }
    for _ in range(2):
        changes = site.ok(site.people["annotator"].get(f"{url}/{new_id}/changes", params={"since": old_id}))
        assert [changes[f"{what}_names"] for what in ("added", "removed", "changed")] == [
            ["new.png"], ["gone.png"], [kept["name"]],
        ]  # fmt: skip
        assert (changes["added"], changes["removed"], changes["changed"], changes["same"]) == (1, 1, 1, 0)
    same = site.ok(site.people["annotator"].get(f"{url}/{new_id}/changes", params={"since": new_id}))
    assert (same["same"], same["added"], same["removed"], same["changed"]) == (2, 0, 0, 0)
    site.refused(site.people["outsider"].get(f"{url}/{new_id}/summary"), 404, "not-found")
    foreign = site.people["owner"].get(f"{url}/{new_id}/changes", params={"since": 10**6})
    site.refused(foreign, 404, "not-found")
