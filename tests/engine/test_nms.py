from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from appliance.engine.decoders._nms import CLASS_OFFSET_PX, suppress


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    together = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - wide * high
    return wide * high / together


def one_by_one(found: np.ndarray, scores: np.ndarray, classes: np.ndarray, iou: float) -> list[int]:
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        same = (k for k in kept if classes[k] == classes[index])
        if all(overlap(found[index], found[k]) <= iou for k in same):
            kept.append(int(index))
    return kept


coordinate = st.integers(0, 40)
candidate = st.tuples(coordinate, coordinate, st.integers(1, 30), st.integers(1, 30), st.integers(0, 3))


@given(st.lists(candidate, min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_it_keeps_what_comparing_all_pairs_keeps(rows: list[tuple[int, ...]], random: object) -> None:
    found = boxes(*((x, y, x + w, y + h) for x, y, w, h, _ in rows))
    classes = np.array([row[4] for row in rows])
    scores = np.linspace(0.3, 0.9, len(rows), dtype=np.float32)
    random.shuffle(scores)  # type: ignore[attr-defined]
    # A threshold that no quotient of whole numbers of this size meets exactly.
    kept = suppress(found, scores, classes, iou=0.70001, limit=300)
    assert kept.tolist() == one_by_one(found, scores, classes, 0.70001)


def test_boxes_of_other_classes_stay_unless_agnostic() -> None:
    same = boxes((0, 0, 10, 10), (0, 0, 10, 10))
    scores, classes = np.array([0.4, 0.8], np.float32), np.array([0, 1])
    assert suppress(same, scores, classes, iou=0.7, limit=300).tolist() == [1, 0]
    assert suppress(same, scores, classes, iou=0.7, limit=300, agnostic=True).tolist() == [1]


def test_an_overlap_of_exactly_the_threshold_stays() -> None:
    halves = boxes((0, 0, 10, 10), (0, 0, 10, 5))
    scores, classes = np.array([0.9, 0.8], np.float32), np.zeros(2)
    assert len(suppress(halves, scores, classes, iou=0.5, limit=300)) == 2
    assert len(suppress(halves, scores, classes, iou=0.49, limit=300)) == 1


def test_it_stops_at_the_limit_with_the_best() -> None:
    apart = boxes(*((x, 0, x + 5, 5) for x in range(0, 100, 10)))
    scores = np.linspace(0.1, 1, 10, dtype=np.float32)
    assert suppress(apart, scores, np.zeros(10), iou=0.7, limit=3).tolist() == [9, 8, 7]


def test_equal_scores_keep_their_order() -> None:
    apart = boxes(*((x, 0, x + 5, 5) for x in range(0, 100, 10)))
    assert suppress(apart, np.full(10, 0.5, np.float32), np.zeros(10), iou=0.7, limit=9).tolist() == list(range(9))


def test_no_candidates_leave_nothing() -> None:
    assert suppress(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0), iou=0.7, limit=9).size == 0


def test_boxes_without_area_are_kept_apart_from_each_other() -> None:
    points = boxes((5, 5, 5, 5), (5, 5, 5, 5))
    assert len(suppress(points, np.array([0.9, 0.8], np.float32), np.zeros(2), iou=0.7, limit=9)) == 2


def test_the_class_offset_rounds_as_in_the_original() -> None:
    # At class 79 float32 leaves steps of 1/16 pixel: these two become equal boxes there, not at class 0.
    close = boxes((10, 10, 12, 12), (10.02, 10.02, 10.53, 12.0))
    scores = np.array([0.9, 0.8], np.float32)
    moved = close[:, 0] + np.float32(79 * CLASS_OFFSET_PX)
    assert moved[0] == moved[1]
    assert len(suppress(close, scores, np.full(2, 79), iou=0.2505, limit=9)) == 2
