"""Which evidence a run uses, and what is said about it before the run starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.errors import InputFileError, UsageError, listed, shown

if TYPE_CHECKING:
    from tfimpute_tracks.evidence import EvidenceStore
    from tfimpute_tracks.genome import Region
    from tfimpute_tracks.impute.plan import Plan
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "AUTO",
    "NONE",
    "check_evidence",
    "choose_evidence",
    "evidence_name",
    "report_evidence",
    "report_store_evidence",
    "say_sequence_only",
]

AUTO = "auto"
"""Use the evidence of the package where the genome is its own."""
NONE = "none"
"""Use no evidence."""


def check_evidence(evidence: object) -> None:
    """Refuse early what no genome can have as evidence.

    Parameters
    ----------
    evidence : object
        As for :func:`choose_evidence`, of any type.

    Raises
    ------
    UsageError
        It is of another type.
    InputFileError
        There is no such file.
    """
    from tfimpute_tracks.evidence import SHIPPED, EvidenceStore

    if isinstance(evidence, EvidenceStore):
        return
    if not isinstance(evidence, str | Path):
        raise UsageError(
            f"evidence {shown(evidence)}; use 'auto', 'none', a file, or what open_evidence "
            "returns"
        )
    if str(evidence) not in {AUTO, NONE, SHIPPED} and not Path(evidence).exists():
        raise InputFileError(
            f"{evidence}: no such file; use 'auto', 'none', {SHIPPED!r} or a file "
            "that `tfimpute-tracks evidence build` wrote"
        )


def choose_evidence(
    model: Model,
    name: str | Path,
    evidence: str | Path | EvidenceStore,
    chrom_sizes: Mapping[str, int],
    genome: str,
) -> Model:
    """Add to a model the evidence that --evidence asks for.

    Parameters
    ----------
    model : Model
        Without evidence.
    name : str or Path
        What the model was loaded from.
    evidence : str, Path or EvidenceStore
        `auto`, `none`, the name of the evidence of the package, a file, or an open one.
    chrom_sizes : mapping of str to int
        Chromosomes of the genome and their lengths in bp.
    genome : str
        Its name in messages.

    Returns
    -------
    Model
        With `auto`, without evidence where the model has no weights for it or where
        there is none for the genome; a line says what that means.

    Raises
    ------
    InputFileError
        The evidence cannot be read, or is of another genome.
    UsageError
        Evidence is named, and the model has no weights that read it.
    """
    chosen = _choose(model, name, evidence, chrom_sizes, genome)
    _warn_uncalibrated(chosen)
    return chosen


def _choose(
    model: Model,
    name: str | Path,
    evidence: str | Path | EvidenceStore,
    chrom_sizes: Mapping[str, int],
    genome: str,
) -> Model:
    from tfimpute_tracks.evidence import evidence_for
    from tfimpute_tracks.models.loading import has_evidence_weights, load_model

    if evidence == NONE:
        return model
    if evidence != AUTO:
        found = load_model(name, evidence)
        if found.evidence is not None:
            found.evidence.store.check_genome(chrom_sizes, genome)
        return found
    if not has_evidence_weights(name):
        log(
            f"predicting from sequence only: {model.name} has no evidence weights, which "
            "`tfimpute-tracks evidence train` makes"
        )
        return model
    store = evidence_for(chrom_sizes) or _own_tracks(name, chrom_sizes)
    if store is None:
        log(_why_none(chrom_sizes, genome, name))
        return model
    return load_model(name, store)


def _own_tracks(
    name: str | Path, chrom_sizes: Mapping[str, int]
) -> EvidenceStore | None:
    """Open the tracks that a model was extended with, if they are of a genome."""
    from tfimpute_tracks.genome.chroms import describe_mismatch
    from tfimpute_tracks.models.loading import own_tracks

    store = own_tracks(name)
    wrong = store is None or describe_mismatch(chrom_sizes, store.chrom_sizes)
    return None if wrong else store


def _why_none(chrom_sizes: Mapping[str, int], genome: str, name: str | Path) -> str:
    """Say that there is no evidence for a genome, what that costs and what to do."""
    from tfimpute_tracks.evidence import SHIPPED
    from tfimpute_tracks.genome import find_species, known_build

    assembly = known_build(chrom_sizes, {}) or ""
    where = f"{genome} ({assembly})" if assembly else genome
    why = f"predicting from sequence only: {SHIPPED} is not of {where}. "
    if find_species(assembly) not in ("", "human"):
        return f"{why}It is of human cells"
    return (
        f"{why}{_cost(name)}`tfimpute-tracks evidence lift` converts it to another "
        "assembly, `evidence build` makes evidence from peaks"
    )


def _warn_uncalibrated(model: Model) -> None:
    if not model.is_calibrated:
        log(
            f"the card of {model.name} has no calibration: its probabilities are the "
            "network's scores, not fractions of bound sites; `tfimpute-tracks card "
            "--sections calibration` adds one",
            warning=True,
        )


def _cost(name: str | Path) -> str:
    """State how accurate a model is without evidence and with it, by its cards."""
    from tfimpute_tracks.models.catalog import mean_accuracy
    from tfimpute_tracks.models.loading import load_modes

    modes = load_modes(name)
    means = [mean_accuracy(model) for model in modes]
    if len(means) < 2 or None in means:
        return ""
    (auroc, precision), (best_auroc, best_precision) = filter(None, means)
    return (
        f"Expect an AUROC of {auroc:.2f} and an average precision of {precision:.2f}, "
        f"not {best_auroc:.2f} and {best_precision:.2f} as with evidence (means of "
        f"measured pairs on {modes[0].test_sites}). "
    )


def report_evidence(
    model: Model, pairs: Sequence[Pair], regions: Sequence[Region]
) -> None:
    """Log which evidence a model uses, and warn where there is none.

    Parameters
    ----------
    model : Model
        Nothing is logged for one without evidence.
    pairs : sequence of Pair
        Pairs of the run.
    regions : sequence of Region
        Regions of the run.

    Raises
    ------
    InputFileError, RunError
        The evidence lacks a file that the regions need, or it is damaged; a RunError if
        it comes with the package.
    """
    if model.evidence is None:
        return
    from tfimpute_tracks.evidence import SHIPPED

    store = model.evidence.store
    store.check_chroms(dict.fromkeys(region.chrom for region in regions))
    measured = {track.pair for track in store.tracks}
    own = [pair for pair in pairs if pair in measured]
    unused = f"; own tracks of {listed(own)} are not used" if own else ""
    log(f"predicting from {model.basis}{unused}")
    if store.name != SHIPPED and store.digest != model.evidence.weights.card.get(
        "evidence"
    ):
        log(
            f"{model.name} was calibrated with other evidence than {store.name}: with "
            "fewer or other tracks, its thresholds and expected accuracy may not hold",
            warning=True,
        )
    missing = 1 - store.fraction_in_coverage(regions)
    if not regions or missing <= 0:
        return
    chroms = dict.fromkeys(region.chrom for region in regions)
    absent = [chrom for chrom in chroms if not store.has_peaks(chrom).any()]
    among = f", among it all of {listed(absent)}" if absent else ""
    part = f"{missing:.1%}" if missing >= 0.0005 else "less than 0.1%"
    log(
        f"{store.name} has no data for {part} of these regions{among}: predictions there "
        "use the sequence only",
        warning=True,
    )


def say_sequence_only(model: Model, what: str) -> None:
    """Log that a command uses no evidence.

    Parameters
    ----------
    model : Model
    what : str
        What it does from sequence, as in "comparing alleles".
    """
    log(f"{what} by sequence only: measured peaks are not used")
    _warn_uncalibrated(model)


def report_store_evidence(folder: Path, plan: Plan) -> None:
    """Say why the scores of a store have no evidence, where there is some.

    Parameters
    ----------
    folder : Path
    plan : Plan
        Of the store.
    """
    from tfimpute_tracks.evidence import SHIPPED, evidence_for

    if plan.evidence_summary is None and evidence_for(plan.chrom_sizes) is not None:
        log(
            f"{folder} was imputed from sequence only. Evidence cannot be added to its "
            f"rounded scores: `impute` into another folder uses {SHIPPED}"
        )


def evidence_name(model: Model, name: str | Path, evidence: str | Path) -> str | None:
    """Name the evidence of a model for another process that loads it.

    Parameters
    ----------
    model : Model
        From :func:`choose_evidence`.
    name : str or Path
        What the model was loaded from.
    evidence : str or Path
        The value of --evidence.

    Returns
    -------
    str or None
        As :func:`tfimpute_tracks.models.load_model` takes it.
    """
    from tfimpute_tracks.evidence import SHIPPED
    from tfimpute_tracks.models import weights_path
    from tfimpute_tracks.models.loading import own_tracks, tracks_path

    if model.evidence is None:
        return None
    if evidence != AUTO:
        return str(evidence)
    own = own_tracks(name)
    alone = own is not None and own.digest == model.evidence.store.digest
    return str(tracks_path(weights_path(name))) if alone else SHIPPED
