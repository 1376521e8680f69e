import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from appliance.errors import UnreadableDataset
from appliance.formats import CROWD, Dataset, FolderSink, formats
from appliance.geometry import convert
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.records import Annotation, DatasetImage, Label
from tests._shared import shared

COCO_FORMAT = formats()["coco"]
IMAGE = {"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}
BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40]}


def read(tmp_path, *annotations, images=(IMAGE,), categories=({"id": 1, "name": "bolt"},), text=None):
    content = {"annotations": annotations, "images": images, "categories": categories}
    (tmp_path / "instances.json").write_text(text or json.dumps(content))
    reader = COCO_FORMAT.read(tmp_path / "instances.json")
    found = list(reader.images())
    return found, {note.code: note.count for note in reader.notes}


def labels_of(reader):
    return [
        Label(id=index, project_id=1, class_index=index, name=label.name, color="#000000")
        for index, label in enumerate(reader.labels)
    ]


def write(tmp_path, labels, images, **options):
    sink = FolderSink(tmp_path, lambda image: tmp_path / image.name)
    notes = COCO_FORMAT.write(Dataset(labels, lambda: iter(images)), sink, options)
    return tmp_path / "annotations.json", {note.code: note.count for note in notes}


def test_reads_coco128_with_its_crowds():
    reader = COCO_FORMAT.read(shared("data/coco128"))
    images = list(reader.images())
    annotations = [a for image in images for a in image.annotations]
    crowds = [a for a in annotations if a.attributes == {CROWD: True}]
    assert (len(images), len(annotations), len(crowds), len(reader.labels)) == (128, 939, 10, 80)
    assert {a.geometry.name for a in crowds} == {"mask"}
    assert reader.notes == []
    assert reader.labels[11].name == "stop sign"
    assert reader.labels[11].category == 13
    assert all(reader.picture_path(image.name) for image in images)


def test_pycocotools_reads_what_is_written_and_draws_the_same_masks(tmp_path):
    reader = COCO_FORMAT.read(shared("data/coco128"))
    images = list(reader.images())
    path, notes = write(tmp_path, labels_of(reader), images)
    assert notes == {}
    ours = COCO(str(path))
    theirs = COCO(str(shared("data/coco128/instances_train2017.json")))
    given = [(image, a) for image in images for a in image.annotations]
    entries = ours.loadAnns(ours.getAnnIds())
    assert len(entries) == len(given)
    originals = {(i["file_name"]): i["id"] for i in theirs.loadImgs(theirs.getImgIds())}
    for image in images[:40]:
        number = next(i["id"] for i in ours.imgs.values() if i["file_name"] == image.name)
        a = [ours.annToMask(e) for e in ours.imgToAnns[number]]
        b = [theirs.annToMask(e) for e in theirs.imgToAnns[originals[image.name]]]
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    for (image, annotation), entry in list(zip(given, entries, strict=True))[:200]:
        drawn = ours.annToMask(entry).astype(bool)
        mask = convert.to_mask(annotation.geometry, image.width, image.height).to_array()
        assert (drawn != mask).sum() <= 2 * (np.ptp(np.nonzero(mask)[0]) + np.ptp(np.nonzero(mask)[1]) + 4) * 2
        assert entry["area"] == pytest.approx(annotation.geometry.area(), abs=0.01)


def test_predictions_carry_scores_that_cocoeval_takes(tmp_path):
    reader = COCO_FORMAT.read(shared("data/bccd"))
    images = list(reader.images())[:20]
    path, _ = write(tmp_path, labels_of(reader), images)
    truth = COCO(str(path))
    predicted = tmp_path / "predicted"
    predicted.mkdir()
    guesses = [
        DatasetImage(
            name=image.name, width=image.width, height=image.height,
            annotations=[
                Annotation(id=a.id, label_id=a.label_id, geometry=a.geometry, source="model", confidence=0.5)
                for a in image.annotations
            ],
        )
        for image in images
    ]  # fmt: skip
    path, _ = write(predicted, labels_of(reader), guesses)
    entries = json.loads(path.read_text())["annotations"]
    assert {entry["score"] for entry in entries} == {0.5}
    run = COCOeval(truth, truth.loadRes(entries), "bbox")
    run.evaluate()
    run.accumulate()
    run.summarize()
    assert run.stats[0] == pytest.approx(1.0)


def test_holes_survive_and_are_holes_for_pycocotools(tmp_path):
    ring = Polygon([[[10.0, 10, 90, 10, 90, 70, 10, 70], [30.0, 30, 60, 30, 60, 50, 30, 50]]])
    label = Label(id=1, project_id=1, class_index=0, name="washer", color="#000000")
    image = DatasetImage(
        name="a.jpg", width=100, height=80, annotations=[Annotation(id="12345678", label_id=1, geometry=ring)]
    )
    path, notes = write(tmp_path, [label], [image])
    tool = COCO(str(path))
    assert notes == {}
    assert tool.annToMask(tool.loadAnns([1])[0]).sum() == tool.loadAnns([1])[0]["area"] == 80 * 60 - 30 * 20
    (read_back,) = COCO_FORMAT.read(tmp_path).images()
    assert read_back.annotations[0].geometry.area() == ring.area()


