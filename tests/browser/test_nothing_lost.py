"""Whatever happens to the box, the line, the tab or the session: what a person drew is there."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Route, expect

from appliance.store import sessions
from tests._server import PASSWORD, serving_process
from tests._site import Site, box, diff, picture
from tests.browser._console import Console, Desk

LOST = (
    r"ERR_CONNECTION_REFUSED|WebSocket connection to .* failed|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_SOCKET_NOT"
)
OFFLINE = r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|net::ERR_"
REFUSED = r"409 .*/(annotations|submit|take)$"
JOURNAL = """() => new Promise((resolve, reject) => {
    const opening = indexedDB.open("pixelqueue");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
        const asked = opening.result.transaction("changes").objectStore("changes").getAll();
        asked.onsuccess = () => {
            opening.result.close();
            const shapes = new Map();
            for (const { unsent, underway } of asked.result)
                for (const [id, one] of underway ? underway.sent : [[unsent.after.id, unsent]])
                    if (!underway || !shapes.has(id)) shapes.set(id, one.after.geometry);
            resolve(Object.fromEntries(shapes));
        };
    };
})"""
FETCHED_AHEAD = """() => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/rendition"))
    .length >= 3"""
PATIENCE_MS = 20_000
NO_STORAGE = 'IDBFactory.prototype.open = () => { throw new DOMException("denied", "SecurityError"); };'
NO_LOCKS = 'Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });'


def journal(page: Page) -> dict[str, Any]:
    """Return the geometries the browser keeps, by annotation."""
    kept: dict[str, Any] = page.evaluate(JOURNAL)
    return kept


def held(client: httpx.Client, project_id: int, image_id: int) -> dict[str, dict[str, Any]]:
    """Return what the box holds of an image, by annotation."""
    found = client.get(f"/api/projects/{project_id}/images/{image_id}/annotations").json()["annotations"]
    return {one["id"]: one for one in found}


def geometries(client: httpx.Client, project_id: int, image_id: int) -> dict[str, Any]:
    return {key: one["geometry"] for key, one in held(client, project_id, image_id).items()}


@dataclass
class Line:
    """The way of diffs to the box; cut, only the journal has what is drawn."""

    cut: bool = True

    def answer(self, route: Route) -> None:
        if self.cut and route.request.method == "POST":
            route.abort("connectionfailed")
        else:
            route.fallback()


def refuse_saves(page: Page) -> Line:
    """Let no diff through."""
    line = Line()
    page.context.route("**/annotations", line.answer)
    return line


def kept(desk: Desk, words: str) -> None:
    """Wait for what the status line says of unsent work."""
    expect(desk.page.get_by_text(words, exact=True)).to_be_visible()


def sign_in(page: Page, who: str) -> None:
    page.get_by_label("Email").fill(f"{who}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


class Work:
    """A project of the site with one picture on a desk of the annotator's."""

    def __init__(self, site: Site, console: Console, pictures: int = 1, **options: Any) -> None:
        self.site, self.console = site, console
        self.project_id = site.project()
        self.images = [site.image(self.project_id, f"{n}.png", picture(320, 240)) for n in range(pictures)]
        self.path = f"/projects/{self.project_id}/annotate"
        self.desk = console.open(site.box.url, site.box.signed_in("annotator"), **options)

    def begin(self, *, queue: bool = False) -> Desk:
        """Open the first image: by its address, or as the first one of the queue."""
        self.desk.go(self.path if queue else f"{self.path}?image={self.images[0]['id']}")
        self.desk.objects(0)
        return self.desk

    def held(self, n: int = 0) -> dict[str, Any]:
        return geometries(self.site.people["owner"], self.project_id, self.images[n]["id"])

    def another_page(self, path: str) -> Desk:
        """Open another tab of the same browser profile."""
        desk = Desk(self.desk.page.context.new_page(), self.site.box.url)
        desk.go(path)
        return desk


