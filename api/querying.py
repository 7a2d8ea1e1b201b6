"""The pairs at a locus, scored at once or read from a store: inputs, and one call."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.api.evidence_choice import NONE, check_evidence
from tfimpute_tracks.api.inputs import choose_genome, known_genes, one_region
from tfimpute_tracks.api.loaded import LoadedModel
from tfimpute_tracks.api.loci import rank_locus, rank_stored
from tfimpute_tracks.api.own_cell import add_cell
from tfimpute_tracks.api.threads import one_blas_thread
from tfimpute_tracks.api.values import check_model, check_texts, optional_path
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.impute.query import Ranked
from tfimpute_tracks.impute.store import Store

__all__ = ["RankedPairs", "query_pairs"]


class RankedPairs(NamedTuple):
    """The pairs at a locus.

    Attributes
    ----------
    region : Region
    pairs : list of Ranked
        The highest probability first.
    """

    region: Region
    pairs: list[Ranked]


def query_pairs(
    region: str | tuple[str, int, int],
    *,
    store: str | Path | None = None,
    tf: str | None = None,
    cell: str | None = None,
    cell_accessibility: str | Path | None = None,
    cell_name: str | None = None,
    fasta: str | Path | None = None,
    genes: str | Path | None = None,
    model: str | Path = "default",
    evidence: str | Path = "auto",
    cache_dir: str | Path | None = None,
) -> RankedPairs:
    """Rank the pairs at a locus by probability, next to what was measured there.

    :meth:`tfimpute_tracks.Model.query` and :meth:`tfimpute_tracks.Store.query` return
    the same as tables.

    Parameters
    ----------
    region : str or (chrom, start, end)
        A text is 1-based with both ends included, or a gene; a tuple is 0-based and
        half-open.
    store : str or Path, optional
        Scores that `impute` wrote; by default they are computed.
    tf, cell : str, optional
        Only pairs of these.
    cell_accessibility, cell_name : optional
        Peaks of a cell type that the model does not know, and its name; its pairs are
        ranked.
    fasta : str or Path, optional
        None: the bundled example region.
    genes : str or Path, optional
        GTF, GFF3 or BED of the genes that `region` may name.
    model : str or Path
    evidence : str or Path
        `auto`, `none`, or a file; with a store, what was measured.
    cache_dir : str or Path, optional

    Returns
    -------
    RankedPairs

    Raises
    ------
    UsageError, UnknownNameError, RegionError, InputFileError
        A value, name, region or file is wrong.

    Examples
    --------
    >>> from tfimpute_tracks.api.querying import query_pairs
    >>> found = query_pairs("chr20:48,599,512-48,600,512", cell="HepG2")
    >>> found.pairs[0].tf, found.pairs[0].measured
    ('POLR2A', 'bound')
    """
    folder, fasta = optional_path(store, "store"), optional_path(fasta, "fasta")
    peaks = optional_path(cell_accessibility, "cell_accessibility")
    known, cache_dir = (
        optional_path(genes, "genes"),
        optional_path(cache_dir, "cache_dir"),
    )
    check_model(model)
    check_evidence(evidence)
    check_texts(tf=tf, cell=cell, cell_name=cell_name)
    where = one_region(region)
    if folder is None:
        source = add_cell(model, peaks, cell_name, fasta, evidence, cache_dir)
        loaded = LoadedModel(source, evidence)
        genome = choose_genome(fasta, loaded.core, cache_dir)
        known = known_genes(known, fasta)
        named = tf, cell or cell_name
        with one_blas_thread():
            return RankedPairs(*rank_locus(loaded, genome, where, named, known))
    if peaks or cell_name:
        raise UsageError(
            "--cell-accessibility and --cell-name add a cell type to what is scored, and "
            f"{folder} is a store of scores; leave out the store"
        )
    if fasta or cache_dir or model != "default" or str(evidence) == NONE:
        raise UsageError(
            "--fasta, --model, --cache-dir and --evidence none do not apply to "
            f"{folder}, which holds scores; omit the store to compute them"
        )
    return RankedPairs(*rank_stored(Store(folder), where, (tf, cell), known, evidence))
