import pytest
import yaml
from PIL import Image

from appliance.errors import InvalidInput, UnreadableDataset
from appliance.formats import Dataset, FolderSink, formats
from appliance.geometry.box import Box
from appliance.geometry.polygon import Polygon
from appliance.records import Annotation, DatasetImage, Label
from tests._shared import shared

YOLO = formats()["yolo"]
COCO = formats()["coco"]
LABEL = Label(id=5, project_id=1, class_index=0, name="bolt", color="#000000")


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def dataset(tmp_path, text, description="names: [bolt, nut]\ntrain: images\n"):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "images/a.jpg").write_bytes(b"picture")
    (tmp_path / "labels/a.txt").write_bytes(text)
    if description is not None:
        (tmp_path / "data.yaml").write_text(description)
    reader = YOLO.read(tmp_path, size_of=lambda _: (100, 80))
    found = list(reader.images())
    return reader, found, {note.code: note.count for note in reader.notes}


@pytest.mark.parametrize(("folder", "count"), [("coco128", 929), ("bccd", 2082)])
def test_boxes_agree_with_the_coco_file_of_the_same_pictures(folder, count):
    coco = COCO.read(shared(f"data/{folder}"))
    truth = {image.name: image for image in coco.images()}
    reader = YOLO.read(shared(f"data/{folder}"), size_of=size_of)
    images = list(reader.images())
    assert len(images) == len(truth)
    assert sum(len(image.annotations) for image in images) == count
    for image in images:
        known = sorted(
            (coco.labels[a.label_id].name, *a.geometry.bounds())
            for a in truth[image.name].annotations
            if not a.attributes
        )
        found = sorted((reader.labels[a.label_id].name, *a.geometry.bounds()) for a in image.annotations)
        assert [row[0] for row in found] == [row[0] for row in known]
        for name in {row[0] for row in known}:
            ours = [row[1:] for row in found if row[0] == name]
            theirs = [row[1:] for row in known if row[0] == name]
            for box in ours:
                best = min(theirs, key=lambda other: max(abs(a - b) for a, b in zip(box, other, strict=True)))
                assert box == pytest.approx(best, abs=0.01)
                theirs.remove(best)


def test_class_indices_with_gaps_are_read_by_name():
    folder = shared("data/coco128")
    reader = YOLO.read(folder, {"file": "data_seg.yaml", "labels": "labels_seg"}, size_of=size_of)
    coco = COCO.read(folder)
    truth = {i.name: {coco.labels[a.label_id].name for a in i.annotations} for i in coco.images()}
    images = list(reader.images())
    assert sum(len(image.annotations) for image in images) == 746
    assert {a.geometry.name for image in images for a in image.annotations} == {"polygon"}
    assert len(reader.labels) == 80
    for image in images:
        assert {reader.labels[a.label_id].name for a in image.annotations} <= truth[image.name]
    assert {note.code for note in reader.notes} == {"missing-split"}


BOX = Box(10, 20, 40, 60)


@pytest.mark.parametrize(
    ("text", "geometries", "notes"),
    [
        (b"", [], {}),
        (b"\n  \r\n", [], {}),
        (b"0 0.25 0.5 0.3 0.5\n", [BOX], {}),
        (b"\xef\xbb\xbf0 0.25 0.5 0.3 0.5\r\n\r\n1.0\t0.25 0.5 0.3 0.25", [BOX, Box(10, 30, 40, 50)], {}),
        (b"0 0.1 0.25 0.4 0.25 0.4 0.75", [Polygon([[[10, 20, 40, 20, 40, 60]]])], {}),
        (b"0 0.25 0.5 0.3 0.5\n0 0.1 0.25 0.4 0.25 0.4 0.75", [BOX, Polygon([[[10, 20, 40, 20, 40, 60]]])], {}),
        (b"0 0.25 0.5 0.3 0.5\n" * 3, [BOX], {"duplicate-row": 2}),
        (b"7 0.25 0.5 0.3 0.5", [], {"unknown-class": 1}),
        (b"0 0 0.5 0.8 0.5", [Box(0, 20, 40, 60)], {"clipped": 1}),
        (b"0 0.25 0.5 0 0.5", [], {"bad-geometry": 1}),
        (b"0 1.5 0.5 0.3 0.5", [], {"bad-geometry": 1}),
        (b"0 25 40 30 40", [], {"not-normalised": 1}),
        (b"0 nan 0.5 0.3 0.5\n0 inf 0.5 0.3 0.5", [], {"not-normalised": 2}),
        (b"0 0.25 0.5 0.3", [], {"bad-row": 1}),
        (b"bolt 0.25 0.5 0.3 0.5", [], {"bad-row": 1}),
        (b"-1 0.25 0.5 0.3 0.5\n0.5 0.25 0.5 0.3 0.5\nnan 0.25 0.5 0.3 0.5", [], {"bad-row": 3}),
        (b"\xff\xfe\0\0", [], {"bad-row": 1}),
    ],
)
def test_label_files_of_every_kind(text, geometries, notes, tmp_path):
    _, (image,), found = dataset(tmp_path, text)
    assert [type(a.geometry) for a in image.annotations] == [type(shape) for shape in geometries]
    for annotation, shape in zip(image.annotations, geometries, strict=True):
        assert annotation.geometry.bounds() == pytest.approx(shape.bounds())
    assert found == notes


