"""From a file of variants to tables of what they do, and the VCF annotated.

Variants go through a few at a time, in threads, and out in their order: the memory is
that of a few, however many there are. Every file appears whole or not at all.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.errors import InputFileError, RegionError, listed
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.variants.allele_tracks import (
    AlleleTrack,
    AlleleTrackFile,
    kept_stretches,
    lay_stretch,
)
from tfimpute_tracks.variants.alleles import STEP, AlleleScorer, Variant
from tfimpute_tracks.variants.background import Background, change_of_odds
from tfimpute_tracks.variants.heatmaps import draw_map
from tfimpute_tracks.variants.records import Line, Source, open_variants
from tfimpute_tracks.variants.tables import (
    EffectTable,
    Layout,
    ScoredAllele,
    open_table,
)
from tfimpute_tracks.variants.validate import Counts, SkipReason, check_allele
from tfimpute_tracks.vocabulary import Pair

__all__ = ["VariantJob", "VariantRun", "run_variants"]

_SKIPPED = ("line", "chrom", "pos", "id", "ref", "alt", "reason", "detail")
_INFO = "TFIMPUTE"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class VariantJob:
    """What to score, and where to put it.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    source : Source
    out_dir : Path
    layout : Layout
        Of the table of effects.
    top : int
        Pairs, those that change most, told in the VCF.
    fix_ref : bool
        Exchange alleles where the alternative is what the genome has.
    threads : int
    n_maps : int
        Alleles, the first ones, of which a map of TFs and cell lines is drawn.
    step : int
        bp between the starts of tiles.
    tracks : bool
        Write bigWigs of both alleles about the variants.
    """

    model: Model
    pairs: list[Pair]
    source: Source
    out_dir: Path
    layout: Layout = field(default_factory=Layout)
    top: int = 10
    fix_ref: bool = False
    threads: int = 1
    n_maps: int = 0
    step: int = STEP
    tracks: bool = False

    @cached_property
    def scorer(self) -> AlleleScorer:
        """What scores the alleles."""
        return AlleleScorer(self.model, self.pairs, self.step)

    @property
    def stem(self) -> Path:
        """What the names of all files begin with."""
        return self.out_dir / self.source.stem

    def file(self, ending: str) -> Path:
        """Name a file.

        Parameters
        ----------
        ending : str

        Returns
        -------
        Path
        """
        return self.out_dir / f"{self.source.stem}.{ending}"


@dataclass
class VariantRun:
    """What became of a job.

    Attributes
    ----------
    counts : Counts
    files : list of Path
        The table of effects, that of what was skipped, and what else was asked for.
    """

    counts: Counts = field(default_factory=Counts)
    files: list[Path] = field(default_factory=list)


class _Allele(NamedTuple):
    alt: str
    found: Variant | SkipReason
    swapped: bool = False
    best: tuple[Floats, Floats] | None = None
    stretch: AlleleTrack | None = None


class _Outputs(NamedTuple):
    effects: EffectTable
    skipped: Any
    stretches: AlleleTrackFile | None


def run_variants(
    job: VariantJob,
    genome: Sequences,
    advance: Callable[[int], None],
    background: Background | None = None,
) -> VariantRun:
    """Score the alleles of a file.

    Parameters
    ----------
    job : VariantJob
    genome : Sequences
    advance : callable
        Told how many more lines are done.
    background : Background, optional
        Of the pairs of the job; without one there are no quantiles.

    Returns
    -------
    VariantRun

    Raises
    ------
    InputFileError
        The file is missing, none of variants, cut short, or of another genome.
    UsageError
        Parquet is asked for, and pyarrow is not installed.
    OutputError, WriteError
        A file cannot be written.
    """
    run = VariantRun()
    with ExitStack() as stack:
        lines, header = stack.enter_context(open_variants(job.source))
        outputs = _open_outputs(job, genome, stack, run)
        annotated = None
        if header is not None:
            dest = job.file("annotated.vcf.gz")
            path = stack.enter_context(atomic_file(dest))
            annotated = stack.enter_context(_annotated(path, header))
            run.files.append(dest)
        scored = ordered_map(
            lambda some: _score(job, genome, some),
            _batches(lines, job.scorer.at_once),
            job.threads,
        )
        for line, alleles in (pair for batch in scored for pair in batch):
            if line.chrom not in run.counts.chroms:
                own = find_chrom(line.chrom, genome.chrom_sizes)
                run.counts.chroms[line.chrom] = own
            told: list[str] = []
            for allele in alleles:
                told += _tell(job, run, line, allele, outputs, background)
            if annotated is not None:
                if told:
                    line.record.info[_INFO] = tuple(told)
                annotated.write(str(line.record).encode())
            advance(1)
        _check_chroms(job.source, genome, run.counts)
        if outputs.stretches is not None:
            run.files += outputs.stretches.write(
                job.stem, job.pairs, genome.chrom_sizes
            )
    return run


def _open_outputs(
    job: VariantJob, genome: Sequences, stack: ExitStack, run: VariantRun
) -> _Outputs:
    dest = job.file(f"effects.{job.layout.ending}")
    status = [job.model.status(pair) for pair in job.pairs]
    effects = stack.enter_context(open_table(dest, job.layout, job.pairs, status))
    skipped = job.file("skipped.tsv")
    path = stack.enter_context(atomic_file(skipped))
    file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
    table = csv.writer(file, delimiter="\t", lineterminator="\n")
    table.writerow(_SKIPPED)
    run.files += [dest, skipped]
    stretches = None
    if job.tracks:
        stretches = stack.enter_context(
            kept_stretches(
                job.out_dir, len(job.pairs), list(genome.chrom_sizes), job.step
            )
        )
    return _Outputs(effects, table, stretches)


def _batches(lines: Iterable[Line], n_alleles: int) -> Iterator[list[Line]]:
    """Gather lines until they have as many alleles as are scored at once."""
    waiting: list[Line] = []
    n = 0
    for line in lines:
        waiting.append(line)
        n += len(line.alts)
        if n >= n_alleles:
            yield waiting
            waiting, n = [], 0
    if waiting:
        yield waiting


def _score(
    job: VariantJob, genome: Sequences, lines: list[Line]
) -> list[tuple[Line, list[_Allele]]]:
    fix = job.fix_ref
    checked = [
        [
            (alt, check_allele(genome, (line.chrom, line.pos), line.ref, alt, fix))
            for alt in line.alts or ("",)
        ]
        for line in lines
    ]
    variants = [
        found[0]
        for alleles in checked
        for _, found in alleles
        if not isinstance(found, SkipReason)
    ]
    scored = iter(_alleles(job, genome, variants))
    return [
        (
            line,
            [
                _Allele(alt, found)
                if isinstance(found, SkipReason)
                else next(scored)._replace(alt=alt, swapped=found[1])
                for alt, found in alleles
            ],
        )
        for line, alleles in zip(lines, checked, strict=True)
    ]


def _alleles(
    job: VariantJob, genome: Sequences, variants: list[Variant]
) -> Iterator[_Allele]:
    seq_len = job.model.config.seq_len
    found = job.scorer.curves(genome, variants)
    for variant, curves in zip(variants, found, strict=True):
        if isinstance(curves, RegionError):
            yield _Allele("", SkipReason("sequence ends too near", str(curves)))
            continue
        best = curves.best()
        if any(np.isnan(side).all() for side in best):
            yield _Allele("", SkipReason("unknown sequence", "around the variant"))
            continue
        stretch = None
        if job.tracks:
            stretch = lay_stretch(variant, curves, seq_len, job.step)
        yield _Allele("", variant, best=best, stretch=stretch)


def _tell(
    job: VariantJob,
    run: VariantRun,
    line: Line,
    allele: _Allele,
    outputs: _Outputs,
    background: Background | None,
) -> list[str]:
    """Write what is known of an allele; give what its VCF is told."""
    counts = run.counts
    if isinstance(allele.found, SkipReason):
        reason, detail = allele.found
        counts.faults[reason] += 1
        where = line.number, line.chrom, line.pos, line.name, line.ref, allele.alt
        outputs.skipped.writerow([*where, reason, detail])
        return []
    assert allele.best is not None
    counts.n_scored += 1
    counts.n_swapped += allele.swapped
    ref, alt = (sigmoid(side) for side in allele.best)
    change = change_of_odds(*allele.best)
    quantile = np.full_like(change, np.nan)
    if background is not None:
        quantile = background.quantiles(change)
    numbers = np.stack([ref, alt, alt - ref, change, quantile])
    outputs.effects.add(ScoredAllele(allele.found, line.name, numbers))
    if outputs.stretches is not None and allele.stretch is not None:
        outputs.stretches.add(allele.stretch)
    if counts.n_scored <= job.n_maps:
        best = ref, alt
        run.files += draw_map(
            job.model, job.pairs, allele.found, best, job.stem, line.name
        )
    most = np.argsort(-np.abs(numbers[2]), kind="stable")[: job.top]
    return [
        f"{allele.found.alt}|{job.pairs[i].tf}|{job.pairs[i].cell}|{ref[i]:.4g}|"
        f"{alt[i]:.4g}|{alt[i] - ref[i]:+.4g}|"
        + ("." if np.isnan(quantile[i]) else f"{quantile[i]:.4g}")
        for i in most
    ]


def _check_chroms(source: Source, genome: Sequences, counts: Counts) -> None:
    if counts.chroms and not any(counts.chroms.values()):
        raise InputFileError(
            f"{source.told}: none of its chromosomes ({listed(counts.chroms, 3)}) is in "
            f"the FASTA ({listed(genome.chrom_sizes, 3)}); use the genome that the "
            "variants refer to"
        )


def _annotated(path: Path, header: Any) -> Any:
    import pysam

    if "END" not in header.info:  # htslib tells it of symbolic alleles, unasked
        header.info.add("END", 1, "Integer", "Last position of the reference allele")
    header.info.add(
        _INFO,
        ".",
        "String",
        "Pairs that change most, each as alternative|TF|cell line|probability of the "
        "reference|of the alternative|their difference|its quantile among like changes "
        "nearby: of the best tile that reaches the change, either strand",
    )
    # As text: pysam writes no record of a contig that its head does not name.
    file = pysam.BGZFile(str(path), "wb", index=None)
    file.write(str(header).encode())
    return file
