"""What every bench is made of: figures, options, percentiles, the registry."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from appliance.registry import discover
from tests._shared import ROOT

__all__ = ["Bench", "Figure", "Options", "benches", "figures", "percentile"]

_SCRATCH = ROOT / "runs"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value, beside what a peer needed for the same in the same run.

    `ratio` says how many times better ours is: above 1 is better, whichever way the unit goes.
    A peer that was asked for and could not be measured has a `peer`, no `peer_value` and a `reason`.
    """

    bench: str
    figure: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    reason: str | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's for rates and overlaps, the peer's over ours for everything else."""
        if self.peer_value is None or not self.value or not self.peer_value:
            return None
        better = self.value / self.peer_value if self.unit.endswith(("/s", "IoU")) else self.peer_value / self.value
        return _rounded(better)

    def line(self) -> str:
        """Return the figure as one JSON line; `reason` only where there is one."""
        facts: dict[str, Any] = {name: getattr(self, name) for name in ("bench", "figure")}
        facts |= {"value": _rounded(self.value), "unit": self.unit, "peer": self.peer}
        facts["peer_value"] = None if self.peer_value is None else _rounded(self.peer_value)
        facts["ratio"] = self.ratio
        if self.reason is not None:
            facts["reason"] = self.reason
        return msgspec.json.encode(facts).decode()

    def row(self, target: str) -> str:
        """Return the figure as a row of the table in docs/benchmarks.md."""
        peer = "–" if self.peer is None else f"{_short(self.peer_value)} ({self.peer})"
        if self.reason is not None:
            peer = f"not measured ({self.peer}: {self.reason})"
        ours = f"{_short(self.value)} {self.unit}"
        return f"| {self.bench} {self.figure} | {ours} | {peer} | {_short(self.ratio)} | {target or '–'} |"


def _rounded(value: float) -> float:
    """Keep three significant digits, whole numbers from 1,000 on."""
    return float(f"{value:.3g}") if abs(value) < 1000 else float(round(value))


def _short(value: float | None) -> str:
    return "–" if value is None else f"{_rounded(value):,g}"


@dataclass(frozen=True)
class Options:
    """What a bench is run with.

    Attributes:
        peers: Install and measure the peers too.
        scale: Share of the work to do, for a quick look; figures are published at 1.
        folder: Scratch folder on a real disk, so that a sync costs what it costs.
        only: Figures that begin otherwise need not be measured.
        minutes: How long a bench takes that measures for a time.
        kept: What benches of one run share, by name: a peer's server is set up once.
    """

    peers: bool = False
    scale: float = 1.0
    folder: Path = field(default_factory=lambda: _scratch())
    only: str = ""
    minutes: float = 10.0
    kept: dict[str, Any] = field(default_factory=dict)

    def times(self, count: int, least: int = 10) -> int:
        """Scale a number of repetitions."""
        return max(least, round(count * self.scale))

    def fresh(self, name: str) -> Path:
        """Return a new empty folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def clear(self) -> None:
        """Stop what is kept and delete the scratch folder."""
        for kept in self.kept.values():
            if hasattr(kept, "close"):
                kept.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _scratch() -> Path:
    _SCRATCH.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="bench-", dir=_SCRATCH))


@dataclass(frozen=True)
class Bench:
    """A variant of the registry.

    Attributes:
        name: What `./run bench` calls it.
        summary: One line for the list.
        run: Yields figures as they are measured.
        targets: What each figure aims at, in words, for the table.
    """

    name: str
    summary: str
    run: Callable[[Options], Iterator[Figure]]
    targets: dict[str, str] = field(default_factory=dict)


def benches() -> dict[str, Bench]:
    """Return the registered benches by name."""
    return discover("tests.bench", "BENCH")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed.

    Args:
        values: At least one.
        share: 0..1, such as 0.99.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def figures(
    bench: str,
    ours: dict[str, tuple[float, str]],
    peer: str | None = None,
    theirs: dict[str, float] | None = None,
    reason: str | None = None,
) -> Iterator[Figure]:
    """Yield our figures, each with the peer's where it has one.

    Args:
        bench: Name of the bench.
        ours: Value and unit by figure.
        peer: Name of the peer that was asked for.
        theirs: The peer's values by figure, in our units.
        reason: Why the peer could not be measured.
    """
    for name, (value, unit) in ours.items():
        beside = (theirs or {}).get(name)
        asked = peer if beside is not None or reason is not None else None
        yield Figure(bench=bench, figure=name, value=value, unit=unit, peer=asked, peer_value=beside, reason=reason)
