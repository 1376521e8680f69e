"""Archives from outside: what is refused, and that nothing is written beside the target."""

from __future__ import annotations

import copy
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from appliance.errors import UnsafeArchive
from appliance.jobs import archives


def made(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def refused(archive: Path, target: Path, words: str, max_bytes: int = 1 << 30) -> None:
    with pytest.raises(UnsafeArchive, match=words) as raised:
        archives.unpack(archive, target, max_bytes=max_bytes, name="sent.zip")
    assert raised.value.file == "sent.zip"


def test_files_come_out_and_rubbish_stays(tmp_path: Path):
    archive = made(
        tmp_path / "a.zip", {"a/b.jpg": b"1", "c.txt": b"2", "__MACOSX/a/._b.jpg": b"3", "x/.DS_Store": b"4"}
    )
    assert archives.unpack(archive, tmp_path / "out", max_bytes=100, name="a.zip") == 2
    found = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert found == {"a/b.jpg", "c.txt"}


@pytest.mark.parametrize("name", ["../evil.jpg", "a/../../evil.jpg", "/etc/evil.jpg", "C:/evil.jpg", "..\\evil.jpg"])
def test_paths_that_lead_outside_are_refused(tmp_path: Path, name: str):
    refused(made(tmp_path / "a.zip", {"fine.jpg": b"1", name: b"2"}), tmp_path / "out", "points outside")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "evil.jpg").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int):
    entry = zipfile.ZipInfo("link.jpg")
    entry.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    refused(tmp_path / "a.zip", tmp_path / "out", "link or a device")


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path):
    archive = made(tmp_path / "a.zip", {f"{n}.bmp": bytes(16 << 20) for n in range(6)})
    assert archive.stat().st_size < 1 << 20
    refused(archive, tmp_path / "out", "bomb")
    refused(archive, tmp_path / "out", "there is room for", max_bytes=1 << 20)
    assert not (tmp_path / "out").exists()


def test_a_size_that_lies_is_found_out(tmp_path: Path):
    archive = made(tmp_path / "a.zip", {"a.bmp": bytes(100_000)})
    data = bytearray(archive.read_bytes())
    central = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, central + 24, 10)  # the uncompressed size the directory claims
    archive.write_bytes(data)
    with pytest.raises(UnsafeArchive):
        archives.unpack(archive, tmp_path / "out", max_bytes=1 << 30, name="sent.zip")
    assert sum(p.stat().st_size for p in (tmp_path / "out").rglob("*") if p.is_file()) <= 10


def test_too_many_entries_are_refused(tmp_path: Path):
    refused(grown(tmp_path / "a.zip", archives.MAX_ENTRIES + 1), tmp_path / "out", "at most")


def grown(path: Path, count: int) -> Path:
    """Write an archive whose directory has `count` empty files, all of it at once."""
    made(path, {"0000000.jpg": b""})
    whole = path.read_bytes()
    begin, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    named = whole[begin:end].partition(b"0000000")
    directory = b"".join(named[0] + b"%07d" % number + named[2] for number in range(count))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), begin, 0)
    path.write_bytes(whole[:begin] + directory + tail)
    return path


