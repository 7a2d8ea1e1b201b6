"""`embeddings`: which TFs and cell lines a model takes for alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import say, show_json

if TYPE_CHECKING:
    from tfimpute_tracks.analysis.embeddings import Enrichment

__all__ = ["embeddings"]


def embeddings(
    model: options.ModelName = "default",
    neighbours: Annotated[
        int, typer.Option(min=1, help="Nearest of each that are listed and tested.")
    ] = 3,
    permutations: Annotated[
        int, typer.Option(min=100, help="Of the families, for the test.")
    ] = 10_000,
    seed: options.Seed = 0,
    out_dir: options.OutDir = Path("embeddings-out"),
    as_json: options.Json = False,
) -> None:
    """List nearest TFs and cell lines, draw trees, and test TFs for motif families."""
    from tfimpute_tracks.analysis.embeddings import (
        cosines,
        family_enrichment,
        nearest,
    )
    from tfimpute_tracks.analysis.families import family_of
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.plots.dendrogram import tree_of
    from tfimpute_tracks.plots.style import save_figure
    from tfimpute_tracks.storage import check_writable_dir, write_text

    loaded = load_model(model)
    check_writable_dir(out_dir)
    files = []
    for kind, names in (("tf", loaded.tfs), ("cell", loaded.cells)):
        rows = loaded.checkpoint.weights[f"{kind}_embedding"]
        table = nearest(names, rows, neighbours)
        beside = []
        if kind == "tf":
            beside = [family_of(name) for name in names]
            table.insert(1, "family", table["name"].map(family_of))
            table["neighbour_family"] = table["neighbour"].map(family_of)
        files.append(out_dir / f"{kind}-neighbours.tsv")
        text = table.to_csv(sep="\t", index=False, float_format="%.4f")
        write_text(files[-1], text)
        if len(names) > 1:
            tree = tree_of(names, 1 - cosines(rows), beside)
            files.append(out_dir / f"{kind}-tree.svg")
            title = f"{kind} embeddings of {loaded.name}"
            save_figure(tree, files[-1], title, str(tree.get_label()))
    rows = loaded.checkpoint.weights["tf_embedding"]
    found = family_enrichment(loaded.tfs, rows, neighbours, permutations, seed)
    _tell(found, as_json, files)


def _tell(found: Enrichment | None, as_json: bool, files: list[Path]) -> None:
    if as_json:
        told: dict[str, Any] | None = None if found is None else found._asdict()
        show_json({"families": told, "files": [str(file) for file in files]})
        return
    if found is None:
        say("too few TFs of known families to test them")
    else:
        say(
            f"{found.share:.1%} of the {found.n_neighbours} nearest of {found.n_tfs} "
            f"TFs that bind sequence are of the same family, {found.by_chance:.1%} by "
            f"chance (p = {found.p:.2g}, {found.n_permutations:,} permutations)"
        )
    say(" ".join(map(str, files)))
