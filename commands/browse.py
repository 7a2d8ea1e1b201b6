"""`browse`: a local genome browser page that computes any pair on demand."""

from __future__ import annotations

from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result

__all__ = ["browse"]


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
    from tfimpute_tracks.api.browsing import serve_browser

    serve_browser(
        print_result,
        fasta=fasta,
        region=region,
        assembly=assembly,
        genes=genes,
        cell_accessibility=cell_accessibility,
        cell_name=cell_name,
        model=model,
        evidence=evidence,
        host=host,
        port=port,
        token=token,
        threads=threads,
        cache_dir=cache_dir,
        cache_limit=None if no_cache else cache_limit,
    )
