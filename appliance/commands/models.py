"""``pixelqueue models``: the models of a data directory, from the machine's own console."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.commands import _common
from appliance.errors import InvalidInput, NotFound
from appliance.settings import Settings

if TYPE_CHECKING:
    from appliance.records import Model
    from appliance.store import Store

__all__ = ["COMMAND"]

_data = _common.data_option
_json = _common.json_option
_project = click.option("--project", required=True, help="Name or id.")


@click.group("models")
def models() -> None:
    """List, add, activate, carry and remove models.

    MODEL is an id, a name (its newest version) or a name and version, as parts-2. The box must not
    be serving this data directory: use its console or its API then.
    """


@models.command("list")
@_data
@_json
def list_(data: Path | None, json_: bool) -> None:
    """List the models and where they are active."""
    from appliance.store import models as noun

    with _common.opened(_common.settings_for(data)) as store:
        for model in _all(store):
            used = [name for _, name in store.read(lambda r, key=model.id: noun.users(r, key))]
            if json_:
                _common.as_json({"model": model, "used_by": used})
                continue
            state = "archived" if model.archived_at_ms else ", ".join(used)
            facts = f"{model.family} {model.task}, {len(model.info.labels)} labels"
            click.echo(f"{model.id:>4}  {model.title:<32} {facts:<32} {state}")


@models.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("decoder", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--trusted", is_flag=True, help="Let a checkpoint's own code run; only for files you vouch for.")
@_data
@_json
def add(file: Path, decoder: Path | None, trusted: bool, data: Path | None, json_: bool) -> None:
    """Add an ONNX FILE, an encoder with its DECODER, or a checkpoint (.pt), which is converted."""
    settings = _common.settings_for(data)
    if file.suffix.lower() in (".pt", ".pth"):
        if decoder is not None:
            raise InvalidInput(f"{file.name} is a checkpoint and needs no decoder beside it", field="decoder")
        model = _converted(settings, file, trusted, quiet=json_)
    else:
        with _common.opened(settings) as store:
            model = _common.model_of(store, file, decoder)
    _say(model, json_)


@models.command()
@click.argument("model")
@_project
@_data
def activate(model: str, project: str, data: Path | None) -> None:
    """Let a project prelabel with MODEL from now on."""
    from appliance.store import activations

    with _common.opened(_common.settings_for(data)) as store:
        project_id, found = _common.project_named(store, project), _named(store, model)
        store.write(lambda tx: activations.activate(tx, project_id, found.id))
    _common.say(f"{project} prelabels with {found.title}")


@models.command()
@_project
@_data
def rollback(project: str, data: Path | None) -> None:
    """Return to the model that a project used before the present one."""
    from appliance.store import activations

    with _common.opened(_common.settings_for(data)) as store:
        project_id = _common.project_named(store, project)
        found = store.write(lambda tx: activations.roll_back(tx, project_id))
    _common.say(f"{project} prelabels with {found.title} again")


@models.command("export")
@click.argument("model")
@click.argument("target", type=click.Path(path_type=Path))
@_data
def export(model: str, target: Path, data: Path | None) -> None:
    """Write MODEL as one file to TARGET, a file or a folder, to be carried to another box."""
    from appliance.jobs import packages

    with _common.opened(_common.settings_for(data)) as store:
        found = _named(store, model)
        path = target / packages.file_name(found) if target.is_dir() else target
        partial = path.with_name(f".{path.name}.part")
        try:
            packages.write(store, found, partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    _common.say(f"{found.title} → {path}")


@models.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_data
@_json
def import_(file: Path, data: Path | None, json_: bool) -> None:
    """Add the model of FILE, which another box exported; nothing is kept before all of it was checked."""
    from appliance.jobs.packages import admit_package

    with _common.opened(_common.settings_for(data), create=True) as store:
        with file.open("rb") as opened:
            staged = store.blobs.stage(iter(lambda: opened.read(1 << 20), b""))
        model = admit_package(store, staged, name=file.name, created_by=None)
    _say(model, json_)


@models.command()
@click.argument("model")
@click.option("--undo", is_flag=True, help="Take it back out of the archive.")
@_data
def archive(model: str, undo: bool, data: Path | None) -> None:
    """Put MODEL away, which no project may use."""
    from appliance.store import models as noun

    with _common.opened(_common.settings_for(data)) as store:
        found = _named(store, model)
        store.write(lambda tx: noun.archive(tx, found.id, archived=not undo))
    _common.say(f"{found.title} is {'back' if undo else 'archived'}")


@models.command()
@click.argument("model")
@_data
def remove(model: str, data: Path | None) -> None:
    """Delete MODEL, which no project may use; its predictions stay."""
    from appliance.store import models as noun

    with _common.opened(_common.settings_for(data)) as store:
        found = _named(store, model)
        store.write(lambda tx: noun.delete(tx, found.id))
    _common.say(f"{found.title} is gone")


@models.command()
@click.argument("answer", type=click.Choice(["yes", "no"]))
@_data
def pickles(answer: str, data: Path | None) -> None:
    """Allow checkpoints to run their own code while they are converted, yes or no."""
    from appliance.store import policy

    with _common.opened(_common.settings_for(data)) as store:
        store.write(lambda tx: policy.allow_pickles(tx, answer == "yes"))


def _converted(settings: Settings, file: Path, trusted: bool, *, quiet: bool) -> Model:
    from appliance.store import models as noun

    with _common.working(settings) as jobs:
        with file.open("rb") as opened:
            staged = jobs.store.blobs.stage(iter(lambda: opened.read(1 << 20), b""))
        jobs.store.blobs.settle([staged])
        parameters = {"checkpoint": staged.sha256, "name": file.name, "trusted": trusted}
        job = jobs.submit("convert", parameters, blobs=[staged])
        done = _common.finished(jobs, job, "Converting", quiet=quiet)
        model_id = (done.result or {})["model_id"]
        return jobs.store.read(lambda reading: noun.get(reading, model_id))


def _all(store: Store) -> list[Model]:
    from appliance.store import models as noun

    found: list[Model] = []
    after: int | str | None = 0
    while after is not None:
        page = store.read(lambda reading, key=after: noun.listed(reading, after=key, limit=500))
        found, after = [*found, *page.items], page.next
    return found


def _named(store: Store, text: str) -> Model:
    """Return the model of this id, name, or name and version.

    Raises:
        NotFound: There is none.
    """
    from appliance.store import models as noun

    if text.isdecimal():
        return store.read(lambda reading: noun.get(reading, int(text)))
    name, _, version = text.rpartition("-")
    found = store.read(lambda reading: noun.named(reading, text))
    if found is None and name and version.isdecimal():
        found = store.read(lambda reading: noun.named(reading, name, int(version)))
    if found is None:
        raise NotFound(f"there is no model {text!r}: `pixelqueue models list` shows them", field="model")
    return found


def _say(model: Model, json_: bool) -> None:
    if json_:
        _common.as_json(model)
        return
    _common.say(f"{model.title}: {model.family} {model.task}, {len(model.info.labels)} labels")
    report = model.provenance.conversion
    if report and report.parity:
        alike = "answers as the checkpoint does" if report.parity.ok else "does NOT answer as the checkpoint does"
        _common.say(f"  it {alike}: {report.parity.matched} of {report.parity.expected} objects on sample pictures")


COMMAND = models
