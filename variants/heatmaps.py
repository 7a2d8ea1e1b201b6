"""Draw the effects of an allele on all TFs and cell lines: a figure and a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.models.model import Model
from tfimpute_tracks.plots.effects import effect_heatmap
from tfimpute_tracks.plots.style import save_figure
from tfimpute_tracks.variants.effects_page import EffectGrid, write_page
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.vocabulary import Pair

__all__ = ["draw_heatmap"]

Floats = NDArray[np.float32]

_MAX_NAME = 60  # characters


def draw_heatmap(
    model: Model,
    pairs: list[Pair],
    variant: Variant,
    best: tuple[Floats, Floats],
    stem: Path,
    name: str = "",
) -> list[Path]:
    """Draw the effects of an allele.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    variant : Variant
    best : (float32 array, float32 array), each of shape (n_pairs,)
        Probabilities of the reference and of the alternate allele.
    stem : Path
        Prefix of the files' names.
    name : str
        Of the variant, such as `rs12740374`; may be empty or a dot.

    Returns
    -------
    list of Path
        An SVG with the TFs that change most, and an HTML page with all of them.

    Raises
    ------
    WriteError
        The disk is full, or a file cannot be written.
    """
    grid = _grid(model, pairs, best)
    title = str(variant) if name in ("", ".") else f"{name[:_MAX_NAME]}, {variant}"
    chrom = variant.chrom.replace("/", "_")
    locus = f"{chrom}-{variant.start + 1}-{variant.ref}-{variant.alt}"
    own = locus if stem.name == locus else f"{stem.name}.{locus}"  # of one variant
    svg, page = (stem.with_name(f"{own}.{suffix}") for suffix in ("svg", "html"))
    figure = effect_heatmap(
        grid.deltas, grid.tfs, grid.cells, grid.is_measured, title, grid.auroc
    )
    save_figure(figure, svg, f"Effects of {title}")
    write_page(page, grid, title, model)
    return [svg, page]


def _grid(model: Model, pairs: list[Pair], best: tuple[Floats, Floats]) -> EffectGrid:
    tfs, cells = (list(dict.fromkeys(names)) for names in zip(*pairs, strict=True))
    rows = {tf: row for row, tf in enumerate(tfs)}
    columns = {cell: column for column, cell in enumerate(cells)}
    shape = len(tfs), len(cells)
    ref, alt, auroc = (np.full(shape, np.nan, dtype=np.float32) for _ in range(3))
    is_measured = np.zeros(shape, dtype=np.bool_)
    for pair, p_ref, p_alt in zip(pairs, *best, strict=True):
        at = rows[pair.tf], columns[pair.cell]
        ref[at], alt[at] = p_ref, p_alt
        is_measured[at] = model.status(pair) == "measured"
        expected = model.expected(pair)
        auroc[at] = np.nan if expected is None else expected
    return EffectGrid(tfs, cells, ref, alt, is_measured, auroc)
