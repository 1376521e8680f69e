"""What auto-labelling is held against: a well-made loop around ONNX Runtime and nothing else.

Two threads in the runtime, spinning off, pictures decoded and fitted ahead on two threads, boxes
by OpenCV's class-wise suppression. It is a process of its own and knows nothing of the appliance.
Prints the seconds from making the session to the last boxes as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import onnxruntime

_THREADS = 2
_AHEAD = 6


def prepare(path: str, side: int) -> np.ndarray:
    """Return the picture as ``(1, 3, side, side)`` float32 RGB 0..1, letterboxed on grey 114."""
    pixels = cv2.imread(path)
    height, width = pixels.shape[:2]
    scale = min(side / height, side / width)
    fitted = (round(width * scale), round(height * scale))
    if fitted != (width, height):
        pixels = cv2.resize(pixels, fitted, interpolation=cv2.INTER_LINEAR)
    left, top = (side - fitted[0]) // 2, (side - fitted[1]) // 2
    framed = cv2.copyMakeBorder(
        pixels, top, side - fitted[1] - top, left, side - fitted[0] - left, cv2.BORDER_CONSTANT, value=(114,) * 3
    )
    return cv2.dnn.blobFromImage(framed, 1 / 255, swapRB=True)


def boxes(output: np.ndarray, conf: float = 0.25, iou: float = 0.7) -> int:
    """Return how many objects ``(1, 4 + classes, N)`` holds after suppression."""
    rows = output[0]
    scores = rows[4:].max(axis=0)
    likely = scores > conf
    rows, scores = rows[:, likely], scores[likely]
    classes = rows[4:].argmax(axis=0)
    corners = np.concatenate([rows[:2] - rows[2:4] / 2, rows[2:4]]).T
    return len(cv2.dnn.NMSBoxesBatched(corners.tolist(), scores.tolist(), classes.tolist(), conf, iou))


def main(model: str, paths: list[str]) -> dict[str, float]:
    """Predict on the pictures and return seconds and objects."""
    started_s = time.perf_counter()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    side = given.shape[2] if isinstance(given.shape[2], int) else 640
    found, waiting, source = 0, deque(), iter(paths)
    with ThreadPoolExecutor(_THREADS) as readers:
        waiting.extend(readers.submit(prepare, path, side) for path, _ in zip(source, range(_AHEAD), strict=False))
        while waiting:
            tensor = waiting.popleft().result()
            following = next(source, None)
            if following is not None:
                waiting.append(readers.submit(prepare, following, side))
            found += boxes(session.run(None, {given.name: tensor})[0])
    return {"seconds": time.perf_counter() - started_s, "objects": found}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))
