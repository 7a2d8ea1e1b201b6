"""The web application: the page, its API, and the genome sequence.

Every address is one of a fixed list and the files of the page are read when the program
starts, so no request reaches the file system. A wrong request is answered with one line
that says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tfimpute_tracks.errors import TracksError, UsageError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.views.browse.auth import Auth
from tfimpute_tracks.views.browse.downloads import export_window
from tfimpute_tracks.views.browse.page import PAGE_FILES, PageFile
from tfimpute_tracks.views.browse.session import MAX_PAIRS, Session
from tfimpute_tracks.views.browse.window import window_peaks, window_signal
from tfimpute_tracks.vocabulary import Pair

__all__ = ["make_app"]

_MAX_BYTES = 1 << 24  # of sequence in one answer
_MAX_VALUE = 300  # characters of a value in a request
_BINARY = "application/octet-stream"
_RANGE = re.compile(r"bytes=([0-9]{1,15})-([0-9]{0,15})")


def make_app(session: Session, token: str | None, host: str = "127.0.0.1") -> Auth:
    """Make the application.

    Parameters
    ----------
    session : Session
    token : str, optional
        Access token of requests; None if only this machine can reach the server.
    host : str
        Address that is served.

    Returns
    -------
    Auth
        An ASGI application.
    """
    api = _Api(session)
    calls = (
        *(api.about, api.pair, api.signal, api.computed, api.peaks, api.variant),
        *(
            api.measured,
            api.rank,
            api.changes,
            api.download,
            api.progress,
            api.genes,
            api.locate,
        ),
    )
    app = Starlette(
        routes=[
            Route("/", _page(PAGE_FILES["index.html"])),
            *(Route(f"/page/{name}", _page(file)) for name, file in PAGE_FILES.items()),
            Route("/genome.fa", api.sequence),
            Route("/genome.fa.fai", api.sequence_index),
            *(Route(f"/api/{call.__name__}", _answer(call)) for call in calls),
            Route("/api/compute", _answer(api.compute), methods=["POST"]),
        ],
        exception_handlers={HTTPException: _http_error, Exception: _http_error},
    )
    app.router.redirect_slashes = False
    return Auth(app, token, host)


class _Api:
    """The answer of each address; all but the sequence run on a thread."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _pairs(self, query: QueryParams) -> list[Pair]:
        return self._session.pairs(query.getlist("pair"), MAX_PAIRS)

    def _track(self, query: QueryParams) -> tuple[Pair, str, Region]:
        """Read the pair, the signal and the region of a request."""
        session = self._session
        (pair,) = session.pairs(query.getlist("pair"), 1)
        signal = session.signal(query.get("signal", "probability"))
        return pair, signal, session.region(query)

    def about(self, query: QueryParams) -> Response:
        return JSONResponse(self._session.about())

    def pair(self, query: QueryParams) -> Response:
        (pair,) = self._session.pairs(query.getlist("pair"), 1)
        return JSONResponse(self._session.describe(pair))

    def signal(self, query: QueryParams) -> Response:
        signal = window_signal(
            self._session.scores,
            *self._track(query),
            _positive(query.get("bp_per_pixel", "1"), "bp_per_pixel"),
            query.get("summary", "max"),
        )
        headers = {"x-start": str(signal.start), "x-step": str(signal.step)}
        content = signal.values.astype("<f4").tobytes()
        return Response(content, media_type=_BINARY, headers=headers)

    def computed(self, query: QueryParams) -> Response:
        fraction = self._session.scores.computed_fraction(*self._track(query))
        return JSONResponse({"fraction": fraction})

    def peaks(self, query: QueryParams) -> Response:
        pair, _, region = self._track(query)
        found = window_peaks(self._session.scores, pair, region)
        columns = [column.tolist() for column in found.peaks]
        return JSONResponse(
            {
                "pair": str(pair),
                "threshold": found.threshold,
                "n_peaks": found.n_peaks,
                "is_known": found.is_known,
                "columns": ["start", "end", "summit", "score"],
                "peaks": list(zip(*columns, strict=True)),
            }
        )

    def variant(self, query: QueryParams) -> Response:
        text = query.get("variant", "")
        return JSONResponse(self._session.variant(text, self._pairs(query)))

    def download(self, query: QueryParams) -> Response:
        pairs, region = self._pairs(query), self._session.region(query)
        name, content = export_window(
            self._session.scores, pairs, region, query.get("format", "")
        )
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=_BINARY, headers=headers)

    def compute(self, query: QueryParams) -> Response:
        session, pairs = self._session, self._pairs(query)
        signal = session.signal(query.get("signal", "probability"))
        session.background.start(pairs, signal, session.region(query))
        return JSONResponse(session.background.state())

    def progress(self, query: QueryParams) -> Response:
        return JSONResponse(self._session.background.state())

    def genes(self, query: QueryParams) -> Response:
        region = self._session.region(query)
        genes = self._session.genes.at(region) if self._session.genes else []
        return JSONResponse([gene._asdict() for gene in genes])

    def locate(self, query: QueryParams) -> Response:
        region = self._session.locate(query.get("text", ""))
        return JSONResponse(region._asdict())

    def rank(self, query: QueryParams) -> Response:
        return JSONResponse(self._session.rank(query))

    def changes(self, query: QueryParams) -> Response:
        return JSONResponse(self._session.changes(query))

    def measured(self, query: QueryParams) -> Response:
        pair, _, region = self._track(query)
        found = self._session.measured.peaks(pair, region)
        peaks = (
            zip(found.start.tolist(), found.end.tolist(), strict=True) if found else ()
        )
        has_data = found is not None and found.has_data
        return JSONResponse(
            {"pair": str(pair), "has_data": has_data, "peaks": list(peaks)}
        )

    async def sequence(self, request: Request) -> Response:
        file = self._session.fasta
        first, last = _byte_range(request.headers.get("range", ""), file.size)
        content = await run_in_threadpool(file.read, first, last)
        headers = {"content-range": f"bytes {first}-{last - 1}/{file.size}"}
        return Response(content, 206, media_type=_BINARY, headers=headers)

    async def sequence_index(self, request: Request) -> Response:
        return Response(self._session.fasta.index, media_type="text/plain")


