"""What every segmenter owes its callers."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.engine.segmenters._base import BUILT_IN, Prompt, Segmenter, segmenters

WITHOUT_WEIGHTS = [segmenters()[BUILT_IN]]


def prompt(points: list[tuple[float, float, bool]], box: tuple[float, float, float, float] | None = None) -> Prompt:
    places = np.array([(x, y) for x, y, _ in points], np.float64).reshape(-1, 2)
    return Prompt(places, np.array([p for _, _, p in points], bool), box)


PROMPTS = [
    prompt([(5, 5, True)]),
    prompt([(0, 0, True), (19, 29, False)]),
    prompt([(20, 30, True)]),
    prompt([], (2.5, 3.5, 10, 12)),
    prompt([], (-5, -5, 50, 50)),
    prompt([(4, 4, False)], (4, 4, 4.5, 4.5)),
]


@pytest.mark.parametrize("segmenter", segmenters().values(), ids=segmenters())
def test_it_says_what_it_is(segmenter: Segmenter) -> None:
    assert segmenter.title
    assert 256 <= segmenter.side <= 4096


@pytest.mark.parametrize("segmenter", WITHOUT_WEIGHTS, ids=lambda one: one.name)
@pytest.mark.parametrize("asked", PROMPTS, ids=range(len(PROMPTS)))
def test_any_prompt_on_any_picture_gives_a_mask_of_its_size(segmenter: Segmenter, asked: Prompt) -> None:
    session = segmenter.open(None)
    for shape in ((30, 20), (1, 1), (1, 900), (700, 500)):
        for pixels in (np.full((*shape, 3), 90, np.uint8), np.random.default_rng(3).integers(0, 256, (*shape, 3))):
            found = session.decode(session.encode(pixels.astype(np.uint8)), asked, shape[1], shape[0])
            assert (found.mask.shape, found.mask.dtype) == (shape, np.bool_)
            assert 0 <= found.score <= 1
    session.close()


@pytest.mark.parametrize("segmenter", WITHOUT_WEIGHTS, ids=lambda one: one.name)
def test_the_same_prompt_gives_the_same_mask(segmenter: Segmenter) -> None:
    session = segmenter.open(None)
    seen = session.encode(np.random.default_rng(4).integers(0, 256, (90, 120, 3)).astype(np.uint8))
    asked = prompt([(40, 40, True), (100, 80, False)])
    first = session.decode(seen, asked, 120, 90)
    again = session.decode(seen, asked._replace(mask=None), 120, 90)
    assert (first.mask == again.mask).all()
    assert session.decode(seen, asked._replace(mask=first.mask), 120, 90).mask.shape == (90, 120)
