"""From what a user typed to what a run takes: pairs, genome, regions, threads.

Every check that needs no computing is made here, before any long work.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tfimpute_tracks.commands.console import log
from tfimpute_tracks.errors import InputFileError, UsageError, listed
from tfimpute_tracks.storage.table import read_lines
from tfimpute_tracks.vocabulary import Pair, Vocabulary

if TYPE_CHECKING:
    from tfimpute_tracks.engines.feature_cache import FeatureCache
    from tfimpute_tracks.genome import Region, Sequences
    from tfimpute_tracks.impute.store import Store
    from tfimpute_tracks.models.model import Model

__all__ = [
    "choose_cache",
    "choose_genome",
    "choose_many_pairs",
    "choose_pairs",
    "choose_regions",
    "read_share",
    "set_threads",
    "stored_calibration",
    "warn_absent_cells",
]


def choose_cache(cache_dir: Path | None, limit: float) -> FeatureCache:
    """Open the tile cache.

    Parameters
    ----------
    cache_dir : Path, optional
        By default :func:`tfimpute_tracks.genome.default_cache_dir`.
    limit : float
        In GB.

    Returns
    -------
    FeatureCache

    Raises
    ------
    UsageError
        The folder is a file, or the limit is no number of bytes.
    """
    from tfimpute_tracks.engines.feature_cache import FeatureCache
    from tfimpute_tracks.genome import default_cache_dir

    folder = default_cache_dir() if cache_dir is None else cache_dir
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--cache-dir {folder} is a file; give a folder")
    if not math.isfinite(limit):
        raise UsageError(f"--cache-limit {limit}; give a number of GB, such as 100")
    return FeatureCache(folder / "features", int(limit * 1e9))


def choose_pairs(
    vocabulary: Vocabulary, tf: str | None, cell: str | None, pairs: str | None
) -> list[Pair]:
    """Read the pairs asked for.

    Parameters
    ----------
    vocabulary : Vocabulary
    tf, cell : str, optional
        One pair by its names.
    pairs : str, optional
        "TF:CELL;TF:CELL", or the path of a TSV file with a TF and a cell line per line.

    Returns
    -------
    list of Pair
        In the order given, none twice.

    Raises
    ------
    UsageError
        Neither or both ways were used, or a pair is malformed.
    UnknownNameError
        A name is unknown.
    InputFileError
        The file cannot be read.
    """
    if pairs is not None and (tf or cell):
        raise UsageError("give --tf and --cell, or --pairs, not both")
    if pairs is None:
        if not (tf and cell):
            missing = "--cell" if tf else "--tf"
            raise UsageError(
                f"{missing} is missing; give --tf NAME and --cell NAME, or --pairs; "
                "`tfimpute-tracks info tfs` and `info cells` list the names"
            )
        return [Pair(vocabulary.tf(tf), vocabulary.cell(cell))]
    looks_like_file = Path(pairs).suffix in {".tsv", ".txt", ".csv"}
    texts = (
        _pairs_of_file(Path(pairs))
        if looks_like_file or _is_file(pairs)
        else [text for text in pairs.replace(",", ";").split(";") if text.strip()]
    )
    named = list(dict.fromkeys(vocabulary.pair(text.strip()) for text in texts))
    if not named:
        raise UsageError(f'--pairs {pairs!r} holds no pair; write e.g. "CTCF:K562"')
    return named


def choose_many_pairs(
    model: Model,
    missing: bool,
    every: bool,
    named: tuple[str | None, str | None, str | None],
) -> list[Pair]:
    """Read the pairs of a bulk run.

    Parameters
    ----------
    model : Model
    missing : bool
        All that were never measured.
    every : bool
        All there are.
    named : (tf, cell, pairs)
        As for :func:`choose_pairs`; a TF or a cell line alone means all its pairs, of
        the missing ones with `missing`.

    Returns
    -------
    list of Pair

    Raises
    ------
    UsageError
        Nothing was asked for, or two things at once.
    UnknownNameError, InputFileError
        As :func:`choose_pairs`.
    """
    tf, cell, pairs = named
    if missing and every:
        raise UsageError("give --missing or --all, not both")
    if pairs is not None or (tf and cell):
        if missing or every:
            raise UsageError("give --pairs, or --missing or --all, not both")
        return choose_pairs(model.vocabulary, tf, cell, pairs)
    if not (missing or every or tf or cell):
        raise UsageError(
            "which pairs? give --missing (all never measured), --all, --tf or --cell "
            "(all its pairs), or --pairs"
        )
    names = model.vocabulary
    only_tf, only_cell = tf and names.tf(tf), cell and names.cell(cell)
    return [
        pair
        for pair in names.all_pairs()
        if only_tf in (None, pair.tf)
        and only_cell in (None, pair.cell)
        and not (missing and pair in model.measured_pairs)
    ]


def read_share(text: str) -> tuple[int, int]:
    """Read `i/n`: the i-th of n shares.

    Parameters
    ----------
    text : str

    Returns
    -------
    (int, int)

    Raises
    ------
    UsageError
        Not of this form, or not 1 <= i <= n.
    """
    number, _, of = text.partition("/")
    if number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of):
        return int(number), int(of)
    raise UsageError(f"--shard {text!r}; give i/n with 1 <= i <= n, such as 3/40")


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # longer than any name can be: a long list of pairs
        return False


def _pairs_of_file(path: Path) -> list[str]:
    pairs = []
    for number, line in read_lines(path, "pairs file"):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.replace(":", "\t").split("\t")
        if number == 1 and [field.strip().lower() for field in fields[:2]] == [
            "tf",
            "cell",
        ]:
            continue
        if len(fields) < 2:
            raise InputFileError(
                f"{path}:{number}: {line.strip()!r} is not a pair; write a TF and a cell "
                "line, tab-separated"
            )
        pairs.append(f"{fields[0].strip()}:{fields[1].strip()}")
    return pairs


def choose_genome(
    fasta: Path | None, model: Model, cache_dir: Path | None
) -> Sequences:
    """Open the FASTA, or the stretch that comes with the package.

    Parameters
    ----------
    fasta : Path, optional
    model : Model
        A FASTA of another build than the weights' is warned about.
    cache_dir : Path, optional

    Returns
    -------
    Sequences

    Raises
    ------
    InputFileError
        The file is missing, empty or broken.
    """
    from tfimpute_tracks.genome import check_build, open_bundled, open_genome

    if fasta is None:
        log("no --fasta: scanning the bundled stretch of human chr20 (hg19)")
        return open_bundled()
    genome = open_genome(fasta, cache_dir, log)
    trained_on = model.checkpoint.genome
    odd = check_build(genome.chrom_sizes, trained_on.get("chrom_sizes", {}))
    if odd:
        log(
            f"{fasta} looks like another build than {trained_on.get('build')}, which "
            f"the model {model.name} was trained on: {'; '.join(odd[:3])}. Scores stay "
            "valid as predictions from sequence; mind the build when loading tracks",
            warning=True,
        )
    return genome


def choose_regions(
    genome: Sequences, fasta: Path | None, regions: list[str], chroms: list[str]
) -> list[Region]:
    """Read the regions asked for; without any, all there is.

    Parameters
    ----------
    genome : Sequences
    fasta : Path, optional
        None for the bundled stretch, which is then the default region.
    regions, chroms : list of str

    Returns
    -------
    list of Region

    Raises
    ------
    RegionError, InputFileError
        As :func:`tfimpute_tracks.genome.resolve_regions`.
    """
    from tfimpute_tracks.genome import bundled_region, resolve_regions

    if fasta is None and not regions and not chroms:
        return [bundled_region()]
    return resolve_regions(regions, chroms, genome.chrom_sizes, log)


def set_threads(threads: str) -> int:
    """Set the number of CPU threads of every library that computes.

    Parameters
    ----------
    threads : str
        A number or `max`.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        Not a number from 1 to the CPUs of this process.
    """
    import numba
    from threadpoolctl import threadpool_limits

    most = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    if threads == "max":
        n_threads = most
    elif threads.isdigit() and 1 <= int(threads) <= most:
        n_threads = int(threads)
    else:
        raise UsageError(
            f"--threads {threads!r}; give max or a number from 1 to {most}"
        )
    numba.set_num_threads(n_threads)
    threadpool_limits(n_threads)
    return n_threads


def warn_absent_cells(store: Store, pairs: list[Pair]) -> None:
    """Warn where a store's specificity is told against some cell lines only.

    Parameters
    ----------
    store : Store
    pairs : list of Pair
        Those to be drawn.
    """
    n_cells = {pair.tf: store.n_cells(pair.tf) for pair in pairs}
    model = _shipped_model(store)
    n_known = len(model.cells) if model else None
    n_least = n_known or len(set(store.plan.cells))
    lacking = [f"{tf} {n}" for tf, n in n_cells.items() if n < n_least]
    if lacking:
        log(
            f"{store.folder} does not hold all {n_least} cell lines of each TF, but of "
            f"{listed(lacking, 3)}: the specificity is relative to those; "
            "take a store made with --all, or `scan --signal specificity`",
            warning=True,
        )
    elif n_known is None:
        log(
            f"the weights of {store.folder}, {store.plan.model}, are not at hand: "
            f"whether they know more than its {n_least} cell lines is not checked",
            warning=True,
        )


def stored_calibration(
    store: Store, evidence: str | None = None
) -> Callable[[Pair], tuple[float, float]]:
    """Find what calibrates the scores of a store: it stands in the model's card.

    Parameters
    ----------
    store : Store
    evidence : str, optional
        That the store was made with.

    Returns
    -------
    callable
        Gives slope and offset of a pair.

    Raises
    ------
    UsageError
        The store's weights are none of those that ship, or its evidence is another.
    """
    from tfimpute_tracks.tracks.signals import calibration_line

    model = _shipped_model(store, evidence)
    if model is not None and model.digests != store.plan.digests:
        told = "with --evidence" if store.plan.evidence else "without --evidence"
        raise UsageError(f"{store.folder} was made {told}; give the same here")
    if model is None:
        raise UsageError(
            f"the weights of {store.folder}, {store.plan.model}, are not at hand, and "
            "a store holds no calibration; give another --signal, or `scan --signal "
            "calibrated -m WEIGHTS`"
        )
    return partial(calibration_line, model)


def _shipped_model(store: Store, evidence: str | None = None) -> Model | None:
    """Load a store's model, where it is one that ships."""
    from tfimpute_tracks.models import load_model, pretrained_models

    if store.plan.model in pretrained_models():
        model = load_model(store.plan.model, evidence)
        if model.checkpoint.digest == store.plan.weights:
            return model
    return None
