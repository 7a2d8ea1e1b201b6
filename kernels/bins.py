"""Bins of a signal, as files hold them and sum them up: the loops of ``tracks/formats``."""

from __future__ import annotations

import numpy as np

from tfimpute_tracks.kernels.jit import njit

__all__ = ["end_sums", "fill_bins", "list_bins", "sum_bins", "total_bins"]


@njit(nogil=True, cache=True)
def fill_bins(values, packs, scale, chroms, bins):  # type: ignore[no-untyped-def]
    """Round values, cut bins at the ends of their chromosomes, and drop missing ones.

    Parameters
    ----------
    values : float32 array, shape (n,)
        Of some signals, one after the other.
    packs : int64 array, shape (5, n_signals)
        Chromosome, first start, step in bp, number of bins, and size of the chromosome
        in bp of each signal.
    scale : float
        Values are rounded to multiples of 1 / `scale`; 0 leaves them as they are.
    chroms : uint32 array, shape (n,)
    bins : array of (start, end, value), shape (n,)
        The first ones are filled in.

    Returns
    -------
    int
        Number of bins that have a value; below 0 if one is infinite: -1 - its signal.
    """
    count = at = 0
    for signal in range(packs.shape[1]):
        chrom, start, step = packs[0, signal], packs[1, signal], packs[2, signal]
        for _ in range(packs[3, signal]):
            value = values[at]
            at += 1
            if np.isinf(value):
                return -1 - signal
            if not np.isnan(value):
                if scale:
                    value = np.float32(np.rint(np.float64(value) * scale) / scale)
                    value += np.float32(0)  # -0 becomes 0
                chroms[count] = chrom
                bins[count]["start"] = max(start, 0)
                bins[count]["end"] = min(start + step, packs[4, signal])
                bins[count]["value"] = value
                count += 1
            start += step
    return count


@njit(nogil=True, cache=True)
def sum_bins(chroms, bins, begin, widths, firsts, counts, ends, records):  # type: ignore[no-untyped-def]
    """Sum up bins by the cells of ever coarser grids, until a level is full.

    The last record of a level grows while bins start in its cell. A record that is
    whole is added to the next level.

    Parameters
    ----------
    chroms : uint32 array, shape (n,), ascending
    bins : array of (start, end, value), shape (n,)
        Ascending within a chromosome, not overlapping.
    begin : int
        The first bin to add.
    widths : int64 array, shape (n_levels,)
        Of a cell in bp, ascending.
    firsts : int64 array, shape (n_levels + 1,)
        Where the records of a level begin; its space ends where the next one begins.
    counts : int64 array, shape (n_levels,)
        Records of each level; updated.
    ends : int64 array, shape (n_levels,)
        Where the cell of each level's last record ends, in bp; updated.
    records : array of records, shape (firsts[-1],)
        As in ``tracks/formats/zoom.py``; updated.

    Returns
    -------
    int
        The first bin that found no space, or n.
    """
    levels = widths, firsts, counts, ends, records
    for i in range(begin, bins.size):
        start, end = np.int64(bins[i]["start"]), np.int64(bins[i]["end"])
        value = np.float64(bins[i]["value"])
        total = (end - start) * value
        last = firsts[0] + counts[0] - 1
        if counts[0] and records[last]["chrom"] == chroms[i] and start < ends[0]:
            sums = end - start, value, value, total, total * value
            _grow(records[last], end, sums)
            continue
        for level in range(widths.size):
            if firsts[level] + counts[level] == firsts[level + 1]:
                return i
        new = records[last + 1]
        new["chrom"], new["start"], new["end"] = chroms[i], start, end
        new["bases"], new["low"], new["high"] = end - start, value, value
        new["total"], new["squares"] = total, total * value
        counts[0] += 1
        ends[0] = (start // widths[0] + 1) * widths[0]
        if counts[0] > 1:
            _add(levels, 1, last)
    return bins.size


@njit(nogil=True, cache=True)
def end_sums(widths, firsts, counts, ends, records):  # type: ignore[no-untyped-def]
    """Add the last record of each level to the next: no bin will follow.

    Parameters
    ----------
    widths, firsts, counts, ends, records
        As for :func:`sum_bins`. Each level has space for two more records.
    """
    for level in range(widths.size - 1):
        if counts[level]:
            last = firsts[level] + counts[level] - 1
            _add((widths, firsts, counts, ends, records), level + 1, last)


@njit(nogil=True, cache=True)
def _add(levels, level, record):  # type: ignore[no-untyped-def]
    """Add a record to a level, and on to coarser ones what is whole by that."""
    widths, firsts, counts, ends, records = levels
    while level < widths.size:
        last = firsts[level] + counts[level] - 1
        old, new = records[last], records[record]
        start = np.int64(new["start"])
        if counts[level] and old["chrom"] == new["chrom"] and start < ends[level]:
            sums = new["bases"], new["low"], new["high"], new["total"], new["squares"]
            _grow(old, new["end"], sums)
            return
        records[last + 1] = new
        counts[level] += 1
        ends[level] = (start // widths[level] + 1) * widths[level]
        if counts[level] == 1:
            return
        record = last
        level += 1


@njit(nogil=True, cache=True, forceinline=True)
def _grow(record, end, sums):  # type: ignore[no-untyped-def]
    """Add what starts in the cell of a record: bases, low, high, total and squares."""
    bases, low, high, total, squares = sums
    record["end"] = end
    record["bases"] += bases
    record["low"] = min(record["low"], low)
    record["high"] = max(record["high"], high)
    record["total"] += total
    record["squares"] += squares


@njit(nogil=True, cache=True)
def list_bins(words, values, firsts, heads, steps, bins):  # type: ignore[no-untyped-def]
    """List the bins of sections of a bigWig.

    Parameters
    ----------
    words : uint32 array, shape (n_words,)
        The contents of all sections.
    values : float32 array, shape (n_words,)
        The same memory.
    firsts : int64 array, shape (n_sections,)
        Where the bins of each begin.
    heads : array of (start, step, span, n), shape (n_sections,)
    steps : int64 array, shape (n_sections,)
        Words of a bin: its value; its start and value; or start, end and value.
    bins : array of (start, end, value), shape (n_bins,)
        Filled in.
    """
    count = 0
    for section in range(firsts.size):
        start, span = heads[section]["start"], heads[section]["span"]
        at, n_words = firsts[section], steps[section]
        for _ in range(heads[section]["n"]):
            if n_words > 1:
                start = words[at]
            bins[count]["start"] = start
            bins[count]["end"] = words[at + 1] if n_words > 2 else start + span
            bins[count]["value"] = values[at + n_words - 1]
            start += heads[section]["step"]
            at += n_words
            count += 1


@njit(nogil=True, cache=True)
def total_bins(bins):  # type: ignore[no-untyped-def]
    """Sum up bins.

    Parameters
    ----------
    bins : array of (start, end, value), shape (n,), not empty

    Returns
    -------
    bases : int
    total, scale : float64
        Sum of the values over all bases, and of their absolute values.
    low, high : float64
        The lowest and the highest value; NaN is neither.
    """
    bases, total, scale = np.int64(0), 0.0, 0.0
    low, high = np.inf, -np.inf
    for i in range(bins.size):
        value = np.float64(bins[i]["value"])
        width = np.int64(bins[i]["end"]) - np.int64(bins[i]["start"])
        bases += width
        total += width * value
        scale += abs(width * value)
        low, high = min(low, value), max(high, value)
    return bases, total, scale, low, high
