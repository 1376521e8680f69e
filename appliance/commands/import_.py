"""``pixelqueue import``: pictures or a dataset into a project of a data directory."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands import _common

__all__ = ["COMMAND"]


@click.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--project", required=True, help="Name or id; a new name makes a new project.")
@click.option("--format", "format_", default="auto", show_default=True, help="auto, pictures, coco, yolo.")
@_common.data_option
@_common.json_option
def import_(source: Path, project: str, format_: str, data: Path | None, json_: bool) -> None:
    """Import SOURCE, a folder or a zip archive, into a project.

    A COCO or YOLO dataset is recognised and brings its annotations. Pictures that are in the
    project already are not added again. The box must not be serving this data directory: use
    its console or its API then.
    """
    from appliance.store import jobs as noun

    with _common.working(_common.settings_for(data), create=True) as jobs:
        project_id = _common.project_named(jobs.store, project, create=True)
        if source.is_dir():
            job = jobs.submit("import", {"folder": str(source.resolve()), "format": format_}, project_id=project_id)
        else:
            with source.open("rb") as file:
                staged = jobs.store.blobs.stage(iter(lambda: file.read(1 << 20), b""))
            jobs.store.blobs.settle([staged])
            parameters = {"archive": staged.sha256, "name": source.name, "format": format_}
            job = jobs.submit("import", parameters, project_id=project_id, blobs=[staged])
        done = _common.finished(jobs, job, "Importing", quiet=json_)
        notes = jobs.store.read(lambda reading: noun.notes(reading, done.id))
    result = done.result or {}
    if json_:
        _common.as_json({"project_id": project_id, **result, "notes": notes})
        return
    _common.say(
        f"{_common.counted(result['images'], 'image')} added, {result['duplicates']} there already, "
        f"{_common.counted(result['annotations'], 'annotation')}, {_common.counted(result['errors'], 'file')} refused"
    )
    for line in _common.note_lines(notes):
        _common.say(line)


COMMAND = import_
