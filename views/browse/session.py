"""A model over a genome as the page sees it: what can be requested, and checks of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, MutableMapping
from contextlib import nullcontext
from operator import attrgetter
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray

from tfimpute_tracks.errors import RegionError, UsageError, counted
from tfimpute_tracks.genome import Region, match_chrom
from tfimpute_tracks.impute.live_query import MAX_BP as MAX_RANKED_BP
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.tracks.formats import FORMATS
from tfimpute_tracks.tracks.signals import SIGNALS, shared_axis
from tfimpute_tracks.variants import N_BACKGROUND
from tfimpute_tracks.variants.alleles import AlleleScorer, parse_variant
from tfimpute_tracks.variants.job import BackgroundOptions, VariantJob
from tfimpute_tracks.variants.records import Source
from tfimpute_tracks.variants.run import score_variants
from tfimpute_tracks.variants.summary import summarize_variant
from tfimpute_tracks.views.browse.background import Background
from tfimpute_tracks.views.browse.genes import GeneIndex
from tfimpute_tracks.views.browse.locus import example_variant, locate
from tfimpute_tracks.views.browse.measured import MeasuredTracks
from tfimpute_tracks.views.browse.scores import LiveScores
from tfimpute_tracks.views.browse.virtual_fasta import VirtualFasta
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MAX_PAIRS", "Session"]

MAX_PAIRS = 60
"""Maximum number of pairs on a page, and in one request."""
_MAX_ALLELE_SCORERS = 8


class Session:
    """A model over a genome, as the page sees it.

    Parameters
    ----------
    scores : LiveScores
    locus : Region
        Region that the page opens at.
    genes : GeneIndex, optional
    measured : MeasuredTracks, optional
        By default the evidence of the model.

    Attributes
    ----------
    scores : LiveScores
    genes : GeneIndex or None
    measured : MeasuredTracks
    fasta : VirtualFasta
    background : Background
    """

    def __init__(
        self,
        scores: LiveScores,
        locus: Region,
        genes: GeneIndex | None = None,
        measured: MeasuredTracks | None = None,
    ) -> None:
        self.scores, self._locus, self.genes = scores, locus, genes
        self.measured = measured or MeasuredTracks.of_model(scores.model)
        self.fasta = VirtualFasta(scores.genome)
        self.background = Background(scores)
        self._allele_scorers: MutableMapping[Hashable, AlleleScorer] = LRUCache(
            _MAX_ALLELE_SCORERS
        )
        self._lock = Lock()

    def warm_up(self) -> None:
        """Load kernels and tables before the first request."""
        model = self.scores.model
        self.scores.signal(
            Pair(model.tfs[0], model.cells[0]), "specificity", self._locus
        )

    def about(self) -> dict[str, Any]:
        """Describe the model, the genome and what can be requested.

        Returns
        -------
        dict
            JSON values.
        """
        model, genome = self.scores.model, self.scores.genome
        return {
            "model": model.name,
            "weights": model.checkpoint.digest,
            "basis": model.basis,
            "evidence": self.measured.about(model, genome),
            "example": example_variant(genome, self._locus),
            "genome": genome.name,
            "build": self.scores.run.build,
            "chrom_sizes": dict(genome.chrom_sizes),
            "locus": str(self._locus),
            "tfs": model.tfs,
            "cells": model.cells,
            "test_sites": model.test_sites,
            "signals": {name: {"label": kind.label} for name, kind in SIGNALS.items()},
            "formats": list(FORMATS),
            "stride": self.scores.stride,
            "tile": model.config.seq_len,
            "context": model.config.flank,
            "max_bp": self.scores.max_bp,
            "max_ranked_bp": MAX_RANKED_BP,
            "max_pairs": MAX_PAIRS,
            "has_genes": self.genes is not None,
        }

    def describe(self, pair: Pair) -> dict[str, Any]:
        """Describe a pair: its status, expected accuracy, threshold and axes.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        dict
            JSON values.
        """
        model = self.scores.model
        axes = {name: shared_axis(name, [model.threshold(pair)]) for name in SIGNALS}
        n_tracks = self.measured.n_tracks(pair)
        return _describe(model, pair) | {"axes": axes, "measured_tracks": n_tracks}

    def locate(self, text: str) -> Region:
        """Find what was typed into the position box.

        Parameters
        ----------
        text : str
            A region, a chromosome, a position or the name of a gene.

        Returns
        -------
        Region

        Raises
        ------
        RegionError
            It is none of these, or outside of its chromosome.
        """
        sizes = self.scores.genome.chrom_sizes
        return locate(text, sizes, self.genes, self._locus)

    def rank(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Rank all TFs of a cell line, or all cell lines of a TF, at a region.

        Parameters
        ----------
        query : mapping of str to str
            `cell` or `tf`, and the region as for :meth:`region`.

        Returns
        -------
        dict
            JSON values: the region, the number of pairs with a peak there, and the pairs
            as `query` ranks them.

        Raises
        ------
        UsageError
            Not one of the two, an unknown name, or too long a region.
        RegionError
            There is no such region, or its sequence is unknown.
        """
        pairs, region = self._all_pairs(query), self.region(query)
        records = self.scores.rank(pairs, region, self.measured.calls(region))
        return {
            **region._asdict(),
            "n_peaks": sum(record.is_peak for record in records),
            "pairs": [record._asdict() for record in records],
        }

    def variant(self, text: str, pairs: list[Pair]) -> dict[str, Any]:
        """Score both alleles of a variant, tile by tile.

        Parameters
        ----------
        text : str
            Such as `chr20:48807376 G>A`, 1-based.
        pairs : list of Pair

        Returns
        -------
        dict
            JSON values: the variant, and for each pair the probabilities of tiles and
            the highest one of each allele.

        Raises
        ------
        UsageError
            The variant is malformed, or its reference allele is not the genome's.
        RegionError
            It is outside of its chromosome, or no tile fits there.
        """
        model, genome = self.scores.model, self.scores.genome
        variant = parse_variant(text, genome)
        scores = self._allele_scorer(tuple(pairs)).score(genome, variant)
        ref_best, alt_best = (_json_numbers(sigmoid(best)) for best in scores.best())
        ref, alt = sigmoid(scores.ref).T, sigmoid(scores.alt).T
        return {
            "variant": str(variant),
            **scores.variant._asdict(),
            # Measured peaks belong to the alleles of the measured cells.
            "basis": model.sequence_only.basis,
            "ref_centers": scores.ref_centers.tolist(),
            "alt_centers": scores.alt_centers.tolist(),
            "pairs": [
                {
                    **_describe(model.sequence_only, pair),
                    "ref_best": ref_best[i],
                    "alt_best": alt_best[i],
                    "ref": _json_numbers(ref[i]),
                    "alt": _json_numbers(alt[i]),
                }
                for i, pair in enumerate(pairs)
            ],
        }

    def changes(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Find the pairs of a cell line or a TF that a variant changes most.

        Parameters
        ----------
        query : mapping of str to str
            `variant`, and `cell` or `tf`.

        Returns
        -------
        dict
            JSON values, as :func:`tfimpute_tracks.variants.summary.summarize_variant`,
            and where the variant is.

        Raises
        ------
        UsageError, RegionError
            As :meth:`rank` and :meth:`variant`.
        """
        model, genome = self.scores.model, self.scores.genome
        pairs = self._all_pairs(query)
        variant = parse_variant(query.get("variant", ""), genome)
        job = VariantJob(
            *(model, pairs, Source.of_variant(variant), Path()),
            background=BackgroundOptions(N_BACKGROUND),
            threads=self.scores.threads,
            prepared=self._allele_scorer(tuple(pairs)),
        )
        results = score_variants(job, genome, lambda *_: nullcontext(lambda n: None))
        if not results.scored:
            raise RegionError(f"{variant} cannot be scored: {results.skipped[0][-1]}")
        (scored,) = results.scored
        found = summarize_variant(scored, pairs, model.sequence_only)
        return found | scored.variant._asdict()

    def _all_pairs(self, query: Mapping[str, str]) -> list[Pair]:
        """List all pairs of the TF or the cell line of a request."""
        tf, cell = query.get("tf", ""), query.get("cell", "")
        if bool(tf) == bool(cell):
            raise UsageError("name a TF or a cell line, and not both")
        return self.scores.model.vocabulary.all_pairs(tf, cell)

    # Its tables take far longer to set up than a variant to score.
    @cachedmethod(attrgetter("_allele_scorers"), lock=attrgetter("_lock"))
    def _allele_scorer(self, pairs: tuple[Pair, ...]) -> AlleleScorer:
        return AlleleScorer(self.scores.model, list(pairs))

    def pairs(self, texts: list[str], max_pairs: int) -> list[Pair]:
        """Read the pairs of a request.

        Parameters
        ----------
        texts : list of str
            As "TF:CELL".
        max_pairs : int

        Returns
        -------
        list of Pair
            Without duplicates.

        Raises
        ------
        UsageError
            There is none, or more than `max_pairs`.
        UnknownNameError
            A name is unknown.
        """
        if not 1 <= len(texts) <= max_pairs:
            few = "one" if max_pairs == 1 else f"1 to {max_pairs}"
            raise UsageError(
                f"{counted(len(texts), 'pair')} in one request; use {few}, or compute "
                "more with `tfimpute-tracks impute`"
            )
        vocabulary = self.scores.model.vocabulary
        return list(dict.fromkeys(vocabulary.pair(text) for text in texts))

    def signal(self, name: str) -> str:
        """Check the name of a signal.

        Parameters
        ----------
        name : str

        Returns
        -------
        str
            `name`.

        Raises
        ------
        UsageError
            There is no such signal.
        """
        if name not in SIGNALS:
            raise UsageError(
                f"no signal {name[:30]!r}; use one of {', '.join(SIGNALS)}"
            )
        return name

    def region(self, query: Mapping[str, str]) -> Region:
        """Read the region of a request and clip it to its chromosome.

        Parameters
        ----------
        query : mapping of str to str
            `chrom`, `start` and `end`, 0-based and half-open.

        Returns
        -------
        Region

        Raises
        ------
        RegionError
            The chromosome is unknown, or the region is empty.
        """
        sizes = self.scores.genome.chrom_sizes
        chrom = match_chrom(query.get("chrom", ""), sizes)
        texts = query.get("start", ""), query.get("end", "")
        try:
            start, end = map(int, texts)
        except ValueError:
            start = end = 0
        start, end = max(start, 0), min(end, sizes[chrom])
        if start >= end:
            raise RegionError(
                f"start {texts[0][:20]!r} and end {texts[1][:20]!r} are not a region of "
                f"{chrom}, which has {sizes[chrom]:,} bp; use 0-based, half-open positions"
            )
        return Region(chrom, start, end)


def _json_numbers(values: NDArray[np.floating[Any]]) -> list[float | None]:
    """Convert numbers to JSON, which has null in place of NaN."""
    return [None if np.isnan(value) else round(float(value), 5) for value in values]


def _describe(model: Model, pair: Pair) -> dict[str, Any]:
    return {
        "pair": str(pair),
        "tf": pair.tf,
        "cell": pair.cell,
        "status": model.status(pair),
        "expected_auroc": model.expected(pair),
        "expected_auroc_interval": model.expected_interval(pair),
        "threshold": model.threshold(pair),
    }
