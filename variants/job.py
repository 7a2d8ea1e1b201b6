"""A run over a file of variants: what to score and write, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.models.model import Model
from tfimpute_tracks.variants.alleles import STRIDE, AlleleScorer
from tfimpute_tracks.variants.records import Source
from tfimpute_tracks.variants.tables import Layout, ScoredAllele
from tfimpute_tracks.variants.validate import Counts
from tfimpute_tracks.vocabulary import Pair

__all__ = ["BackgroundOptions", "VariantJob", "VariantRun"]


class BackgroundOptions(NamedTuple):
    """The background variants of a run.

    Attributes
    ----------
    n : int
        Their number; 0 for no background, and no quantiles.
    seed : int
    regions : Path, optional
        A BED file of the regions they may lie in.
    """

    n: int = 0
    seed: int = 0
    regions: Path | None = None


@dataclass(frozen=True)
class VariantJob:
    """What to score, and what to write.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    source : Source
    out_dir : Path
    layout : Layout
        Of the table of effects.
    background : BackgroundOptions
    n_annotated : int
        Pairs with the largest effects that the annotated VCF lists for each allele.
    fix_ref : bool
        Swap REF and ALT if the genome has the alternate allele. Tables and tracks then
        report the alleles as the genome has them; the VCF keeps its own REF and ALT,
        reports the effect from one to the other, and flags the record.
    threads : int
    n_heatmaps : int
        Alleles, the first ones, of which a heatmap of TFs by cell lines is drawn.
    stride : int
        bp between tile starts.
    write_tracks : bool
        Write bigWigs of both alleles around the variants.
    prepared : AlleleScorer, optional
        Of the pairs and the stride, if there is one from an earlier job.
    """

    model: Model
    pairs: list[Pair]
    source: Source
    out_dir: Path
    layout: Layout = field(default_factory=Layout)
    background: BackgroundOptions = field(default_factory=BackgroundOptions)
    n_annotated: int = 10
    fix_ref: bool = False
    threads: int = 1
    n_heatmaps: int = 0
    stride: int = STRIDE
    write_tracks: bool = False
    prepared: AlleleScorer | None = None

    @cached_property
    def scorer(self) -> AlleleScorer:
        """The scorer of the alleles."""
        return self.prepared or AlleleScorer(self.model, self.pairs, self.stride)

    def file(self, suffix: str) -> Path:
        """Name a result file.

        Parameters
        ----------
        suffix : str
            What follows the stem.

        Returns
        -------
        Path
        """
        return self.out_dir / f"{self.source.stem}{suffix}"


@dataclass
class VariantRun:
    """The result of a job.

    Attributes
    ----------
    counts : Counts
    files : list of Path
        The table of effects, that of skipped alleles, and the optional files.
    n_background : int
        Background variants that were scored.
    first : ScoredAllele, optional
        The first allele that was scored.
    """

    counts: Counts = field(default_factory=Counts)
    files: list[Path] = field(default_factory=list)
    n_background: int = 0
    first: ScoredAllele | None = None
