"""A click with MobileSAM: over HTTP, alone and beside a batch, and its two graphs by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from appliance.engine.inspect import inspect_files
from appliance.engine.segmenters._base import Prompt, Weights, segmenters
from appliance.imaging.decode import decode_bgr
from appliance.jobs.weights import admit_model
from appliance.records import Provenance
from appliance.settings import Settings
from appliance.store import Store
from tests._sam import checkpoint, pair
from tests._shared import shared
from tests.bench._base import Bench, Figure, Options, figures, percentile
from tests.bench._fill import ready_folder
from tests.bench._ours import Box, serving

__all__ = ["BENCH"]

_CLICKS = 100
_ENCODINGS = 5
_IMAGES = 32
_PEER = "ultralytics, torch"


def run(options: Options) -> Iterator[Figure]:
    """Make a MobileSAM of random weights, measure its graphs, then serve it and click."""
    folder = options.fresh("click")
    files = pair(folder, "mobile_sam")
    pictures = sorted(shared("data/coco128/images").rglob("*.jpg"))[:_IMAGES]
    image = np.ascontiguousarray(decode_bgr(pictures[0])[:, :, ::-1])
    ours = _graphs(files, image, options)
    theirs = _torch(folder, image, options) if options.peers else None
    yield from figures("click", ours, _PEER if options.peers else None, theirs)
    yield from figures("click", _served(folder / "data", files, pictures, options))


def _graphs(files: dict[str, Path], image: np.ndarray, options: Options) -> dict[str, tuple[float, str]]:
    session = segmenters()["sam"].open(Weights(files, inspect_files(files)))
    height, width = image.shape[:2]
    asked = Prompt(np.array([[width / 2, height / 2]]), np.array([True]))
    seen = session.encode(image)
    encoder = _median(lambda: session.encode(image), options.times(_ENCODINGS, least=3))
    decoder = _median(lambda: session.decode(seen, asked, width, height), options.times(_CLICKS))
    session.close()
    return {"encoder_ms": (encoder, "ms"), "decoder_ms": (decoder, "ms")}


def _torch(folder: Path, image: np.ndarray, options: Options) -> dict[str, float]:
    """Measure the same with the predictor of ultralytics on the same checkpoint."""
    from ultralytics.models.sam.build import build_mobile_sam
    from ultralytics.models.sam.predict import Predictor

    model = build_mobile_sam()
    model.load_state_dict(checkpoint(folder, "mobile_sam").contents)
    source = Predictor(overrides={"imgsz": 1024, "save": False, "verbose": False, "device": "cpu"})
    source.setup_model(model, verbose=False)
    turned = np.ascontiguousarray(image[:, :, ::-1])
    height, width = image.shape[:2]
    encoder = _median(lambda: source.set_image(turned), options.times(_ENCODINGS, least=3))
    given: dict[str, Any] = {"points": [[[width / 2, height / 2]]], "labels": [[1]], "multimask_output": True}
    decoder = _median(
        lambda: source.inference_features(source.features, (height, width), (1024, 1024), **given),
        options.times(_CLICKS),
    )
    return {"encoder_ms": encoder, "decoder_ms": decoder}


def _served(
    folder: Path, files: dict[str, Path], pictures: list[Path], options: Options
) -> dict[str, tuple[float, str]]:
    token = ready_folder(folder)
    with Store(folder, Settings(data=str(folder))) as store:
        staged = {role: store.blobs.stage([path.read_bytes()]) for role, path in files.items()}
        made = admit_model(store, staged, name="mobile_sam.onnx", provenance=Provenance(), created_by=None)
    with serving(folder, token) as box:
        project_id = box.project("Clicks")
        root = f"/api/projects/{project_id}"
        sent = [
            box.ask("POST", f"{root}/images", params={"name": one.name}, content=one.read_bytes()) for one in pictures
        ]
        box.ask("PUT", f"{root}/segmenter", json={"model_id": made.id})
        warm = _clicks(box, root, sent[0], options.times(_CLICKS))
        model_id = box.model(shared("models/yolov8n.onnx"))
        job = box.ask("POST", f"{root}/auto-label", json={"model_id": model_id})
        while job["progress"] == 0 and job["state"] in ("queued", "running"):
            time.sleep(0.02)
            job = box.ask("GET", f"/api/jobs/{job['id']}")
        busy: list[float] = []
        while job["state"] == "running":
            busy += _clicks(box, root, sent[0], 5)
            job = box.ask("GET", f"/api/jobs/{job['id']}")
        if not busy:
            raise RuntimeError("the batch was over before anybody clicked: give it more pictures")
    return {"warm_p95_ms": (percentile(warm, 0.95), "ms"), "busy_p95_ms": (percentile(busy, 0.95), "ms")}


def _clicks(box: Box, root: str, image: dict[str, Any], count: int) -> list[float]:
    """Click at random, after one click for the embedding; return milliseconds."""
    draw = np.random.default_rng(3)
    took = []
    for n in range(count + 1):
        x, y = draw.random(2) * (image["width"], image["height"])
        began_s = time.perf_counter()
        body = {"points": [{"x": float(x), "y": float(y)}]}
        answer = box.ask("POST", f"{root}/images/{image['id']}/segment", json=body)
        if n > 0:
            took.append((time.perf_counter() - began_s) * 1000)
        if answer["model_id"] is None:
            raise RuntimeError("the built-in segmenter answered in place of the model")
    return took


def _median(work: Callable[[], object], count: int) -> float:
    """Return the median of `count` runs in milliseconds, after one that is not counted."""
    work()
    took = []
    for _ in range(count):
        began_s = time.perf_counter()
        work()
        took.append((time.perf_counter() - began_s) * 1000)
    return percentile(took, 0.5)


BENCH = Bench(
    name="click",
    summary="a click of smart segment with MobileSAM",
    run=run,
    targets={
        "encoder_ms": "≤ 1,100",
        "decoder_ms": "≤ 30",
        "warm_p95_ms": "≤ 60",
        "busy_p95_ms": "≤ 1.5 × warm",
    },
)
