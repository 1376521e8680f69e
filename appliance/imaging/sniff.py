"""What bytes are, by their magic, and whether the file's name says the same.

The rule: extension, magic and a real decode must agree. A name without an extension claims
nothing and is accepted; a name with a wrong or unknown extension is refused with the way out.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from appliance.errors import UnreadableImage, UnsupportedImage
from appliance.imaging.limits import Bytes

__all__ = ["EXTENSIONS", "FORMATS", "sniff"]

FORMATS = {
    "jpeg": ("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo")),
    "png": ("PNG", (".png", ".apng")),
    "webp": ("WebP", (".webp",)),
    "tiff": ("TIFF", (".tif", ".tiff")),
    "bmp": ("BMP", (".bmp", ".dib")),
    "gif": ("GIF", (".gif",)),
    "avif": ("AVIF", (".avif", ".avifs")),
    "heic": ("HEIC", (".heic", ".heif", ".hif", ".heics")),
}
"""By format: the name people use and the extensions it goes under, the usual one first."""

EXTENSIONS = {extension: name for name, (_, extensions) in FORMATS.items() for extension in extensions}
"""The format that each accepted extension claims."""

_MAGIC = {
    "jpeg": (b"\xff\xd8\xff",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "bmp": (b"BM",),
    "gif": (b"GIF87a", b"GIF89a"),
}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_FOREIGN = {
    "JPEG 2000": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    "JPEG XL": (b"\xff\x0a", b"\0\0\0\x0cJXL "),
    "Windows icon (ICO)": (b"\0\0\1\0",),
    "Photoshop (PSD)": (b"8BPS",),
    "PDF": (b"%PDF",),
    "PostScript": (b"%!PS",),
    "zip archive": (b"PK\3\4",),
}
_ACCEPTED = "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF and HEIC"


def sniff(data: Bytes, *, name: str) -> str:
    """Return the format of `data`, a key of `FORMATS`, once its name agrees.

    Args:
        data: The file's bytes; the first 64 KiB decide.
        name: The file as the user named it; its extension is a claim to check.

    Raises:
        UnsupportedImage: Not one of the listed formats, by magic or by extension.
        UnreadableImage: The name claims another format than the bytes, or the magic is damaged.
    """
    extension = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if extension == ".svg" or _is_svg(data):
        raise UnsupportedImage(
            f"{name} is an SVG drawing, which has no pixels of its own. Export it as PNG and add that.",
            file=name,
        )
    found = _by_magic(data)
    if found is None:
        _refuse_unknown(data, extension, name)
    elif extension and extension not in EXTENSIONS:
        raise UnsupportedImage(
            f"{name} holds a {FORMATS[found][0]} picture, but {extension} is no extension of one. "
            f"Rename it to end in {FORMATS[found][1][0]} and add it again.",
            file=name,
            details={"format": found},
        )
    elif extension and EXTENSIONS[extension] != found:
        raise UnreadableImage(
            f"{name} is a {FORMATS[found][0]} picture named {extension}. "
            f"Rename it to end in {FORMATS[found][1][0]} and add it again.",
            file=name,
            details={"format": found, "claimed": EXTENSIONS[extension]},
        )
    return str(found)


def _by_magic(data: Bytes) -> str | None:
    for name, prefixes in _MAGIC.items():
        if data.startswith(prefixes):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return _by_brand(data)
    return None


def _by_brand(data: Bytes) -> str | None:
    """Tell AVIF from HEIC by the major brand, then by the compatible ones.

    Source: ISO/IEC 14496-12 §4.3 (ftyp), ISO/IEC 23008-12 §B.4 (HEIC brands), AV1 Image File Format §6.
    """
    end = min(int.from_bytes(data[:4], "big"), 4096)
    brands = [data[8:12], *(data[i : i + 4] for i in range(16, end - 3, 4))]
    for brand in brands:
        if brand in _AVIF_BRANDS:
            return "avif"
        if brand in _HEIC_BRANDS:
            return "heic"
    return None


def _is_svg(data: Bytes) -> bool:
    head = data[:65536].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") and b"<svg" in head.lower()


def _refuse_unknown(data: Bytes, extension: str, name: str) -> None:
    claimed = EXTENSIONS.get(extension)
    if b"PNG" in data[:8]:
        raise UnreadableImage(
            f"{name}: the PNG signature is damaged, as by a copy in text mode. Copy it again in binary mode.",
            file=name,
        )
    for what, prefixes in _FOREIGN.items():
        if data.startswith(prefixes):
            raise UnsupportedImage(
                f"{name} is a {what} file. Accepted are {_ACCEPTED}; convert it and add it again.", file=name
            )
    if claimed:
        raise UnreadableImage(
            f"{name} is named {extension}, but its bytes are no {FORMATS[claimed][0]} picture. "
            "Copy it again from its source.",
            file=name,
        )
    raise UnsupportedImage(f"{name} is no picture that is known here. Accepted are {_ACCEPTED}.", file=name)
