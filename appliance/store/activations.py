"""Which model a project prelabels with, and which it did before: rolling back is one step."""

from __future__ import annotations

from typing import Any

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.records import Activation, Model
from appliance.store import models, rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["activate", "active", "listed", "previous", "roll_back"]

_COLUMNS = rows.columns(Activation)
_STEPS = 1_000


def activate(tx: Transaction, project_id: int, model_id: int | None) -> Model | None:
    """Let a project prelabel with a model, or with none; the one that is active stays as it is.

    Raises:
        InvalidInput: There is no such model, or it does not prelabel.
        Conflict: It is archived.
    """
    model = None if model_id is None else _usable(tx, model_id)
    ((present,),) = tx.execute("SELECT model_id FROM projects WHERE id = ?", (project_id,)).fetchall()
    if present != model_id:
        _put(tx, project_id, model, before_id=_latest_id(tx, project_id), rolled_back=False)
        title = model.title if model else None
        tx.audit("model.activate", f"project {project_id}", project_id=project_id, model_id=model_id, name=title)
    return model


def roll_back(tx: Transaction, project_id: int) -> Model:
    """Return to the model that was active before the present one; again, and it is the one before that.

    Raises:
        Conflict: There is none to return to.
    """
    target = _target(tx, project_id)
    if target is None:
        raise Conflict("there is no earlier model to roll back to: activate one")
    model, before_id = target
    _put(tx, project_id, model, before_id=before_id, rolled_back=True)
    tx.audit("model.rollback", f"project {project_id}", project_id=project_id, model_id=model.id, name=model.title)
    return model


def active(reading: Reading, project_id: int) -> Model | None:
    """Return the model a project prelabels with, or None."""
    for (model_id,) in list(reading.execute("SELECT model_id FROM projects WHERE id = ?", (project_id,))):
        return None if model_id is None else models.get(reading, model_id)
    raise NotFound("there is no such project, or you may not see it")


def previous(reading: Reading, project_id: int) -> Model | None:
    """Return the model that `roll_back` would return to, or None."""
    target = _target(reading, project_id)
    return None if target is None else target[0]


def listed(reading: Reading, project_id: int, *, limit: int = 50) -> list[Activation]:
    """Return what a project used, newest first."""
    sql = f"SELECT {_COLUMNS} FROM activations WHERE project_id = ? ORDER BY id DESC LIMIT ?"
    return rows.made(Activation, reading.execute(sql, (project_id, limit)))


def _usable(reading: Reading, model_id: int) -> Model:
    try:
        model = models.get(reading, model_id)
    except NotFound as error:
        raise InvalidInput(f"there is no model {model_id}", field="model_id") from error
    if model.task == "prompt":
        raise InvalidInput(f"{model.title} answers clicks and prelabels nothing: choose another", field="model_id")
    if model.archived_at_ms is not None:
        raise Conflict(f"{model.title} is archived: restore it first")
    return model


def _target(reading: Reading, project_id: int) -> tuple[Model, int | None] | None:
    """Walk back to the first turn of another model that is still there, and what came before it."""
    ((present,),) = list(reading.execute("SELECT model_id FROM projects WHERE id = ?", (project_id,))) or [(None,)]
    turn: Any = _latest_id(reading, project_id)
    sql = "SELECT before_id, model_id FROM activations WHERE id = ?"
    for _ in range(_STEPS):
        found = list(reading.execute(sql, (turn,)))
        if not found:
            return None
        ((turn, model_id),) = found
        if model_id is not None and model_id != present:
            model = models.get(reading, model_id)
            if model.archived_at_ms is None:
                return model, turn
    return None


def _latest_id(reading: Reading, project_id: int) -> int | None:
    sql = "SELECT id FROM activations WHERE project_id = ? ORDER BY id DESC LIMIT 1"
    return next((int(turn) for (turn,) in list(reading.execute(sql, (project_id,)))), None)


def _put(tx: Transaction, project_id: int, model: Model | None, *, before_id: int | None, rolled_back: bool) -> None:
    tx.execute(
        "INSERT INTO activations (project_id, model_id, model_name, before_id, rolled_back, user_id, at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            project_id, model.id if model else None, model.title if model else None, before_id, rolled_back,
            tx.user_id, tx.now_ms,
        ),
    )  # fmt: skip
    tx.execute("UPDATE projects SET model_id = ? WHERE id = ?", (model.id if model else None, project_id))
    tx.event("project.changed", {"project_id": project_id}, project_id=project_id)
