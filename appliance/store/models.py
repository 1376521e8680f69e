"""Models: portable weights with labels, metrics and provenance, in one file or several by role."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from appliance.errors import Conflict, InvalidInput
from appliance.records import Model, ModelInfo, Provenance
from appliance.store import rows
from appliance.store.blobs import Blobs, Staged
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["archive", "by_content", "content_sha256", "create", "delete", "get", "listed", "named", "users"]

_FILES = (
    "(SELECT json_group_array(json_object('role', f.role, 'sha256', lower(hex(f.sha256)), "
    "'size_bytes', f.size_bytes)) FROM model_files AS f WHERE f.model_id = models.id)"
)
_COLUMNS = rows.columns(Model, sha256="lower(hex(sha256))", files=_FILES)


def content_sha256(files: Mapping[str, str]) -> str:
    """Return what names a model of these files: hashes by role.

    A single file of weights is its own name; of several it is the hash of the lines ``role sha256``
    in the order of the roles.
    """
    if list(files) == ["weights"]:
        return files["weights"]
    lines = "".join(f"{role} {sha256}\n" for role, sha256 in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def create(
    tx: Transaction,
    blobs: Blobs,
    *,
    name: str,
    files: Mapping[str, Staged],
    info: ModelInfo,
    provenance: Provenance,
    created_by: int | None,
    metrics: Mapping[str, float] | None = None,
) -> Model:
    """Add files that are settled and inspected, as the next version of `name`.

    The same content again is the model that has it; an archived one comes back.
    """
    sha256 = content_sha256({role: staged.sha256 for role, staged in files.items()})
    known = by_content(tx, sha256)
    if known is not None:
        return archive(tx, known.id, archived=False)
    name = name.strip()
    if not 1 <= len(name) <= 200:
        raise InvalidInput("a model's name has 1 to 200 characters", field="name")
    ((version,),) = tx.execute("SELECT COALESCE(MAX(version), 0) + 1 FROM models WHERE name = ?", (name,)).fetchall()
    model_id = tx.insert(
        "INSERT INTO models (name, version, family, task, sha256, size_bytes, info, metrics, provenance, created_by, "
        "created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            name, version, info.family, info.task, bytes.fromhex(sha256), sum(s.size_bytes for s in files.values()),
            rows.encode(info), rows.encode(dict(metrics or {})), rows.encode(provenance), created_by, tx.now_ms,
        ),
    )  # fmt: skip
    for role, staged in sorted(files.items()):
        blobs.register(tx, staged)
        tx.execute(
            "INSERT INTO model_files (model_id, role, sha256, size_bytes) VALUES (?, ?, ?, ?)",
            (model_id, role, bytes.fromhex(staged.sha256), staged.size_bytes),
        )
    tx.audit("model.create", f"model {model_id}", name=name, version=version, sha256=sha256)
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
    """Return the model with this content, or None."""
    sql = f"SELECT {_COLUMNS} FROM models WHERE sha256 = ?"
    return rows.first(Model, reading.execute(sql, (bytes.fromhex(sha256),)))


def named(reading: Reading, name: str, version: int | None = None) -> Model | None:
    """Return a model by its name, the newest version unless one is named."""
    sql = f"SELECT {_COLUMNS} FROM models WHERE name = ? AND version <= ? ORDER BY version DESC LIMIT 1"
    found = rows.first(Model, reading.execute(sql, (name, 2**62 if version is None else version)))
    return found if version is None or (found is not None and found.version == version) else None


def listed(reading: Reading, *, after: int | None = None, limit: int | None = None) -> rows.Page:
    """Return all models by id, archived ones too."""
    size = rows.page_size(limit)
    found = rows.made(
        Model,
        reading.execute(f"SELECT {_COLUMNS} FROM models WHERE id > ? ORDER BY id LIMIT ?", (after or 0, size + 1)),
    )
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)


def users(reading: Reading, model_id: int, limit: int = 20, *, member_id: int | None = None) -> list[tuple[int, str]]:
    """Return id and name of the projects that use a model, for clicks too; with `member_id` only that member's."""
    mine = "" if member_id is None else "AND EXISTS (SELECT 1 FROM members WHERE project_id = p.id AND user_id = ?) "
    found: list[tuple[int, str]] = []
    chosen = "project_segmenters AS s CROSS JOIN projects AS p ON p.id = s.project_id"
    for source, holder in (("projects AS p INDEXED BY projects_model", "p"), (chosen, "s")):
        sql = f"SELECT p.id, p.name FROM {source} WHERE {holder}.model_id = ? {mine}LIMIT ?"
        values = (model_id, limit) if member_id is None else (model_id, member_id, limit)
        found += [(int(project_id), str(name)) for project_id, name in reading.execute(sql, values)]
    return found[:limit]


def archive(tx: Transaction, model_id: int, *, archived: bool = True) -> Model:
    """Put a model away, or take it back; nothing of it is lost.

    Raises:
        Conflict: A project uses it.
    """
    model = get(tx, model_id)
    if archived == (model.archived_at_ms is not None):
        return model
    if archived:
        _require_idle(tx, model)
    at_ms = tx.now_ms if archived else None
    tx.execute("UPDATE models SET archived_at_ms = ? WHERE id = ?", (at_ms, model_id))
    tx.audit("model.archive" if archived else "model.restore", f"model {model_id}", name=model.title)
    tx.event("model.changed", {"model_id": model_id})
    return get(tx, model_id)


def delete(tx: Transaction, model_id: int) -> None:
    """Delete a model that no project uses and no job waits for; predictions it made stay.

    Raises:
        Conflict: It is in use.
    """
    model = get(tx, model_id)
    _require_idle(tx, model)
    tx.execute("DELETE FROM models WHERE id = ?", (model_id,))
    tx.audit("model.delete", f"model {model_id}", name=model.name, version=model.version)
    tx.event("model.changed", {"model_id": model_id, "deleted": True})


def _require_idle(tx: Transaction, model: Model) -> None:
    used = users(tx, model.id, 1)
    if used:
        raise Conflict(f"the project {used[0][1]!r} uses {model.title}: choose another model there first")
    sql = (
        "SELECT id FROM jobs WHERE state IN ('queued', 'running', 'paused') AND kind = 'auto-label' "
        "AND parameters ->> '$.model_id' = ? LIMIT 1"
    )
    for (job_id,) in tx.execute(sql, (model.id,)).fetchall():
        raise Conflict(f"job {job_id} prelabels with {model.title}: let it end, or cancel it")
