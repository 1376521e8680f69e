"""The durable queue of machine work.

Order is priority, then id: the sequence, never a clock. A job's row is changed by the lane
that runs it and by whoever pauses or cancels it; every change a person can see is an event
``job.changed``.

`attempts` counts the starts since the job last kept a checkpoint: a job that takes the
process down with it `MAX_ATTEMPTS` times at the same place is failed instead of started.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from appliance.errors import Conflict, JobCancelled, NotFound
from appliance.records import Job, JobState, Note
from appliance.store import rows
from appliance.store.blobs import Blobs, Staged
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "MAX_ATTEMPTS", "add_notes", "advance", "attach", "blobs_of", "cancel", "cancelled", "claim", "create",
    "fail", "finish", "get", "hasten", "head_priority", "listed", "notes", "of_project", "pause", "put_back",
    "recover", "resume", "retry", "standing", "stop", "tiling", "under_way", "under_way_in",
    "unfinished", "waiting",
]  # fmt: skip

MAX_ATTEMPTS = 3

_COLUMNS = rows.columns(Job)


def create(
    tx: Transaction,
    kind: str,
    lane: str,
    priority: int,
    parameters: dict[str, Any],
    *,
    project_id: int | None,
    created_by: int | None,
) -> Job:
    """Queue a job."""
    job_id = tx.insert(
        "INSERT INTO jobs (kind, lane, priority, state, project_id, parameters, created_by, created_at_ms) "
        "VALUES (?, ?, ?, 'queued', ?, ?, ?, ?)",
        (kind, lane, priority, project_id, rows.encode(parameters), created_by, tx.now_ms),
    )
    return _told(tx, job_id)


def attach(tx: Transaction, blobs: Blobs, job_id: int, staged: Staged) -> None:
    """Keep settled bytes (an uploaded archive) for as long as the job needs them."""
    blobs.register(tx, staged)
    tx.execute(
        "INSERT OR IGNORE INTO job_blobs (job_id, sha256) VALUES (?, ?)",
        (job_id, bytes.fromhex(staged.sha256)),
    )


def blobs_of(reading: Reading, job_id: int) -> list[str]:
    """Return the hashes of the bytes the job came with."""
    sql = "SELECT sha256 FROM job_blobs WHERE job_id = ? ORDER BY sha256"
    return [sha256.hex() for (sha256,) in reading.execute(sql, (job_id,))]


def get(reading: Reading, job_id: int) -> Job:
    """Return one job.

    Raises:
        NotFound: There is none with this id.
    """
    row = reading.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,))
    return rows.found(rows.first(Job, row), "job")


def of_project(reading: Reading, project_id: int, job_id: int) -> Job:
    """Return one job of a project.

    Raises:
        NotFound: There is none.
    """
    job = get(reading, job_id)
    return rows.found(job if job.project_id == project_id else None, "job")


def listed(
    reading: Reading,
    *,
    project_id: int | None = None,
    state: JobState | None = None,
    visible_to: int | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> rows.Page:
    """Return a page of jobs, newest first.

    Args:
        project_id: Only this project's.
        state: Only those in this state.
        visible_to: Only what this user started or what belongs to a project he or she is a member of.
        after: Id of the last job of the page before.
        limit: How many at most.
    """
    size = rows.page_size(limit)
    where: list[str] = ["id < ?"]
    values: list[Any] = [after if after is not None else 2**62]
    if project_id is not None:
        where.append("project_id = ?")
        values.append(project_id)
    if state is not None:
        where.append("state = ?" if project_id is None else "+state = ?")
        values.append(state)
    if visible_to is not None:
        where.append(
            "(created_by = ? OR EXISTS (SELECT 1 FROM members "
            "WHERE members.project_id = jobs.project_id AND members.user_id = ?))"
        )
        values += [visible_to, visible_to]
    sql = f"SELECT {_COLUMNS} FROM jobs WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?"
    found = rows.made(Job, reading.execute(sql, (*values, size + 1)))
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)


def unfinished(reading: Reading, kind: str) -> bool:
    """Tell whether a job of this kind is queued, running or paused."""
    return under_way(reading, kind) is not None


def waiting(reading: Reading, lane: str, limit: int = 1_000) -> dict[str, int]:
    """Return how many jobs of a lane are in each unfinished state, each as far as `limit`."""
    sql = "SELECT 1 FROM jobs WHERE lane = ? AND state = ? LIMIT ?"
    states = ("queued", "running", "paused")
    return {state: sum(1 for _ in reading.execute(sql, (lane, state, limit))) for state in states}


def under_way(reading: Reading, kind: str, model_id: int | None = None) -> Job | None:
    """Return a job of this kind, and with `model_id` for this model, that is queued, running or paused, or None."""
    mine = "" if model_id is None else "AND parameters ->> '$.model_id' = ?2 "
    sql = f"SELECT {_COLUMNS} FROM jobs WHERE state IN ('queued', 'running', 'paused') AND kind = ?1 {mine}LIMIT 1"
    return rows.first(Job, reading.execute(sql, (kind,) if model_id is None else (kind, model_id)))


def under_way_in(reading: Reading, project_id: int, kinds: Sequence[str]) -> bool:
    """Tell whether a job of one of these kinds is queued, running or paused in a project."""
    marks = ", ".join("?" * len(kinds))
    sql = (
        "SELECT 1 FROM jobs INDEXED BY jobs_state WHERE state IN ('queued', 'running', 'paused') "
        f"AND project_id = ? AND kind IN ({marks}) LIMIT 1"
    )
    return bool(list(reading.execute(sql, (project_id, *kinds))))


def tiling(reading: Reading, sha256: str) -> Job | None:
    """Return the newest job that makes the tiles of a picture, or None."""
    sql = (
        f"SELECT {_COLUMNS} FROM jobs WHERE kind = 'tiles' AND parameters ->> '$.sha256' = ? ORDER BY id DESC LIMIT 1"
    )
    return rows.first(Job, reading.execute(sql, (sha256,)))


def notes(reading: Reading, job_id: int, *, limit: int = 1_000) -> list[Note]:
    """Return what the job noted, oldest first."""
    sql = "SELECT code, message, file, count FROM job_notes WHERE job_id = ? ORDER BY id LIMIT ?"
    return rows.made(Note, reading.execute(sql, (job_id, limit)))


def add_notes(tx: Transaction, job_id: int, items: Iterable[Note]) -> None:
    """Append notes to a job."""
    tx.executemany(
        "INSERT INTO job_notes (job_id, code, message, file, count) VALUES (?, ?, ?, ?, ?)",
        [(job_id, note.code, note.message, note.file, note.count) for note in items],
    )


# What a lane does


def head_priority(reading: Reading, lane: str) -> int | None:
    """Return the priority of the job that `claim` would take, or None when none waits."""
    sql = "SELECT priority FROM jobs WHERE lane = ? AND state = 'queued' ORDER BY priority DESC, id LIMIT 1"
    for (priority,) in list(reading.execute(sql, (lane,))):
        return int(priority)
    return None


def claim(tx: Transaction, lane: str) -> Job | None:
    """Start the most urgent, then oldest queued job of a lane, or return None."""
    sql = "SELECT id FROM jobs WHERE lane = ? AND state = 'queued' ORDER BY priority DESC, id LIMIT 1"
    head: list[Any] = tx.execute(sql, (lane,)).fetchall()
    for (job_id,) in head:
        tx.execute(
            "UPDATE jobs SET state = 'running', attempts = attempts + 1, "
            "started_at_ms = coalesce(started_at_ms, ?) WHERE id = ?",
            (tx.now_ms, job_id),
        )
        return _told(tx, job_id)
    return None


def standing(reading: Reading, job_id: int) -> tuple[dict[str, Any], str | None]:
    """Return the job's last checkpoint, empty before its first batch, and what is wanted of it."""
    for text, wanted in list(reading.execute("SELECT checkpoint, wanted FROM jobs WHERE id = ?", (job_id,))):
        return dict(rows.decode(text) or {}), wanted
    raise NotFound("there is no such job")