def test_splits_are_files_of_their_own(tmp_path):
    label = Label(id=1, project_id=1, class_index=0, name="washer", color="#000000")
    images = [DatasetImage(name=f"{split}.jpg", width=9, height=9, split=split) for split in ("val", "train")]
    write(tmp_path, [label], images, splits=True)
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["instances_train.json", "instances_val.json"]
    found = {image.name: image.split for image in COCO_FORMAT.read(tmp_path).images()}
    assert found == {"train.jpg": "train", "val.jpg": "val"}


@pytest.mark.parametrize(
    ("entry", "geometry", "notes"),
    [
        ({}, Box(10, 20, 40, 60), {}),
        ({"segmentation": []}, Box(10, 20, 40, 60), {}),
        ({"bbox": [-5, 20.5, 30, 100]}, Box(0, 20.5, 25, 80), {"clipped": 1}),
        ({"bbox": [10, 20, 90.004, 40]}, Box(10, 20, 100, 60), {}),
        ({"bbox": [10, 20, 0, 40]}, None, {"bad-geometry": 1}),
        ({"bbox": [200, 20, 10, 40]}, None, {"outside": 1}),
        ({"bbox": [10, 20, 30]}, None, {"bad-geometry": 1}),
        ({"bbox": None}, None, {"no-geometry": 1}),
        ({"bbox": [float("nan"), 20, 30, 40]}, None, {"bad-geometry": 1}),
        ({"bbox": [1e400, 20, 30, 40]}, None, {"outside": 1}),
        ({"bbox": ["10", "20", 30, 40]}, Box(10, 20, 40, 60), {}),
        ({"category_id": 2}, None, {"unknown-category": 1}),
        ({"category_id": 1.0}, Box(10, 20, 40, 60), {}),
        ({"image_id": 7}, None, {"unknown-image": 1}),
        ({"segmentation": [[10, 20, 40, 20, 40, 60]]}, Polygon([[[10, 20, 40, 20, 40, 60]]]), {}),
        ({"segmentation": [10, 20, 40, 20, 40, 60]}, Polygon([[[10, 20, 40, 20, 40, 60]]]), {}),
        ({"segmentation": [[10, 20, 40, 20, 40, 60, 10, 20]]}, Polygon([[[10, 20, 40, 20, 40, 60]]]), {}),
        ({"segmentation": [[10, 20, 40, 20]]}, Box(10, 20, 40, 60), {"bad-ring": 1, "bad-geometry": 1}),
        ({"segmentation": "what"}, Box(10, 20, 40, 60), {"bad-field": 1}),
        ({"segmentation": {"size": [80, 100], "counts": [5, 3, 7992]}}, Mask([80, 100], "53gi7"), {}),
        ({"segmentation": {"size": [8, 10], "counts": [5, 3, 72]}}, Box(10, 20, 40, 60), {"bad-geometry": 1}),
        ({"segmentation": {"size": [80, 100], "counts": "!!"}}, Box(10, 20, 40, 60), {"bad-geometry": 1}),
        ({"keypoints": [12, 22, 2, 0, 0, 0], "bbox": [12, 22, 0, 0]}, Keypoints([12, 22, 2, 0, 0, 0]), {}),
        ({"keypoints": [12, 22, 2, 200, 0, 2]}, Keypoints([12, 22, 2, 0, 0, 0]),
         {"clipped": 1, "box-of-keypoints": 1}),
        ({"keypoints": [0, 0, 0]}, Box(10, 20, 40, 60), {}),
    ],
)  # fmt: skip
def test_entries_that_are_odd_are_read_or_noted(entry, geometry, notes, tmp_path):
    (image,), found = read(tmp_path, BOX | entry)
    if isinstance(geometry, Mask):
        assert image.annotations[0].geometry.area() == 3
    else:
        assert [a.geometry for a in image.annotations] == ([geometry] if geometry else [])
    assert found == notes


def test_attributes_scores_and_crowds(tmp_path):
    more = {"attributes": {"a": 1, "b": True, "c": "x", "d": None}, "score": 0.5, "iscrowd": 1}
    (image,), notes = read(tmp_path, BOX | more, BOX | {"id": 2, "score": 7})
    one, two = image.annotations
    assert one.attributes == {"a": 1.0, "b": True, "c": "x", CROWD: True}
    assert (one.source, one.confidence, two.source, two.confidence) == ("model", 0.5, "model", None)
    assert notes == {"bad-attribute": 1, "bad-score": 1}


