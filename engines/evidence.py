"""Measured tracks applied to log-odds: what evidence makes of the scores of some pairs.

A :class:`PairEvidence` takes log-odds by sequence alone and the positions of the tiles,
and returns log-odds by both. A pair's own tracks never count. Outside the regions that
evidence covers, or on a chromosome without a peak, sequence alone counts: there its
log-odds are calibrated, so that a score means the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.summary import PairSummary
from tfimpute_tracks.kernels.attention import (
    AttentionWeights,
    SummaryRows,
    apply_attention,
)
from tfimpute_tracks.kernels.coverage import Coverage
from tfimpute_tracks.kernels.own_tracks import OwnTracks, exclude_own, own_tracks
from tfimpute_tracks.kernels.pair_groups import (
    ROW,
    PairRows,
    group_pairs,
    pair_rows,
    track_rows,
)
from tfimpute_tracks.kernels.summary import summarize
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import EvidenceWeights

__all__ = ["ConditionedPairs", "PairEvidence"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_UNIT = 3.0  # as in the definition
_MIN_SUM = 1e-30  # of a sum of weights: 100 over it must be a float32
_FEW_PAIRS = 64  # less work one by one than for all TFs and cell lines
_TILES = 1024  # whose summaries are in memory at a time


class _Prepared(NamedTuple):
    """What depends on the tracks to use, but not on the tiles.

    Attributes
    ----------
    rows : PairRows
    constant : float32 array, shape (summary,)
        Of the summary, without peaks.
    own : OwnTracks
    """

    rows: PairRows
    constant: Floats
    own: OwnTracks


class ConditionedPairs:
    """Evidence set up for some pairs, of which some may be of added names.

    Parameters
    ----------
    evidence : Evidence
    pairs : sequence of (TF row, cell-line row)
    """

    def __init__(self, evidence: Evidence, pairs: Sequence[tuple[int, int]]) -> None:
        index = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        base, n_base = evidence.base, evidence.weights.n_base
        self._parts: list[tuple[Ints, PairEvidence]]
        if base is None or n_base is None:
            self._parts = [(np.arange(len(index)), PairEvidence(evidence, pairs))]
            return
        is_old = (index < np.array(n_base)).all(axis=1)
        self._parts = [
            (np.flatnonzero(which), PairEvidence(part, index[which].tolist()))
            for part, which in ((base, is_old), (evidence, ~is_old))
            if which.any()
        ]

    def apply(self, logits: Floats, chrom: str, centers: Ints) -> Floats:
        """Condition log-odds; see :meth:`PairEvidence.apply`.

        Parameters
        ----------
        logits : float32 array, shape (n_tiles, n_pairs)
        chrom : str
        centers : int64 array, shape (n_tiles,), ascending

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
        """
        if len(self._parts) == 1:
            return self._parts[0][1].apply(logits, chrom, centers)
        for columns, part in self._parts:
            some = np.ascontiguousarray(logits[:, columns])
            logits[:, columns] = part.apply(some, chrom, centers)
        return logits


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
        _, first, same = np.unique(
            np.stack([self._tf, self._cell]),
            axis=1,
            return_index=True,
            return_inverse=True,
        )
        # A data set with replicates has a pair several times.
        self._first = first[same.ravel()]
        self._repeated = np.flatnonzero(self._first != np.arange(len(self._tf)))
        self._known: dict[bytes, _Prepared] = {}
        self._lock = Lock()
        by_tf, by_cell = evidence.attention_logits
        # So that no weight overflows; the null logit below makes up for it.
        self._most_tf, self._most_cell = by_tf.max(axis=2), by_cell.max(axis=2)
        self._by_tf = np.exp(by_tf - self._most_tf[:, :, None])
        self._by_cell = np.exp(by_cell - self._most_cell[:, :, None])
        self._tracks = track_rows(*evidence.track_rows, self._by_tf, self._by_cell)
        self._groups = group_pairs(self._tf, self._cell)
        self._shared = _shared_weights(evidence.weights)
        self._summary = PairSummary(evidence, self._tf, self._cell, self._groups)
        given = evidence.weights.weights
        self._alone = (
            given["sequence_slope"][0],
            given["sequence_offset"][self._tf, self._cell],
        )

    def apply(
        self, logits: Floats, chrom: str, centers: Ints, kept: Mask | None = None
    ) -> Floats:
        """Condition log-odds on measured tracks.

        Parameters
        ----------
        logits : float32 array, shape (n_tiles, n_pairs)
            By sequence alone. An array of float32 with contiguous rows is overwritten
            with the result, and returned.
        chrom : str
        centers : int64 array, shape (n_tiles,), ascending
            Of the tiles, 0-based, in bp.
        kept : bool array, shape (n_tracks,), optional
            Tracks to use; by default all.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
        """
        store, config = self._evidence.store, self._evidence.weights.config
        measured = store.has_peaks(chrom)
        if kept is not None:
            measured = measured & kept
        if not measured.any():
            return self._sequence_only(logits)
        starts = centers - config.window // 2
        covered = store.in_coverage(chrom, starts, config.window)
        if not covered.any():
            return self._sequence_only(logits)
        coverage = store.window_coverage(chrom, centers, config.windows)
        if kept is not None:
            coverage = coverage.of(measured)
        return self.apply_coverage(logits, covered, coverage, measured)

    def apply_coverage(
        self, logits: Floats, covered: Mask, coverage: Coverage, measured: Mask
    ) -> Floats:
        """Condition log-odds on tracks whose coverage of the tiles is known.

        Parameters
        ----------
        logits : float32 array, shape (n_tiles, n_pairs)
            As for :meth:`apply`.
        covered : bool array, shape (n_tiles,)
            Tiles inside the regions of the evidence.
        coverage : Coverage
            Fractions of the windows of each tile that each track covers.
        measured : bool array, shape (n_tracks,)
            Tracks to use.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
        """
        found = logits
        if logits.dtype != np.float32 or logits.strides[1] != logits.itemsize:
            found = np.ascontiguousarray(logits, dtype=np.float32)
        prepared = self._prepare(measured)
        for first in range(0, len(found), _TILES):
            part = slice(first, first + _TILES)
            some = coverage.rows(part)
            self._apply_part(found[part], covered[part], some, prepared)
        if not covered.all():
            found[~covered] = self._sequence_only(found[~covered])
        return found

    def _sequence_only(self, logits: Floats) -> Floats:
        """Calibrate log-odds where sequence alone counts."""
        slope, offset = self._alone
        found: Floats = slope * logits + offset
        return found

    def _apply_part(
        self, logits: Floats, covered: Mask, coverage: Coverage, prepared: _Prepared
    ) -> None:
        """Condition log-odds of a few tiles, in place."""
        tracks = self._evidence.packed_tracks
        has_peak = np.diff(coverage.indptr) > 0
        row = np.where(has_peak, np.cumsum(has_peak), 0)
        bounds = np.append(coverage.indptr[:-1][has_peak], coverage.indptr[-1])
        near = Coverage(bounds, coverage.track, coverage.fraction)
        sums = summarize(near, tracks, prepared.constant)
        log_odds = self._summary.log_odds(sums)
        exclude_own(log_odds, sums, near, tracks, prepared.own)
        columns, same = self._summary.columns, self._repeated
        log_odds[:, columns[same]] = log_odds[:, columns[self._first[same]]]
        # Attention reads the narrowest window; the others are the summary's alone.
        apply_attention(
            logits,
            covered,
            coverage.narrowest(),
            SummaryRows(row, log_odds, self._summary.first),
            self._tracks,
            prepared.rows,
            self._shared,
        )

    def _prepare(self, measured: Mask) -> _Prepared:
        """Prepare the pairs for a set of tracks; cached."""
        key = measured.tobytes()
        with self._lock:
            if key not in self._known:
                self._known[key] = self._prepared(measured)
            return self._known[key]

    def _prepared(self, measured: Mask) -> _Prepared:
        present = self._evidence.track_vectors[-1]
        there = present[measured].sum(axis=0, dtype=np.float64)
        bias = self._evidence.weights.weights["summary.summary_bias"]
        own = own_tracks(
            present,
            self._owner(measured),
            self._summary.vectors,
            self._summary.columns,
        )
        constant = (there + bias).astype(np.float32)
        return _Prepared(self._pair_rows(measured), constant, own)

    def _owner(self, measured: Mask) -> Ints:
        """Find the pair, if any, that each available track belongs to; -1 for none."""
        vocabulary = self._evidence.weights.vocabulary
        track_tf, track_cell = self._evidence.track_rows
        column = np.full((len(vocabulary.tfs) + 1, len(vocabulary.cells)), -1)
        column[self._tf, self._cell] = self._first
        found: Ints = np.where(measured, column[track_tf, track_cell], -1)
        return found

    def _pair_rows(self, measured: Mask) -> PairRows:
        given = self._evidence.weights.weights
        tf, cell = self._tf, self._cell
        track_tf, track_cell = (r[measured] for r in self._evidence.track_rows)
        null = given["null_logit"][:, None]
        null = null - self._most_tf[:, tf] - self._most_cell[:, cell]
        own = np.isin(tf * (1 << 32) + cell, track_tf * (1 << 32) + track_cell)
        total = np.exp(null)
        if len(tf) > _FEW_PAIRS:
            for head, sums in enumerate(total):
                of_tf = self._by_tf[head][:, track_tf]
                of_cell = self._by_cell[head][:, track_cell]
                sums += (of_tf @ of_cell.T)[tf, cell]
            by_itself = np.flatnonzero(own)
        else:
            by_itself = np.arange(len(tf))
        for pair in by_itself:
            # Own tracks are left out, not subtracted: theirs are the largest weights, and
            # few digits of the others would be left.
            others = (track_tf != tf[pair]) | (track_cell != cell[pair])
            of_tf = self._by_tf[:, tf[pair]][:, track_tf[others]]
            of_cell = self._by_cell[:, cell[pair]][:, track_cell[others]]
            total[:, pair] = np.exp(null[:, pair]) + (of_tf * of_cell).sum(axis=1)
        scale = 100 / np.maximum(total, _MIN_SUM).T
        known = self._known_tracks(track_tf, track_cell)
        tf_rows, cell_rows = given["tf_embedding"][tf], given["cell_embedding"][cell]
        bias = (
            given["hidden_bias"]
            + tf_rows @ given["tf_bias"]
            + cell_rows @ given["cell_bias"]
            + known @ given["available_bias"]
        )
        offset = (
            tf_rows @ given["tf_output"]
            + cell_rows @ given["cell_output"]
            + given["output_bias"][0]
        )
        return pair_rows(self._groups, offset, bias, scale)

    def _known_tracks(self, track_tf: Ints, track_cell: Ints) -> Floats:
        """Compute d of the definition, float32 (n_pairs, 5)."""
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


def _shared_weights(weights: EvidenceWeights) -> AttentionWeights:
    given, heads = weights.weights, weights.config.heads
    by_attention = np.zeros((ROW, ROW), dtype=np.float32)
    hidden = weights.config.hidden
    # log(1 + 100 A) / 2 in the definition
    by_attention[:heads, :hidden] = given["input_weight"][2:] / 2
    return AttentionWeights(
        by_logit=_padded(given["input_weight"][0] / _UNIT),
        by_summary=_padded(given["input_weight"][1] / _UNIT),
        output=_padded(given["output_weight"]),
        direct=_padded(given["direct_weight"][2:] / 2),
        by_attention=by_attention,
        direct_logit=float(given["direct_weight"][0]) / _UNIT,
        direct_summary=float(given["direct_weight"][1]) / _UNIT,
    )


def _padded(row: NDArray[np.floating]) -> Floats:
    return np.pad(row, (0, ROW - len(row))).astype(np.float32)
