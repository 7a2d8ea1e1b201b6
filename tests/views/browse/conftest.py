"""A toy model over a toy genome, alone and behind a real server."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pytest
import uvicorn

from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.views.browse import (
    GeneIndex,
    LiveScores,
    Session,
    make_app,
    open_socket,
)
from toys import AROUND, make_model, write_gapped_genome

GENES = "chr1\t600\t1800\tDICER\t0\t+\nchr1\t3000\t3400\tTOR\t0\t-\n"


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """A model, and a genome with a gap and a second chromosome."""
    folder = tmp_path_factory.mktemp("toy")
    fasta, letters = write_gapped_genome(folder)
    (folder / "genes.bed").write_text(GENES)
    return make_model(folder, seed=5), fasta, letters


@pytest.fixture
def scores(toy):
    model, fasta, _ = toy
    with open_genome(fasta) as genome:
        yield LiveScores(model, genome, threads=2)


@pytest.fixture(scope="session")
def around(toy, tmp_path_factory):
    """A model of the same genome whose scores depend on what is around a tile."""
    return make_model(tmp_path_factory.mktemp("around"), seed=5, config=AROUND)


class Client:
    """Asks a server, and gives what it answers whatever the status."""

    def __init__(self, address):
        self.address = address

    def get(self, path, headers=None, method="GET", **values):
        query = urllib.parse.urlencode(values, doseq=True)
        url = f"{self.address}{path}{'?' + query if query else ''}"
        request = urllib.request.Request(url, headers=headers or {}, method=method)
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    def json(self, path, **values):
        status, _, body = self.get(path, **values)
        return status, json.loads(body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


@contextmanager
def _serving(session, token=None):
    """Serve from a thread; the server has ended when the block is left."""
    taken = open_socket("127.0.0.1", 0)
    config = uvicorn.Config(
        make_app(session, token), log_level="warning", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield Client(f"http://127.0.0.1:{taken.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join()
        session.background.stop()
        taken.close()


@pytest.fixture
def session(scores, toy):
    genes = GeneIndex(toy[1].parent / "genes.bed", scores.genome)
    return Session(scores, Region("chr1", 100, 1100), genes)


@pytest.fixture
def client(session):
    with _serving(session) as made:
        yield made


@pytest.fixture
def serving():
    """Give the context manager that serves a session, with or without a token."""
    return _serving
