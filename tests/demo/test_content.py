from appliance.demo.content import (
    DEMO_LABELS,
    DEMO_SEEDS,
    TEST_SEEDS,
    VALIDATION_SEEDS,
    training_seeds,
)


def test_demo_and_test_pictures_are_not_trained_on():
    groups = [set(DEMO_SEEDS), set(TEST_SEEDS), set(VALIDATION_SEEDS), set(training_seeds(5000))]
    assert len(set.union(*groups)) == sum(map(len, groups))


def test_labels_have_distinct_colours():
    assert len({color for _, color in DEMO_LABELS}) == len(DEMO_LABELS)
