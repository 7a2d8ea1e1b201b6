"""Bins of a signal, and what zoom levels keep of them: the loops of ``tracks/formats``."""

from __future__ import annotations

import numpy as np

from tfimpute_tracks.kernels.jit import njit

__all__ = ["fill_bins", "sum_bins", "sum_records"]


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
def sum_bins(chroms, bins, reduction, records):  # type: ignore[no-untyped-def]
    """Sum up the bins that start in the same cell of a grid.

    Parameters
    ----------
    chroms : uint32 array, shape (n,), ascending
    bins : array of (start, end, value), shape (n,)
        Ascending within a chromosome, not overlapping.
    reduction : int
        Width of a cell in bp.
    records : array of records, shape (n,)
        As in ``tracks/formats/zoom.py``; the first ones are filled in.

    Returns
    -------
    int
        Number of records.
    """
    count, chrom, end_of_cell = 0, np.int64(-1), np.int64(0)
    for i in range(bins.size):
        start, end = np.int64(bins[i]["start"]), np.int64(bins[i]["end"])
        value = np.float64(bins[i]["value"])
        total = (end - start) * value
        if chroms[i] != chrom or start >= end_of_cell:
            chrom = np.int64(chroms[i])
            end_of_cell = (start // reduction + 1) * reduction
            records[count]["chrom"], records[count]["start"] = chrom, start
            records[count]["bases"] = end - start
            records[count]["low"] = records[count]["high"] = bins[i]["value"]
            records[count]["total"] = total
            records[count]["squares"] = total * value
            count += 1
        else:
            records[count - 1]["bases"] += end - start
            records[count - 1]["low"] = min(records[count - 1]["low"], value)
            records[count - 1]["high"] = max(records[count - 1]["high"], value)
            records[count - 1]["total"] += total
            records[count - 1]["squares"] += total * value
        records[count - 1]["end"] = end
    return count


@njit(nogil=True, cache=True)
def sum_records(given, reduction, records):  # type: ignore[no-untyped-def]
    """Sum up the records that start in the same cell of a grid.

    Parameters
    ----------
    given : array of records, shape (n,)
        In the order of the genome.
    reduction : int
        Width of a cell in bp.
    records : array of records, shape (n,)
        The first ones are filled in.

    Returns
    -------
    int
        Number of records.
    """
    count, chrom, end_of_cell = 0, np.int64(-1), np.int64(0)
    for i in range(given.size):
        start = np.int64(given[i]["start"])
        if given[i]["chrom"] != chrom or start >= end_of_cell:
            chrom = np.int64(given[i]["chrom"])
            end_of_cell = (start // reduction + 1) * reduction
            records[count] = given[i]
            count += 1
            continue
        last = count - 1
        records[last]["end"] = max(records[last]["end"], given[i]["end"])
        records[last]["low"] = min(records[last]["low"], given[i]["low"])
        records[last]["high"] = max(records[last]["high"], given[i]["high"])
        records[last]["bases"] += given[i]["bases"]
        records[last]["total"] += given[i]["total"]
        records[last]["squares"] += given[i]["squares"]
    return count
