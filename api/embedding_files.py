"""Figures and tests of the vectors that a model has learned: one call."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.values import MAX_SEED, as_path, check_model, check_whole
from tfimpute_tracks.errors import check_packages
from tfimpute_tracks.interpret.embeddings import (
    Enrichment,
    family_enrichment,
    jaspar_classes,
    motif_families,
    write_embeddings,
)
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.storage import check_output_dir

__all__ = ["DescribedEmbeddings", "describe_embeddings"]


class DescribedEmbeddings(NamedTuple):
    """What lies near to what.

    Attributes
    ----------
    tests : dict of str to Enrichment or None
        Whether near TFs are of one family, by the source of the families; None of too
        few TFs.
    files : list of Path
    """

    tests: dict[str, Enrichment | None]
    files: list[Path]


def describe_embeddings(
    out_dir: str | Path,
    *,
    model: str | Path = "default",
    neighbors: int = 3,
    permutations: int = 10_000,
    seed: int = 0,
) -> DescribedEmbeddings:
    """Draw dendrograms and projections of embeddings, and test families of TFs.

    :func:`tfimpute_tracks.embeddings` returns the vectors.

    Parameters
    ----------
    out_dir : str or Path
    model : str or Path
    neighbors : int
        Nearest neighbors of each name to list and to test.
    permutations : int
        Of the families, 100 or more.
    seed : int

    Returns
    -------
    DescribedEmbeddings

    Raises
    ------
    UsageError, OutputError, WriteError
        A value is invalid, or a file cannot be written.
    """
    folder = as_path(out_dir, "out_dir")
    check_model(model)
    check_whole(neighbors, "neighbors", 1)
    check_whole(permutations, "permutations", 100)
    check_whole(seed, "seed", 0, MAX_SEED)
    check_packages("`embeddings`", "scipy", "sklearn")
    loaded = load_model(model)
    check_output_dir(folder)
    files = write_embeddings(loaded, neighbors, seed, folder)
    tests = _test_families(loaded, neighbors, permutations, seed)
    return DescribedEmbeddings(tests, files)


def _test_families(
    model: Model, neighbors: int, permutations: int, seed: int
) -> dict[str, Enrichment | None]:
    """Test the bundled families, and the classes of JASPAR if it is installed."""
    labels = {"families": motif_families(model.tfs)}
    try:
        from tfimpute_tracks.interpret.jaspar import RELEASE, load_matrices

        labels[f"classes of {RELEASE}"] = jaspar_classes(model.tfs, load_matrices())
    except ImportError:
        log("for the classes of JASPAR: pip install 'tfimpute-tracks[motifs]'")
    rows = model.checkpoint.embedding("tf")
    return {
        name: family_enrichment(own, rows, neighbors, permutations, seed)
        for name, own in labels.items()
    }
