"""The genome browser page: a local web server that computes any pair on demand.

``scores`` computes and caches scores; ``window``, ``downloads`` and ``virtual_fasta``
turn them and the genome into what the page and igv.js request, and ``measured`` what was
measured; ``locus`` reads positions; ``background`` computes wide windows; ``session``
checks requests; ``app`` maps addresses to answers, behind ``auth``; ``server`` opens the socket.
The page itself, JavaScript modules around igv.js, is in ``page``.
"""

from __future__ import annotations

from tfimpute_tracks.views.browse.app import make_app
from tfimpute_tracks.views.browse.auth import is_loopback
from tfimpute_tracks.views.browse.genes import GeneIndex
from tfimpute_tracks.views.browse.locus import initial_region
from tfimpute_tracks.views.browse.measured import MeasuredTracks
from tfimpute_tracks.views.browse.scores import LiveScores
from tfimpute_tracks.views.browse.server import open_socket, page_address, serve
from tfimpute_tracks.views.browse.session import Session

__all__ = [
    "GeneIndex",
    "LiveScores",
    "MeasuredTracks",
    "Session",
    "initial_region",
    "is_loopback",
    "make_app",
    "open_socket",
    "page_address",
    "serve",
]
