"""Measured tracks beside sequence: what they make of the log-odds of a place's tiles.

An :class:`Evidence` is a store of tracks with the weights that read them. Set up for
some pairs it takes log-odds by letters and where the tiles lie, and gives log-odds by
both. A pair's own tracks never count. Where the store says nothing, beside its regions
or on a chromosome of which it has no peak, letters are all there is: their log-odds are
calibrated, so that a score means there what it means elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence import ACCESSIBILITY, EvidenceStore
from tfimpute_tracks.genome import Region
from tfimpute_tracks.models.evidence_weights import EvidenceWeights
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["Evidence", "track_rows"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Tracks, and the weights that read them.

    Parameters
    ----------
    weights : EvidenceWeights
    store : EvidenceStore

    Raises
    ------
    InputFileError
        The store names a TF or a cell line that the weights do not know.
    """

    weights: EvidenceWeights
    store: EvidenceStore

    def __post_init__(self) -> None:
        _ = self.track_rows

    @cached_property
    def digests(self) -> dict[str, str]:
        """What scores depend on beside letters and the weights that read them."""
        return {
            "evidence": self.store.digest,
            "evidence_weights": self.weights.digest,
        }

    @cached_property
    def track_rows(self) -> tuple[Ints, Ints]:
        """TF and cell line of each track, as rows of the embeddings."""
        return track_rows(self.store, self.weights.vocabulary)

    def of(self, pairs: Iterable[Pair]) -> Evidence:
        """Take the tracks of some pairs, and accessibility.

        Parameters
        ----------
        pairs : iterable of Pair

        Returns
        -------
        Evidence
        """
        return Evidence(self.weights, self.store.subset(self.store.tracks_of(pairs)))

    def about(self, pair: Pair, regions: Sequence[Region]) -> dict[str, Any]:
        """Say what there is to go by for a pair, for receipts and descriptions.

        Parameters
        ----------
        pair : Pair
        regions : sequence of Region
            Of a run.

        Returns
        -------
        dict
            `name` of the evidence; `tracks`, how many it has; `own_tracks` of the pair,
            none of which counts; `tf_tracks` of the TF in other cell lines,
            `cell_tracks` of other TFs in the cell line, `accessibility_tracks` of the
            cell line; `fraction_in_coverage`, how much of the regions lies where tracks say
            anything; `sequence_only`, the chromosomes of which no track says anything,
            so that letters alone count there.
        """
        chroms = dict.fromkeys(region.chrom for region in regions)
        measured = [track.pair for track in self.store.tracks]
        beside = [other for other in measured if other != pair]
        same_cell = [other.tf for other in beside if other.cell == pair.cell]
        n_open = same_cell.count(ACCESSIBILITY)
        return {
            "name": self.store.name,
            "tracks": len(measured),
            "own_tracks": len(measured) - len(beside),
            "tf_tracks": sum(other.tf == pair.tf for other in beside),
            "cell_tracks": len(same_cell) - n_open,
            "accessibility_tracks": n_open,
            "fraction_in_coverage": round(self.store.fraction_in_coverage(regions), 6),
            "sequence_only": [c for c in chroms if not self.store.has_peaks(c).any()],
        }

    @cached_property
    def attention(self) -> tuple[Doubles, Doubles]:
        """What the logarithm of a track's weight is the sum of.

        As :meth:`~tfimpute_tracks.models.evidence_network.EvidenceNetwork.attention`
        gives it, float64 (heads, n_tfs, n_tfs + 1) and (heads, n_cells, n_cells).
        """
        given = {k: v.astype(np.float64) for k, v in self.weights.weights.items()}
        shape = self.weights.config.heads, self.weights.config.depth

        def dots(asked: Doubles, keys: Doubles) -> Doubles:
            asked, keys = (x.reshape(len(x), *shape) for x in (asked, keys))
            found: Doubles = np.einsum("phd,qhd->hpq", asked, keys)
            return found

        tfs, cells = given["tf_embedding"], given["cell_embedding"]
        tf_keys = np.concatenate([tfs @ given["tf_key"], given["accessibility_key"]])
        by_tf = dots(tfs @ given["tf_query"], tf_keys)
        by_cell = dots(cells @ given["cell_query"], cells @ given["cell_key"])
        by_tf += given["same_tf"][:, None, None] * np.eye(*by_tf.shape[1:])
        by_cell += given["same_cell"][:, None, None] * np.eye(len(cells))
        return by_tf, by_cell


def track_rows(store: EvidenceStore, vocabulary: Vocabulary) -> tuple[Ints, Ints]:
    """Find the TF and the cell line of each track.

    Parameters
    ----------
    store : EvidenceStore
    vocabulary : Vocabulary

    Returns
    -------
    tf, cell : int64 array, shape (n_tracks,)
        Rows of the vocabulary; accessibility comes after its last TF.

    Raises
    ------
    InputFileError
        The store names a TF or a cell line that the vocabulary lacks.
    """
    tfs = {name: row for row, name in enumerate((*vocabulary.tfs, ACCESSIBILITY))}
    cells = {name: row for row, name in enumerate(vocabulary.cells)}
    pairs = [track.pair for track in store.tracks]
    strange = [p for p in pairs if p.tf not in tfs or p.cell not in cells]
    if strange:
        raise InputFileError(
            f"{store.name} holds {strange[0]}, which the model does not know; build it "
            "with `tfimpute-tracks evidence build -m MODEL`, which leaves such tracks "
            "out"
        )
    rows = np.array([(tfs[p.tf], cells[p.cell]) for p in pairs], dtype=np.int64)
    tf, cell = rows.reshape(-1, 2).T
    return tf, cell
