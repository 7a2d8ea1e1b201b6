"""`embeddings`: which TFs and cell lines a model finds similar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_files, print_result, show_json
from tfimpute_tracks.errors import check_packages

if TYPE_CHECKING:
    from tfimpute_tracks.interpret.embeddings import Enrichment
    from tfimpute_tracks.models.model import Model

__all__ = ["embeddings"]


def embeddings(
    model: options.ModelName = "default",
    neighbors: Annotated[
        int,
        typer.Option(min=1, help="Nearest neighbors of each name to list and to test."),
    ] = 3,
    permutations: Annotated[
        int, typer.Option(min=100, help="Permutations of the TF families in the test.")
    ] = 10_000,
    seed: options.Seed = 0,
    out_dir: options.OutDir = Path("embeddings-out"),
    as_json: options.Json = False,
) -> None:
    """Draw dendrograms and projections of embeddings, and test families of TFs."""
    check_packages("`embeddings`", "scipy", "sklearn")
    from tfimpute_tracks.interpret.embeddings import write_embeddings
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_output_dir

    loaded = load_model(model)
    check_output_dir(out_dir)
    files = write_embeddings(loaded, neighbors, seed, out_dir)
    tests = _test_families(loaded, neighbors, permutations, seed)
    if as_json:
        found = {name: test and test._asdict() for name, test in tests.items()}
        show_json({"tests": found, "files": files})
        return
    for name, test in tests.items():
        if test is None:
            print_result(f"{name}: too few TFs for a test")
            continue
        print_result(
            f"{name}: {test.fraction:.1%} of the {test.n_neighbors} nearest neighbors of "
            f"{test.n_tfs} TFs are of the same one, {test.expected:.1%} expected "
            f"(p = {test.p:.2g}, {test.n_permutations:,} permutations)"
        )
    print_files(files)


def _test_families(
    model: Model, neighbors: int, permutations: int, seed: int
) -> dict[str, Enrichment | None]:
    """Test the bundled families, and the classes of JASPAR if it is installed."""
    from tfimpute_tracks.interpret.embeddings import (
        family_enrichment,
        jaspar_classes,
        motif_families,
    )

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
