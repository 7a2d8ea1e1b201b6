"""Measured tracks and the weights that read them.

What they do to the scores of some pairs is the business of
:mod:`tfimpute_tracks.engines.evidence`.
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
from tfimpute_tracks.kernels.bfloat16 import pack_halves
from tfimpute_tracks.models.evidence_weights import SUMMARY_INPUTS, EvidenceWeights
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["Evidence", "track_rows"]

_ROWS = 32  # tracks or pairs at a time

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Words = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Evidence:
    """A store of measured tracks with the weights that read them.

    Parameters
    ----------
    weights : EvidenceWeights
    store : EvidenceStore

    Raises
    ------
    InputFileError
        The store has a TF or a cell line that the weights do not know.
    """

    weights: EvidenceWeights
    store: EvidenceStore

    def __post_init__(self) -> None:
        _ = self.track_rows

    @property
    def digests(self) -> dict[str, str]:
        """Digests of the tracks and of the weights that read them."""
        return {
            "evidence": self.store.digest,
            "evidence_weights": self.weights.digest,
        }

    @cached_property
    def track_rows(self) -> tuple[Ints, Ints]:
        """TF and cell line of each track, as rows of the embeddings."""
        return track_rows(self.store, self.weights.vocabulary)

    @cached_property
    def pairs(self) -> frozenset[Pair]:
        """Pairs with a track."""
        return frozenset(track.pair for track in self.store.tracks)

    @cached_property
    def base(self) -> Evidence | None:
        """The evidence without the names that were added, and without their tracks.

        None where none was added. Added pairs may read all tracks; the scores of the
        others depend on no added one.
        """
        if self.weights.n_base is None:
            return None
        weights = self.weights.base()
        tfs = {*weights.vocabulary.tfs, ACCESSIBILITY}
        cells = set(weights.vocabulary.cells)
        pairs = [track.pair for track in self.store.tracks]
        kept = np.array([p.tf in tfs and p.cell in cells for p in pairs], dtype=bool)
        return Evidence(weights, self.store.subset(kept))

    def subset(self, pairs: Iterable[Pair]) -> Evidence:
        """Restrict the tracks to those of some pairs, and accessibility.

        Parameters
        ----------
        pairs : iterable of Pair

        Returns
        -------
        Evidence
        """
        return Evidence(self.weights, self.store.subset(self.store.tracks_of(pairs)))

    def describe(self, regions: Sequence[Region]) -> dict[str, Any]:
        """Summarize the evidence of a run, for records and descriptions.

        Parameters
        ----------
        regions : sequence of Region
            Of the run.

        Returns
        -------
        dict
            `name` of the evidence; `tracks`, their number; `fraction_in_coverage`, the
            fraction of the regions for which tracks have data; `sequence_only`, the
            chromosomes for which no track has data; `source`, `license` and `citation`
            as in :class:`tfimpute_tracks.evidence.Provenance`.
        """
        chroms = dict.fromkeys(region.chrom for region in regions)
        return {
            "name": self.store.name,
            "tracks": len(self.store.tracks),
            "fraction_in_coverage": round(self.store.fraction_in_coverage(regions), 6),
            "sequence_only": [c for c in chroms if not self.store.has_peaks(c).any()],
            **self.store.provenance._asdict(),
        }

    def describe_pair(self, pair: Pair) -> dict[str, int]:
        """Count the tracks that matter most to a pair.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        dict
            `own_tracks` of the pair, which are not used; `tf_tracks` of the TF in other
            cell lines, `cell_tracks` of other TFs in the cell line,
            `accessibility_tracks` of the cell line.
        """
        measured = [track.pair for track in self.store.tracks]
        others = [other for other in measured if other != pair]
        same_cell = [other.tf for other in others if other.cell == pair.cell]
        n_open = same_cell.count(ACCESSIBILITY)
        return {
            "own_tracks": len(measured) - len(others),
            "tf_tracks": sum(other.tf == pair.tf for other in others),
            "cell_tracks": len(same_cell) - n_open,
            "accessibility_tracks": n_open,
        }

    @cached_property
    def attention_logits(self) -> tuple[Doubles, Doubles]:
        """The two terms of a pair's attention to a track.

        As :meth:`~tfimpute_tracks.models.evidence_network.EvidenceNetwork.attention_logits`
        computes them: float64, (heads, n_tfs, n_tfs + 1) and (heads, n_cells, n_cells).
        """
        weights = self._weights
        shape = self.weights.config.heads, self.weights.config.head_size

        def products(queries: Doubles, keys: Doubles) -> Doubles:
            queries, keys = (x.reshape(len(x), *shape) for x in (queries, keys))
            found: Doubles = np.einsum("phd,qhd->hpq", queries, keys)
            return found

        tfs, cells = weights["tf_embedding"], weights["cell_embedding"]
        tf_keys = np.concatenate(
            [tfs @ weights["tf_key"], weights["accessibility_key"]]
        )
        by_tf = products(tfs @ weights["tf_query"], tf_keys)
        by_cell = products(cells @ weights["cell_query"], cells @ weights["cell_key"])
        by_tf += weights["same_tf"][:, None, None] * np.eye(*by_tf.shape[1:])
        by_cell += weights["same_cell"][:, None, None] * np.eye(len(cells))
        return by_tf, by_cell

    @cached_property
    def track_vectors(self) -> Floats:
        """What the windows and the presence of each track add to the summary.

        As :meth:`~tfimpute_tracks.models.evidence_network.SummaryNetwork.track_vectors`
        computes it, but not rounded: float32, (4, n_tracks, summary).
        """
        names = ("track_by_tf", "track_by_cell", "track_by_both", "track_gate")
        tf, cell = self.track_rows
        found = self._made_of(("track_tf", tf), ("track_cell", cell), names)
        shape = len(tf), SUMMARY_INPUTS, self.weights.config.summary
        return np.ascontiguousarray(found.reshape(shape).transpose(1, 0, 2), np.float32)

    @cached_property
    def packed_tracks(self) -> Words:
        """The vectors of the windows, rounded to bfloat16, as kernels read them.

        From :func:`~tfimpute_tracks.kernels.bfloat16.pack_halves`: int32,
        (3, n_tracks, summary / 2).
        """
        return pack_halves(self.track_vectors[:-1])

    def pair_vectors(self, tf: Ints, cell: Ints) -> Floats:
        """Compute the vectors of pairs that are multiplied with a tile's summary.

        Parameters
        ----------
        tf, cell : int64 array, shape (n_pairs,)
            Rows of the vocabulary.

        Returns
        -------
        float32 array, shape (n_pairs, summary + 1)
            As :meth:`~tfimpute_tracks.models.evidence_network.SummaryNetwork.pair_vectors`
            computes them.
        """
        names = ("pair_by_tf", "pair_by_cell", "pair_by_both", "pair_gate")
        found = self._made_of(("pair_tf", tf), ("pair_cell", cell), names)
        found += self._weights["summary.pair_bias"]
        found[:, :-1] *= self.weights.config.summary**-0.5
        return found.astype(np.float32)

    def grid_vectors(self, tf: Ints, cell: Ints) -> tuple[Doubles, Doubles]:
        """Compute what the vectors of pairs are made of: v(t, c) = sum_i G_ti R_ic.

        Parameters
        ----------
        tf, cell : int64 array, shape (n_tfs,) and (n_cells,)
            Rows of the vocabulary.

        Returns
        -------
        g, r : float64 array
            Shape (n_tfs, n_factors) and (n_factors, n_cells, summary + 1).
        """
        weights = {k.removeprefix("summary."): v for k, v in self._weights.items()}
        by_tf, by_cell = weights["pair_tf"][tf], weights["pair_cell"][cell]
        size = self.weights.config.summary
        gate = np.tanh(by_cell @ weights["pair_gate"])  # (n_cells, summary)
        of_factors = np.repeat(weights["pair_by_tf"][:, None], len(cell), axis=1)
        of_factors[:, :, :size] += weights["pair_by_both"][:, None] * gate
        alone = by_cell @ weights["pair_by_cell"] + weights["pair_bias"]
        found = np.concatenate([of_factors, alone[None]])
        found[:, :, :size] *= size**-0.5
        return np.pad(by_tf, ((0, 0), (0, 1)), constant_values=1), found

    @cached_property
    def _weights(self) -> dict[str, Doubles]:
        return {k: v.astype(np.float64) for k, v in self.weights.weights.items()}

    def _made_of(
        self, tfs: tuple[str, Ints], cells: tuple[str, Ints], names: Sequence[str]
    ) -> Doubles:
        """Compute A F_t + B F'_c + (C F_t) tanh(D F'_c) of the definition.

        Each TF and cell line is multiplied once, however many pairs it is in.
        """
        a, b, c, d = (self._weights[f"summary.{name}"] for name in names)
        (tf_rows, tf), (cell_rows, cell) = (
            np.unique(rows, return_inverse=True) for _, rows in (tfs, cells)
        )
        by_tf = self._weights[f"summary.{tfs[0]}"][tf_rows]
        by_cell = self._weights[f"summary.{cells[0]}"][cell_rows]
        gate = np.tanh(by_cell @ d)
        of_tf, of_cell, of_both = by_tf @ a, by_cell @ b, by_tf @ c
        found = np.empty((len(tf), a.shape[1]))
        for first in range(0, len(tf), _ROWS):  # which stay in the second cache
            some = slice(first, first + _ROWS)
            part = of_tf[tf[some]]
            part += of_cell[cell[some]]
            part[:, : c.shape[1]] += of_both[tf[some]] * gate[cell[some]]
            found[some] = part
        return found


def track_rows(store: EvidenceStore, vocabulary: Vocabulary) -> tuple[Ints, Ints]:
    """Find the TF and the cell line of each track.

    Parameters
    ----------
    store : EvidenceStore
    vocabulary : Vocabulary

    Returns
    -------
    tf, cell : int64 array, shape (n_tracks,)
        Indices in the vocabulary; accessibility comes after its last TF.

    Raises
    ------
    InputFileError
        The store has a TF or a cell line that the vocabulary lacks.
    """
    tfs = {name: row for row, name in enumerate((*vocabulary.tfs, ACCESSIBILITY))}
    cells = {name: row for row, name in enumerate(vocabulary.cells)}
    pairs = [track.pair for track in store.tracks]
    unknown = [p for p in pairs if p.tf not in tfs or p.cell not in cells]
    if unknown:
        raise InputFileError(
            f"{store.name} has a track of {unknown[0]}, which the model does not know; "
            "build it with `tfimpute-tracks evidence build -m MODEL`, which omits such "
            "tracks"
        )
    rows = np.array([(tfs[p.tf], cells[p.cell]) for p in pairs], dtype=np.int64)
    tf, cell = rows.reshape(-1, 2).T
    return tf, cell
