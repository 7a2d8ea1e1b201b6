"""Write explained tiles: a table, a BED and figures of all motif instances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tfimpute_tracks.interpret.explain import Explanation
from tfimpute_tracks.interpret.filter_table import FilterName
from tfimpute_tracks.plots.explanation import Bar, attribution_figure
from tfimpute_tracks.plots.style import save_figure
from tfimpute_tracks.storage import write_text
from tfimpute_tracks.vocabulary import Pair

__all__ = ["bed_text", "draw_explanation", "instance_table", "write_instances"]

# Vermillion and blue of Okabe and Ito: what raises the score, and what lowers it.
_RAISES, _LOWERS = "213,94,0", "0,114,178"
_MAX_SCORE = 1000  # of BED
_COLUMNS = (
    *("tile", "logit", "baseline", "residual", "chrom", "start", "end", "strand"),
    *("filter", "name", "value", "contribution"),
)


def instance_table(
    explanations: Sequence[Explanation],
    names: Sequence[FilterName],
    min_contribution: float,
) -> pd.DataFrame:
    """List the motif instances of tiles.

    Parameters
    ----------
    explanations : sequence of Explanation
    names : sequence of FilterName
        Of each filter.
    min_contribution : float
        Contributions closer to 0 are left out.

    Returns
    -------
    DataFrame
        Columns tile, logit, baseline, residual (of the tile), chrom, start, end (0-based,
        half-open: the informative positions of the filter), strand, filter, name, value,
        contribution (to the log-odds); tiles in their order, the largest contribution
        first.
    """
    rows = []
    for explanation in explanations:
        tile, logit, baseline, instances = explanation
        about = str(tile), logit, baseline, explanation.residual
        for k, start, strand, value, contribution in instances:
            if abs(contribution) < min_contribution:
                continue
            name, first, last, length = names[k]
            if strand == "-":
                first, last = length - last, length - first
            locus = tile.chrom, start + first, start + last, strand
            rows.append((*about, *locus, f"filter{k:03d}", name, value, contribution))
    return pd.DataFrame(rows, columns=_COLUMNS)


def bed_text(table: pd.DataFrame, chroms: Sequence[str]) -> str:
    """Format motif instances as BED9 for genome browsers.

    Parameters
    ----------
    table : DataFrame
        From :func:`instance_table`.
    chroms : sequence of str
        In the order of the genome.

    Returns
    -------
    str
        In genome order, each instance once, with its largest contribution; `score` is
        the contribution in thousandths of the largest of all. Orange instances raise the
        score, blue ones lower it.
    """
    size = table["contribution"].abs()
    largest = size.max() if len(table) else 1.0
    order = size.sort_values(ascending=False, kind="stable").index
    key = ["chrom", "start", "end", "strand", "filter"]
    once = table.loc[order].drop_duplicates(key)
    rank = {chrom: i for i, chrom in enumerate(chroms)}
    at = np.lexsort((once["end"], once["start"], once["chrom"].map(rank)))
    lines = []
    for row in once.iloc[at].itertuples():
        score = round(_MAX_SCORE * abs(row.contribution) / largest)
        color = _RAISES if row.contribution > 0 else _LOWERS
        lines.append(
            f"{row.chrom}\t{row.start}\t{row.end}\t{row.name}\t{score}\t{row.strand}\t"
            f"{row.start}\t{row.end}\t{color}\n"
        )
    return "".join(lines)


def write_instances(
    pair: Pair, table: pd.DataFrame, chroms: Sequence[str], out_dir: Path
) -> list[Path]:
    """Write the motif instances of a pair.

    Parameters
    ----------
    pair : Pair
    table : DataFrame
        From :func:`instance_table`.
    chroms : sequence of str
        In the order of the genome.
    out_dir : Path

    Returns
    -------
    list of Path
        A table and a BED.

    Raises
    ------
    WriteError
        A file cannot be written.
    """
    stem = f"{pair.tf}.{pair.cell}.motifs"
    files = [out_dir / f"{stem}.tsv", out_dir / f"{stem}.bed"]
    write_text(files[0], table.to_csv(sep="\t", index=False, float_format="%.5g"))
    write_text(files[1], bed_text(table, chroms))
    return files


def draw_explanation(
    pair: Pair, explanation: Explanation, table: pd.DataFrame, out_dir: Path
) -> list[Path]:
    """Draw the motif instances of a tile.

    Parameters
    ----------
    pair : Pair
    explanation : Explanation
    table : DataFrame
        From :func:`instance_table`.
    out_dir : Path

    Returns
    -------
    list of Path
        An SVG; empty if the table has no instance of the tile.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    tile, logit, baseline, _ = explanation
    own = table[table["tile"] == str(tile)]
    columns = ["start", "end", "strand", "name", "contribution"]
    bars = [Bar(*row) for row in own[columns].itertuples(index=False)]
    if not bars:
        return []
    title = f"{pair} at {tile}"
    subtitle = f"log-odds {logit:.2f}, of which {baseline:.2f} without any motif"
    chrom = tile.chrom.replace("/", "_")
    dest = out_dir / f"{pair.tf}.{pair.cell}.{chrom}-{tile.start + 1}.svg"
    save_figure(attribution_figure(tile, bars, title, subtitle), dest, title)
    return [dest]
