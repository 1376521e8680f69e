"""Who may do what: the one enum, and the one place that decides.

An operation names one permission. What lies in a project that the caller is no member of
does not exist for the caller: 404, never 403, so that ids tell nothing.
"""

from __future__ import annotations

from enum import StrEnum

from appliance.errors import Forbidden, NotFound, NotSignedIn
from appliance.records import GlobalRole, ProjectRole, Record, User
from appliance.store import Reading, members

__all__ = ["Access", "Permission", "Principal", "allows", "decide", "scope_for"]


class Permission(StrEnum):
    """What an operation asks of its caller.

    The ones that start with ``project-`` are about the project in the path. The global
    administrator has all of them. An operator carries datasets away: project-overview and
    project-export of every project, nothing of its pictures.
    """

    PUBLIC = "public"
    SIGNED_IN = "signed-in"
    ADMIN = "admin"
    OPERATE = "operate"
    CREATE_PROJECT = "create-project"
    PROJECT_OVERVIEW = "project-overview"
    PROJECT_READ = "project-read"
    PROJECT_ANNOTATE = "project-annotate"
    PROJECT_REVIEW = "project-review"
    PROJECT_EXPORT = "project-export"
    PROJECT_ADMIN = "project-admin"

    @property
    def of_project(self) -> bool:
        return self.value.startswith("project-")


class Principal(Record, frozen=True):
    """Who calls: the user, and the session or token that says so.

    `scopes` is None for a session (everything the user may do) and a list for a token.
    """

    user: User
    session_id: int | None = None
    token_id: int | None = None
    scopes: list[str] | None = None


class Access(Record, frozen=True):
    """What the check found: the caller, and the role in the path's project."""

    principal: Principal | None
    role: ProjectRole | None = None


_GLOBAL: dict[Permission, tuple[GlobalRole, ...]] = {
    Permission.SIGNED_IN: ("admin", "operator", "member"),
    Permission.CREATE_PROJECT: ("admin", "operator", "member"),
    Permission.OPERATE: ("admin", "operator"),
    Permission.ADMIN: ("admin",),
}
_PROJECT: dict[Permission, tuple[ProjectRole, ...]] = {
    Permission.PROJECT_OVERVIEW: ("admin", "reviewer", "annotator"),
    Permission.PROJECT_READ: ("admin", "reviewer", "annotator"),
    Permission.PROJECT_ANNOTATE: ("admin", "reviewer", "annotator"),
    Permission.PROJECT_REVIEW: ("admin", "reviewer"),
    Permission.PROJECT_EXPORT: ("admin",),
    Permission.PROJECT_ADMIN: ("admin",),
}
_OPERATOR = (Permission.PROJECT_OVERVIEW, Permission.PROJECT_EXPORT)


def allows(user: User, permission: Permission) -> bool:
    """Tell whether a user's role carries a permission that is not about one project."""
    return user.role in _GLOBAL[permission]


def scope_for(permission: Permission, method: str) -> str:
    """Return the scope a token needs: ``read``, ``write`` or ``admin``."""
    if permission is Permission.ADMIN:
        return "admin"
    return "read" if method in ("GET", "HEAD", "OPTIONS", "WS") else "write"


def decide(
    reading: Reading,
    permission: Permission,
    method: str,
    principal: Principal | None,
    project_id: int | None,
) -> Access:
    """Let the caller in, or say why not.

    Raises:
        NotSignedIn: The operation is not public and nobody is signed in.
        Forbidden: The role or the token's scopes do not allow it.
        NotFound: The project does not exist for this caller.
    """
    if permission is Permission.PUBLIC:
        return Access(principal=principal)
    if principal is None:
        raise NotSignedIn("sign in first")
    scope = scope_for(permission, method)
    if principal.scopes is not None and scope not in principal.scopes:
        raise Forbidden(f"this token lacks the scope {scope!r}: make one that has it")
    if not permission.of_project:
        if not allows(principal.user, permission):
            raise Forbidden(f"this needs the right {permission.value!r}: ask an administrator")
        return Access(principal=principal)
    return Access(principal=principal, role=_project_role(reading, permission, principal.user, project_id))


def _project_role(reading: Reading, permission: Permission, user: User, project_id: int | None) -> ProjectRole | None:
    if project_id is None:
        raise TypeError(f"{permission.value} needs a project_id in the path")
    role = members.role_of(reading, project_id, user.id)
    if not (role or user.role in ("admin", "operator")) or not _exists(reading, project_id):
        raise NotFound(f"there is no project {project_id}")
    if user.role == "admin":
        return "admin"
    if role in _PROJECT[permission] or (user.role == "operator" and permission in _OPERATOR):
        return role
    raise Forbidden(f"this needs the right {permission.value!r} in the project: ask its administrator")


def _exists(reading: Reading, project_id: int) -> bool:
    return any(True for _ in reading.execute("SELECT 1 FROM projects WHERE id = ?", (project_id,)))
