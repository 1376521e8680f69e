"""How much code the console sends, compressed."""

from __future__ import annotations

import gzip
import re

import pytest

from appliance.web.static import DIST

FIRST_LOAD_BYTES = 150_000
EDITOR_BYTES = 200_000


def size(pattern: str) -> int:
    """Return the compressed size of the chunks whose names fit, in bytes."""
    chunks = [path for path in (DIST / "assets").glob("*.js") if re.match(pattern, path.name)]
    assert chunks, f"no chunk is named {pattern}"
    return sum(len(gzip.compress(path.read_bytes())) for path in chunks)


@pytest.mark.skipif(not (DIST / "index.html").exists(), reason="needs the built user interface: ./run test builds it")
@pytest.mark.parametrize(
    ("pattern", "most"),
    [
        (r"(rolldown-runtime|first|base|console|images|export-dialog)-", FIRST_LOAD_BYTES),
        (r"(sight|workbench)-", EDITOR_BYTES),
    ],
)
def test_chunks_are_small(pattern: str, most: int) -> None:
    assert size(pattern) <= most
