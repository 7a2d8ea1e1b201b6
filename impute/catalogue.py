"""A table of all pairs in a store: expected accuracy, peaks, and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.storage import RECEIPT_ENDING, read_receipt
from tfimpute_tracks.tracks.record import TrackRecord

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["make_catalogue"]


def make_catalogue(store: Store, tracks: Path | None = None) -> pd.DataFrame:
    """Make the table.

    Parameters
    ----------
    store : Store
        Complete.
    tracks : Path, optional
        A folder that `export` wrote to: the files of this very store are named.

    Returns
    -------
    DataFrame
        tf, cell, status (measured or imputed), expected_auroc, threshold, peaks,
        peaks_per_mb, file, digest; in the order of the store.

    Raises
    ------
    InputFileError
        A shard is missing or damaged.
    """
    import pandas as pd

    plan = store.plan
    peaks = store.peak_counts()
    found = [_track(store, tracks, f"{pair.tf}.{pair.cell}") for pair in plan.pairs]
    return pd.DataFrame(
        {
            "tf": plan.tfs,
            "cell": plan.cells,
            "status": plan.status,
            "expected_auroc": [
                float("nan") if a is None else a for a in plan.expected_aurocs
            ],
            "threshold": plan.thresholds,
            "peaks": peaks,
            "peaks_per_mb": (peaks / plan.megabases(plan.n_tiles)).round(3),
            "file": [file for file, _ in found],
            "digest": [digest for _, digest in found],
        }
    )


def _track(store: Store, tracks: Path | None, stem: str) -> tuple[str, str]:
    """Find the first file of a pair's export, and its digest."""
    if tracks is None:
        return "", ""
    try:
        receipt = read_receipt(tracks / f"{stem}{RECEIPT_ENDING}", TrackRecord)
    except InputFileError:
        return "", ""
    if receipt.record.store != store.plan.digest or not receipt.outputs:
        return "", ""
    first = receipt.outputs[0]
    return str(tracks / first.name), first.digest
