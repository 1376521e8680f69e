"""Auto-labelling with results committed, against the runtime alone and against ultralytics."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from tests._shared import ROOT
from tests.bench._base import Bench, Figure, Options
from tests.bench._fill import ready_folder
from tests.bench._ours import Box, serving
from tests.bench._peers import PeerMissing, ultralytics_python
from tests.bench._pictures import archive, model_path, pictures
from tests.bench._process import clean_environment

__all__ = ["BENCH"]

_IMAGES = 200
_ROUNDS = 3
_HERE = Path(__file__).parent


def run(options: Options) -> Iterator[Figure]:
    """Take turns, several rounds each, so that the machine's drift meets everybody."""
    count = options.times(_IMAGES)
    paths = [str(path) for path in pictures(options, count)]
    model = model_path()
    seconds: dict[str, list[float]] = defaultdict(list)
    reasons: dict[str, str] = {}
    folder = options.fresh("label") / "data"
    with serving(folder, ready_folder(folder)) as box:
        model_id = box.model(model)
        everybody: dict[str, Callable[[], float]] = {
            "ours": lambda: _ours_s(box, model_id, options, count),
            "bare_onnxruntime": lambda: _script_s(Path(sys.executable), "_bare.py", str(model), paths),
        }
        if options.peers:
            everybody |= _ultralytics(options, model, paths, reasons)
        for _ in range(_ROUNDS):
            for name, measure in everybody.items():
                seconds[name].append(measure())
    rates = {name: count * len(taken) / sum(taken) for name, taken in seconds.items()}
    ours = rates.pop("ours")
    for name, rate in rates.items():
        yield _figure(ours, name, rate)
    for name, reason in reasons.items():
        yield _figure(ours, name, None, reason)


def _figure(ours: float, peer: str, rate: float | None, reason: str | None = None) -> Figure:
    return Figure(
        bench="label", figure="images_per_s", value=ours, unit="images/s", peer=peer, peer_value=rate, reason=reason
    )


def _ours_s(box: Box, model_id: int, options: Options, count: int) -> float:
    """Label a new project of the pictures; the time is the job's own, loading the model included."""
    project_id = box.project("label")
    box.send_archive(project_id, archive(options, count))
    asked = box.ask("POST", f"/api/projects/{project_id}/auto-label", json={"model_id": model_id})
    job = box.finished(asked)
    if job["result"]["images"] != count:
        raise RuntimeError(f"{count} images were to be labelled, {job['result']} were")
    return float(job["finished_at_ms"] - job["started_at_ms"]) / 1000


def _ultralytics(
    options: Options, model: Path, paths: list[str], reasons: dict[str, str]
) -> dict[str, Callable[[], float]]:
    """Return how ultralytics is measured; why it is not, goes into `reasons`."""
    try:
        python = ultralytics_python()
    except PeerMissing as error:
        reasons |= dict.fromkeys(("ultralytics_onnx", "yolo_cli"), str(error))
        return {}
    home = options.fresh("ultralytics")
    found: dict[str, Callable[[], float]] = {
        "ultralytics_onnx": lambda: _script_s(python, "_ultralytics.py", str(model), paths, home)
    }
    torch_weights = model.with_suffix(".pt")
    if torch_weights.exists():
        found["yolo_cli"] = lambda: _command_s(python, torch_weights, paths, home)
    else:
        reasons["yolo_cli"] = f"there is no {torch_weights.name} beside the ONNX file"
    return found


def _script_s(python: Path, script: str, model: str, paths: list[str], home: Path | None = None) -> float:
    """Run a script of this folder apart, so that nothing of ours is loaded; it tells the seconds."""
    command = [str(python), "-P", str(_HERE / script), model, *paths]
    told = _run(command, home or ROOT).splitlines()[-1]
    return float(json.loads(told)["seconds"])


def _command_s(python: Path, weights: Path, paths: list[str], home: Path) -> float:
    """Run `yolo predict` as a user would, from its start to its end."""
    listed = home / "pictures.txt"
    listed.write_text("\n".join(paths))
    keep = ["save=False", "save_txt=True", "save_conf=True", "verbose=False", f"project={home}", "device=cpu"]
    started_s = time.perf_counter()
    _run([str(python.parent / "yolo"), "predict", f"model={weights}", f"source={listed}", *keep], home)
    return time.perf_counter() - started_s


def _run(command: list[str], folder: Path) -> str:
    quiet = clean_environment(YOLO_CONFIG_DIR=str(folder), YOLO_OFFLINE="true")
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=quiet)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-500:]}")
    return done.stdout


BENCH = Bench(
    name="label",
    summary="auto-label images/s with results committed, beside a bare loop and ultralytics",
    run=run,
    targets={"images_per_s": "≥ 0.95 × bare_onnxruntime, ≥ 1.15 × ultralytics_onnx, ≥ 2.4 × yolo_cli"},
)