def test_the_box_is_killed_in_mid_drag_and_work_goes_on(console: Console, tmp_path: Path, port: int) -> None:
    console.expects(LOST)
    with serving_process(tmp_path / "data", port=port, image_children=1) as child:
        client = httpx.Client(base_url=child.url, headers={"Origin": child.url}, timeout=30)
        facts = {"code": child.code, "email": "a@example.org", "name": "Ada", "password": PASSWORD}
        assert client.post("/api/setup", json=facts).status_code == 201
        project_id = client.post("/api/projects", json={"name": "Parts", "labels": [{"name": "bolt"}]}).json()["id"]
        base = f"/api/projects/{project_id}"
        image_id = client.post(f"{base}/images", params={"name": "a.png"}, content=picture(320, 240)).json()["id"]
        desk = console.open(child.url, client)
        page = desk.go(f"/projects/{project_id}/annotate")
        desk.objects(0)
        desk.draw(0.3, 0.3, 0.35, 0.35)
        desk.saved(1)
        first = geometries(client, project_id, image_id)
        area = page.locator(".canvas").bounding_box()
        assert area is not None
        page.keyboard.press("b")
        page.mouse.move(area["x"] + area["width"] * 0.4, area["y"] + area["height"] * 0.4)
        page.mouse.down()
        page.mouse.move(area["x"] + area["width"] * 0.45, area["y"] + area["height"] * 0.45, steps=3)
        child.stop(signal.SIGKILL)
        page.mouse.move(area["x"] + area["width"] * 0.5, area["y"] + area["height"] * 0.5, steps=3)
        page.mouse.up()
    for n in range(4):
        desk.draw(0.3 + n * 0.1, 0.6, 0.36 + n * 0.1, 0.7)
    kept(desk, "Offline · 5 changes kept")
    drawn = journal(page)
    assert len(drawn) == 5
    with serving_process(tmp_path / "data", port=port, image_children=1):
        expect(page.get_by_text("Saved, revision", exact=False)).to_be_visible()
        assert geometries(client, project_id, image_id) == first | drawn
        assert journal(page) == {}
        client.close()


def test_both_versions_of_a_shape_stay_and_one_is_chosen(site: Site, console: Console) -> None:
    console.expects(OFFLINE)
    console.expects(REFUSED)
    work = Work(site, console)
    label = site.labels(work.project_id)[0]["id"]
    image_id = work.images[0]["id"]
    shape = box(label, at=100)
    site.ok(site.save(work.project_id, image_id, diff(0, added=[shape])))
    desk = work.desk
    page = desk.go(f"{work.path}?image={image_id}")
    desk.objects(1)
    page.context.set_offline(True)
    page.get_by_role("complementary", name="Objects").get_by_text("bolt").last.click()
    page.keyboard.press("ArrowRight")
    kept(desk, "Offline · 1 change kept")
    theirs = {**shape, "geometry": {**shape["geometry"], "y1": 60.0}}
    site.ok(site.save(work.project_id, image_id, diff(1, changed=[theirs]), "reviewer"))
    page.context.set_offline(False)
    desk.objects(2)
    expect(page.get_by_text("reviewer changed this object while you did: both versions are here.")).to_be_visible()
    ours = {**shape["geometry"], "x1": 101.0, "x2": shape["geometry"]["x2"] + 1}
    desk.saved(3)
    assert sorted(work.held().values(), key=lambda g: g["x1"]) == [theirs["geometry"], ours]
    page.get_by_role("button", name="Keep mine").click()
    desk.objects(1)
    desk.saved(4)
    assert work.held() == {shape["id"]: ours}
    page.keyboard.press("Control+z")
    desk.objects(2)


def test_two_people_and_one_shape_are_told_of_by_name(site: Site, console: Console) -> None:
    console.expects(OFFLINE)
    console.expects(REFUSED)
    work = Work(site, console)
    label, image_id = site.labels(work.project_id)[0]["id"], work.images[0]["id"]
    site.ok(site.save(work.project_id, image_id, diff(0, added=[box(label, at=100)])))
    desks = [work.desk, console.open(site.box.url, site.box.signed_in("owner"))]
    for desk in desks:
        desk.go(f"{work.path}?image={image_id}")
        desk.objects(1)
        desk.page.get_by_role("complementary", name="Objects").get_by_text("bolt").last.click()
    mine, theirs = desks
    mine.page.context.set_offline(True)
    mine.page.keyboard.press("ArrowRight")
    kept(mine, "Offline · 1 change kept")
    theirs.page.keyboard.press("Delete")
    theirs.saved(2)
    mine.page.context.set_offline(False)
    told = mine.page.get_by_role("alert").filter(has_text="owner deleted this object while you changed it")
    expect(told).to_be_visible()
    told.get_by_role("button", name="Delete it").click()
    for desk in desks:
        desk.objects(0)
    assert work.held() == {}


