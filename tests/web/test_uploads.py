"""Pictures and archives on their way in, and pictures on their way out."""

from __future__ import annotations

import io
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from tests._pictures import encode, encode_turned, scene
from tests._shared import shared
from tests._site import Site, picture, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("uploads") / "data", max_upload_bytes=2_000_000) as running:
        yield running


@pytest.fixture(scope="module")
def project_id(site: Site) -> int:
    return site.project()


def _send(site: Site, project_id: int, name: str, content: bytes, who: str = "annotator") -> httpx.Response:
    return site.people[who].post(f"/api/projects/{project_id}/images", params={"name": name}, content=content)


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _left_behind(site: Site) -> list[Path]:
    """Return what uploads left in the temporary folder; a job may be cutting tiles there meanwhile."""
    return [p for p in site.box.appliance.store.temporary.iterdir() if not p.name.startswith("tiles-")]


def test_a_picture_becomes_an_image_with_an_open_task(site: Site, project_id: int) -> None:
    content = picture(80, 60)
    image = site.ok(_send(site, project_id, "tray/../tray/a.png", content), 201)
    assert (image["name"], image["width"], image["height"], image["state"]) == ("tray/tray/a.png", 80, 60, "open")
    shown = site.ok(site.people["reviewer"].get(f"/api/projects/{project_id}/images/{image['id']}"))
    assert shown["task"]["state"] == "open"
    assert {**shown, "task": None} == {**image, "task": None}
    line = site.audited("image.add")[0]
    assert (line["user_id"], line["subject"]) == (site.ids["annotator"], f"image {image['id']}")


def test_the_same_picture_twice_is_one_image(site: Site, project_id: int) -> None:
    content = picture()
    first = site.ok(_send(site, project_id, "one.png", content), 201)
    again = _send(site, project_id, "two.png", content)
    assert site.ok(again)["id"] == first["id"]
    assert again.headers["x-pixelqueue-duplicate"] == "1"
    other_id = site.project()
    assert site.ok(_send(site, other_id, "one.png", content), 201)["id"] != first["id"]


