"""Work that was done at once, on record as a job that is over: what a job leaves behind takes it back."""

from __future__ import annotations

from typing import Any

from appliance.records import Job
from appliance.store import jobs, rows
from appliance.store.writer import Transaction

__all__ = ["begin", "close"]


def begin(
    tx: Transaction,
    kind: str,
    lane: str,
    parameters: dict[str, Any],
    *,
    project_id: int,
    created_by: int | None,
    checkpoint: dict[str, Any] | None = None,
) -> int:
    """Put work on record before its first step and return the job's id; nobody hears of it.

    It is over from the start, so that no lane takes it up. What a crash leaves of it is as much as
    was done, and that can be taken back.
    """
    return tx.insert(
        "INSERT INTO jobs (kind, lane, priority, state, project_id, parameters, checkpoint, result, created_by, "
        "created_at_ms, started_at_ms, finished_at_ms) VALUES (?, ?, 0, 'done', ?, ?, ?, '{}', ?, ?, ?, ?)",
        (
            kind, lane, project_id, rows.encode(parameters), rows.encode(checkpoint or {}), created_by, tx.now_ms,
            tx.now_ms, tx.now_ms,
        ),
    )  # fmt: skip


def close(tx: Transaction, job_id: int, result: dict[str, Any], *, images: int) -> Job | None:
    """Write down what came of it, of how many images; where nothing did, it is struck off and None returned."""
    if not images:
        tx.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
        return None
    tx.execute(
        "UPDATE jobs SET result = ?, progress = ?, total = ?, finished_at_ms = ? WHERE id = ?",
        (rows.encode(result), images, images, tx.now_ms, job_id),
    )
    return jobs.get(tx, job_id)
