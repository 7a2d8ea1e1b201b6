"""The live browser: a local page on which any pair is computed as one looks.

Data flows from ``scores`` (what is computed and kept) over ``views``,
``downloads`` and ``letters`` (what is made of it) to ``app`` (addresses and answers),
behind ``gate`` (who may ask) and in ``server`` (socket and end); ``session`` holds what
a page may ask for. The page itself, plain modules of JavaScript around igv.js, is in
``page``.
"""

from __future__ import annotations

from tfimpute_tracks.browse.app import make_app
from tfimpute_tracks.browse.gate import is_loopback
from tfimpute_tracks.browse.genes import GeneShelf
from tfimpute_tracks.browse.scores import LiveScores
from tfimpute_tracks.browse.server import open_socket, page_address, serve
from tfimpute_tracks.browse.session import Session

__all__ = [
    "GeneShelf",
    "LiveScores",
    "Session",
    "is_loopback",
    "make_app",
    "open_socket",
    "page_address",
    "serve",
]