def test_what_is_no_archive_is_refused(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 but no more")
    refused(tmp_path / "a.zip", tmp_path / "out", "cannot be read as a zip")


def patched(archive: Path, at: int, kind: str, value: int, signature: bytes = b"PK\x01\x02") -> Path:
    """Set a field of the first header with the signature."""
    data = bytearray(archive.read_bytes())
    struct.pack_into(kind, data, data.index(signature) + at, value)
    archive.write_bytes(data)
    return archive


def test_what_is_encrypted_is_named(tmp_path: Path):
    archive = patched(made(tmp_path / "a.zip", {"secret.jpg": b"1"}), 8, "<H", 0x1)
    refused(archive, tmp_path / "out", "'secret.jpg', which is encrypted")


@pytest.mark.parametrize("second", ["a/b.jpg", "a\\b.jpg", "a//b.jpg", "./a/b.jpg"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path: Path, second: str):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/b.jpg", b"1")
        archive.writestr(second, b"2")
    refused(tmp_path / "a.zip", tmp_path / "out", "twice")
    assert not (tmp_path / "out").exists()


def test_folders_that_files_share_are_no_fault(tmp_path: Path):
    archive = made(tmp_path / "a.zip", dict.fromkeys(("a/b/c.jpg", "a/b/d.jpg", "a/e.jpg", "a/b/f/g.jpg"), b"1"))
    assert archives.unpack(archive, tmp_path / "out", max_bytes=100, name="a.zip") == 4


@pytest.mark.parametrize("names", [("a", "a/b.jpg"), ("a/b/c.jpg", "a/b")])
def test_a_file_that_is_a_folder_too_is_refused(tmp_path: Path, names: tuple[str, str]):
    refused(made(tmp_path / "a.zip", dict.fromkeys(names, b"1")), tmp_path / "out", "is a file itself")


@pytest.mark.parametrize(
    ("name", "words"), [(".", "no file's name"), ("x" * 300, "too long"), ("x/" * 1200 + "y", "too long")]
)
def test_a_name_no_disk_takes_is_refused(tmp_path: Path, name: str, words: str):
    refused(made(tmp_path / "a.zip", {"fine.jpg": b"1", name: b"2"}), tmp_path / "out", words)
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_not_utf8_is_told(tmp_path: Path):
    archive = made(tmp_path / "a.zip", {"bild-ä.jpg": b"1"})
    archive.write_bytes(archive.read_bytes().replace("ä".encode(), b"\xff\xfe"))
    refused(archive, tmp_path / "out", r"xff.*is not UTF-8")


def test_a_name_in_the_old_encoding_is_taken(tmp_path: Path):
    archive = made(tmp_path / "a.zip", {"bild-xx.jpg": b"1"})
    archive.write_bytes(archive.read_bytes().replace(b"xx", b"\x84\x94"))
    assert archives.unpack(archive, tmp_path / "out", max_bytes=100, name="a.zip") == 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["bild-äö.jpg"]


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.bmp", bytes(1 << 20))
        archive.filelist += [_again(archive.filelist[0], f"{n}.bmp") for n in range(5)]
        archive.NameToInfo |= {entry.filename: entry for entry in archive.filelist}
    refused(tmp_path / "a.zip", tmp_path / "out", "overlaps another")
    assert not (tmp_path / "out").exists()


def _again(entry: zipfile.ZipInfo, name: str) -> zipfile.ZipInfo:
    other = copy.copy(entry)
    other.filename = name
    return other


def test_an_archive_in_an_archive_stays_one_file(tmp_path: Path):
    bomb = made(tmp_path / "inner.zip", {"a.bmp": bytes(200 << 20)}).read_bytes()
    archive = made(tmp_path / "a.zip", {"inner.zip": bomb})
    assert archives.unpack(archive, tmp_path / "out", max_bytes=1 << 20, name="a.zip") == 1
    assert (tmp_path / "out/inner.zip").read_bytes() == bomb


@pytest.mark.parametrize("damage", ["content", "method", "offset"])
def test_an_entry_that_cannot_be_read_is_named(tmp_path: Path, damage: str):
    archive = made(tmp_path / "a.zip", {"broken.bmp": bytes(range(256)) * 40})
    if damage == "content":
        data = bytearray(archive.read_bytes())
        data[45:60] = b"\xff" * 15
        archive.write_bytes(data)
    elif damage == "method":
        patched(archive, 10, "<H", 99)
    else:
        patched(archive, 42, "<I", archive.stat().st_size - 4)
    refused(archive, tmp_path / "out", "'broken.bmp', which cannot be read")


def test_folders_count_as_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "MAX_ENTRIES", 10)
    refused(made(tmp_path / "a.zip", {f"{number}/": b"" for number in range(11)}), tmp_path / "out", "at most")
