"""Who may ask: the machine itself, or whoever holds the token.

On the loopback address a page of another site could still reach the server, by its
address or through a name that points there. So the name in the request must be a local
one, and what another site's page asks for is refused, but for the page itself. On any
other address each request needs the token: once in the address, from then on in a
cookie.
"""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Auth", "is_loopback"]

_HEADERS = {
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def is_loopback(host: str) -> bool:
    """Tell whether a name or address means this machine and no other.

    Parameters
    ----------
    host : str

    Returns
    -------
    bool
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Auth:
    """Lets requests through to an application, or answers them itself.

    Parameters
    ----------
    app : ASGI application
    token : str, optional
        What a request must bring; None: requests by a local name need none.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":  # no other kind is served
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        # Browsers tell; programs that are none do not, and need not.
        if headers.get("sec-fetch-site") == "cross-site" and scope["path"] != "/":
            refusal = "another site's page may not ask this server"
            await PlainTextResponse(refusal, 403)(scope, receive, guarded)
            return
        if self._token is None:
            if is_loopback(_host_name(headers.get("host", ""))):
                await self._app(scope, receive, guarded)
                return
            refusal = "this server answers to its local name only"
            await PlainTextResponse(refusal, 403)(scope, receive, guarded)
            return
        # A cookie is the same for all ports of a host; its name tells them apart.
        port = (scope.get("server") or ("", 0))[1]
        name = f"tfimpute-tracks-{port}"
        if self._is_token(_cookie(headers.get("cookie", ""), name)):
            await self._app(scope, receive, guarded)
            return
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["path"] == "/" and self._is_token(query.get("token", [""])[0]):
            welcome = RedirectResponse("/", 303)
            welcome.set_cookie(name, self._token, httponly=True, samesite="strict")
            await welcome(scope, receive, guarded)
            return
        refusal = "wrong or missing token: open the address that `browse` printed"
        await PlainTextResponse(refusal, 403)(scope, receive, guarded)

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), (self._token or "").encode())


def _host_name(host: str) -> str:
    """Give a `Host` header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
