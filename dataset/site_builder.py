"""Make the sites of a data set: positives, and negatives of the chosen kind.

Positives come from ``candidates`` or ``summits``, negatives from ``candidates``,
``matching`` or the kernel that shuffles; ``builder`` combines them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfimpute_tracks.dataset.builder import (
    NegativeSites,
    combine_sites,
    shuffle_copies,
)
from tfimpute_tracks.dataset.candidates import label_pairs, read_candidates
from tfimpute_tracks.dataset.config import BuildConfig
from tfimpute_tracks.dataset.dataset import FOLDS, PairLists
from tfimpute_tracks.dataset.matching import match_negatives
from tfimpute_tracks.dataset.pairs_table import PairsTable
from tfimpute_tracks.dataset.sites import Log, Sites, read_sequences
from tfimpute_tracks.dataset.summits import PairSites, check_ranked, collect_summits
from tfimpute_tracks.errors import counted, listed
from tfimpute_tracks.genome.fasta import Genome

__all__ = ["SiteBuilder"]

_TEST = FOLDS.index("test")


@dataclass
class SiteBuilder:
    """Makes the sites of a data set, and counts what it drops.

    Parameters
    ----------
    genome : Genome
    table : PairsTable
    config : BuildConfig
    blacklist : path or None
        BED; nothing that overlaps it becomes a site.
    log : callable
        Gets each message for the user, one line.
    dropped : dict of int
        What was dropped, by reason.
    details : dict
        What else to report, by name; JSON values.
    """

    genome: Genome
    table: PairsTable
    config: BuildConfig
    blacklist: str | Path | None
    log: Log
    dropped: dict[str, int] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def build(self, candidates: str | Path | None) -> dict[str, Any]:
        """Make the sites.

        Parameters
        ----------
        candidates : path or None
            BED of candidate sites, which are the negatives where positives are the
            strongest peaks, and else the positives, or both.

        Returns
        -------
        dict
            Columns of the data set, by name.

        Raises
        ------
        InputFileError
            A file cannot be read, peaks are not ranked, or no site is left.
        """
        config = self.config
        # Before any long work: this may end the run.
        ranked = None
        if config.top is not None:
            ranked = check_ranked(self.table, config.allow_unranked, self.log)
        sites = Sites(np.empty(0, np.int32), np.empty(0, np.int64))
        bound = near = PairLists.empty(0)
        if candidates is not None:
            found = read_candidates(
                self.genome, candidates, config.window, self.blacklist, self.log
            )
            sites = found.sites
            self.dropped |= found.dropped
            bound, near = label_pairs(
                self.genome, self.table, sites, config.rule, self.log
            )
            if config.labels_every_pair:
                return {
                    "codes": found.codes,
                    **self._positions(sites),
                    "positive": bound,
                    "ignored": near,
                }
        positive = (
            _bound_sites(sites, bound) if ranked is None else self._strongest(ranked)
        )
        return self._combine(positive, sites, (bound, near))

    def _combine(
        self, positive: PairSites, sites: Sites, labels: tuple[PairLists, PairLists]
    ) -> dict[str, Any]:
        """Add negatives to the positives of each pair, and read the sequences."""
        config = self.config
        negative = self._matched(positive) if config.negatives == "matched" else None
        background = None
        if config.negatives == "dhs":
            background = self._background(sites, *labels)
        is_shuffled = config.negatives == "shuffle"
        labeled = combine_sites(positive, negative, is_shuffled, background)
        codes = read_sequences(self.genome, labeled.sites, config.seq_len)
        if is_shuffled:
            chroms = tuple(self.genome.chrom_sizes)
            equal = shuffle_copies(labeled, codes, chroms, config.seed)
            reason = "shuffled sequence equals the original"
            self.dropped[reason] = int(np.count_nonzero(equal))
            labeled, codes = labeled.keep(~equal), codes[~equal]
        return {
            "codes": codes,
            **self._positions(labeled.sites),
            "positive": labeled.positive,
            "ignored": labeled.ignored,
            "negative": labeled.negative,
            "default_label": labeled.default_label,
            "fold": labeled.fold if config.alternate else None,
            "shuffled": labeled.shuffled if is_shuffled else None,
        }

    def _positions(self, sites: Sites) -> dict[str, Any]:
        start = sites.center - self.config.seq_len // 2
        return {"chrom_id": sites.chrom_id, "start": start}

    def _by_name(self, values: Mapping[int, Any]) -> dict[str, Any]:
        return {self.table.name(row): value for row, value in values.items()}

    def _strongest(self, ranked: list[bool]) -> PairSites:
        config = self.config
        found = collect_summits(
            self.genome,
            self.table,
            ranked,
            config.top,
            config.window,
            self.blacklist,
            self.log,
        )
        self.dropped |= {f"peak, {reason}": n for reason, n in found.dropped.items()}
        if found.too_few:
            too_few = self._by_name(found.too_few)
            self.details["fewer_peaks"] = too_few
            self.log(
                f"fewer than {config.top:,} usable peaks for "
                f"{counted(len(too_few), 'pair')}; all of them are used: "
                f"{_listed_counts(too_few.items())}"
            )
        unranked = [i for i, is_ranked in enumerate(ranked) if not is_ranked]
        if unranked:
            self.details["unranked"] = [self.table.name(i) for i in unranked]
        if config.alternate:
            return found.summits
        return found.summits._replace(fold=np.zeros_like(found.summits.fold))

    def _background(
        self, sites: Sites, bound: PairLists, near: PairLists
    ) -> NegativeSites:
        """Use candidate sites as negatives; those near a peak of a pair are ignored."""
        n = len(sites.center)
        entries = [lists.entries(np.arange(n)) for lists in (bound, near)]
        rows, pairs = (np.concatenate(column) for column in zip(*entries, strict=True))
        fold = np.zeros(n, dtype=np.int64)
        if self.config.alternate:
            fold[1::2] = _TEST
        return NegativeSites(sites, fold, PairLists.from_entries(rows, pairs, n))

    def _matched(self, positive: PairSites) -> PairSites:
        config = self.config
        # No negative shares a base with a positive: a window around a summit reaches
        # half a window beyond the peak, one of a candidate site half a middle more.
        distance = -(-config.seq_len // 2)
        if config.top is None:
            distance += config.rule.central // 2
        found = match_negatives(
            self.genome,
            self.table,
            positive,
            config.window,
            max(config.rule.margin, distance),
            self.blacklist,
            config.seed,
        )
        wanted, matched = len(positive.pair), len(found.sites.pair)
        self.details["candidates"] = found.n_candidates
        self.details["matched"] = [matched, wanted]
        self.details["largest_difference"] = round(found.largest_difference, 6)
        if found.no_case:
            self.details["without_lower_case"] = found.no_case
            self.log(
                f"{self.genome.path}: no lower-case bases on {listed(found.no_case)}; "
                "negatives match GC content only there"
            )
        if found.unmatched:
            unmatched = self._by_name(found.unmatched)
            self.details["unmatched"] = {n: list(v) for n, v in unmatched.items()}
            counts = _listed_counts(
                (n, f"{m:,} of {w:,}") for n, (m, w) in unmatched.items()
            )
            self.log(
                f"{matched:,} of {wanted:,} positives were matched; too few candidates "
                f"for {counted(len(unmatched), 'pair')}: {counts}; distributions differ by "
                f"{found.largest_difference:.3f} at most, in a bin of "
                f"{self.table.name(found.worst_pair)}"
            )
        return found.sites


def _bound_sites(sites: Sites, bound: PairLists) -> PairSites:
    """Return the positive candidate sites, once for each pair."""
    rows, pairs = bound.entries(np.arange(len(sites.center)))
    return PairSites(
        sites.chrom_id[rows].astype(np.int64),
        sites.center[rows],
        pairs.astype(np.int64),
        np.zeros(len(rows), dtype=np.int64),
    )


def _listed_counts(counts: Iterable[tuple[str, int | str]]) -> str:
    return listed(
        [f"{name} {n:,}" if isinstance(n, int) else f"{name} {n}" for name, n in counts]
    )
