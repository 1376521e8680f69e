"""What several commands share: the data directory, JSON lines, waiting for a job with a bar."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from appliance.errors import NotFound, error_from
from appliance.records import Event, Job, Model, Note, Provenance, User
from appliance.settings import Settings, load

if TYPE_CHECKING:
    from appliance.jobs.services import Jobs
    from appliance.store import Store

__all__ = [
    "as_json", "counted", "data_option", "finished", "json_option", "model_of", "note_lines", "opened",
    "password_hash", "project_named", "say", "settings_for", "user_of", "working",
]  # fmt: skip

data_option = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), default=None, help="Data directory. [default: data]"
)
json_option = click.option("--json", "json_", is_flag=True, help="Print JSON instead of words.")


def settings_for(data: Path | None, **flags: Any) -> Settings:
    """Return the settings with these flags over environment and defaults."""
    return load({"data": None if data is None else str(data), **flags})


def as_json(value: Any) -> None:
    """Print one JSON line."""
    click.echo(msgspec.json.encode(value).decode())


def say(words: str) -> None:
    """Print words for a person, on standard error, so that standard output stays data."""
    click.echo(words, err=True)


@contextmanager
def opened(settings: Settings, *, create: bool = False) -> Iterator[Store]:
    """Open the data directory for the length of a command.

    Raises:
        NotFound: There is none, and it is not to be made.
    """
    from appliance.store import Store
    from appliance.store.database import FILE

    if not create and not Path(settings.data, FILE).exists():
        raise NotFound(f"{settings.data} is no data directory: name one with --data", field="data")
    with Store(Path(settings.data), settings) as store:
        yield store


@contextmanager
def working(
    settings: Settings, before: Callable[[Store], None] = lambda _store: None, *, create: bool = False
) -> Iterator[Jobs]:
    """Open the data directory, do what comes `before`, and let its job lanes run."""
    from appliance.jobs.services import Jobs

    with opened(settings, create=create) as store:
        before(store)
        jobs = Jobs(store, settings)
        jobs.start()
        try:
            yield jobs
        finally:
            jobs.stop()


def project_named(store: Store, name: str, *, create: bool = False) -> int:
    """Return the id of the project of this name (or of this id), making it when asked to.

    Raises:
        NotFound: There is none.
    """
    from appliance.store import projects

    found = store.read(lambda r: r.execute("SELECT id FROM projects WHERE name = ? ORDER BY id", (name,)).fetchall())
    if found:
        return int(found[0][0])
    if name.isdecimal():
        return store.read(lambda reading: projects.get(reading, int(name))).id
    if not create:
        raise NotFound(f"there is no project {name!r} in this data directory", field="project")
    return store.write(lambda tx: projects.create(tx, name=name, created_by=None)).id


def model_of(store: Store, path: Path, decoder: Path | None = None) -> Model:
    """Take a model file, or an encoder with its decoder, into the registry, or find it there from last time.

    Raises:
        UnusableModel: The box cannot run it.
    """
    from appliance.jobs.weights import admit_model

    paths = {"weights": path} if decoder is None else {"encoder": path, "decoder": decoder}
    files = {}
    for role, one in paths.items():
        with one.open("rb") as file:
            files[role] = store.blobs.stage(iter(partial(file.read, 1 << 20), b""))
    name = path.name if decoder is None else _without_role(path.name)
    provenance = Provenance(file=path.name)
    return admit_model(store, files, name=name, provenance=provenance, created_by=None)


def _without_role(name: str) -> str:
    """Return an encoder's file name without the word, which the model of both does not have."""
    return re.sub(r"(?<=.)[-_. ]*encoder(?=\.onnx$)", "", name, flags=re.IGNORECASE)


def user_of(store: Store, email: str) -> User:
    """Return the account of this address.

    Raises:
        NotFound: There is none.
    """
    from appliance.store import users

    found = store.read(lambda reading: users.credentials(reading, email))
    if found is None:
        raise NotFound(f"there is no account {email} in this data directory", field="email")
    return found[0]


def password_hash(settings: Settings, password: str) -> str:
    """Return the argon2id hash of a password, whatever its strength."""
    from appliance.store.passwords import Passwords

    hasher = Passwords(settings)
    try:
        return hasher.hash(password).result()
    finally:
        hasher.close()


def finished(jobs: Jobs, job: Job, title: str, *, quiet: bool) -> Job:
    """Wait for a job with a progress bar on standard error and return it done.

    Raises:
        PixelQueueError: The job failed or was cancelled; it carries the job's own error.
    """
    with _bar(title, quiet) as advance:

        def deliver(event: Event) -> None:
            if event.kind == "job.changed" and event.data["job"]["id"] == job.id:
                advance(event.data["job"]["progress"], event.data["job"]["total"])

        unsubscribe = jobs.store.bus.subscribe(deliver)
        try:
            over = jobs.wait(job.id)
            advance(over.progress, over.total or over.progress)
        finally:
            unsubscribe()
    if over.state != "done":
        raise error_from(over.error or {"code": "job-cancelled", "message": f"the job was {over.state}"})
    return over


@contextmanager
def _bar(title: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)


def counted(count: int, thing: str) -> str:
    """Return a count with its word: 1 image, 2 images."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def note_lines(notes: list[Note]) -> list[str]:
    """Return notes as lines for a person."""
    return [
        f"  {n.file + ': ' if n.file else ''}{n.message}{f' ({n.count} times)' if n.count > 1 else ''}" for n in notes
    ]
