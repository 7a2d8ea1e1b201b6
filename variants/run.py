"""From a file of variants to tables of what they do, and the VCF annotated.

Variants go through one by one, a few at a time in threads, and out in their order: the
memory is that of a few, however many there are. Every file appears whole or not at all.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.tracks.threads import in_turn
from tfimpute_tracks.variants.alleles import AlleleScorer, Variant
from tfimpute_tracks.variants.checked import Counts, Fault, check_allele
from tfimpute_tracks.variants.maps import draw_map
from tfimpute_tracks.variants.records import Line, open_variants, stem_of
from tfimpute_tracks.vocabulary import Pair

__all__ = ["COLUMNS", "VariantJob", "VariantRun", "run_variants"]

COLUMNS = (
    *("chrom", "pos", "id", "ref", "alt", "tf", "cell", "known_as"),
    *("p_ref", "p_alt", "delta", "delta_log_odds"),
)
"""Of the table of effects."""
_SKIPPED = ("line", "chrom", "pos", "id", "ref", "alt", "reason", "detail")
_INFO = "TFIMPUTE"
_LEAST = 1e-7  # of a probability whose log-odds are told

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class VariantJob:
    """What to score, and where to put it.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    source : Path
        VCF, BCF or table.
    out_dir : Path
    least : float
        Rows of the table whose score changes by less are left out.
    top : int
        Pairs, those that change most, told in the VCF.
    fix_ref : bool
        Exchange alleles where the alternative is what the genome has.
    threads : int
    n_maps : int
        Alleles, the first ones, of which a map of TFs and cell lines is drawn.
    """

    model: Model
    pairs: list[Pair]
    source: Path
    out_dir: Path
    least: float = 0.0
    top: int = 10
    fix_ref: bool = False
    threads: int = 1
    n_maps: int = 0


@dataclass
class VariantRun:
    """What became of a job.

    Attributes
    ----------
    counts : Counts
    files : list of Path
    """

    counts: Counts = field(default_factory=Counts)
    files: list[Path] = field(default_factory=list)


class _Scored(NamedTuple):
    alt: str
    found: Variant | Fault
    swapped: bool = False
    best: tuple[Floats, Floats] | None = None


def run_variants(
    job: VariantJob, genome: Sequences, advance: Callable[[int], None]
) -> VariantRun:
    """Score the alleles of a file.

    Parameters
    ----------
    job : VariantJob
    genome : Sequences
    advance : callable
        Told how many more lines are done.

    Returns
    -------
    VariantRun

    Raises
    ------
    InputFileError
        The file is missing, none of variants, or cut short.
    OutputError, WriteError
        A file cannot be written.
    """
    scorer = AlleleScorer(job.model, job.pairs)
    stem = stem_of(job.source)
    run = VariantRun()
    with ExitStack() as stack:
        lines, header = stack.enter_context(open_variants(job.source))
        tables = []
        for name, columns in (("effects", COLUMNS), ("skipped", _SKIPPED)):
            dest = job.out_dir / f"{stem}.{name}.tsv"
            path = stack.enter_context(atomic_file(dest))
            file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            table = csv.writer(file, delimiter="\t", lineterminator="\n")
            table.writerow(columns)
            tables.append(table)
            run.files.append(dest)
        annotated = None
        if header is not None:
            dest = job.out_dir / f"{stem}.annotated.vcf.gz"
            path = stack.enter_context(atomic_file(dest))
            annotated = stack.enter_context(_annotated(path, header))
            run.files.append(dest)
        scored = in_turn(
            lambda line: (line, list(_score(job, genome, scorer, line))),
            lines,
            job.threads,
        )
        for line, alleles in scored:
            told: list[str] = []
            for allele in alleles:
                told += _tell(job, run.counts, line, allele, tables)
                if allele.best and run.counts.n_scored <= job.n_maps:
                    run.files.append(_draw(job, allele, job.out_dir / stem))
            if annotated is not None:
                if told:
                    line.record.info[_INFO] = tuple(told)
                annotated.write(line.record)
            advance(1)
    return run


def _score(
    job: VariantJob, genome: Sequences, scorer: AlleleScorer, line: Line
) -> Iterator[_Scored]:
    for alt in line.alts or ("",):
        place = line.chrom, line.pos
        found = check_allele(genome, place, line.ref, alt, job.fix_ref)
        if isinstance(found, Fault):
            yield _Scored(alt, found)
            continue
        variant, swapped = found
        try:
            best = scorer.effects(genome, variant).best()
        except RegionError as error:
            yield _Scored(alt, Fault("sequence ends too near", str(error)))
            continue
        if any(np.isnan(side).all() for side in best):
            yield _Scored(alt, Fault("unknown sequence", "around the variant"))
        else:
            yield _Scored(alt, variant, swapped, best)


def _tell(
    job: VariantJob, counts: Counts, line: Line, allele: _Scored, tables: list[Any]
) -> list[str]:
    """Write the rows of an allele; give what its VCF is told."""
    effects, skipped = tables
    if isinstance(allele.found, Fault):
        reason, detail = allele.found
        counts.faults[reason] += 1
        where = line.number, line.chrom, line.pos, line.name, line.ref, allele.alt
        skipped.writerow([*where, reason, detail])
        return []
    counts.n_scored += 1
    counts.n_swapped += allele.swapped
    ref, alt = np.asarray(allele.best)
    delta = alt - ref
    odds = [logit(np.clip(p.astype(float), _LEAST, 1 - _LEAST)) for p in (ref, alt)]
    change = odds[1] - odds[0]
    chrom, start, own_ref, own_alt = allele.found
    head = chrom, start + 1, line.name, own_ref, own_alt
    for i in np.flatnonzero(np.abs(delta) >= job.least):
        pair = job.pairs[i]
        numbers = (
            f"{ref[i]:.6g}",
            f"{alt[i]:.6g}",
            f"{delta[i]:.6g}",
            f"{change[i]:.5g}",
        )
        effects.writerow([*head, *pair, job.model.reliability(pair), *numbers])
    most = np.argsort(-np.abs(delta), kind="stable")[: job.top]
    return [
        f"{own_alt}|{job.pairs[i].tf}|{job.pairs[i].cell}|{ref[i]:.4g}|{alt[i]:.4g}|"
        f"{delta[i]:+.4g}"
        for i in most
    ]


def _draw(job: VariantJob, allele: _Scored, stem: Path) -> Path:
    assert allele.best is not None
    assert isinstance(allele.found, Variant)
    ref, alt = allele.best
    return draw_map(job.model, job.pairs, allele.found, alt - ref, stem)


def _annotated(path: Path, header: Any) -> Any:
    import pysam

    if "END" not in header.info:  # htslib tells it of symbolic alleles, unasked
        header.info.add("END", 1, "Integer", "Last position of the reference allele")
    header.info.add(
        _INFO,
        ".",
        "String",
        "Pairs that change most, each as alternative|TF|cell line|probability of the "
        "reference|of the alternative|their difference: of the best tile that reaches "
        "the change, either strand",
    )
    return pysam.VariantFile(str(path), "wz", header=header)
