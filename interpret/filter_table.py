"""Tables of filters: what each looks for, whose motif that is, whom it speaks for.

The table of filters names the weights that it is of, so that another verb can call
filters by the names of their motifs and never by those of another model.
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
from tfimpute_tracks.storage.table import read_table

if TYPE_CHECKING:
    from tfimpute_tracks.interpret.motif_match import Match

__all__ = [
    "Named",
    "OwnMotifs",
    "drives_table",
    "filters_table",
    "groups",
    "own_motifs",
    "read_names",
    "write_filters",
]

_HEAD = "# weights "
_PERMUTATIONS = 9999


class OwnMotifs(NamedTuple):
    """How many TFs stand with a filter that reads their own motif.

    Attributes
    ----------
    n_tfs : int
        With a matrix in the data base.
    n_own : int
        With a filter of their own group among the first ones listed of them.
    by_chance : float
        The mean when TFs are given the groups of others.
    p : float
        Share of permutations with as many, counting this one.
    """

    n_tfs: int
    n_own: int
    by_chance: float
    p: float


class Named(NamedTuple):
    """What a filter is called, and which of its letters tell something.

    Attributes
    ----------
    name : str
        The known motif that it is like, such as ``CTCF``; else ``filter007``.
    first, last : int
        Half-open.
    length : int
        Letters of the filter.
    """

    name: str
    first: int
    last: int
    length: int


def filters_table(
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
        letters that tell something), matrix, symbols, group, e_value, cosine.
    """
    rows = [
        {
            "filter": motif.name,
            "consensus": motif.consensus,
            "hits": motif.n_hits,
            "largest": motif.largest,
            "bits": float(information(motif.counts).sum()),
            "first": motif.core[0],
            "last": motif.core[1],
            "matrix": match.matrix.name if match else "",
            "symbols": "::".join(match.matrix.symbols) if match else "",
            "group": match.matrix.group if match else "",
            "e_value": match.e_value if match else np.nan,
            "cosine": match.cosine if match else np.nan,
        }
        for motif, match in zip(motifs, matches, strict=True)
    ]
    return pd.DataFrame(rows)


def drives_table(
    names: Sequence[str], drives: NDArray[np.float32], filters: pd.DataFrame, top: int
) -> pd.DataFrame:
    """List the filters that add most for each name, beyond what they add for others.

    Parameters
    ----------
    names : sequence of str
        TFs, or cell lines.
    drives : float32 array, shape (n_names, K)
    filters : DataFrame
        From :func:`filters_table`.
    top : int
        Filters of each.

    Returns
    -------
    DataFrame
        Columns name, rank (from 1), filter, drive (log-odds), beyond (less the mean of
        all names), consensus, symbols, group; by `beyond`, which is above 0.
    """
    beyond = drives - drives.mean(axis=0)
    rows = []
    for name, own, more in zip(names, drives, beyond, strict=True):
        order = np.argsort(-more, kind="stable")[:top]
        rows += [
            (
                name,
                rank,
                filters["filter"][k],
                own[k],
                more[k],
                filters["consensus"][k],
                filters["symbols"][k],
                filters["group"][k],
            )
            for rank, k in enumerate(order[more[order] > 0].tolist(), 1)
        ]
    about = ["consensus", "symbols", "group"]
    columns = ["name", "rank", "filter", "drive", "beyond", *about]
    return pd.DataFrame(rows, columns=columns)


def own_motifs(drives: pd.DataFrame, matrices: list[Matrix]) -> OwnMotifs:
    """Ask whether the filters that speak for a TF read its own motif.

    Parameters
    ----------
    drives : DataFrame
        From :func:`drives_table`, of TFs.
    matrices : list of Matrix

    Returns
    -------
    OwnMotifs
    """
    listed = drives.groupby("name", sort=False)["group"].agg(set)
    own = {
        tf: {matrix.group for matrix in find_matrices(str(tf), matrices)}
        for tf in listed.index
    }
    known = [tf for tf, groups in own.items() if groups]
    hits = np.array(
        [[bool(listed[tf] & own[other]) for other in known] for tf in known], dtype=bool
    ).reshape(len(known), len(known))
    n_own = int(np.trace(hits))
    rng = np.random.default_rng(0)
    rows = np.arange(len(known))
    drawn = np.array(
        [hits[rows, rng.permutation(rows)].sum() for _ in range(_PERMUTATIONS)]
    )
    p = (1 + int((drawn >= n_own).sum())) / (1 + _PERMUTATIONS)
    return OwnMotifs(len(known), n_own, float(drawn.mean()), p)


def groups(matches: Sequence[Match | None]) -> dict[str, int]:
    """Count filters by whose motif they are like.

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


def write_filters(path: Path, model: Model, filters: pd.DataFrame) -> None:
    """Write the table of filters, with the digest of their weights.

    Parameters
    ----------
    path : Path
    model : Model
    filters : DataFrame
        From :func:`filters_table`.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    table = filters.to_csv(sep="\t", index=False, float_format="%.4g")
    write_text(path, f"{_HEAD}{model.checkpoint.digest}\n{table}")


def read_names(model: Model, path: Path | None) -> list[Named]:
    """Read what the filters of a model are called.

    Parameters
    ----------
    model : Model
    path : Path, optional
        A table that `motifs` wrote. By default the one that comes with a shipped model.

    Returns
    -------
    list of Named
        One for every filter; numbers alone where no table is given or shipped.

    Raises
    ------
    InputFileError
        The table is missing, none of filters, or of other weights.
    """
    if path is None:
        shipped = pretrained_models().get(model.name)
        path = shipped and shipped.with_name(f"{model.name}.motifs.tsv")
        digest = model.checkpoint.digest
        if not path or not path.exists() or _digest_of(path) != digest:
            n, length = model.checkpoint.weights["filters"].shape[:2]
            return [Named(f"filter{k:03d}", 0, length, length) for k in range(n)]
    if not path.is_file():
        raise InputFileError(f"{path}: no such file; give filters.tsv of `motifs`")
    if _digest_of(path) != model.checkpoint.digest:
        raise InputFileError(
            f"{path}: of other filters than those of the model {model.name}; run "
            f"`motifs -m {model.name}`"
        )
    length, names = model.config.filter_length, []
    for row in read_table(path, "table of filters", ("filter", "first", "last")).rows:
        first, last = int(row.fields["first"]), int(row.fields["last"])
        name = row.fields.get("symbols") or row.fields["filter"]
        names.append(Named(name, first, last if last > first else length, length))
    return names


def _digest_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            head = file.readline()
    except UnicodeDecodeError:
        return ""
    return head.removeprefix(_HEAD).strip() if head.startswith(_HEAD) else ""
