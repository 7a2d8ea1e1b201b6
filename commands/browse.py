"""`browse`: a local web page where any pair is computed as one looks."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Region, Sequences

__all__ = ["browse"]

_VIEW, _STEP = 100_000, 1_000_000  # bp


def browse(
    fasta: options.Fasta = None,
    region: Annotated[
        str | None,
        typer.Option("-r", "--region", help="Region to open: chr:start-end."),
    ] = None,
    genes: options.Genes = None,
    model: options.ModelName = "default",
    evidence: options.Evidence = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address to serve on. Any but the local one requires a token."
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
    cache_limit: options.CacheLimit = 20.0,
    no_cache: options.NoCache = False,
) -> None:
    """Serve a genome browser page that computes any pair while you browse."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.commands.evidence_report import report_evidence

    try:
        from tfimpute_tracks.views import browse as live
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the live page needs {error.name}: pip install 'tfimpute-tracks[browse]'"
        ) from error
    from tfimpute_tracks.genome import bundled_genes, parse_region
    from tfimpute_tracks.models import load_model

    if token is not None and len(token) < 8:
        raise UsageError("--token is shorter than 8 letters; give a longer one")
    if token is None and not live.is_loopback(host):
        token = secrets.token_urlsafe(16)
    # The port first: what else may fail takes longer to be known.
    with live.open_socket(host, port) as taken:
        loaded = load_model(model, evidence)
        genome = inputs.choose_genome(fasta, loaded, cache_dir)
        report_evidence(loaded, genome, [], [])
        n_threads = inputs.set_threads(threads)
        cache = None if no_cache else inputs.choose_cache(cache_dir, cache_limit)
        scores = live.LiveScores(loaded, genome, n_threads, cache)
        sizes = genome.chrom_sizes
        place = parse_region(region, sizes) if region else _first_view(genome, fasta)
        if genes is None and fasta is None:
            genes = bundled_genes()
        shelf = live.GeneIndex(genes, genome) if genes else None
        if shelf:
            shelf.at(place)  # a broken file is told now
        session = live.Session(scores, place, shelf)
        session.warm_up()
        print_result(live.page_address(taken, token))
        log("open this address in a browser; Ctrl-C ends the server")
        live.serve(live.make_app(session, token), taken)
        session.background.stop()
    log("stopped")


def _first_view(genome: Sequences, fasta: Path | None) -> Region:
    """Choose a place to open: CEBPB's, or the first of a FASTA with known sequence."""
    from tfimpute_tracks.genome import Region
    from tfimpute_tracks.kernels.encode import N_CODE

    if fasta is None:
        return Region("chr20", 48_780_000, 48_840_000)
    for chrom, size in genome.chrom_sizes.items():
        for start in range(0, max(size - _VIEW, 1), _STEP):
            end = min(start + _VIEW, size)
            if (genome.codes(chrom, start, end) != N_CODE).mean() > 0.9:
                return Region(chrom, start, end)
    chrom, size = next(iter(genome.chrom_sizes.items()))
    return Region(chrom, 0, min(_VIEW, size))
