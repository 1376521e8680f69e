"""What the people of a project decided of a model's labels: which label it is, none, how sure it must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from appliance.errors import InvalidInput
from appliance.records import Model, Record
from appliance.store import labels, rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["LabelChoice", "chosen", "merge", "put"]


class LabelChoice(Record, frozen=True):
    """One label of a model in a project.

    With a `label_id` it is that label, `ignored` it is left out, else its name decides.
    `confidence` is what its predictions need; None for what the run asks.
    """

    class_index: Annotated[int, Meta(ge=0, le=100_000)]
    label_id: int | None = None
    ignored: bool = False
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None


_COLUMNS = rows.columns(LabelChoice)


def chosen(reading: Reading, project_id: int, model_id: int) -> dict[int, LabelChoice]:
    """Return what was decided, by class index."""
    sql = f"SELECT {_COLUMNS} FROM model_labels WHERE project_id = ? AND model_id = ? ORDER BY class_index"
    return {one.class_index: one for one in rows.made(LabelChoice, reading.execute(sql, (project_id, model_id)))}


def put(tx: Transaction, project_id: int, model: Model, choices: Sequence[LabelChoice]) -> None:
    """Replace all that was decided of a model's labels in a project.

    Raises:
        InvalidInput: A class index twice or beyond the model's, or a label that is not the project's.
    """
    known = labels.ids(tx, project_id)
    seen: set[int] = set()
    for at, choice in enumerate(choices):
        if choice.class_index >= len(model.info.labels) or choice.class_index in seen:
            raise InvalidInput(
                f"{model.title} has {len(model.info.labels)} labels, each is named once: not {choice.class_index}",
                field=f"labels.{at}.class_index",
            )
        if choice.label_id is not None and choice.label_id not in known:
            raise InvalidInput(f"the project has no label {choice.label_id}", field=f"labels.{at}.label_id")
        if choice.label_id is not None and choice.ignored:
            raise InvalidInput("a label is either taken or ignored", field=f"labels.{at}.ignored")
        seen.add(choice.class_index)
    tx.execute("DELETE FROM model_labels WHERE project_id = ? AND model_id = ?", (project_id, model.id))
    tx.executemany(
        "INSERT INTO model_labels (project_id, model_id, class_index, label_id, ignored, confidence) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [(project_id, model.id, c.class_index, c.label_id, c.ignored, c.confidence) for c in choices],
    )
    tx.audit("model.map", f"model {model.id}", project_id=project_id, labels=len(choices))
    tx.event("project.changed", {"project_id": project_id}, project_id=project_id)


def merge(tx: Transaction, label_id: int, into_id: int) -> None:
    """Let what was a label be another: it is being merged into that one."""
    tx.execute("UPDATE model_labels SET label_id = ? WHERE label_id = ?", (into_id, label_id))
