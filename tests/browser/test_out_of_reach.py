"""The console loads while the box is away, opens what was open, and goes on when the box is back."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from appliance.web.static import DIST
from tests._server import PASSWORD, Child, serving, serving_process
from tests._site import picture
from tests.browser._console import LAN_NAME, Console, Desk
from tests.browser.test_nothing_lost import LOST, geometries, journal, kept, sign_out, until

KEPT = """async () => {
    const all = {};
    for (const name of await caches.keys())
        all[name] = (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname);
    return all;
}"""
READY = "async () => Boolean((await navigator.serviceWorker.ready).active)"


@dataclass
class Place:
    """A box that can be killed and started again, with a project of one picture."""

    folder: Path
    port: int
    child: Child
    client: httpx.Client
    project_id: int
    image_id: int

    @property
    def work(self) -> str:
        return f"/projects/{self.project_id}/annotate"

    def again(self) -> AbstractContextManager[Child]:
        return serving_process(self.folder, port=self.port, image_children=1)


@pytest.fixture
def place(tmp_path: Path, port: int) -> Iterator[Place]:
    folder = tmp_path / "data"
    with serving_process(folder, port=port, image_children=1) as child:
        client = httpx.Client(base_url=child.url, headers={"Origin": child.url}, timeout=30)
        facts = {"code": child.code, "email": "a@example.org", "name": "Ada", "password": PASSWORD}
        assert client.post("/api/setup", json=facts).status_code == 201
        project_id = client.post("/api/projects", json={"name": "Parts", "labels": [{"name": "bolt"}]}).json()["id"]
        base = f"/api/projects/{project_id}"
        image_id = client.post(f"{base}/images", params={"name": "a.png"}, content=picture(320, 240)).json()["id"]
        yield Place(folder, port, child, client, project_id, image_id)
        client.close()


def keeping(console: Console, place: Place) -> Desk:
    """Open a page in a browser that has the console's files by now."""
    console.expects(LOST)
    desk = console.open(place.child.url, place.client, service_workers="allow")
    desk.go("/")
    expect(desk.page.get_by_role("heading", name="Projects")).to_be_visible()
    assert desk.page.evaluate(READY)
    return desk


def shown(page: Page) -> None:
    """Wait for the picture itself."""
    expect(page.get_by_role("img", name=re.compile(r"^a\.png, \d+ objects?$"))).to_be_visible()


def away(page: Page) -> None:
    expect(page.get_by_role("heading", name="The box is out of reach")).to_be_visible()


def test_a_reload_while_the_box_is_down(place: Place, console: Console) -> None:
    desk = keeping(console, place)
    page = desk.go(place.work)
    desk.objects(0)
    desk.draw(0.3, 0.3, 0.35, 0.35)
    desk.saved(1)
    held = geometries(place.client, place.project_id, place.image_id)
    place.child.stop(signal.SIGKILL)
    desk.draw(0.5, 0.5, 0.6, 0.6)
    kept(desk, "Offline · 1 change kept")
    page.reload()
    desk.objects(2)
    kept(desk, "Offline · 1 change kept")
    expect(page.get_by_text("No connection to the box")).to_be_visible()
    assert f"image={place.image_id}" in page.url
    desk.draw(0.7, 0.7, 0.8, 0.8)
    kept(desk, "Offline · 2 changes kept")
    drawn = journal(page)
    assert len(drawn) == 2
    with place.again():
        expect(page.get_by_text("Saved, revision", exact=False)).to_be_visible()
        expect(page.get_by_text("No connection to the box")).to_have_count(0)
        expect(page.get_by_role("alert")).to_have_count(0)
        assert geometries(place.client, place.project_id, place.image_id) == held | drawn
        desk.draw(0.3, 0.7, 0.4, 0.8)
        desk.objects(4)
        page.get_by_role("button", name=re.compile("Submit")).click()
        expect(page.get_by_role("button", name="Approved 4")).to_be_visible()


