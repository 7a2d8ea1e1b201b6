"""Colors that tell tracks apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

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

__all__ = ["COLOR_BY", "pair_colors"]

COLOR_BY = ("family", "tf", "cell")
"""What a color can stand for."""
# Families of many TFs have colors of their own; those that bind no sequence by
# themselves are gray.
_BY_FAMILY = {
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
    """Give each pair a color.

    Parameters
    ----------
    pairs : iterable of Pair
    by : str
        Of :data:`COLOR_BY`: what gets a color of its own.

    Returns
    -------
    dict of Pair to ``#RRGGBB``

    Raises
    ------
    UsageError
        Another word.
    """
    if by not in COLOR_BY:
        raise UsageError(f"--color-by {by!r}; give one of {', '.join(COLOR_BY)}")
    chosen = list(pairs)
    if by == "family":
        return {pair: _BY_FAMILY.get(family_of(pair.tf), SKY_BLUE) for pair in chosen}
    part: Callable[[Pair], str] = (lambda p: p.tf) if by == "tf" else (lambda p: p.cell)
    names: Sequence[str] = sorted({part(pair) for pair in chosen})
    colors = {name: _CYCLE[i % len(_CYCLE)] for i, name in enumerate(names)}
    return {pair: colors[part(pair)] for pair in chosen}
