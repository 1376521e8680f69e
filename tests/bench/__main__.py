"""``python -m tests.bench [NAME…] [--peers]``: measure, one JSON line per figure."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path

import psutil

from tests.bench._base import Bench, Options, benches


def main(arguments: list[str] | None = None) -> int:
    """Run the benches that are named, or list them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="benches to run, or all; none lists them")
    parser.add_argument("--peers", action="store_true", help="install and measure the peers in the same run")
    parser.add_argument("--markdown", action="store_true", help="print rows for docs/benchmarks.md at the end")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the work, for a quick look [default: 1]")
    parser.add_argument(
        "--only", default="", metavar="FIGURE", help="only the figures that begin so, where a bench can"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long people work [default: 10]")
    parser.add_argument("--scratch", type=Path, help="folder on a real disk [default: runs/ of the project]")
    given = parser.parse_args(arguments)
    known = benches()
    if not given.names:
        for bench in known.values():
            print(f"{bench.name:<8} {bench.summary}")
        return 0
    names = list(known) if given.names == ["all"] else given.names
    for name in names:
        if name not in known:
            parser.error(f"there is no bench {name!r}: choose one of {', '.join(known)}, or all")
    rows = _measure([known[name] for name in names], _options(given))
    if given.markdown:
        _print_table(rows)
    return 0


def _options(given: argparse.Namespace) -> Options:
    asked = {"peers": given.peers, "scale": given.scale, "only": given.only, "minutes": given.minutes}
    if given.scratch is None:
        return Options(**asked)
    given.scratch.mkdir(parents=True, exist_ok=True)
    return Options(**asked, folder=Path(tempfile.mkdtemp(prefix="bench-", dir=given.scratch)))


def _measure(chosen: list[Bench], options: Options) -> list[str]:
    rows = []
    try:
        for bench in chosen:
            print(f"{bench.name}: {bench.summary}", file=sys.stderr)
            for figure in bench.run(options):
                print(figure.line(), flush=True)
                rows.append(figure.row(bench.targets.get(figure.figure, "")))
    finally:
        options.clear()
    return rows


def _print_table(rows: list[str]) -> None:
    memory_gib = psutil.virtual_memory().total / 2**30
    print(f"\n{platform.machine()}, {psutil.cpu_count()} cores, {memory_gib:.0f} GiB, Python "
          f"{platform.python_version()}, Linux {platform.release()}\n")  # fmt: skip
    print("| figure | ours | peer | ratio | target |\n|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    sys.exit(main())
