"""The genome browser page: inputs, and one call that serves until it is interrupted."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from tfimpute_tracks.api.evidence_choice import (
    check_evidence,
    choose_evidence,
    report_evidence,
)
from tfimpute_tracks.api.inputs import (
    check_cache_limit,
    choose_cache,
    choose_genome,
    known_genes,
)
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.own_cell import add_cell
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    check_model,
    check_texts,
    check_whole,
    optional_path,
)
from tfimpute_tracks.errors import UsageError, check_packages
from tfimpute_tracks.evidence import evidence_for
from tfimpute_tracks.genome import Region, parse_locus
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.loading import load_modes

__all__ = ["serve_browser"]

_MIN_TOKEN = 8  # characters
_MAX_PORT = 65535


def serve_browser(
    announce: Callable[[str], None] = log,
    *,
    fasta: str | Path | None = None,
    region: str | None = None,
    assembly: str | None = None,
    genes: str | Path | None = None,
    cell_accessibility: str | Path | None = None,
    cell_name: str | None = None,
    model: str | Path = "default",
    evidence: str | Path = "auto",
    host: str = "127.0.0.1",
    port: int = 8765,
    token: str | None = None,
    threads: int | str = "max",
    cache_dir: str | Path | None = None,
    cache_limit: float | None = None,
) -> None:
    """Serve a genome browser page that computes any pair while you browse.

    It returns when it is interrupted, as by Ctrl-C.

    Parameters
    ----------
    announce : callable
        Receives the address of the page, once it is there.
    fasta : str or Path, optional
        None: the bundled example region.
    region : str, optional
        What is shown first: 1-based with both ends included, or a gene.
    assembly : str, optional
        Name of the assembly; by default recognized by its chromosomes.
    genes : str or Path, optional
        GTF, GFF3 or BED; by default those of the bundled example region, if that is
        shown.
    cell_accessibility, cell_name : optional
        Peaks of a cell type that the model does not know, and its name.
    model : str or Path
    evidence : str or Path
        `auto`, `none`, or a file.
    host : str
        Address to serve on; others than the local one require a token.
    port : int
        0 chooses a free one.
    token : str, optional
        Access token, 8 characters or more; by default none for a local address,
        otherwise random.
    threads : int or "max"
    cache_dir : str or Path, optional
    cache_limit : float, optional
        Size of the tile cache, in GB; None for no cache.

    Raises
    ------
    UsageError
        A value is invalid, the port is taken, or the extra `browse` is not installed.
    UnknownNameError, RegionError, InputFileError
        A name, region or file is wrong.
    """
    check_packages("the browser page", "cachetools", "starlette", "uvicorn")
    from tfimpute_tracks.views import browse as page

    fasta, cache_dir = (
        optional_path(fasta, "fasta"),
        optional_path(cache_dir, "cache_dir"),
    )
    peaks = optional_path(cell_accessibility, "cell_accessibility")
    genes = optional_path(genes, "genes")
    check_model(model)
    check_evidence(evidence)
    check_cache_limit(cache_limit)
    check_texts(region=region, assembly=assembly, cell_name=cell_name)
    check_texts(host=host, token=token)
    check_whole(port, "port", 0, _MAX_PORT)
    if token is not None and len(token) < _MIN_TOKEN:
        raise UsageError(f"--token is too short; use at least {_MIN_TOKEN} characters")
    if token is None and not page.is_loopback(host):
        token = secrets.token_urlsafe(16)
    # The port first: it is quick to check, and the rest takes seconds to load.
    with page.open_socket(host, port) as sock, limit_threads(threads) as n_threads:
        source = add_cell(model, peaks, cell_name, fasta, evidence, cache_dir)
        loaded = load_model(source)
        genome = choose_genome(fasta, loaded, cache_dir, assembly)
        sizes = genome.chrom_sizes
        loaded = choose_evidence(loaded, source, evidence, sizes, genome.name)
        report_evidence(loaded, [], [Region(c, 0, n) for c, n in sizes.items()])
        cache = None
        if cache_limit is not None:
            cache = choose_cache(cache_dir, cache_limit)
        scores = page.LiveScores(loaded, genome, n_threads, cache, assembly=assembly)
        known = known_genes(genes, fasta)
        locus = page.initial_region(genome)
        if region:
            locus = parse_locus(region, sizes, known, log)
        index = page.GeneIndex(known, genome) if known else None
        if index:
            index.at(locus)  # reports a broken file before the page opens
        store = loaded.evidence.store if loaded.evidence else evidence_for(sizes)
        measured = page.MeasuredTracks(store, load_modes(source))
        session = page.Session(scores, locus, index, measured)
        session.warm_up()
        announce(page.page_address(sock, token))
        log("open this address in a browser; Ctrl-C stops the server")
        page.serve(page.make_app(session, token, host), sock)
        session.background.stop()
    log("stopped")
