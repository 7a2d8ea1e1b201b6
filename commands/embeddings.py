"""`embeddings`: which TFs and cell lines a model finds similar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_files, print_result, show_json

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
    from tfimpute_tracks.api.embedding_files import describe_embeddings

    tests, files = describe_embeddings(
        out_dir, model=model, neighbors=neighbors, permutations=permutations, seed=seed
    )
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
