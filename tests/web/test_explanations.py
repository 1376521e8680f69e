"""Each code of a problem has a page that a person can read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.errors import PixelQueueError
from appliance.web.problems import status_of
from tests._server import Serving, serving


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("explanations")) as running:
        yield running


def kinds(kind: type[PixelQueueError] = PixelQueueError) -> list[type[PixelQueueError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in kinds(child))]


@pytest.mark.parametrize(
    "kind", [one for one in kinds() if one.__module__ == "appliance.errors"], ids=lambda k: k.code
)
def test_every_code_is_explained(box: Serving, kind: type[PixelQueueError]) -> None:
    answer = box.client().get(f"/problems/{kind.code}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"HTTP status {status_of(kind.__new__(kind))}" in answer.text
    assert "<script" not in answer.text


def test_words_are_those_of_the_error_tree(box: Serving) -> None:
    page = box.client().get("/problems/unsafe-archive").text
    assert "An archive with paths, links or sizes that are refused" in page
    assert 'href="/problems/invalid-input"' in page


def test_a_code_that_is_none_is_not_found(box: Serving) -> None:
    assert box.client().get("/problems/nothing").status_code == 404
