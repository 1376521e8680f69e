import hashlib
import os
import zipfile

import pytest

from appliance.errors import InvalidInput
from appliance.formats import FolderSink, ZipSink
from appliance.formats._names import Namer, safe_path
from appliance.records import DatasetImage

ESCAPES = ["../x", "/etc/passwd", "a/../../x", "C:\\x", "..\\x", "a\\b", "", ".", "con", "a/nul.txt", "x\0y", "a."]


def picture_at(path):
    path.write_bytes(b"picture")
    return lambda _: path


@pytest.mark.parametrize("path", ESCAPES)
def test_sinks_refuse_paths_that_lead_out_or_fit_nowhere(path, tmp_path):
    folder = FolderSink(tmp_path / "out", picture_at(tmp_path / "p"))
    with pytest.raises(InvalidInput):
        folder.write(path, [b"x"])
    with ZipSink(tmp_path / "o.zip", picture_at(tmp_path / "p")) as archive, pytest.raises(InvalidInput):
        archive.write(path, [b"x"])


def test_folder_links_pictures_and_leaves_right_ones_alone(tmp_path):
    source = tmp_path / "p"
    sink = FolderSink(tmp_path / "out", picture_at(source))
    image = DatasetImage(name="a/b.jpg", width=1, height=1)
    for _ in range(2):
        sink.picture("a/b.jpg", image)
    assert os.path.samefile(tmp_path / "out/a/b.jpg", source)
    assert os.listdir(tmp_path / "out/a") == ["b.jpg"]


def test_folder_replaces_a_wrong_picture_and_the_rest_of_a_killed_run(tmp_path):
    source = tmp_path / "p"
    sink = FolderSink(tmp_path / "out", picture_at(source))
    (tmp_path / "out/a.jpg").write_bytes(b"wrong")
    (tmp_path / "out/.a.jpg.part").write_bytes(b"half")
    sink.picture("a.jpg", DatasetImage(name="a.jpg", width=1, height=1))
    assert (tmp_path / "out/a.jpg").read_bytes() == b"picture"
    assert os.listdir(tmp_path / "out") == ["a.jpg"]


def test_folder_does_not_write_through_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/labels").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput):
        FolderSink(tmp_path / "out", picture_at(tmp_path / "p")).write("labels/x.txt", [b"x"])
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_file_appears_only_whole(tmp_path):
    def chunks():
        yield b"half"
        raise RuntimeError("killed")

    sink = FolderSink(tmp_path / "out", picture_at(tmp_path / "p"))
    with pytest.raises(RuntimeError):
        sink.write("a.json", chunks())
    assert not (tmp_path / "out/a.json").exists()


def test_zip_is_the_same_bytes_and_reads_back(tmp_path):
    def make(name):
        with ZipSink(tmp_path / name, picture_at(tmp_path / "p")) as sink:
            sink.write("a.json", (b"x" * 1000 for _ in range(3)))
            sink.write("b.txt", [b"one", b"two"])
            sink.picture("images/ä.jpg", DatasetImage(name="ä.jpg", width=1, height=1))
        return (tmp_path / name).read_bytes()

    assert make("one.zip") == make("two.zip")
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert archive.read("b.txt") == b"onetwo"
        assert archive.read("images/ä.jpg") == b"picture"


def test_a_failed_zip_leaves_nothing(tmp_path):
    sink = ZipSink(tmp_path / "o.zip", picture_at(tmp_path / "p"))
    with pytest.raises(InvalidInput), sink:
        sink.write("../b.txt", [b"one"])
    assert os.listdir(tmp_path) == ["p"]


def test_a_zip_tells_its_own_checksum_and_takes_pictures_of_any_size(tmp_path):
    content = os.urandom(1 << 20) * 17
    (tmp_path / "p").write_bytes(content)
    with ZipSink(tmp_path / "o.zip", lambda _: tmp_path / "p") as sink:
        sink.picture("p.jpg", DatasetImage(name="p.jpg", width=1, height=1))
        sink.write("empty.txt", [])
        sink.write("nothing.txt", iter(()))
    written = (tmp_path / "o.zip").read_bytes()
    assert (sink.sha256, sink.size_bytes) == (hashlib.sha256(written).hexdigest(), len(written))
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        assert archive.read("p.jpg") == content
        assert {archive.read("empty.txt"), archive.read("nothing.txt")} == {b""}


def test_a_zip_goes_on_after_a_file_that_broke_off(tmp_path):
    def chunks():
        yield b"half" * 1_000_000
        raise RuntimeError("unreadable")

    with ZipSink(tmp_path / "o.zip", picture_at(tmp_path / "p")) as sink:
        with pytest.raises(RuntimeError):
            sink.write("a.json", chunks())
        sink.write("b.txt", [b"whole"])
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        assert archive.namelist() == ["b.txt"]
        assert archive.testzip() is None


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a/b.jpg", "a/b.jpg"),
        ("../../etc/passwd", "etc/passwd"),
        ("C:\\photos\\x.jpg", "photos/x.jpg"),
        ("/abs/x.jpg", "abs/x.jpg"),
        ("CON.jpg", "_CON.jpg"),
        ("a?b<c>.jpg", "a_b_c_.jpg"),
        ("dots. ", "dots"),
        ("..", "unnamed"),
        (".x.part", "_.x.part"),
        ("half\ud800.jpg", "half_.jpg"),
    ],
)
def test_names_become_safe(name, safe):
    assert safe_path(name) == safe
    assert safe_path(safe) == safe


def test_long_names_are_cut_and_stay_apart():
    one, two = safe_path("é" * 300 + "1.jpg"), safe_path("é" * 300 + "2.jpg")
    assert one != two
    assert one.endswith(".jpg")
    assert len(one.encode()) <= 200


def test_namer_numbers_what_collides_on_some_file_system():
    namer = Namer()
    given = ["a.jpg", "A.JPG", "a.jpg", "a_2.jpg", "e\u0301.jpg", "é.jpg", "d", "d/x.jpg", "f/y", "f"]
    made = [namer(name) for name in given]
    assert made == [
        "a.jpg",
        "A_2.JPG",
        "a_3.jpg",
        "a_2_2.jpg",
        "e\u0301.jpg",
        "é_2.jpg",
        "d",
        "d_x.jpg",
        "f/y",
        "f_2",
    ]