def test_what_is_no_picture_is_refused_by_name(site: Site, project_id: int) -> None:
    whole = picture(kind="jpeg")
    for name, content, code in (
        ("a.txt", b"hello", "unsupported-image"),
        ("empty.png", b"", "unsupported-image"),
        ("cut.jpg", whole[: len(whole) // 2], "truncated-image"),
        ("named.png", whole, "unreadable-image"),
    ):
        answer = _send(site, project_id, name, content)
        assert site.refused(answer, 422, answer.json()["code"])["file"] == name
        assert code == answer.json()["code"] or name == "empty.png", answer.text
    site.refused(_send(site, project_id, "..", picture()), 422, "invalid-input")
    site.refused(site.people["annotator"].post(f"/api/projects/{project_id}/images"), 422, "invalid-input")
    assert _left_behind(site) == []


def test_a_body_beyond_the_limit_is_refused(site: Site, project_id: int) -> None:
    site.refused(_send(site, project_id, "a.png", bytes(2_000_001)), 413, "too-large")
    chunked = site.people["annotator"].post(
        f"/api/projects/{project_id}/images", params={"name": "a.png"}, content=iter([bytes(1_500_000)] * 2)
    )
    site.refused(chunked, 413, "too-large")
    assert _left_behind(site) == []


@pytest.mark.parametrize("framing", ["Content-Length: 100000", "Transfer-Encoding: chunked"])
def test_an_upload_that_breaks_off_leaves_nothing(site: Site, framing: str) -> None:
    project_id = site.project()
    server = site.box.server
    cookie = "; ".join(f"{k}={v}" for k, v in site.people["annotator"].cookies.items())
    half = picture(200, 200)[:30_000]
    body = half if "Length" in framing else f"{len(half):x}\r\n".encode() + half + b"\r\n"
    head = (
        f"POST /api/projects/{project_id}/images?name=a.png HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Origin: {server.url}\r\nCookie: {cookie}\r\n{framing}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body)
        _until(lambda: bool(_left_behind(site)))
    _until(lambda: not _left_behind(site))
    assert site.ok(site.people["annotator"].get(f"/api/projects/{project_id}/images"))["items"] == []


def _until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    deadline_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline_s
        threading.Event().wait(0.01)


def test_uploading_needs_membership(site: Site, project_id: int) -> None:
    site.refused(_send(site, project_id, "a.png", picture(), "outsider"), 404, "not-found")
    site.refused(_send(site, project_id, "a.png", picture(), "operator"), 403, "forbidden")
    url = f"/api/projects/{project_id}/archives"
    site.refused(site.people["outsider"].post(url, params={"name": "a.zip"}, content=b"x"), 404, "not-found")


def test_odd_files_are_taken_or_refused_with_their_name(site: Site, project_id: int) -> None:
    folder = shared("data/odd")
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix not in (".csv", ".md", ".txt"))
    taken = 0
    for path in files:
        answer = _send(site, project_id, path.name, path.read_bytes())
        assert answer.status_code in (200, 201, 422), (path, answer.text)
        taken += answer.status_code != 422
        if answer.status_code == 422:
            assert answer.json()["file"] == path.name, (path, answer.text)
    assert taken > len(files) // 2
    assert _left_behind(site) == []


def test_images_are_listed_by_state_and_label(site: Site) -> None:
    project_id = site.project()
    made = [site.image(project_id, f"{n}.png")["id"] for n in range(3)]
    label = site.labels(project_id)[1]["id"]
    site.draw(project_id, made[1], label)
    url, client = f"/api/projects/{project_id}/images", site.people["annotator"]
    page = site.ok(client.get(url, params={"limit": 2}))
    assert [i["id"] for i in page["items"]] == made[:2]
    assert [i["id"] for i in site.ok(client.get(url, params={"after": page["next"]}))["items"]] == made[2:]
    for query in ({"state": "in_progress"}, {"label": label}, {"state": "in_progress", "label": label}):
        assert [i["id"] for i in site.ok(client.get(url, params=query))["items"]] == [made[1]]
    assert site.ok(client.get(url, params={"label": label, "state": "done"}))["items"] == []
    site.refused(client.get(url, params={"colour": "red"}), 400, "malformed-request")


def test_a_file_comes_back_as_it_was_sent_and_is_kept_by_the_browser(site: Site, project_id: int) -> None:
    content = picture(kind="jpeg")
    image = site.ok(_send(site, project_id, "träger 1.jpg", content), 201)
    url = f"/api/projects/{project_id}/images/{image['id']}/file"
    answer = site.people["reviewer"].get(url, params={"v": image["sha256"]})
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["etag"] == f'"{image["sha256"]}"'
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"].startswith("inline")
    plain = site.people["reviewer"].get(url)
    assert plain.headers["cache-control"] == "private, no-cache"
    kept = site.people["reviewer"].get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    part = site.people["reviewer"].get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, content[10:20])
    site.refused(site.people["reviewer"].get(url, params={"v": "0" * 64}), 404, "not-found")
    site.refused(site.people["outsider"].get(url), 404, "not-found")


def test_thumbnails_and_renditions_are_upright_jpegs(site: Site, project_id: int) -> None:
    from PIL import Image

    content = encode(scene(96, 64), "tiff")
    image = site.ok(_send(site, project_id, "a.tif", content), 201)
    base = f"/api/projects/{project_id}/images/{image['id']}"
    for what in ("thumbnail", "rendition"):
        answer = site.people["annotator"].get(f"{base}/{what}", params={"v": image["sha256"]})
        assert answer.status_code == 200, answer.text
        with Image.open(io.BytesIO(answer.content)) as shown:
            assert (shown.format, shown.width / shown.height) == ("JPEG", 1.5)
        kept = site.people["annotator"].get(f"{base}/{what}", headers={"If-None-Match": answer.headers["etag"]})
        assert kept.status_code == 304
    original = site.people["annotator"].get(f"{base}/file")
    assert original.headers["content-disposition"].startswith("attachment")
    assert original.content == content


def test_a_lost_thumbnail_is_made_again(site: Site, project_id: int) -> None:
    image = site.ok(_send(site, project_id, "a.png", picture()), 201)
    url = f"/api/projects/{project_id}/images/{image['id']}/thumbnail"
    first = site.people["annotator"].get(url).content
    site.box.appliance.store.cache.forget("thumbnail", f"{image['sha256']}.jpg")
    assert site.people["annotator"].get(url).content == first


def test_a_picture_browsers_can_show_is_its_own_rendition(site: Site, project_id: int) -> None:
    content = encode_turned(scene(), "jpeg", 6)
    image = site.ok(_send(site, project_id, "turned.jpg", content), 201)
    for what in ("rendition", "view"):
        answer = site.people["annotator"].get(f"/api/projects/{project_id}/images/{image['id']}/{what}")
        assert (image["needs_rendition"], answer.content) == (False, content)


def test_a_large_picture_shows_first_by_a_smaller_copy(site: Site, project_id: int) -> None:
    from PIL import Image

    content = encode(scene(2_600, 1_800), "jpeg")
    image = site.ok(_send(site, project_id, "large.jpg", content), 201)
    url = f"/api/projects/{project_id}/images/{image['id']}"
    copy = site.people["annotator"].get(f"{url}/view")
    assert copy.headers["etag"].strip('"').startswith(image["sha256"])
    with Image.open(io.BytesIO(copy.content)) as shown:
        assert shown.size == (1_300, 900)
    assert site.people["annotator"].get(f"{url}/rendition").content == content

    # Lost, the picture itself is there sooner; the copy is made meanwhile.
    site.box.appliance.store.cache.forget("screen", f"{image['sha256']}.jpg")
    assert site.people["annotator"].get(f"{url}/view").content == content
    while site.box.appliance.store.cache.get("screen", f"{image['sha256']}.jpg") is None:
        pass
    assert site.people["annotator"].get(f"{url}/view").content == copy.content


def test_images_are_deleted_by_the_projects_admin_alone(site: Site) -> None:
    project_id, other_id = site.project(), site.project()
    image = site.image(project_id)
    url = f"/api/projects/{project_id}/images/{image['id']}"
    for who in ("annotator", "reviewer", "operator"):
        site.refused(site.people[who].delete(url), 403, "forbidden")
    site.refused(site.people["owner"].delete(f"/api/projects/{other_id}/images/{image['id']}"), 404, "not-found")
    site.ok(site.people["owner"].delete(url), 204)
    for tail in ("", "/file", "/thumbnail", "/annotations", "/history"):
        site.refused(site.people["owner"].get(url + tail), 404, "not-found")


def test_images_of_another_project_do_not_exist_here(site: Site) -> None:
    project_id, other_id = site.project(), site.project()
    image = site.image(other_id)
    for tail in ("", "/file", "/rendition", "/view", "/thumbnail", "/annotations", "/history"):
        url = f"/api/projects/{project_id}/images/{image['id']}{tail}"
        site.refused(site.people["owner"].get(url), 404, "not-found")


def test_an_archive_is_imported_by_a_job(site: Site) -> None:
    project_id = site.project()
    content = _zip({"tray/a.png": picture(), "tray/b.png": picture(), "tray/notes.png": b"no picture"})
    answer = site.people["owner"].post(
        f"/api/projects/{project_id}/archives", params={"name": "tray.zip"}, content=content
    )
    job = site.finished(answer)
    assert (job.kind, job.state, job.created_by) == ("import", "done", site.ids["owner"])
    assert job.result is not None
    assert (job.result["images"], job.result["errors"]) == (2, 1)
    notes = site.ok(site.people["annotator"].get(f"/api/jobs/{job.id}"))["notes"]
    assert [note["file"] for note in notes] == ["tray/notes.png"]


def test_an_annotators_archive_brings_pictures_but_no_labels(site: Site) -> None:
    project_id = site.project(labels=("bolt",))
    coco = (
        b'{"images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}], '
        b'"categories": [{"id": 1, "name": "smuggled"}], '
        b'"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "area": 25, '
        b'"iscrowd": 0}]}'
    )
    content = _zip({"images/a.png": picture(), "annotations.json": coco})
    for who, names in (("annotator", ["bolt"]), ("owner", ["bolt", "smuggled"])):
        url = f"/api/projects/{project_id}/archives"
        job = site.finished(site.people[who].post(url, params={"name": "set.zip"}, content=content))
        assert job.state == "done", job.error
        assert [label["name"] for label in site.labels(project_id)] == names


def test_what_is_no_archive_is_refused(site: Site, project_id: int) -> None:
    url = f"/api/projects/{project_id}/archives"
    answer = site.people["annotator"].post(url, params={"name": "a.zip"}, content=b"PK but not really")
    assert site.refused(answer, 422, "unsafe-archive")["file"] == "a.zip"
    named = site.people["annotator"].post(url, params={"name": "a.zip", "folder": "/etc"}, content=b"")
    site.refused(named, 400, "malformed-request")
    assert _left_behind(site) == []


def test_on_a_nearly_full_disk_pictures_are_refused_and_annotating_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = site.project()
    image = site.image(project_id)
    store = site.box.appliance.store
    monkeypatch.setattr(store, "settings", msgspec.structs.replace(store.settings, free_floor_bytes=1 << 60))
    for tail in ("images", "archives"):
        url = f"/api/projects/{project_id}/{tail}"
        answer = site.people["annotator"].post(url, params={"name": "b.png"}, content=picture())
        site.refused(answer, 507, "storage-full")
    assert site.draw(project_id, image["id"], site.labels(project_id)[0]["id"]) == 1
    site.ok(site.people["owner"].delete(f"/api/projects/{project_id}/images/{image['id']}"), 204)
    assert _left_behind(site) == []


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ({"fine.png": b"", "../evil.png": b"x"}, "../evil.png"),
        ({"fine.png": b"", "/etc/evil.png": b"x"}, "/etc/evil.png"),
        ({"fine.png": b"", "..\\evil.png": b"x"}, "evil.png"),
        ({"bomb.bmp": bytes(70 << 20)}, "bomb"),
    ],
    ids=["climbs", "absolute", "backslashes", "bomb"],
)
def test_a_hostile_archive_ends_its_job_alone_and_leaves_nothing(
    site: Site, entries: dict[str, bytes], named: str
) -> None:
    project_id = site.project()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    store = site.box.appliance.store
    around = {p.name for p in store.temporary.parent.parent.iterdir()}
    url = f"/api/projects/{project_id}/archives"
    job = site.finished(site.people["owner"].post(url, params={"name": "sent.zip"}, content=out.getvalue()))
    assert (job.state, job.error["code"], job.error["file"]) == ("failed", "unsafe-archive", "sent.zip")
    assert named in job.error["message"]
    assert site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images"))["items"] == []
    assert {p.name for p in store.temporary.parent.parent.iterdir()} == around
    assert _left_behind(site) == []
    site.image(project_id)
