"""Colours that tell tracks apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.motifs.families import family_of
from tfimpute_tracks.plots.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    VERMILLION,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["COLOUR_BY", "pair_colours"]

COLOUR_BY = ("family", "tf", "cell")
"""What a colour can stand for."""
# Families of many TFs have colours of their own; those that bind no sequence by
# themselves are grey.
_BY_FAMILY = {
    "C2H2 zinc finger": BLUE,
    "bZIP": VERMILLION,
    "bHLH": GREEN,
    "ETS": PURPLE,
    "Nuclear receptor": ORANGE,
    "Chromatin": GREY,
    "Cofactor": GREY,
    "Cohesin": GREY,
    "Transcription machinery": GREY,
}
_CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, SKY_BLUE, ORANGE)


def pair_colours(pairs: Iterable[Pair], by: str = "family") -> dict[Pair, str]:
    """Give each pair a colour.

    Parameters
    ----------
    pairs : iterable of Pair
    by : str
        Of :data:`COLOUR_BY`: what gets a colour of its own.

    Returns
    -------
    dict of Pair to ``#RRGGBB``

    Raises
    ------
    UsageError
        Another word.
    """
    if by not in COLOUR_BY:
        raise UsageError(f"--colour-by {by!r}; give one of {', '.join(COLOUR_BY)}")
    chosen = list(pairs)
    if by == "family":
        return {pair: _BY_FAMILY.get(family_of(pair.tf), SKY_BLUE) for pair in chosen}
    part: Callable[[Pair], str] = (lambda p: p.tf) if by == "tf" else (lambda p: p.cell)
    names: Sequence[str] = sorted({part(pair) for pair in chosen})
    colours = {name: _CYCLE[i % len(_CYCLE)] for i, name in enumerate(names)}
    return {pair: colours[part(pair)] for pair in chosen}
