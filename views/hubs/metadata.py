"""The metadata table of a faceted composite: one row per pair.

Each column is a facet to select by. A column whose name begins with `_` can only be
searched, and one that begins with `__` is only shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.vocabulary import Pair

__all__ = ["metadata_table"]

_COLUMNS = (
    *("id", "tf", "cell", "family", "status", "expected_accuracy", "tf_data_sets"),
    *("cell_data_sets", "__expected_auroc", "__threshold", "__peaks", "__weights"),
)
# Lowest value and name of each bin, the highest bin first.
_ACCURACY = (
    *((0.9, "0.9 and more"), (0.8, "0.8 to 0.9"), (0.7, "0.7 to 0.8")),
    (0, "below 0.7"),
)
_DATA_SETS = ((10, "10 and more"), (5, "5 to 9"), (2, "2 to 4"), (1, "1"), (0, "0"))


def metadata_table(
    tracks: list[TrackRecord], names: Mapping[Pair, str], card: CardLookup
) -> str:
    """Write the table.

    Parameters
    ----------
    tracks : list of TrackRecord
    names : mapping of Pair to str
        Names of the pairs in the hub.
    card : CardLookup

    Returns
    -------
    str
        Tab-separated, with a header and a row per pair.
    """
    rows: list[tuple[str, ...]] = [_COLUMNS]
    for track in tracks:
        info, auroc = card.info(track), track.expected_auroc
        rows.append(
            (
                names[track.pair],
                *(" ".join(name.split()) for name in track.pair),
                info.family,
                track.status,
                _bin(auroc, _ACCURACY),
                _bin(info.tf_data_sets, _DATA_SETS),
                _bin(info.cell_data_sets, _DATA_SETS),
                "" if auroc is None else f"{auroc:.4f}",
                f"{track.threshold:.4g}",
                str(track.n_peaks),
                track.weights,
            )
        )
    return "".join("\t".join(row) + "\n" for row in rows)


def _bin(value: float | None, bins: tuple[tuple[float, str], ...]) -> str:
    if value is None:
        return "unknown"
    return next(name for lowest, name in bins if value >= lowest)
