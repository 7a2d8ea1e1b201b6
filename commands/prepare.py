"""`prepare`: a data set for training, from peaks, candidate sites and a FASTA."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tfimpute_tracks.commands import downloads, options
from tfimpute_tracks.commands.console import print_result, progress_bar, show_json
from tfimpute_tracks.commands.tables import show_table
from tfimpute_tracks.errors import counted

__all__ = ["prepare"]

_Negatives = Literal["dhs", "shuffle", "matched"]


def prepare(
    fasta: Annotated[
        Path,
        typer.Option("-g", "--fasta", help="FASTA (plain, bgzip, gzip) or .2bit file."),
    ],
    pairs_table: Annotated[
        Path | None,
        typer.Option(
            help="Tab-separated table: tf, cell, role (base, valid2, test3, test2), "
            "bed (peak file, relative to the table)."
        ),
    ] = None,
    from_: downloads.From = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Data set to write, HDF5.")
    ] = None,
    candidate_sites: Annotated[
        Path | None,
        typer.Option(
            help="BED of the sites to label, such as DNase hypersensitive sites."
        ),
    ] = None,
    seq_len: Annotated[
        int,
        typer.Option(
            help="Length of each sequence in bp: tile and context of the network."
        ),
    ] = 1000,
    blacklist: Annotated[
        Path | None,
        typer.Option(
            help="BED of excluded regions; sites that overlap them are dropped."
        ),
    ] = None,
    min_known: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Minimum fraction of A, C, G and T in the sequence of a site; 1 "
            "excludes sites with any N. Sites with N in more than half of "
            "their middle are always excluded.",
        ),
    ] = 0.0,
    negatives: Annotated[
        _Negatives,
        typer.Option(
            help="dhs: candidate sites without a peak nearby. shuffle: positives "
            "with their dinucleotides shuffled. matched: windows with the same "
            "GC content and fraction of repeats (lower case)."
        ),
    ] = "dhs",
    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Positives are windows around the summits of this many strongest peaks "
            "of each pair (the paper: 5000). Default: candidate sites under peaks.",
        ),
    ] = None,
    alternate: Annotated[
        bool,
        typer.Option(
            "--alternate",
            help="Use odd-numbered peaks of --top for training and even-numbered "
            "ones for testing.",
        ),
    ] = False,
    allow_unranked: Annotated[
        bool,
        typer.Option(
            "--allow-unranked",
            help="With --top: use all peaks of a file without signals or summits.",
        ),
    ] = False,
    seed: options.Seed = 0,
    assembly: options.Assembly = None,
    model: Annotated[
        str,
        typer.Option(
            "-m",
            "--model",
            help="With --from: model whose names of TFs and cell lines are used.",
        ),
    ] = "default",
    signal_threshold: downloads.SignalThreshold = None,
    keep_peaks: downloads.KeepPeaks = None,
    dry_run: downloads.DryRun = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the data set if it exists.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Make a data set of labeled sites for every TF and cell line of a table."""
    from tfimpute_tracks.api.preparing import prepare_data

    done = prepare_data(
        fasta,
        out,
        pairs_table=pairs_table,
        downloads=from_,
        candidate_sites=candidate_sites,
        seq_len=seq_len,
        blacklist=blacklist,
        min_known=min_known,
        negatives=negatives,
        top=top,
        alternate=alternate,
        allow_unranked=allow_unranked,
        seed=seed,
        assembly=assembly,
        model=model,
        signal_threshold=signal_threshold,
        keep_peaks=keep_peaks,
        dry_run=dry_run,
        overwrite=overwrite,
        progress=progress_bar,
    )
    if not isinstance(done, dict):
        downloads.show_download(done, as_json)
        return
    if as_json:
        show_json(done)
        return
    show_table("Data set", ["what", "value"], _rows(done))
    print_result(str(out))


def _rows(summary: dict[str, Any]) -> list[list[Any]]:
    named = {name: value for name, value in summary.items() if name != "file"}
    dropped, details = named.pop("dropped"), named.pop("details")
    left_out = named.pop("left_out_of_download", {})
    rows = [[name.removeprefix("n_"), value] for name, value in named.items()]
    rows += [[f"left out: {reason}", number] for reason, number in left_out.items()]
    rows += [[f"dropped: {reason}", number] for reason, number in dropped.items()]
    for name, value in details.items():
        # Values per pair are in the log, with --json and in the file.
        text = counted(len(value), "pair") if isinstance(value, dict) else value
        rows.append([name, text])
    return [[name.replace("_", " "), value] for name, value in rows]
