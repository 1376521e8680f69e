"""Without a mouse: sign in, reach the grid, open an image, walk, go back."""

from __future__ import annotations

import re

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
