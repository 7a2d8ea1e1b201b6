"""The model that a bulk store was made with, if it is one of the bundled models.

A store does not hold the model's list of cell lines.
"""

from __future__ import annotations

from tfimpute_tracks.errors import listed
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.models.loading import load_model
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.pretrained import pretrained_models
from tfimpute_tracks.vocabulary import Pair

__all__ = ["check_specificity"]


def check_specificity(store: Store, pairs: list[Pair]) -> str:
    """Check that a store has every cell line of some TFs.

    Parameters
    ----------
    store : Store
    pairs : list of Pair
        Pairs whose specificity is wanted.

    Returns
    -------
    str
        A warning if cell lines are missing, or if that is unknown; else empty.
    """
    n_cells = {pair.tf: store.n_cells(pair.tf) for pair in pairs}
    model = _stored_model(store)
    n_all = len(model.cells if model else set(store.plan.cells))
    incomplete = [f"{tf} {n}" for tf, n in n_cells.items() if n < n_all]
    if incomplete:
        return (
            f"{store.folder} does not contain all {n_all} cell lines of each TF, but of "
            f"{listed(incomplete, 3)}: the specificity is relative to those; use a store "
            "made with --all, or `scan --signal specificity`"
        )
    if model is None:
        return (
            f"the model of {store.folder}, {store.plan.model}, is not a bundled one: it "
            f"may have more than the {n_all} cell lines of the store, which the "
            "specificity is relative to"
        )
    return ""


def _stored_model(store: Store) -> Model | None:
    if store.plan.model in pretrained_models():
        model = load_model(store.plan.model)
        if model.checkpoint.digest == store.plan.weights:
            return model
    return None
