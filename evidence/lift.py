"""From an evidence file of one assembly to one of another, by a chain file.

Peaks are lifted as intervals. So is their coverage, in pieces: the parts of the target
that have no counterpart in the source have no data, so that the absence of a peak there
is not taken for a negative result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence.peak_database import PeakDatabase, Peaks
from tfimpute_tracks.evidence.store import EvidenceStore
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.chain import OUTCOMES, Chain
from tfimpute_tracks.genome.chroms import find_chrom

__all__ = ["LiftReport", "lift_evidence"]

# Coverage is lifted in long pieces. Those that do not fit exactly are cut into shorter
# ones, and again, which finds the borders of what has a counterpart in little time.
_PIECES = 5000, 500, 50  # bp
_MAX_GAP = 100  # bp between lifted pieces that belong to one region
_KEPT = OUTCOMES.index("kept")

Ints = NDArray[np.int64]


class _Part(NamedTuple):
    """Peaks of one chromosome that were lifted to one chromosome."""

    start: NDArray[np.int32]
    end: NDArray[np.int32]
    track: NDArray[np.uint16]


@dataclass
class LiftReport:
    """What became of the peaks.

    Parameters
    ----------
    intervals, peaks : dict of str to int
        Number of different intervals, and of peaks of all tracks, by outcome: those of
        :data:`tfimpute_tracks.genome.chain.OUTCOMES`, and of those that were kept,
        `moved` to another chromosome and `reversed`.
    dropped : int
        Of the peaks that were kept, those that moved to a chromosome for which their
        track has no data, and are left out.
    source_bp, target_bp : int
        Length of the regions before and after.
    """

    intervals: dict[str, int] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    source_bp: int = 0
    target_bp: int = 0

    @property
    def fraction_kept(self) -> float:
        """Fraction of the peaks that are in the new file."""
        total = sum(self.peaks.get(outcome, 0) for outcome in OUTCOMES)
        return (self.peaks["kept"] - self.dropped) / total if total else 0.0

    def __str__(self) -> str:
        counts = self.peaks | {"dropped": self.dropped}
        return "peaks " + ", ".join(f"{name} {n:,}" for name, n in counts.items())

    def summary(self) -> dict[str, Any]:
        """Summarize the report.

        Returns
        -------
        dict
            JSON values.
        """
        return {
            "intervals": self.intervals,
            "peaks": self.peaks | {"dropped": self.dropped},
            "fraction_kept": round(self.fraction_kept, 5),
            "regions_bp": self.source_bp,
            "lifted_regions_bp": self.target_bp,
        }


def lift_evidence(
    store: EvidenceStore,
    chain: Chain,
    chrom_sizes: Mapping[str, int],
    build: str = "",
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[PeakDatabase, LiftReport]:
    """Lift evidence to another assembly.

    Parameters
    ----------
    store : EvidenceStore
    chain : Chain
        From its assembly to the other.
    chrom_sizes : mapping of str to int
        Chromosomes of the other assembly, in bp, as the chain was opened with.
    build : str
        Name of the other assembly.
    advance : callable
        Called with the number of chromosomes done since the last call.

    Returns
    -------
    PeakDatabase, LiftReport

    Raises
    ------
    InputFileError
        The evidence is gone or damaged, or no peak could be lifted.
    """
    lifter = _Lifter(store, chain, chrom_sizes)
    for chrom in store.chrom_sizes:
        lifter.add(chrom)
        advance(1)
    database, report = lifter.finish(build), lifter.report
    origin = store.provenance
    step = f"lifted from {store.build or 'another assembly'} by {chain.name}: {report}"
    source = f"{origin.source}; {step}" if origin.source else step
    return replace(database, provenance=origin._replace(source=source)), report


class _Lifter:
    """Lifts one chromosome after the other, and collects what it finds by target."""

    def __init__(
        self, store: EvidenceStore, chain: Chain, sizes: Mapping[str, int]
    ) -> None:
        self._store, self._chain, self._sizes = store, chain, dict(sizes)
        self._targets = list(sizes)
        self.report = LiftReport(
            dict.fromkeys((*OUTCOMES, "moved", "reversed"), 0),
            dict.fromkeys((*OUTCOMES, "moved", "reversed"), 0),
        )
        self._parts: dict[int, list[_Part]] = {}
        self._spans: dict[int, list[tuple[Ints, Ints]]] = {}
        # bp of coverage of each target that come from each chromosome
        self._origin: dict[int, dict[str, int]] = {}

    def add(self, chrom: str) -> None:
        """Lift the peaks and the coverage of a chromosome."""
        peaks = self._store.peaks(chrom)
        self._add_peaks(chrom, peaks)
        regions = [region for region in self._store.regions if region.chrom == chrom]
        self.report.source_bp += sum(region.end - region.start for region in regions)
        start = np.array([region.start for region in regions], dtype=np.int64)
        end = np.array([region.end for region in regions], dtype=np.int64)
        for length in _PIECES:
            start, end = _cut(start, end, length)
            left = self._add_coverage(chrom, start, end, length)
            start, end = start[left], end[left]

    def _add_coverage(
        self, chrom: str, start: Ints, end: Ints, length: int
    ) -> NDArray[np.bool_]:
        """Lift pieces of coverage, and find those to cut into shorter ones."""
        lifted = self._chain.lift(chrom, start, end)
        kept = lifted.outcome == _KEPT
        if length > min(_PIECES):
            kept &= lifted.end - lifted.start == end - start
        for target in np.unique(lifted.chrom[kept]).tolist():
            own = kept & (lifted.chrom == target)
            span = lifted.start[own], lifted.end[own]
            self._spans.setdefault(target, []).append(span)
            origin = self._origin.setdefault(target, {})
            origin[chrom] = origin.get(chrom, 0) + int((span[1] - span[0]).sum())
        # Most of the others are in gaps of the assembly, far from any counterpart.
        is_gap = lifted.is_lost & (length < max(_PIECES))
        left: NDArray[np.bool_] = ~(kept | is_gap)
        return left

    def _add_peaks(self, chrom: str, peaks: Peaks) -> None:
        if not len(peaks.start):
            return
        order = np.lexsort((peaks.end, peaks.start))
        start, end = peaks.start[order], peaks.end[order]
        is_new = np.ones(len(start), dtype=bool)
        is_new[1:] = (np.diff(start) != 0) | (np.diff(end) != 0)
        lifted = self._chain.lift(chrom, start[is_new], end[is_new])
        n_tracks = np.bincount(np.cumsum(is_new) - 1)
        kept = lifted.outcome == _KEPT
        here = find_chrom(chrom, self._sizes)
        target = self._targets.index(here) if here is not None else -1
        groups = {name: lifted.outcome == i for i, name in enumerate(OUTCOMES)}
        groups |= {
            "moved": kept & (lifted.chrom != target),
            "reversed": kept & lifted.is_reversed,
        }
        for name, is_in in groups.items():
            self.report.intervals[name] += int(is_in.sum())
            self.report.peaks[name] += int(n_tracks[is_in].sum())
        track = peaks.track[order]
        for number in np.unique(lifted.chrom[kept]).tolist():
            own = kept & (lifted.chrom == number)
            repeated = np.repeat(own, n_tracks)
            part = _Part(
                np.repeat(lifted.start[own], n_tracks[own]).astype(np.int32),
                np.repeat(lifted.end[own], n_tracks[own]).astype(np.int32),
                track[repeated],
            )
            self._parts.setdefault(number, []).append(part)
            # A peak that was kept is covered, even if the piece around it is not.
            span = lifted.start[own], lifted.end[own]
            self._spans.setdefault(number, []).append(span)

    def finish(self, build: str) -> PeakDatabase:
        """Combine what was lifted to each chromosome."""
        store, n_tracks = self._store, len(self._store.tracks)
        has_peaks = np.zeros((n_tracks, len(self._targets)), dtype=bool)
        regions: list[Region] = []
        peaks: dict[str, Peaks] = {}
        for number, name in enumerate(self._targets):
            origin = self._origin.get(number)
            if not origin:
                continue
            # A track has data here if it has for where most of the chromosome is from.
            measured = store.has_peaks(max(origin, key=lambda chrom: origin[chrom]))
            has_peaks[:, number] = measured
            regions += _merge(name, self._spans.pop(number))
            found = self._combine(self._parts.pop(number, []), measured)
            if len(found.start):
                peaks[name] = found
        if not peaks:
            raise InputFileError(
                f"no peak of {store.name} has a place in the target; use a FASTA of the "
                "whole assembly"
            )
        self.report.target_bp = sum(end - start for _, start, end in regions)
        facts = store.tracks, self._sizes, tuple(regions), has_peaks, peaks, build
        return PeakDatabase(*facts, store.provenance)

    def _combine(self, parts: list[_Part], measured: NDArray[np.bool_]) -> Peaks:
        """Sort the peaks of a chromosome, and merge those of a track that meet."""
        if not parts:
            return Peaks.none()
        start, end, track = (np.concatenate(own) for own in zip(*parts, strict=True))
        known = measured[track]
        self.report.dropped += int((~known).sum())
        start, end, track = start[known], end[known], track[known]
        order = np.lexsort((start, track))
        offset = track[order].astype(np.int64) << 32  # separates the tracks
        lows, highs = start[order] + offset, end[order] + offset
        reached = np.maximum.accumulate(highs)
        first = np.ones(len(lows), dtype=bool)
        first[1:] = lows[1:] > reached[:-1]
        last = np.append(first[1:], True)[: len(first)]
        merged = lows[first] - offset[first], reached[last] - offset[last]
        tracks = track[order][first]
        order = np.lexsort((tracks, merged[0]))
        return Peaks(merged[0][order], merged[1][order], tracks[order])


def _cut(start: Ints, end: Ints, length: int) -> tuple[Ints, Ints]:
    """Cut intervals into pieces of a length, the last of each as long as is left."""
    n_pieces = -(-(end - start) // length)
    first = np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
    number = np.arange(len(first)) - first
    low = np.repeat(start, n_pieces) + number * length
    return low, np.minimum(low + length, np.repeat(end, n_pieces))


def _merge(chrom: str, spans: list[tuple[Ints, Ints]]) -> list[Region]:
    """Merge the lifted intervals of a chromosome that are near to each other."""
    start, end = (np.concatenate(own) for own in zip(*spans, strict=True))
    order = np.argsort(start, kind="stable")
    start, reached = start[order], np.maximum.accumulate(end[order])
    first = np.append(True, start[1:] > reached[:-1] + _MAX_GAP)
    last = np.append(first[1:], True)
    return [
        Region(chrom, low, high)
        for low, high in zip(start[first].tolist(), reached[last].tolist(), strict=True)
    ]
