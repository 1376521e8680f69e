"""``pixelqueue jobs``: the queue of a data directory that is not being served."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands import _common
from appliance.records import Job

__all__ = ["COMMAND"]


@click.group("jobs")
def jobs() -> None:
    """List and steer the jobs of a data directory."""


@jobs.command("list")
@click.option("--state", type=click.Choice(["queued", "running", "paused", "done", "failed", "cancelled"]))
@_common.data_option
@_common.json_option
def list_(state: str | None, data: Path | None, json_: bool) -> None:
    """List the newest hundred jobs."""
    from appliance.store import jobs as noun

    with _common.opened(_common.settings_for(data)) as store:
        found = store.read(lambda reading: noun.listed(reading, state=state)).items  # type: ignore[arg-type]
    for job in found:
        _common.as_json(job) if json_ else click.echo(_line(job))


@jobs.command()
@click.argument("job_id", type=int)
@_common.data_option
@_common.json_option
def show(job_id: int, data: Path | None, json_: bool) -> None:
    """Show one job with its notes."""
    from appliance.store import jobs as noun

    with _common.opened(_common.settings_for(data)) as store:
        job = store.read(lambda reading: noun.get(reading, job_id))
        notes = store.read(lambda reading: noun.notes(reading, job_id))
    if json_:
        _common.as_json({"job": job, "notes": notes})
        return
    click.echo(_line(job))
    for line in _common.note_lines(notes):
        click.echo(line)


@jobs.command()
@_common.data_option
@_common.json_option
def run(data: Path | None, json_: bool) -> None:
    """Work off the queue and end when it is empty."""
    from appliance.store import jobs as noun

    with _common.working(_common.settings_for(data)) as working:
        while waiting := [
            job
            for state in ("running", "queued")
            for job in working.store.read(lambda reading, state=state: noun.listed(reading, state=state)).items
        ]:
            done = working.wait(min(job.id for job in waiting))
            _common.as_json(done) if json_ else click.echo(_line(done))


def _steer(verb: str, words: str) -> None:
    @jobs.command(verb, help=words)
    @click.argument("job_id", type=int)
    @_common.data_option
    @_common.json_option
    def command(job_id: int, data: Path | None, json_: bool) -> None:
        from appliance.store import jobs as noun

        with _common.opened(_common.settings_for(data)) as store:
            job = store.write(lambda tx: getattr(noun, verb)(tx, job_id))
        _common.as_json(job) if json_ else click.echo(_line(job))


_steer("pause", "Let a job wait.")
_steer("resume", "Let a paused job go on.")
_steer("cancel", "End a job.")
_steer("retry", "Queue a failed or cancelled job again.")


def _line(job: Job) -> str:
    of = f"{job.progress} of {job.total}" if job.total else str(job.progress)
    cause = f"  {job.error['message']}" if job.error else f"  {job.message}" if job.message else ""
    return f"{job.id:>6}  {job.kind:<12} {job.state:<10} {of:>16}{cause}"


COMMAND = jobs
