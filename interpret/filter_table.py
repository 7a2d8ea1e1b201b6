"""Tables of filters: their motifs, the known motifs they match, and their contributions.

The table of filters contains the digest of the weights, so that another verb can name
filters by their motifs, and never by those of another model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.interpret.filters import FilterMotif, information
from tfimpute_tracks.interpret.jaspar import Matrix, find_matrices
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.pretrained import pretrained_models
from tfimpute_tracks.storage import write_text
from tfimpute_tracks.storage.input_paths import why_no_file
from tfimpute_tracks.storage.table import read_table

if TYPE_CHECKING:
    from tfimpute_tracks.interpret.motif_match import Match

__all__ = [
    "FilterName",
    "OwnMotifTest",
    "contribution_table",
    "count_groups",
    "filter_table",
    "own_motif_test",
    "read_filter_names",
    "write_filter_table",
]

_DIGEST = "# weights "
_PERMUTATIONS = 9999


class OwnMotifTest(NamedTuple):
    """How many TFs have a filter that matches their own motif.

    Attributes
    ----------
    n_tfs : int
        TFs with a matrix in the database.
    n_own : int
        Those with a filter of their own group among the ones listed for them.
    expected : float
        The mean over permutations of the groups.
    p : float
        Fraction of permutations with as many, including the observed one.
    """

    n_tfs: int
    n_own: int
    expected: float
    p: float


class FilterName(NamedTuple):
    """The name of a filter, and its informative positions.

    Attributes
    ----------
    name : str
        The known motif that it matches, such as ``CTCF``; otherwise ``filter007``.
    first, last : int
        Half-open.
    length : int
        Of the filter.
    """

    name: str
    first: int
    last: int
    length: int


def filter_table(
    motifs: Sequence[FilterMotif], matches: Sequence[Match | None]
) -> pd.DataFrame:
    """List all filters.

    Parameters
    ----------
    motifs : sequence of FilterMotif
    matches : sequence of Match or None
        One for each.

    Returns
    -------
    DataFrame
        Columns filter, consensus, hits, largest, bits, first, last (half-open, of the
        informative positions), matrix, symbols, group, e_value, cosine.
    """
    rows = []
    for motif, match in zip(motifs, matches, strict=True):
        bits = float(information(motif.counts).sum())
        own = (
            motif.name,
            motif.consensus,
            motif.n_hits,
            motif.largest,
            bits,
            *motif.core,
        )
        known = "", "", "", np.nan, np.nan
        if match:
            matrix = match.matrix
            symbols = "::".join(matrix.symbols)
            known = matrix.name, symbols, matrix.group, match.e_value, match.cosine
        rows.append((*own, *known))
    columns = [
        *("filter", "consensus", "hits", "largest", "bits", "first", "last"),
        *("matrix", "symbols", "group", "e_value", "cosine"),
    ]
    return pd.DataFrame(rows, columns=columns)


def contribution_table(
    names: Sequence[str],
    contributions: NDArray[np.float32],
    filters: pd.DataFrame,
    n: int,
) -> pd.DataFrame:
    """List the filters that contribute most to each name, compared with other names.

    Parameters
    ----------
    names : sequence of str
        TFs, or cell lines.
    contributions : float32 array, shape (n_names, K)
    filters : DataFrame
        From :func:`filter_table`.
    n : int
        Filters of each name.

    Returns
    -------
    DataFrame
        Columns name, rank (from 1), filter, contribution (to the log-odds), excess (over
        the mean of all names), consensus, symbols, group; by `excess`, which is above 0.
    """
    excess = contributions - contributions.mean(axis=0)
    rows = []
    about = ["consensus", "symbols", "group"]
    for name, own, more in zip(names, contributions, excess, strict=True):
        order = np.argsort(-more, kind="stable")[:n]
        for rank, k in enumerate(order[more[order] > 0].tolist(), 1):
            values = filters["filter"][k], own[k], more[k]
            rows.append(
                (name, rank, *values, *(filters[column][k] for column in about))
            )
    columns = ["name", "rank", "filter", "contribution", "excess", *about]
    return pd.DataFrame(rows, columns=columns)


def own_motif_test(listed: pd.DataFrame, matrices: list[Matrix]) -> OwnMotifTest:
    """Test whether the filters that contribute most to a TF match its own motif.

    Parameters
    ----------
    listed : DataFrame
        From :func:`contribution_table`, of TFs.
    matrices : list of Matrix

    Returns
    -------
    OwnMotifTest
    """
    groups = listed.groupby("name", sort=False)["group"].agg(set)
    own = {
        tf: {matrix.group for matrix in find_matrices(str(tf), matrices)}
        for tf in groups.index
    }
    known = [tf for tf, found in own.items() if found]
    hits = np.array(
        [[bool(groups[tf] & own[other]) for other in known] for tf in known], dtype=bool
    ).reshape(len(known), len(known))
    n_own = int(np.trace(hits))
    rng = np.random.default_rng(0)
    rows = np.arange(len(known))
    permuted = np.array(
        [hits[rows, rng.permutation(rows)].sum() for _ in range(_PERMUTATIONS)]
    )
    p = (1 + int((permuted >= n_own).sum())) / (1 + _PERMUTATIONS)
    return OwnMotifTest(len(known), n_own, float(permuted.mean()), p)


def count_groups(matches: Sequence[Match | None]) -> dict[str, int]:
    """Count filters by the group of the motif that they match.

    Parameters
    ----------
    matches : sequence of Match or None

    Returns
    -------
    dict of str to int
        The most frequent first.
    """
    counts = Counter(match.matrix.group for match in matches if match)
    return dict(counts.most_common())


def write_filter_table(path: Path, model: Model, filters: pd.DataFrame) -> None:
    """Write the table of filters, with the digest of the weights.

    Parameters
    ----------
    path : Path
    model : Model
    filters : DataFrame
        From :func:`filter_table`.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    table = filters.to_csv(sep="\t", index=False, float_format="%.4g")
    write_text(path, f"{_DIGEST}{model.checkpoint.digest}\n{table}")


def read_filter_names(model: Model, path: Path | None) -> list[FilterName]:
    """Read the names of the filters of a model.

    Parameters
    ----------
    model : Model
    path : Path, optional
        A table written by `motifs`. Default: that of a bundled model.

    Returns
    -------
    list of FilterName
        One for every filter; only numbers if there is no table.

    Raises
    ------
    InputFileError
        The table is missing, is not a table of filters, or belongs to other weights.
    """
    length, digest = model.config.filter_length, model.checkpoint.digest
    if path is None:
        bundled = pretrained_models().get(model.name)
        path = bundled and bundled.with_name(f"{model.name}.motifs.tsv")
        if not path or not path.exists() or _read_digest(path) != digest:
            numbers = range(model.config.n_filters)
            return [FilterName(f"filter{k:03d}", 0, length, length) for k in numbers]
    if not path.is_file():
        raise InputFileError(
            f"{path}: {why_no_file(path)}; use filters.tsv of `motifs`"
        )
    if _read_digest(path) != digest:
        raise InputFileError(
            f"{path}: not the filters of the model {model.name}; run "
            f"`tfimpute-tracks motifs -m {model.name}`"
        )
    names = []
    for row in read_table(path, "table of filters", ("filter", "first", "last")).rows:
        first, last = int(row.fields["first"]), int(row.fields["last"])
        name = row.fields.get("symbols") or row.fields["filter"]
        names.append(FilterName(name, first, last if last > first else length, length))
    return names


def _read_digest(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline()
    return line.removeprefix(_DIGEST).strip() if line.startswith(_DIGEST) else ""
