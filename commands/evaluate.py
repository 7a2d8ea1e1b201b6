"""`evaluate`: how well a model ranks sites, pair by pair, beside its TF's mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import notify, say, show_json, show_table
from tfimpute_tracks.errors import UsageError

__all__ = ["evaluate"]

_FIGURES = (
    "pairs",
    "auroc",
    "tf_mean_auroc",
    "average_precision",
    "tf_mean_average_precision",
    "prior",
    "pairs_above_tf_mean",
)


def evaluate(
    data: options.Data,
    model: options.ModelName = "default",
    split: Annotated[
        str, typer.Option(help="Roles of the pairs to judge: base, valid2, test3.")
    ] = "base,valid2,test3",
    sites: Annotated[
        str, typer.Option(help="Sites to judge on: test, valid or train chromosomes.")
    ] = "test",
    test_chroms: options.TestChroms = "chr20",
    valid_chroms: options.ValidChroms = "chr22",
    out_dir: options.OutDir = Path("evaluation-out"),
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Judge a model on labelled sites: metrics.json, per_pair.tsv, per_tf.tsv."""
    import numpy as np

    from tfimpute_tracks.commands.inputs import set_threads
    from tfimpute_tracks.dataset import open_dataset, pair_columns, split_rows
    from tfimpute_tracks.evaluation import evaluate_model
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.models.operations import LOOKUP
    from tfimpute_tracks.storage import check_writable_dir, write_json, write_text

    set_threads(threads)
    loaded = load_model(model)
    check_writable_dir(out_dir)
    dataset = open_dataset(data)
    rows = split_rows(
        dataset, test_chroms.split(","), valid_chroms.split(",")
    )._asdict()
    if sites not in rows:
        raise UsageError(f"--sites {sites!r}; give one of {', '.join(rows)}")
    trained = [
        i for i, p in enumerate(dataset.pairs) if loaded.reliability(p) == "seen"
    ]
    columns = [pair_columns(dataset, role.strip()) for role in split.split(",")]
    network = loaded.network()
    network.operations = LOOKUP
    result = evaluate_model(
        network,
        dataset,
        loaded.vocabulary,
        rows[sites],
        np.concatenate(columns),
        np.array(trained or pair_columns(dataset, "base")),
    )
    by_role = result.by_role()
    metrics = {
        "model": loaded.name,
        "weights": loaded.checkpoint.digest,
        "data": dataset.sources,
        "sites": {"chromosomes": sites, "number": len(rows[sites])},
        "means": by_role,
    }
    write_json(out_dir / "metrics.json", metrics)
    write_text(out_dir / "per_pair.tsv", result.pairs.to_csv(sep="\t", index=False))
    write_text(out_dir / "per_tf.tsv", result.by_tf().to_csv(sep="\t", index=False))
    for role, figures in by_role.items():
        if figures["left_out"]:
            left = ", ".join(figures["left_out"])
            notify(f"{role}: sites of one class only, in no mean: {left}", warning=True)
    if as_json:
        show_json(metrics)
        return
    show_table(
        f"{loaded.name} on {len(rows[sites]):,} sites of the {sites} chromosomes, "
        "means over pairs",
        ["role", *(name.replace("_", " ") for name in _FIGURES)],
        [[role, *(f[name] for name in _FIGURES)] for role, f in by_role.items()],
    )
    names = ("metrics.json", "per_pair.tsv", "per_tf.tsv")
    say(" ".join(str(out_dir / name) for name in names))
