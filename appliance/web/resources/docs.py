"""The API described: OpenAPI, and a page that shows it without any foreign origin."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from appliance.web import openapi
from appliance.web.files import Page
from appliance.web.operations import Call, Operations, operations
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("docs", "The API described")

# Swagger's page sets style attributes; scripts stay the box's own files.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'none'"
)


@OPERATIONS.get(
    "/api/openapi.json", permission=Permission.PUBLIC, response=dict[str, Any], summary="Describe the API"
)
async def get_openapi(_call: Call) -> Page:
    return Page(_document(), "application/json")


@OPERATIONS.get("/api/docs", permission=Permission.PUBLIC, response=bytes, summary="Show the API as a page")
async def get_docs(call: Call) -> Page:
    call.headers["Content-Security-Policy"] = _CSP
    return Page(_file("index.html"), "text/html; charset=utf-8")


@OPERATIONS.get("/api/docs.js", permission=Permission.PUBLIC, response=bytes, summary="Serve the page's script")
async def get_docs_script(_call: Call) -> Page:
    return Page(_file("docs.js"), "text/javascript; charset=utf-8")


@cache
def _document() -> bytes:
    return msgspec.json.encode(openapi.document(operations()))


@cache
def _file(name: str) -> bytes:
    return files("appliance.web").joinpath("docs", name).read_bytes()
