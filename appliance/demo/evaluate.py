"""How good predictions are: average precision as COCO counts it, and a reviewer's judgement.

A box is x1, y1, x2, y2 in canonical pixels. Truth is a list of ``(label, box)`` for each picture,
predictions are lists of ``(label, box, confidence)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from appliance.demo.scene import Box

__all__ = ["Accuracy", "Predicted", "Reason", "Truth", "match", "mean_average_precision", "overlap"]

Truth = tuple[str, Box]
Predicted = tuple[str, Box, float]

# Source: pycocotools' cocoeval.Params: ten overlaps, 101 recalls, the 100 surest per picture and label.
_OVERLAPS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0.0, 1.0, 101)
_MOST = 100


class Accuracy(NamedTuple):
    """Mean average precision, 0..1, at an overlap of 0.5 and over 0.5 to 0.95; `labels` holds both by label."""

    map50: float
    map50_95: float
    labels: dict[str, tuple[float, float]]


class Reason(NamedTuple):
    """Why a reviewer sends a picture back: what is wrong, with which label, where."""

    kind: str
    label: str
    box: Box


def overlap(first: Sequence[Box], second: Sequence[Box]) -> NDArray[np.float64]:
    """Return the intersection over union of each box of `first` with each of `second`, (n, m), 0..1."""
    a = np.asarray(first, np.float64).reshape(-1, 1, 4)
    b = np.asarray(second, np.float64).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.prod(np.maximum(sides, 0), axis=-1)
    areas = np.prod(a[..., 2:] - a[..., :2], axis=-1) + np.prod(b[..., 2:] - b[..., :2], axis=-1)
    return shared / np.maximum(areas - shared, 1e-12)


def mean_average_precision(
    predictions: Mapping[str, Sequence[Predicted]], truth: Mapping[str, Sequence[Truth]]
) -> Accuracy:
    """Compare predictions with the truth over all pictures of `truth`.

    Labels that occur in no truth do not count, as with COCO.

    Source: pycocotools' COCOeval, which a test compares this with.

    Args:
        predictions: By picture; a picture may be missing when nothing was found on it.
        truth: By picture.
    """
    names = sorted(truth)
    labels = sorted({label for items in truth.values() for label, _ in items})
    scores = {}
    for label in labels:
        pairs = [
            (
                [(box, confidence) for kind, box, confidence in predictions.get(name, ()) if kind == label],
                [box for kind, box in truth[name] if kind == label],
            )
            for name in names
        ]
        scores[label] = _average_precision(pairs)
    if not scores:
        return Accuracy(0.0, 0.0, {})
    table = np.array(list(scores.values()))
    by_label = {label: (float(row[0]), float(row.mean())) for label, row in scores.items()}
    return Accuracy(float(table[:, 0].mean()), float(table.mean()), by_label)


def _average_precision(
    pictures: Iterable[tuple[list[tuple[Box, float]], list[Box]]],
) -> NDArray[np.float64]:
    """Return the average precision of one label at each overlap, (10,)."""
    confidences, hits, total = [], [], 0
    for found, wanted in pictures:
        surest = sorted(found, key=lambda item: -item[1])[:_MOST]
        confidences += [confidence for _, confidence in surest]
        hits.append(_hits([box for box, _ in surest], wanted))
        total += len(wanted)
    order = np.argsort(-np.array(confidences), kind="stable")
    hit = np.concatenate(hits, axis=1)[:, order]
    return np.array([_area(row, total) for row in hit])


def _hits(found: list[Box], wanted: list[Box]) -> NDArray[np.bool_]:
    """Pair boxes, the surest first, each with the best free one; return who found one, (10, n)."""
    hit = np.zeros((len(_OVERLAPS), len(found)), bool)
    overlaps = overlap(found, wanted)
    for row, least in enumerate(_OVERLAPS):
        free = np.ones(len(wanted), bool)
        for number in range(len(found)):
            open_ = np.where(free, overlaps[number], -1)
            if len(open_) and open_.max() >= least:
                # Of equal overlaps COCO takes the last.
                free[len(open_) - 1 - int(np.argmax(open_[::-1]))] = False
                hit[row, number] = True
    return hit


def _area(hit: NDArray[np.bool_], total: int) -> float:
    """Return the mean precision at 101 recalls, precision made monotonic from the right."""
    if len(hit) == 0:
        return 0.0
    right = np.cumsum(hit)
    precision = right / np.arange(1, len(hit) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / total, _RECALLS, side="left")
    return float(np.append(precision, 0.0)[np.minimum(at, len(hit))].mean())


def match(predictions: Sequence[Truth | Predicted], truth: Sequence[Truth], iou: float = 0.5) -> list[Reason]:
    """Say what a reviewer would object to on a picture; an empty list means approval.

    Args:
        predictions: Label and box of each annotation; a confidence is passed over.
        truth: Label and box of each object.
        iou: The overlap from which a box counts as well drawn.

    Returns:
        Reasons of the kinds ``missed object``, ``wrong label``, ``loose box`` and ``false
        detection``. The first names the object, the others the annotation.
    """
    found = [(item[0], item[1]) for item in predictions]
    overlaps = overlap([box for _, box in found], [box for _, box in truth])
    same = np.array([[a == b for b, _ in truth] for a, _ in found], bool).reshape(overlaps.shape)
    free_found, free_truth = set(range(len(found))), set(range(len(truth)))
    rounds = ((same, iou, None), (~same, iou, "wrong label"), (same, 0.1, "loose box"))
    reasons = []
    for allowed, floor, kind in rounds:
        for i, j in _pairs(np.where(allowed, overlaps, 0), floor, free_found, free_truth):
            free_found.discard(i)
            free_truth.discard(j)
            if kind is not None:
                reasons.append(Reason(kind, *found[i]))
    reasons += [Reason("missed object", *truth[j]) for j in sorted(free_truth)]
    return reasons + [Reason("false detection", *found[i]) for i in sorted(free_found)]


def _pairs(overlaps: NDArray[np.float64], least: float, rows: set[int], columns: set[int]) -> list[tuple[int, int]]:
    """Pair free rows with free columns, the largest overlap first."""
    ranked = sorted(((overlaps[i, j], i, j) for i in rows for j in columns), key=lambda item: -item[0])
    pairs: list[tuple[int, int]] = []
    for overlap, i, j in ranked:
        if overlap >= least and all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    return pairs
