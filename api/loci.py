"""The pairs at a locus, the most probable first: scored at once, or read from a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tfimpute_tracks.api.evidence_choice import (
    AUTO,
    NONE,
    report_evidence,
    report_store_evidence,
)
from tfimpute_tracks.api.inputs import check_bundled
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.evidence import (
    EvidenceStore,
    evidence_for,
    measured_calls,
    open_named,
)
from tfimpute_tracks.genome import Region, Sequences, parse_locus
from tfimpute_tracks.genome.bundled import BundledGenome
from tfimpute_tracks.impute.query import Ranked, rank_pairs
from tfimpute_tracks.impute.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from tfimpute_tracks.api.loaded import LoadedModel

__all__ = ["NamedPairs", "rank_locus", "rank_stored", "ranked_frame", "warn_outside"]

NamedPairs = tuple[str | None, str | None]
"""A TF, a cell line, both or neither: the pairs of these, or all."""


def rank_locus(
    model: LoadedModel,
    genome: Sequences,
    where: str,
    named: NamedPairs = (None, None),
    genes: Path | None = None,
) -> tuple[Region, list[Ranked]]:
    """Score pairs at a locus.

    Parameters
    ----------
    model : LoadedModel
    genome : Sequences
    where : str
        A region, 1-based with both ends included, or a gene.
    named : (tf, cell)
        Only pairs of these.
    genes : Path, optional
        Genes that `where` may name.

    Returns
    -------
    region : Region
    ranked : list of Ranked
        The highest probability first.

    Raises
    ------
    UnknownNameError, RegionError, UsageError, InputFileError
        As :func:`tfimpute_tracks.impute.live_query.score_pairs`, and of the names.
    """
    from tfimpute_tracks.impute.live_query import score_pairs

    chosen = model.vocabulary.all_pairs(*named)
    sizes = genome.chrom_sizes
    region = parse_locus(where, sizes, genes, log)
    if isinstance(genome, BundledGenome):
        check_bundled([region])
    core = model.on(genome)
    report_evidence(core, [], [region])
    store = core.evidence.store if core.evidence else evidence_for(sizes)
    calls = measured_calls(store, region) if store else {}
    return region, score_pairs(core, genome, region, chosen, calls)


def rank_stored(
    store: Store,
    where: str,
    named: NamedPairs = (None, None),
    genes: Path | None = None,
    evidence: str | Path | EvidenceStore = AUTO,
) -> tuple[Region, list[Ranked]]:
    """Read the pairs of a bulk store at a locus, and what was measured there.

    Parameters
    ----------
    store : Store
    where, named, genes
        As for :func:`rank_locus`.
    evidence : str, Path or EvidenceStore
        What was measured. `auto`: the tracks of the package, where the genome is
        theirs. `none`: nothing.

    Returns
    -------
    region : Region
    ranked : list of Ranked
        The highest probability first.

    Raises
    ------
    UnknownNameError, RegionError, InputFileError
        As :func:`tfimpute_tracks.impute.query.rank_pairs`, and of the names.
    """
    report_store_evidence(store.folder, store.plan)
    names, sizes = store.vocabulary, store.plan.chrom_sizes
    tf, cell = named
    wanted = names.tf(tf) if tf else None, names.cell(cell) if cell else None
    region = parse_locus(where, sizes, genes, log)
    warn_outside(store, [region])
    tracks = _measured(evidence, sizes, str(store.folder))
    calls = measured_calls(tracks, region) if tracks else {}
    return region, rank_pairs(store, region, calls, wanted)


def warn_outside(store: Store, regions: Iterable[Region]) -> None:
    """Warn of regions that a store holds in part only.

    Parameters
    ----------
    store : Store
    regions : iterable of Region
    """
    if text := store.outside(regions):
        log(text, warning=True)


def _measured(
    evidence: str | Path | EvidenceStore, sizes: Mapping[str, int], name: str
) -> EvidenceStore | None:
    if evidence == NONE:
        return None
    if evidence == AUTO:
        return evidence_for(sizes)
    tracks = evidence if isinstance(evidence, EvidenceStore) else open_named(evidence)
    tracks.check_genome(sizes, name)
    return tracks


def ranked_frame(region: Region, ranked: list[Ranked], top: int = 0) -> pd.DataFrame:
    """Make a table of ranked pairs.

    Parameters
    ----------
    region : Region
    ranked : list of Ranked
    top : int
        Number of pairs; 0 for all.

    Returns
    -------
    DataFrame
        The fields of :class:`~tfimpute_tracks.impute.query.Ranked`; the region is in
        ``attrs["region"]``.
    """
    import pandas as pd

    shown = ranked[:top] if top else ranked
    frame = pd.DataFrame(shown, columns=list(Ranked._fields))
    frame.attrs["region"] = str(region)
    return frame
