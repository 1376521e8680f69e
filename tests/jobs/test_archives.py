"""Archives from outside: what is refused, and that nothing is written beside the target."""

from __future__ import annotations

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
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(archives.MAX_ENTRIES + 1):
            archive.writestr(f"{number}.jpg", b"")
    refused(tmp_path / "a.zip", tmp_path / "out", "at most")


def test_what_is_no_archive_is_refused(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 but no more")
    refused(tmp_path / "a.zip", tmp_path / "out", "cannot be read as a zip")
