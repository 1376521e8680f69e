import stat
import zipfile

import pytest

from appliance.formats._zip import ZipWriter


def test_files_are_stored_dated_alike_and_readable(tmp_path):
    with open(tmp_path / "o.zip", "w+b") as file:
        writer = ZipWriter(file)
        writer.add("ä/b.txt", b"one")
        writer.stream("c.json", [b"two", b"three"])
        writer.finish()
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.compress_type == zipfile.ZIP_STORED
            assert stat.filemode(info.external_attr >> 16) == "-rw-r--r--"
            assert not info.flag_bits & 0x8  # sizes stand before the bytes
        assert [archive.read(name) for name in ("ä/b.txt", "c.json")] == [b"one", b"twothree"]


def test_no_files_are_an_archive_too(tmp_path):
    with open(tmp_path / "o.zip", "w+b") as file:
        ZipWriter(file).finish()
    assert zipfile.ZipFile(tmp_path / "o.zip").namelist() == []


@pytest.mark.parametrize("count", [65_534, 65_535, 65_536])
def test_more_files_than_the_format_once_foresaw(count, tmp_path):
    with open(tmp_path / "o.zip", "w+b") as file:
        writer = ZipWriter(file)
        for number in range(count):
            writer.add(f"{number}", b"x")
        writer.finish()
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        assert len(archive.namelist()) == count
        assert archive.read(f"{count - 1}") == b"x"


@pytest.mark.parametrize("start", [(1 << 32) - 60, (1 << 32) - 1, 5 << 30])
def test_files_and_directory_behind_four_gigabytes(start, tmp_path):
    with open(tmp_path / "o.zip", "w+b") as file:
        file.seek(start)  # a hole: nothing is written there
        writer = ZipWriter(file)
        writer.add("a.txt", b"far")
        writer.stream("b.txt", [b"further"])
        writer.finish()
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        assert archive.infolist()[0].header_offset == start
        assert archive.testzip() is None
        assert archive.read("b.txt") == b"further"
