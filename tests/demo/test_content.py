import pytest

from appliance.demo.content import (
    DEMO_LABELS,
    DEMO_SEEDS,
    TEST_SEEDS,
    VALIDATION_SEEDS,
    ground_truth,
    training_seeds,
)
from appliance.demo.scene import picture_name, truth
from appliance.errors import NotFound


def test_demo_and_test_pictures_are_not_trained_on():
    groups = [set(DEMO_SEEDS), set(TEST_SEEDS), set(VALIDATION_SEEDS), set(training_seeds(5000))]
    assert len(set.union(*groups)) == sum(map(len, groups))


def test_labels_have_distinct_colours():
    assert len({color for _, color in DEMO_LABELS}) == len(DEMO_LABELS)


def test_ground_truth_is_what_the_picture_was_drawn_with():
    seed = DEMO_SEEDS[0]
    drawn = truth([seed])[picture_name(seed)]
    assert list(ground_truth(picture_name(seed))) == [(item.label, item.box) for item in drawn]


def test_ground_truth_of_a_foreign_picture_is_refused():
    with pytest.raises(NotFound, match=r"holiday\.jpg"):
        ground_truth("holiday.jpg")