def advance(
    tx: Transaction,
    job_id: int,
    *,
    checkpoint: dict[str, Any] | None = None,
    progress: int | None = None,
    total: int | None = None,
    message: str | None = None,
    tell: bool = True,
) -> str | None:
    """Keep how far a running job is; return what somebody wants of it (``pause``, ``cancel``) or None.

    Args:
        tell: Whether this step is worth an event.

    Raises:
        JobCancelled: The job is gone or no longer running; the caller's transaction must not stay.
    """
    updated: list[Any] = tx.execute(
        "UPDATE jobs SET checkpoint = coalesce(?1, checkpoint), "
        "attempts = CASE WHEN ?1 IS NULL THEN attempts ELSE 0 END, progress = coalesce(?2, progress), "
        "total = coalesce(?3, total), message = coalesce(?4, message) "
        "WHERE id = ?5 AND state = 'running' RETURNING wanted",
        (None if checkpoint is None else rows.encode(checkpoint), progress, total, message, job_id),
    ).fetchall()
    if not updated:
        raise JobCancelled(f"job {job_id} is no longer there to go on")
    if tell:
        _told(tx, job_id)
    wanted: str | None = updated[0][0]
    return wanted


def finish(tx: Transaction, job_id: int, result: dict[str, Any]) -> Job | None:
    """End a running job well; None when it is gone."""
    return _end(tx, job_id, "done", result=result)


