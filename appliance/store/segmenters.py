"""Which model answers the clicks of a project; without one the built-in segmenter does."""

from __future__ import annotations

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.records import Model
from appliance.store import models
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["choose", "chosen", "listed"]


def chosen(reading: Reading, project_id: int) -> Model | None:
    """Return the model that answers a project's clicks; None for the built-in segmenter."""
    sql = "SELECT model_id FROM project_segmenters WHERE project_id = ?"
    for (model_id,) in list(reading.execute(sql, (project_id,))):
        model = models.get(reading, model_id)
        return model if model.archived_at_ms is None else None
    return None


def choose(tx: Transaction, project_id: int, model_id: int | None) -> Model | None:
    """Let a model answer a project's clicks, or with None the built-in segmenter.

    Raises:
        InvalidInput: There is no such model, or it answers no clicks.
        Conflict: It is archived.
    """
    model = None if model_id is None else _usable(tx, model_id)
    tx.execute("DELETE FROM project_segmenters WHERE project_id = ?", (project_id,))
    if model is not None:
        tx.execute("INSERT INTO project_segmenters (project_id, model_id) VALUES (?, ?)", (project_id, model.id))
    name = model.title if model else None
    tx.audit("segmenter.choose", f"project {project_id}", project_id=project_id, model_id=model_id, name=name)
    tx.event("project.changed", {"project_id": project_id}, project_id=project_id)
    return model


def listed(reading: Reading, limit: int = 100) -> list[Model]:
    """Return the models that answer clicks, newest first, without archived ones."""
    sql = "SELECT id FROM models WHERE task = 'prompt' AND archived_at_ms IS NULL ORDER BY id DESC LIMIT ?"
    return [models.get(reading, model_id) for (model_id,) in list(reading.execute(sql, (limit,)))]


def _usable(reading: Reading, model_id: int) -> Model:
    try:
        model = models.get(reading, model_id)
    except NotFound as error:
        raise InvalidInput(f"there is no model {model_id}", field="model_id") from error
    if model.task != "prompt":
        raise InvalidInput(f"{model.title} prelabels and answers no clicks: choose another", field="model_id")
    if model.archived_at_ms is not None:
        raise Conflict(f"{model.title} is archived: restore it first")
    return model
