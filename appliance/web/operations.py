"""One declaration per operation: routing, validation, permission and OpenAPI come from it.

A module in `appliance.web.resources` declares ``OPERATIONS = Operations("labels", "…")`` and
hangs its handlers on it::

    @OPERATIONS.post(
        "/api/projects/{project_id}/labels",
        permission=Permission.PROJECT_ADMIN,
        body=NewLabel,
        response=Label,
        status=201,
        audit="label.create",
        summary="Add a label",
    )
    async def create_label(call: Call) -> Label: ...
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from appliance.errors import NotSignedIn
from appliance.records import ProjectRole, User
from appliance.registry import discover
from appliance.store.passwords import Passwords
from appliance.web.arrivals import Arrivals
from appliance.web.hub import Hub
from appliance.web.live import Live
from appliance.web.permissions import Permission, Principal

if TYPE_CHECKING:
    import falcon.asgi

    from appliance.jobs.services import Jobs
    from appliance.settings import Settings
    from appliance.store import Store
    from appliance.store.rows import Page

__all__ = [
    "OF_A_FILE", "Call", "Listing", "NoQuery", "Operation", "Operations", "Paged", "Query", "Services", "least",
    "listing", "operations",
]  # fmt: skip

T = TypeVar("T")
Handler = Callable[..., Awaitable[Any]]
OF_A_FILE = (206, 304, 416)
"""What else `files.send` answers with: a part, that nothing has changed, that there is no such part."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all query structs: an unknown or repeated parameter is refused."""


class NoQuery(Query):
    """No parameters at all."""


class Paged(Query):
    """A keyset page: at most `limit` items after the cursor `after`, the `next` of the page before."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0


class Listing(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list; `next` is None on the last one."""

    items: list[T]
    next: str | None = None


def listing(page: Page) -> Listing[Any]:
    """Make the answer of a page from the store."""
    return Listing(items=page.items, next=None if page.next is None else str(page.next))


@dataclass(frozen=True)
class Services:
    """What the web is built from, and what its requests share."""

    store: Store
    jobs: Jobs
    settings: Settings
    live: Live = field(default_factory=Live)
    passwords: Passwords = field(init=False)
    hub: Hub = field(init=False)
    arrivals: Arrivals = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hub", Hub(self.store.bus))
        object.__setattr__(self, "passwords", Passwords(self.settings))
        object.__setattr__(self, "arrivals", Arrivals(self.store, self.jobs))

    def close(self) -> None:
        """End what is shared; the store and the jobs belong to somebody else."""
        self.passwords.close()


@dataclass
class Call:
    """One request, validated and allowed, as its handler sees it.

    Attributes:
        request: For headers and raw bytes; JSON is in `body` already.
        ids: The path parameters, all of them integers.
        query: The operation's query struct.
        body: The operation's body struct, or None.
        principal: Who calls; None only where the permission is public.
        role: The caller's role in the path's project; ``admin`` for a global administrator,
            None for an operator who is no member.
        status: Set it to answer with another status than the declared one.
        headers: Set these to add to the answer.
        response: For cookies only; None on a WebSocket.
    """

    services: Services
    request: falcon.asgi.Request
    ids: dict[str, int]
    query: Any
    principal: Principal | None
    role: ProjectRole | None
    body: Any = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    response: falcon.asgi.Response | None = None

    @property
    def store(self) -> Store:
        return self.services.store

    @property
    def jobs(self) -> Jobs:
        return self.services.jobs

    @property
    def arrivals(self) -> Arrivals:
        return self.services.arrivals

    @property
    def settings(self) -> Settings:
        return self.services.settings

    @property
    def user(self) -> User:
        if self.principal is None:
            raise NotSignedIn("sign in first")
        return self.principal.user

    @property
    def project_id(self) -> int:
        return self.ids["project_id"]


