"""Who works in a project, and as what."""

from __future__ import annotations

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.records import Member, ProjectRole
from appliance.store import rows, tasks
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["listed", "projects_of", "put", "remove", "role_of", "works_in"]


def role_of(reading: Reading, project_id: int, user_id: int) -> ProjectRole | None:
    """Return the user's role in the project, or None for who is no member."""
    sql = "SELECT role FROM members WHERE project_id = ? AND user_id = ?"
    for (role,) in reading.execute(sql, (project_id, user_id)):
        return role  # type: ignore[no-any-return]
    return None


def works_in(reading: Reading, project_id: int, user_id: int) -> bool:
    """Tell whether the user still works in the project: a member, or an administrator of the box, not disabled."""
    sql = (
        "SELECT 1 FROM users AS u WHERE u.id = ? AND u.disabled = 0 AND (u.role = 'admin' OR EXISTS "
        "(SELECT 1 FROM members AS m WHERE m.project_id = ? AND m.user_id = u.id))"
    )
    return bool(list(reading.execute(sql, (user_id, project_id))))


def projects_of(reading: Reading, user_id: int) -> set[int]:
    """Return the ids of the projects the user is a member of."""
    return {row[0] for row in reading.execute("SELECT project_id FROM members WHERE user_id = ?", (user_id,))}


def listed(reading: Reading, project_id: int) -> list[Member]:
    """Return the members of a project in the order their accounts were made."""
    sql = (
        "SELECT m.user_id, u.email, u.name, m.role FROM members AS m CROSS JOIN users AS u ON u.id = m.user_id "
        "WHERE m.project_id = ? ORDER BY m.user_id"
    )
    return rows.made(Member, reading.execute(sql, (project_id,)))


def put(tx: Transaction, project_id: int, user_id: int, role: ProjectRole) -> None:
    """Make the user a member, or change their role.

    Raises:
        InvalidInput: There is no such user.
        Conflict: The project would be left without an admin.
    """
    if not tx.execute("SELECT 1 FROM users WHERE id = ?", (user_id,)).fetchall():
        raise InvalidInput(f"there is no user {user_id}", field="user_id")
    if role != "admin":
        _keep_an_admin(tx, project_id, user_id)
    tx.execute(
        "INSERT INTO members (project_id, user_id, role) VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET role = excluded.role",
        (project_id, user_id, role),
    )
    _told(tx, "member.put", project_id, user_id, role)


def remove(tx: Transaction, project_id: int, user_id: int) -> None:
    """End a membership. Tasks that wait for the user wait for anybody then.

    Raises:
        NotFound: The user is no member.
        Conflict: The project would be left without an admin.
    """
    _keep_an_admin(tx, project_id, user_id)
    tx.execute("DELETE FROM members WHERE project_id = ? AND user_id = ?", (project_id, user_id))
    if not tx.changes():
        raise NotFound("that user is not a member of this project")
    tasks.release(tx, user_id, project_id)
    _told(tx, "member.remove", project_id, user_id, None)


def _keep_an_admin(tx: Transaction, project_id: int, leaving_id: int) -> None:
    if role_of(tx, project_id, leaving_id) != "admin":
        return
    others = (
        "SELECT 1 FROM members AS m CROSS JOIN users AS u ON u.id = m.user_id "
        "WHERE m.project_id = ? AND m.role = 'admin' AND m.user_id != ? AND u.disabled = 0 LIMIT 1"
    )
    if not tx.execute(others, (project_id, leaving_id)).fetchall():
        raise Conflict("the last admin of a project cannot leave: make somebody else admin first", field="role")


def _told(tx: Transaction, action: str, project_id: int, user_id: int, role: str | None) -> None:
    tx.audit(action, f"user {user_id}", project_id=project_id, role=role)
    data = {"project_id": project_id, "user_id": user_id, "role": role}
    tx.event("member.changed", data, project_id=project_id)
    tx.event("member.changed", data, user_id=user_id)