def _answer(call: Callable[[QueryParams], Response]) -> Callable[[Request], Any]:
    """Run a call on a thread, and report its errors in one line."""

    async def answer(request: Request) -> Response:
        try:
            _check_lengths(request.query_params)
            return await run_in_threadpool(call, request.query_params)
        except TracksError as error:
            status = 400 if isinstance(error, UsageError) else 500
            return JSONResponse({"error": " ".join(str(error).split())}, status)

    return answer


def _page(file: PageFile) -> Callable[[Request], Any]:
    async def page(request: Request) -> Response:
        headers = {"cache-control": "no-cache"}
        return Response(file.content, media_type=file.kind, headers=headers)

    return page


async def _http_error(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code)
    return JSONResponse({"error": "failed"}, 500)


def _check_lengths(query: QueryParams) -> None:
    for name, value in query.multi_items():
        if len(value) > _MAX_VALUE:
            raise UsageError(
                f"{name[:20]}={value[:20]}... has {len(value):,} characters; use at most "
                f"{_MAX_VALUE}"
            )


def _positive(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e9:
        raise UsageError(f"{name}={text[:20]!r}; use a positive number")
    return number


def _byte_range(header: str, size: int) -> tuple[int, int]:
    """Read `bytes=first-last`; the whole genome is never sent at once."""
    found = _RANGE.fullmatch(header)
    if found:
        first, last = found.groups()
        begin = int(first)
        end = min(int(last) + 1 if last else size, size)
        if begin < end and end - begin <= _MAX_BYTES:
            return begin, end
    raise HTTPException(416, f"request a range of at most {_MAX_BYTES} of {size} bytes")
