"""Models, TFs, cell lines and pairs, with status and expected accuracy: one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.values import check_choice, check_model, check_texts
from tfimpute_tracks.models.catalog import group_records, model_records, pair_records
from tfimpute_tracks.models.loading import load_modes

__all__ = ["list_records"]


def list_records(
    topic: Literal["models", "tfs", "cells", "pairs"] = "models",
    *,
    model: str | Path = "default",
    evidence: Literal["auto", "none"] = "auto",
    tf: str | None = None,
    cell: str | None = None,
) -> list[dict[str, Any]]:
    """List models, TFs, cell lines or pairs, with status and expected accuracy.

    Parameters
    ----------
    topic : {"models", "tfs", "cells", "pairs"}
        Models are those of the package, the others are of `model`.
    model : str or Path
    evidence : {"auto", "none"}
        Accuracy of predictions with evidence, if the model has weights that read it, or
        from sequence only.
    tf, cell : str, optional
        Only pairs of these.

    Returns
    -------
    list of dict
        The keys are the same in all; a threshold is a probability.

    Raises
    ------
    UsageError, UnknownNameError, InputFileError
        A value, name or file is wrong.

    Examples
    --------
    >>> from tfimpute_tracks.api.listing import list_records
    >>> sorted(record["model"] for record in list_records())
    ['deep', 'deep-held-out', 'default', 'held-out']
    >>> list_records("pairs", tf="CTCF", cell="K562")[0]["status"]
    'measured'
    """
    check_choice(topic, "topic", ("models", "tfs", "cells", "pairs"))
    check_choice(evidence, "evidence", ("auto", "none"))
    check_model(model)
    check_texts(tf=tf, cell=cell)
    if topic == "models":
        return model_records()
    modes = load_modes(model)
    loaded = modes[0] if evidence == "none" else modes[-1]
    log(
        f"accuracy and thresholds of {loaded.name} "
        f"{'with evidence' if loaded.evidence else 'from sequence only'}"
    )
    names = loaded.vocabulary
    records = pair_records(loaded, tf and names.tf(tf), cell and names.cell(cell))
    if topic == "pairs":
        return records
    return group_records(records, "tf" if topic == "tfs" else "cell")
