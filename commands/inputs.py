"""From the values of options to the inputs of a run: pairs, genome, regions, threads.

Everything that can be checked without computing is checked here, before any long work.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tfimpute_tracks.commands.console import log
from tfimpute_tracks.errors import InputFileError, UsageError, counted, listed
from tfimpute_tracks.storage.table import is_input, read_lines
from tfimpute_tracks.vocabulary import Pair, Vocabulary

if TYPE_CHECKING:
    from tfimpute_tracks.engines.feature_cache import FeatureCache
    from tfimpute_tracks.genome import Region, Sequences
    from tfimpute_tracks.models.model import Model

__all__ = [
    "choose_cache",
    "choose_genome",
    "choose_many_pairs",
    "choose_pairs",
    "choose_regions",
    "known_genes",
    "read_part",
    "set_threads",
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
        The folder is a file, or the limit is not finite.
    """
    from tfimpute_tracks.engines.feature_cache import FeatureCache
    from tfimpute_tracks.genome import default_cache_dir

    folder = default_cache_dir() if cache_dir is None else cache_dir
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--cache-dir {folder} is a file; use a folder")
    if not math.isfinite(limit):
        raise UsageError(f"--cache-limit {limit}; use a number of GB, such as 100")
    return FeatureCache(folder / "features", int(limit * 1e9))


def choose_pairs(
    vocabulary: Vocabulary, tf: str | None, cell: str | None, pairs: str | None
) -> list[Pair]:
    """Read the pairs named by --tf and --cell, or by --pairs.

    Parameters
    ----------
    vocabulary : Vocabulary
    tf, cell : str, optional
        One pair.
    pairs : str, optional
        "TF:CELL;TF:CELL", or the path of a table of TFs and cell lines.

    Returns
    -------
    list of Pair
        In the order of the input, without duplicates.

    Raises
    ------
    UsageError
        Both ways or neither are used, or a pair is malformed.
    UnknownNameError
        A name is unknown.
    InputFileError
        The file cannot be read.
    """
    if pairs is None:
        if not (tf and cell):
            missing = "--cell" if tf else "--tf"
            raise UsageError(
                f"{missing} is missing; use --tf NAME and --cell NAME, or --pairs; "
                "`tfimpute-tracks info tfs` and `info cells` list the names"
            )
        return [Pair(vocabulary.tf(tf), vocabulary.cell(cell))]
    if tf or cell:
        raise UsageError("use --tf and --cell, or --pairs, not both")
    texts = re.split("[;,]", pairs)
    if Path(pairs).suffix in {".tsv", ".txt", ".csv"} or _is_file(pairs):
        texts = _pairs_in_file(Path(pairs))
    chosen = [vocabulary.pair(text.strip()) for text in texts if text.strip()]
    if not chosen:
        raise UsageError(f'--pairs {pairs!r} has no pair; write e.g. "CTCF:K562"')
    return list(dict.fromkeys(chosen))


