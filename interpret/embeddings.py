"""Which TFs and which cell lines have similar embeddings in a model.

TFs that bind similar motifs should have similar embeddings, although the model was not
given families of TFs. A permutation test of the families shows whether they have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.interpret.jaspar import Matrix, find_matrices
from tfimpute_tracks.interpret.tf_families import NOT_DNA_BINDING, OTHER, family_of
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.plots.dendrogram import draw_dendrogram
from tfimpute_tracks.plots.projection import draw_projection
from tfimpute_tracks.plots.style import save_figure
from tfimpute_tracks.storage import write_text

__all__ = [
    "Enrichment",
    "cosines",
    "embedding_table",
    "family_enrichment",
    "jaspar_classes",
    "motif_families",
    "nearest",
    "project_2d",
    "write_embeddings",
]

Doubles = NDArray[np.float64]
Floating = NDArray[np.floating]


class Enrichment(NamedTuple):
    """How often neighbors are of the same family.

    Attributes
    ----------
    fraction : float
        Of the pairs of a TF and one of its nearest neighbors.
    expected : float
        The mean over permutations of the families.
    p : float
        Fraction of permutations with as many, including the observed one.
    n_tfs, n_neighbors, n_permutations : int
    """

    fraction: float
    expected: float
    p: float
    n_tfs: int
    n_neighbors: int
    n_permutations: int


def cosines(embedding: Floating) -> Doubles:
    """Compute the cosine of every two rows.

    Parameters
    ----------
    embedding : float array, shape (n_names, size)

    Returns
    -------
    float64 array, shape (n_names, n_names)
    """
    rows = embedding.astype(np.float64)
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    found: Doubles = unit @ unit.T
    return found


def nearest(names: Sequence[str], embedding: Floating, n: int) -> pd.DataFrame:
    """List the nearest neighbors of each name.

    Parameters
    ----------
    names : sequence of str
    embedding : float array, shape (n_names, size)
    n : int
        Neighbors of each; fewer if there are fewer names.

    Returns
    -------
    DataFrame
        Columns name, rank (from 1), neighbor, cosine.
    """
    cosine = cosines(embedding)
    order = _neighbors(cosine, n)
    return pd.DataFrame(
        [
            (name, rank, names[other], cosine[row, other])
            for row, name in enumerate(names)
            for rank, other in enumerate(order[row].tolist(), 1)
        ],
        columns=["name", "rank", "neighbor", "cosine"],
    )


def family_enrichment(
    families: Sequence[str | None],
    embedding: Floating,
    n: int,
    n_permutations: int,
    seed: int,
) -> Enrichment | None:
    """Test whether the nearest neighbors of a TF are of its family more than by chance.

    Parameters
    ----------
    families : sequence of str or None
        Of each TF; None leaves it out.
    embedding : float array, shape (n_tfs, size)
    n : int
        Nearest neighbors of each.
    n_permutations : int
    seed : int

    Returns
    -------
    Enrichment or None
        Of the TFs with at least one other TF of their family. None for fewer than three.
    """
    counts = Counter(families)
    kept = [i for i, own in enumerate(families) if own is not None and counts[own] > 1]
    if len(kept) < 3:
        return None
    numbers = np.unique([str(families[i]) for i in kept], return_inverse=True)[1]
    order = _neighbors(cosines(embedding[kept]), n)

    def fraction(of: NDArray[np.int64]) -> float:
        return float((of[order] == of[:, None]).mean())

    rng = np.random.default_rng(seed)
    observed = fraction(numbers)
    permuted = np.array(
        [fraction(rng.permutation(numbers)) for _ in range(n_permutations)]
    )
    p = (1 + int((permuted >= observed).sum())) / (1 + n_permutations)
    sizes = len(kept), order.shape[1], n_permutations
    return Enrichment(observed, float(permuted.mean()), p, *sizes)


def motif_families(tfs: Sequence[str]) -> list[str | None]:
    """Return the families of the TFs that bind DNA directly.

    Parameters
    ----------
    tfs : sequence of str

    Returns
    -------
    list of str or None
        None for other TFs.
    """
    left_out = NOT_DNA_BINDING | {OTHER}
    families = map(family_of, tfs)
    return [None if family in left_out else family for family in families]


def jaspar_classes(tfs: Sequence[str], matrices: list[Matrix]) -> list[str | None]:
    """Return the classes of TFs by the first of their matrices.

    Parameters
    ----------
    tfs : sequence of str
    matrices : list of Matrix

    Returns
    -------
    list of str or None
        None for TFs without a matrix.
    """
    firsts = [next(iter(find_matrices(tf, matrices)), None) for tf in tfs]
    return [own.classes[0] if own and own.classes else None for own in firsts]


def project_2d(embedding: Floating, seed: int) -> Doubles:
    """Project names onto a plane: t-SNE of their cosines.

    Parameters
    ----------
    embedding : float array, shape (n_names, size)
    seed : int

    Returns
    -------
    float64 array, shape (n_names, 2)
        Large distances have no meaning. Zeros for fewer than four names.
    """
    from sklearn.manifold import TSNE

    n = len(embedding)
    if n < 4:
        return np.zeros((n, 2))
    distance = np.clip(1 - cosines(embedding), 0, None)
    np.fill_diagonal(distance, 0)
    perplexity = min(15.0, (n - 1) / 3)
    layout = TSNE(
        metric="precomputed", init="random", perplexity=perplexity, random_state=seed
    )
    found: Doubles = layout.fit_transform(distance).astype(np.float64)
    return found


def embedding_table(model: Model) -> pd.DataFrame:
    """List the embeddings of TFs and cell lines.

    Parameters
    ----------
    model : Model

    Returns
    -------
    DataFrame
        Columns kind (`TF` or `cell line`), name, e0, e1 and on (float32); NaN where one
        kind has fewer dimensions.

    Raises
    ------
    UsageError
        The network has none.
    """
    parts = []
    for key, kind, names in (
        ("tf", "TF", model.tfs),
        ("cell", "cell line", model.cells),
    ):
        rows = model.checkpoint.embedding(key)
        part = pd.DataFrame(rows, columns=[f"e{i}" for i in range(rows.shape[1])])
        part.insert(0, "name", names)
        part.insert(0, "kind", kind)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def write_embeddings(
    model: Model, n_neighbors: int, seed: int, out_dir: Path
) -> list[Path]:
    """Write embeddings, the nearest neighbors of names, dendrograms and projections.

    Parameters
    ----------
    model : Model
    n_neighbors : int
    seed : int
        Of the projections.
    out_dir : Path

    Returns
    -------
    list of Path

    Raises
    ------
    WriteError
        The disk is full, or a file cannot be written.
    """
    files = [out_dir / "embeddings.tsv"]
    table = embedding_table(model)
    write_text(files[0], table.to_csv(sep="\t", index=False, float_format="%.9g"))
    for kind, names in (("tf", model.tfs), ("cell", model.cells)):
        rows = model.checkpoint.embedding(kind)
        table = nearest(names, rows, n_neighbors)
        notes, groups = list[str](), list[str | None]([None] * len(names))
        if kind == "tf":
            notes, groups = [family_of(name) for name in names], motif_families(names)
            table.insert(1, "family", table["name"].map(family_of))
            table["neighbor_family"] = table["neighbor"].map(family_of)
        files.append(out_dir / f"{kind}-neighbors.tsv")
        write_text(files[-1], table.to_csv(sep="\t", index=False, float_format="%.4f"))
        if len(names) < 2:
            continue
        for what, figure in (
            ("dendrogram", draw_dendrogram(names, 1 - cosines(rows), notes)),
            ("projection", draw_projection(names, project_2d(rows, seed), groups)),
        ):
            files.append(out_dir / f"{kind}-{what}.svg")
            save_figure(figure, files[-1], f"{kind} embeddings of {model.name}")
    return files


def _neighbors(cosine: Doubles, n: int) -> NDArray[np.int64]:
    """Find the n largest of each row except its own, the largest first."""
    others = cosine.copy()
    np.fill_diagonal(others, -np.inf)
    n = min(n, len(others) - 1)
    order: NDArray[np.int64] = np.argsort(-others, axis=1, kind="stable")[:, :n]
    return order
