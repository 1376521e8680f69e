import hashlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from appliance.demo.content import DEMO_LABELS
from appliance.demo.scene import SIZE, picture_name, pictures, render, truth, write_pictures
from appliance.geometry.box import Box
from appliance.geometry.polygon import Polygon

_SEEDS = range(500, 508)


@pytest.fixture(scope="module")
def drawn():
    return {seed: render(seed) for seed in _SEEDS}


def test_same_seed_gives_same_bytes_whatever_was_drawn_before(drawn):
    first, _, again = (picture.data for picture in pictures((500, 777, 500)))
    assert first == again
    assert np.array_equal(render(500).pixels, drawn[500].pixels)


def test_same_seed_gives_same_bytes_in_another_process():
    code = (
        "import hashlib; from appliance.demo.scene import pictures; "
        "print(hashlib.sha256(next(pictures([501])).data).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert elsewhere.stdout.strip() == hashlib.sha256(next(pictures([501])).data).hexdigest()


def test_other_seeds_give_other_pictures(drawn):
    assert len({scene.pixels.tobytes() for scene in drawn.values()}) == len(drawn)


def test_picture_has_the_size_asked_for():
    scene = render(3, (640, 480))
    assert scene.pixels.shape == (480, 640, 3)
    assert scene.pixels.dtype == np.uint8
    assert all(item.box[2] <= 640 and item.box[3] <= 480 for item in scene.objects)


def test_objects_are_valid_geometry_inside_the_picture(drawn):
    for scene in drawn.values():
        assert scene.objects
        for item in scene.objects:
            Box(*item.box).check(*SIZE)
            Polygon(parts=item.rings).check(*SIZE)
            assert item.label in dict(DEMO_LABELS)
            assert 0.25 <= item.visible <= 1


def test_box_is_tight_around_the_polygons(drawn):
    for item in (item for scene in drawn.values() for item in scene.objects):
        bounds = np.array(Polygon(parts=item.rings).bounds())
        outward = (bounds - np.array(item.box)) * (1, 1, -1, -1)
        assert (outward >= 0).all()
        assert (outward <= 0.5).all()


def test_polygons_of_two_objects_do_not_claim_the_same_pixels(drawn):
    for scene in drawn.values():
        claimed = np.zeros(SIZE[::-1], np.uint8)
        for item in scene.objects:
            mask = np.zeros_like(claimed)
            rings = [np.rint(np.reshape(ring, (-1, 2)) - 0.5) for part in item.rings for ring in part]
            cv2.fillPoly(mask, [ring.astype(np.int32) for ring in rings], 1)
            claimed += cv2.erode(mask, np.ones((5, 5), np.uint8))
        assert claimed.max() == 1


def test_whole_washers_and_nuts_have_a_bore(drawn):
    objects = [item for scene in drawn.values() for item in scene.objects if item.visible == 1]
    bored = [item for item in objects if item.label in {"nut", "washer"}]
    assert bored
    # A split washer's bore is open, so its outline is one ring.
    assert all(len(item.rings[0]) == 2 for item in bored if item.label == "nut")
    assert all(len(item.rings[0]) == 1 for item in objects if item.label not in {"nut", "washer"})


def test_written_pictures_are_jpegs_named_like_their_truth(tmp_path):
    paths = write_pictures(tmp_path, (9, 10))
    assert [path.name for path in paths] == [picture_name(9), picture_name(10)] == list(truth((9, 10)))
    width, height = SIZE
    assert all(cv2.imread(str(path)).shape == (height, width, 3) for path in paths)
