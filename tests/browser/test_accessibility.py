"""Every page under axe-core, in both themes: nothing serious that keeps somebody out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from appliance.web.static import DIST
from tests._site import Site, site_at
from tests.browser._console import Console

AXE = DIST.parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A box with a project in which every page has something to show."""
    with site_at(tmp_path_factory.mktemp("accessible") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def project_id(site: Site) -> int:
    """A project with images in several states, a snapshot and exports."""
    made = site.project()
    label = site.labels(made)[0]["id"]
    site.approved(made, label)
    waiting = site.image(made, "waiting.png")
    revision = site.draw(made, waiting["id"], label)
    site.ok(site.tell(made, site.task(made, waiting["id"])["id"], "submit", {"revision": revision}))
    begun = site.image(made, "begun.png")
    site.draw(made, begun["id"], label)
    for number in range(4):
        site.image(made, f"open-{number}.png")
    for format_name in ("coco", "yolo"):
        site.finished(site.people["owner"].post(f"/api/projects/{made}/exports", json={"format": format_name}))
    return made


def _visible(selector: str) -> Callable[[Page], None]:
    return lambda page: expect(page.locator(selector).first).to_be_visible()


def _press(name: str, role: str = "button") -> Callable[[Page], None]:
    def opened(page: Page) -> None:
        page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]
        expect(page.get_by_role("dialog")).to_be_visible()

    return opened


def _keys(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def _on_the_bench(page: Page) -> None:
    expect(page.get_by_role("button", name="Submit")).to_be_enabled()


def _skip(page: Page) -> None:
    _on_the_bench(page)
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _comment(page: Page) -> None:
    _on_the_bench(page)
    page.keyboard.press("c")
    page.locator(".canvas").click()
    expect(page.get_by_role("textbox").first).to_be_visible()


def _segment(page: Page) -> None:
    _on_the_bench(page)
    page.keyboard.press("s")
    expect(page.get_by_role("group", name="Smart segment")).to_be_visible()


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "projects": ("/", _visible("tbody tr")),
    "new-project": ("/", _press("New project")),
    "jobs": ("/jobs", _visible("tbody tr")),
    "box-models": ("/models", _visible("h1")),
    "keys": ("/", _keys),
    "images": (
        "/projects/{id}/images",
        lambda page: expect(page.get_by_role("link", name="waiting.png")).to_be_visible(),
    ),
    "first-label": ("/projects/{bare}/annotate", _visible(".first-label")),
    "skip": ("/projects/{id}/annotate", _skip),
    "comment": ("/projects/{id}/annotate", _comment),
    "segment": ("/projects/{id}/annotate", _segment),
    "annotate": ("/projects/{id}/annotate", _visible(".palette")),
    "review": ("/projects/{id}/review", _visible(".verdict")),
    "dataset": ("/projects/{id}/dataset", _visible("tbody tr")),
    "snapshot": ("/projects/{id}/dataset", _press("Contents")),
    "export": ("/projects/{id}/dataset", _press("Export")),
    "models": ("/projects/{id}/models", _visible("h1")),
    "add-model": ("/projects/{id}/models", _press("Add a model")),
    "work": ("/projects/{id}/work", _visible("tbody tr")),
    "history": ("/projects/{id}/history", _visible("h1")),
    "settings": ("/projects/{id}/settings", _visible("tbody tr")),
    "label": ("/projects/{id}/settings", _press("Edit bolt")),
    "insights": ("/projects/{id}/insights", _visible(".chart canvas")),
    "health": ("/system", lambda page: expect(page.get_by_text("onnxruntime")).to_be_visible()),
    "storage": ("/system/storage", _visible(".sizes tr")),
    "stored-files": ("/system/files", _visible("h1")),
    "users": ("/system/users", _visible("tbody tr")),
    "new-user": ("/system/users", _press("Add a person")),
    "invite": ("/system/users", _press("Invite")),
    "reset-code": ("/system/users", _press("Reset password")),
    "audit": ("/system/audit", _visible("tbody tr")),
    "account": ("/account", _visible("tbody tr")),
    "new-token": ("/account", _press("Make a token")),
    "nowhere": ("/nowhere", _visible("h1")),
}


def violations(page: Page) -> list[str]:
    """Run axe-core on the page and return what is serious, with the elements."""
    page.evaluate(AXE.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "(rules) => axe.run(document, {runOnly: rules}).then((result) => result.violations)", RULES
    )
    return [
        f"{one['id']}: {one['help']}\n" + "\n".join(f"    {node['html'][:200]}" for node in one["nodes"][:5])
        for one in found
        if one["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_page_has_a_serious_violation(site: Site, console: Console, project_id: int, theme: str) -> None:
    desk = console.open(site.box.url, site.people["admin"], color_scheme=theme)
    faults: list[str] = []
    bare = site.project(labels=())
    site.image(bare)
    for name, (path, ready) in PAGES.items():
        page = desk.go(path.format(id=project_id, bare=bare))
        ready(page)
        faults += [f"{name}: {fault}" for fault in violations(page)]
    gate = console.open(site.box.url, color_scheme=theme).go("/")
    expect(gate.get_by_role("heading", name="Sign in")).to_be_visible()
    faults += [f"sign-in: {fault}" for fault in violations(gate)]
    for path, heading in (
        ("/reset", "Choose a new password"),
        ("/register", "Register"),
        ("/trust", "Trust this box"),
    ):
        gate.goto(site.box.url + path)
        expect(gate.get_by_role("heading", name=heading)).to_be_visible()
        faults += [f"{path}: {fault}" for fault in violations(gate)]
    assert not faults, "\n".join(faults)


def test_the_check_finds_what_is_wrong(site: Site, console: Console) -> None:
    page = console.open(site.box.url, site.people["admin"]).go("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any(fault.startswith("button-name") for fault in violations(page))


def test_a_page_is_left_by_the_keyboard(site: Site, console: Console, project_id: int) -> None:
    """Tab goes through every page and comes out again: no part of it holds the focus."""
    page = console.open(site.box.url, site.people["admin"]).go(f"/projects/{project_id}/settings")
    expect(page.get_by_role("heading", name="Members")).to_be_visible()
    seen: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        where = page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        if where.startswith("<body"):
            break
        seen.append(where)
    assert where.startswith("<body"), seen[-3:]
    assert len(set(seen)) > 15