def test_a_sixth_column_is_the_confidence(tmp_path):
    _, (image,), notes = dataset(tmp_path, b"0 0.25 0.5 0.3 0.5 0.9\n0 0.1 0.25 0.4 0.25 0.4 0.75 0.8")
    assert [(a.source, a.confidence) for a in image.annotations] == [("model", 0.9), ("model", 0.8)]
    assert notes == {}


def test_pose_rows_give_their_box_and_a_note(tmp_path):
    description = "names: [bolt]\ntrain: images\nkpt_shape: [2, 3]\n"
    _, (image,), notes = dataset(tmp_path, b"0 0.25 0.5 0.3 0.5 0.1 0.1 2 0.2 0.2 1", description)
    assert image.annotations[0].geometry.bounds() == pytest.approx(BOX.bounds())
    assert notes == {"no-keypoints": 1}


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("names: [a, b]\ntrain: images", ["a", "b"]),
        ("names:\n  0: no\n  1: 007\ntrain: ./images", ["no", "007"]),
        ("names: {3: c, 1: a}\ntrain: ../images", ["a", "c"]),
        ("names: [a]\npath: /elsewhere/set\ntrain: images/", ["a"]),
        ("names: [a]\ntrain: /home/x/set/images", ["a"]),
        ("names: [a]\ntrain: [images]\nval: images", ["a"]),
        ("names: [a]\ntrain: list.txt", ["a"]),
        ("names: [a]\ntrain: gone", ["a"]),
        ("nc: 2\ntrain: images", ["class 0", "class 1"]),
        ("train: images", ["class 0", "class 1", "class 2"]),
        (None, ["class 0", "class 1", "class 2"]),
    ],
)
def test_descriptions_of_every_kind(description, names, tmp_path):
    (tmp_path / "list.txt").write_text("./images/a.jpg\n\n/etc/passwd\n../images/a.jpg\n")
    reader, images, _ = dataset(tmp_path, b"2 0.25 0.5 0.3 0.5", description)
    assert [label.name for label in reader.labels] == names
    assert [(image.name, image.split) for image in images] == [("a.jpg", "train")]
    assert reader.picture_path("a.jpg").read_bytes() == b"picture"


@pytest.mark.parametrize(
    ("description", "says"),
    [
        ("names: [a", "data.yaml line 1: not YAML"),
        ("- a", "not a mapping"),
        ("names: 5", "names should be"),
        ("names: {x: a}", "class index"),
        ("names: [[a]]", "class index"),
        ("[" * 3000, "not YAML"),
        ("\0", "not YAML"),
    ],
)
def test_broken_descriptions_are_refused_by_name(description, says, tmp_path):
    with pytest.raises(UnreadableDataset, match=says) as refused:
        dataset(tmp_path, b"", description)
    assert refused.value.file == "data.yaml"


