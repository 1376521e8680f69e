"""``pixelqueue doctor``: is this machine, and this data directory, in good health?"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

import appliance
from appliance.commands import _common
from appliance.errors import ChildFailed, NotFound, PixelQueueError, StoreCorrupt
from appliance.settings import Settings
from appliance.store import Store

__all__ = ["COMMAND"]


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
    findings = [*_machine(), *_backends()]
    if (Path(settings.data) / "pixelqueue.sqlite").exists():
        findings += _data(settings, deep)
    elif data is not None:
        raise NotFound(f"{data} is no data directory: name one with --data", field="data")
    for finding in findings:
        if json_:
            _common.as_json(finding._asdict())
        else:
            click.echo(f"{'ok' if finding.ok else 'FAULT':<6} {finding.what:<14} {finding.facts}")
    if any(not finding.ok and finding.what in ("database", "blobs") for finding in findings):
        raise StoreCorrupt("the data directory is damaged: restore the latest backup")


def _machine() -> Iterator[Finding]:
    import apsw

    yield Finding(
        "pixelqueue", True, f"{appliance.__version__}, Python {platform.python_version()}, {platform.machine()}"
    )
    yield Finding("sqlite", apsw.SQLITE_VERSION_NUMBER >= 3_051_003, apsw.sqlite_lib_version())
    yield _children()


def _children() -> Finding:
    from appliance.jobs import children

    try:
        children.once("jobs.kinds.import_", {"do": "recognise", "folder": "/nonexistent"}, deadline_s=30)
    except ChildFailed as error:
        return Finding("children", False, error.message)
    except PixelQueueError:
        pass
    return Finding("children", True, "limited child processes start")


def _backends() -> Iterator[Finding]:
    from appliance.engine.backends._base import backends

    for name, backend in backends().items():
        if backend.rank is not None:
            found = backend.probe()
            yield Finding(f"backend {name}", found.ok, ", ".join(found.devices) if found.ok else found.reason)


def _data(settings: Settings, deep: bool) -> Iterator[Finding]:
    try:
        with _common.opened(settings) as store:
            yield _database(store)
            yield _disk(store, settings)
            yield from _blobs(store, deep)
    except StoreCorrupt as error:
        yield Finding("database", False, error.message)


def _database(store: Store) -> Finding:
    rows = store.read(lambda reading: reading.execute("PRAGMA integrity_check(10)").fetchall())
    broken = store.read(lambda reading: reading.execute("PRAGMA foreign_key_check").fetchall())
    ok = rows == [("ok",)] and not broken
    return Finding("database", ok, "integrity and references hold" if ok else f"{rows[:3]} {broken[:3]}")


def _disk(store: Store, settings: Settings) -> Finding:
    free = store.free_bytes()
    return Finding("disk", free >= settings.free_floor_bytes, f"{free >> 20} MiB free")


def _blobs(store: Store, deep: bool) -> Iterator[Finding]:
    known = store.read(lambda reading: [s for (s,) in reading.execute("SELECT lower(hex(sha256)) FROM blobs")])
    missing = [sha256 for sha256 in known if not store.blobs.exists(sha256)]
    bad = [sha256 for sha256 in known if deep and sha256 not in missing and not _sound(store, sha256)]
    facts = f"{len(known)} stored files{', each read' if deep else ''}"
    for word, hashes in (("missing", missing), ("damaged", bad)):
        if hashes:
            facts += f", {len(hashes)} {word} ({', '.join(_owners(store, hashes[:3]))})"
    yield Finding("blobs", not missing and not bad, facts)


def _sound(store: Store, sha256: str) -> bool:
    try:
        store.blobs.verify(sha256)
    except StoreCorrupt:
        return False
    return True


def _owners(store: Store, hashes: list[str]) -> Iterator[str]:
    sql = "SELECT name FROM images WHERE sha256 = ? LIMIT 1"
    for sha256 in hashes:
        key = (bytes.fromhex(sha256),)
        found = store.read(lambda reading, key=key: reading.execute(sql, key).fetchall())
        yield str(found[0][0]) if found else sha256[:12]


COMMAND = doctor
