"""Invitations: links that make one account each, with a role and a place in a project.

The link holds 256 random bits of which only the hash is kept. It works once, until it expires
or somebody revokes it.
"""

from __future__ import annotations

import secrets

from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.records import GlobalRole, Invitation, ProjectRole
from appliance.store import members, projects, rows
from appliance.store.sessions import hash_of
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["create", "listed", "offered", "purge", "revoke", "use"]

_COLUMNS = rows.columns(Invitation)
_MOST = 500
_KEPT_MS = 30 * 24 * 3600 * 1000


def create(
    tx: Transaction,
    *,
    note: str,
    role: GlobalRole,
    project_id: int | None,
    project_role: ProjectRole | None,
    valid_s: int,
    created_by: int,
) -> tuple[Invitation, str]:
    """Make an invitation; return it and its secret, which exists nowhere else.

    Raises:
        InvalidInput: A project without a role in it or the other way round, no such project,
            or too many invitations that wait.
    """
    if (project_id is None) is not (project_role is None):
        raise InvalidInput("a project and a role in it belong together: give both or neither", field="project_role")
    if project_id is not None:
        _require_project(tx, project_id)
    if len(listed(tx)) >= _MOST:
        raise InvalidInput(f"there are {_MOST} invitations already: revoke some first")
    secret = secrets.token_urlsafe(32)
    expires_at_ms = tx.now_ms + valid_s * 1000
    invitation_id = tx.insert(
        "INSERT INTO invitations (secret_hash, note, role, project_id, project_role, created_by, created_at_ms, "
        "expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (hash_of(secret), note.strip(), role, project_id, project_role, created_by, tx.now_ms, expires_at_ms),
    )
    tx.audit("invitation.create", f"invitation {invitation_id}", project_id=project_id, role=role,
             project_role=project_role, expires_at_ms=expires_at_ms)  # fmt: skip
    _told(tx, invitation_id)
    return _get(tx, invitation_id), secret


def listed(reading: Reading) -> list[Invitation]:
    """Return what was made lately, newest first: open, used and expired ones."""
    sql = f"SELECT {_COLUMNS} FROM invitations ORDER BY id DESC LIMIT ?"
    return rows.made(Invitation, reading.execute(sql, (_MOST,)))


def offered(reading: Reading, secret: str, now_ms: int) -> Invitation:
    """Return the invitation of a secret.

    Raises:
        Forbidden: There is none, or it is used, revoked or too old; which of them is not told.
    """
    sql = f"SELECT {_COLUMNS} FROM invitations WHERE secret_hash = ? AND used_at_ms IS NULL AND expires_at_ms > ?"
    found = rows.first(Invitation, reading.execute(sql, (hash_of(secret), now_ms)))
    if found is None:
        raise Forbidden("this invitation is used, revoked or too old: ask for another one", field="invitation")
    return found


def use(tx: Transaction, secret: str, user_id: int) -> None:
    """Use the invitation up for an account that was made with its role, and give its place in the project.

    Raises:
        Forbidden: As `offered` says.
    """
    found = offered(tx, secret, tx.now_ms)
    tx.execute("UPDATE invitations SET used_by = ?, used_at_ms = ? WHERE id = ?", (user_id, tx.now_ms, found.id))
    if found.project_id is not None and found.project_role is not None:
        members.put(tx, found.project_id, user_id, found.project_role)
    tx.audit("invitation.use", f"invitation {found.id}", made_user=user_id)
    _told(tx, found.id)


def revoke(tx: Transaction, invitation_id: int) -> None:
    """Remove an invitation; its link stops working at once.

    Raises:
        NotFound: There is none with this id.
    """
    tx.execute("DELETE FROM invitations WHERE id = ?", (invitation_id,))
    if not tx.changes():
        raise NotFound("there is no such invitation")
    tx.audit("invitation.revoke", f"invitation {invitation_id}")
    _told(tx, invitation_id)


def purge(tx: Transaction) -> None:
    """Remove what has been over for a month; the audit log keeps that it was."""
    tx.execute("DELETE FROM invitations WHERE expires_at_ms < ?", (tx.now_ms - _KEPT_MS,))


def _get(reading: Reading, invitation_id: int) -> Invitation:
    row = reading.execute(f"SELECT {_COLUMNS} FROM invitations WHERE id = ?", (invitation_id,))
    return rows.found(rows.first(Invitation, row), "invitation")


def _require_project(reading: Reading, project_id: int) -> None:
    try:
        projects.get(reading, project_id)
    except NotFound as error:
        raise InvalidInput(f"there is no project {project_id}", field="project_id") from error


def _told(tx: Transaction, invitation_id: int) -> None:
    tx.event("invitation.changed", {"invitation_id": invitation_id})
