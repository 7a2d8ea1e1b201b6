"""The card of a trained model, completed for every pair: inputs, and one call."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    as_path,
    check_ending,
    check_model,
    check_text,
    check_wholes,
    join_texts,
    optional_path,
)
from tfimpute_tracks.dataset import open_dataset
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models import load_model, weights_path
from tfimpute_tracks.models.evidence_weights import evidence_path
from tfimpute_tracks.storage import check_output_dir, write_json
from tfimpute_tracks.training.card import (
    SECTIONS,
    CardInputs,
    complete_card,
    complete_evidence_card,
)
from tfimpute_tracks.training.expected_auroc import AuxiliarySettings
from tfimpute_tracks.training.genome_fdr import open_measured

__all__ = ["CompletedCard", "complete_model_card"]


class CompletedCard(NamedTuple):
    """The card of a model.

    Attributes
    ----------
    card : dict
    file : Path
    """

    card: dict[str, Any]
    file: Path


def complete_model_card(
    model: str | Path,
    data: str | Path,
    *,
    held_out_model: str | Path | None = None,
    fasta: str | Path | None = None,
    pairs_table: str | Path | None = None,
    chrom: str = "chr20",
    evidence: str | Path | None = None,
    sections: str | Iterable[str] | None = None,
    seeds: int = 3,
    epochs: int = 4,
    auxiliary_chroms: str | Iterable[str] | None = None,
    work_dir: str | Path | None = None,
    out: str | Path | None = None,
    threads: int | str = "max",
) -> CompletedCard:
    """Complete a model card: calibration, FDR and expected AUROC of unmeasured pairs.

    Parameters
    ----------
    model : str or Path
    data : str or Path
        That `tfimpute-tracks prepare` wrote.
    held_out_model : str or Path, optional
        Model of the same kind that was trained without some pairs, which show what to
        expect of unmeasured ones; by default the model itself.
    fasta, pairs_table : str or Path, optional
        The genome and the peaks of the section `genome`.
    chrom : str
        Chromosome to scan for it.
    evidence : str or Path, optional
        Complete the card of the model's evidence weights instead, with these tracks.
    sections : str or iterable of str, optional
        calibration, fdr, genome, expected; by default all, genome only with `fasta`.
    seeds : int
        Number of auxiliary models for the section expected, 2 or more.
    epochs : int
        Passes over the data when an auxiliary model is trained.
    auxiliary_chroms : str or iterable of str, optional
        Chromosomes to train them on; by default those of the model.
    work_dir : str or Path, optional
        Folder of auxiliary models; by default next to the card.
    out : str or Path, optional
        The card; by default that of the model is replaced.
    threads : int or "max"

    Returns
    -------
    CompletedCard

    Raises
    ------
    UsageError, InputFileError, OutputError, WriteError
        A value is invalid, or a file cannot be read or written.
    """
    check_model(model)
    if held_out_model is not None:
        check_model(held_out_model)
    fasta, table = (
        optional_path(fasta, "fasta"),
        optional_path(pairs_table, "pairs_table"),
    )
    tracks, folder = (
        optional_path(evidence, "evidence"),
        optional_path(work_dir, "work_dir"),
    )
    source, path = as_path(data, "data"), optional_path(out, "out")
    check_text(chrom, "chrom")
    check_wholes(2, seeds=seeds)
    check_wholes(1, epochs=epochs)
    wanted = None if sections is None else join_texts(sections, "sections")
    chroms: tuple[str, ...] = ()
    if auxiliary_chroms:
        chroms = tuple(join_texts(auxiliary_chroms, "auxiliary_chroms").split(","))
    if (fasta is None) != (table is None):
        raise UsageError("--fasta and --pairs-table are needed together")
    with limit_threads(threads) as n_threads:
        named = None if tracks is None else str(tracks)
        loaded = load_model(model, named)
        reference = load_model(held_out_model, named) if held_out_model else loaded
        path = path or _card_path(model, tracks is not None)
        check_ending(path, ".json")
        check_output_dir(path.parent)
        dataset = open_dataset(source)
        measured = None
        if fasta and table:
            pairs = [pair for m in (loaded, reference) for pair in m.measured_pairs]
            measured = open_measured(fasta, table, chrom, pairs)
        auxiliary = AuxiliarySettings(
            folder or path.with_suffix(".auxiliary"), seeds, epochs, chroms=chroms
        )
        inputs = CardInputs(loaded, reference, dataset, measured, auxiliary, n_threads)
        if tracks:
            completed = complete_evidence_card(inputs, log)
        else:
            default = [name for name in SECTIONS if name != "genome" or measured]
            completed = complete_card(
                inputs, wanted.split(",") if wanted else default, log
            )
    write_json(path, completed)
    return CompletedCard(completed, path)


def _card_path(model: str | Path, is_evidence: bool) -> Path:
    weights = weights_path(model)
    return (evidence_path(weights) if is_evidence else weights).with_suffix(".json")
