"""Fixtures of the web tests: a server nobody has claimed, and one with its administrator."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests._server import Serving, serving


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Serving]:
    """A box that waits to be set up."""
    with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
def box(fresh: Serving) -> Serving:
    """A box with its first administrator, admin@example.org."""
    fresh.claim()
    return fresh


@pytest.fixture
def admin(box: Serving) -> httpx.Client:
    """The first administrator, signed in."""
    return box.clients[0]


@pytest.fixture
def port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