def choose_many_pairs(
    model: Model,
    missing: bool,
    every: bool,
    named: tuple[str | None, str | None, str | None],
) -> list[Pair]:
    """Read the pairs of a run over many of them.

    Parameters
    ----------
    model : Model
    missing : bool
        All unmeasured pairs.
    every : bool
        All pairs.
    named : (tf, cell, pairs)
        As for :func:`choose_pairs`. A TF or a cell line alone means all its pairs, or
        with `missing` its unmeasured pairs.

    Returns
    -------
    list of Pair

    Raises
    ------
    UsageError
        No pairs are named, or in two ways.
    UnknownNameError, InputFileError
        As :func:`choose_pairs`.
    """
    tf, cell, pairs = named
    if missing and every:
        raise UsageError("use --missing or --all, not both")
    if pairs is not None or (tf and cell):
        if missing or every:
            raise UsageError("use --pairs, or --missing or --all, not both")
        return choose_pairs(model.vocabulary, tf, cell, pairs)
    if not (missing or every or tf or cell):
        raise UsageError(
            "no pairs; use --missing (all unmeasured pairs), --all, --tf or --cell (all "
            "their pairs), or --pairs"
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


def read_part(text: str) -> tuple[int, int]:
    """Read `i/n`: part i of n.

    Parameters
    ----------
    text : str

    Returns
    -------
    (int, int)

    Raises
    ------
    UsageError
        The text is malformed, or not 1 <= i <= n.
    """
    i, _, n = text.partition("/")
    if i.isdigit() and n.isdigit() and 1 <= int(i) <= int(n):
        return int(i), int(n)
    raise UsageError(f"--part {text!r}; use i/n with 1 <= i <= n, such as 3/40")


def _is_file(text: str) -> bool:
    try:
        return is_input(Path(text))
    except OSError:  # a long list of pairs is no possible file name
        return False


def _pairs_in_file(path: Path) -> list[str]:
    pairs: list[str] = []
    for number, line in read_lines(path, "pairs file"):
        fields = [field.strip() for field in re.split("[:\t]", line)]
        bare = [field.lstrip("# ").lower() for field in fields[:2]]
        is_header = not pairs and bare == ["tf", "cell"]
        if is_header or not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(fields) < 2:
            raise InputFileError(
                f"{path}:{number}: {line.strip()!r} is not a pair; write a TF and a cell "
                "line, tab-separated"
            )
        pairs.append(f"{fields[0]}:{fields[1]}")
    return pairs


def choose_genome(
    fasta: Path | None,
    model: Model,
    cache_dir: Path | None,
    assembly: str | None = None,
) -> Sequences:
    """Open a FASTA or .2bit file, or the bundled example region.

    Parameters
    ----------
    fasta : Path, optional
    model : Model
        Another assembly than that of its training data is reported.
    cache_dir : Path, optional
    assembly : str, optional
        What the user calls the assembly of the FASTA.

    Returns
    -------
    Sequences

    Raises
    ------
    InputFileError
        The file is missing, empty or broken.
    UsageError
        The name of the assembly is malformed, or of one with other chromosomes.
    """
    from tfimpute_tracks.genome import open_bundled, open_genome

    if fasta is None:
        log("no --fasta: using the bundled example region, hg19 chr20")
    genome = open_genome(fasta, cache_dir, log) if fasta else open_bundled()
    _report_assembly(fasta or Path(genome.name), genome, model, assembly)
    return genome


def _report_assembly(
    fasta: Path, genome: Sequences, model: Model, assembly: str | None
) -> None:
    """Report another assembly than the model's; warn of what its accuracy depends on."""
    from tfimpute_tracks.genome import check_build, find_species, name_assembly

    trained_on = model.checkpoint.genome
    name = name_assembly(assembly, genome.chrom_sizes, trained_on)
    differences = check_build(genome.chrom_sizes, trained_on.get("chrom_sizes", {}))
    if not differences:
        return
    build = trained_on.get("build") or "the assembly"
    known, species = find_species(build), find_species(name)
    trained = f"the model {model.name} was trained on {build}"
    if known and species == known:
        log(f"{fasta} is {name}, {trained}", detail=True)
    elif known and species:
        log(
            f"{fasta} is {name}, a {species} genome, and {trained}, of {known} cells: "
            "how accurate predictions are there is unknown",
            warning=True,
        )
    elif name:
        log(f"{fasta} is {name}, {trained}: predictions are from its sequence")
    else:
        log(
            f"{fasta} looks like another assembly than {build}, which the model "
            f"{model.name} was trained on: {listed(differences, 3, '; ')}. Predictions "
            "from sequence stay valid for human genomes",
            warning=True,
        )


def choose_regions(
    genome: Sequences,
    fasta: Path | None,
    regions: list[str] | None,
    chroms: list[str] | None = None,
    genes: Path | None = None,
    min_contig: int = 0,
) -> list[Region]:
    """Read the regions of a run; by default the whole genome.

    Parameters
    ----------
    genome : Sequences
    fasta : Path, optional
        None: the bundled example region is the default.
    regions, chroms : list of str, optional
    genes : Path, optional
        Genes that `regions` may name; by default those of the bundled example region.
    min_contig : int
        Shorter chromosomes are left out, unless they are named.

    Returns
    -------
    list of Region

    Raises
    ------
    RegionError, InputFileError
        As :func:`tfimpute_tracks.genome.resolve_regions` and
        :func:`tfimpute_tracks.genome.replace_genes`.
    """
    from tfimpute_tracks.genome import bundled_region, replace_genes, resolve_regions

    if fasta is None and not regions and not chroms:
        return [bundled_region()]
    sizes = genome.chrom_sizes
    places = replace_genes(regions or [], sizes, known_genes(genes, fasta), log)
    return resolve_regions(places, chroms or [], sizes, log, min_contig)


def known_genes(genes: Path | None, fasta: Path | None) -> Path | None:
    """Choose the genes that a region may name.

    Parameters
    ----------
    genes, fasta : Path, optional
        Values of --genes and --fasta.

    Returns
    -------
    Path or None
        Those of the bundled example region, where that is used; None if none are known.
    """
    from tfimpute_tracks.genome import bundled_genes

    return bundled_genes() if genes is None and fasta is None else genes


def set_threads(threads: str) -> int:
    """Set the number of CPU threads of all numerical libraries.

    Parameters
    ----------
    threads : str
        A number, or `max`.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        Not a number above 0. More than the CPUs of this process are warned of.
    """
    import numba
    from threadpoolctl import threadpool_limits

    n_cpus = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    if threads == "max":
        n_threads = n_cpus
    elif threads.isdecimal() and int(threads) > 0:
        n_threads = min(int(threads), n_cpus)
        if int(threads) > n_cpus:
            seen = counted(n_cpus, "CPU")
            log(f"--threads {threads}: using {n_threads}, of {seen}", warning=True)
    else:
        raise UsageError(
            f"--threads {threads!r}; use max or a number from 1 to {n_cpus}"
        )
    numba.set_num_threads(n_threads)
    threadpool_limits(n_threads)
    return n_threads
