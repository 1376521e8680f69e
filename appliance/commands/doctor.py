"""``pixelqueue doctor``: is this machine, and this data directory, in good health?"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

import appliance
from appliance.commands import _common
from appliance.errors import NotFound, StoreCorrupt
from appliance.settings import Settings
from appliance.store import Store, chain, scrub

__all__ = ["COMMAND"]

_STRETCH = 1_000


class Finding(NamedTuple):
    """One line of the diagnosis: what was looked at, whether it is well, and the facts."""

    what: str
    ok: bool
    facts: str


@click.command("doctor")
@click.option("--deep", is_flag=True, help="Read every stored file and compare it with its name.")
@_common.data_option
@_common.json_option
def doctor(deep: bool, data: Path | None, json_: bool) -> None:
    """Check runtimes, child processes and, where there is one, the data directory.

    Ends with exit code 5 when something is wrong with the data, or another process has it open.
    """
    settings = _common.settings_for(data)
    findings = [*_machine(), *_runtimes(settings), *_conversion(settings)]
    if (Path(settings.data) / "pixelqueue.sqlite").exists():
        findings += _data(settings, deep)
    elif data is not None:
        raise NotFound(f"{data} is no data directory: name one with --data", field="data")
    for finding in findings:
        if json_:
            _common.as_json(finding._asdict())
        else:
            click.echo(f"{'ok' if finding.ok else 'FAULT':<6} {finding.what:<14} {finding.facts}")
    if any(not finding.ok and finding.what in ("database", "audit log", "blobs") for finding in findings):
        raise StoreCorrupt("the data directory is damaged: restore the latest backup")


def _machine() -> Iterator[Finding]:
    import apsw

    yield Finding(
        "pixelqueue", True, f"{appliance.__version__}, Python {platform.python_version()}, {platform.machine()}"
    )
    yield Finding("sqlite", apsw.SQLITE_VERSION_NUMBER >= 3_051_003, apsw.sqlite_lib_version())


def _runtimes(settings: Settings) -> Iterator[Finding]:
    from appliance.jobs import runtimes

    found = runtimes.look(settings)
    yield Finding("children", found.fault is None, found.fault or "limited child processes start")
    for backend in found.backends:
        facts = ", ".join(backend.devices) if backend.ok else backend.reason
        yield Finding(f"backend {backend.name}", backend.ok, facts)


def _conversion(settings: Settings) -> Iterator[Finding]:
    from appliance.jobs import conversion

    found = conversion.look(settings)
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    # No fault: a box that is sent ONNX files needs none of it.
    yield Finding("conversion", True, versions if found.ok else f"not here: {found.reason}. {found.way_out}")


def _data(settings: Settings, deep: bool) -> Iterator[Finding]:
    try:
        with _common.opened(settings) as store:
            yield _database(store)
            yield _audit(store)
            yield _disk(store, settings)
            yield from _blobs(store, deep)
    except StoreCorrupt as error:
        yield Finding("database", False, error.message)


def _database(store: Store) -> Finding:
    rows = store.read(lambda reading: reading.execute("PRAGMA integrity_check(10)").fetchall())
    broken = store.read(lambda reading: reading.execute("PRAGMA foreign_key_check").fetchall())
    ok = rows == [("ok",)] and not broken
    return Finding("database", ok, "integrity and references hold" if ok else f"{rows[:3]} {broken[:3]}")


def _audit(store: Store) -> Finding:
    """Check the whole chain of the audit log."""
    found = store.read(chain.check)
    while found.broken is None and found.checked < found.head.id:
        found = store.read(lambda reading, after=found.checked: chain.check(reading, after))  # type: ignore[misc]
    if found.broken is not None:
        return Finding("audit log", False, f"line {found.broken} is not as it was written, or missing")
    return Finding("audit log", True, f"{_common.counted(found.checked, 'line')}, head {found.head.hash}")


def _disk(store: Store, settings: Settings) -> Finding:
    free = store.free_bytes()
    return Finding("disk", free >= settings.free_floor_bytes, f"{free >> 20} MiB free")


def _blobs(store: Store, deep: bool) -> Iterator[Finding]:
    unsound: dict[str, list[str]] = {"missing": [], "damaged": []}
    known, after = 0, b""
    while found := store.read(lambda reading, after=after: scrub.stretch(reading, after, _STRETCH)):
        for stored in found:
            fault = scrub.look(store.blobs, stored) if deep else scrub.gone(store.blobs, stored)
            if fault is not None:
                unsound[fault].append(stored.sha256)
        known, after = known + len(found), bytes.fromhex(found[-1].sha256)
    facts = f"{known} stored files{', each read' if deep else ''}"
    for word, hashes in unsound.items():
        if hashes:
            facts += f", {len(hashes)} {word} ({', '.join(_owners(store, hashes[:3]))})"
    yield Finding("blobs", not any(unsound.values()), facts)


def _owners(store: Store, hashes: list[str]) -> Iterator[str]:
    for sha256 in hashes:
        owners = store.read(lambda reading, sha256=sha256: scrub.owners(reading, sha256))
        yield owners[0].name if owners else sha256[:12]


COMMAND = doctor
