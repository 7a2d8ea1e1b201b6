"""Confidence intervals of AUROCs: a bootstrap over blocks of chromosomes.

Neighboring sites are not independent, they share peaks, genes and compartments. So
whole blocks are resampled with replacement, and the AUROC is computed again for each
sample. The intervals reflect the choice of regions, and neither the choice of pairs nor
the training run.

The AUROC counts pairs of a bound and an unbound site that are ranked right. These are
counted once per pair of blocks, W[i, j] with the bound site in block i and the unbound
one in block j; with block i drawn m_i times the AUROC is then
m' W m / ((m' P) (m' N)), exactly, and no sample reads a site again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "Interval",
    "draw_blocks",
    "mean_interval",
    "resampled_aurocs",
    "site_blocks",
]

BLOCK = 1_000_000
"""bp of a block."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


class Interval(NamedTuple):
    """A percentile interval of a mean over pairs.

    Parameters
    ----------
    low, high : float or None
        None where no sample has an AUROC.
    resamples : int
        Samples used.
    missing : float
        Fraction of (sample, pair) without an AUROC, because none of the pair's bound
        sites was drawn; the mean of such a sample is over the other pairs.
    """

    low: float | None
    high: float | None
    resamples: int
    missing: float


def site_blocks(chrom_id: NDArray[np.int32], start: Ints, length: int = BLOCK) -> Ints:
    """Assign each site the number of its block.

    Parameters
    ----------
    chrom_id : int array, shape (n_sites,)
    start : int64 array, shape (n_sites,)
        0-based, in bp.
    length : int
        bp of a block; blocks begin at multiples of it.

    Returns
    -------
    int64 array, shape (n_sites,)
        0 to the number of blocks that hold a site - 1.
    """
    keys = np.stack([chrom_id.astype(np.int64), start // length], axis=1)
    _, blocks = np.unique(keys, axis=0, return_inverse=True)
    return blocks.astype(np.int64).reshape(-1)


def draw_blocks(n_blocks: int, resamples: int, seed: int) -> Ints:
    """Resample blocks with replacement, as many as there are.

    Parameters
    ----------
    n_blocks, resamples, seed : int

    Returns
    -------
    int64 array, shape (resamples, n_blocks)
        How often each block is drawn in each sample.
    """
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=resamples)


def resampled_aurocs(
    scores: Floats,
    labels: NDArray[np.int8],
    blocks: Ints,
    draws: Ints,
    max_counts: int = 1 << 20,
) -> Doubles:
    """Compute the AUROC of each pair in each sample of blocks.

    Parameters
    ----------
    scores : float array, shape (n_sites, n_pairs)
        All NaN for a pair without scores.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    blocks : int64 array, shape (n_sites,)
        From :func:`site_blocks`.
    draws : int64 array, shape (n_resamples, n_blocks)
        From :func:`draw_blocks`.
    max_counts : int
        Counts held in memory at a time.

    Returns
    -------
    float64 array, shape (n_resamples, n_pairs)
        NaN where a sample has no bound or no unbound site of the pair, or the pair has
        no scores.
    """
    weights = draws.astype(np.float64)
    n_blocks, n_pairs = draws.shape[1], scores.shape[1]
    result = np.full((len(draws), n_pairs), np.nan)
    at_once = max(1, max_counts // n_blocks**2)
    for first in range(0, n_pairs, at_once):
        some = range(first, min(first + at_once, n_pairs))
        counted = [_wins(scores[:, i], labels[:, i], blocks, n_blocks) for i in some]
        wins, bound, unbound = (np.stack(part) for part in zip(*counted, strict=True))
        right = np.tensordot(weights, wins, (1, 1))  # (n_resamples, pairs, n_blocks)
        right = (right * weights[:, None]).sum(axis=2)
        total = (weights @ bound.T) * (weights @ unbound.T)
        np.divide(right, total, out=result[:, some.start : some.stop], where=total > 0)
    return result


def _wins(
    scores: Floats, labels: NDArray[np.int8], blocks: Ints, n_blocks: int
) -> tuple[Doubles, Ints, Ints]:
    """Count the pairs of sites ranked right, by block of the bound and unbound site."""
    wins = np.zeros((n_blocks, n_blocks))
    used = labels >= 0
    if np.isnan(scores[used]).any():
        used[:] = False
    order = np.argsort(scores[used])
    ranked, is_bound = scores[used][order], labels[used][order] == 1
    block = blocks[used][order]
    of_bound, of_unbound = block[is_bound], block[~is_bound]
    if len(of_bound):
        # An unbound site is below the bound ones from this rank on; ties count half.
        begins = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
        n_tied = np.diff(begins, append=len(ranked))
        n_before = np.append(0, is_bound.cumsum())
        n_ranks = len(of_bound) + 1
        counts = np.zeros(n_blocks * n_ranks, dtype=np.int64)
        for edge in (begins, begins + n_tied):
            rank = np.repeat(n_before[edge], n_tied)[~is_bound]
            counts += np.bincount(of_unbound * n_ranks + rank, minlength=len(counts))
        below = counts.reshape(n_blocks, -1)[:, :-1].cumsum(axis=1)
        by_block = np.argsort(of_bound, kind="stable")
        present, firsts = np.unique(of_bound[by_block], return_index=True)
        wins[present] = np.add.reduceat(below[:, by_block], firsts, axis=1).T / 2
    n_bound, n_unbound = (
        np.bincount(some, minlength=n_blocks) for some in (of_bound, of_unbound)
    )
    return wins, n_bound, n_unbound


def mean_interval(values: Doubles, level: float = 0.95) -> Interval:
    """Compute the percentile interval of the mean over pairs.

    Parameters
    ----------
    values : float64 array, shape (n_resamples, n_pairs)
        From :func:`resampled_aurocs`, or the difference of two such arrays of the same
        samples.
    level : float
        Fraction of the samples inside.

    Returns
    -------
    Interval
    """
    known = ~np.isnan(values)
    n_known = known.sum(axis=1)
    sums = np.where(known, values, 0).sum(axis=1)
    means = sums[n_known > 0] / n_known[n_known > 0]
    if not len(means):
        return Interval(None, None, 0, 1.0)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return Interval(low, high, len(means), float(1 - known.mean()))
