"""What evidence contributes to a run, reported before the run."""

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


def report_evidence(
    model: Model, genome: Sequences, pairs: Sequence[Pair], regions: Sequence[Region]
) -> None:
    """Log which evidence a model uses, and warn where there is none.

    Parameters
    ----------
    model : Model
        Nothing is logged for one without evidence.
    genome : Sequences
    pairs : sequence of Pair
        Pairs of the run.
    regions : sequence of Region
        Regions of the run.

    Raises
    ------
    InputFileError
        The evidence is of another genome.
    """
    if model.evidence is None:
        return
    model.check_genome(genome)
    log(f"predicting from {model.basis}")
    store = model.evidence.store
    measured = {track.pair for track in store.tracks}
    own = [pair for pair in pairs if pair in measured]
    if own:
        log(
            f"measured in {store.name}: {listed(own)}. A pair's own peaks are not used "
            "for its prediction"
        )
    chroms = dict.fromkeys(region.chrom for region in regions)
    absent = [chrom for chrom in chroms if not store.has_peaks(chrom).any()]
    fraction = store.fraction_in_coverage(regions)
    if absent:
        log(
            f"{store.name} has no data for {listed(absent)}: scores there use the "
            "sequence only",
            warning=True,
        )
    elif regions and fraction < 1:
        log(
            f"{store.name} has data for {fraction:.1%} of these regions: scores "
            "elsewhere use the sequence only",
            warning=True,
        )
