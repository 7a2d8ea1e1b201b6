"""Similarity of imputed tracks: a two-dimensional projection of all pairs.

Pairs whose scores are correlated along the genome are near each other. Scores of some
thousand tiles are standardized per pair, so that a high track and a low one of the same
shape are similar, reduced to 30 principal components, and projected by t-SNE. In such a
projection the neighbors of a pair have a meaning, distances between far groups do not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.impute.plan import Block, Shard
from tfimpute_tracks.impute.shard_file import ShardFile
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.storage import atomic_file

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

__all__ = ["draw_projection", "project_pairs", "sample_codes"]

_N_TILES = 4096  # compared
_COMPONENTS = 30
_MIN_PAIRS = 4
_N_COLORED = 24  # TFs with a color of their own


def sample_codes(store: Store, seed: int = 0) -> NDArray[np.float32]:
    """Sample the scores of all pairs at some thousand tiles of the store.

    Parameters
    ----------
    store : Store
    seed : int

    Returns
    -------
    float32 array, shape (n_pairs, n)
        Codes; tiles without a value are left out.

    Raises
    ------
    InputFileError
        A shard is missing or damaged.
    """
    rng = np.random.default_rng(seed)
    plan = store.plan
    blocks: dict[Block, list[Shard]] = {}
    for shard in plan.shards:
        if shard.n_known:
            blocks.setdefault(shard.block, []).append(shard)
    # A whole chunk is read in any case: few chunks, many tiles of each.
    n_chunks, width = min(len(blocks), 16), plan.chunk.tiles
    shards_of = list(blocks.values())
    parts = []
    for i in np.linspace(0, len(blocks) - 1, n_chunks).astype(int):
        with ShardFile(store.folder, plan, shards_of[i][0]) as file:
            missing = file.missing()
        columns = np.unique(np.flatnonzero(~missing) // width)
        first = int(columns[rng.integers(len(columns))]) * width
        last = min(first + width, len(missing))
        keep = first + np.sort(rng.permutation(last - first)[: _N_TILES // n_chunks])
        known = keep[~missing[keep]] - first
        rows = []
        for shard in shards_of[i]:
            with ShardFile(store.folder, plan, shard) as file:
                rows.append(file.columns(first, last)[:, known])
        parts.append(np.concatenate(rows))
    return np.concatenate(parts, axis=1).astype(np.float32)


def project_pairs(store: Store, seed: int = 0) -> pd.DataFrame:
    """Project all pairs of a store to two dimensions.

    Parameters
    ----------
    store : Store
        Complete, of four pairs or more.
    seed : int

    Returns
    -------
    DataFrame
        tf, cell, x, y, nearest (the most similar pair) and correlation with it.

    Raises
    ------
    UsageError
        Too few pairs, or no tile with a value.
    InputFileError
        A shard is missing or damaged.
    """
    import pandas as pd
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import normalize

    codes = sample_codes(store, seed)
    n = min(codes.shape)
    if len(codes) < _MIN_PAIRS or n < _MIN_PAIRS:
        raise UsageError(
            f"a projection needs {_MIN_PAIRS} pairs and tiles; {store.folder} has "
            f"{codes.shape}"
        )
    codes = normalize(codes - codes.mean(axis=1, keepdims=True))
    components = PCA(min(_COMPONENTS, n - 1), random_state=seed).fit_transform(codes)
    layout = TSNE(
        perplexity=min(30.0, (len(codes) - 1) / 3),
        init="pca",
        random_state=seed,
        n_jobs=-1,
    )
    x, y = layout.fit_transform(components).T
    # Of rows with mean 0 the cosine is the correlation.
    neighbors = NearestNeighbors(n_neighbors=1, metric="cosine").fit(codes)
    distance, nearest = neighbors.kneighbors()
    pairs = store.plan.pairs
    return pd.DataFrame(
        {
            "tf": store.plan.tfs,
            "cell": store.plan.cells,
            "x": x.round(3),
            "y": y.round(3),
            "nearest": [str(pairs[i]) for i in nearest[:, 0]],
            "correlation": (1 - distance[:, 0]).round(4),
        }
    )


def draw_projection(dest: Path, layout: pd.DataFrame) -> None:
    """Draw a projection: the TFs with the most compact groups have names and colors.

    Parameters
    ----------
    dest : Path
        A .png or .svg file.
    layout : DataFrame
        From :func:`project_pairs`.

    Raises
    ------
    WriteError
        The disk is full, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 9), layout="constrained")
    axes = figure.add_subplot()
    axes.scatter(layout["x"], layout["y"], s=3, color="0.8", linewidths=0)
    groups = layout.groupby("tf")[["x", "y"]]
    spread = groups.std(ddof=0).sum(axis=1).sort_values()
    colors, names = _colors(), []
    for rank, tf in enumerate(spread.index[:_N_COLORED]):
        own = layout[layout["tf"] == tf]
        axes.scatter(own["x"], own["y"], s=7, color=colors[rank], linewidths=0)
        name = axes.annotate(
            tf,
            (own["x"].median(), own["y"].median()),
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=8,
            ha="center",
            path_effects=_halo(),
        )
        names.append(name)
    axes.set_title(f"{len(layout):,} pairs; correlated tracks are near each other")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("t-SNE 1")
    axes.set_ylabel("t-SNE 2")
    _move_apart(figure, names)
    with atomic_file(dest) as temp:
        figure.savefig(temp, dpi=150, format=dest.suffix[1:])


def _move_apart(figure: Figure, names: list[Annotation]) -> None:
    """Lower names until none covers another: related TFs lie at the same place."""
    figure.draw_without_rendering()
    placed: list[Bbox] = []
    for name in sorted(names, key=lambda name: -name.xy[1]):
        box = name.get_window_extent()
        lowered = 0.0
        while covered := [other for other in placed if box.overlaps(other)]:
            step = 1 + box.y1 - min(other.y0 for other in covered)
            box, lowered = box.translated(0, -step), lowered + step
        name.set_position((0, -lowered * 72 / figure.dpi))
        placed.append(box)


def _colors() -> list[tuple[float, ...]]:
    from matplotlib import colormaps

    # Without tab20's grays: gray is for the TFs without a name.
    bright = [i for i in range(20) if i not in {14, 15}]
    some = colormaps["tab20"](bright).tolist() + colormaps["Dark2"](range(7)).tolist()
    return [tuple(color) for color in some]


def _halo() -> list[object]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.5, foreground="white")]