def test_annotations_find_their_images_in_any_order(tmp_path):
    images = [IMAGE | {"id": number, "file_name": f"{number}.jpg"} for number in (30, -4, 10)]
    images.append(IMAGE | {"id": "x-1", "file_name": "x.jpg"})
    order = [10, "x-1", 30, 10, -4, 99, "x-1"]
    entries = [BOX | {"id": n, "image_id": i, "bbox": [n, 0, 1, 1]} for n, i in enumerate(order)]
    found, notes = read(tmp_path, *entries, images=images)
    assert {i.name: [a.geometry.x1 for a in i.annotations] for i in found} == {
        "30.jpg": [2], "-4.jpg": [4], "10.jpg": [0, 3], "x.jpg": [1, 6],
    }  # fmt: skip
    assert notes == {"unknown-image": 1}


def test_ids_that_are_there_twice_and_names_that_are_not_there(tmp_path):
    images = [
        IMAGE,
        IMAGE | {"file_name": "b.jpg"},
        {"id": 2, "coco_url": "http://x/y/c.jpg?k=1"},
        {"file_name": "d"},
    ]
    found, notes = read(tmp_path, BOX, BOX, images=images)
    assert [(i.name, i.width, len(i.annotations)) for i in found] == [("a.jpg", 100, 2), ("c.jpg", 0, 0)]
    assert notes == {"duplicate-image": 1, "duplicate-annotation": 1, "bad-image": 1, "no-size": 1}


def test_categories_of_one_name_are_one_label(tmp_path):
    categories = [{"id": 90, "name": "a"}, {"id": 3, "name": "b"}, {"id": 4, "name": "a"}, {"id": 3, "name": "c"}]
    found, notes = read(tmp_path, BOX | {"category_id": 4}, BOX | {"id": 2, "category_id": 3}, categories=categories)
    assert [a.label_id for a in found[0].annotations] == [0, 1]
    assert notes == {"merged-categories": 1, "duplicate-category": 1}


GOOD = json.dumps({"images": [IMAGE], "annotations": [BOX], "categories": [{"id": 1, "name": "bolt"}]})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("[1, 2]", "list"),
        ("{}", "no list of images"),
        ('{"images": [], "annotations": 5}', "no list of annotations"),
        (GOOD[:-20], "cut off"),
        (GOOD[: GOOD.index("bbox") + 9], "cut off"),
        (GOOD + "}", "closes nothing"),
        (GOOD + " x", "not JSON"),
        (GOOD.replace('"bbox":', '"bbox"'), "annotations\\[0\\] is not JSON"),
        (GOOD.replace("}], \"annotations", "} 5], \"annotations"), "expected only objects"),
        (GOOD.replace('"annotations"', '"images"'), "no list of annotations|twice"),
        (GOOD.replace("[10, 20", "[" * 100 + "]" * 100 + ", [10, 20"), "deep"),
        (GOOD.replace("]", "}", 1), "not JSON"),
    ],
)  # fmt: skip
def test_what_is_no_coco_file_is_refused_with_its_name_and_place(text, says, tmp_path):
    (tmp_path / "instances.json").write_text(text)
    with pytest.raises(UnreadableDataset, match=f"instances.json.*({says})") as refused:
        list(COCO_FORMAT.read(tmp_path / "instances.json").images())
    assert refused.value.file == "instances.json"


@pytest.mark.parametrize("before", ["\ufeff", " \n\t", "\ufeff\r\n "])
def test_a_byte_order_mark_and_blanks_do_not_matter(before, tmp_path):
    found, notes = read(tmp_path, text=before + GOOD)
    assert len(found[0].annotations) == 1
    assert notes == {}


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_chunk_borders_do_not_matter(chunk, tmp_path, monkeypatch):
    monkeypatch.setattr("appliance.formats._json_scan._CHUNK_BYTES", chunk)
    monkeypatch.setattr("appliance.formats._json._SLAB_BYTES", 40)
    tricky = ['a"]}\\', '\\\\"', "[{", "\\\\\\", '"']
    images = [IMAGE | {"id": n, "file_name": f"{n}.jpg", "note": text} for n, text in enumerate(tricky)]
    found, notes = read(tmp_path, *[BOX | {"id": n, "image_id": n} for n in range(5)], images=images)
    assert [len(image.annotations) for image in found] == [1] * 5
    assert notes == {}


def test_roboflow_folders_with_the_same_names_keep_their_own_pictures(tmp_path):
    for folder in ("train", "valid"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "_annotations.coco.json").write_text(GOOD)
        (tmp_path / folder / "a.jpg").write_text(folder)
    reader = COCO_FORMAT.read(tmp_path)
    found = {image.split: reader.picture_path(image.name).read_text() for image in reader.images()}
    assert found == {"train": "train", "val": "valid"}


def test_pictures_outside_the_dataset_are_not_found(tmp_path):
    inside = tmp_path / "set"
    inside.mkdir()
    (tmp_path / "secret.jpg").write_text("secret")
    (inside / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    names = ["../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg"]
    images = [IMAGE | {"id": n, "file_name": name} for n, name in enumerate(names)]
    (inside / "a.json").write_text(json.dumps({"images": images, "annotations": [], "categories": []}))
    reader = COCO_FORMAT.read(inside)
    assert [reader.picture_path(image.name) for image in reader.images()] == [None, None, None]
