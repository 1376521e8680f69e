"""Does the file end before the picture does? One answer, whichever decoder is asked.

Decoders disagree: OpenCV returns a half-grey picture for half a JPEG where Pillow raises. So the
structure of the file decides here, before any of them: every format says where it ends.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from appliance.imaging.limits import MAX_FRAMES_COUNTED, Bytes

__all__ = ["ends_early", "gif_frames", "tiff_frames"]

_TIFF_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 16: 8}
_TIFF_INTEGERS = {3: "H", 4: "I", 16: "Q"}
_TIFF_STRIPS = (273, 279, 324, 325)
_TIFF_LAST_BASELINE_TAG = 532
_MAX_STRIPS = 1 << 20  # Python integers weigh ten times the file's; the decoder judges longer lists


def ends_early(kind: str, data: Bytes) -> bool:
    """Return whether `data`, of format `kind`, ends before its (first) picture does."""
    check = _CHECKS.get(kind)
    return check is not None and check(data)


def _jpeg(data: Bytes) -> bool:
    """Walk the segments to the scan, then look for the end-of-image marker.

    Inside entropy-coded data an 0xFF is always followed by 0x00 or a restart marker, so an EOI
    after the scan's start is real; one inside an EXIF thumbnail lies before it. Looked for from
    the end, where it is.
    Source: ITU-T T.81, B.1.1.
    """
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:  # junk between segments: libjpeg skips it with a warning
            at = data.find(b"\xff", at)
            if at < 0:
                return True
            continue
        marker = data[at + 1]
        if marker == 0xDA:
            return data.rfind(b"\xff\xd9", at) < 0
        if marker == 0xFF:
            at += 1
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return True


def _png(data: Bytes) -> bool:
    """Walk the chunks to IEND. Source: W3C PNG, third edition, §5.3."""
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IEND":
            return False
        at += 12 + size
    return True


def _webp(data: Bytes) -> bool:
    """Compare the RIFF length with the file's. Source: RFC 9649, §2.4."""
    return int.from_bytes(data[4:8], "little") + 8 > len(data)


def _bmff(data: Bytes) -> bool:
    """Walk the top-level boxes. Source: ISO/IEC 14496-12, §4.2."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 0:  # this box goes on to the end of the file
            return False
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:  # nonsense: for the decoder to refuse
            return False
        at += size
    return at != len(data)


def gif_frames(data: Bytes) -> int:
    """Count the complete frames of a GIF, up to `MAX_FRAMES_COUNTED`.

    Source: GIF89a specification, §§18-26 and appendix A.
    """
    frames, at = 0, 13 + _gif_palette(data, 10)
    while at < len(data) and frames < MAX_FRAMES_COUNTED:
        if data[at] == 0x21:
            at = _gif_blocks(data, at + 2)
        elif data[at] == 0x2C:
            at = _gif_blocks(data, at + 10 + _gif_palette(data, at + 9) + 1)
            frames += at <= len(data)
        elif data[at] == 0x3B:
            break
        else:
            at += 1
    return frames


def _gif_palette(data: Bytes, at: int) -> int:
    flags = data[at] if at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks(data: Bytes, at: int) -> int:
    """Return where the sub-blocks at `at` end, or beyond the data when they do not."""
    while at < len(data):
        size = data[at]
        at += 1 + size
        if size == 0:
            return at
    return len(data) + 1


def tiff_frames(data: Bytes) -> int:
    """Count the directories of a TIFF, up to `MAX_FRAMES_COUNTED`, loops included once."""
    return sum(1 for _ in _tiff_directories(data))


def _tiff(data: Bytes) -> bool:
    """Ask whether the first directory, its own values and its strips or tiles lie inside the file.

    Private tags may point anywhere: scanners and editors break them without harm to the picture.
    Source: TIFF 6.0, §2 (tags 273, 279, 324, 325); BigTIFF.
    """
    for tags in _tiff_directories(data):
        if None in tags:
            return True
        for starts, counts in ((273, 279), (324, 325)):
            ends = (a + n for a, n in zip(tags.get(starts, ()), tags.get(counts, ()), strict=False))
            if max(ends, default=0) > len(data):
                return True
        return False
    return True


def _tiff_directories(data: Bytes) -> Iterator[dict[int | None, tuple[int, ...]]]:
    """Yield where each directory that lies inside the file has its strips or tiles.

    The key None says that the value of a baseline tag lies outside of the file.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    offset, count, size = ("Q", "Q", 20) if big else ("I", "H", 12)
    width = struct.calcsize(order + offset)
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(order + offset, data, 8 if big else 4)
        while at and at not in seen and len(seen) < MAX_FRAMES_COUNTED:
            seen.add(at)
            (entries,) = struct.unpack_from(order + count, data, at)
            first = at + struct.calcsize(order + count)
            (following,) = struct.unpack_from(order + offset, data, first + entries * size)
            yield dict(_tiff_tags(data, first, entries, order, offset, width))
            at = following
    except struct.error:
        return


def _tiff_tags(
    data: Bytes, first: int, entries: int, order: str, offset: str, width: int
) -> Iterator[tuple[int | None, tuple[int, ...]]]:
    for at in range(first, first + entries * (4 + 2 * width), 4 + 2 * width):
        tag, kind, count = struct.unpack_from(order + "HH" + offset, data, at)
        unit = _TIFF_WIDTHS.get(kind)
        if unit is None or tag > _TIFF_LAST_BASELINE_TAG:
            continue
        at_value = at + 4 + width
        if count * unit > width:
            (at_value,) = struct.unpack_from(order + offset, data, at_value)
        if at_value + count * unit > len(data):
            yield None, ()
        elif tag in _TIFF_STRIPS and kind in _TIFF_INTEGERS and count <= _MAX_STRIPS:
            yield tag, struct.unpack_from(f"{order}{count}{_TIFF_INTEGERS[kind]}", data, at_value)


def _gif(data: Bytes) -> bool:
    return gif_frames(data) == 0


_CHECKS: dict[str, Callable[[bytes], bool]] = {
    "jpeg": _jpeg, "png": _png, "webp": _webp, "avif": _bmff, "heic": _bmff, "gif": _gif, "tiff": _tiff,
}  # fmt: skip
