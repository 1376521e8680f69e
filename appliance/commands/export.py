"""``pixelqueue export``: a dataset out of a project of a data directory."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands import _common
from appliance.errors import InvalidInput

__all__ = ["COMMAND"]


@click.command("export")
@click.option("--project", required=True, help="Name or id.")
@click.option("--format", "format_", required=True, help="coco or yolo.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="A folder, or a file ending in .zip.")
@click.option("--snapshot", type=int, help="Id of a snapshot; without it one is made of what is approved.")
@click.option("--everything", is_flag=True, help="Take all images as they are, predictions too: not ground truth.")
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="Option of the format, as pictures=true."
)
@_common.data_option
@_common.json_option
def export(
    project: str,
    format_: str,
    output: Path,
    snapshot: int | None,
    everything: bool,
    options: tuple[str, ...],
    data: Path | None,
    json_: bool,
) -> None:
    """Write a snapshot of a project as a dataset."""
    from appliance.store import exports
    from appliance.store import jobs as noun

    archive = output.suffix.lower() == ".zip"
    parameters = {
        "format": format_,
        "snapshot_id": snapshot,
        "contents": "everything" if everything else "approved",
        "options": dict(_option(text) for text in options),
        "folder": None if archive else str(output.resolve()),
    }
    with _common.working(_common.settings_for(data)) as jobs:
        project_id = _common.project_named(jobs.store, project)
        job = jobs.submit("export", parameters, project_id=project_id)
        done = _common.finished(jobs, job, "Exporting", quiet=json_)
        notes = jobs.store.read(lambda reading: noun.notes(reading, done.id))
        result = done.result or {}
        made = jobs.store.read(lambda reading: exports.get(reading, project_id, result["export_id"]))
        if made.sha256 is not None:
            _copy(jobs.store.blobs.stream(made.sha256), output)
    if json_:
        _common.as_json({**result, "sha256": made.sha256, "notes": notes})
        return
    images, made_ = _common.counted(result["images"], "image"), _common.counted(result["annotations"], "annotation")
    _common.say(f"{images}, {made_} → {output}")
    for line in _common.note_lines(notes):
        _common.say(line)


def _option(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"--option is NAME=VALUE, got {text!r}", field="option")
    return name, {"true": True, "false": False}.get(value, value)


def _copy(chunks: object, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f".{output.name}.part")
    with partial.open("wb") as file:
        for chunk in chunks:  # type: ignore[attr-defined]
            file.write(chunk)
    partial.replace(output)


COMMAND = export
