"""`motifs`: what the filters of a model look for, and whose motifs they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, progress_bar, show_json
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from tfimpute_tracks.interpret.filters import FilterMotif
    from tfimpute_tracks.interpret.motif_match import Match
    from tfimpute_tracks.models.model import Model

__all__ = ["motifs"]

_LOGOS = 80


def motifs(
    model: options.ModelName = "default",
    fasta: options.Fasta = None,
    regions: options.Regions = None,
    chroms: options.Chroms = None,
    top: Annotated[
        int, typer.Option(min=1, help="Filters listed of each TF and each cell line.")
    ] = 5,
    out_dir: options.OutDir = Path("motifs-out"),
    threads: options.Threads = "max",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Turn filters into motifs, match them with JASPAR, tell whom they speak for."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.interpret.contributions import filter_contributions
    from tfimpute_tracks.interpret.filter_table import (
        drives_table,
        filters_table,
        groups,
        own_motifs,
    )
    from tfimpute_tracks.interpret.filters import find_motifs, is_telling
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir

    try:
        from tfimpute_tracks.interpret.jaspar import RELEASE, load_matrices
        from tfimpute_tracks.interpret.motif_match import MAX_E_VALUE, match_motifs

        matrices = load_matrices()
    except ImportError as error:
        raise UsageError(
            f"known motifs need {error.name}: pip install 'tfimpute-tracks[motifs]'"
        ) from error
    loaded = load_model(model)
    n_threads = inputs.set_threads(threads)
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    where = inputs.choose_regions(genome, fasta, regions or [], chroms or [])
    check_writable_dir(out_dir)
    n_bp = sum(region.end - region.start for region in where)
    log(f"{loaded.config.n_filters} filters of {loaded.name} over {n_bp:,} bp")
    with progress_bar("motifs", 2 * n_bp, "bp") as advance:
        found = find_motifs(loaded, genome, where, lambda n: advance(n, ""))
    matches = match_motifs(found, matrices, n_threads)
    log("what filters add for each TF and cell line")
    drives = filter_contributions(loaded, genome, found)
    rows = {"filters": filters_table(found, matches)}
    for kind, names, parts in (
        ("tf-filters", loaded.tfs, drives.of_tfs),
        ("cell-filters", loaded.cells, drives.of_cells),
    ):
        rows[kind] = drives_table(names, parts, rows["filters"], top)
    told: dict[str, Any] = {
        "filters": len(found),
        "firing": sum(motif.n_hits > 0 for motif in found),
        "telling": sum(map(is_telling, found)),
        "matched": sum(match is not None for match in matches),
        "groups": groups(matches),
        "own": own_motifs(rows["tf-filters"], matrices)._asdict(),
        "release": RELEASE,
    }
    files = _write(loaded, found, matches, rows, out_dir)
    told["files"] = [str(file) for file in files]
    if as_json:
        show_json(told)
        return
    whose = ", ".join(f"{group} {n}" for group, n in told["groups"].items())
    print_result(
        f"{told['firing']} of {told['filters']} filters fire strongly here, "
        f"{told['telling']} of them often and clearly enough to be compared; "
        f"{told['matched']} are like a motif of {RELEASE} (E <= {MAX_E_VALUE}), of "
        f"{len(told['groups'])} families or zinc fingers: {whose}"
    )
    own = told["own"]
    print_result(
        f"{own['n_own']} of {own['n_tfs']} TFs with a motif in {RELEASE} have a filter "
        f"of it among their first {top}, {own['by_chance']:.1f} by chance "
        f"(p = {own['p']:.2g})"
    )
    print_result(" ".join(told["files"]))


def _write(
    model: Model,
    found: list[FilterMotif],
    matches: list[Match | None],
    rows: dict[str, pd.DataFrame],
    out_dir: Path,
) -> list[Path]:
    """Write tables, matrices and logos."""
    from tfimpute_tracks.interpret.filter_table import write_filters
    from tfimpute_tracks.interpret.motif_files import jaspar_text, meme_text
    from tfimpute_tracks.plots.style import save_figure
    from tfimpute_tracks.storage import write_text

    files = [out_dir / f"{name}.tsv" for name in rows]
    write_filters(files[0], model, rows["filters"])
    for file in files[1:]:
        table = rows[file.stem]
        write_text(file, table.to_csv(sep="\t", index=False, float_format="%.4f"))
    shown = [motif for motif in found if motif.n_hits]
    titles = [rows["filters"]["symbols"][motif.number] for motif in shown]
    for ending, write in (("meme", meme_text), ("jaspar", jaspar_text)):
        files.append(out_dir / f"filters.{ending}")
        write_text(files[-1], write(shown, titles))
    if any(matches):
        sheet = _sheet(found, matches)
        files.append(out_dir / "filters.svg")
        title = f"Filters of {model.name}"
        save_figure(sheet, files[-1], title)
    return files


def _sheet(found: list[FilterMotif], matches: list[Match | None]) -> Figure:
    """Draw the filters that are like a known motif, the surest first."""
    from tfimpute_tracks.interpret.filters import information
    from tfimpute_tracks.plots.logos import logo_figure

    both = [
        (motif, match)
        for motif, match in zip(found, matches, strict=True)
        if match is not None
    ]
    both.sort(key=lambda pair: pair[1].e_value)
    both = both[:_LOGOS]
    return logo_figure(
        [information(motif.counts) for motif, _ in both],
        [
            (motif.name, f"{'::'.join(match.matrix.symbols)} {match.e_value:.0e}")
            for motif, match in both
        ],
        f"The {len(both)} filters that are surest like a known motif: heights in bits, "
        "of the letters under their hits; the motif of JASPAR, and its E-value.",
    )
