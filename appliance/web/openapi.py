"""OpenAPI 3.1 from the same declarations that route, validate and allow.

Source: OpenAPI Specification 3.1.1; JSON Schema 2020-12 as msgspec writes it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from falcon import code_to_http_status

import appliance
from appliance.web.operations import NoQuery, Operation, least
from appliance.web.permissions import Permission, scope_for
from appliance.web.problems import Problem

__all__ = ["document"]

_REF = "#/components/schemas/{name}"


def document(operations: list[Operation]) -> dict[str, Any]:
    """Return the OpenAPI document of these operations."""
    types = [kind for op in operations for kind in (op.body, op.response) if kind not in (None, bytes)]
    queries = [op.query for op in operations if op.query is not NoQuery]
    schemas, components = msgspec.json.schema_components([*types, *queries, Problem], ref_template=_REF)
    by_type = dict(zip(map(repr, [*types, *queries, Problem]), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        method = "get" if operation.method == "WS" else operation.method.lower()
        paths.setdefault(operation.path, {})[method] = _operation(operation, by_type, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "PixelQueue", "version": appliance.__version__, "license": {"name": "AGPL-3.0-or-later"}},
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(components.items())), "securitySchemes": _SECURITY},
    }


_SECURITY = {
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-pixelqueue_session"},
    "token": {"type": "http", "scheme": "bearer"},
}


def _operation(operation: Operation, by_type: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": _description(operation),
        "tags": [operation.tag],
        "x-permission": operation.permission.value,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation, by_type, components)],
        "responses": _responses(operation, by_type),
        "security": _security(operation),
    }
    if operation.body is not None:
        schema = by_type[repr(operation.body)]
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if operation.raw:
        binary = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
        found["requestBody"] = {"required": True, "content": {"application/octet-stream": binary}}
    return found


def _description(operation: Operation) -> str:
    words = (operation.handler.__doc__ or "").strip()
    needs = f"Needs the permission `{operation.permission.value}`"
    if operation.permission is not Permission.PUBLIC:
        scope = scope_for(operation.permission, operation.method)
        needs += "; not with a token" if operation.session_only else f", with a token the scope `{scope}`"
    return f"{words}\n\n{needs}." if words else f"{needs}."


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.permission is Permission.PUBLIC:
        return []
    return [{"session": []}] if operation.session_only else [{"session": []}, {"token": []}]


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer", "minimum": least(name)}}
        for name in operation.parameters
    ]


def _query_parameters(
    operation: Operation, by_type: dict[str, Any], components: dict[str, Any]
) -> list[dict[str, Any]]:
    if operation.query is NoQuery:
        return []
    schema = components[by_type[repr(operation.query)]["$ref"].rpartition("/")[2]]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": kind}
        for name, kind in schema["properties"].items()
    ]


def _responses(operation: Operation, by_type: dict[str, Any]) -> dict[str, Any]:
    problem = {"content": {"application/problem+json": {"schema": by_type[repr(Problem)]}}}
    answer: dict[str, Any] = {"description": "Done"}
    answers: dict[str, Any]
    if operation.response is bytes:
        answer["content"] = {"*/*": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}
    elif operation.response is not None:
        answer["content"] = {"application/json": {"schema": by_type[repr(operation.response)]}}
    if operation.method == "WS":
        answers = {"101": {"description": "A WebSocket of JSON text messages"}, "403": {"description": "Refused"}}
    else:
        also = {str(status): _also(status, answer) for status in operation.also}
        answers = {str(operation.status): answer, **also}
    return answers | {"default": {"description": "A problem document (RFC 9457)", **problem}}


def _also(status: int, answer: dict[str, Any]) -> dict[str, Any]:
    """Describe another answer than the first: with the same content, or with none."""
    words = code_to_http_status(status).partition(" ")[2]
    return {**answer, "description": words} if status in (200, 202, 206) else {"description": words}