def cancelled(tx: Transaction, job_id: int) -> Job | None:
    """End a running job that was stopped because somebody cancelled it; None when it is gone."""
    return _end(tx, job_id, "cancelled")


def fail(tx: Transaction, job_id: int, error: dict[str, Any]) -> Job | None:
    """End a running job with an error as of `PixelQueueError.as_dict`; None when it is gone."""
    return _end(tx, job_id, "failed", error=error)


def stop(tx: Transaction, job_id: int) -> Job | None:
    """Give a running job the state that was wanted of it; queued when nothing was, None when it is gone."""
    for (wanted,) in tx.execute("SELECT wanted FROM jobs WHERE id = ? AND state = 'running'", (job_id,)).fetchall():
        if wanted == "cancel":
            return _end(tx, job_id, "cancelled")
        if wanted == "pause":
            return _set(tx, job_id, "paused")
        return put_back(tx, job_id)
    return None


def put_back(tx: Transaction, job_id: int) -> Job:
    """Queue a running job again that was stopped at a batch boundary; the start does not count."""
    tx.execute("UPDATE jobs SET attempts = max(attempts - 1, 0) WHERE id = ?", (job_id,))
    return _set(tx, job_id, "queued")


def recover(tx: Transaction) -> list[Job]:
    """Settle the jobs that ran when the process ended: call once at start, before any lane.

    They get what was wanted of them, or are queued again, or are failed after `MAX_ATTEMPTS`.
    """
    found: list[Any] = tx.execute(
        "SELECT id, wanted, attempts FROM jobs WHERE state = 'running' ORDER BY id"
    ).fetchall()
    settled = []
    for job_id, wanted, attempts in found:
        if wanted is None and attempts >= MAX_ATTEMPTS:
            error = {
                "code": "child-failed",
                "message": f"the appliance ended {attempts} times while this job was at the same place: "
                "it may need more memory than there is. Retry it when that has changed.",
            }
            settled.append(_end(tx, job_id, "failed", error=error))
        elif wanted is None:
            settled.append(_set(tx, job_id, "queued"))
        else:
            settled.append(stop(tx, job_id))
    return [job for job in settled if job is not None]


# What people do


def pause(tx: Transaction, job_id: int) -> Job:
    """Let a job wait: at once when it is queued, at its next batch boundary when it runs.

    Raises:
        Conflict: It is over.
    """
    job = get(tx, job_id)
    if job.state == "queued":
        return _set(tx, job_id, "paused")
    if job.state == "running":
        return _want(tx, job_id, "pause")
    return _unless(job, "paused", "pause")