def test_another_page_says_what_is_kept_and_goes_on(place: Place, console: Console) -> None:
    desk = keeping(console, place)
    page = desk.go(place.work)
    shown(page)
    place.child.stop(signal.SIGKILL)
    desk.draw(0.5, 0.5, 0.6, 0.6)
    kept(desk, "Offline · 1 change kept")
    desk.go(f"/projects/{place.project_id}/dataset")
    away(page)
    expect(page.get_by_text("1 change kept on this device", exact=False)).to_be_visible()
    page.get_by_role("button", name="Go on with a.png").click()
    desk.objects(1)
    kept(desk, "Offline · 1 change kept")
    desk.go(f"/projects/{place.project_id}/dataset")
    away(page)
    with place.again():
        expect(page.get_by_role("heading", name="Snapshots")).to_be_visible()
        page.get_by_role("link", name="Images").first.click()
        expect(page.get_by_role("link", name="a.png")).to_be_visible()
        assert len(geometries(place.client, place.project_id, place.image_id)) == 1


def test_nothing_of_anybody_is_kept_after_signing_out(place: Place, console: Console) -> None:
    desk = keeping(console, place)
    page = desk.go(place.work)
    desk.objects(0)
    desk.draw(0.5, 0.5, 0.6, 0.6)
    desk.saved(1)
    caches = page.evaluate(KEPT)
    assert len(caches) == 1
    paths = next(iter(caches.values()))
    assert "/" in paths
    assert {path for path in paths if path != "/" and not path.startswith("/assets/")} == set()
    assert {f"/assets/{p.name}" for p in (DIST / "assets").iterdir() if p.suffix not in (".br", ".gz")} <= set(paths)
    sign_out(page, "Ada")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    place.child.stop(signal.SIGKILL)
    desk.go(place.work)
    away(page)
    expect(page.get_by_role("button", name="Go on with")).to_have_count(0)
    expect(page.get_by_text("a.png")).to_have_count(0)


def test_a_new_build_is_there_at_the_next_load(
    tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = [tmp_path / "one", tmp_path / "two"]
    for number, folder in enumerate(builds):
        shutil.copytree(DIST, folder)
        for path in [*folder.glob("index.html*"), *folder.glob("service-worker.js*")]:
            if path.suffix in (".br", ".gz"):
                path.unlink()
            elif number:
                text = path.read_text().replace("<title>PixelQueue", "<title>New build of PixelQueue")
                path.write_text(re.sub(r'"version":"\w+"', '"version":"second"', text))
    current = tmp_path / "current"
    current.symlink_to(builds[0])
    monkeypatch.setattr("appliance.web.static.Static.__init__.__defaults__", (current,))
    console.expects(LOST)
    with serving(tmp_path / "data", image_children=1) as running:
        client = running.claim()
        desk = console.open(running.url, client, service_workers="allow")
        page = desk.go("/")
        assert page.evaluate(READY)
        first = page.evaluate(KEPT)
    current.unlink()
    current.symlink_to(builds[1])
    with serving(tmp_path / "data", image_children=1, port=running.server.port):
        with page.expect_response(f"{running.url}/") as loaded:
            page.reload()
        assert "New build" in loaded.value.text()
        until(page, "async () => (await caches.keys()).includes('shell-second')")
        assert set(page.evaluate(KEPT)) == {*first, "shell-second"}


def test_over_plain_http_under_a_name_it_does_without(tmp_path: Path, console: Console) -> None:
    with serving(tmp_path, host="127.1", hosts=[LAN_NAME], plain_http=True, image_children=1) as running:
        desk = console.open(f"http://{LAN_NAME}:{running.server.port}", service_workers="allow")
        page = desk.go("/")
        expect(page.get_by_label("Claim code")).to_be_visible()
        assert page.evaluate("'serviceWorker' in navigator") is False
