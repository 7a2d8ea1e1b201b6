"""Scores, signatures and comparisons of elements as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tfimpute_tracks.interpret.elements import Skipped
from tfimpute_tracks.interpret.enhancers import EnhancerJob, Judged, Scored
from tfimpute_tracks.interpret.signature import Comparison, rank_of

__all__ = [
    "cell_table",
    "component_table",
    "loading_table",
    "places",
    "regression_table",
    "score_table",
    "signature_table",
    "skipped_table",
]


def score_table(job: EnhancerJob, scored: Scored) -> pd.DataFrame:
    """List what was predicted in the first cell line.

    Parameters
    ----------
    job : EnhancerJob
    scored : Scored

    Returns
    -------
    DataFrame
        Columns name and the TFs; a row per element.
    """
    table = pd.DataFrame(scored.scores[:, 0], columns=list(job.model.tfs))
    table.insert(0, "name", [element.name for element in scored.elements])
    return table


def signature_table(scored: Scored, judged: Judged) -> pd.DataFrame:
    """List the components of each element.

    Parameters
    ----------
    scored : Scored
    judged : Judged

    Returns
    -------
    DataFrame
        Columns name, chrom, start, end (0-based, half-open), unknown (letters), with
        activities activity and extreme (`top`, `bottom` or nothing), mean (of the
        scores of all TFs), PC1, PC2 ...
    """
    columns = ["name", "chrom", "start", "end", "unknown"]
    table = pd.DataFrame(scored.elements).set_axis(columns, axis=1)
    if judged.cells:
        table["activity"] = judged.activities
        extreme = np.full(len(table), "", dtype=object)
        extreme[judged.bottom], extreme[judged.top] = "bottom", "top"
        table["extreme"] = extreme
    table["mean"] = scored.scores[:, 0].mean(axis=1)
    values = judged.signature.values
    table[_names(values.shape[1])] = values
    return table


def loading_table(job: EnhancerJob, judged: Judged) -> pd.DataFrame:
    """List what each TF adds to components.

    Parameters
    ----------
    job : EnhancerJob
    judged : Judged

    Returns
    -------
    DataFrame
        Columns tf, PC1, PC2 ...; TFs in the order of the model.
    """
    loadings = judged.signature.loadings
    table = pd.DataFrame(loadings, columns=_names(loadings.shape[1]))
    table.insert(0, "tf", job.model.tfs)
    return table


def component_table(judged: Judged) -> pd.DataFrame:
    """List the share of the variance that each component holds.

    Parameters
    ----------
    judged : Judged

    Returns
    -------
    DataFrame
        Columns component (PC1, PC2 ...), variance_explained.
    """
    shares = judged.signature.variance
    columns = {"component": _names(len(shares)), "variance_explained": shares}
    return pd.DataFrame(columns)


def cell_table(job: EnhancerJob, judged: Judged) -> pd.DataFrame:
    """List how each cell line's signature goes with activities.

    Parameters
    ----------
    job : EnhancerJob
    judged : Judged

    Returns
    -------
    DataFrame
        Columns cell, role (`matched`, the first one, or `control`), elements,
        extremes (of either kind), variance_explained (by the first component), t, t_p,
        auc, u_p, spearman, spearman_p, mean_spearman, and of the regression that does
        best components, cv_r2, cv_spearman.
    """
    return pd.DataFrame(
        [
            {
                "cell": cell,
                "role": "control" if place else "matched",
                "elements": len(judged.known),
                "extremes": len(judged.top),
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
            for place, (cell, found) in enumerate(
                zip(job.cells, judged.cells, strict=True)
            )
            for best in [int(found.r2.argmax())]
        ]
    )


def regression_table(job: EnhancerJob, judged: Judged) -> pd.DataFrame:
    """List how well components predict activities.

    Parameters
    ----------
    job : EnhancerJob
    judged : Judged

    Returns
    -------
    DataFrame
        Columns cell, components, cv_r2, cv_spearman; for each cell line the first 1,
        2 ... components.
    """
    return pd.DataFrame(
        [
            (cell, k, r2, rho)
            for cell, found in zip(job.cells, judged.cells, strict=True)
            for k, (r2, rho) in enumerate(zip(found.r2, found.cv_rho, strict=True), 1)
        ],
        columns=["cell", "components", "cv_r2", "cv_spearman"],
    )


def skipped_table(skipped: Sequence[Skipped]) -> pd.DataFrame:
    """List what was left out.

    Parameters
    ----------
    skipped : sequence of Skipped

    Returns
    -------
    DataFrame
        Columns name, what, reason, detail.
    """
    return pd.DataFrame(skipped, columns=list(Skipped._fields))


def places(cells: Sequence[Comparison], which: int = 0) -> dict[str, int]:
    """Tell which place a cell line has among all, from 1.

    Parameters
    ----------
    cells : sequence of Comparison
    which : int

    Returns
    -------
    dict of str to int
        By the size of t, of the distance of auc from chance, and of rho; and by the
        best cv_r2.
    """
    measures = {
        "t": [found.t for found in cells],
        "auc": [found.auc - 0.5 for found in cells],
        "spearman": [found.rho for found in cells],
    }
    told = {
        name: rank_of(np.abs(np.array(values)), which)
        for name, values in measures.items()
    }
    best = np.array([found.r2.max() for found in cells])
    return {**told, "cv_r2": rank_of(best, which)}


def _names(k: int) -> list[str]:
    return [f"PC{number}" for number in range(1, k + 1)]