def resume(tx: Transaction, job_id: int) -> Job:
    """Queue a paused job again, or withdraw a pause that has not come about yet.

    Raises:
        Conflict: It is over.
    """
    job = get(tx, job_id)
    if job.state == "paused":
        return _set(tx, job_id, "queued")
    if job.state == "running":
        tx.execute("UPDATE jobs SET wanted = NULL WHERE id = ? AND wanted = 'pause'", (job_id,))
        return _told(tx, job_id)
    return _unless(job, "queued", "resume")


def cancel(tx: Transaction, job_id: int) -> Job:
    """End a job: at once when it waits, at its next batch boundary when it runs.

    Raises:
        Conflict: It is over already.
    """
    job = get(tx, job_id)
    if job.state in ("queued", "paused"):
        return _set(tx, job_id, "cancelled", over=True)
    if job.state == "running":
        return _want(tx, job_id, "cancel")
    return _unless(job, "cancelled", "cancel")


def retry(tx: Transaction, job_id: int, reason: str = "") -> Job:
    """Queue a failed or cancelled job again; it goes on from its last checkpoint.

    The error it ended with stays as a note, and so does the reason.

    Raises:
        Conflict: It is not over, or it ended well.
    """
    job = get(tx, job_id)
    if job.state not in ("failed", "cancelled"):
        raise _conflict(job, "retry")
    kept = []
    if job.error:
        kept.append(Note(code=job.error["code"], message=job.error["message"], file=job.error.get("file")))
    if reason:
        kept.append(Note(code="retried", message=reason))
    add_notes(tx, job_id, kept)
    tx.execute("UPDATE jobs SET error = NULL, finished_at_ms = NULL, attempts = 0 WHERE id = ?", (job_id,))
    return _set(tx, job_id, "queued")


def hasten(tx: Transaction, job_id: int, priority: int) -> Job:
    """Give a job that waits at least this priority: somebody looks at what it makes."""
    tx.execute(
        "UPDATE jobs SET priority = ? WHERE id = ? AND state = 'queued' AND priority < ?",
        (priority, job_id, priority),
    )
    return get(tx, job_id)


def _want(tx: Transaction, job_id: int, wanted: str) -> Job:
    tx.execute("UPDATE jobs SET wanted = ? WHERE id = ? AND (wanted IS NULL OR wanted != 'cancel')", (wanted, job_id))
    return _told(tx, job_id)


def _unless(job: Job, already: str, verb: str) -> Job:
    if job.state == already:
        return job
    raise _conflict(job, verb)


def _conflict(job: Job, verb: str) -> Conflict:
    return Conflict(f"job {job.id} is {job.state}: there is nothing to {verb}", details={"state": job.state})


def _set(tx: Transaction, job_id: int, state: str, *, over: bool = False) -> Job:
    tx.execute(
        "UPDATE jobs SET state = ?, wanted = NULL, finished_at_ms = coalesce(?, finished_at_ms) WHERE id = ?",
        (state, tx.now_ms if over else None, job_id),
    )
    return _told(tx, job_id)


def _end(
    tx: Transaction,
    job_id: int,
    state: str,
    *,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> Job | None:
    tx.execute(
        "UPDATE jobs SET state = ?, wanted = NULL, result = ?, error = ?, finished_at_ms = ? "
        "WHERE id = ? AND state = 'running'",
        (
            state,
            None if result is None else rows.encode(result),
            None if error is None else rows.encode(error),
            tx.now_ms,
            job_id,
        ),
    )
    return _told(tx, job_id) if tx.changes() else None


def _told(tx: Transaction, job_id: int) -> Job:
    job = get(tx, job_id)
    seen = {name: getattr(job, name) for name in ("id", "kind", "state", "progress", "total", "message")}
    owner = job.created_by if job.project_id is None else None
    tx.event("job.changed", {"job": seen}, project_id=job.project_id, user_id=owner)
    return job
