"""Build a data set: peaks, a FASTA and candidate sites, if any, to one HDF5 file.

Positives are candidate sites under peaks, or windows around the summits of each pair's
strongest peaks. Negatives are the other candidate sites, shuffled positives, or windows
of the genome with the same base composition. What cannot be a site is dropped and
counted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfimpute_tracks.dataset.config import BuildConfig
from tfimpute_tracks.dataset.dataset import Dataset
from tfimpute_tracks.dataset.pairs_table import read_pairs_table
from tfimpute_tracks.dataset.site_builder import SiteBuilder
from tfimpute_tracks.dataset.sites import Log
from tfimpute_tracks.dataset.store import write_dataset
from tfimpute_tracks.errors import counted, listed
from tfimpute_tracks.genome.fasta import open_genome
from tfimpute_tracks.genome.track_files import check_track_files
from tfimpute_tracks.storage.digest import digest_file

__all__ = ["BuildReport", "build_dataset"]


@dataclass(frozen=True)
class BuildReport:
    """What a data set contains and what was dropped.

    Parameters
    ----------
    n_sites, n_pairs : int
        Size of the label matrix.
    n_positive, n_negative : int
        Labels of these kinds.
    n_ignored : int
        Labels ignored because a peak is near.
    n_positive_sites : int
        Sites with at least one positive label.
    dropped : dict of int
        Dropped candidate sites, peaks and shuffled copies, by reason.
    details : dict
        More about the sites of single pairs, by name; JSON values.
    """

    n_sites: int
    n_pairs: int
    n_positive: int
    n_negative: int
    n_ignored: int
    n_positive_sites: int
    dropped: dict[str, int]
    details: dict[str, Any]


def build_dataset(
    fasta: str | Path,
    pairs_table: str | Path,
    candidates: str | Path | None,
    out: str | Path,
    config: BuildConfig | None = None,
    blacklist: str | Path | None = None,
    log: Log = lambda message: None,
) -> BuildReport:
    """Make labeled sites for every pair of a table, and write them.

    Parameters
    ----------
    fasta : path
        The genome that the candidate sites and the peaks are on.
    pairs_table : path
        See :func:`~tfimpute_tracks.dataset.pairs_table.read_pairs_table`.
    candidates : path or None
        Candidate sites: BED3 or more. Only the center of an interval is used.
    out : path
        The data set; an existing file is replaced.
    config : BuildConfig, optional
    blacklist : path, optional
        BED; sites whose sequence overlaps it are dropped.
    log : callable
        Gets each message for the user, one line.

    Returns
    -------
    BuildReport

    Raises
    ------
    UsageError
        Candidate sites are needed and missing, or given and not used.
    InputFileError
        An input cannot be read, the candidate sites share no chromosome with the FASTA,
        no site is left, two pairs have the same peaks, or peaks are not ranked and must
        be.
    OutputError, WriteError
        The data set cannot be written.
    """
    config = config or BuildConfig()
    config.check_candidates(candidates is not None)
    table = read_pairs_table(pairs_table)
    check_track_files(zip(map(str, table.pairs), table.beds, strict=True))
    sources = {"fasta": fasta, "pairs-table": pairs_table}
    sources |= {} if candidates is None else {"candidate-sites": candidates}
    sources |= {} if blacklist is None else {"blacklist": blacklist}
    with open_genome(fasta, log=log) as genome:
        builder = SiteBuilder(genome, table, config, blacklist, log)
        columns = builder.build(candidates)
        if genome.ambiguous:
            log(
                f"{fasta}: {genome.ambiguous.total():,} bases are not A, C, G, T or N; "
                f"they are read as N"
            )
    dataset = Dataset(
        **columns,
        chroms=tuple(genome.chrom_sizes),
        chrom_sizes=tuple(genome.chrom_sizes.values()),
        pairs=table.pairs,
        roles=table.roles,
        peak_digests=tuple(digest_file(bed) for bed in table.beds),
        vocabulary=table.vocabulary,
        parameters=_parameters(config, builder),
        sources={name: digest_file(Path(path)) for name, path in sources.items()},
        replicates=table.replicates,
    )
    write_dataset(out, dataset)
    return _report(dataset, builder)


def _parameters(config: BuildConfig, builder: SiteBuilder) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "seq_len": config.seq_len,
        "rule": asdict(config.rule),
        "dropped": builder.dropped,
    }
    if config.min_known:
        parameters["min_known"] = config.min_known
    if not config.labels_every_pair:
        names = ("negatives", "top", "alternate", "allow_unranked", "seed")
        parameters["options"] = {name: getattr(config, name) for name in names}
        parameters["details"] = builder.details
    return parameters


def _report(dataset: Dataset, builder: SiteBuilder) -> BuildReport:
    n_positive, n_negative = dataset.counts()
    for kind, counts in (("positive", n_positive), ("negative", n_negative)):
        empty = [str(dataset.pairs[i]) for i in np.flatnonzero(counts == 0)]
        if empty:
            builder.log(
                f"no {kind} site for {counted(len(empty), 'pair')} ({listed(empty)}); "
                f"check that their peaks are of the same assembly"
            )
    return BuildReport(
        n_sites=dataset.n_sites,
        n_pairs=len(dataset.pairs),
        n_positive=int(n_positive.sum()),
        n_negative=int(n_negative.sum()),
        n_ignored=len(dataset.ignored.pair),
        n_positive_sites=int(np.count_nonzero(np.diff(dataset.positive.indptr))),
        dropped=builder.dropped,
        details=builder.details,
    )