@pytest.mark.parametrize("secure", [True, False], ids=["locks", "plain-http"])
@pytest.mark.parametrize("how", ["close", "crash"])
def test_a_tab_that_ends_right_after_a_change(site: Site, console: Console, secure: bool, how: str) -> None:
    console.expects(OFFLINE)
    work = Work(site, console)
    if not secure:
        work.desk.page.context.add_init_script(NO_LOCKS)
    desk = work.begin()
    line = refuse_saves(desk.page)
    desk.draw(0.4, 0.4, 0.5, 0.5)
    if how == "close":
        desk.page.close()
    else:
        # A look at what is kept waits for what was written before it. A process that ends sooner than
        # the browser has taken that in can lose it.
        assert len(journal(desk.page)) == 1
        end_process(desk.page)
    line.cut = False
    page = work.another_page("/").page
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    arrived(page, work, 1)
    wait_until_sent(page)
    (drawn,) = work.held().values()
    assert drawn["type"] == "box"


def end_process(page: Page) -> None:
    """Kill the page's process: nothing of it runs any more, not even what a page does when it goes."""
    with pytest.raises(PlaywrightError):
        page.goto("chrome://crash")


def until(page: Page, check: str, arg: Any = None) -> None:
    """Wait until a function of the page, which may be asynchronous, says true."""
    page.evaluate(
        f"""async (arg) => {{
            const [check, end] = [{check}, Date.now() + {PATIENCE_MS}];
            while (!(await check(arg))) {{
                if (Date.now() > end) throw new Error("waited in vain");
                await new Promise((go) => setTimeout(go, 50));
            }}
        }}""",
        arg,
    )


def arrived(page: Page, work: Work, count: int) -> None:
    """Wait until the box holds so many annotations of the first picture."""
    url = f"/api/projects/{work.project_id}/images/{work.images[0]['id']}/annotations"
    until(page, "async ([url, n]) => (await (await fetch(url)).json()).annotations.length === n", [url, count])


def handed_in(page: Page, work: Work) -> None:
    """Wait until every picture is in review."""
    url = f"/api/projects/{work.project_id}/images?state=in_review"
    until(page, "async ([url, n]) => (await (await fetch(url)).json()).items.length === n", [url, len(work.images)])


def wait_until_sent(page: Page) -> None:
    """Wait until the browser keeps nothing any more."""
    until(page, f"async () => Object.keys(await ({JOURNAL})()).length === 0")


def test_two_tabs_of_one_person_neither_double_nor_fight(site: Site, console: Console) -> None:
    work = Work(site, console)
    desk = work.begin()
    other = work.another_page(f"{work.path}?image={work.images[0]['id']}")
    other.objects(0)
    desk.draw(0.3, 0.3, 0.4, 0.4)
    other.draw(0.6, 0.6, 0.7, 0.7)
    desk.draw(0.3, 0.6, 0.4, 0.7)
    for one in (desk, other):
        one.objects(3)
        one.saved(3)
    assert len(work.held()) == 3
    assert journal(desk.page) == {}


def test_the_next_person_on_a_tablet_neither_sends_nor_sees_it(site: Site, console: Console) -> None:
    console.expects(OFFLINE)
    console.expects(REFUSED)
    # Of the image as well: that may be asked for just when somebody signs out.
    console.expects(r"401 .*/api/(session|projects/\d+/images/\d+)$")
    work = Work(site, console)
    desk = work.begin()
    page = desk.page
    line = refuse_saves(page)
    for n in range(3):
        desk.draw(0.3 + n * 0.1, 0.3, 0.36 + n * 0.1, 0.4)
    kept(desk, "Offline · 3 changes kept")
    drawn = journal(page)
    sign_out(page, "annotator")
    expect(page.get_by_text("3 changes not on the box yet", exact=False)).to_be_visible()
    page.get_by_role("button", name="Stay").click()
    desk.objects(3)
    sign_out(page, "annotator")
    page.get_by_role("button", name="Sign out and keep them").click()
    line.cut = False
    sign_in(page, "reviewer")
    expect(page.get_by_role("button", name="reviewer")).to_be_visible()
    desk.go(f"{work.path}?image={work.images[0]['id']}")
    desk.objects(0)
    desk.saved(0)
    desk.draw(0.7, 0.7, 0.8, 0.8)
    desk.saved(1)
    assert len(work.held()) == 1
    assert journal(page) == drawn
    sign_out(page, "reviewer")
    sign_in(page, "annotator")
    expect(page.get_by_role("button", name="annotator")).to_be_visible()
    arrived(page, work, 4)
    wait_until_sent(page)
    found = held(site.people["owner"], work.project_id, work.images[0]["id"])
    assert {key: one["geometry"] for key, one in found.items() if key in drawn} == drawn
    assert {key for key, one in found.items() if one["author_id"] == site.ids["annotator"]} == set(drawn)


