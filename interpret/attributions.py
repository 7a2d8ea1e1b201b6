"""Explained tiles as a table and as BED: every motif instance on its chromosome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tfimpute_tracks.interpret.explain import Explanation
from tfimpute_tracks.interpret.filter_table import Named

__all__ = ["bed_text", "instances_table"]

# Okabe and Ito's vermillion and blue: what raises the score, and what lowers it.
_RAISES, _LOWERS = "213,94,0", "0,114,178"
_MOST = 1000  # of a score in BED


def instances_table(
    explanations: Sequence[Explanation], named: Sequence[Named], least: float
) -> pd.DataFrame:
    """List the motif instances of tiles.

    Parameters
    ----------
    explanations : sequence of Explanation
    named : sequence of Named
        What each filter is called.
    least : float
        Parts nearer to 0 are left out.

    Returns
    -------
    DataFrame
        Columns tile, logit, base, rest (of the tile), chrom, start, end (0-based,
        half-open: the letters of the filter that tell something), strand, filter, name,
        value, part (log-odds); the tiles in their order, the largest part first.
    """
    rows = []
    for tile, logit, base, instances in explanations:
        rest = logit - base - sum(instance.part for instance in instances)
        for k, start, strand, value, part in instances:
            if abs(part) < least:
                continue
            name, first, last, length = named[k]
            if strand == "-":
                first, last = length - last, length - first
            where = tile.chrom, start + first, start + last, strand
            about = str(tile), logit, base, rest
            rows.append((*about, *where, f"filter{k:03d}", name, value, part))
    columns = (
        *("tile", "logit", "base", "rest", "chrom", "start", "end", "strand"),
        *("filter", "name", "value", "part"),
    )
    return pd.DataFrame(rows, columns=columns)


def bed_text(table: pd.DataFrame, chroms: Sequence[str]) -> str:
    """Write motif instances as BED9, for browsers.

    Parameters
    ----------
    table : DataFrame
        From :func:`instances_table`.
    chroms : sequence of str
        In the order of the genome.

    Returns
    -------
    str
        In genome order, each instance once, with its largest part; `score` is the part
        in thousandths of the largest of all. Orange raises the probability, blue lowers
        it.
    """
    largest = table["part"].abs().max() if len(table) else 1.0
    order = table["part"].abs().sort_values(ascending=False, kind="stable").index
    place = ["chrom", "start", "end", "strand", "filter"]
    once = table.loc[order].drop_duplicates(place)
    number = {chrom: i for i, chrom in enumerate(chroms)}
    at = np.lexsort((once["end"], once["start"], once["chrom"].map(number)))
    lines = []
    for row in once.iloc[at].itertuples():
        score = round(_MOST * abs(row.part) / largest)
        color = _RAISES if row.part > 0 else _LOWERS
        lines.append(
            f"{row.chrom}\t{row.start}\t{row.end}\t{row.name}\t{score}\t{row.strand}\t"
            f"{row.start}\t{row.end}\t{color}\n"
        )
    return "".join(lines)
