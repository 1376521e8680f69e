"""The one file: pragmas, lock, versions, migrations, and a schema that keeps its own rules."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from appliance.errors import StorageFull, StoreCorrupt, StoreError, StoreLocked, StoreTooNew
from appliance.settings import Settings
from appliance.store import Store, database
from tests._shared import ROOT
from tests.store._faults import FaultyDisk

QUIET = Settings(reserve_bytes=0, readers=1)


def pragma(connection: apsw.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchall()[0][0]


def tables(connection: apsw.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


@contextlib.contextmanager
def opened(path: Path, **options):
    with contextlib.closing(database.connect(path, **options)) as connection:
        yield connection


def test_every_connection_has_the_pragmas(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as writer:
        database.migrate(writer, tmp_path / "a")
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 0}
        assert {name: pragma(writer, name) for name in wanted} == wanted
        with opened(tmp_path / "a", readonly=True) as reader:
            assert pragma(reader, "foreign_keys") == 1
            with pytest.raises(apsw.ReadOnlyError):
                reader.execute("INSERT INTO meta VALUES ('a', 'b')")


def test_a_second_process_is_kept_out_and_told_by_whom(tmp_path: Path) -> None:
    code = "import sys, appliance.store as s, pathlib\ns.Store(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(tmp_path)]
    with Store(tmp_path, QUIET):
        refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "StoreLocked" in refused.stderr
    assert f"process {__import__('os').getpid()}" in refused.stderr
    subprocess.run(command, cwd=ROOT, check=True)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, time, appliance.store as s, pathlib\n"
        "store = s.Store(pathlib.Path(sys.argv[1]))\nprint('open', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(StoreLocked, match=str(process.pid)):
            Store(tmp_path, QUIET)
        process.kill()
        process.wait()
    Store(tmp_path, QUIET).close()


def test_a_folder_that_cannot_be_used_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Store(tmp_path / "file" / "box", QUIET)
    (tmp_path / "box" / "lock").mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "box", QUIET)


def test_a_newer_file_is_refused_untouched_and_the_lock_let_go(tmp_path: Path) -> None:
    Store(tmp_path, QUIET).close()
    with opened(tmp_path / database.FILE) as connection:
        connection.execute("PRAGMA user_version = 99").fetchall()
    for _ in range(2):
        with pytest.raises(StoreTooNew, match="99"):
            Store(tmp_path, QUIET)
    with opened(tmp_path / database.FILE) as connection:
        assert pragma(connection, "user_version") == 99


def test_what_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    garbage = b"this is a letter, not a database; " * 100
    (tmp_path / database.FILE).write_bytes(garbage)
    for _ in range(2):
        with pytest.raises(StoreCorrupt):
            Store(tmp_path, QUIET)
    assert (tmp_path / database.FILE).read_bytes() == garbage


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    with contextlib.closing(apsw.Connection(str(tmp_path / database.FILE))) as other:
        other.execute("CREATE TABLE letters (body)").fetchall()
    with pytest.raises(StoreCorrupt, match="another program"):
        Store(tmp_path, QUIET)
    with opened(tmp_path / database.FILE) as connection:
        assert tables(connection) == {"letters"}


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    Store(tmp_path, QUIET).close()
    file = tmp_path / database.FILE
    content = bytearray(file.read_bytes())
    content[100:4096] = b"\xff" * 3996
    file.write_bytes(content)
    with pytest.raises(StoreCorrupt) as caught:
        Store(tmp_path, QUIET)
    assert caught.value.file == str(file)


STEPS = [
    (1, "CREATE TABLE a (x) STRICT_PLACEHOLDER; CREATE TABLE b (x);".replace(" STRICT_PLACEHOLDER", "")),
    (2, "INSERT INTO a VALUES (1), (2); SELECT x FROM a; CREATE TABLE c (x); INSERT INTO b SELECT x FROM a;"),
    (3, "CREATE TABLE d (x); INSERT INTO d SELECT x FROM b; CREATE TABLE e (x);"),
]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch):
    """Let the program have these migrations; the SQL and the database are real."""

    def use(found: list[tuple[int, str]]) -> None:
        monkeypatch.setattr(database, "migrations", lambda: found)

    return use


def test_every_statement_of_every_migration_runs(tmp_path: Path, steps) -> None:
    steps(STEPS)
    with opened(tmp_path / "f") as connection:
        assert database.migrate(connection, tmp_path / "f") == 3
        assert tables(connection) == {"a", "b", "c", "d", "e"}
        assert connection.execute("SELECT x FROM d").fetchall() == [(1,), (2,)]
        assert pragma(connection, "user_version") == 3
    assert not list(tmp_path.glob("*.before-*"))


def test_an_older_file_is_copied_before_it_is_changed(tmp_path: Path, steps) -> None:
    steps(STEPS[:2])
    with opened(tmp_path / "f") as connection:
        database.migrate(connection, tmp_path / "f")
    steps(STEPS)
    with opened(tmp_path / "f") as connection:
        database.migrate(connection, tmp_path / "f")
    with opened(tmp_path / "f.before-3") as copy:
        assert (tables(copy), pragma(copy, "user_version")) == ({"a", "b", "c"}, 2)
        assert pragma(copy, "integrity_check") == "ok"
    assert {p.name for p in tmp_path.iterdir()} == {"f", "f.before-3"}


def test_a_failing_statement_leaves_the_old_version(tmp_path: Path, steps) -> None:
    steps(STEPS[:2])
    with opened(tmp_path / "f") as connection:
        database.migrate(connection, tmp_path / "f")
    steps([*STEPS[:2], (3, STEPS[2][1] + " INSERT INTO nowhere VALUES (1);")])
    with opened(tmp_path / "f") as connection:
        with pytest.raises(StoreError, match="nowhere"):
            database.migrate(connection, tmp_path / "f")
        assert not connection.in_transaction
    steps(STEPS)
    with opened(tmp_path / "f") as connection:
        assert (tables(connection), pragma(connection, "user_version")) == ({"a", "b", "c"}, 2)
        assert database.migrate(connection, tmp_path / "f") == 3


def test_a_disk_that_fails_at_any_call_leaves_the_old_or_the_new_version(tmp_path: Path, steps) -> None:
    disk = FaultyDisk("faulty-migrations")
    seen = set()
    for at in range(40):
        file = tmp_path / f"{at}"
        steps(STEPS[:1])
        with opened(file) as connection:
            database.migrate(connection, file)
        steps(STEPS)
        with opened(file, vfs=disk.name) as connection:
            disk.arm(at, "full")
            try:
                database.migrate(connection, file)
            except StorageFull:
                seen.add("refused")
            calls, _ = disk.calls, disk.disarm()
        with opened(file) as connection:
            version = pragma(connection, "user_version")
            seen.add(version)
            assert tables(connection) == [{"a", "b"}, {"a", "b", "c"}, {"a", "b", "c", "d", "e"}][version - 1]
            assert database.migrate(connection, file) == 3
            assert tables(connection) == {"a", "b", "c", "d", "e"}
        if calls <= at:
            break
    else:
        pytest.fail("the migration made more calls than were failed")
    disk.unregister()
    assert seen == {"refused", 1, 2, 3}


def test_every_table_is_strict(store: Store) -> None:
    listed = store.read(
        lambda r: r.execute("SELECT name, strict FROM pragma_table_list WHERE type = 'table'").fetchall()
    )
    ours = {name: strict for name, strict in listed if not name.startswith("sqlite_")}
    assert len(ours) > 20
    assert [name for name, strict in ours.items() if not strict] == []


def test_every_foreign_key_has_an_index(store: Store) -> None:
    """So that deleting a parent never walks a whole table of children. A row's own key needs none."""
    keys = (
        'SELECT t.name, f."from" FROM sqlite_schema AS t JOIN pragma_foreign_key_list(t.name) AS f '
        "WHERE t.type = 'table'"
    )
    leading = (
        "SELECT t.name, c.name FROM sqlite_schema AS t JOIN pragma_index_list(t.name) AS i "
        "JOIN pragma_index_info(i.name) AS c WHERE t.type = 'table' AND c.seqno = 0"
    )
    row_keys = (
        "SELECT t.name, max(c.name) FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c "
        "WHERE t.type = 'table' AND c.pk > 0 GROUP BY t.name HAVING count(*) = 1 AND max(c.type) = 'INTEGER'"
    )
    with store.reading() as reading:
        foreign = set(reading.execute(keys))
        assert len(foreign) > 30
        assert sorted(foreign - set(reading.execute(leading)) - set(reading.execute(row_keys))) == []
