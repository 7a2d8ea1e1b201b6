"""The table by which a faceted composite finds its tracks.

A column is a facet, to be ticked; one whose name begins with `_` is only searched, and
one with `__` neither.
"""

from __future__ import annotations

from collections.abc import Mapping

from tfimpute_tracks.tracks.track_folder import TrackRecord
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.vocabulary import Pair

__all__ = ["metadata_table"]

_COLUMNS = (
    *("id", "tf", "cell", "family", "status", "expected_accuracy", "tf_data_sets"),
    *("cell_data_sets", "__expected_auroc", "__threshold", "__peaks", "__weights"),
)
_ACCURACY = ((0.9, "0.9 and more"), (0.8, "0.8 to 0.9"), (0.7, "0.7 to 0.8"))
_DATA_SETS = ((10, "10 and more"), (5, "5 to 9"), (2, "2 to 4"), (1, "1"), (0, "0"))


def metadata_table(
    tracks: list[TrackRecord], keys: Mapping[Pair, str], knowledge: CardLookup
) -> str:
    """Write the table.

    Parameters
    ----------
    tracks : list of ShelfTrack
    keys : mapping of Pair to str
        The pairs' names in the hub.
    knowledge : Knowledge

    Returns
    -------
    str
        Tab-separated, a head and a row per pair.
    """
    rows = ["\t".join(_COLUMNS)]
    for track in tracks:
        facts = knowledge.of(track)
        auroc = track.expected_auroc
        cells = (
            keys[track.pair],
            *(" ".join(name.split()) for name in track.pair),
            facts.family,
            track.status,
            _binned(auroc, _ACCURACY, "below 0.7"),
            _binned(facts.tf_data_sets, _DATA_SETS, ""),
            _binned(facts.cell_data_sets, _DATA_SETS, ""),
            "" if auroc is None else f"{auroc:.4f}",
            f"{track.threshold:.4f}",
            str(track.n_peaks),
            track.weights,
        )
        rows.append("\t".join(cells))
    return "\n".join(rows) + "\n"


def _binned(
    value: float | None, bins: tuple[tuple[float, str], ...], below: str
) -> str:
    if value is None:
        return "unknown"
    return next((name for least, name in bins if value >= least), below)
