"""Shoot every page of the demo: ``python -m tests.browser.screenshots FOLDER [--docs] [--data DEMO]``.

Shows the demo's own pictures and nothing else. Names of pages after the folder shoot only these; names of
screens (`_SCREENS`) shoot only on these. With ``--data`` the demo is kept in that folder, and used again.
With ``--docs`` the pages that the documentation shows are written to ``docs/images`` as well, with
few enough colours to stay small.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests._server import serving
from tests._shared import ROOT
from tests.browser._console import Console, chromium
from tests.browser._states import STATES, Stage

_BACK_IN_REVIEW = 14
_IN_PROGRESS = 3
_MOST_BYTES = 400_000
_DOCS = {
    **{name: f"{name}-dark" for name in ("annotate", "review", "browse", "comments", "insights", "models", "projects",
                                         "dataset")},
    "tablet": "annotate-tablet",
    "light": "review-light",
}  # fmt: skip
"""Pictures of the documentation, and which page on which screen each of them shows."""
_DECODED = """async () => {
    const inView = [...document.images].filter((one) => one.getBoundingClientRect().top < innerHeight);
    await Promise.all(inView.map((one) => one.decode().catch(() => null)));
}"""
_SCREENS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark"},
    "light": {"color_scheme": "light"},
    "tablet": {"color_scheme": "dark", "viewport": {"width": 1024, "height": 768}, "has_touch": True},
    "upright": {"color_scheme": "light", "viewport": {"width": 820, "height": 1180}, "has_touch": True},
}


def _select_first(page: Page) -> None:
    page.locator(".canvas").focus()
    page.keyboard.press("Tab")
    expect(page.locator("footer.status").get_by_text(", confidence")).to_be_visible()


def _ready_to_review(page: Page) -> None:
    expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    _select_first(page)


def _annotating(page: Page) -> None:
    expect(page.get_by_role("button", name="Submit")).to_be_enabled()
    _select_first(page)


def _grid(page: Page) -> None:
    expect(page.get_by_role("list", name="Images").get_by_role("link").first).to_be_visible()


def _heading(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def _rows(page: Page) -> None:
    expect(page.locator("tbody tr").first).to_be_visible()


def _dialog(name: str) -> Callable[[Page], None]:
    def opened(page: Page) -> None:
        _grid(page)
        page.get_by_role("button", name=name).first.click()
        expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_visible()

    return opened


def _selecting(page: Page) -> None:
    _grid(page)
    page.get_by_role("list", name="Images").get_by_role("checkbox").nth(3).check(force=True)
    expect(page.get_by_text("1 selected")).to_be_visible()


def _opened(button: str) -> Callable[[Page], None]:
    """Press a button of the page and wait for its dialog."""

    def opened(page: Page) -> None:
        page.get_by_role("button", name=button).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()

    return opened


def _skipping(page: Page) -> None:
    _annotating(page)
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _commenting(page: Page) -> None:
    _annotating(page)
    page.locator(".canvas").hover(position={"x": 400, "y": 300})
    page.keyboard.press("c")
    expect(page.get_by_role("textbox").first).to_be_visible()


def _segmenting(page: Page) -> None:
    expect(page.get_by_role("button", name="Submit")).to_be_enabled()
    page.keyboard.press("s")
    page.locator(".canvas").click(position={"x": 420, "y": 300})
    expect(page.locator("footer.status").get_by_text("1 click", exact=True)).to_be_visible()


def _refusing(page: Page) -> None:
    expect(page.get_by_role("alert").first).to_be_visible()


def _keys(page: Page) -> None:
    _heading(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


_PAGES: dict[str, tuple[str, str, Callable[[Page], None]]] = {
    "projects": ("admin", "/", _rows),
    "jobs": ("admin", "/jobs", _rows),
    "box-models": ("admin", "/models", _heading),
    "keys": ("admin", "/", _keys),
    "browse": ("reviewer", "/projects/1/images", _grid),
    "selection": ("admin", "/projects/1/images", _selecting),
    "auto-label": ("admin", "/projects/1/images", _dialog("Auto-label")),
    "picture": (
        "admin",
        "/projects/1/images/1",
        lambda page: expect(page.locator(".objects li").first).to_be_visible(),
    ),
    "annotate": ("annotator", "/projects/1/annotate", _annotating),
    "review": ("reviewer", "/projects/1/review", _ready_to_review),
    "dataset": ("admin", "/projects/1/dataset", _rows),
    "models": ("admin", "/projects/1/models", _heading),
    "settings": ("admin", "/projects/1/settings", _heading),
    "insights": ("admin", "/projects/1/insights", _heading),
    "work": ("admin", "/projects/1/work", _rows),
    "history": ("admin", "/projects/1/history", _heading),
    "add-model": ("admin", "/projects/1/models", _opened("Add a model")),
    "skip": ("annotator", "/projects/1/annotate", _skipping),
    "comment": ("annotator", "/projects/1/annotate", _commenting),
    "segment": ("annotator", "/projects/1/annotate", _segmenting),
    "undo": ("admin", "/jobs", _opened("Undo")),
    "invite": ("admin", "/system/users", _opened("Invite")),
    "reset-code": ("admin", "/system/users", _opened("Reset password")),
    "first-label": (
        "admin",
        "/projects/2/annotate",
        lambda page: expect(page.get_by_label("First label")).to_be_visible(),
    ),
    "no-images": (
        "admin",
        "/projects/3/images",
        lambda page: expect(page.get_by_text("No images yet")).to_be_visible(),
    ),
    "no-insights": ("admin", "/projects/3/insights", _heading),
    "no-dataset": ("admin", "/projects/3/dataset", _heading),
    "no-models": ("admin", "/projects/3/models", _heading),
    "no-work": ("admin", "/projects/3/work", _heading),
    "no-history": ("admin", "/projects/3/history", _heading),
    "nothing-left": ("admin", "/projects/3/annotate", lambda page: expect(page.locator(".empty")).to_be_visible()),
    "trust": ("admin", "/trust", _heading),
    "broken-projects": ("admin", "/", _refusing),
    "broken-images": ("admin", "/projects/1/images", _refusing),
    "broken-dataset": ("admin", "/projects/1/dataset", _refusing),
    "lost-dataset": ("admin", "/projects/1/dataset", _refusing),
    "health": ("admin", "/system", lambda page: expect(page.get_by_text("onnxruntime")).to_be_visible()),
    "storage": ("admin", "/system/storage", _heading),
    "stored-files": ("admin", "/system/files", _heading),
    "users": ("admin", "/system/users", _rows),
    "audit": ("admin", "/system/audit", _rows),
    "account": ("admin", "/account", _rows),
    "no-page": ("admin", "/nowhere", _heading),
}


_BROKEN = {"projects": "**/api/projects", "images": "**/api/projects/1/images*", "dataset": "**/snapshots"}
_FAULT = '{"code": "error", "title": "Internal Server Error", "detail": "the box made a mistake: its log says more"}'


def _break(page: Page, name: str) -> None:
    """Let the box answer a page's question with an error, or not at all, as its name says."""
    page.unroute_all()
    kind, _, what = name.partition("-")
    if kind == "broken":
        page.route(_BROKEN[what], lambda route: route.fulfill(status=500, body=_FAULT))
    elif kind == "lost":
        page.route(_BROKEN[what], lambda route: route.abort())


