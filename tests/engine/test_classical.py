"""The built-in segmenter on drawn pictures, where the right answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from appliance.engine.segmenters._base import Prompt
from appliance.engine.segmenters._superpixels import Patches, patches
from appliance.engine.segmenters._walks import ends
from appliance.engine.segmenters.classical import segment


def scene(width: int = 320, height: int = 240) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a picture with a disc and a square on a noisy ground, and the masks of both."""
    rng = np.random.default_rng(1)
    picture = np.full((height, width, 3), (90, 110, 90), np.uint8)
    disc, square = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    cv2.circle(disc, (width // 3, height // 2), height // 5, 1, -1)
    cv2.rectangle(square, (width * 2 // 3, height // 3), (width * 5 // 6, height * 2 // 3), 1, -1)
    picture[disc > 0], picture[square > 0] = (200, 60, 50), (60, 70, 190)
    noisy = np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
    return noisy, disc > 0, square > 0


def asked(*clicks: tuple[float, float, bool], mask: np.ndarray | None = None) -> Prompt:
    return Prompt(
        np.array([c[:2] for c in clicks], float).reshape(-1, 2), np.array([c[2] for c in clicks], bool), None, mask
    )


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("size", [(320, 240), (1024, 768), (240, 320), (90, 70)])
def test_one_click_in_the_middle_finds_the_object(size: tuple[int, int]) -> None:
    picture, disc, square = scene(*size)
    for truth in (disc, square):
        y, x = (round(float(v.mean())) for v in np.nonzero(truth))
        found = segment(picture, asked((x + 0.5, y + 0.5, True)))
        assert found.mask.shape == truth.shape
        assert overlap(found.mask, truth) > 0.8
        assert 0 <= found.score <= 1


def test_a_box_finds_what_is_in_it_and_nothing_beyond() -> None:
    picture, disc, _ = scene()
    ys, xs = np.nonzero(disc)
    box = (float(xs.min() - 4), float(ys.min() - 4), float(xs.max() + 5), float(ys.max() + 5))
    found = segment(picture, Prompt(np.zeros((0, 2)), np.zeros(0, bool), box))
    assert overlap(found.mask, disc) > 0.8
    outside = found.mask.copy()
    outside[int(box[1]) : int(box[3]) + 1, int(box[0]) : int(box[2]) + 1] = False
    assert not outside.any()


def test_clicks_add_another_part_and_take_one_away() -> None:
    picture, disc, square = scene()
    on_disc, on_square = (106.5, 120.5, True), (240.5, 120.5, True)
    first = segment(picture, asked(on_disc)).mask
    both = segment(picture, asked(on_disc, on_square, mask=first)).mask
    assert overlap(both, disc | square) > 0.75
    alone = segment(picture, asked(on_disc, (240.5, 120.5, False), mask=both)).mask
    assert overlap(alone, disc) > 0.8
    assert not (alone & square).any()


def test_every_positive_click_is_inside_and_every_negative_one_outside() -> None:
    rng = np.random.default_rng(3)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (150, 200, 3), np.uint8), (0, 0), 4)
    mask = None
    clicks: list[tuple[float, float, bool]] = []
    for x, y, on in ((50, 60, True), (150, 100, False), (90, 120, True), (120, 30, False), (30, 20, True)):
        clicks.append((x + 0.5, y + 0.5, on))
        mask = segment(picture, asked(*clicks, mask=mask)).mask
        assert all(mask[int(b), int(a)] == sign for a, b, sign in clicks)


def test_the_same_clicks_give_the_same_mask() -> None:
    picture, _, _ = scene()
    first, second = (segment(picture, asked((106.5, 120.5, True))).mask for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("shade", [0, 255])
def test_a_picture_without_any_edge_still_answers(shade: int) -> None:
    found = segment(np.full((60, 80, 3), shade, np.uint8), asked((40, 30, True))).mask
    assert found[30, 40]


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (33, 2), (9, 9)])
def test_tiny_pictures_answer(size: tuple[int, int]) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    found = segment(picture, asked((0.5, 0.5, True)))
    assert found.mask.shape == size
    assert found.mask[0, 0]


def test_patches_cover_the_picture_and_follow_its_edges() -> None:
    picture, disc, _ = scene()
    found = patches(picture)
    count = len(found.sizes)
    assert set(np.unique(found.of)) == set(range(count))
    assert found.sizes.sum() == picture.shape[0] * picture.shape[1]
    assert np.allclose(found.laplacian, found.laplacian.T)
    assert np.allclose(found.laplacian.sum(axis=1), 0)
    inside = np.bincount(found.of.ravel(), disc.ravel(), minlength=count) / found.sizes
    assert found.sizes[(inside > 0.15) & (inside < 0.85)].sum() < 0.02 * disc.size


@pytest.mark.parametrize("kind", ["noise", "scene", "bands", "flat"])
@pytest.mark.parametrize("fixed", [([5], []), ([0, 9], [3, 40]), ([7], list(range(10, 90)))])
def test_walks_end_where_one_large_system_says(kind: str, fixed: tuple[list[int], list[int]]) -> None:
    rng = np.random.default_rng(4)
    picture = {
        "noise": cv2.GaussianBlur(rng.integers(0, 256, (150, 200, 3), np.uint8), (0, 0), 4),
        "scene": scene(256, 192)[0],
        "bands": np.repeat(rng.integers(0, 256, (8, 1, 3), np.uint8), 20, axis=0).repeat(230, axis=1),
        "flat": np.full((120, 120, 3), 80, np.uint8),
    }[kind]
    found = patches(picture)
    on, off = (np.array(ids, int) for ids in fixed)
    likely = ends(found, on, off, (0.15, 0.0125))
    for rate, row in zip((0.15, 0.0125), likely, strict=True):
        assert np.allclose(row, _densely(found, on, off, rate), atol=1e-9)


def _densely(found: Patches, on: np.ndarray, off: np.ndarray, rate: float) -> np.ndarray:
    system = found.laplacian + rate * np.diag(found.sizes / found.sizes.mean())
    wanted = np.zeros(len(found.sizes))
    fixed = np.concatenate([on, off])
    system[fixed] = np.eye(len(wanted))[fixed]
    wanted[on] = 1
    return np.linalg.solve(system, wanted)


def test_walks_between_fixed_patches_alone_need_no_system() -> None:
    found = patches(np.zeros((9, 9, 3), np.uint8))
    everything = np.arange(len(found.sizes))
    assert ends(found, everything, np.zeros(0, int), (0.1,)).tolist() == [[1.0] * len(everything)]
