"""What every format has to do, whichever it is."""

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.errors import InvalidInput, UnreadableDataset
from appliance.formats import CROWD, Dataset, FolderSink, ZipSink, formats, recognise
from appliance.geometry import GEOMETRIES
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.geometry.polyline import Polyline
from appliance.geometry.rotated_box import RotatedBox
from appliance.geometry.tag import Tag
from appliance.records import Annotation, DatasetImage, Label, Skeleton

WIDTH, HEIGHT = 640, 480
ALL = sorted(formats())
LABELS = [
    Label(id=70, project_id=1, class_index=1, name="no: 'ß'", color="#000000"),
    Label(id=30, project_id=1, class_index=0, name="007", color="#000000", skeleton=Skeleton(points=["a", "b"])),
]
BY_CLASS = [30, 70]


def ring(cx, cy, radius, points=7, phase=0.0):
    angles = [phase + 2 * math.pi * i / points for i in range(points)]
    return [v for a in angles for v in (cx + radius * math.cos(a), cy + radius * math.sin(a))]


def mask_of(x, y, size):
    import numpy as np

    pixels = np.zeros((HEIGHT, WIDTH), dtype=bool)
    pixels[int(y) : int(y) + size, int(x) : int(x) + size] = True
    return Mask.from_array(pixels)


xs = st.floats(120, WIDTH - 120)
ys = st.floats(120, HEIGHT - 120)
sizes = st.floats(1, 100)
SHAPES = {
    "box": st.builds(lambda x, y, w, h: Box(x - w, y - h, x + w, y + h), xs, ys, sizes, sizes),
    "rotated_box": st.builds(RotatedBox, xs, ys, sizes, sizes, st.floats(-180, 179)),
    "polygon": st.builds(
        lambda x, y, r, n, phase, hole, part: Polygon(
            [[ring(x, y, r, n, phase)] + ([ring(x, y, r / 3)] if hole else [])]
            + ([[ring(x, y + (110 if y < HEIGHT / 2 else -110), 5)]] if part else [])
        ),
        xs, ys, sizes, st.integers(3, 40), st.floats(0, 6), st.booleans(), st.booleans(),
    ),
    "polyline": st.builds(lambda x, y: Polyline([x, y, x + 5, y]), xs, ys),
    "keypoints": st.builds(lambda x, y: Keypoints([x, y, 2.0, 0.0, 0.0, 0.0, x + 5, y, 1.0]), xs, ys),
    "mask": st.builds(mask_of, xs, ys, st.integers(1, 90)),
    "tag": st.just(Tag()),
}  # fmt: skip


def annotation_of(geometry, number=0, **facts):
    return Annotation(id=f"annotation-{number}", label_id=BY_CLASS[number % 2], geometry=geometry, **facts)


def image_of(shapes, name="some/picture.jpg", **facts):
    return DatasetImage(
        name=name, width=WIDTH, height=HEIGHT,
        annotations=[annotation_of(shape, number) for number, shape in enumerate(shapes)], **facts,
    )  # fmt: skip


def dataset_of(*images):
    return Dataset(LABELS, lambda: iter(images))


def written(name, dataset, folder):
    source = folder / "source.jpg"
    source.write_bytes(b"not really a picture")
    options = {"pictures": True}
    return formats()[name].write(dataset, FolderSink(folder / "out", lambda _: source), options)


def read_back(name, folder):
    reader = formats()[name].read(folder, size_of=lambda _: (WIDTH, HEIGHT))
    return reader, list(reader.images())


def assert_same_shape(before, after):
    """Compare within 0.01 pixels; parts may come in another order, rings may begin elsewhere."""
    assert type(after) is type(before)
    if isinstance(before, Polygon):
        assert len(after.parts) == len(before.parts)
        for part in before.parts:
            assert any(same_rings(part, other) for other in after.parts)
    elif isinstance(before, Mask):
        assert after == before
    else:
        numbers = [s.points if isinstance(s, Keypoints) else s.bounds() for s in (before, after)]
        assert numbers[1] == pytest.approx(numbers[0], abs=0.01)


