"""Fixtures of the browser tests: Chromium, a box with people in every role, pages that watch themselves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests._pictures import encode, scene
from tests._shared import ROOT
from tests._site import Site, site_at
from tests.browser._console import Console, chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module: its driver keeps an event loop in this thread."""
    with chromium() as running:
        yield running


@pytest.fixture
def console(browser: Browser) -> Iterator[Console]:
    """Opens pages; fails the test for errors on them and for requests that leave the box."""
    watching = Console(browser)
    yield watching
    watching.close()


@pytest.fixture
def port() -> int:
    """A port that is free now and can be listened on twice, one server after the other."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A box in use."""
    with site_at(tmp_path_factory.mktemp("site") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def pictures() -> list[bytes]:
    """Five different JPEGs: real photographs where the shared folder has them, else drawn ones."""
    folder = ROOT.parent / "shared" / "data" / "coco128" / "images"
    found = sorted(folder.rglob("*.jpg"))[:5] if folder.exists() else []
    return [p.read_bytes() for p in found] or [encode(scene(320 + 16 * n, 240), "jpeg") for n in range(5)]
