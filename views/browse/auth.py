"""Who may use the server: this machine, or whoever has the access token.

A page of another site must not reach a server on the loopback address, neither directly
nor through a host name that resolves to it (DNS rebinding). So cross-site requests are
refused, and the `Host` header must be a local name. On any other address every request
needs the token: once in the address of the page, afterwards in a cookie.
"""

from __future__ import annotations

import secrets
from ipaddress import ip_address

from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Auth", "is_loopback"]

_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_HEADERS = {
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def is_loopback(host: str) -> bool:
    """Return whether a name or an address means this machine only.

    Parameters
    ----------
    host : str

    Returns
    -------
    bool
    """
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Auth:
    """Passes allowed requests to an application and refuses the others.

    Parameters
    ----------
    app : ASGI application
    token : str, optional
        Access token that requests need. None: the `Host` header must be local instead.
    host : str
        Local address that is served, allowed next to the usual local names.
    """

    def __init__(
        self, app: ASGIApp, token: str | None, host: str = "127.0.0.1"
    ) -> None:
        self._token = token
        self._app = app if token else TrustedHostMiddleware(app, [*_LOCAL, host])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":  # no other kind is served
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._refusal(Request(scope)) or self._app
        await answer(scope, receive, send_secured)

    def _refusal(self, request: Request) -> Response | None:
        """Answer a request that may not pass; None for one that may."""
        path = request.scope["path"]
        # Browsers send this header; other programs do not, and need not.
        if request.headers.get("sec-fetch-site") == "cross-site" and path != "/":
            return PlainTextResponse("requests from other sites are refused", 403)
        if self._token is None:
            return None
        # All ports of a host share their cookies: the name holds the port.
        cookie = f"tfimpute-tracks-{(request.scope.get('server') or ('', 0))[1]}"
        if self._is_token(request.cookies.get(cookie, "")):
            return None
        if path == "/" and self._is_token(request.query_params.get("token", "")):
            page = RedirectResponse("/", 303)
            page.set_cookie(cookie, self._token, httponly=True, samesite="strict")
            return page
        return PlainTextResponse(
            "missing or wrong token: open the address that `browse` printed", 403
        )

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), (self._token or "").encode())
