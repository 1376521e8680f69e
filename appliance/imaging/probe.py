"""Decide on picture bytes: refuse them with a reason, or say what is known of them."""

from __future__ import annotations

from pathlib import Path

from appliance.imaging import limits, sniff
from appliance.imaging.picture import Picture, open_picture
from appliance.imaging.thumbnails import screen_of, thumbnail_of
from appliance.records import Probe
from appliance.screens import has_screen

__all__ = ["admit", "probe"]

_BROWSER_FORMATS = ("jpeg", "png", "webp", "gif", "avif")


def probe(path: Path, *, max_pixels: int = limits.DEFAULT_MAX_PIXELS, name: str | None = None) -> Probe:
    """Look at a picture file and decode it once.

    Args:
        path: The file.
        max_pixels: Most pixels (width × height) it may have.
        name: The file as the user named it; its own name when not given.

    Raises:
        UnsupportedImage: Not one of the listed formats.
        ImageTooLarge: More pixels or bytes than allowed.
        TruncatedImage: The file ends before the picture does.
        UnreadableImage: Name and bytes disagree, or the bytes do not decode.
    """
    return _examine(path, max_pixels, name or path.name)[0]


def admit(
    path: Path,
    thumbnail_path: Path,
    *,
    screen_path: Path | None = None,
    max_pixels: int = limits.DEFAULT_MAX_PIXELS,
    name: str | None = None,
) -> Probe:
    """Probe a picture and write its small copies, all from one decode.

    Args:
        path: The file.
        thumbnail_path: Where the JPEG thumbnail goes; written in place, without fsync.
        screen_path: Where the copy of a screen's size goes, of a picture that has one.
        max_pixels: Most pixels (width × height) it may have.
        name: The file as the user named it; its own name when not given.

    Raises:
        UnreadableImage: As `probe`, with its subclasses.
    """
    found, thumbnail, picture = _examine(path, max_pixels, name or path.name)
    screen = screen_of(picture) if screen_path and has_screen(found.width, found.height) else None
    thumbnail_path.write_bytes(thumbnail)
    if screen_path and screen:
        screen_path.write_bytes(screen)
    return found


def _examine(path: Path, max_pixels: int, name: str) -> tuple[Probe, bytes, Picture]:
    picture = open_picture(limits.read_bytes(path, name=name), name=name, max_pixels=max_pixels)
    mode, size = picture.image.mode, picture.upright_size()
    thumbnail = thumbnail_of(picture, path)
    if picture.kind == "heic":
        size = picture.image.size
        limits.check_size(*size, max_pixels=max_pixels, name=name)
    found = Probe(
        format=picture.kind,
        width=size[0],
        height=size[1],
        orientation=picture.orientation.value,
        mode=mode,
        frames=picture.frames,
        needs_rendition=_needs_rendition(picture, mode),
        notes=_notes(picture, mode),
    )
    return found, thumbnail, picture


def _needs_rendition(picture: Picture, mode: str) -> bool:
    """Tell whether a browser given the original bytes would show nothing, or something else.

    Animations count: a person annotates the first frame, so that is what has to stand still. So do
    16-bit PNGs, which a browser cuts to their high byte, and BMP for its weight on the wire.
    """
    return (
        picture.kind not in _BROWSER_FORMATS
        or not picture.orientation.in_browser
        or mode in ("CMYK", "LAB")
        or picture.bits > 8
        or (picture.frames > 1 and picture.kind != "jpeg")
    )


def _notes(picture: Picture, mode: str) -> list[str]:
    notes = []
    if picture.frames > 1:
        more = "or more " if picture.frames >= limits.MAX_FRAMES_COUNTED else ""
        notes.append(f"The first of {picture.frames} {more}frames is used.")
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.image.info:
        notes.append("Transparency is dropped.")
    if picture.bits > 8:
        notes.append(f"{picture.bits} bits per channel are reduced to 8.")
    if mode in ("CMYK", "LAB"):
        notes.append(f"{mode} is converted to sRGB.")
    if not picture.orientation.in_browser and picture.kind in _BROWSER_FORMATS:
        kind = sniff.FORMATS[picture.kind][0]
        notes.append(f"Browsers ignore how this {kind} says it is turned; an upright copy is shown.")
    return notes
