"""Shoot every page of the demo: ``python -m tests.browser.screenshots FOLDER [--docs]``.

Shows the demo's own pictures and nothing else. With ``--docs`` the pages that the documentation
shows are written to ``docs/images`` as well, with few enough colours to stay small.
"""

from __future__ import annotations

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

_BACK_IN_REVIEW = 14
_IN_PROGRESS = 3
_MOST_BYTES = 400_000
_DOCS = ("review", "browse", "annotate", "projects", "dataset")
_SCREENS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark"},
    "light": {"color_scheme": "light"},
    "tablet": {"color_scheme": "dark", "viewport": {"width": 1024, "height": 768}, "has_touch": True},
}


def _select_first(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".objects li.on").first).to_be_visible()


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
    "health": ("admin", "/system", lambda page: expect(page.get_by_text("onnxruntime")).to_be_visible()),
    "storage": ("admin", "/system/storage", _heading),
    "stored-files": ("admin", "/system/files", _heading),
    "users": ("admin", "/system/users", _rows),
    "audit": ("admin", "/system/audit", _rows),
    "account": ("admin", "/account", _rows),
    "no-page": ("admin", "/nowhere", _heading),
}


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


def _shoot(browser: Browser, url: str, people: dict[str, httpx.Client], folder: Path) -> None:
    for screen, options in _SCREENS.items():
        console = Console(browser)
        gate = console.open(url, **options).go("/")
        expect(gate.get_by_role("heading", name="Sign in")).to_be_visible()
        gate.screenshot(path=folder / f"sign-in-{screen}.png")
        desks = {who: console.open(url, client, **options) for who, client in people.items()}
        for name, (who, path, ready) in _PAGES.items():
            page = desks[who].go(path)
            ready(page)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / f"{name}-{screen}.png")
        console.close()


def _for_docs(folder: Path) -> None:
    """Reduce the colours: an octree keeps the few bright ones of labels, which median cut drops."""
    target = ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    for name in _DOCS:
        picture = Image.open(folder / f"{name}-dark.png").convert("RGB")
        fewer = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        fewer.save(target / f"{name}.png", optimize=True)
        size = (target / f"{name}.png").stat().st_size
        assert size <= _MOST_BYTES, f"{name}.png has {size} bytes"


def main(folder: Path, docs: bool) -> None:
    """Run the demo into a new data directory, serve it and shoot."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "demo"
        command = [sys.executable, "-m", "appliance", "demo", "--exit", "--data", str(data)]
        subprocess.run(command, cwd=ROOT, check=True)
        with serving(data) as running, chromium() as browser:
            people = {name: _signed_in(running.url, name) for name in ("admin", "reviewer", "annotator")}
            _put_back(people)
            _shoot(browser, running.url, people, folder)
    if docs:
        _for_docs(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--docs" in sys.argv[2:])
