"""Formats at the size of COCO train2017, in seconds of CPU, beside decoding the same JSON and nothing else."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from appliance.formats import Dataset, FolderSink, ZipSink, formats
from appliance.geometry.box import Box
from appliance.geometry.polygon import Polygon
from appliance.records import Annotation, DatasetImage, Label
from appliance.store import snapshots
from appliance.store.blobs import Blobs
from tests.bench._base import Bench, Figure, Options

__all__ = ["BENCH"]

_IMAGES = 118_287
_ANNOTATIONS = 860_001
_LABELS = 80
_SIDES = 640, 480
_MEAN_POINTS = 24
_PEER = "msgspec_decode"


def run(options: Options) -> Iterator[Figure]:
    """Write both formats from snapshots' manifests and read COCO back, each in a fresh process."""
    folder = options.fresh("formats")
    (folder / "tmp").mkdir()
    images = options.times(_IMAGES)
    boxes, polygons = (_manifest(folder, images, outlined=outlined) for outlined in (False, True))
    peaks_mb = []
    for figure, ours, theirs in (
        ("coco_write_s", (_write, "coco", polygons), (_decode_manifest, polygons)),
        ("yolo_boxes_s", (_write, "yolo", boxes), (_decode_manifest, boxes)),
        ("yolo_polygons_s", (_write, "yolo", polygons), (_decode_manifest, polygons)),
        ("coco_read_s", (_read_coco,), (_decode_coco,)),
    ):
        seconds, peak_mb = _apart(ours[0], folder, *ours[1:])
        beside, _ = _apart(theirs[0], folder, *theirs[1:])
        peaks_mb.append(peak_mb)
        yield Figure(bench="formats", figure=figure, value=seconds, unit="s", peer=_PEER, peer_value=beside)
    yield Figure(bench="formats", figure="peak_mb", value=max(peaks_mb), unit="MB")


def _apart(work: Callable[..., None], *arguments: Any) -> tuple[float, float]:
    """Return CPU seconds and the peak of resident memory in MB of the work in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, work, *arguments).result()


def _measured(work: Callable[..., None], *arguments: Any) -> tuple[float, float]:
    started_s = time.process_time()
    work(*arguments)
    return time.process_time() - started_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _blobs(folder: Path) -> Blobs:
    return Blobs(folder / "blobs", folder / "tmp")


def _write(folder: Path, name: str, manifest: str) -> None:
    """Export into an archive; COCO into a folder, where it is read from again."""
    header, _ = snapshots.opened(_blobs(folder), manifest)
    dataset = Dataset(labels=header.labels, images=lambda: snapshots.opened(_blobs(folder), manifest)[1])
    if name == "coco":
        formats()[name].write(dataset, FolderSink(folder / name, _no_picture))
        return
    with ZipSink(folder / f"{name}.zip", _no_picture) as sink:
        formats()[name].write(dataset, sink, formats()[name].write_options(pictures=False))


def _no_picture(image: DatasetImage) -> Path:
    raise FileNotFoundError(image.name)


def _decode_manifest(folder: Path, manifest: str) -> None:
    for _ in snapshots.opened(_blobs(folder), manifest)[1]:
        pass


def _read_coco(folder: Path) -> None:
    for _ in formats()["coco"].read(folder / "coco").images():
        pass


class _CocoImage(msgspec.Struct):
    id: int
    file_name: str
    width: int
    height: int


class _CocoAnnotation(msgspec.Struct):
    id: int
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    area: float
    segmentation: list[list[float]]
    iscrowd: int


class _Coco(msgspec.Struct):
    images: list[_CocoImage]
    annotations: list[_CocoAnnotation]


def _decode_coco(folder: Path) -> None:
    msgspec.json.decode((folder / "coco" / "annotations.json").read_bytes(), type=_Coco)


def _manifest(folder: Path, images: int, *, outlined: bool) -> str:
    """Stage a snapshot's manifest of generated rows and return its hash."""
    blobs = _blobs(folder)
    staged = blobs.stage(_lines(images, outlined), compress=True)
    blobs.settle([staged])
    return staged.sha256


def _lines(images: int, outlined: bool) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    labels = [
        Label(id=number + 1, project_id=1, class_index=number, name=f"label {number}", color="#336699")
        for number in range(_LABELS)
    ]
    yield encode(snapshots.Header(project="bench", contents="everything", seed=0, labels=labels)) + b"\n"
    random = np.random.default_rng(7)
    counts = random.multinomial(round(_ANNOTATIONS * images / _IMAGES), np.full(images, 1 / images)).tolist()
    for number, count in enumerate(counts):
        digest = f"{number:064x}"
        yield (
            encode(
                DatasetImage(
                    name=f"{number:012d}.jpg",
                    width=_SIDES[0],
                    height=_SIDES[1],
                    sha256=digest,
                    split=snapshots.split_of(digest, 0),
                    annotations=[_annotation(random, f"{number:07d}-{n:04d}", outlined) for n in range(count)],
                )
            )
            + b"\n"
        )


def _annotation(random: np.random.Generator, id_: str, outlined: bool) -> Annotation:
    """Make a box, or a star-shaped ring whose number of points is spread as widely as drawn ones'."""
    x, y, width, height, kind, spread = random.random(6).tolist()
    centre, radii = (100 + 440 * x, 100 + 280 * y), (5 + 95 * width, 5 + 95 * height)
    label_id = 1 + int(kind * _LABELS)
    if not outlined:
        box = Box(centre[0] - radii[0], centre[1] - radii[1], centre[0] + radii[0], centre[1] + radii[1])
        return Annotation(id=id_, label_id=label_id, geometry=box)
    turns = np.linspace(0, 2 * np.pi, 4 + int((_MEAN_POINTS - 4) * -np.log(1 - spread)), endpoint=False)
    share = 0.7 + 0.3 * random.random(len(turns))
    points = np.stack((centre[0] + radii[0] * share * np.cos(turns), centre[1] + radii[1] * share * np.sin(turns)), 1)
    return Annotation(id=id_, label_id=label_id, geometry=Polygon([[np.round(points, 2).ravel().tolist()]]))


BENCH = Bench(
    name="formats",
    summary="COCO and YOLO of 118,287 images with 860,001 annotations, CPU seconds",
    run=run,
)
