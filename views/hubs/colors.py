"""Colors of tracks: by TF family, TF or cell line."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.interpret.tf_families import family_of
from tfimpute_tracks.plots.style import (
    BLUE,
    GRAY,
    GREEN,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    VERMILLION,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["pair_colors"]

_GROUPS: dict[str, Callable[[Pair], str]] = {
    "family": lambda pair: family_of(pair.tf),
    "tf": lambda pair: pair.tf,
    "cell": lambda pair: pair.cell,
}
# The largest families have a color each. Proteins that do not bind DNA by themselves
# are gray, and all other families share one color.
_FAMILY_COLORS = {
    "C2H2 zinc finger": BLUE,
    "bZIP": VERMILLION,
    "bHLH": GREEN,
    "ETS": PURPLE,
    "Nuclear receptor": ORANGE,
    "Chromatin": GRAY,
    "Cofactor": GRAY,
    "Cohesin": GRAY,
    "Transcription machinery": GRAY,
}
_CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, SKY_BLUE, ORANGE)


def pair_colors(pairs: Iterable[Pair], by: str = "family") -> dict[Pair, str]:
    """Choose a color for each pair.

    Parameters
    ----------
    pairs : iterable of Pair
    by : {"family", "tf", "cell"}
        Pairs that agree in this have the same color.

    Returns
    -------
    dict of Pair to str
        Colors as ``#RRGGBB``.

    Raises
    ------
    UsageError
        `by` is something else.
    """
    if by not in _GROUPS:
        raise UsageError(f"--color-by {by!r}; use one of {', '.join(_GROUPS)}")
    groups = {pair: _GROUPS[by](pair) for pair in pairs}
    colors = _FAMILY_COLORS
    if by != "family":
        names = sorted(set(groups.values()))
        colors = {name: _CYCLE[i % len(_CYCLE)] for i, name in enumerate(names)}
    return {pair: colors.get(group, SKY_BLUE) for pair, group in groups.items()}
