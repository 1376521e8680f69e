"""The box fails to answer for a moment while its socket lives on: the page recovers by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

from tests._site import Site, picture
from tests.browser._console import Console, Desk
from tests.browser.test_nothing_lost import OFFLINE, kept

SILENT = "The box does not answer"


@dataclass
class Line:
    """The way of requests to the box; the socket has one of its own."""

    cut: bool = False
    refused: list[str] = field(default_factory=list)

    def answer(self, route: Route) -> None:
        if self.cut:
            self.refused.append(route.request.url)
            route.abort("connectionfailed")
        else:
            route.fallback()


def line_of(desk: Desk) -> Line:
    line = Line()
    desk.page.context.route("**/api/**", line.answer)
    return line


def opened(site: Site, console: Console, pictures: int) -> tuple[int, list[int], Desk, Line]:
    """Open the annotator's queue of a new project, and count the page's sockets."""
    console.expects(OFFLINE)
    project_id = site.project()
    images = [site.image(project_id, f"{n}.png", picture(320, 240))["id"] for n in range(pictures)]
    desk = console.open(site.box.url, site.box.signed_in("annotator"))
    return project_id, images, desk, line_of(desk)


def shown(page: Page, name: str) -> None:
    expect(page.get_by_role("img", name=re.compile(rf"^{re.escape(name)}, \d+ objects?$"))).to_be_visible()


def well(page: Page) -> None:
    """Wait until nothing on the page speaks of the outage any more."""
    expect(page.get_by_text(SILENT)).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_image_that_could_not_be_read_comes_by_itself(site: Site, console: Console) -> None:
    project_id, images, desk, line = opened(site, console, 12)
    sockets: list[str] = []
    desk.page.on("websocket", lambda socket: sockets.append(socket.url))
    page = desk.go(f"/projects/{project_id}/annotate?image={images[-1]}")
    shown(page, "11.png")
    strip = page.get_by_role("list", name="Queue").get_by_role("button")
    expect(strip).to_have_count(12)
    line.cut = True
    strip.nth(8).click()
    expect(page.get_by_role("alert").filter(has_text=SILENT)).to_be_visible()
    line.cut = False
    place = parse_qs(urlsplit(page.url).query)["image"][0]
    shown(page, f"{images.index(int(place))}.png")
    well(page)
    assert len(sockets) == 1


def test_the_queue_goes_on_by_itself(site: Site, console: Console) -> None:
    project_id, _, desk, line = opened(site, console, 5)
    page = desk.go(f"/projects/{project_id}/annotate")
    shown(page, "0.png")
    desk.draw(0.3, 0.3, 0.4, 0.4)
    desk.saved(1)
    line.cut = True
    page.keyboard.press("d")
    shown(page, "1.png")
    expect(page.get_by_role("banner").get_by_text(SILENT)).to_be_visible()
    desk.draw(0.5, 0.5, 0.6, 0.6)
    kept(desk, "Offline · 1 change kept")
    line.cut = False
    desk.saved(1)
    well(page)
    for name in ("2.png", "3.png"):
        page.keyboard.press("d")
        shown(page, name)
    well(page)


def test_what_was_asked_for_in_vain_says_that_it_can_be_asked_again(site: Site, console: Console) -> None:
    project_id, _, _, _ = opened(site, console, 1)
    desk = console.open(site.box.url, site.box.signed_in("owner"))
    line, page = line_of(desk), desk.go(f"/projects/{project_id}/settings")
    guideline = page.get_by_role("textbox", name="Guideline")
    guideline.fill("Whole bolts only.")
    line.cut = True
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("alert").filter(has_text=SILENT)).to_be_visible()
    line.cut = False
    expect(page.get_by_text("The box did not answer this, and answers now. Try again.")).to_be_visible()
    page.get_by_role("button", name="Save").first.click()
    well(page)
    assert line.refused