def same_rings(part, other):
    return len(part) == len(other) and all(map(same_ring, part, other))


def same_ring(ring, other):
    count = len(ring)
    backwards = [v for i in range(count - 2, -1, -2) for v in other[i : i + 2]] if len(other) == count else []
    return len(other) == count and any(
        max(abs(a - b) for a, b in zip(ring, way[turn:] + way[:turn], strict=True)) <= 0.01
        for way in (list(other), backwards)
        for turn in range(0, count, 2)
    )


CASES = [(name, kind) for name in ALL for kind in sorted(GEOMETRIES)]


@pytest.mark.parametrize(("name", "kind"), CASES)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_written_comes_back_or_is_noted(name, kind, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("format")
    shapes = data.draw(st.lists(SHAPES[kind], min_size=1, max_size=4, unique_by=repr))
    notes = written(name, dataset_of(image_of(shapes), image_of([], "empty.jpg")), folder)
    reader, images = read_back(name, folder / "out")
    by_name = {image.name: image for image in images}
    assert [label.name for label in reader.labels] == ["007", "no: 'ß'"]
    assert by_name["empty.jpg"].annotations == []
    if kind in formats()[name].geometries:
        found = by_name["some/picture.jpg"].annotations
        assert [a.label_id for a in found] == [n % 2 for n in range(len(shapes))]
        for before, after in zip(shapes, found, strict=True):
            assert_same_shape(before, after.geometry)
    else:
        assert any(kind.replace("_", "-") in note.code and note.count == len(shapes) for note in notes)


MIXED = [
    image_of([Box(1, 2, 30, 40), Polygon([[ring(200, 200, 50)]])], "a.jpg", split="train"),
    image_of([mask_of(10, 10, 20), Tag()], "b.jpg", split="val"),
    image_of([], "c.jpg", split="test"),
]


@pytest.mark.parametrize("name", ALL)
def test_the_same_dataset_gives_the_same_bytes(name, tmp_path):
    archives = []
    for number in range(2):
        (tmp_path / "p").write_bytes(b"picture")
        path = tmp_path / f"{number}.zip"
        with ZipSink(path, lambda _: tmp_path / "p") as sink:
            formats()[name].write(dataset_of(*MIXED), sink)
        archives.append(path.read_bytes())
    assert archives[0] == archives[1]


@pytest.mark.parametrize("name", ALL)
def test_every_format_recognises_its_own_and_finds_the_pictures(name, tmp_path):
    written(name, dataset_of(*MIXED), tmp_path)
    assert [candidate.format for candidate in recognise(tmp_path / "out")] == [name]
    reader, images = read_back(name, tmp_path / "out")
    assert sorted(image.name for image in images) == ["a.jpg", "b.jpg", "c.jpg"]
    for image in images:
        assert reader.picture_path(image.name).read_bytes() == b"not really a picture"


@pytest.mark.parametrize("name", ALL)
def test_rejected_predictions_are_never_written(name, tmp_path):
    refused = annotation_of(Box(1, 2, 3, 4), source="model", status="rejected", confidence=0.9)
    image = DatasetImage(name="a.jpg", width=WIDTH, height=HEIGHT, annotations=[refused])
    notes = written(name, dataset_of(image), tmp_path)
    assert [(note.code, note.count) for note in notes if note.code == "rejected"] == [("rejected", 1)]
    assert read_back(name, tmp_path / "out")[1][0].annotations == []


@pytest.mark.parametrize("name", ALL)
def test_attributes_scores_and_crowds_come_back_or_are_noted(name, tmp_path):
    box = Box(1, 2, 30, 40)
    given = [
        annotation_of(box, 0, attributes={"broken": True, "note": "x", "age": 3.5}),
        annotation_of(Box(50, 50, 90, 90), 1, source="model", confidence=0.25),
        annotation_of(mask_of(100, 100, 10), 2, attributes={CROWD: True}),
    ]
    image = DatasetImage(name="a.jpg", width=WIDTH, height=HEIGHT, annotations=given)
    codes = {note.code for note in written(name, dataset_of(image), tmp_path)}
    found = read_back(name, tmp_path / "out")[1][0].annotations
    assert [a.attributes for a in found] == [a.attributes for a in given] or {"no-attributes", "no-crowd"} <= codes
    assert [a.confidence for a in found] == [a.confidence for a in given] or "no-score" in codes


HOSTILE = ["../../up.jpg", "/abs.jpg", "C:\\win.jpg", "a\\..\\..\\b.jpg", "CON.jpg", "x.jpg", "X.JPG", "x.jpg/y.jpg",
           "images/labels/z.jpg", "new\nline.jpg", "../..y.jpg", "x.png", "half\ud800.jpg"]  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_hostile_names_stay_inside_and_apart(name, tmp_path):
    (tmp_path / "deep/er").mkdir(parents=True)
    images = [image_of([Box(1, 2, 30, 40 + number)], hostile) for number, hostile in enumerate(HOSTILE)]
    notes = written(name, dataset_of(*images), tmp_path / "deep/er")
    assert any(note.code == "renamed" for note in notes)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.parent == tmp_path) == ["deep"]
    reader, found = read_back(name, tmp_path / "deep/er/out")
    assert len({image.name for image in found}) == len(found) == len(HOSTILE)
    bottoms = sorted(round(a.geometry.y2) for image in found for a in image.annotations)
    assert bottoms == list(range(40, 40 + len(HOSTILE)))
    assert all(reader.picture_path(image.name) is not None for image in found)


