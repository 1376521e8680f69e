import hashlib
import json
import re

import onnx
import pytest

from appliance.demo.content import DEMO_LABELS, TEST_SEEDS, model_path
from appliance.demo.evaluate import mean_average_precision
from appliance.demo.scene import pictures
from appliance.engine.backends.onnxruntime import BACKEND
from appliance.engine.decoders._base import PredictOptions
from appliance.engine.inspect import inspect
from appliance.engine.predictor import Item, Predictor


@pytest.fixture(scope="module")
def facts():
    return json.loads(model_path().with_suffix(".json").read_text(encoding="utf-8"))


def test_model_is_the_measured_one_and_small(facts):
    data = model_path().read_bytes()
    assert hashlib.sha256(data).hexdigest() == facts["sha256"]
    assert len(data) <= 6_000_000


def test_model_tells_nothing_of_the_machine_that_made_it():
    text = model_path().read_bytes()
    assert not re.search(rb"/(tmp|home|root|work|usr|opt|Users)/|site-packages|\.py\b|20\d\d-\d\d-\d\d", text)
    props = {item.key for item in onnx.load(model_path()).metadata_props}
    assert props.isdisjoint({"date", "author", "args", "docs"})


def test_model_names_the_labels_of_the_demo():
    info = inspect(model_path())
    assert info.labels == [name for name, _ in DEMO_LABELS]
    assert info.task == "detect"


def test_engine_finds_the_parts_on_pictures_the_model_has_not_seen(tmp_path, facts):
    names = [name for name, _ in DEMO_LABELS]
    items, truth = [], {}
    for picture in pictures(TEST_SEEDS):
        path = tmp_path / picture.name
        path.write_bytes(picture.data)
        items.append(Item(picture.name, path))
        truth[picture.name] = [(item.label, item.box) for item in picture.objects]
    found = {}
    with Predictor(model_path(), inspect(model_path()), BACKEND, "cpu", PredictOptions(conf=0.001)) as predictor:
        for outcome in predictor.predict(items):
            assert outcome.error is None
            found[outcome.key] = [
                (names[item.class_index], item.geometry.bounds(), item.confidence) for item in outcome.predictions
            ]
    accuracy = mean_average_precision(found, truth)
    assert accuracy.map50 >= 0.80
    assert accuracy.map50 == pytest.approx(facts["map50"], abs=0.02)
    assert accuracy.map50_95 == pytest.approx(facts["map50_95"], abs=0.02)
