"""The built-in segmenter: how good the mask is after a few clicks, and how long a click takes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from appliance.engine.segmenters._base import Prompt
from appliance.engine.segmenters.classical import SEGMENTER, segment
from appliance.imaging.decode import decode_bgr
from tests._shared import shared
from tests.bench._base import Bench, Figure, Options, figures, percentile

__all__ = ["BENCH"]

_OBJECTS = 80
_CLICKS = 5
_LEAST_AREA = 32 * 32
_PEER = "GrabCut seeded by discs"
_DISC_PX = 15

Answer = Callable[[np.ndarray, Prompt], np.ndarray]


class Thing(NamedTuple):
    """An object of a picture: uint8 RGB ``[h, w, 3]`` and its mask, bool ``[h, w]``."""

    picture: np.ndarray
    mask: np.ndarray


class Result(NamedTuple):
    """IoU after each click, ``[objects, clicks]``, and the milliseconds of every click."""

    overlap: np.ndarray
    times_ms: list[float]


def run(options: Options) -> Iterator[Figure]:
    """Click where the largest error is deepest, five times on each object."""
    things = _things(options.times(_OBJECTS, least=8))
    ours = _clicked(things, lambda picture, prompt: segment(picture, prompt).mask)
    large = [_larger(thing, SEGMENTER.side) for thing in things[:: max(1, len(things) // 10)]]
    whole = _clicked(large, lambda picture, prompt: segment(picture, prompt).mask)
    values = {**_named(ours), "click_p95_ms_large": (percentile(whole.times_ms, 0.95), "ms")}
    theirs = _named(_clicked(things, _grab_cut)) if options.peers else {}
    yield from figures(
        "assist",
        values,
        _PEER if options.peers else None,
        {name: value for name, (value, _) in theirs.items()} if options.peers else None,
    )


def _named(result: Result) -> dict[str, tuple[float, str]]:
    overlap = result.overlap.mean(axis=0)
    return {
        "iou_1": (float(overlap[0]), "IoU"),
        "iou_3": (float(overlap[2]), "IoU"),
        "iou_5": (float(overlap[4]), "IoU"),
        "click_p95_ms": (percentile(result.times_ms, 0.95), "ms"),
    }


def _things(count: int) -> list[Thing]:
    """Return objects of coco128 of more than 32² px, spread evenly over all of them."""
    folder = shared("data/coco128")
    described = json.loads((folder / "instances_train2017.json").read_text())
    images = {image["id"]: image for image in described["images"]}
    outlined = [a for a in described["annotations"] if not a["iscrowd"] and isinstance(a["segmentation"], list)]
    found = []
    for one in sorted(outlined, key=lambda a: (a["image_id"], a["id"])):
        image = images[one["image_id"]]
        mask = np.zeros((image["height"], image["width"]), np.uint8)
        rings = [np.round(np.reshape(ring, (-1, 2))).astype(np.int32) for ring in one["segmentation"]]
        cv2.fillPoly(mask, rings, 1)
        if mask.sum() > _LEAST_AREA:
            found.append((image["file_name"], mask.astype(bool)))
    chosen = np.unique(np.linspace(0, len(found) - 1, count).round().astype(int))
    return [Thing(_read(folder / "images" / found[i][0]), found[i][1]) for i in chosen]


def _read(path: object) -> np.ndarray:
    return np.ascontiguousarray(decode_bgr(path)[:, :, ::-1])


def _clicked(things: list[Thing], answer: Answer) -> Result:
    overlap, times_ms = np.zeros((len(things), _CLICKS)), []
    for row, (picture, truth) in enumerate(things):
        points: list[tuple[int, int]] = []
        positive: list[bool] = []
        mask: np.ndarray | None = None
        for click in range(_CLICKS):
            place, on = _next(truth, np.zeros_like(truth) if mask is None else mask)
            points.append(place)
            positive.append(on)
            prompt = Prompt(np.array(points, np.float64) + 0.5, np.array(positive), None, mask)
            started_s = time.perf_counter()
            mask = answer(picture, prompt)
            times_ms.append((time.perf_counter() - started_s) * 1000)
            overlap[row, click] = (mask & truth).sum() / (mask | truth).sum()
    return Result(overlap, times_ms)


def _next(truth: np.ndarray, mask: np.ndarray) -> tuple[tuple[int, int], bool]:
    """Return the pixel deepest inside what is wrong, and whether it is the object's."""
    best = (-1.0, (0, 0), True)
    for on, wrong in ((True, truth & ~mask), (False, mask & ~truth)):
        depth = cv2.distanceTransform(np.pad(wrong.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        best = max(best, (float(depth[y, x]), (int(x), int(y)), on))
    return best[1], best[2]


def _larger(thing: Thing, side: int) -> Thing:
    """Return the object as it is looked at in a picture of any larger size."""
    height, width = thing.mask.shape
    size = round(width * side / max(height, width)), round(height * side / max(height, width))
    mask = cv2.resize(thing.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return Thing(cv2.resize(thing.picture, size, interpolation=cv2.INTER_CUBIC), mask)


def _grab_cut(picture: np.ndarray, prompt: Prompt) -> np.ndarray:
    """Return what plain GrabCut makes of discs around the clicks, on the whole picture."""
    known = np.full(picture.shape[:2], cv2.GC_PR_BGD, np.uint8)
    for (x, y), on in zip(prompt.points.astype(int).tolist(), prompt.positive, strict=True):
        cv2.circle(known, (x, y), _DISC_PX, cv2.GC_FGD if on else cv2.GC_BGD, -1)
    if (known == cv2.GC_FGD).any():
        cv2.setRNGSeed(0)
        cv2.grabCut(picture, known, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    return (known == cv2.GC_FGD) | (known == cv2.GC_PR_FGD)


BENCH = Bench(
    name="assist",
    summary="the built-in segmenter: masks after a few clicks",
    run=run,
    targets={
        "iou_1": "≥ 0.35",
        "iou_3": "≥ 0.55",
        "iou_5": "≥ 0.65",
        "click_p95_ms": "≤ 100 ms",
        "click_p95_ms_large": "≤ 100 ms",
    },
)
