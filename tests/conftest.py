"""Options of the tests."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what makes a run longer."""
    parser.addoption(
        "--cases",
        type=int,
        default=2,
        help="generated requests of each kind to each operation, sent as everybody (tests/contract/test_fuzzing.py)",
    )