@dataclass(frozen=True)
class Operation:
    """What one operation is, to the router, the checks and the documentation.

    Attributes:
        method: An HTTP method, or ``WS`` for a WebSocket.
        path: A template whose placeholders are integers; those that end in ``_id`` are positive.
        body: A msgspec type for a JSON body, or None.
        raw: The body is raw bytes: the handler streams them (`uploads.receive`).
        response: A msgspec type, `bytes` for a file (`files.File`), or None for no content.
        also: Other statuses of what went well: 204 and 304 without content, the rest with the response.
        audit: The action its writer puts into the audit log.
        unaudited: Why a state-changing operation writes no audit line.
        session_only: A token cannot call it, whatever its scopes.
        headers: What every answer carries, refusals too.
    """

    method: str
    path: str
    handler: Handler
    permission: Permission
    summary: str
    query: type[Query] = NoQuery
    body: Any = None
    raw: bool = False
    response: Any = None
    status: int = 200
    also: tuple[int, ...] = ()
    audit: str | None = None
    unaudited: str | None = None
    session_only: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""

    def __post_init__(self) -> None:
        if self.changes_state and bool(self.audit) == bool(self.unaudited):
            raise TypeError(f"{self.name}: say either audit= (its action) or unaudited= (why none)")
        if self.permission.of_project and "project_id" not in self.parameters:
            raise TypeError(f"{self.name}: {self.permission.value} needs a project_id in the path")

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def changes_state(self) -> bool:
        return self.method not in ("GET", "OPTIONS", "WS")

    @property
    def parameters(self) -> list[str]:
        return _PLACEHOLDER.findall(self.path)


def least(parameter: str) -> int:
    """Return the least value of a path parameter: ids count from 1, everything else from 0."""
    return 1 if parameter.endswith("_id") else 0


class Operations:
    """The operations of one resource, in the order of their declaration."""

    def __init__(self, name: str, summary: str = "") -> None:
        self.name = name
        self.summary = summary
        self.declared: list[Operation] = []

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.declared)

    def get(self, path: str, **facts: Any) -> Callable[[Handler], Handler]:
        """Declare a reading operation."""
        return self._declare("GET", path, facts)

    def post(self, path: str, **facts: Any) -> Callable[[Handler], Handler]:
        """Declare an operation that makes or does something."""
        return self._declare("POST", path, facts)

    def put(self, path: str, **facts: Any) -> Callable[[Handler], Handler]:
        """Declare an operation that sets something whole."""
        return self._declare("PUT", path, facts)

    def patch(self, path: str, **facts: Any) -> Callable[[Handler], Handler]:
        """Declare an operation that changes some fields."""
        return self._declare("PATCH", path, facts)

    def delete(self, path: str, **facts: Any) -> Callable[[Handler], Handler]:
        """Declare an operation that removes something."""
        return self._declare("DELETE", path, facts)

    def options(self, path: str, **facts: Any) -> Callable[[Handler], Handler]:
        """Declare an operation that tells what the others can do."""
        return self._declare("OPTIONS", path, facts)

    def socket(self, path: str, **facts: Any) -> Callable[[Handler], Handler]:
        """Declare a WebSocket; its handler takes the call and the socket."""
        return self._declare("WS", path, facts)

    def _declare(self, method: str, path: str, facts: dict[str, Any]) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            status = 200 if facts.get("response") is not None or method == "WS" else 204
            self.declared.append(Operation(method, path, handler, **{"status": status, "tag": self.name, **facts}))
            return handler

        return declare


def operations() -> list[Operation]:
    """Return every operation of every resource.

    Raises:
        ValueError: Two operations share a name, or a method and path.
    """
    found = [entry for group in discover("appliance.web.resources", "OPERATIONS").values() for entry in group]
    for key in (lambda o: o.name, lambda o: (o.method, o.path)):
        seen: set[Any] = set()
        for operation in found:
            if key(operation) in seen:
                raise ValueError(f"two operations are {key(operation)!r}")
            seen.add(key(operation))
    return found
