"""The server's life: a socket that is ours before anything is said, and a quiet end."""

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

_SECONDS_TO_END = 3  # for answers in work when the server is stopped


def open_socket(host: str, port: int) -> socket.socket:
    """Take a port.

    Parameters
    ----------
    host : str
    port : int
        0 for any that is free.

    Returns
    -------
    socket

    Raises
    ------
    UsageError
        It is taken, not allowed, or the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    # So that a port is free again at once after its server ended.
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(128)
    except OSError as error:
        taken.close()
        remedy = f"is --host {host} an address of this machine?"
        if error.errno == errno.EADDRINUSE:
            remedy = "another program has that port: give --port N, or 0 for any"
        elif error.errno == errno.EACCES:
            remedy = "give a --port above 1023"
        reason = error.strerror or error
        raise UsageError(f"cannot serve on {host}:{port}: {reason}; {remedy}") from None
    return taken


def page_address(taken: socket.socket, token: str | None) -> str:
    """Give the address to open.

    Parameters
    ----------
    taken : socket
        From :func:`open_socket`.
    token : str, optional

    Returns
    -------
    str
    """
    host, port = taken.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:
        host = socket.gethostname()
    elif ":" in host:
        host = f"[{host}]"
    query = f"?{urlencode({'token': token})}" if token else ""
    return f"http://{host}:{port}/{query}"


def serve(app: ASGIApp, taken: socket.socket) -> None:
    """Answer until Ctrl-C or SIGTERM.

    Parameters
    ----------
    app : ASGI application
    taken : socket
        From :func:`open_socket`; closed at the end.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        # Whoever is not this machine's own proxy is not believed to be another.
        proxy_headers=False,
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )

    # uvicorn ends its answers on a signal, and then raises it once more.
    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        uvicorn.Server(config).run(sockets=[taken])
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
        taken.close()
