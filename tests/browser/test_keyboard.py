"""Without a mouse: sign in, reach the grid, open an image, walk, go back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests._server import PASSWORD
from tests._site import Site
from tests.browser._console import Console

MARKED = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return true;
    const style = getComputedStyle(at);
    return at.matches(":focus-visible") && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
}"""


@pytest.fixture(scope="module")
def project_id(site: Site) -> int:
    """A project in which there is something to see on every page."""
    made = site.project("none")
    image = site.image(made)
    site.draw(made, image["id"], site.labels(made)[0]["id"])
    return made


def tab_to(page: Page, role: str, name: str | re.Pattern[str]) -> None:
    """Press Tab until the element has the focus; every stop on the way must show it."""
    wanted = page.get_by_role(role, name=name).first  # type: ignore[arg-type]
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate(MARKED), page.evaluate("document.activeElement.outerHTML")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {role} {name}")


def test_from_sign_in_to_an_image_and_back(site: Site, console: Console) -> None:
    project_id = site.project()
    names = [site.image(project_id, f"{n}.png")["name"] for n in range(3)][::-1]
    page = console.open(site.box.url).go("/")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type("annotator@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    expect(page.get_by_role("link", name="Parts")).to_be_visible()
    tab_to(page, "link", "Parts")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=re.compile(names[0]))).to_be_visible()
    tab_to(page, "link", re.compile(names[0]))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    picture = page.locator("[role=img].canvas")
    expect(picture).to_have_attribute("aria-label", re.compile(f"^{names[1]}"))
    for key, name in (("d", names[2]), ("a", names[1]), ("a", names[0])):
        page.keyboard.press(key)
        expect(picture).to_have_attribute("aria-label", re.compile(f"^{name}"))
    tab_to_button = page.get_by_role("button", name="Fit")
    tab_to_button.focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("list", name="Images").get_by_role("link")).to_have_count(3)


def test_the_keys_are_told(site: Site, console: Console) -> None:
    page = console.open(site.box.url, site.people["annotator"]).go("/")
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("accept the prediction")
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)


STOPS = """() => {
    const stops = [...document.querySelectorAll("*")].filter((one) => one.tabIndex > 0);
    const moving = [...document.querySelectorAll("*")].filter((one) => {
        const { transitionDuration, animationName } = getComputedStyle(one);
        return animationName !== "none" || transitionDuration.split(", ").some((time) => parseFloat(time) > 0);
    });
    return [stops.length, moving.length];
}"""
FOLLOWS = """(element) => {
    const before = window.stopBefore;
    window.stopBefore = element;
    if (!before?.isConnected) return true;
    return Boolean(before.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);
}"""
MOST_STOPS = 150


def stops_of(page: Page) -> int:
    """Tab from the first link to the end and return how many stops there are; each is marked, in the page's order."""
    page.evaluate("() => { window.stopBefore = document.querySelector('.home'); window.stopBefore.focus(); }")
    for number in range(1, MOST_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body || !document.hasFocus()"):
            return number
        stop = page.evaluate_handle("document.activeElement").as_element()
        assert stop is not None
        assert page.evaluate(MARKED), stop.evaluate("(one) => one.outerHTML")
        if not stop.evaluate(FOLLOWS):
            return number
    raise AssertionError("Tab never comes to an end")


@pytest.mark.parametrize(
    "path",
    ["/", "/jobs", "/models", "/account", "/system", "/system/storage", "/system/files", "/system/users",
     "/system/audit", "images", "dataset", "models", "work", "insights", "history", "settings"],
)  # fmt: skip
def test_tab_goes_through_a_page_in_its_order(site: Site, console: Console, project_id: int, path: str) -> None:
    desk = console.open(site.box.url, site.people["admin"], reduced_motion="reduce")
    page = desk.go(path if path.startswith("/") else f"/projects/{project_id}/{path}")
    expect(page.get_by_role("main")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert stops_of(page) > page.locator(".topbar a:visible").count()
    assert page.evaluate(STOPS) == [0, 0]


@pytest.mark.parametrize(
    ("path", "button"),
    [("/", "New project"), ("/system/users", "Invite"), ("/system/users", "Add a person"), ("images", "Export"),
     ("dataset", "Make snapshot"), ("dataset", "Export"), ("models", "Add a model"), ("settings", "Delete project")],
)  # fmt: skip
def test_a_dialog_takes_the_focus_and_gives_it_back(
    site: Site, console: Console, project_id: int, path: str, button: str
) -> None:
    desk = console.open(site.box.url, site.people["admin"])
    page = desk.go(path if path.startswith("/") else f"/projects/{project_id}/{path}")
    opener = page.get_by_role("button", name=button, exact=True).first
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    within = "(one) => one.contains(document.activeElement) && !document.activeElement.closest('header')"
    assert dialog.evaluate(within), page.evaluate("document.activeElement.outerHTML")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_the_menu_gives_the_focus_back(site: Site, console: Console) -> None:
    page = console.open(site.box.url, site.people["admin"]).go("/")
    opener = page.locator(".menu > button")
    opener.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Account")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Account")).to_have_count(0)
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Keys").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
