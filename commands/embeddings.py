"""`embeddings`: which TFs and cell lines a model takes for alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json

if TYPE_CHECKING:
    from tfimpute_tracks.interpret.embeddings import Enrichment
    from tfimpute_tracks.models.model import Model

__all__ = ["embeddings"]


def embeddings(
    model: options.ModelName = "default",
    neighbors: Annotated[
        int, typer.Option(min=1, help="Nearest of each that are listed and tested.")
    ] = 3,
    permutations: Annotated[
        int, typer.Option(min=100, help="Of the families, for the test.")
    ] = 10_000,
    seed: options.Seed = 0,
    out_dir: options.OutDir = Path("embeddings-out"),
    as_json: options.Json = False,
) -> None:
    """List nearest TFs and cell lines, draw trees and maps, test motif families."""
    from tfimpute_tracks.interpret.embeddings import (
        cosines,
        motif_families,
        nearest,
        project_2d,
    )
    from tfimpute_tracks.interpret.tf_families import family_of
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.plots.dendrogram import draw_dendrogram
    from tfimpute_tracks.plots.projection import draw_projection
    from tfimpute_tracks.plots.style import save_figure
    from tfimpute_tracks.storage import check_writable_dir, write_text

    loaded = load_model(model)
    check_writable_dir(out_dir)
    files = []
    vocabularies = ("tf", loaded.tfs), ("cell", loaded.cells)
    embeddings = {kind: loaded.checkpoint.embedding(kind) for kind, _ in vocabularies}
    for kind, names in vocabularies:
        rows = embeddings[kind]
        table = nearest(names, rows, neighbors)
        beside = []
        if kind == "tf":
            beside = [family_of(name) for name in names]
            table.insert(1, "family", table["name"].map(family_of))
            table["neighbor_family"] = table["neighbor"].map(family_of)
        files.append(out_dir / f"{kind}-neighbors.tsv")
        text = table.to_csv(sep="\t", index=False, float_format="%.4f")
        write_text(files[-1], text)
        if len(names) > 1:
            groups = motif_families(names) if kind == "tf" else [None] * len(names)
            for what, figure in (
                ("tree", draw_dendrogram(names, 1 - cosines(rows), beside)),
                ("map", draw_projection(names, project_2d(rows, seed), groups)),
            ):
                files.append(out_dir / f"{kind}-{what}.svg")
                title = f"{kind} embeddings of {loaded.name}"
                save_figure(figure, files[-1], title)
    _tell(_tests(loaded, neighbors, permutations, seed), as_json, files)


def _tests(
    model: Model, neighbors: int, permutations: int, seed: int
) -> dict[str, Enrichment | None]:
    """Test families of the package, and the classes of JASPAR where it is there."""
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


def _tell(
    tests: dict[str, Enrichment | None], as_json: bool, files: list[Path]
) -> None:
    if as_json:
        told = {name: found and found._asdict() for name, found in tests.items()}
        show_json({"tests": told, "files": [str(file) for file in files]})
        return
    for name, found in tests.items():
        if found is None:
            print_result(f"{name}: too few TFs to test them")
            continue
        print_result(
            f"{name}: {found.share:.1%} of the {found.n_neighbors} nearest of "
            f"{found.n_tfs} TFs are of the same, {found.by_chance:.1%} by chance "
            f"(p = {found.p:.2g}, {found.n_permutations:,} permutations)"
        )
    print_result(" ".join(map(str, files)))
