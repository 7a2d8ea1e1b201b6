"""Build a data set: peaks + FASTA, and a background or none -> one HDF5 file.

Positives are the sites of a background under peaks, or windows about the summits of
each pair's strongest peaks. Negatives are the other sites of the background, shuffled
positives, or windows of the genome that are made of the same. What cannot be a site is
dropped and counted; nothing is dropped silently.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfimpute_tracks.dataset.background import label_pairs, read_background
from tfimpute_tracks.dataset.config import BuildConfig
from tfimpute_tracks.dataset.dataset import Dataset
from tfimpute_tracks.dataset.pairs_table import read_pairs_table
from tfimpute_tracks.dataset.protocol import Protocol
from tfimpute_tracks.dataset.sites import Log
from tfimpute_tracks.dataset.store import write_dataset
from tfimpute_tracks.errors import listed
from tfimpute_tracks.genome.fasta import open_genome
from tfimpute_tracks.storage.digest import digest_file

__all__ = ["BuildReport", "build_dataset"]


@dataclass(frozen=True)
class BuildReport:
    """What a build kept and what it dropped.

    Parameters
    ----------
    n_sites, n_pairs : int
        Size of the label matrix.
    n_positive, n_negative : int
        Labels of these kinds.
    n_ignored : int
        Labels that say nothing although a peak is near.
    n_positive_sites : int
        Sites with at least one positive label.
    dropped : dict of int
        Background sites, peaks and shuffles left out, by reason.
    details : dict
        What else the protocol has to tell, by name; JSON values.
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
    background: str | Path | None,
    out: str | Path,
    config: BuildConfig | None = None,
    blacklist: str | Path | None = None,
    log: Log = lambda message: None,
) -> BuildReport:
    """Make labelled sites for every pair of a table, and write them.

    Parameters
    ----------
    fasta : path
        The genome that the background and the peaks are on.
    pairs_table : path
        See :func:`~tfimpute_tracks.dataset.pairs_table.read_pairs_table`.
    background : path or None
        BED3 or more. Only the center of an interval counts.
    out : path
        The data set; an existing file is replaced.
    config : BuildConfig, optional
    blacklist : path, optional
        BED; sites whose sequence overlaps it are dropped.
    log : callable
        Gets each remark for the user, one line.

    Returns
    -------
    BuildReport

    Raises
    ------
    UsageError
        The background is needed and not given, or given and not needed.
    InputFileError
        An input cannot be read, the background shares no chromosome with the FASTA, no
        site is left, or peaks are to be ranked and are not.
    OutputError, WriteError
        The data set cannot be written.
    """
    config = config or BuildConfig()
    config.check_background(background is not None)
    table = read_pairs_table(pairs_table)
    sources = {"fasta": fasta, "pairs-table": pairs_table}
    sources |= {} if background is None else {"background": background}
    sources |= {} if blacklist is None else {"blacklist": blacklist}
    with open_genome(fasta, log=log) as genome:
        protocol = Protocol(genome, table, config, blacklist, log)
        columns = _make(protocol, background)
        if genome.ambiguous:
            log(
                f"{fasta}: {genome.ambiguous.total():,} letters are not A, C, G, T or "
                f"N; they are read as N"
            )
    parameters: dict[str, Any] = {
        "seq_len": config.seq_len,
        "rule": asdict(config.rule),
        "dropped": protocol.dropped,
    }
    if config.min_known:
        parameters["min_known"] = config.min_known
    if not config.is_plain:
        names = ("negatives", "top", "alternate", "allow_unranked", "seed")
        parameters["protocol"] = {name: getattr(config, name) for name in names}
        parameters["details"] = protocol.details
    dataset = Dataset(
        **columns,
        chroms=tuple(genome.chrom_sizes),
        chrom_sizes=tuple(genome.chrom_sizes.values()),
        pairs=table.pairs,
        roles=table.roles,
        peak_digests=tuple(digest_file(bed) for bed in table.beds),
        vocabulary=table.vocabulary,
        parameters=parameters,
        sources={name: digest_file(Path(path)) for name, path in sources.items()},
        replicates=table.replicates,
    )
    write_dataset(out, dataset)
    return _report(dataset, protocol)


def _make(protocol: Protocol, background: str | Path | None) -> dict[str, Any]:
    """Make the columns of the data set that belong to sites."""
    config, genome = protocol.config, protocol.genome
    if background is None or not config.is_plain:
        return protocol.make(background)
    found = read_background(
        genome, background, config.window, protocol.blacklist, protocol.log
    )
    protocol.dropped |= found.dropped
    positive, ignored = label_pairs(genome, protocol.table, found.sites, config.rule)
    return {
        "codes": found.codes,
        "chrom_id": found.sites.chrom_id,
        "start": found.sites.center - config.seq_len // 2,
        "positive": positive,
        "ignored": ignored,
    }


def _report(dataset: Dataset, protocol: Protocol) -> BuildReport:
    n_positive, n_negative = dataset.counts()
    for kind, numbers in (("positive", n_positive), ("negative", n_negative)):
        empty = [str(dataset.pairs[i]) for i in np.flatnonzero(numbers == 0)]
        if empty:
            protocol.log(
                f"{len(empty)} pairs have no {kind} site ({listed(empty)}); "
                f"are their peaks of the same assembly?"
            )
    return BuildReport(
        n_sites=dataset.n_sites,
        n_pairs=len(dataset.pairs),
        n_positive=int(n_positive.sum()),
        n_negative=int(n_negative.sum()),
        n_ignored=len(dataset.ignored.pair),
        n_positive_sites=int(np.count_nonzero(np.diff(dataset.positive.indptr))),
        dropped=protocol.dropped,
        details=protocol.details,
    )
