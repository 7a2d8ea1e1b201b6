"""The pages and answers of the live browser, and nothing of the file system.

Every address is one of a short list; what a page is made of was read when the program
started. A wrong request is answered with a line that says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tfimpute_tracks.errors import TracksError, UsageError
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.variants.alleles import AlleleScorer, parse_variant
from tfimpute_tracks.views.browse.auth import Auth
from tfimpute_tracks.views.browse.downloads import export_window
from tfimpute_tracks.views.browse.page import PAGE_FILES, PageFile
from tfimpute_tracks.views.browse.session import MAX_PAIRS, Session
from tfimpute_tracks.views.browse.window import draw_peaks, draw_signal

__all__ = ["make_app"]

_MOST_BYTES = 1 << 24  # of letters in one answer


def make_app(session: Session, token: str | None) -> Auth:
    """Make the application.

    Parameters
    ----------
    session : Session
    token : str, optional
        What each request must bring; None where only this machine can ask.

    Returns
    -------
    Gate
        An ASGI application.
    """
    routes = _Routes(session)
    answers = {
        "about": routes.about,
        "pair": routes.pair,
        "signal": routes.signal,
        "known": routes.known,
        "peaks": routes.peaks,
        "variant": routes.variant,
        "download": routes.download,
        "computing": routes.computing,
        "genes": routes.genes,
        "find": routes.find,
    }
    app = Starlette(
        routes=[
            Route("/", _page(PAGE_FILES["index.html"])),
            *(Route(f"/page/{name}", _page(file)) for name, file in PAGE_FILES.items()),
            Route("/genome.fa", routes.letters),
            Route("/genome.fa.fai", routes.letters_index),
            *(Route(f"/api/{name}", _answer(what)) for name, what in answers.items()),
            Route("/api/compute", _answer(routes.compute), methods=["POST"]),
        ],
        exception_handlers={HTTPException: _not_there},
    )
    app.router.redirect_slashes = False
    return Auth(app, token)


class _Routes:
    """What each address answers; all but the letters are run on a thread."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def about(self, request: Request) -> Response:
        return JSONResponse(self._session.about())

    def pair(self, request: Request) -> Response:
        (pair,) = self._session.pairs(request.query_params.getlist("pair"), 1)
        return JSONResponse(self._session.describe(pair))

    def signal(self, request: Request) -> Response:
        asked, session = request.query_params, self._session
        (pair,) = session.pairs(asked.getlist("pair"), 1)
        drawn = draw_signal(
            session.scores,
            pair,
            session.signal(asked.get("signal", "probability")),
            session.region(asked),
            _number(asked.get("bp_per_pixel", "1"), "bp_per_pixel"),
            asked.get("how", "max"),
        )
        return Response(
            drawn.values.astype("<f4").tobytes(),
            media_type="application/octet-stream",
            headers={
                "x-start": str(drawn.start),
                "x-width": str(drawn.step),
            },
        )

    def known(self, request: Request) -> Response:
        asked, session = request.query_params, self._session
        (pair,) = session.pairs(asked.getlist("pair"), 1)
        signal = session.signal(asked.get("signal", "probability"))
        share = session.scores.computed_fraction(pair, signal, session.region(asked))
        return JSONResponse({"share": share})

    def peaks(self, request: Request) -> Response:
        asked, session = request.query_params, self._session
        (pair,) = session.pairs(asked.getlist("pair"), 1)
        found = draw_peaks(session.scores, pair, session.region(asked))
        columns = [column.tolist() for column in found.peaks]
        return JSONResponse(
            {
                "pair": str(pair),
                "threshold": found.threshold,
                "n_peaks": found.n_peaks,
                "columns": ["start", "end", "summit", "score"],
                "peaks": list(zip(*columns, strict=True)),
            }
        )

    def variant(self, request: Request) -> Response:
        asked, session = request.query_params, self._session
        pairs = session.pairs(asked.getlist("pair"), MAX_PAIRS)
        model, genome = session.scores.model, session.scores.genome
        variant = parse_variant(asked.get("variant", ""), genome)
        scores = AlleleScorer(model, pairs).score(genome, variant)
        best = [_listed(sigmoid(side)) for side in scores.best()]
        ref, alt = (sigmoid(side).T for side in (scores.ref, scores.alt))
        return JSONResponse(
            {
                "variant": str(variant),
                "chrom": variant.chrom,
                "start": variant.start,
                "ref": variant.ref,
                "alt": variant.alt,
                # Tracks are of the alleles that the measured cells had.
                "basis": "sequence alone" if model.evidence else model.basis,
                "ref_centers": scores.ref_centers.tolist(),
                "alt_centers": scores.alt_centers.tolist(),
                "pairs": [
                    {
                        **session.describe(pair),
                        "ref_best": best[0][i],
                        "alt_best": best[1][i],
                        "ref": _listed(ref[i]),
                        "alt": _listed(alt[i]),
                    }
                    for i, pair in enumerate(pairs)
                ],
            }
        )

    def download(self, request: Request) -> Response:
        asked, session = request.query_params, self._session
        pairs = session.pairs(asked.getlist("pair"), MAX_PAIRS)
        region = session.region(asked)
        name, content = export_window(
            session.scores, pairs, region, asked.get("format", "")
        )
        return Response(
            content,
            media_type="application/octet-stream",
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    def compute(self, request: Request) -> Response:
        asked, session = request.query_params, self._session
        pairs = session.pairs(asked.getlist("pair"), MAX_PAIRS)
        signal = session.signal(asked.get("signal", "probability"))
        session.background.start(pairs, signal, session.region(asked))
        return JSONResponse(session.background.state())

    def computing(self, request: Request) -> Response:
        return JSONResponse(self._session.background.state())

    def genes(self, request: Request) -> Response:
        region = self._session.region(request.query_params)
        genes = self._session.genes.at(region) if self._session.genes else []
        return JSONResponse([gene._asdict() for gene in genes])

    def find(self, request: Request) -> Response:
        name = request.query_params.get("name", "")
        found = self._session.genes.find(name) if self._session.genes else None
        return JSONResponse(found and found._asdict())

    async def letters(self, request: Request) -> Response:
        file = self._session.letters
        first, last = _byte_range(request.headers.get("range", ""), file.size)
        content = await run_in_threadpool(file.read, first, last)
        return Response(
            content,
            206,
            media_type="application/octet-stream",
            headers={"content-range": f"bytes {first}-{last - 1}/{file.size}"},
        )

    async def letters_index(self, request: Request) -> Response:
        return Response(self._session.letters.index, media_type="text/plain")


def _answer(what: Callable[[Request], Response]) -> Callable[[Request], Any]:
    """Run an answer on a thread, and put its errors into one line."""

    async def answer(request: Request) -> Response:
        try:
            return await run_in_threadpool(what, request)
        except TracksError as error:
            status = 400 if isinstance(error, UsageError) else 500
            return JSONResponse({"error": " ".join(str(error).split())}, status)

    return answer


def _page(file: PageFile) -> Callable[[Request], Any]:
    async def page(request: Request) -> Response:
        return Response(
            file.content, media_type=file.kind, headers={"cache-control": "no-cache"}
        )

    return page


async def _not_there(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    told = error.detail if isinstance(error, HTTPException) else "failed"
    return JSONResponse({"error": told}, status)


def _number(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e9:
        raise UsageError(f"{what}={text[:20]!r}; give a positive number")
    return number


def _byte_range(header: str, size: int) -> tuple[int, int]:
    """Read `bytes=first-last`; the whole is never sent."""
    unit, _, asked = header.partition("=")
    first, _, last = asked.partition("-")
    if unit == "bytes" and first.isdigit() and (last.isdigit() or not last):
        begin = int(first)
        end = min(int(last) + 1 if last else size, size)
        if begin < end and end - begin <= _MOST_BYTES:
            return begin, end
    raise HTTPException(416, f"give a range of at most {_MOST_BYTES} of {size} bytes")


def _listed(values: np.ndarray[Any, Any]) -> list[float | None]:
    """Give numbers as JSON has them: missing ones are null."""
    return [None if np.isnan(value) else round(float(value), 5) for value in values]
