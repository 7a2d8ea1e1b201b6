"""What the page is about: the model, the genome, and what may be asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event, Lock, Thread
from typing import Any

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import RegionError, TracksError, UsageError
from tfimpute_tracks.genome import Region, match_chrom
from tfimpute_tracks.tracks.signals import SIGNALS
from tfimpute_tracks.views.browse.genes import GeneIndex
from tfimpute_tracks.views.browse.scores import LiveScores
from tfimpute_tracks.views.browse.virtual_fasta import VirtualFasta
from tfimpute_tracks.views.browse.window import AT_ONCE
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MAX_PAIRS", "Background", "Session"]

MAX_PAIRS = 60
"""Pairs that a page holds, and that one request may name."""


class Background:
    """Computes a wide window block by block, one window at a time.

    Parameters
    ----------
    scores : LiveScores
    """

    def __init__(self, scores: LiveScores) -> None:
        self._scores = scores
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._done = self._total = 0
        self._error = ""

    def start(self, pairs: list[Pair], signal: str, region: Region) -> None:
        """Begin with a window, in place of the one in work.

        Parameters
        ----------
        pairs : list of Pair
        signal : str
        region : Region

        Raises
        ------
        RegionError
            No tile is drawn there.
        """
        parts = self._scores.tiles(region)
        work = [(pair, part) for part in parts for pair in pairs]
        with self._lock:
            self.stop()
            self._stop = Event()
            self._done, self._total, self._error = 0, len(work), ""
            arguments = work, signal, self._stop
            self._thread = Thread(target=self._run, args=arguments, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop behind the block in work."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def state(self) -> dict[str, Any]:
        """Tell how far it is.

        Returns
        -------
        dict
            `running`, `share` done, and `error`, empty where there was none.
        """
        running = self._thread is not None and self._thread.is_alive()
        share = self._done / self._total if self._total else 1.0
        return {"running": running, "share": share, "error": self._error}

    def _run(
        self, work: list[tuple[Pair, TileRange]], signal: str, stop: Event
    ) -> None:
        def compute(item: tuple[Pair, TileRange]) -> None:
            if not stop.is_set():
                self._scores.compute(item[0], signal, item[1])

        try:
            for _ in ordered_map(compute, work, self._scores.threads):
                self._done += 1
        except TracksError as error:
            self._error = " ".join(str(error).split())


class Session:
    """A model over a genome, as the page sees it.

    Parameters
    ----------
    scores : LiveScores
    locus : Region
        Where the page opens.
    genes : GeneShelf, optional

    Attributes
    ----------
    scores : LiveScores
    genes : GeneShelf or None
    letters : LetterFile
    background : Background
    """

    def __init__(
        self, scores: LiveScores, locus: Region, genes: GeneIndex | None = None
    ) -> None:
        self.scores, self._locus, self.genes = scores, locus, genes
        self.letters = VirtualFasta(scores.genome)
        self.background = Background(scores)

    def warm_up(self) -> None:
        """Have kernels and tables ready before somebody waits for them."""
        model = self.scores.model
        self.scores.signal(
            Pair(model.tfs[0], model.cells[0]), "specificity", self._locus
        )

    def about(self) -> dict[str, Any]:
        """Tell what there is to choose from.

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
            "genome": genome.name,
            "build": model.checkpoint.genome.get("build"),
            "chrom_sizes": dict(genome.chrom_sizes),
            "locus": str(self._locus),
            "tfs": model.tfs,
            "cells": model.cells,
            "measured": [str(pair) for pair in model.measured_pairs],
            "test_sites": model.test_sites,
            "signals": {
                name: {"label": signal.label, "limits": signal.limits}
                for name, signal in SIGNALS.items()
                if name != "calibrated" or "slope" in model.card.get("calibration", {})
            },
            "stride": self.scores.stride,
            "tile": model.config.seq_len,
            "halo": model.config.flank,
            "at_once": AT_ONCE,
            "most_pairs": MAX_PAIRS,
            "has_genes": self.genes is not None,
        }

    def describe(self, pair: Pair) -> dict[str, Any]:
        """Tell what is known of a pair.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        dict
            JSON values.
        """
        model = self.scores.model
        return {
            "pair": str(pair),
            "tf": pair.tf,
            "cell": pair.cell,
            "status": model.status(pair),
            "expected_auroc": model.expected_auroc(pair),
            "expected_auroc_interval": model.expected_interval(pair),
            "threshold": model.threshold(pair),
        }

    def pairs(self, texts: list[str], most: int) -> list[Pair]:
        """Read the pairs of a request.

        Parameters
        ----------
        texts : list of "TF:CELL"
        most : int

        Returns
        -------
        list of Pair
            None twice.

        Raises
        ------
        UsageError
            None, or too many.
        UnknownNameError
            A name is unknown.
        """
        if not 1 <= len(texts) <= most:
            raise UsageError(
                f"{len(texts):,} pairs at once; name 1 to {most}, or make all of them "
                "with `tfimpute-tracks impute`"
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

        Raises
        ------
        UsageError
            Another one.
        """
        if name not in SIGNALS:
            raise UsageError(f"no signal {name[:30]!r}; give {', '.join(SIGNALS)}")
        return name

    def region(self, asked: Mapping[str, str]) -> Region:
        """Read the window of a request, cut at the ends of its chromosome.

        Parameters
        ----------
        asked : mapping
            `chrom`, `start` and `end`, 0-based and half-open.

        Returns
        -------
        Region

        Raises
        ------
        RegionError
            An unknown chromosome, or nothing of it.
        """
        sizes = self.scores.genome.chrom_sizes
        chrom = match_chrom(asked.get("chrom", ""), sizes)
        try:
            start, end = int(asked.get("start", "")), int(asked.get("end", ""))
        except ValueError:
            start = end = 0
        start, end = max(start, 0), min(end, sizes[chrom])
        if start >= end:
            raise RegionError(
                f"{chrom} from {asked.get('start', '')[:20]!r} to "
                f"{asked.get('end', '')[:20]!r} is no stretch of its {sizes[chrom]:,} "
                "bp; give start and end, 0-based and half-open"
            )
        return Region(chrom, start, end)