def _signed_in(url: str, name: str) -> httpx.Client:
    client = httpx.Client(base_url=url, headers={"Origin": url}, timeout=30)
    body = {"email": f"{name}@example.com", "password": f"{name}123"}
    client.post("/api/session", json=body).raise_for_status()
    return client


def _put_back(people: dict[str, httpx.Client]) -> None:
    """Withdraw some verdicts, so that review has a queue, and begin some of the returned images."""
    base = "/api/projects/1"
    done = people["reviewer"].get(f"{base}/tasks", params={"state": "done", "limit": 500}).json()["items"]
    for task in done[:_BACK_IN_REVIEW]:
        people["reviewer"].post(f"{base}/tasks/{task['id']}/withdraw").raise_for_status()
    for _ in range(_IN_PROGRESS):
        people["annotator"].post(f"{base}/tasks/next").raise_for_status()


def _two_more(people: dict[str, httpx.Client]) -> None:
    """Make a project with one picture and no label, and one with neither."""
    admin = people["admin"]
    for name in ("Street", "Empty"):
        made = admin.post("/api/projects", json={"name": name}).raise_for_status().json()
        if name == "Street":
            picture = admin.get("/api/projects/1/images/1/file").raise_for_status().content
            admin.post(f"/api/projects/{made['id']}/images", params={"name": "a.jpg"}, content=picture)


def _shoot(browser: Browser, url: str, people: dict[str, httpx.Client], folder: Path, only: list[str]) -> None:
    screens = [name for name in _SCREENS if name in only] or list(_SCREENS)
    names = [name for name in only if name not in _SCREENS]
    for screen in screens:
        options = _SCREENS[screen]
        console = Console(browser)
        console.expects("Failed to load resource|WebSocket connection")
        gate = console.open(url, **options).go("/")
        expect(gate.get_by_role("heading", name="Sign in")).to_be_visible()
        gate.screenshot(path=folder / f"sign-in-{screen}.png")
        desks = {who: console.open(url, client, **options) for who, client in people.items()}
        for name, (who, path, ready) in _PAGES.items():
            if names and name not in names:
                continue
            _break(desks[who].page, name)
            page = desks[who].go(path)
            ready(page)
            page.wait_for_load_state("networkidle")
            page.evaluate(_DECODED)
            page.screenshot(path=folder / f"{name}-{screen}.png")
        for name, bring_about in STATES.items():
            if not names or name in names:
                page = bring_about(Stage(console, url, people, options))
                page.screenshot(path=folder / f"{name}-{screen}.png")
                page.context.close()
        console.close()


def _for_docs(folder: Path) -> None:
    """Reduce the colours: an octree keeps the few bright ones of labels, which median cut drops."""
    target = ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    for name, shown in _DOCS.items():
        picture = Image.open(folder / f"{shown}.png").convert("RGB")
        fewer = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        fewer.save(target / f"{name}.png", optimize=True)
        size = (target / f"{name}.png").stat().st_size
        assert size <= _MOST_BYTES, f"{name}.png has {size} bytes"


def main(folder: Path, docs: bool, data: Path | None, only: list[str]) -> None:
    """Run the demo into a new data directory, or take one that is there, serve it and shoot."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        at = data or Path(scratch) / "demo"
        new = not at.exists()
        if new:
            command = [sys.executable, "-m", "appliance", "demo", "--exit", "--data", str(at)]
            subprocess.run(command, cwd=ROOT, check=True)
        with serving(at) as running, chromium() as browser:
            people = {name: _signed_in(running.url, name) for name in ("admin", "reviewer", "annotator")}
            if new:
                _put_back(people)
                _two_more(people)
            _shoot(browser, running.url, people, folder, only)
    if docs:
        _for_docs(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--data", type=Path)
    given = parser.parse_intermixed_args()
    main(given.folder, given.docs, given.data, given.names)
