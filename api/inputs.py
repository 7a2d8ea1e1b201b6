"""From the values of options to the inputs of a run: genome, regions, cache.

Everything that can be checked without computing is checked here, before any long work.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterable
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.values import as_path, check_number, is_finite
from tfimpute_tracks.errors import RegionError, UsageError, counted, listed, shown

if TYPE_CHECKING:
    from tfimpute_tracks.engines.feature_cache import FeatureCache
    from tfimpute_tracks.genome import Region, Sequences
    from tfimpute_tracks.models.model import Model

__all__ = [
    "Regions",
    "check_bundled",
    "check_cache_limit",
    "choose_cache",
    "choose_genome",
    "choose_regions",
    "known_genes",
    "one_region",
    "read_part",
    "written_regions",
]

Regions = (
    str | Path | tuple[str, int, int] | Iterable[str | Path | tuple[str, int, int]]
)
"""Regions as users write them, for :func:`written_regions`."""


def choose_cache(cache_dir: Path | None, limit: float) -> FeatureCache:
    """Open the tile cache; log once that it will take space.

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
    check_cache_limit(limit)
    cache = FeatureCache(folder / "features", int(limit * 1e9))
    if not cache.folder.exists():
        log(
            f"tiles are kept for the next scan in {cache.folder}, {limit:g} GB at most "
            "(--cache-limit; none with --no-cache)"
        )
    return cache


def check_cache_limit(limit: object) -> None:
    """Refuse what is not a size of the tile cache.

    Parameters
    ----------
    limit : object
        In GB; None for no cache.

    Raises
    ------
    UsageError
        It is not a finite number, or below 0.
    """
    if limit is not None and not is_finite(limit):
        raise UsageError(
            f"--cache-limit {shown(limit)}; use a number of GB, such as 100"
        )
    if limit is not None:
        check_number(limit, "cache_limit")


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
    is_part = re.fullmatch("[0-9]{1,9}/[0-9]{1,9}", text)
    if is_part and 1 <= int(i) <= int(n):
        return int(i), int(n)
    raise UsageError(f"--part {text!r}; use i/n with 1 <= i <= n, such as 3/40")


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
    from tfimpute_tracks.genome import bundled_region, open_bundled, open_genome

    if fasta is None:
        log(
            f"no --fasta: using the bundled example, {bundled_region()} of hg19; use -g "
            "FASTA for other regions"
        )
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
    fasta: object,
    regions: list[str] | None,
    chroms: list[str] | None = None,
    genes: Path | None = None,
    min_contig: int = 0,
) -> list[Region]:
    """Read the regions of a run; by default the whole genome.

    Parameters
    ----------
    genome : Sequences
    fasta : object
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
        :func:`tfimpute_tracks.genome.replace_genes`; or the bundled example does not have
        a region.
    """
    from tfimpute_tracks.genome import bundled_region, replace_genes, resolve_regions

    if fasta is None and not regions and not chroms:
        return [bundled_region()]
    sizes = genome.chrom_sizes
    places = replace_genes(regions or [], sizes, known_genes(genes, fasta), log)
    found = resolve_regions(places, chroms or [], sizes, log, min_contig)
    if fasta is None:
        check_bundled(found)
    return found


def check_bundled(regions: list[Region]) -> None:
    """Refuse regions outside the bundled example, and warn of what reaches beyond it.

    Parameters
    ----------
    regions : list of Region

    Raises
    ------
    RegionError
        All lie outside of the example.
    """
    from tfimpute_tracks.genome import bundled_region

    known = bundled_region()
    n = sum(some.end - some.start for some in regions)
    spans = [(max(r.start, known.start), min(r.end, known.end)) for r in regions]
    n_known = sum(max(end - start, 0) for start, end in spans)
    if not n_known:
        raise RegionError(
            f"{listed(regions, 3)} {'is' if len(regions) == 1 else 'are'} outside the "
            f"bundled example, {known}; use -g FASTA for other regions"
        )
    if n_known < n:
        log(
            f"{n - n_known:,} of {n:,} bp of {listed(regions, 3)} are outside the "
            f"bundled example, {known}, and have no score; use -g FASTA for them",
            warning=True,
        )


def known_genes(genes: str | Path | None, fasta: object) -> Path | None:
    """Choose the genes that a region may name.

    Parameters
    ----------
    genes : str or Path, optional
        Value of --genes.
    fasta : object
        That of --fasta; None for the bundled example region.

    Returns
    -------
    Path or None
        Those of the bundled example region, where that is used; None if none are known.

    Raises
    ------
    UsageError
        `genes` is not a path.
    """
    from tfimpute_tracks.genome import bundled_genes

    if genes is None:
        return bundled_genes() if fasta is None else None
    return as_path(genes, "genes")


def written_regions(
    regions: Regions | None,
) -> list[str] | None:
    """Write regions as the command line takes them.

    Parameters
    ----------
    regions : str, Path, (chrom, start, end), iterable of these, or None
        A text is 1-based with both ends included, a chromosome, a BED file or a gene; a
        tuple is 0-based and half-open.

    Returns
    -------
    list of str, or None

    Raises
    ------
    UsageError
        There is none in the iterable.
    RegionError
        A tuple is malformed.
    """
    if regions is None:
        return None
    if isinstance(regions, str | Path):
        return [str(regions)]
    several = list(regions) if isinstance(regions, Iterable) else [regions]
    if isinstance(regions, tuple) and any(isinstance(x, numbers.Real) for x in regions):
        several = [regions]
    if not several:
        raise UsageError(
            "no region; use a region such as chr20:1,000-2,000, or None for all there is"
        )
    return [
        str(one) if isinstance(one, str | Path) else _written_region(one)
        for one in several
    ]


def one_region(regions: Regions) -> str:
    """Write a region as the command line takes it, where only one will do.

    Parameters
    ----------
    regions : str, or (chrom, start, end)

    Returns
    -------
    str

    Raises
    ------
    RegionError
        There are several, or none.
    """
    written = written_regions(regions) or []
    if len(written) != 1:
        raise RegionError(f"{counted(len(written), 'region')}; use one at a time")
    return written[0]


def _written_region(region: Any) -> str:
    from tfimpute_tracks.genome import Region

    try:
        chrom, start, end = region
        return str(Region(str(chrom), index(start), index(end)))
    except (TypeError, ValueError):
        raise RegionError(
            f"region {shown(region)} is not (chromosome, start, end); write e.g. "
            '("chr20", 1000, 2000), 0-based and half-open, or "chr20:1,001-2,000"'
        ) from None
