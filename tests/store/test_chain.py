"""The audit log's chain: it holds over everything the writer does, and shows what anybody else did."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from appliance.errors import InvalidInput
from appliance.store import Store, chain
from appliance.store.database import FILE


def written(store: Store, count: int) -> None:
    store.write(lambda tx: [tx.audit("test.line", f"n {n}", words="größer", nothing=None) for n in range(count)])


def test_an_empty_log_is_sound(store: Store) -> None:
    assert store.read(chain.check) == chain.Stretch(head=chain.Head(id=0, hash="00" * 32), checked=0)


def test_every_line_hangs_on_the_one_before(store: Store) -> None:
    written(store, 5)
    written(store, 5)
    found = store.read(chain.check)
    assert (found.checked, found.broken, found.head) == (10, None, store.read(chain.head))
    hashes = {bytes(h) for (h,) in store.read(lambda r: r.execute("SELECT hash FROM audit").fetchall())}
    assert len(hashes) == 10, "equal content at another place has another hash"


def test_a_change_that_fails_or_runs_twice_leaves_no_gap(store: Store) -> None:
    runs = []

    def fails(tx):
        tx.audit("test.undone", "n")
        raise InvalidInput("no")

    def takes_all_with_it(tx):
        tx.audit("test.undone", "n")
        tx.execute("ROLLBACK")

    def innocent(tx):
        runs.append(1)
        tx.audit("test.kept", "n")

    for call in (fails, innocent, takes_all_with_it, innocent):
        store.writing(call)
    written(store, 1)
    assert len(runs) >= 2
    found = store.read(chain.check)
    assert (found.head.id, found.checked, found.broken) == (3, 3, None)


def test_long_chains_are_checked_by_stretches(store: Store) -> None:
    written(store, 4_500)
    seen, after = [], 0
    while after < 4_500:
        found = store.read(lambda reading, a=after: chain.check(reading, a))
        assert found.broken is None
        seen.append(after := found.checked)
    assert seen == [2_000, 4_000, 4_500]


FORGERIES = {
    "changed": ("UPDATE audit SET subject = 'user 1' WHERE id = 5", 5),
    "with details of another script": ("UPDATE audit SET details = replace(details, '\\u00f6', 'ö') WHERE id = 5", 5),
    "rehashed": ("UPDATE audit SET hash = randomblob(32) WHERE id = 5", 5),
    "taken out": ("DELETE FROM audit WHERE id = 5", 5),
    "swapped": ("UPDATE audit SET id = CASE id WHEN 5 THEN -6 WHEN 6 THEN -5 END WHERE id IN (5, 6)", 5),
    "slipped in": (
        "INSERT INTO audit SELECT 11, at_ms, 1, action, subject, 1, details, hash FROM audit WHERE id = 9",
        11,
    ),
    "cut short": ("DELETE FROM audit WHERE id > 8", 9),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_somebody_else_did_to_it_shows(tmp_path: Path, forgery: str) -> None:
    sql, line = FORGERIES[forgery]
    with Store(tmp_path) as store:
        written(store, 10)
    by_hand = apsw.Connection(str(tmp_path / FILE))
    with pytest.raises(apsw.ConstraintError, match="append-only"):
        by_hand.execute("UPDATE audit SET subject = 'x' WHERE id = 5")
    by_hand.execute("DROP TRIGGER audit_is_append_only_update; DROP TRIGGER audit_is_append_only_delete")
    by_hand.execute(sql)
    if forgery == "swapped":
        by_hand.execute("UPDATE audit SET id = -id WHERE id < 0")
    by_hand.close()
    with Store(tmp_path) as store:
        found = store.read(chain.check)
    assert (found.broken, found.checked) == (line, line - 1)
