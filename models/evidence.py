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
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence import ACCESSIBILITY, EvidenceStore
from tfimpute_tracks.genome import Region
from tfimpute_tracks.kernels.attention import AttentionWeights, apply_attention
from tfimpute_tracks.kernels.coverage import Coverage
from tfimpute_tracks.kernels.pair_groups import (
    ROW,
    PairRows,
    group_pairs,
    pair_rows,
)
from tfimpute_tracks.kernels.pair_groups import (
    track_rows as arrange_tracks,
)
from tfimpute_tracks.models.evidence_weights import EvidenceWeights
from tfimpute_tracks.vocabulary import Pair, Vocabulary

if TYPE_CHECKING:
    from tfimpute_tracks.models.model import Model

__all__ = ["Evidence", "PairEvidence", "open_pair_evidence", "track_rows"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_UNIT = 3.0  # as in the definition
_LEAST = 1e-30  # of a sum of weights: 100 over it must be a float32


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


class PairEvidence:
    """Evidence set up for some pairs; safe for threads.

    Parameters
    ----------
    evidence : Evidence
    pairs : sequence of (TF row, cell-line row)
    """

    def __init__(self, evidence: Evidence, pairs: Sequence[tuple[int, int]]) -> None:
        self._evidence = evidence
        self._tf, self._cell = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        self._known: dict[bytes, PairRows] = {}
        self._lock = Lock()
        by_tf, by_cell = evidence.attention
        # So that no weight overflows: what is taken off comes back with the doubt.
        self._most_tf, self._most_cell = by_tf.max(axis=2), by_cell.max(axis=2)
        self._by_tf = np.exp(by_tf - self._most_tf[:, :, None])
        self._by_cell = np.exp(by_cell - self._most_cell[:, :, None])
        self._tracks = arrange_tracks(*evidence.track_rows, self._by_tf, self._by_cell)
        self._groups = group_pairs(self._tf, self._cell)
        self._shared = _shared_weights(evidence.weights)
        given = evidence.weights.weights
        self._alone = (
            given["alone_slope"][0],
            given["alone_offset"][self._tf, self._cell],
        )

    def logits(
        self, logits: Floats, chrom: str, centers: Ints, kept: Mask | None = None
    ) -> Floats:
        """Give log-odds by letters and tracks.

        Parameters
        ----------
        logits : float32 array, shape (n_tiles, n_pairs)
            By letters; where it is contiguous, the result takes its place.
        chrom : str
        centers : int64 array, shape (n_tiles,), ascending
            Of the tiles: 0-based, in bp.
        kept : bool array, shape (n_tracks,), optional
            Tracks that take part; by default all.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
        """
        store, width = self._evidence.store, self._evidence.weights.config.width
        measured = store.has_peaks(chrom)
        if kept is not None:
            measured = measured & kept
        if not measured.any():
            return self._by_letters(logits)
        starts = centers - width // 2
        told = store.in_coverage(chrom, starts, width)
        if not told.any():
            return self._by_letters(logits)
        cover = store.coverage(chrom, starts, width)
        if kept is not None:
            cover = cover.of(measured)
        return self.apply_attention(logits, told, cover, measured)

    def apply_attention(
        self, logits: Floats, told: Mask, cover: Coverage, measured: Mask
    ) -> Floats:
        """Give log-odds by letters and what tracks cover of tiles.

        Parameters
        ----------
        logits : float32 array, shape (n_tiles, n_pairs)
            As for :meth:`logits`.
        told : bool array, shape (n_tiles,)
            Tiles of which tracks say anything.
        cover : Coverage
            Of the tiles' middles.
        measured : bool array, shape (n_tracks,)
            Tracks that take part.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
        """
        found = np.ascontiguousarray(logits, dtype=np.float32)
        rows = self.rows(measured)
        apply_attention(found, told, cover, self._tracks, rows, self._shared)
        if not told.all():
            found[~told] = self._by_letters(found[~told])
        return found

    def _by_letters(self, logits: Floats) -> Floats:
        """Give log-odds of being bound where letters are all there is."""
        slope, offset = self._alone
        found: Floats = slope * logits + offset
        return found

    def rows(self, measured: Mask) -> PairRows:
        """Give what is known of the pairs where some tracks take part.

        Parameters
        ----------
        measured : bool array, shape (n_tracks,)

        Returns
        -------
        PairRows
        """
        key = measured.tobytes()
        with self._lock:
            if key not in self._known:
                self._known[key] = self._pair_rows(measured)
            return self._known[key]

    def _pair_rows(self, measured: Mask) -> PairRows:
        given = self._evidence.weights.weights
        tf, cell = self._tf, self._cell
        track_tf, track_cell = (r[measured] for r in self._evidence.track_rows)
        doubt = (
            given["doubt"][:, None] - self._most_tf[:, tf] - self._most_cell[:, cell]
        )
        own = np.isin(tf * (1 << 32) + cell, track_tf * (1 << 32) + track_cell)
        total = np.exp(doubt)
        for head, sums in enumerate(total):
            of_tf = self._by_tf[head][:, track_tf]
            of_cell = self._by_cell[head][:, track_cell]
            sums += (of_tf @ of_cell.T)[tf, cell]
        for pair in np.flatnonzero(own):
            # Not by subtraction: a pair's own track weighs most, and little would be
            # left of the others' digits.
            others = (track_tf != tf[pair]) | (track_cell != cell[pair])
            of_tf = self._by_tf[:, tf[pair]][:, track_tf[others]]
            of_cell = self._by_cell[:, cell[pair]][:, track_cell[others]]
            total[:, pair] = np.exp(doubt[:, pair]) + (of_tf * of_cell).sum(axis=1)
        scale = 100 / np.maximum(total, _LEAST).T
        known = self._known_tracks(track_tf, track_cell)
        tf_rows, cell_rows = given["tf_embedding"][tf], given["cell_embedding"][cell]
        bias = (
            given["hidden_bias"]
            + tf_rows @ given["tf_bias"]
            + cell_rows @ given["cell_bias"]
            + known @ given["known_bias"]
        )
        offset = (
            tf_rows @ given["tf_output"]
            + cell_rows @ given["cell_output"]
            + given["output_bias"][0]
        )
        return pair_rows(self._groups, offset, bias, scale)

    def _known_tracks(self, track_tf: Ints, track_cell: Ints) -> Floats:
        """Give d of the definition, float32 (n_pairs, 5)."""
        n_tfs = len(self._evidence.weights.vocabulary.tfs)
        n_cells = len(self._evidence.weights.vocabulary.cells)
        counts = np.zeros((n_tfs + 1, n_cells))
        np.add.at(counts, (track_tf, track_cell), 1)
        own = counts[self._tf, self._cell]
        n_open = counts[n_tfs][self._cell]
        cells = counts[:n_tfs].sum(axis=1)[self._tf] - own
        tfs = counts[:n_tfs].sum(axis=0)[self._cell] - own
        columns = [np.log1p(cells), np.log1p(tfs), cells == 0, tfs == 0, n_open > 0]
        return np.stack(columns, axis=1).astype(np.float32)


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


def open_pair_evidence(model: Model, pairs: Sequence[Pair]) -> PairEvidence | None:
    """Set a model's evidence up for pairs.

    Parameters
    ----------
    model : Model
    pairs : sequence of Pair

    Returns
    -------
    PairEvidence or None
        None where the model goes by letters alone.
    """
    if model.evidence is None:
        return None
    return PairEvidence(model.evidence, model.vocabulary.pair_indices(pairs))


def _shared_weights(weights: EvidenceWeights) -> AttentionWeights:
    given, heads = weights.weights, weights.config.heads
    by_attention = np.zeros((ROW, ROW), dtype=np.float32)
    hidden = weights.config.hidden
    # log(1 + 100 A) / 2 in the definition
    by_attention[:heads, :hidden] = given["input_weight"][1:] / 2
    return AttentionWeights(
        by_logit=_padded(given["input_weight"][0] / _UNIT),
        output=_padded(given["output_weight"]),
        direct=_padded(given["direct_weight"][1:] / 2),
        by_attention=by_attention,
        direct_logit=float(given["direct_weight"][0]) / _UNIT,
    )


def _padded(row: NDArray[np.floating]) -> Floats:
    return np.pad(row, (0, ROW - len(row))).astype(np.float32)