@pytest.mark.parametrize("name", ALL)
def test_an_annotation_with_a_foreign_label_is_refused(name, tmp_path):
    stranger = Annotation(id="annotation", label_id=999, geometry=Box(1, 2, 3, 4))
    image = DatasetImage(name="a.jpg", width=WIDTH, height=HEIGHT, annotations=[stranger])
    with pytest.raises(InvalidInput, match="999"):
        written(name, dataset_of(image), tmp_path)


@pytest.mark.parametrize("name", ALL)
def test_unknown_options_are_refused(name, tmp_path):
    with pytest.raises(InvalidInput, match="colour"):
        formats()[name].write(dataset_of(), FolderSink(tmp_path, lambda _: tmp_path), {"colour": 1})


@pytest.mark.parametrize("name", ALL)
def test_nothing_there_is_an_unreadable_dataset(name, tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UnreadableDataset):
            formats()[name].read(folder)


def files_of(folder: Path):
    return sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".txt", ".yaml"))


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_broken_files_end_in_an_error_that_names_them_or_in_notes(name, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("broken")
    written(name, dataset_of(*MIXED), folder)
    victim = data.draw(st.sampled_from(files_of(folder / "out")))
    good = victim.read_bytes()
    at = data.draw(st.integers(0, len(good)))
    size = data.draw(st.integers(0, 12))
    junk = data.draw(st.sampled_from(
        [b"", b"[" * 100, b"{", b"}", b"]", b'"', b"\\", b"NaN", b"null", b"-1e999", b"1e308", b"\xff\xfe", b"\0",
         b",", b":", b"true", b'"x"', b"99999999999999999999999", b"&a *a", b"\\ud800", b"\n", b"- ", b"0.5 "]
    ) | st.binary(max_size=8))  # fmt: skip
    victim.write_bytes(good[:at] + junk + good[at + size :])
    try:
        reader, images = read_back(name, folder / "out")
    except UnreadableDataset as error:
        refused = error
    else:
        refused = None
    assert refused is None or refused.file
    for image in images if refused is None else []:
        for annotation in image.annotations:
            assert 0 <= annotation.label_id < len(reader.labels)
            annotation.geometry.check(image.width or 1_000_000, image.height or 1_000_000)