def sign_out(page: Page, who: str) -> None:
    page.get_by_role("button", name=who, exact=True).click()
    page.get_by_role("button", name="Sign out", exact=True).click()


def test_the_session_ends_over_the_canvas_in_mid_drag(site: Site, console: Console) -> None:
    console.expects(r"401 .*/api/|WebSocket")
    work = Work(site, console)
    user = site.box.person("dragging")
    site.box.join(user, work.project_id, "annotator")
    desk = console.open(site.box.url, site.box.signed_in("dragging"))
    page = desk.go(f"{work.path}?image={work.images[0]['id']}")
    desk.draw(0.3, 0.3, 0.35, 0.35)
    desk.saved(1)
    area = page.locator(".canvas").bounding_box()
    assert area is not None
    at = [(area["x"] + area["width"] * share, area["y"] + area["height"] * share) for share in (0.4, 0.45, 0.55)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=3)
    site.box.appliance.store.write(lambda tx: sessions.end_of_user(tx, user.id))
    layer = page.get_by_role("dialog", name="Sign in again")
    expect(layer).to_be_visible()
    page.mouse.move(*at[2], steps=3)
    page.mouse.up()
    desk.objects(2)
    kept(desk, "Signed out · 1 change kept")
    drawn = journal(page)
    assert (len(drawn), len(work.held())) == (1, 1)
    expect(layer.get_by_label("Email")).to_have_value("dragging@example.org")
    layer.get_by_label("Password").fill(PASSWORD)
    layer.get_by_role("button", name="Sign in").click()
    expect(layer).to_have_count(0)
    desk.saved(2)
    assert drawn.items() <= work.held().items()
    page.keyboard.press("Control+z")
    desk.objects(1)


def test_whose_session_has_ended_is_asked_once_to_sign_in(site: Site, console: Console) -> None:
    console.expects(r"401 .*/api/|WebSocket|Failed to load resource")
    work = Work(site, console)
    page = work.desk.page
    answer = {"code": "not-signed-in", "title": "Unauthorized", "detail": "sign in"}
    # What the page shows as its own trouble, elsewhere.
    page.route("**/images/ids?*", lambda route: route.fulfill(status=401, json=answer))
    with page.expect_response(lambda response: "/images/ids" in response.url and response.status == 401):
        desk = work.begin()
    page.route("**/api/**", lambda route: route.fulfill(status=401, json=answer))
    desk.draw(0.3, 0.3, 0.35, 0.35)
    expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
    kept(desk, "Signed out · 1 change kept")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.unroute_all()
    layer = page.get_by_role("dialog", name="Sign in again")
    layer.get_by_label("Password").fill("not this one, surely")
    layer.get_by_role("button", name="Sign in").click()
    expect(layer.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(1)
    layer.get_by_label("Password").fill(PASSWORD)
    layer.get_by_role("button", name="Sign in").click()
    desk.saved(1)


def test_fifty_changes_over_three_images_without_the_box(site: Site, console: Console) -> None:
    console.expects(OFFLINE)
    work = Work(site, console, pictures=3)
    desk = work.begin(queue=True)
    page = desk.page
    page.wait_for_function("""() => {
        const asked = performance.getEntriesByType("resource").map((one) => one.name);
        return asked.filter((name) => /\\/(view|rendition)/.test(name)).length >= 3;
    }""")
    page.context.set_offline(True)
    everything: dict[str, Any] = {}
    for count in (17, 17, 16):
        for k in range(count):
            desk.draw(0.3 + (k % 6) * 0.06, 0.3 + k // 6 * 0.1, 0.34 + (k % 6) * 0.06, 0.36 + k // 6 * 0.1)
        desk.objects(count)
        everything = journal(page)
        page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name=re.compile("Submit"))).to_have_count(0)
    assert len(everything) == 50
    page.context.set_offline(False)
    wait_until_sent(page)
    handed_in(page, work)
    found = [work.held(n) for n in range(3)]
    assert [len(one) for one in found] == [17, 17, 16]
    assert found[0] | found[1] | found[2] == everything


def test_a_browser_that_keeps_nothing_says_so(site: Site, console: Console) -> None:
    work = Work(site, console)
    work.desk.page.context.add_init_script(NO_STORAGE)
    desk = work.begin()
    expect(desk.page.get_by_text("This browser keeps nothing", exact=False)).to_be_visible()
    desk.draw(0.4, 0.4, 0.5, 0.5)
    desk.saved(1)
    assert len(work.held()) == 1
