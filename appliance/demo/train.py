"""Train the demo's detector from nothing and write it beside this file.

Run ``python -m appliance.demo.train`` where the ``train`` extra is installed; it takes about
a quarter of an hour on two cores. The pictures are drawn here, so the weights owe nothing to
anybody's data, and nothing is downloaded. The shipped weights were trained in two sittings, as
the note in ``fasteners.json`` says; one run of this script has not been compared with them
yet. The sums of other processors or numbers of threads are not the same to the bit, so
neither is the file.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from appliance.demo.content import DEMO_LABELS, TEST_SEEDS, VALIDATION_SEEDS, model_path, training_seeds
from appliance.demo.evaluate import Predicted, mean_average_precision
from appliance.demo.scene import SIZE, Box, pictures, truth, write_pictures

__all__ = ["main"]

SEED = 7
PICTURES = 960
EPOCHS = 6
# Height and width: two fifths of the pictures' size, a multiple of the coarsest stride.
INPUT = (256, 384)
# Depth, width and channel limit of YOLO11; the width keeps the file under 6 MB.
SCALE = (0.5, 0.16, 1024)
OPSET = 17
_LABELS = [name for name, _ in DEMO_LABELS]
_KEPT_METADATA = ("batch", "channels", "end2end", "imgsz", "names", "stride", "task")
_LIBRARIES = ("numpy", "onnx", "onnxruntime", "opencv-python-headless", "torch", "ultralytics")


def main() -> None:
    """Draw, train, export, measure; replace the shipped model only at the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = _offline_ultralytics(folder)
        weights = _fit(library, folder, _draw(folder))
        candidate = folder / model_path().name
        candidate.write_bytes(_export(library, weights))
        facts = _facts(library, candidate)
        model_path().write_bytes(candidate.read_bytes())
    model_path().with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=2))


def _offline_ultralytics(folder: Path) -> Any:
    """Import ultralytics with its downloads, installs and personal settings switched off."""
    os.environ.update(YOLO_CONFIG_DIR=str(folder), YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false")
    import torch
    import ultralytics
    import ultralytics.data.utils

    torch.set_num_threads(2)
    # Checking a data set fetches a font for plots that are never drawn.
    ultralytics.data.utils.check_font = lambda *_args, **_options: None
    return ultralytics


def _draw(folder: Path) -> Path:
    """Write pictures and YOLO label files; return the data set's description."""
    for split, seeds in (("train", training_seeds(PICTURES)), ("val", VALIDATION_SEEDS)):
        images, texts = folder / "images" / split, folder / "labels" / split
        images.mkdir(parents=True)
        texts.mkdir(parents=True)
        for picture in pictures(seeds):
            (images / picture.name).write_bytes(picture.data)
            lines = [_line(_LABELS.index(item.label), item.box) for item in picture.objects]
            (texts / picture.name).with_suffix(".txt").write_text("".join(lines), encoding="ascii")
    data = folder / "data.yaml"
    description = {"path": str(folder), "train": "images/train", "val": "images/val", "names": _LABELS}
    data.write_text(json.dumps(description), encoding="utf-8")
    return data


def _line(label: int, box: Box) -> str:
    """Return a line of a YOLO label file: class, then centre and size over the picture's size."""
    (x1, y1, x2, y2), (width, height) = box, SIZE
    norm = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height
    return f"{label} " + " ".join(f"{value:.6f}" for value in norm) + "\n"


def _fit(library: Any, folder: Path, data: Path) -> Path:
    """Train a slim YOLO11 from random weights; return its last checkpoint.

    ``rect`` keeps the pictures' shape, which pads nothing but rules out mosaics; with pictures
    drawn at random there is little left for a mosaic to add. ``nbs`` equal to the batch makes
    each batch a step of the optimiser: a short run needs the steps.
    """
    from ultralytics.utils import YAML

    design = YAML.load(Path(library.__file__).parent / "cfg/models/11/yolo11.yaml")
    design.update(nc=len(_LABELS), scales={"n": list(SCALE)})
    plan = folder / "fasteners.yaml"
    plan.write_text(json.dumps(design), encoding="utf-8")
    library.YOLO(plan, task="detect").train(
        data=data, epochs=EPOCHS, imgsz=max(INPUT), rect=True, batch=8, nbs=8, workers=0, cache="ram",
        device="cpu", seed=SEED, deterministic=True, amp=False, pretrained=False, plots=False, val=False,
        optimizer="AdamW", lr0=0.002, lrf=0.02, cos_lr=True, warmup_epochs=0.5,
        mosaic=0.0, close_mosaic=0, flipud=0.5, fliplr=0.5, scale=0.15, translate=0.05,
        hsv_h=0.01, hsv_s=0.3, hsv_v=0.3, erasing=0.0,
        project=str(folder), name="run", exist_ok=True,
    )  # fmt: skip
    return folder / "run/weights/last.pt"


def _export(library: Any, weights: Path) -> bytes:
    """Export to ONNX, and keep of its metadata what describes the model, not the machine or the day."""
    import onnx

    exported = library.YOLO(weights).export(
        format="onnx", imgsz=INPUT, batch=1, simplify=False, opset=OPSET, device="cpu"
    )
    model = onnx.load(exported)
    kept = {item.key: item.value for item in model.metadata_props if item.key in _KEPT_METADATA}
    kept["description"] = "Fasteners on a tray: the detector of the PixelQueue demo"
    kept["license"] = "AGPL-3.0-or-later"
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, kept)
    model.doc_string = model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _facts(library: Any, model: Path) -> dict[str, Any]:
    """Measure the exported model on pictures nobody trained on, through ONNX Runtime."""
    import onnx

    folder = model.parent / "test"
    folder.mkdir()
    runner = library.YOLO(model, task="detect")
    found = {path.name: _detect(runner, path) for path in write_pictures(folder, TEST_SEEDS)}
    wanted = {n: [(o.label, o.box) for o in items] for n, items in truth(TEST_SEEDS).items()}
    accuracy = mean_average_precision(found, wanted)
    weights = onnx.load(model).graph.initializer
    return {
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "seed": SEED,
        "pictures": PICTURES,
        "epochs": EPOCHS,
        "input": list(INPUT),
        "parameters": sum(int(np.prod(item.dims)) for item in weights if item.data_type == 1),
        "test_pictures": len(TEST_SEEDS),
        "map50": round(accuracy.map50, 4),
        "map50_95": round(accuracy.map50_95, 4),
        "map50_by_label": {label: round(both[0], 4) for label, both in accuracy.labels.items()},
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def _detect(runner: Any, picture: Path) -> list[Predicted]:
    """Run the exported model on one picture, down to the confidence that average precision wants."""
    result = runner.predict(picture, imgsz=INPUT, conf=0.001, iou=0.7, max_det=300, verbose=False)[0]
    rows = zip(result.boxes.cls, result.boxes.xyxy, result.boxes.conf, strict=True)
    return [(_LABELS[int(kind)], tuple(box.tolist()), float(sure)) for kind, box, sure in rows]


if __name__ == "__main__":
    main()
