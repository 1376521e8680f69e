"""Who calls: cookies, bearer tokens, and the refusal of requests that other sites started."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

import falcon.asgi
import msgspec

from appliance.errors import Forbidden, NotSignedIn, PixelQueueError
from appliance.store import Reading, Store, sessions, tokens
from appliance.web.permissions import Principal

__all__ = ["Credentials", "LastUse", "cookie_name", "credentials", "forget_cookie", "identify", "is_signed_in",
           "refuse_cross_site", "refuse_other_user", "set_cookie"]  # fmt: skip

_TOUCH_MS = 60_000
_EXPECTED = "X-PixelQueue-User"


class Credentials(msgspec.Struct, frozen=True):
    """What a request brings: the secret of a session or of a token, or neither."""

    session: str | None = None
    token: str | None = None


def cookie_name(secure: bool) -> str:
    """Return the cookie's name. ``__Host-`` binds it to this host and to TLS."""
    return "__Host-pixelqueue_session" if secure else "pixelqueue_session"


def credentials(request: falcon.asgi.Request) -> Credentials:
    """Read the credentials; a bearer token wins over a cookie."""
    authorization = request.get_header("Authorization") or ""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer" and token:
        return Credentials(token=token.strip())
    raw = request.get_header("Cookie")
    if not raw:
        return Credentials()
    try:
        morsel = SimpleCookie(raw).get(cookie_name(request.scheme in ("https", "wss")))
    except CookieError:
        return Credentials()
    return Credentials(session=morsel.value if morsel else None)


def identify(reading: Reading, store: Store, given: Credentials) -> Principal | None:
    """Look the credentials up; None when there are none or they are over."""
    if given.token:
        found = tokens.find(reading, given.token, store.clock.now_ms())
        return Principal(user=found[1], token_id=found[0].id, scopes=found[0].scopes) if found else None
    if not given.session:
        return None
    settings = store.settings
    session = sessions.find(
        reading,
        given.session,
        now_ms=store.clock.now_ms(),
        idle_s=settings.session_idle_s,
        max_s=settings.session_max_s,
    )
    return Principal(user=session.user, session_id=session.id) if session else None


def is_signed_in(store: Store, request: falcon.asgi.Request) -> bool:
    """Tell whether the request's credentials are good; only where nothing is given away by it."""
    given = credentials(request)
    try:
        return store.glance(lambda reading: identify(reading, store, given)) is not None
    except PixelQueueError:
        return False


class LastUse:
    """Write down that sessions and tokens are in use, at most once a minute each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted_ms: dict[tuple[str, int], int] = {}

    def note(self, principal: Principal) -> None:
        """Queue the note; nobody waits for it."""
        now_ms = self._store.clock.now_ms()
        session_id, token_id = principal.session_id, principal.token_id
        key = ("session", session_id) if session_id is not None else ("token", token_id or 0)
        if now_ms - self._noted_ms.get(key, 0) < _TOUCH_MS:
            return
        if len(self._noted_ms) > 10_000:
            self._noted_ms.clear()
        self._noted_ms[key] = now_ms
        if session_id is not None:
            self._store.writing(lambda tx: sessions.touch(tx, session_id))
        elif token_id is not None:
            self._store.writing(lambda tx: tokens.touch(tx, token_id))


def refuse_cross_site(request: falcon.asgi.Request, given: Credentials, *, strict: bool = False) -> None:
    """Refuse a request that a foreign page made the browser send.

    Browsers say in Sec-Fetch-Site or Origin who started a request. One that carries a token
    instead of a cookie was not made by a browser on somebody else's behalf. With neither
    header, only what carries no cookie passes (a first sign-in by a program).

    Args:
        request: The request.
        given: Its credentials.
        strict: Demand an Origin, as for WebSockets, which fetch metadata may not cover.

    Raises:
        Forbidden: It may come from another site.
    """
    if given.token:
        return
    origin = request.get_header("Origin")
    scheme = "https" if request.scheme in ("https", "wss") else "http"
    if origin is not None and origin.lower() != f"{scheme}://{request.netloc}".lower():
        raise Forbidden("this request comes from another site")
    site = request.get_header("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        raise Forbidden("this request comes from another site")
    if (strict and origin is None) or (given.session and origin is None and site is None):
        raise Forbidden("this request does not say where it comes from: send Origin, or use a token")


def refuse_other_user(request: falcon.asgi.Request, principal: Principal) -> None:
    """Refuse what a page still shows for one person once another has signed in in the same browser.

    All tabs share the cookie, so a page names the user it works for.

    Raises:
        NotSignedIn: The session is another user's.
    """
    expected = request.get_header(_EXPECTED)
    if expected is not None and expected != str(principal.user.id):
        raise NotSignedIn("somebody else is signed in on this device now: sign in again")


def set_cookie(response: falcon.asgi.Response, secret: str, *, secure: bool, max_age_s: int) -> None:
    """Hand the session to the browser."""
    response.set_cookie(
        cookie_name(secure), secret, max_age=max_age_s, secure=secure, http_only=True, same_site="Strict", path="/"
    )


def forget_cookie(response: falcon.asgi.Response, *, secure: bool) -> None:
    """Make the browser forget the session."""
    response.set_cookie(
        cookie_name(secure), "", max_age=0, secure=secure, http_only=True, same_site="Strict", path="/"
    )
