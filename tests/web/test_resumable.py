"""Uploads over tus 1.0.0, spoken by hand."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from appliance.store import uploads
from tests._server import PASSWORD, serving_process
from tests._site import Site, picture, site_at
from tests.web._tus import begin, checksum_of, go_on, header, metadata, offset_of, whole

MAX = 4_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    limits = {"max_upload_bytes": MAX, "max_unfinished_uploads": 5}
    with site_at(tmp_path_factory.mktemp("resumable") / "data", **limits) as running:
        yield running


@pytest.fixture
def project_id(site: Site) -> Iterator[int]:
    yield site.project()
    site.box.appliance.store.write(lambda tx: tx.execute("DELETE FROM uploads").fetchall())
    asyncio.run(site.box.appliance.services.arrivals.tidy())


def test_options_tells_what_there_is(site: Site, project_id: int) -> None:
    answer = site.people["annotator"].options(f"/api/projects/{project_id}/uploads")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
    assert answer.headers["Tus-Max-Size"] == str(MAX)
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    extensions = set(answer.headers["Tus-Extension"].split(","))
    assert extensions == {"creation", "creation-with-upload", "termination", "expiration", "checksum"}


def test_a_picture_in_pieces_becomes_an_image(site: Site, project_id: int) -> None:
    client, content = site.people["annotator"], picture(200, 200)
    began = begin(client, project_id, "tray/a.png", len(content), note="träger")
    assert (began.status_code, began.headers["Tus-Resumable"]) == (201, "1.0.0")
    url = began.headers["Location"]
    assert offset_of(client, url) == 0
    half = len(content) // 2
    first = go_on(client, url, 0, content[:half])
    assert (first.status_code, first.content, first.headers["Upload-Offset"]) == (204, b"", str(half))
    assert first.headers["Upload-Expires"].endswith("GMT")
    shown = client.head(url, headers=header())
    assert (shown.headers["Upload-Offset"], shown.headers["Upload-Length"]) == (str(half), str(len(content)))
    assert shown.headers["Upload-Metadata"] == metadata(filename="tray/a.png", note="träger")
    assert shown.headers["Cache-Control"] == "no-store"
    last = go_on(client, url, half, iter([content[half:]]))  # chunked: of unknown length
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(content)))
    upload = site.ok(client.get(url))
    assert (upload["state"], upload["duplicate"], upload["problem"]) == ("done", False, None)
    image = site.ok(client.get(f"/api/projects/{project_id}/images/{upload['image_id']}"))
    assert image["name"] == "tray/a.png"
    assert client.get(f"/api/projects/{project_id}/images/{image['id']}/file").content == content
    assert site.audited("image.add")[0]["user_id"] == site.ids["annotator"]
    assert list(site.box.appliance.store.incoming.ids()) == []


def test_a_small_picture_takes_one_request(site: Site, project_id: int) -> None:
    client, content = site.people["annotator"], picture()
    upload = whole(client, project_id, "a.png", content)
    assert (upload["state"], upload["offset_bytes"]) == ("done", len(content))
    again = whole(client, project_id, "b.png", content)
    assert (again["image_id"], again["duplicate"]) == (upload["image_id"], True)
    url = f"/api/projects/{project_id}/uploads/{again['id']}"
    assert offset_of(client, url) == len(content)
    assert site.ok(client.get(url)) == again


def test_what_is_no_picture_says_why(site: Site, project_id: int) -> None:
    client, content = site.people["annotator"], picture(kind="jpeg")
    for name, sent, code in (
        ("a.txt", b"hello", "unsupported-image"),
        ("cut.jpg", content[: len(content) // 2], "truncated-image"),
        ("empty.png", b"", "unreadable-image"),
    ):
        upload = whole(client, project_id, name, sent)
        assert (upload["state"], upload["problem"]["file"]) == ("failed", name)
        assert upload["problem"]["code"] == code
        url = begin(client, project_id, name, len(sent) + 1, body=sent[:1]).headers["Location"]
        assert go_on(client, url, len(sent[:1]), sent[1:] + b"\0").status_code == 204
        assert site.ok(client.get(url))["state"] == "failed"
    assert list(site.box.appliance.store.incoming.ids()) == []
    assert list(site.box.appliance.store.temporary.iterdir()) == []


def test_the_first_bytes_may_come_with_the_creation(site: Site, project_id: int) -> None:
    client, content = site.people["annotator"], picture()
    began = begin(client, project_id, "a.png", len(content), body=content[:100])
    assert (began.status_code, began.headers["Upload-Offset"]) == (201, "100")
    assert go_on(client, began.headers["Location"], 100, content[100:]).status_code == 204
    assert site.ok(client.get(began.headers["Location"]))["state"] == "done"


def test_a_wrong_offset_is_refused_and_changes_nothing(site: Site, project_id: int) -> None:
    client, content = site.people["annotator"], picture()
    url = begin(client, project_id, "a.png", len(content), body=content[:100]).headers["Location"]
    for wrong in (0, 99, 101, len(content)):
        site.refused(go_on(client, url, wrong, b"x"), 409, "conflict")
    site.refused(go_on(client, url, 100, content[100:] + b"more"), 413, "too-large")
    assert offset_of(client, url) == 100
    assert go_on(client, url, 100, content[100:]).status_code == 204
    site.refused(go_on(client, url, len(content), b""), 409, "conflict")


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
@pytest.mark.parametrize("version", [None, "0.2.2"])
def test_another_version_is_refused(site: Site, project_id: int, method: str, version: str | None) -> None:
    client = site.people["annotator"]
    url = begin(client, project_id, "a.png", 10).headers["Location"]
    headers = {"Tus-Resumable": version} if version else {}
    path = f"/api/projects/{project_id}/uploads" if method == "POST" else url
    answer = client.request(method, path, headers=headers)
    assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0")
    assert offset_of(client, url) == 0


def test_headers_that_make_no_sense_are_refused(site: Site, project_id: int) -> None:
    client, path = site.people["annotator"], f"/api/projects/{project_id}/uploads"
    name = metadata(filename="a.png")
    for headers in (
        {"Upload-Metadata": name},
        {"Upload-Metadata": name, "Upload-Length": "-1"},
        {"Upload-Metadata": name, "Upload-Length": "1e3"},
        {"Upload-Metadata": name, "Upload-Length": "9" * 30},
        {"Upload-Metadata": name, "Upload-Defer-Length": "1"},
        {"Upload-Metadata": name, "Upload-Length": "3", "Upload-Concat": "partial"},
        {"Upload-Length": "3"},
    ):
        site.refused(client.post(path, headers=header() | headers), 400, "malformed-request")
    too_long = header() | {"Upload-Metadata": name, "Upload-Length": str(MAX + 1)}
    site.refused(client.post(path, headers=too_long), 413, "too-large")
    url = begin(client, project_id, "a.png", 10).headers["Location"]
    site.refused(client.patch(url, headers=header(), content=b"x"), 400, "malformed-request")
    plain = header(Upload_Offset="0", Content_Type="text/plain")
    site.refused(client.patch(url, headers=plain, content=b"x"), 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "sent",
    [
        "filename",
        "filename !!!",
        "filename YQ",
        "filename YS5wbmc=,filename YS5wbmc=",
        "filename YS5wbmc= x",
        "filename " + base64.b64encode(b"\xff\xfe.png").decode(),
        "filename " + base64.b64encode(b"../..").decode(),
        "filename YS5wbmc=,batch " + base64.b64encode(b"1 OR 1=1").decode(),
        "filename " + base64.b64encode(b"a" * 7_000).decode(),
        ",,,",
        "fi\xb2lename YS5wbmc=",
    ],
)
def test_hostile_metadata_is_refused(site: Site, project_id: int, sent: str) -> None:
    headers = header(Upload_Length="10") | {"Upload-Metadata": sent}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = site.people["annotator"].post(f"/api/projects/{project_id}/uploads", headers=raw)
    assert answer.status_code in (400, 413, 422, 431), answer.text


def test_a_hostile_name_becomes_a_harmless_one(site: Site, project_id: int) -> None:
    upload = whole(site.people["annotator"], project_id, "..\\../etc/\r\nSet-Cookie: x/\0a.png", picture())
    assert upload["name"] == "etc/Set-Cookie: x/a.png"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum_is_checked(site: Site, project_id: int, algorithm: str) -> None:
    client, content = site.people["annotator"], picture(200, 200)
    good, bad = checksum_of(content, algorithm), checksum_of(content + b"x", algorithm)
    refused = begin(client, project_id, "a.png", len(content), body=content, checksum=bad)
    site.refused(refused, 460, "checksum-mismatch")
    url = begin(client, project_id, "a.png", len(content)).headers["Location"]
    half = len(content) // 2
    wrong = checksum_of(b"other", algorithm)
    site.refused(go_on(client, url, 0, content[:half], Upload_Checksum=wrong), 460, "checksum-mismatch")
    assert offset_of(client, url) == 0
    right = checksum_of(content[:half], algorithm)
    assert go_on(client, url, 0, content[:half], Upload_Checksum=right).status_code == 204
    assert go_on(client, url, half, content[half:]).status_code == 204
    assert begin(client, project_id, "b.png", len(content), body=content, checksum=good).json()["duplicate"]
    for odd in ("md5 AAAA", "sha1 ???", "sha1"):
        answer = begin(client, project_id, "a.png", 3, body=b"abc", checksum=odd)
        assert answer.status_code in (400, 460)


def test_an_upload_is_its_senders_alone(site: Site, project_id: int) -> None:
    mine, other_id = site.people["annotator"], site.project()
    url = begin(mine, project_id, "a.png", 10, body=b"12345").headers["Location"]
    elsewhere = url.replace(f"/projects/{project_id}/", f"/projects/{other_id}/")
    for who in ("owner", "reviewer", "admin", "outsider"):
        client = site.people[who]
        site.refused(client.get(url), 404, "not-found")
        site.refused(go_on(client, url, 5, b"67890"), 404, "not-found")
        site.refused(client.delete(url, headers=header()), 404, "not-found")
        site.refused(begin(client, project_id, "b.png", 3, batch=url.rpartition("/")[2]), 404, "not-found")
    site.refused(mine.get(elsewhere), 404, "not-found")
    assert offset_of(mine, url) == 5
    stranger = httpx.Client(base_url=site.box.url)
    site.refused(go_on(stranger, url, 5, b"67890"), 401, "not-signed-in")
    foreign = {"Origin": "https://evil.example"}
    cookies = httpx.Client(base_url=site.box.url, cookies=mine.cookies, headers=foreign)
    site.refused(go_on(cookies, url, 5, b"67890"), 403, "forbidden")


def test_it_can_be_dropped(site: Site, project_id: int) -> None:
    client = site.people["annotator"]
    url = begin(client, project_id, "a.png", 10, body=b"12345").headers["Location"]
    assert client.delete(url, headers=header()).status_code == 204
    assert client.head(url, headers=header()).status_code == 404
    site.refused(go_on(client, url, 5, b"67890"), 404, "not-found")
    assert list(site.box.appliance.store.incoming.ids()) == []


def test_only_post_may_get_through(site: Site, project_id: int) -> None:
    client, content = site.people["annotator"], picture()
    url = begin(client, project_id, "a.png", len(content)).headers["Location"]
    headers = header(Upload_Offset="0", Content_Type="application/offset+octet-stream")
    sent = client.post(url, headers=headers | {"X-HTTP-Method-Override": "PATCH"}, content=content)
    assert (sent.status_code, sent.headers["Upload-Offset"]) == (204, str(len(content)))
    gone = client.post(url, headers=header() | {"X-HTTP-Method-Override": "DELETE"})
    assert gone.status_code == 204
    site.refused(client.post(url, headers=header()), 400, "malformed-request")


def test_somebody_may_begin_only_so_many(site: Site, project_id: int) -> None:
    client = site.people["annotator"]
    for number in range(5):
        assert begin(client, project_id, f"{number}.png", 10).status_code == 201
    refused = begin(client, project_id, "5.png", 10)
    site.refused(refused, 429, "too-many-requests")
    assert refused.headers["Retry-After"]
    assert whole(client, project_id, "in-one-piece.png", picture())["state"] == "done"
    assert begin(site.people["owner"], project_id, "5.png", 10).status_code == 201


def test_on_a_nearly_full_disk_uploads_wait(site: Site, project_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    client, content = site.people["annotator"], picture()
    url = begin(client, project_id, "a.png", len(content), body=content[:100]).headers["Location"]
    store = site.box.appliance.store
    with monkeypatch.context() as full:
        full.setattr(store, "settings", msgspec.structs.replace(store.settings, free_floor_bytes=1 << 60))
        site.refused(begin(client, project_id, "b.png", 10), 507, "storage-full")
        site.refused(begin(client, project_id, "b.png", len(content), body=content), 507, "storage-full")
        site.refused(go_on(client, url, 100, content[100:]), 507, "storage-full")
    assert go_on(client, url, 100, content[100:]).status_code == 204
    assert site.ok(client.get(url))["state"] == "done"


def test_two_at_once_do_not_mix(site: Site, project_id: int) -> None:
    client, content = site.people["annotator"], picture(300, 300)
    url = begin(client, project_id, "a.png", len(content)).headers["Location"]
    with _hanging(site, url, content[:70_000], 0, len(content)):
        _until_held(site, project_id, url)
        site.refused(go_on(client, url, 1, b"x"), 423, "upload-locked")
        site.refused(client.delete(url, headers=header()), 423, "upload-locked")
        assert offset_of(client, url) == 0
    _until(lambda: offset_of(client, url) > 0)
    came = offset_of(client, url)
    assert came <= 70_000
    assert go_on(client, url, came, content[came:]).status_code == 204
    image_id = site.ok(client.get(url))["image_id"]
    assert client.get(f"/api/projects/{project_id}/images/{image_id}/file").content == content


def test_what_came_before_a_break_is_kept(site: Site, project_id: int) -> None:
    client, content = site.people["annotator"], os.urandom(2_000_000)
    url = begin(client, project_id, "a.png", len(content)).headers["Location"]
    with _hanging(site, url, content[:1_500_000], 0, len(content)):
        path = site.box.appliance.store.incoming.path(int(url.rpartition("/")[2]))
        _until(lambda: path.exists() and path.stat().st_size > 1_000_000)
    _until(lambda: offset_of(client, url) > 1_000_000)
    came = offset_of(client, url)
    assert path.read_bytes()[:came] == content[:came]


def test_a_break_under_a_checksum_keeps_nothing(site: Site, project_id: int) -> None:
    client, content = site.people["annotator"], os.urandom(1_000_000)
    url = begin(client, project_id, "a.png", len(content)).headers["Location"]
    more = f"Upload-Checksum: {checksum_of(content)}\r\n"
    with _hanging(site, url, content[:600_000], 0, len(content), more):
        _until_held(site, project_id, url)
    _until(lambda: client.delete(url, headers=header()).status_code == 204)


def test_expired_uploads_go(site: Site, project_id: int) -> None:
    client, content, arrivals = site.people["annotator"], picture(), site.box.appliance.services.arrivals
    store = site.box.appliance.store
    old = begin(client, project_id, "a.png", 10, body=b"12345").headers["Location"]
    done = whole(client, project_id, "b.png", content)
    store.write(lambda tx: tx.execute("UPDATE uploads SET expires_at_ms = 1").fetchall())
    young = begin(client, project_id, "c.png", 10, body=b"12345").headers["Location"]
    store.incoming.path(999_999).write_bytes(b"left by a deleted project")
    asyncio.run(arrivals.tidy())
    site.refused(go_on(client, old, 5, b"67890"), 404, "not-found")
    site.refused(client.get(f"/api/projects/{project_id}/uploads/{done['id']}"), 404, "not-found")
    site.ok(client.get(f"/api/projects/{project_id}/images/{done['image_id']}"))
    assert offset_of(client, young) == 5
    assert list(store.incoming.ids()) == [int(young.rpartition("/")[2])]


def test_what_came_whole_is_finished_without_its_sender(
    site: Site, project_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, content, appliance = site.people["annotator"], picture(), site.box.appliance
    url = begin(client, project_id, "a.png", len(content), body=content[:10]).headers["Location"]
    with monkeypatch.context() as broken:
        broken.setattr(appliance.jobs.ingest, "admitting", _unavailable)
        site.refused(go_on(client, url, 10, content[10:]), 503, "unavailable")
    upload_id = int(url.rpartition("/")[2])
    read: Callable[[], Any] = lambda: appliance.store.read(  # noqa: E731
        lambda reading: uploads.get(reading, project_id, upload_id, site.ids["annotator"])
    )
    assert (read().state, read().offset_bytes) == ("receiving", len(content))
    asyncio.run(appliance.services.arrivals.tidy())
    assert read().state == "done"
    assert site.audited("image.add")[0]["user_id"] == site.ids["annotator"]


def _unavailable(*_: object, **__: object) -> None:
    from appliance.errors import Unavailable

    raise Unavailable("not now")


def test_a_killed_box_goes_on_where_it_was(tmp_path: Path) -> None:
    content = picture(3_000, 3_000, "bmp")
    length = len(content)
    with serving_process(tmp_path / "data") as box:
        client = _claimed(box.url, box.code)
        project_id = client.post("/api/projects", json={"name": "Parts"}).json()["id"]
        url = begin(client, project_id, "a.bmp", length).headers["Location"]
        cookie = "; ".join(f"{k}={v}" for k, v in client.cookies.items())
        with _sending(box.url, cookie, url, content[: length - 1_000], 0, length):
            _until(lambda: offset_of(client, url) > 0)
            told = offset_of(client, url)
            box.stop(9)
    with serving_process(tmp_path / "data") as box:
        client = httpx.Client(base_url=box.url, headers={"Origin": box.url}, cookies=client.cookies, timeout=60)
        came = offset_of(client, url)
        assert told <= came < length
        assert (tmp_path / "data" / "uploads" / url.rpartition("/")[2]).stat().st_size >= came
        assert go_on(client, url, came, content[came:]).status_code == 204
        upload = client.get(url).json()
        file = client.get(f"/api/projects/{project_id}/images/{upload['image_id']}/file")
        assert file.content == content


def test_a_file_shorter_than_its_row_says_is_told_as_it_is(site: Site, project_id: int) -> None:
    client, content = site.people["annotator"], picture()
    url = begin(client, project_id, "a.png", len(content), body=content[:200]).headers["Location"]
    os.truncate(site.box.appliance.store.incoming.path(int(url.rpartition("/")[2])), 50)
    assert offset_of(client, url) == 50
    assert go_on(client, url, 50, content[50:]).status_code == 204
    assert site.ok(client.get(url))["state"] == "done"


def _claimed(url: str, code: str | None) -> httpx.Client:
    client = httpx.Client(base_url=url, headers={"Origin": url}, timeout=60)
    body = {"code": code, "email": "a@example.org", "name": "Ada", "password": PASSWORD}
    assert client.post("/api/setup", json=body).status_code == 201
    return client


def _hanging(site: Site, path: str, body: bytes, offset: int, length: int, more: str = "") -> Any:
    cookie = "; ".join(f"{k}={v}" for k, v in site.people["annotator"].cookies.items())
    return _sending(site.box.url, cookie, path, body, offset, length, more)


class _sending:
    """A PATCH that has sent a part of its body and then says nothing; leaving breaks it off."""

    def __init__(
        self, url: str, cookie: str, path: str, body: bytes, offset: int, length: int, more: str = ""
    ) -> None:
        host = url.removeprefix("http://")
        head = (
            f"PATCH {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {url}\r\nCookie: {cookie}\r\n"
            f"Tus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n{more}"
            f"Content-Type: application/offset+octet-stream\r\nContent-Length: {length - offset}\r\n\r\n"
        )
        name, _, port = host.partition(":")
        self._socket = socket.create_connection((name, int(port)))
        self._socket.sendall(head.encode() + body)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def _until_held(site: Site, project_id: int, url: str) -> None:
    """Return when the box takes in a request's body; asking over HTTP would take the upload from it."""
    store, upload_id = site.box.appliance.store, int(url.rpartition("/")[2])
    upload = store.read(lambda reading: uploads.get(reading, project_id, upload_id, site.ids["annotator"]))
    _until(lambda: site.box.appliance.services.arrivals.held(upload))


def _until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    deadline_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline_s
        threading.Event().wait(0.01)


def test_the_box_names_its_uploads_in_openapi(site: Site) -> None:
    paths = site.ok(site.people["annotator"].get("/api/openapi.json"))["paths"]
    path = paths["/api/projects/{project_id}/uploads/{upload_id}"]
    assert set(path) == {"get", "patch", "delete", "post"}
