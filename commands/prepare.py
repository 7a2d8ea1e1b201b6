"""`prepare`: a data set for training, from peaks, candidate sites and a FASTA."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tfimpute_tracks.commands import downloads, options
from tfimpute_tracks.commands.console import log, print_result, show_json, show_table
from tfimpute_tracks.errors import UsageError, counted

if TYPE_CHECKING:
    from tfimpute_tracks.downloads import Download, DownloadedTrack

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
    from tfimpute_tracks.dataset import BuildConfig, build_dataset

    config = BuildConfig(
        seq_len=seq_len,
        negatives=negatives,
        top=top,
        alternate=alternate,
        allow_unranked=allow_unranked,
        seed=seed,
        min_known=min_known,
    )
    downloads.one_input(
        pairs_table,
        from_,
        {
            "--signal-threshold": signal_threshold,
            "--keep-peaks": keep_peaks,
            "--dry-run": dry_run,
            "--assembly": assembly,
        },
    )
    dest = downloads.check_output(out, overwrite, keep_peaks, dry_run)
    if dest is not None:
        config.check_candidates(candidate_sites is not None)
    began = time.perf_counter()
    left_out: Mapping[str, int] = {}
    with ExitStack() as stack:
        if from_:
            found = _find_tracks(from_, fasta, assembly, model)
            if dest is None:
                keep = None if dry_run else keep_peaks
                downloads.show_download(found, as_json, keep, signal_threshold)
                return
            tracks, left_out = _of_tfs(found), found.left_out
            _, pairs_table = stack.enter_context(
                downloads.track_files(tracks, signal_threshold, keep_peaks)
            )
        dest = Path(str(dest))
        report = build_dataset(
            *(fasta, str(pairs_table), candidate_sites, dest),
            *(config, blacklist, log),
        )
    summary = asdict(report) | {
        **({"left_out_of_download": dict(left_out)} if left_out else {}),
        "seconds": round(time.perf_counter() - began, 1),
        "peak_memory_gb": _peak_memory_gb(),
        "file_mb": round(dest.stat().st_size / 1e6, 1),
        "file": str(dest),
    }
    if as_json:
        show_json(summary)
        return
    show_table("Data set", ["what", "value"], _rows(summary))
    print_result(str(dest))


def _find_tracks(
    paths: list[Path], fasta: Path, assembly: str | None, model: str
) -> Download:
    """Recognize downloads, and name their tracks as a model does."""
    from tfimpute_tracks.genome import name_assembly, open_genome
    from tfimpute_tracks.models import load_model

    loaded = load_model(model)
    with open_genome(fasta, log=log) as genome:
        build = name_assembly(
            assembly, dict(genome.chrom_sizes), loaded.checkpoint.genome
        )
    return downloads.find_tracks(paths, loaded.vocabulary, build)


def _of_tfs(found: Download) -> tuple[DownloadedTrack, ...]:
    """Leave out accessibility: a data set has labels of TFs only."""
    from tfimpute_tracks.evidence import ACCESSIBILITY

    tracks = [track for track in found.tracks if track.pair.tf != ACCESSIBILITY]
    n_open = len(found.tracks) - len(tracks)
    if not tracks:
        raise UsageError("--from: has accessibility only; add peaks of TFs to train on")
    if n_open:
        log(
            f"left out: {counted(n_open, 'track')} of accessibility; use "
            "`tfimpute-tracks evidence build` for them"
        )
    return tuple(tracks)


def _peak_memory_gb() -> float:
    # Linux counts in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * 1024 / 1e9, 2)


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
