"""Pages that explain a problem's code: where the `type` of a problem document leads a person.

Made from the error tree, so that no code is without one.
"""

from __future__ import annotations

import re
from html import escape

import falcon
import falcon.asgi

from appliance import errors
from appliance.errors import PixelQueueError
from appliance.web import problems

__all__ = ["Explanations"]

_LINE = re.compile(r"^\W*([A-Z]\w+) {2,}(\S.*)$", re.MULTILINE)
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="dark light">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} · PixelQueue</title>
<main><h1>{title}</h1><p>{meaning}.</p>
<p>HTTP status {status}. {family} The answer itself says which file or field it is about, and what to do.</p>
<p><a href="/">To the projects</a>, <a href="/api/docs">to the API</a></p></main></html>
"""


class Explanations:
    """Answer ``/problems/{code}`` with a small page."""

    def __init__(self) -> None:
        words = dict(_LINE.findall(errors.__doc__ or ""))
        kinds = {kind.code: kind for kind in _tree(PixelQueueError)}
        self._pages = {code: _page(kind, words) for code, kind in kinds.items()}

    async def on_get(self, _request: falcon.asgi.Request, response: falcon.asgi.Response, code: str) -> None:
        """Answer with the page of a code.

        Raises:
            HTTPRouteNotFound: There is no such code.
        """
        if code not in self._pages:
            raise falcon.HTTPRouteNotFound
        response.content_type, response.text = "text/html; charset=utf-8", self._pages[code]
        response.set_header("Cache-Control", "no-cache")


def _tree(kind: type[PixelQueueError]) -> list[type[PixelQueueError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _tree(child))]


def _page(kind: type[PixelQueueError], words: dict[str, str]) -> str:
    families = [above for above in kind.__mro__[1:] if issubclass(above, PixelQueueError)]
    meaning = next(
        (words[one.__name__] for one in (kind, *families) if one.__name__ in words), "something went wrong"
    )
    above = families[0].code if families else kind.code
    family = f'It is a kind of <a href="/problems/{above}">{above}</a>.' if above not in ("error", kind.code) else ""
    return _PAGE.format(
        title=escape(kind.code.replace("-", " ").capitalize()),
        meaning=escape((meaning[:1].upper() + meaning[1:]).replace("`", "")),
        status=problems.status_of(kind.__new__(kind)),
        family=family,
    )
