"""Build a data set: peaks + background sites + FASTA -> one HDF5 file.

The background is a BED of sites, DNase hypersensitive ones for choice: places where
something binds somewhere, so that a negative is a real alternative. Sites that teach
nothing are dropped and counted; nothing is dropped silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.dataset.labels import LabelRule, SiteLabels, label_sites
from tfimpute_tracks.dataset.pairs_table import PairsTable, read_pairs_table
from tfimpute_tracks.dataset.store import Dataset, PairLists, write_dataset
from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.genome.bed import blacklisted, merge_intervals, read_bed
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.genome.fasta import Genome, open_genome
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.storage.digest import digest_file

__all__ = ["BuildConfig", "BuildReport", "build_dataset"]

Notify = Callable[[str], None]
Positions = NDArray[np.int64]

# The file keeps the place of an N within its sequence in 16 bits.
_MAX_SEQ_LEN = 2**15 - 1


@dataclass(frozen=True)
class BuildConfig:
    """What sites and labels are made with.

    Parameters
    ----------
    seq_len : int
        Length of each sequence, centred on the centre of its background interval.
    rule : LabelRule

    Raises
    ------
    UsageError
        The length is not in 1..32767.
    """

    seq_len: int = 200
    rule: LabelRule = field(default_factory=LabelRule)

    def __post_init__(self) -> None:
        if not 1 <= self.seq_len <= _MAX_SEQ_LEN:
            raise UsageError(
                f"sequence length {self.seq_len} is not in 1..{_MAX_SEQ_LEN}; "
                f"the usual ones are 100 to 1000"
            )


@dataclass(frozen=True)
class BuildReport:
    """What a build kept and what it dropped.

    Parameters
    ----------
    n_sites, n_pairs : int
        Size of the label matrix.
    n_positive, n_ignored : int
        Labels of these kinds; all others are negative.
    n_positive_sites : int
        Sites with at least one positive label.
    dropped : dict of int
        Background sites left out, by reason.
    """

    n_sites: int
    n_pairs: int
    n_positive: int
    n_ignored: int
    n_positive_sites: int
    dropped: dict[str, int]


class _Sites(NamedTuple):
    """Sites in order of chromosome and centre, each once."""

    chrom_id: NDArray[np.int32]
    centre: Positions

    def keep(self, chosen: NDArray[np.bool_]) -> _Sites:
        return _Sites(self.chrom_id[chosen], self.centre[chosen])

    def by_chrom(self) -> Iterator[tuple[int, slice]]:
        """Give each chromosome with the run of its sites."""
        for chrom in np.unique(self.chrom_id):
            first, last = np.searchsorted(self.chrom_id, [chrom, chrom + 1])
            yield int(chrom), slice(int(first), int(last))


def build_dataset(
    fasta: str | Path,
    pairs_table: str | Path,
    background: str | Path,
    out: str | Path,
    config: BuildConfig | None = None,
    blacklist: str | Path | None = None,
    notify: Notify = lambda message: None,
) -> BuildReport:
    """Label the sites of a background for every pair of a table, and write them.

    Parameters
    ----------
    fasta : path
        The genome that the background and the peaks are on.
    pairs_table : path
        See :func:`~tfimpute_tracks.dataset.pairs_table.read_pairs_table`.
    background : path
        BED3 or more. Only the centre of an interval counts.
    out : path
        The data set; an existing file is replaced.
    config : BuildConfig, optional
    blacklist : path, optional
        BED; sites whose sequence overlaps it are dropped.
    notify : callable
        Gets each remark for the user, one line.

    Returns
    -------
    BuildReport

    Raises
    ------
    InputFileError
        An input cannot be read, the background shares no chromosome with the FASTA, or
        no site is left.
    OutputError, WriteError
        The data set cannot be written.
    """
    config = config or BuildConfig()
    table = read_pairs_table(pairs_table)
    with open_genome(fasta, notify=notify) as genome:
        sites, dropped = _collect_sites(genome, background, notify)
        if blacklist is not None:
            clear = ~_is_blacklisted(sites, genome, blacklist, config.seq_len)
            dropped["blacklisted"] = int(np.count_nonzero(~clear))
            sites = sites.keep(clear)
        codes, readable = _read_sequences(genome, sites, config)
        if genome.ambiguous:
            notify(
                f"{fasta}: {genome.ambiguous.total():,} letters are not A, C, G, T or "
                f"N; they are read as N"
            )
    dropped["mostly N"] = int(np.count_nonzero(~readable))
    sites, codes = sites.keep(readable), codes[readable]
    if not len(codes):
        raise InputFileError(
            f"{background}: no site is left with sequence in {fasta} "
            f"({_describe(dropped)}); are both of the same assembly?"
        )
    sources = {"fasta": fasta, "pairs-table": pairs_table, "background": background}
    if blacklist is not None:
        sources["blacklist"] = blacklist
    positive, ignored = _label(genome, table, sites, config.rule)
    dataset = Dataset(
        codes=codes,
        chrom_id=sites.chrom_id,
        start=sites.centre - config.seq_len // 2,
        chroms=tuple(genome.chrom_sizes),
        chrom_sizes=tuple(genome.chrom_sizes.values()),
        pairs=table.pairs,
        roles=table.roles,
        peak_digests=tuple(digest_file(bed) for bed in table.beds),
        vocabulary=table.vocabulary,
        positive=positive,
        ignored=ignored,
        parameters=asdict(config) | {"dropped": dropped},
        sources={name: digest_file(Path(path)) for name, path in sources.items()},
    )
    write_dataset(out, dataset)
    _warn_of_empty_pairs(dataset, notify)
    return _report(dataset, dropped)


def _report(dataset: Dataset, dropped: dict[str, int]) -> BuildReport:
    return BuildReport(
        n_sites=dataset.n_sites,
        n_pairs=len(dataset.pairs),
        n_positive=len(dataset.positive.pair),
        n_ignored=len(dataset.ignored.pair),
        n_positive_sites=int(np.count_nonzero(np.diff(dataset.positive.indptr))),
        dropped=dropped,
    )


def _collect_sites(
    genome: Genome, background: str | Path, notify: Notify
) -> tuple[_Sites, dict[str, int]]:
    """Sort the centres of the background, and drop what cannot be a site."""
    intervals = read_bed(background)
    chrom_id = _chrom_ids(genome, intervals["chrom"])
    known = chrom_id >= 0
    if not known.any():
        raise InputFileError(
            f"{background}: none of its chromosomes is in the FASTA: it has "
            f"{_first(intervals['chrom'].unique())}, the FASTA "
            f"{_first(genome.chrom_sizes)}; give both of one assembly"
        )
    if not known.all():
        absent = intervals["chrom"][~known].unique()
        notify(
            f"{background}: {np.count_nonzero(~known):,} sites are on chromosomes that "
            f"the FASTA does not hold: {_first(absent)}"
        )
    centre = (intervals["start"].to_numpy() + intervals["end"].to_numpy()) // 2
    chrom_id, centre = chrom_id[known], centre[known].astype(np.int64)
    sizes = np.array(list(genome.chrom_sizes.values()), dtype=np.int64)
    inside = centre < sizes[chrom_id]
    both = np.unique(np.stack([chrom_id[inside], centre[inside]]), axis=1)
    return _Sites(both[0].astype(np.int32), both[1]), {
        "chromosome not in the FASTA": int(np.count_nonzero(~known)),
        "past the chromosome's end": int(np.count_nonzero(~inside)),
        "duplicated": int(np.count_nonzero(inside)) - both.shape[1],
    }


def _chrom_ids(genome: Genome, names: pd.Series) -> NDArray[np.int64]:
    """Look up chromosomes in the order of the FASTA; -1 where it lacks one."""
    index = {name: i for i, name in enumerate(genome.chrom_sizes)}
    ids = {name: index.get(find_chrom(name, index) or "", -1) for name in set(names)}
    found: NDArray[np.int64] = names.map(ids).to_numpy(dtype=np.int64)
    return found


def _is_blacklisted(
    sites: _Sites, genome: Genome, blacklist: str | Path, seq_len: int
) -> NDArray[np.bool_]:
    intervals = read_bed(blacklist, allow_empty=True)
    names = list(genome.chrom_sizes)
    hit = np.zeros(len(sites.centre), dtype=np.bool_)
    for chrom, run in sites.by_chrom():
        start = sites.centre[run] - seq_len // 2
        hit[run] = blacklisted(names[chrom], start, start + seq_len, intervals)
    return hit


def _read_sequences(
    genome: Genome, sites: _Sites, config: BuildConfig
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Read the sequence about each centre, and tell which are readable in the middle.

    One chromosome is in memory at a time: half a million reads of 200 bp from a
    compressed FASTA would take far longer.
    """
    L = config.seq_len
    codes = np.empty((len(sites.centre), L), dtype=np.uint8)
    names = list(genome.chrom_sizes)
    for chrom, run in sites.by_chrom():
        size = genome.chrom_sizes[names[chrom]]
        padded = np.full(size + 2 * L, N_CODE, dtype=np.uint8)
        padded[L : L + size] = genome.codes(names[chrom], 0, size)
        windows = np.lib.stride_tricks.sliding_window_view(padded, L)
        codes[run] = windows[sites.centre[run] - L // 2 + L]
    middle = min(config.rule.central, L)
    first = L // 2 - middle // 2
    n_unknown = np.count_nonzero(codes[:, first : first + middle] == N_CODE, axis=1)
    return codes, n_unknown <= middle / 2


def _label(
    genome: Genome, table: PairsTable, sites: _Sites, rule: LabelRule
) -> tuple[PairLists, PairLists]:
    runs = list(sites.by_chrom())
    labels = [_label_pair(genome, bed, sites, runs, rule) for bed in table.beds]
    n_sites = len(sites.centre)
    return (
        _list_by_site([pair.positive for pair in labels], n_sites),
        _list_by_site([pair.ignored for pair in labels], n_sites),
    )


def _label_pair(
    genome: Genome,
    bed: Path,
    sites: _Sites,
    runs: list[tuple[int, slice]],
    rule: LabelRule,
) -> SiteLabels:
    peaks = merge_intervals(read_bed(bed))
    chrom_id = _chrom_ids(genome, peaks["chrom"])
    starts, ends = peaks["start"].to_numpy(np.int64), peaks["end"].to_numpy(np.int64)
    found: list[SiteLabels] = []
    for chrom, run in runs:
        here = chrom_id == chrom
        labels = label_sites(sites.centre[run], starts[here], ends[here], rule)
        found.append(SiteLabels(*(rows + run.start for rows in labels)))
    return SiteLabels(*(np.concatenate(rows) for rows in zip(*found, strict=True)))


def _list_by_site(rows_of_pair: list[Positions], n_sites: int) -> PairLists:
    """Turn the sites of each pair into the pairs of each site."""
    n_rows = [len(rows) for rows in rows_of_pair]
    pair = np.repeat(np.arange(len(rows_of_pair), dtype=np.uint16), n_rows)
    rows = np.concatenate(rows_of_pair)
    order = np.argsort(rows, kind="stable")
    indptr = np.searchsorted(rows[order], np.arange(n_sites + 1))
    return PairLists(indptr, pair[order])


def _warn_of_empty_pairs(dataset: Dataset, notify: Notify) -> None:
    n_positive, _ = dataset.counts()
    empty = [str(dataset.pairs[i]) for i in np.flatnonzero(n_positive == 0)]
    if empty:
        notify(
            f"{len(empty)} pairs have no positive site ({_first(empty)}); "
            f"are their peaks of the same assembly?"
        )


def _describe(dropped: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {reason}" for reason, n in dropped.items() if n)


def _first(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")
