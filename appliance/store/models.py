"""Models: portable weights with labels and provenance."""

from __future__ import annotations

from typing import Any

from appliance.errors import Conflict, InvalidInput
from appliance.records import Model, ModelInfo
from appliance.store import rows
from appliance.store.blobs import Blobs, Staged
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["by_content", "create", "delete", "get", "listed"]

_COLUMNS = rows.columns(Model, sha256="lower(hex(sha256))")


def create(
    tx: Transaction,
    blobs: Blobs,
    *,
    name: str,
    staged: Staged,
    info: ModelInfo,
    provenance: dict[str, Any],
    created_by: int | None,
) -> Model:
    """Add weights that are settled and inspected, as the next version of `name`."""
    name = name.strip()
    if not 1 <= len(name) <= 200:
        raise InvalidInput("a model's name has 1 to 200 characters", field="name")
    blobs.register(tx, staged)
    ((version,),) = tx.execute("SELECT COALESCE(MAX(version), 0) + 1 FROM models WHERE name = ?", (name,)).fetchall()
    model_id = tx.insert(
        "INSERT INTO models (name, version, sha256, size_bytes, info, provenance, created_by, created_at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            name, version, bytes.fromhex(staged.sha256), staged.size_bytes, rows.encode(info),
            rows.encode(provenance), created_by, tx.now_ms,
        ),
    )  # fmt: skip
    tx.audit("model.create", f"model {model_id}", name=name, version=version, sha256=staged.sha256)
    tx.event("model.added", {"model_id": model_id, "name": name, "version": version})
    return get(tx, model_id)


def get(reading: Reading, model_id: int) -> Model:
    """Return one model.

    Raises:
        NotFound: There is none.
    """
    row = reading.execute(f"SELECT {_COLUMNS} FROM models WHERE id = ?", (model_id,))
    return rows.found(rows.first(Model, row), "model")


def by_content(reading: Reading, sha256: str) -> Model | None:
    """Return the newest model with this content, or None."""
    sql = f"SELECT {_COLUMNS} FROM models WHERE sha256 = ? ORDER BY id DESC LIMIT 1"
    return rows.first(Model, reading.execute(sql, (bytes.fromhex(sha256),)))


def listed(reading: Reading, *, after: int | None = None, limit: int | None = None) -> rows.Page:
    """Return all models by id."""
    size = rows.page_size(limit)
    found = rows.made(
        Model,
        reading.execute(f"SELECT {_COLUMNS} FROM models WHERE id > ? ORDER BY id LIMIT ?", (after or 0, size + 1)),
    )
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)


def delete(tx: Transaction, model_id: int) -> None:
    """Delete a model that no project uses; predictions it made stay.

    Raises:
        Conflict: A project uses it.
    """
    model = get(tx, model_id)
    used = tx.execute("SELECT name FROM projects WHERE model_id = ? LIMIT 1", (model_id,)).fetchall()
    if used:
        raise Conflict(f"the project {used[0][0]!r} uses this model: choose another one there first")
    tx.execute("DELETE FROM models WHERE id = ?", (model_id,))
    tx.audit("model.delete", f"model {model_id}", name=model.name, version=model.version)
