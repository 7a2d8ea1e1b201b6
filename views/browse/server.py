"""The server: open its socket, serve, and stop without noise."""

from __future__ import annotations

import errno
import signal
import socket
from types import FrameType
from urllib.parse import urlencode

import uvicorn
from starlette.types import ASGIApp

from tfimpute_tracks.errors import UsageError

__all__ = ["open_socket", "page_address", "serve"]

_SECONDS_TO_END = 3  # to finish requests when the server is stopped


def open_socket(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Parameters
    ----------
    host : str
    port : int
        0 chooses a free one.

    Returns
    -------
    socket

    Raises
    ------
    UsageError
        The port is in use or not allowed, or the host is not an address of this
        machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    # A port is free again as soon as its server has ended.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        remedy = f"is --host {host} an address of this machine?"
        if error.errno == errno.EADDRINUSE:
            remedy = "another program uses that port: use another --port, or 0"
        elif error.errno == errno.EACCES:
            remedy = "use a --port above 1023"
        reason = error.strerror or error
        raise UsageError(f"cannot serve on {host}:{port}: {reason}; {remedy}") from None
    return sock


def page_address(sock: socket.socket, token: str | None) -> str:
    """Make the URL of the page.

    Parameters
    ----------
    sock : socket
        From :func:`open_socket`.
    token : str, optional

    Returns
    -------
    str
    """
    host, port = sock.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:
        host = socket.gethostname()
    elif ":" in host:
        host = f"[{host}]"
    query = f"?{urlencode({'token': token})}" if token else ""
    return f"http://{host}:{port}/{query}"


def serve(app: ASGIApp, sock: socket.socket) -> None:
    """Answer requests until Ctrl-C or SIGTERM.

    Parameters
    ----------
    app : ASGI application
    sock : socket
        From :func:`open_socket`; closed at the end.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        # Headers that claim another origin of a request are not trusted.
        proxy_headers=False,
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )

    # uvicorn finishes its requests on a signal and then raises the signal again.
    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        uvicorn.Server(config).run(sockets=[sock])
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
        sock.close()
