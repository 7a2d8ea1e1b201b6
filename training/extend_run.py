"""Extend a model from files: own tracks and a genome in, weights with their cards out.

Four files have the name of the model: its weights, its evidence weights, both with their
cards, and its own tracks (`NAME.tracks.h5`), which are used together with the evidence.
They are written into a folder of their own first, and the weights are moved last, so that
a model is complete or not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.own_sites import (
    OwnSites,
    choose_test_sites,
    label_own_sites,
)
from tfimpute_tracks.dataset.sites import Sites, collect_sites
from tfimpute_tracks.errors import InputFileError, UsageError, counted
from tfimpute_tracks.evidence import (
    ACCESSIBILITY,
    EvidenceStore,
    JoinedStore,
    build_evidence,
    open_evidence,
    write_evidence,
)
from tfimpute_tracks.evidence.similarity import open_sites
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.models.checkpoint import read_checkpoint, write_checkpoint
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import (
    EvidenceWeights,
    evidence_path,
    read_evidence_weights,
    write_evidence_weights,
)
from tfimpute_tracks.models.extension import ModelWeights
from tfimpute_tracks.models.loading import tracks_path
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.extend import Extension, extend_weights
from tfimpute_tracks.training.extend_card import NewPairs, bound_fractions, new_sections
from tfimpute_tracks.training.extend_fit import ExtendRecipe
from tfimpute_tracks.training.extend_inputs import NewTracks, check_tracks
from tfimpute_tracks.training.extend_report import (
    NEAREST,
    describe_similar,
    make_report,
)
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["ExtendJob", "Extended", "run_extend"]

Floats = NDArray[np.float32]
Log = Callable[[str], None]

_SEQ_LEN = 1000  # bp around a site: tile and context of the network
_MIN_BOUND = 20  # sites of a new pair to fit with


@dataclass(frozen=True)
class ExtendJob:
    """What is extended, with what, and where to write it.

    Attributes
    ----------
    model : Model
        With evidence where tracks of the genome are used.
    evidence_weights : EvidenceWeights or None
        Of the model.
    new : NewTracks
    candidate_sites : Path or None
        BED of background sites; by default those that are open in some cell line.
    test_chroms : tuple of str
        Where nothing is fitted.
    out : Path
    """

    model: Model
    evidence_weights: EvidenceWeights | None
    new: NewTracks
    candidate_sites: Path | None
    test_chroms: tuple[str, ...]
    out: Path


@dataclass(frozen=True)
class Extended:
    """What was written.

    Attributes
    ----------
    model : Model
        With evidence, if the model before had some.
    record : dict
        From :func:`tfimpute_tracks.training.extend_report.make_report`.
    files : list of Path
        The weights first.
    """

    model: Model
    record: dict[str, Any]
    files: list[Path]


def run_extend(
    job: ExtendJob,
    genome: Sequences,
    recipe: ExtendRecipe,
    advance: Callable[[int, str], None],
    log: Log,
) -> Extended:
    """Extend a model, and write it.

    Parameters
    ----------
    job : ExtendJob
    genome : Sequences
    recipe : ExtendRecipe
    advance : callable
        Called with 1 and a note after each of ``2 * recipe.steps``.
    log : callable

    Returns
    -------
    Extended

    Raises
    ------
    InputFileError
        Peaks are of another genome, too few, or no peaks.
    UsageError
        No background sites are known.
    RunError
        The fit failed.
    OutputError, WriteError
        A file cannot be written.
    """
    with TemporaryDirectory(prefix=f".{job.out.stem}.", dir=job.out.parent) as folder:
        staged = Path(folder) / job.out.name
        model, similar = _extend(job, staged, genome, recipe, advance, log)
        files = _move(staged, job.out)
    record = make_report(model, job.new, similar)
    for line in describe_similar(record):
        log(line)
    return Extended(_with_tracks(job, model), record, files)


def _extend(
    job: ExtendJob,
    staged: Path,
    genome: Sequences,
    recipe: ExtendRecipe,
    advance: Callable[[int, str], None],
    log: Log,
) -> tuple[Model, dict[str, dict[str, float]]]:
    """Extend a model, and write it into a folder that becomes visible when all is there."""
    store = _write_tracks(job, staged, genome, log)
    background = _background(job, store, genome, log)
    sites = label_own_sites(
        genome,
        background,
        job.new.measured,
        choose_test_sites(
            background,
            list(genome.chrom_sizes),
            job.test_chroms,
            bool(job.new.measured),
        ),
        max(_SEQ_LEN, job.model.config.receptive_field),
        log,
    )
    _check_bound(sites, job)
    if not len(sites.test):
        raise InputFileError(
            f"{genome.name} has no sequence at any of {len(background.center):,} open "
            "sites; use a FASTA of the genome of the tracks"
        )
    log(
        f"{counted(len(background.center), 'open site')}: {len(sites.train):,} to fit what "
        f"is new, {len(sites.test):,} to evaluate it"
    )
    base = ModelWeights(job.model.checkpoint, job.evidence_weights)
    extension = Extension(job.new.tfs, job.new.cells, sites, store)
    weights, similar = extend_weights(
        job.model.sequence_only, base, extension, recipe, advance
    )
    facts = _facts(job, recipe, similar)
    return _write(staged, job, weights, sites, store, facts), similar


def _with_tracks(job: ExtendJob, model: Model) -> Model:
    """Let a model read its tracks where they are now."""
    if model.evidence is None:
        return model
    store = _join(job, open_evidence(tracks_path(job.out)))
    return replace(model, evidence=Evidence(model.evidence.weights, store))


def _join(job: ExtendJob, own: EvidenceStore) -> EvidenceStore:
    evidence = job.model.evidence
    return own if evidence is None else JoinedStore(evidence.store, own)


def _move(staged: Path, out: Path) -> list[Path]:
    """Move what was written into place, the weights last."""
    written = sorted(staged.parent.iterdir(), key=lambda path: path == staged)
    found = [out.parent / path.name for path in written]
    for source, target in zip(written, found, strict=True):
        source.replace(target)
    return found[::-1]


def _write_tracks(
    job: ExtendJob, staged: Path, genome: Sequences, log: Log
) -> EvidenceStore:
    """Write the own tracks, and join them with the evidence."""
    evidence = job.model.evidence
    known = job.model.vocabulary
    sizes = genome.chrom_sizes if evidence is None else evidence.store.chrom_sizes
    vocabulary = Vocabulary((*known.tfs, *job.new.tfs), (*known.cells, *job.new.cells))
    build = "" if evidence is None else evidence.store.build
    database, report = build_evidence(job.new.files, vocabulary, sizes, None, build)
    if report.unknown_chromosomes:
        n_peaks = sum(report.unknown_chromosomes.values())
        log(f"left out {counted(n_peaks, 'peak')} on chromosomes that the genome lacks")
    check_tracks(
        job.new.files,
        database,
        {
            name: size
            for name, size in sizes.items()
            if find_chrom(name, genome.chrom_sizes) is not None
        },
    )
    path = tracks_path(staged)
    write_evidence(path, database)
    return _join(job, open_evidence(path))


def _background(
    job: ExtendJob, store: EvidenceStore, genome: Sequences, log: Log
) -> Sites:
    """List the sites that peaks are compared with."""
    if job.candidate_sites is not None:
        return collect_sites(genome, job.candidate_sites, log)[0]
    is_open = any(track.pair.tf == ACCESSIBILITY for track in store.tracks)
    if not is_open and job.model.evidence is None:
        raise UsageError(
            "no open chromatin of this genome is known, which peaks are compared with; "
            "use --candidate-sites with a BED of it, or --accessibility"
        )
    numbers, centers = [], []
    for number, name in enumerate(genome.chrom_sizes):
        own = find_chrom(name, store.chrom_sizes)
        if own is not None and store.has_peaks(own).any():
            found = open_sites(store, own)
            numbers.append(np.full(len(found), number, dtype=np.int32))
            centers.append(found)
    if not centers:
        raise InputFileError(
            f"{genome.name} has no chromosome with measured peaks; use a FASTA of the "
            "genome of the tracks"
        )
    return Sites(np.concatenate(numbers), np.concatenate(centers))


def _check_bound(sites: OwnSites, job: ExtendJob) -> None:
    """Refuse pairs that bind hardly any site; a sign of another assembly."""
    n_bound = (sites.dataset.labels(sites.train) == 1).sum(axis=0)
    for (pair, path), n in zip(job.new.measured, n_bound.tolist(), strict=True):
        if n < _MIN_BOUND:
            raise InputFileError(
                f"{path}: only {n} of {len(sites.train):,} open sites lie under peaks of "
                f"{pair}, and {_MIN_BOUND} are needed; check that the peaks are of the "
                "assembly of the FASTA, and that it has their chromosomes"
            )


def _facts(
    job: ExtendJob, recipe: ExtendRecipe, similar: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """Describe an extension, for the card."""
    return {
        "base": job.model.name,
        "base_weights": job.model.checkpoint.digest,
        "tfs": list(job.new.tfs),
        "cells": list(job.new.cells),
        "tracks": [str(file.pair) for file in job.new.files],
        "similar_cells": {
            cell: {
                name: round(value, 3) for name, value in list(near.items())[:NEAREST]
            }
            for cell, near in similar.items()
        },
        "recipe": asdict(recipe),
    }


def _write(
    staged: Path,
    job: ExtendJob,
    weights: ModelWeights,
    sites: OwnSites,
    store: EvidenceStore,
    facts: Mapping[str, Any],
) -> Model:
    """Complete the cards, and write both kinds of weights."""
    known, name = job.model.vocabulary, job.out.stem
    n_base = len(known.tfs), len(known.cells)
    fractions = bound_fractions(sites)
    card = job.model.sequence_only.card | {"name": name, "extended": dict(facts)}
    checkpoint = replace(weights.sequence, card=card)
    sequence = Model(name, checkpoint)
    new = NewPairs(sequence, n_base, sites)
    priors = card.get("calibration", {}).get("priors", {})
    thresholds = new.thresholds({**fractions, **priors})
    card |= new_sections(sequence, new, thresholds, fractions)
    arrays = _with(weights.sequence.weights, "thresholds", new, thresholds)
    write_checkpoint(
        staged,
        checkpoint.config,
        checkpoint.vocabulary,
        arrays,
        checkpoint.genome,
        card,
    )
    sequence = Model(name, read_checkpoint(staged))
    if weights.evidence is None:
        return sequence
    offsets = np.array([sequence.calibration(pair) for pair in new.pairs])[:, 1]
    read = replace(
        weights.evidence,
        sequence_weights=sequence.checkpoint.digest,
        weights=_with(weights.evidence.weights, "sequence_offset", new, offsets),
    )
    model = replace(sequence, evidence=Evidence(read, store))
    new = NewPairs(model, n_base, sites)
    thresholds = new.thresholds({})
    card = read.card | {"model": name, "evidence": store.digest}
    card |= new_sections(model, new, thresholds, {})
    read = replace(
        read, card=card, weights=_with(read.weights, "thresholds", new, thresholds)
    )
    write_evidence_weights(evidence_path(staged), read)
    return replace(
        sequence, evidence=Evidence(read_evidence_weights(evidence_path(staged)), store)
    )


def _with(
    arrays: Mapping[str, Floats], name: str, new: NewPairs, values: NDArray[Any]
) -> dict[str, Floats]:
    """Set the values of new pairs in an array by TF and cell line."""
    found = arrays[name].copy()
    found[tuple(np.array(new.index).T)] = values
    return {**arrays, name: found}
