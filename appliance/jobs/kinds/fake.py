"""A job that counts: what tests and benches of the machinery run.

Every batch adds one row to the audit log in the transaction of its checkpoint, so that a lost
or doubled batch shows.
"""

from __future__ import annotations

import threading
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from appliance.errors import InvalidInput
from appliance.jobs._base import BATCH, Context, Kind
from appliance.records import Note
from appliance.store import Transaction

__all__ = ["KIND", "FakeParameters"]


class FakeParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the job shall do.

    `to` batches of `batch_ms` each; at batch `at` it does what `then` says: fails with an error of
    the tree, breaks with one that is not, never reaches its next batch boundary, or has a child
    do one of these.
    """

    to: Annotated[int, Meta(ge=0, le=1_000_000)] = 3
    batch_ms: Annotated[int, Meta(ge=0, le=10_000)] = 0
    then: Literal["finish", "fail", "break", "hang", "child"] = "finish"
    at: Annotated[int, Meta(ge=0)] = 0
    child: dict[str, Any] = {}
    label: str = "fake"


def run(context: Context, parameters: FakeParameters) -> dict[str, Any]:
    """Count from the checkpoint to `to`, one audited batch at a time."""
    answer: dict[str, Any] = {}
    for batch in range(context.checkpoint.get("next", 0), parameters.to):
        context.pause_point()
        if batch == parameters.at and parameters.then != "finish":
            answer = _misbehave(context, parameters)
        if parameters.batch_ms:
            threading.Event().wait(parameters.batch_ms / 1000)
        context.commit(
            _audited(context, parameters.label, batch),
            checkpoint={"next": batch + 1},
            progress=batch + 1,
            total=parameters.to,
            message=f"batch {batch + 1}",
        )
    return {"counted": parameters.to, **answer}


def _misbehave(context: Context, parameters: FakeParameters) -> dict[str, Any]:
    if parameters.then == "fail":
        context.note(Note(code="invalid-input", message="as asked", file="a.jpg"))
        raise InvalidInput("the job failed as it was asked to", field="then")
    if parameters.then == "break":
        raise RuntimeError("as asked")
    if parameters.then == "hang":
        threading.Event().wait()
    return context.child("jobs.fake_task", parameters.child)


def _audited(context: Context, label: str, batch: int) -> Any:
    def work(tx: Transaction) -> None:
        tx.audit("fake.batch", label, job=context.job.id, batch=batch)

    return work


KIND = Kind(name="fake", lane="cpu", priority=BATCH, parameters=FakeParameters, run=run)
