"""`browse`: a local genome browser page that computes any pair on demand."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result
from tfimpute_tracks.errors import UsageError

__all__ = ["browse"]

_MIN_TOKEN = 8  # characters


def browse(
    fasta: options.Fasta = None,
    region: Annotated[
        str | None,
        typer.Option(
            "-r", "--region", help="Region to open: chr:start-end, or a gene."
        ),
    ] = None,
    assembly: options.Assembly = None,
    genes: options.Genes = None,
    cell_accessibility: options.CellAccessibility = None,
    cell_name: options.CellName = None,
    model: options.ModelName = "default",
    evidence: options.Evidence = "auto",
    host: Annotated[
        str,
        typer.Option(
            help="Address to serve on. Addresses other than the local one require a "
            "token."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; 0 chooses a free one.")
    ] = 8765,
    token: Annotated[
        str | None,
        typer.Option(
            help="Access token. Default: none for a local address, else random."
        ),
    ] = None,
    threads: options.Threads = "max",
    cache_dir: options.CacheDir = None,
    cache_limit: options.CacheLimit = 5.0,
    no_cache: options.NoCache = False,
) -> None:
    """Serve a genome browser page that computes any pair while you browse."""
    from tfimpute_tracks.api import inputs
    from tfimpute_tracks.api.evidence_choice import (
        choose_evidence,
        report_evidence,
    )
    from tfimpute_tracks.api.own_cell import add_cell
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.evidence import evidence_for
    from tfimpute_tracks.genome import Region, parse_locus
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.models.loading import load_modes
    from tfimpute_tracks.views import browse as page

    if token is not None and len(token) < _MIN_TOKEN:
        raise UsageError(f"--token is too short; use at least {_MIN_TOKEN} characters")
    if token is None and not page.is_loopback(host):
        token = secrets.token_urlsafe(16)
    # The port first: it is quick to check, and the rest takes seconds to load.
    with page.open_socket(host, port) as sock:
        model = str(
            add_cell(model, cell_accessibility, cell_name, fasta, evidence, cache_dir)
        )
        loaded = load_model(model)
        genome = inputs.choose_genome(fasta, loaded, cache_dir, assembly)
        sizes = genome.chrom_sizes
        loaded = choose_evidence(loaded, model, evidence, sizes, genome.name)
        report_evidence(loaded, [], [Region(c, 0, n) for c, n in sizes.items()])
        n_threads = set_threads(threads)
        cache = None if no_cache else inputs.choose_cache(cache_dir, cache_limit)
        scores = page.LiveScores(loaded, genome, n_threads, cache, assembly=assembly)
        genes = inputs.known_genes(genes, fasta)
        locus = page.initial_region(genome)
        if region:
            locus = parse_locus(region, sizes, genes, log)
        index = page.GeneIndex(genes, genome) if genes else None
        if index:
            index.at(locus)  # reports a broken file before the page opens
        store = loaded.evidence.store if loaded.evidence else evidence_for(sizes)
        measured = page.MeasuredTracks(store, load_modes(model))
        session = page.Session(scores, locus, index, measured)
        session.warm_up()
        print_result(page.page_address(sock, token))
        log("open this address in a browser; Ctrl-C stops the server")
        page.serve(page.make_app(session, token, host), sock)
        session.background.stop()
    log("stopped")
