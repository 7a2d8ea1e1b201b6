"""A cell type of the user's, known by its accessibility alone, for one run.

A model that has it is made in the cache folder, once for the same inputs, and used by its
path. So every process of the run loads the same, and the next run starts at once. The
record next to it, written last, says what to expect of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfimpute_tracks import __version__
from tfimpute_tracks.api.evidence_choice import NONE
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.errors import TRAINING, UsageError, check_packages

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Sequences
    from tfimpute_tracks.models import Model

__all__ = ["add_cell"]

_RECORD = "record.json"


def add_cell(
    model: str | Path,
    accessibility: Path | None,
    name: str | None,
    fasta: Path | None,
    evidence: str | Path,
    cache_dir: Path | None,
) -> str | Path:
    """Add the cell type of --cell-accessibility to a model, if there is one.

    Parameters
    ----------
    model : str or Path
    accessibility : Path, optional
        Peaks.
    name : str, optional
        Of the cell type.
    fasta : Path, optional
        By default the bundled region.
    evidence : str or Path
        The value of --evidence.
    cache_dir : Path, optional
        By default :func:`tfimpute_tracks.genome.default_cache_dir`.

    Returns
    -------
    str or Path
        The name or path of the model to use.

    Raises
    ------
    UsageError
        One of the two options is missing, the name is known already, there is no
        evidence of the genome to compare with, or PyTorch is not installed.
    InputFileError
        The peaks cannot be read, or are not of the genome.
    """
    if accessibility is None and name is None:
        return model
    if accessibility is None or not name:
        missing = "--cell-name" if accessibility else "--cell-accessibility"
        raise UsageError(
            f"{missing} is missing; a new cell type needs its peaks and a name"
        )
    check_packages("--cell-accessibility", *TRAINING)
    from tfimpute_tracks.genome import default_cache_dir, open_bundled, open_genome
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import digest_file, digest_json, write_json
    from tfimpute_tracks.storage.input_paths import is_input, why_no_file
    from tfimpute_tracks.training.extend_report import describe_similar
    from tfimpute_tracks.vocabulary import check_name

    check_name(name, "cell line")
    if str(evidence) == NONE:
        raise UsageError(
            "--cell-accessibility is compared with that of other cell lines; leave out "
            "--evidence none"
        )
    if not is_input(accessibility):
        raise UsageError(
            f"--cell-accessibility {accessibility}: {why_no_file(accessibility)}; use a "
            "BED file of peaks"
        )
    loaded = load_model(model)
    known = loaded.vocabulary.find_alias(name, "cell line")
    if known is not None:
        raise UsageError(
            f"--cell-name {name}: {loaded.name} knows {known}; use --cell {known}, or "
            "choose another name"
        )
    with open_genome(fasta, cache_dir, log) if fasta else open_bundled() as genome:
        facts = [
            __version__,
            loaded.checkpoint.digest,
            digest_file(accessibility),
            name,
            digest_file(Path(evidence)) if Path(evidence).is_file() else str(evidence),
            genome.name,
            dict(genome.chrom_sizes),
        ]
        key = digest_json(facts).removeprefix("sha256:")[:16]
        folder = (cache_dir or default_cache_dir()) / "models" / key
        out = folder / f"{loaded.name}-{name}.safetensors"
        record = _read(folder / _RECORD) if out.exists() else None
        if record is not None:
            for line in describe_similar(record):
                log(line)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            cell = accessibility, name
            record = _extend(loaded, model, cell, genome, evidence, out)
            write_json(folder / _RECORD, record)
    _log_expected(record, name)
    return str(out)


def _extend(
    loaded: Model,
    model: str | Path,
    cell: tuple[Path, str],
    genome: Sequences,
    evidence: str | Path,
    out: Path,
) -> dict[str, Any]:
    """Make the model; return what is reported of it."""
    from tfimpute_tracks.api.evidence_choice import choose_evidence
    from tfimpute_tracks.api.extending import default_test_chroms
    from tfimpute_tracks.evidence import ACCESSIBILITY, PeakFile
    from tfimpute_tracks.models.loading import read_weights
    from tfimpute_tracks.training.extend_fit import ExtendRecipe
    from tfimpute_tracks.training.extend_inputs import read_new_tracks
    from tfimpute_tracks.training.extend_run import ExtendJob, run_extend
    from tfimpute_tracks.vocabulary import Pair

    path, name = cell
    new = read_new_tracks(loaded, [], [PeakFile(Pair(ACCESSIBILITY, name), "", path)])
    base = choose_evidence(loaded, model, evidence, genome.chrom_sizes, genome.name)
    if base.evidence is None:
        raise UsageError(
            f"there is no evidence of {genome.name} with the accessibility of other cell "
            f"lines, which {name} is compared with; use hg19, or --evidence with a file "
            "that `tfimpute-tracks evidence lift` made"
        )
    job = ExtendJob(
        base, read_weights(model), new, None, tuple(default_test_chroms(loaded)), out
    )
    return run_extend(job, genome, ExtendRecipe(), lambda n, note: None, log).record


def _read(path: Path) -> dict[str, Any] | None:
    """Read what was reported of a model; None, as of a damaged file, makes it again."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_whole = isinstance(found, dict) and {"similar", "accuracy"} <= found.keys()
    return found if is_whole else None


def _log_expected(record: dict[str, Any], name: str) -> None:
    row = record["accuracy"][-1]
    if row["auroc"] is not None and row["average_precision"] is not None:
        log(
            f"expect an AUROC of {row['auroc']:.2f} and an average precision of "
            f"{row['average_precision']:.2f} for the pairs of {name}, means over all TFs, at "
            f"sites that are open: leave out peaks that are not in open chromatin of {name}"
        )
