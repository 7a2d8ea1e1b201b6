"""Write scores, signatures and comparisons of elements: tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tfimpute_tracks.interpret.elements import Skipped
from tfimpute_tracks.interpret.enhancers import (
    ElementScores,
    EnhancerJob,
    EnhancerResult,
)
from tfimpute_tracks.interpret.signature import Comparison, rank_of
from tfimpute_tracks.plots.enhancers import (
    Association,
    CellExtremes,
    association_figure,
    extremes_figure,
)
from tfimpute_tracks.plots.style import save_figure
from tfimpute_tracks.storage.dataframe_io import write_frame

__all__ = ["N_SHOWN", "cell_ranks", "cell_table", "write_results", "write_skipped"]

N_SHOWN = 5
"""Controls that are shown in the figure of extremes; the table has all of them."""


def write_skipped(stem: Path, skipped: Sequence[Skipped]) -> Path:
    """List what was left out.

    Parameters
    ----------
    stem : Path
        Prefix of the file name.
    skipped : sequence of Skipped

    Returns
    -------
    Path
        With the columns name, what, reason, detail.
    """
    dest = stem.with_name(f"{stem.name}.skipped.tsv")
    write_frame(dest, pd.DataFrame(skipped, columns=list(Skipped._fields)))
    return dest


def write_results(
    job: EnhancerJob,
    scored: ElementScores,
    result: EnhancerResult,
    stem: Path,
    table_format: str,
) -> list[Path]:
    """Write all tables and figures.

    Parameters
    ----------
    job : EnhancerJob
    scored : ElementScores
    result : EnhancerResult
    stem : Path
        Prefix of the file names.
    table_format : str
        `tsv` or `parquet`, of the scores.

    Returns
    -------
    list of Path
        Scores, signature, loadings and components; with activities also cells,
        regression, and two figures.

    Raises
    ------
    WriteError
        The disk is full, or a file cannot be written.
    """
    signature = result.signature
    numbers = [f"PC{i}" for i in range(1, len(signature.variance) + 1)]
    scores = pd.DataFrame(scored.scores[:, 0], columns=list(job.model.tfs))
    scores.insert(0, "name", [element.name for element in scored.elements])
    loadings = pd.DataFrame(signature.loadings, columns=numbers)
    loadings.insert(0, "tf", job.model.tfs)
    tables = {
        f"scores.{table_format}": scores,
        "signature.tsv": _signature_table(scored, result, numbers),
        "loadings.tsv": loadings,
        "components.tsv": pd.DataFrame(
            {"component": numbers, "variance_explained": signature.variance}
        ),
    }
    if result.comparisons:
        tables["cells.tsv"] = cell_table(job, result)
        tables["regression.tsv"] = _regression_table(job, result)
    files = []
    for suffix, table in tables.items():
        files.append(stem.with_name(f"{stem.name}.{suffix}"))
        write_frame(files[-1], table)
    return files + (_draw(job, result, stem) if result.comparisons else [])


def _signature_table(
    scored: ElementScores, result: EnhancerResult, numbers: list[str]
) -> pd.DataFrame:
    """List elements, their activity and group, mean score and components."""
    columns = ["name", "chrom", "start", "end", "unknown"]
    table = pd.DataFrame(scored.elements).set_axis(columns, axis=1)
    if result.comparisons:
        table["activity"] = result.activities
        extreme = np.full(len(table), "", dtype=object)
        extreme[result.bottom], extreme[result.top] = "bottom", "top"
        table["extreme"] = extreme
    table["mean"] = scored.scores[:, 0].mean(axis=1)
    table[numbers] = result.signature.values
    return table


def cell_table(job: EnhancerJob, result: EnhancerResult) -> pd.DataFrame:
    """List how each cell line's signature correlates with activities.

    Parameters
    ----------
    job : EnhancerJob
    result : EnhancerResult

    Returns
    -------
    DataFrame
        Columns cell, role (`matched` for the first one, otherwise `control`), elements,
        extremes (in either group), variance_explained (by the first component), t, t_p,
        auc, u_p, spearman, spearman_p, mean_spearman, and of the best regression
        components, cv_r2, cv_spearman.
    """
    rows = []
    for i, (cell, found) in enumerate(zip(job.cells, result.comparisons, strict=True)):
        best = int(found.r2.argmax())
        row = {
            "cell": cell,
            "role": "control" if i else "matched",
            "elements": len(result.known),
            "extremes": len(result.top),
            "variance_explained": found.variance,
            "t": found.t,
            "t_p": found.t_p,
            "auc": found.auc,
            "u_p": found.u_p,
            "spearman": found.rho,
            "spearman_p": found.rho_p,
            "mean_spearman": found.mean_rho,
            "components": best + 1,
            "cv_r2": found.r2[best],
            "cv_spearman": found.cv_rho[best],
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _regression_table(job: EnhancerJob, result: EnhancerResult) -> pd.DataFrame:
    """List how well the first 1, 2 ... components predict activities."""
    rows = [
        (cell, k, r2, rho)
        for cell, found in zip(job.cells, result.comparisons, strict=True)
        for k, (r2, rho) in enumerate(zip(found.r2, found.cv_rho, strict=True), 1)
    ]
    columns = ["cell", "components", "cv_r2", "cv_spearman"]
    return pd.DataFrame(rows, columns=columns)


def _draw(job: EnhancerJob, result: EnhancerResult, stem: Path) -> list[Path]:
    known, cells = result.known, []
    for i in (0, *result.spread_controls(N_SHOWN)):
        found = result.comparisons[i]
        groups = found.first[result.bottom], found.first[result.top]
        cells.append(CellExtremes(job.cells[i], *groups, found.t_p, found.u_p))
    association = Association(
        job.cells,
        np.array([found.rho for found in result.comparisons]),
        np.array([found.r2 for found in result.comparisons]),
        result.comparisons[0].first[known],
        result.activities[known],
    )
    title = f"{stem.name}, model {job.model.name}"
    files = []
    for name, figure in (
        ("extremes", extremes_figure(cells, title)),
        ("activity", association_figure(association, title)),
    ):
        files.append(stem.with_name(f"{stem.name}.{name}.svg"))
        save_figure(figure, files[-1], title)
    return files


def cell_ranks(comparisons: Sequence[Comparison], which: int = 0) -> dict[str, int]:
    """Compute the rank of a cell line among all of them, from 1.

    Parameters
    ----------
    comparisons : sequence of Comparison
    which : int
        Index of the cell line.

    Returns
    -------
    dict of str to int
        By absolute t, by the distance of auc from chance, by absolute rho, and by the
        best cv_r2.
    """
    measures = {
        "t": np.abs([found.t for found in comparisons]),
        "auc": np.abs([found.auc - 0.5 for found in comparisons]),
        "spearman": np.abs([found.rho for found in comparisons]),
        "cv_r2": np.array([found.r2.max() for found in comparisons]),
    }
    return {name: rank_of(values, which) for name, values in measures.items()}
