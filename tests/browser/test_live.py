"""What other people, the server's absence and the end of a session do to an open page."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
from playwright.sync_api import expect

from tests._server import PASSWORD, serving_process
from tests._site import Site, picture
from tests.browser._console import Console

LOST = (
    r"ERR_CONNECTION_REFUSED|WebSocket connection to .* failed|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_SOCKET_NOT"
)


def drawn(client: httpx.Client, project_id: int, image_id: int) -> list[dict]:
    return client.get(f"/api/projects/{project_id}/images/{image_id}/annotations").json()["annotations"]


def test_two_people_draw_on_one_image(site: Site, console: Console) -> None:
    project_id = site.project()
    image = site.image(project_id, content=picture(320, 240))
    path = f"/projects/{project_id}/annotate?image={image['id']}"
    one, two = (console.open(site.box.url, site.people[who]) for who in ("annotator", "reviewer"))
    for desk in (one, two):
        desk.go(path)
        desk.objects(0)
    one.draw(0.3, 0.3, 0.4, 0.4)
    two.draw(0.5, 0.5, 0.6, 0.6)
    for desk in (one, two):
        desk.objects(2)
        desk.saved(2)
    found = drawn(site.people["owner"], project_id, image["id"])
    assert {a["author_id"] for a in found} == {site.ids["annotator"], site.ids["reviewer"]}
    watching = console.open(site.box.url, site.people["owner"])
    watching.go(f"/projects/{project_id}/images/{image['id']}")
    watching.objects(2)
    one.draw(0.65, 0.3, 0.75, 0.4)
    for desk in (one, two, watching):
        desk.objects(3)


def test_an_image_somebody_adds_appears_in_the_grid(site: Site, console: Console) -> None:
    project_id = site.project()
    page = console.open(site.box.url, site.people["reviewer"]).go(f"/projects/{project_id}/images")
    expect(page.get_by_text("No images yet")).to_be_visible()
    site.image(project_id, "late.png")
    expect(page.get_by_role("link", name="late.png")).to_be_visible()


def test_a_disabled_account_is_asked_to_sign_in(site: Site, console: Console) -> None:
    console.expects(r"401 .*/api/")
    user = site.box.person("leaving")
    page = console.open(site.box.url, site.box.signed_in("leaving")).go("/")
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    site.ok(site.people["admin"].patch(f"/api/users/{user.id}", json={"disabled": True}))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_value("leaving@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_work_goes_on_through_a_restart(console: Console, tmp_path: Path, port: int) -> None:
    console.expects(LOST)
    with serving_process(tmp_path / "data", port=port, image_children=1) as child:
        client = httpx.Client(base_url=child.url, headers={"Origin": child.url}, timeout=30)
        facts = {"code": child.code, "email": "a@example.org", "name": "Ada", "password": PASSWORD}
        assert client.post("/api/setup", json=facts).status_code == 201
        project_id = client.post("/api/projects", json={"name": "Parts", "labels": [{"name": "bolt"}]}).json()["id"]
        base = f"/api/projects/{project_id}"
        image = client.post(f"{base}/images", params={"name": "a.png"}, content=picture(320, 240)).json()
        desk = console.open(child.url, client)
        page = desk.go(f"/projects/{project_id}/annotate")
        desk.objects(0)
        desk.draw(0.3, 0.3, 0.4, 0.4)
        desk.saved(1)
        child.stop(signal.SIGKILL)
    expect(page.get_by_text("No connection to the box")).to_be_visible()
    desk.draw(0.5, 0.5, 0.6, 0.6)
    expect(page.get_by_text("Offline · 1 change kept")).to_be_visible()
    desk.objects(2)
    with serving_process(tmp_path / "data", port=port, image_children=1):
        desk.saved(2)
        expect(page.get_by_text("No connection to the box")).to_have_count(0)
        assert len(drawn(client, project_id, image["id"])) == 2
        before = len(desk.events("label.changed"))
        assert client.post(f"{base}/labels", json={"name": "washer"}).status_code == 201
        expect(page.get_by_role("list", name="Labels").get_by_role("button", name="washer")).to_be_visible()
        assert len(desk.events("label.changed")) > before
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("Everything is done")).to_be_visible()
        assert client.get(f"{base}/images/{image['id']}").json()["task"]["state"] == "done"
        client.close()
