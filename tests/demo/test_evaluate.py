import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from appliance.demo.evaluate import match, mean_average_precision, overlap

_LABELS = ("bolt", "nut", "screw")


def _random_set(seed, pictures, most, coarse):
    """Return predictions and truth: jittered, relabelled, missing and invented boxes, tied confidences."""
    rng = np.random.default_rng(seed)

    def a_box():
        x, y = rng.integers(0, 200, 2)
        w, h = rng.integers(10, 60, 2)
        return np.array([x, y, x + w, y + h], float)

    def a_label():
        return _LABELS[rng.integers(len(_LABELS))]

    found, truth = {}, {}
    for number in range(pictures):
        name = f"{number:04d}.jpg"
        truth[name] = [(a_label(), tuple(a_box())) for _ in range(rng.integers(0, most))]
        found[name] = []
        for label, box in truth[name]:
            for _ in range(rng.integers(0, 3)):
                jittered = tuple(np.array(box) + rng.integers(-4, 5, 4))
                guess = label if rng.random() < 0.8 else a_label()
                found[name].append((guess, jittered, round(float(rng.random()), coarse)))
        found[name] += [
            (a_label(), tuple(a_box()), round(float(rng.random()), coarse)) for _ in range(rng.integers(0, most))
        ]
    return found, truth


def _by_pycocotools(found, truth):
    names = sorted(truth)

    def rows(sets, first):
        numbered = [(i + 1, item) for i, name in enumerate(names) for item in sets[name]]
        return [
            {
                "id": first + n,
                "image_id": image,
                "category_id": _LABELS.index(item[0]) + 1,
                "bbox": [item[1][0], item[1][1], item[1][2] - item[1][0], item[1][3] - item[1][1]],
                "area": (item[1][2] - item[1][0]) * (item[1][3] - item[1][1]),
                "iscrowd": 0,
                **({"score": item[2]} if len(item) == 3 else {}),
            }
            for n, (image, item) in enumerate(numbered)
        ]

    with contextlib.redirect_stdout(io.StringIO()):
        ground = COCO()
        ground.dataset = {
            "info": {},
            "images": [{"id": i + 1} for i in range(len(names))],
            "categories": [{"id": i + 1, "name": name} for i, name in enumerate(_LABELS)],
            "annotations": rows(truth, 1),
        }
        ground.createIndex()
        run = COCOeval(ground, ground.loadRes(rows(found, 1)), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats[1], run.stats[0]


@pytest.mark.parametrize(
    ("seed", "pictures", "most", "coarse"),
    [(1, 12, 6, 6), (2, 30, 4, 1), (3, 5, 90, 2), (4, 40, 2, 6), (5, 3, 160, 1)],
)
def test_agrees_with_pycocotools(seed, pictures, most, coarse):
    found, truth = _random_set(seed, pictures, most, coarse)
    ours = mean_average_precision(found, truth)
    theirs = _by_pycocotools(found, truth)
    assert (ours.map50, ours.map50_95) == pytest.approx(theirs, abs=1e-9)


def test_perfect_predictions_score_one():
    _, truth = _random_set(6, 10, 6, 6)
    found = {name: [(*item, 0.9) for item in items] for name, items in truth.items()}
    assert mean_average_precision(found, truth)[:2] == pytest.approx((1.0, 1.0))


def test_no_predictions_score_zero_and_no_truth_scores_nothing():
    _, truth = _random_set(7, 4, 6, 6)
    assert mean_average_precision({}, truth).map50 == 0
    assert mean_average_precision({"a": [("nut", (0, 0, 9, 9), 0.5)]}, {"a": []}).labels == {}


def test_iou_of_known_boxes():
    overlaps = overlap([(0, 0, 10, 10)], [(0, 0, 10, 10), (5, 0, 15, 10), (20, 20, 30, 30)])
    assert overlaps == pytest.approx(np.array([[1, 1 / 3, 0]]))


_TRUTH = [("nut", (0.0, 0.0, 10.0, 10.0)), ("bolt", (50.0, 50.0, 90.0, 70.0))]


def test_match_approves_what_is_complete_and_exact_enough():
    assert match([("bolt", (51.0, 50.0, 90.0, 71.0)), _TRUTH[0]], _TRUTH) == []
    assert match([], []) == []


@pytest.mark.parametrize(
    ("found", "reasons"),
    [
        ([_TRUTH[0]], [("missed object", "bolt")]),
        ([], [("missed object", "nut"), ("missed object", "bolt")]),
        ([*_TRUTH, ("nut", (200.0, 0.0, 220.0, 20.0))], [("false detection", "nut")]),
        ([*_TRUTH, _TRUTH[0]], [("false detection", "nut")]),
        ([("washer", _TRUTH[0][1]), _TRUTH[1]], [("wrong label", "washer")]),
        ([_TRUTH[0], ("bolt", (50.0, 50.0, 140.0, 90.0))], [("loose box", "bolt")]),
    ],
)
def test_match_names_what_is_wrong(found, reasons):
    assert [(reason.kind, reason.label) for reason in match(found, _TRUTH)] == reasons


def test_match_prefers_the_pairing_with_the_right_label():
    truth = [("nut", (0.0, 0.0, 10.0, 10.0)), ("washer", (0.0, 0.0, 10.0, 10.0))]
    assert match(truth[::-1], truth) == []
