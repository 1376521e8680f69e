"""Off loopback the console works as well: over TLS, and over plain HTTP where somebody chose that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests._server import PASSWORD, Serving, serving
from tests._site import picture
from tests.browser._console import LAN_NAME, Console


@pytest.fixture(params=[False, True], ids=["tls", "plain-http"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serving]:
    """A box under a name that is not loopback, over TLS or, as told, over plain HTTP."""
    with serving(tmp_path, host="127.1", hosts=[LAN_NAME], plain_http=request.param, image_children=1) as running:
        yield running


def test_under_a_host_name(served: Serving, console: Console) -> None:
    tls = served.server.tls
    desk = console.open(f"{'https' if tls else 'http'}://{LAN_NAME}:{served.server.port}")
    page = desk.go("/")
    page.get_by_label("Claim code").fill(served.code or "")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Email").fill("admin@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Claim").click()
    page.get_by_role("button", name="New project").click()
    page.get_by_label("Name", exact=True).fill("Parts")
    page.get_by_label("Labels, one a line").fill("washer")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("No images yet")).to_be_visible()
    files = [{"name": "a.png", "mimeType": "image/png", "buffer": picture(320, 240)}]
    page.get_by_label("Files to add").set_input_files(files)
    expect(page.get_by_role("link", name="a.png")).to_be_visible()
    page.get_by_role("link", name="Annotate", exact=True).click()
    desk.objects(0)
    desk.draw(0.3, 0.3, 0.4, 0.4)
    desk.saved(1)
    assert page.evaluate("isSecureContext") is tls
    assert desk.events("image.added"), "the socket works too"
    [cookie] = page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["secure"] is tls
    page.reload()
    desk.objects(1)
