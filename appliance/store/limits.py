"""Back-off for guesses: per account and per address, across restarts, never for good.

A try is counted before it is judged, so that a hundred tries at once cannot all slip through
while none has failed yet; one that turns out right is taken back. After the free tries each
further one waits twice as long as the one before, up to the rule's ceiling. An account's
ceiling is low: nobody can lock another person out by guessing wrongly on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.errors import TooManyRequests
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["ACCOUNT", "ADDRESS", "SETUP", "Rule", "attempt", "failures", "forgive", "purge", "succeed"]

_FORGET_MS = 6 * 3600 * 1000


@dataclass(frozen=True)
class Rule:
    """How many tries are free, and how long the longest wait is."""

    name: str
    free: int
    longest_s: int

    def key(self, subject: str) -> str:
        return f"{self.name}:{subject.strip().lower()[:320]}"


ACCOUNT = Rule("account", free=5, longest_s=60)
SETUP = Rule("setup", free=5, longest_s=60)
# A whole team may sit behind one address, so it has more free tries, then longer waits.
ADDRESS = Rule("address", free=60, longest_s=15 * 60)


def attempt(tx: Transaction, rule: Rule, subject: str) -> None:
    """Count a try.

    Raises:
        TooManyRequests: It comes too early; it is not counted then.
    """
    key = rule.key(subject)
    row = next(
        iter(list(tx.execute("SELECT failures, last_at_ms, blocked_until_ms FROM limits WHERE key = ?", (key,)))),
        None,
    )
    count, last_ms, until_ms = row or (0, 0, 0)
    if until_ms > tx.now_ms:
        wait_s = (until_ms - tx.now_ms) / 1000
        raise TooManyRequests(f"too many tries: wait {wait_s:.0f} seconds and try again", retry_after_s=wait_s)
    count = 1 if tx.now_ms - last_ms > _FORGET_MS else count + 1
    wait_ms = min(2 ** min(count - rule.free, 20), rule.longest_s) * 1000 if count > rule.free else 0
    tx.execute(
        "INSERT OR REPLACE INTO limits (key, failures, last_at_ms, blocked_until_ms) VALUES (?, ?, ?, ?)",
        (key, count, tx.now_ms, tx.now_ms + wait_ms),
    )


def succeed(tx: Transaction, rule: Rule, subject: str) -> None:
    """Forget what was counted: the subject has proven itself."""
    tx.execute("DELETE FROM limits WHERE key = ?", (rule.key(subject),))


def forgive(tx: Transaction, rule: Rule, subject: str) -> None:
    """Take the last try back, and nothing of what was wrong before it."""
    key = rule.key(subject)
    tx.execute(
        "UPDATE limits SET failures = failures - 1, blocked_until_ms = 0 WHERE key = ? AND failures > 0", (key,)
    )


def failures(reading: Reading, rule: Rule, subject: str) -> int:
    """Return how many tries count at present."""
    for (count,) in list(reading.execute("SELECT failures FROM limits WHERE key = ?", (rule.key(subject),))):
        return int(count)
    return 0


def purge(tx: Transaction) -> None:
    """Remove what no longer counts."""
    tx.execute("DELETE FROM limits WHERE last_at_ms < ?", (tx.now_ms - _FORGET_MS,))
