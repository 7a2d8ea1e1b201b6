"""Sites made for single pairs: their positives, and negatives of the chosen kind.

What ``build`` does when not every site says something of every pair. Positives come
from ``summits`` or ``background``, negatives from ``background``, ``matching`` or the
kernel that shuffles; ``assembly`` brings them together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfimpute_tracks.dataset.background import label_pairs, read_background
from tfimpute_tracks.dataset.builder import BackgroundSites, assemble, fill_shuffled
from tfimpute_tracks.dataset.config import BuildConfig
from tfimpute_tracks.dataset.dataset import FOLDS, PairLists
from tfimpute_tracks.dataset.matching import match_negatives
from tfimpute_tracks.dataset.pairs_table import PairsTable
from tfimpute_tracks.dataset.sites import (
    Log,
    Sites,
    read_sequences,
)
from tfimpute_tracks.dataset.summits import PairSites, check_ranked, collect_summits
from tfimpute_tracks.errors import listed
from tfimpute_tracks.genome.fasta import Genome

__all__ = ["Protocol"]

_TEST = FOLDS.index("test")


@dataclass
class Protocol:
    """One making of sites, and what it has to tell.

    Parameters
    ----------
    genome : Genome
    table : PairsTable
    config : BuildConfig
        Of a protocol that is not plain.
    blacklist : path or None
        BED; nothing that touches it becomes a site.
    log : callable
        Gets each remark for the user, one line.
    dropped : dict of int
        What was left out, by reason.
    details : dict
        What else there is to tell, by name; JSON values.
    """

    genome: Genome
    table: PairsTable
    config: BuildConfig
    blacklist: str | Path | None
    log: Log
    dropped: dict[str, int] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def make(self, background: str | Path | None) -> dict[str, Any]:
        """Make the sites of each pair and bring them together.

        Parameters
        ----------
        background : path or None
            BED. Gives negatives where positives are the strongest peaks, and else
            positives.

        Returns
        -------
        dict
            Columns of the data set, by name.

        Raises
        ------
        InputFileError
            A file cannot be read, is not ranked, or nothing is left.
        """
        config = self.config
        # Before any long work: this may end the run.
        ranked = None
        if config.top is not None:
            allowed = config.allow_unranked
            ranked = check_ranked(self.table, allowed, self.log)
        sites = Sites(np.empty(0, np.int32), np.empty(0, np.int64))
        lists = PairLists.of(np.empty(0, np.int64), np.empty(0, np.int64), 0)
        bound = near = lists
        if background is not None:
            found = read_background(
                self.genome, background, config.window, self.blacklist, self.log
            )
            sites = found.sites
            self.dropped |= found.dropped
            bound, near = label_pairs(self.genome, self.table, sites, config.rule)
        positive = (
            _bound_sites(sites, bound) if ranked is None else self._strongest(ranked)
        )
        everywhere = None
        if config.negatives == "dhs":
            everywhere = self._open_sites(sites, bound, near)
        negative = self._matched(positive) if config.negatives == "matched" else None
        twins = config.negatives == "shuffle"
        made = assemble(positive, negative, twins, everywhere)
        codes = read_sequences(self.genome, made.sites, config.seq_len)
        if twins:
            chroms = tuple(self.genome.chrom_sizes)
            unchanged = fill_shuffled(made, codes, chroms, config.seed)
            self.dropped["shuffled into itself"] = int(np.count_nonzero(unchanged))
            made, codes = made.take(np.flatnonzero(~unchanged)), codes[~unchanged]
        return {
            "codes": codes,
            "chrom_id": made.sites.chrom_id,
            "start": made.sites.center - config.seq_len // 2,
            "positive": made.positive,
            "ignored": made.ignored,
            "negative": made.negative,
            "default_label": made.default_label,
            "fold": made.fold if config.alternate else None,
            "shuffled": made.shuffled if twins else None,
        }

    def _names(self, columns: Any) -> list[str]:
        return [self.table.name(i) for i in columns]

    def _strongest(self, ranked: list[bool]) -> PairSites:
        config = self.config
        found = collect_summits(
            self.genome, self.table, ranked, config.top, config.window, self.blacklist
        )
        for reason, n in found.dropped.items():
            self.dropped[f"peak, {reason}"] = n
        if found.short:
            names = self._names(found.short)
            self.details["fewer_peaks"] = dict(
                zip(names, found.short.values(), strict=True)
            )
            told = [f"{name} {n:,}" for name, n in self.details["fewer_peaks"].items()]
            self.log(
                f"{len(names)} pairs have fewer than {config.top:,} peaks that can be "
                f"sites; all of theirs are taken: {listed(told)}"
            )
        unranked = [i for i, is_ranked in enumerate(ranked) if not is_ranked]
        if unranked:
            self.details["unranked"] = self._names(unranked)
        instances = found.instances
        if config.alternate:
            return instances
        return instances._replace(fold=np.zeros_like(instances.fold))

    def _open_sites(
        self, sites: Sites, bound: PairLists, near: PairLists
    ) -> BackgroundSites:
        """Take a background for negatives: its sites near a peak say nothing of it."""
        n = len(sites.center)
        entries = [lists.entries(np.arange(n)) for lists in (bound, near)]
        rows, pairs = (np.concatenate(column) for column in zip(*entries, strict=True))
        fold = np.zeros(n, dtype=np.int64)
        if self.config.alternate:
            fold[1::2] = _TEST
        return BackgroundSites(sites, fold, PairLists.of(rows, pairs, n))

    def _matched(self, positive: PairSites) -> PairSites:
        config = self.config
        # No negative shares a base with a positive: those about a summit reach half a
        # window beyond the peak, those of a background half a middle more.
        reach = -(-config.seq_len // 2)
        if config.top is None:
            reach += config.rule.central // 2
        found = match_negatives(
            self.genome,
            self.table,
            positive,
            config.window,
            max(config.rule.margin, reach),
            self.blacklist,
            config.seed,
        )
        wanted, matched = len(positive.pair), len(found.instances.pair)
        self.details["candidates"] = found.n_candidates
        self.details["matched"] = [matched, wanted]
        self.details["largest_difference"] = round(found.largest_difference, 6)
        if found.case_free:
            self.details["without_lower_case"] = found.case_free
            self.log(
                f"{self.genome.path}: no lower-case letters on "
                f"{listed(found.case_free)}; negatives match GC content only there"
            )
        if found.unmatched:
            names = self._names(found.unmatched)
            self.details["unmatched"] = dict(
                zip(names, map(list, found.unmatched.values()), strict=True)
            )
            told = [
                f"{name} {n:,} of {m:,}"
                for name, (n, m) in self.details["unmatched"].items()
            ]
            widest = self._names([found.widest])[0]
            self.log(
                f"{matched:,} of {wanted:,} positives were matched; too few candidates "
                f"for {len(names)} pairs: {listed(told)}; distributions differ by "
                f"{found.largest_difference:.3f} at most, in a bin of {widest}"
            )
        return found.instances


def _bound_sites(sites: Sites, bound: PairLists) -> PairSites:
    """Take the positive sites of a background, once for each pair."""
    rows, pairs = bound.entries(np.arange(len(sites.center)))
    return PairSites(
        sites.chrom_id[rows].astype(np.int64),
        sites.center[rows],
        pairs.astype(np.int64),
        np.zeros(len(rows), dtype=np.int64),
    )
