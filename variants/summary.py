"""One variant in a few words: the pairs that change most, and what that means."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfimpute_tracks.errors import counted, listed
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.variants.tables import ScoredAllele
from tfimpute_tracks.vocabulary import Pair

__all__ = ["summarize_variant"]

_SHOWN = 10  # pairs
_LARGE = 0.95  # quantile of a change that few similar variants reach
_CLEARLY = 2  # times as many pairs as usual
_NAMED = 3  # pairs with such a change: more are not named
_MIN_AUROC = 0.8  # below it, as in heatmaps, predictions are poor


def summarize_variant(
    allele: ScoredAllele, pairs: list[Pair], model: Model
) -> dict[str, Any]:
    """List the pairs that change most, and say what that means.

    Parameters
    ----------
    allele : ScoredAllele
    pairs : list of Pair
        Those that were scored.
    model : Model

    Returns
    -------
    dict
        JSON values: `variant`, `meaning`, and `largest`, one dict for each pair: those
        whose probability changes most, and those that `meaning` names.
    """
    most = np.argsort(-np.abs(allele.delta), kind="stable")[:_SHOWN].tolist()
    large = _large_changes(allele)
    if len(large) <= _NAMED:
        most += [i for i in large if i not in most]
    largest = []
    for i in most:
        p_ref, p_alt, delta, change, quantile = allele.effects[:, i].tolist()
        auroc = model.expected(pairs[i])
        largest.append(
            {
                "pair": str(pairs[i]),
                "status": model.status(pairs[i]),
                "expected_auroc": auroc,
                "binding": _direction(delta),
                "p_ref": round(p_ref, 4),
                "p_alt": round(p_alt, 4),
                "delta_log_odds": round(change, 4),
                "quantile": None if np.isnan(quantile) else _rounded(quantile),
            }
        )
    return {
        "variant": str(allele.variant),
        "meaning": _explain(allele, pairs, largest[0]),
        "largest": largest,
    }


def _large_changes(allele: ScoredAllele) -> list[int]:
    """Find the pairs that change more than with nearly all similar variants."""
    found: list[int] = np.flatnonzero(allele.effects[4] > _LARGE).tolist()
    return found


def _rounded(quantile: float) -> float:
    """Round to three digits; 1 is left for variants that exceed all others."""
    return round(quantile, 3) if quantile >= 1 else min(round(quantile, 3), 0.999)


def _share(quantile: float) -> str:
    return "all" if quantile >= 1 else f"{100 * quantile:.3g}% of"


def _direction(delta: float) -> str:
    if delta == 0:
        return "the same"
    return "stronger" if delta > 0 else "weaker"


def _explain(allele: ScoredAllele, pairs: list[Pair], top: dict[str, Any]) -> str:
    """Say in plain words what the largest change means, and how far to trust it."""
    n_pairs = allele.effects.shape[1]
    said = (
        f"{allele.variant}: {top['pair']} changes {'most, ' if n_pairs > 1 else ''}"
        f"from {top['p_ref']:.3g} to {top['p_alt']:.3g} (probability that an accessible "
        "site is bound)"
    )
    if top["quantile"] is not None:
        said += f", more than with {_share(top['quantile'])} similar variants nearby"
    said += f"; it is {top['status']}"
    auroc = top["expected_auroc"]
    if auroc is not None:
        said += f", with an expected AUROC of {auroc:.2f} from sequence"
        said += ", too low to rely on" if auroc < _MIN_AUROC else ""
    n_usual = round((1 - _LARGE) * n_pairs)
    if top["quantile"] is None or not n_usual:
        return f"{said}."
    large = _large_changes(allele)
    n_large = len(large)
    compared = "about as much as"  # the background is a sample
    if n_large > _CLEARLY * n_usual:
        compared = "more than"
    elif n_large * _CLEARLY < n_usual:
        compared = "less than"
    named = f" ({listed(pairs[i] for i in large)})" if 0 < n_large <= _NAMED else ""
    return (
        f"{said}. {n_large:,} of {counted(n_pairs, 'pair')}{named} "
        f"{'changes' if n_large == 1 else 'change'} more than with {_LARGE:.0%} of them; "
        f"about {n_usual:,} {'does' if n_usual == 1 else 'do'} for a typical variant, so "
        f"this one changes binding {compared} most."
    )
