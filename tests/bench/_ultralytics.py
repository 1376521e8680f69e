"""Ultralytics' ONNX path, run by an interpreter that has it: seconds for pictures, warmed up, as JSON."""

from __future__ import annotations

import json
import sys
import time


def main(model: str, paths: list[str]) -> dict[str, float]:
    """Predict picture by picture as a stream and return seconds and objects."""
    from ultralytics import YOLO

    detector = YOLO(model, task="detect")
    for _ in detector.predict(paths[:4], stream=True, verbose=False, device="cpu"):
        pass
    started_s = time.perf_counter()
    found = sum(len(one.boxes) for one in detector.predict(paths, stream=True, verbose=False, device="cpu"))
    return {"seconds": time.perf_counter() - started_s, "objects": found}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))
