"""What is said of measured tracks before a run that goes by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfimpute_tracks.commands.console import log
from tfimpute_tracks.errors import listed

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Region, Sequences
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.vocabulary import Pair

__all__ = ["report_evidence"]

_SHOWN = 5


def report_evidence(
    model: Model, genome: Sequences, pairs: Sequence[Pair], regions: Sequence[Region]
) -> None:
    """Say what a model goes by, and where tracks do not count; without, say nothing.

    Parameters
    ----------
    model : Model
    genome : Sequences
    pairs : sequence of Pair
        Those of the run.
    regions : sequence of Region
        Those of the run.

    Raises
    ------
    InputFileError
        The tracks are of another genome.
    """
    if model.evidence is None:
        return
    model.check_genome(genome)
    log(f"going by {model.basis}")
    store = model.evidence.store
    measured = {track.pair for track in store.tracks}
    own = [str(pair) for pair in pairs if pair in measured]
    if own:
        log(
            f"{listed(own, _SHOWN)}: measured in {store.name}; a pair's own track does not count "
            "for it, those of the others do"
        )
    chroms = dict.fromkeys(region.chrom for region in regions)
    silent = [chrom for chrom in chroms if not store.has_peaks(chrom).any()]
    share = store.fraction_in_coverage(regions)
    if silent:
        log(
            f"{store.name} has no data for {listed(silent, _SHOWN)}: scores there use "
            "the sequence only",
            warning=True,
        )
    elif regions and share < 1:
        log(
            f"{store.name} was built for other regions, and covers {share:.1%} of "
            "these: sequence alone counts elsewhere",
            warning=True,
        )
