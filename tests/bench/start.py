"""From the start of the process to the first 200."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import _ours
from tests.bench._base import Bench, Figure, Options, figures
from tests.bench._fill import ready_folder
from tests.bench._label_studio import PEER, label_studio
from tests.bench._process import clean_environment, end, first_200_s

__all__ = ["BENCH"]

_LATER = 7


def run(options: Options) -> Iterator[Figure]:
    """Measure the first start ever and the median of several later ones, taking turns with the peer."""
    folder = options.fresh("start") / "data"
    never = options.fresh("bytecode")
    first_s = _once(lambda port: _ours.start(folder, port, _uncompiled(never)), "/api/health")
    ready_folder(folder)
    studio, reason = label_studio(options) if options.peers else (None, None)
    ours, theirs = [], []
    for _ in range(options.times(_LATER, least=3)):
        ours.append(_once(lambda port: _ours.start(folder, port), "/api/health"))
        if studio is not None:
            theirs.append(_once(studio.start, "/health"))
    beside = None
    if studio is not None:
        beside = {"first_200_s": statistics.median(theirs), "first_ever_200_s": studio.first_start_s}
    measured = {"first_200_s": (statistics.median(ours), "s"), "first_ever_200_s": (first_s, "s")}
    yield from figures("start", measured, PEER, beside, reason)


def _once(start: Callable[[int], subprocess.Popen[str]], path: str) -> float:
    seconds, process = first_200_s(start, path)
    end(process)
    return seconds


def _uncompiled(empty: Path) -> dict[str, str]:
    """Let Python compile everything again, as on the first start after an installation."""
    return clean_environment(PYTHONPYCACHEPREFIX=str(empty))


BENCH = Bench(
    name="start",
    summary="process start to the first 200 of /api/health",
    run=run,
    targets={"first_200_s": "≤ 0.7 s", "first_ever_200_s": "≤ 2 s"},
)
