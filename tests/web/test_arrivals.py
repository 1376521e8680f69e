"""Whole folders that are dropped on the console: over HTTP, as the console sends them, every file arrives."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests._shared import shared
from tests._site import Site, site_at
from tests.imaging.test_odd import EXPECTED
from tests.web._tus import begin, go_on, whole

COUNT = 10_000
_CONNECTIONS = 4
"""As many as the console sends at once."""

_TWICE = 97
"""Each so-manieth file is sent again, as after an answer that was lost."""


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("arrivals") / "data") as running:
        yield running


def numbered(number: int) -> bytes:
    """Return a PNG of 8 x 8 pixels whose colour is the number."""
    row = b"\0" + number.to_bytes(3, "big") * 8
    parts = [
        (b"IHDR", struct.pack(">2I5B", 8, 8, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(row * 8, 1)), (b"IEND", b""),
    ]  # fmt: skip
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def resumed(client: httpx.Client, project_id: int, name: str, data: bytes) -> dict[str, Any]:
    """Send a file as the console does above 2 MiB: created first, here with its bytes in two pieces."""
    began = begin(client, project_id, name, len(data))
    assert began.status_code == 201, (name, began.text)
    url, half = began.headers["Location"], len(data) // 2
    for offset, piece in ((0, data[:half]), (half, data[half:])):
        answer = go_on(client, url, offset, piece)
        assert answer.status_code == 204, (name, answer.text)
    upload: dict[str, Any] = client.get(url).json()
    return upload


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_of_ten_thousand_dropped_files_arrive(site: Site) -> None:
    project_id, client = site.project(), site.people["annotator"]
    names = [f"line {number % 40}/tray {number // 100}/part {number:05d}.png" for number in range(COUNT)]

    def send(number: int) -> tuple[int, bool]:
        data = numbered(number)
        made = whole(client, project_id, names[number], data)
        assert (made["state"], made["kind"], made["problem"]) == ("done", "picture", None), made
        if number % _TWICE == 0:
            again = whole(client, project_id, names[number], data)
            assert (again["duplicate"], again["image_id"]) == (True, made["image_id"]), again
        return made["image_id"], made["duplicate"]

    with ThreadPoolExecutor(_CONNECTIONS) as threads:
        answers = list(threads.map(send, range(COUNT)))
    assert len({image_id for image_id, _ in answers}) == COUNT
    assert not any(duplicate for _, duplicate in answers)
    store = site.box.appliance.store
    there = store.read(lambda r: r.execute("SELECT id, name, width, height FROM images ORDER BY id").fetchall())
    assert sorted(there) == sorted((answer[0], name, 8, 8) for answer, name in zip(answers, names, strict=True))
    summary = site.ok(client.get(f"/api/projects/{project_id}"))
    assert summary["images"] == summary["states"]["open"] == COUNT
    assert store.read(lambda r: r.execute("SELECT count(*) FROM blobs").fetchall()) == [(COUNT,)]
    assert [path for path in (store.folder / "uploads").iterdir() if path.is_file()] == []


@pytest.mark.parametrize("way", [whole, resumed])
def test_odd_files_end_over_http_as_they_do_in_the_child_that_looks_at_them(
    site: Site, way: Callable[..., dict[str, Any]]
) -> None:
    folder, project_id, client = shared("data/odd"), site.project(), site.people["annotator"]
    for name, stated in EXPECTED.items():
        made = way(client, project_id, name, (folder / name).read_bytes())
        if isinstance(stated, str):
            problem = made["problem"]
            assert (made["state"], problem["code"], problem["file"]) == ("failed", stated, name), made
            continue
        assert made["state"] == "done", (name, made)
        image = site.ok(client.get(f"/api/projects/{project_id}/images/{made['image_id']}"))
        shown = (image["width"], image["height"], image["orientation"], image["needs_rendition"])
        assert shown == stated, name
