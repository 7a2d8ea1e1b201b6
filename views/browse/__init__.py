"""The live browser: a local page on which any pair is computed as one looks.

Data flows from ``scores`` (what is computed and kept) over ``views``,
``downloads`` and ``letters`` (what is made of it) to ``app`` (addresses and answers),
behind ``gate`` (who may ask) and in ``server`` (socket and end); ``session`` holds what
a page may ask for. The page itself, plain modules of JavaScript around igv.js, is in
``page``.
"""

from __future__ import annotations

from tfimpute_tracks.views.browse.app import make_app
from tfimpute_tracks.views.browse.auth import is_loopback
from tfimpute_tracks.views.browse.genes import GeneIndex
from tfimpute_tracks.views.browse.scores import LiveScores
from tfimpute_tracks.views.browse.server import open_socket, page_address, serve
from tfimpute_tracks.views.browse.session import Session

__all__ = [
    "GeneIndex",
    "LiveScores",
    "Session",
    "is_loopback",
    "make_app",
    "open_socket",
    "page_address",
    "serve",
]