def test_nothing_outside_the_folder_is_read(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/s.jpg").write_bytes(b"secret")
    (tmp_path / "secret/a.txt").write_text("0 0.5 0.5 0.1 0.1")
    inside = tmp_path / "set"
    (inside / "images").mkdir(parents=True)
    (inside / "images/a.jpg").write_bytes(b"picture")
    (inside / "images/link.jpg").symlink_to(tmp_path / "secret/s.jpg")
    (inside / "labels").mkdir()
    (inside / "labels/a.txt").symlink_to(tmp_path / "secret/a.txt")
    (inside / "data.yaml").write_text(f"names: [a]\ntrain: images\nval: {tmp_path}/secret\ntest: ../secret\n")
    reader = YOLO.read(inside, size_of=lambda _: (9, 9))
    assert list(reader.images()) == []
    assert {note.code for note in reader.notes} == {"missing-split", "outside", "bad-label-file"}


def test_background_missing_pictures_and_missing_labels(tmp_path):
    dataset(tmp_path, b"")
    (tmp_path / "labels/gone.txt").write_text("0 0.5 0.5 0.1 0.1")
    (tmp_path / "images/b.jpg").write_bytes(b"picture")
    reader = YOLO.read(tmp_path, size_of=lambda path: None if path.name == "b.jpg" else (9, 9))
    assert [(image.name, image.annotations) for image in reader.images()] == [("a.jpg", [])]
    assert {note.code: note.count for note in reader.notes} == {"bad-picture": 1, "no-picture": 1}


def test_reading_without_sizes_is_refused(tmp_path):
    dataset(tmp_path, b"")
    with pytest.raises(InvalidInput, match="sizes"):
        list(YOLO.read(tmp_path).images())


def write(tmp_path, images, options=None, labels=(LABEL,)):
    (tmp_path / "source").write_bytes(b"picture")
    sink = FolderSink(tmp_path / "out", lambda _: tmp_path / "source")
    notes = YOLO.write(Dataset(labels, lambda: iter(images)), sink, options)
    return {note.code: note.count for note in notes}


def image_with(*shapes, name="a.jpg", width=100, height=80, split="train"):
    annotations = [Annotation(id=f"annotation-{n}", label_id=5, geometry=shape) for n, shape in enumerate(shapes)]
    return DatasetImage(name=name, width=width, height=height, split=split, annotations=annotations)


def test_rows_have_eight_decimals_and_stay_within_a_hundredth_of_a_pixel(tmp_path):
    box = Box(0.123456, 7.654321, 59_999.98765, 40_000)
    write(tmp_path, [image_with(box, width=60_000, height=40_000)])
    text = (tmp_path / "out/labels/train/a.txt").read_text()
    assert text == "0 0.50000093 0.50009568 0.99999774 0.99980864\n"
    (image,) = YOLO.read(tmp_path / "out", size_of=lambda _: (60_000, 40_000)).images()
    assert image.annotations[0].geometry.bounds() == pytest.approx(box.bounds(), abs=0.01)


def test_the_task_is_found_from_the_geometries(tmp_path):
    triangle = Polygon([[[10, 20, 40, 20, 40, 60]]])
    notes = write(tmp_path, [image_with(BOX), image_with(triangle, name="b.jpg", split="val")])
    assert notes == {"box-as-polygon": 1}
    assert len((tmp_path / "out/labels/train/a.txt").read_text().split()) == 9
    notes = write(tmp_path, [image_with(BOX, triangle)], {"task": "detect"})
    assert notes == {"polygon-as-box": 1, "no-val-split": 1}
    rows = (tmp_path / "out/labels/train/a.txt").read_text().splitlines()
    assert rows == ["0 0.25000000 0.50000000 0.30000000 0.50000000"] * 2


def test_description_is_relative_and_keeps_odd_names(tmp_path):
    names = ["no", "007", "a: 'b' #c", "ß\n\u2028", "1.0"]
    labels = [
        Label(id=n, project_id=1, class_index=2 * n, name=name, color="#000000") for n, name in enumerate(names)
    ]
    notes = write(tmp_path, [image_with(split="val")], labels=labels)
    assert notes == {"renumbered": 1, "no-train-split": 1}
    facts = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    assert facts == {"train": "images/val", "val": "images/val", "nc": 5, "names": dict(enumerate(names))}


@pytest.mark.train
@pytest.mark.parametrize("task", ["detect", "segment"])
def test_ultralytics_loads_what_is_written(task, tmp_path):
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    reader = COCO.read(shared("data/coco128"))
    labels = [
        Label(id=n, project_id=1, class_index=n, name=label.name, color="#000000")
        for n, label in enumerate(reader.labels)
    ]
    sink = FolderSink(tmp_path, lambda image: reader.picture_path(image.name))
    YOLO.write(Dataset(labels, reader.images), sink, {"task": task})
    data = check_det_dataset(str(tmp_path / "data.yaml"), autodownload=False)
    assert list(data["names"].values()) == [label.name for label in labels]
    loaded = YOLODataset(img_path=data["train"], data=data, task=task, augment=False)
    found = {entry["im_file"].rpartition("/")[2]: entry for entry in loaded.labels}
    images = list(reader.images())
    assert set(found) == {image.name for image in images}
    for image in images:
        truth = [a for a in image.annotations if not a.attributes]
        entry = found[image.name]
        assert sorted(entry["cls"].ravel().tolist()) == sorted(float(a.label_id) for a in truth)
        assert len(entry["segments"]) == (len(truth) if task == "segment" else 0)
        bounds = [a.geometry.bounds() for a in truth]
        widths, heights = entry["bboxes"][:, 2] * image.width, entry["bboxes"][:, 3] * image.height
        assert sorted(x2 - x1 for x1, _, x2, _ in bounds) == pytest.approx(sorted(widths.tolist()), abs=0.01)
        assert sorted(y2 - y1 for _, y1, _, y2 in bounds) == pytest.approx(sorted(heights.tolist()), abs=0.01)
