"""Motifs of filters: of a planted word, against going through every position."""

import numpy as np
import pytest

from tfimpute_tracks.errors import RunError
from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.interpret.filters import (
    HIT_FRACTION,
    FilterMotif,
    find_motifs,
    information,
    is_informative,
)
from tfimpute_tracks.kernels.encode import encode, one_hot, reverse_complement
from toys import make_model, write_fasta, write_gapped_genome


def every_value(model, codes):
    """Give max(0, Y - b) at each position, of both strands: (2, P, K)."""
    weights = model.checkpoint.weights
    length = model.config.filter_length
    sides = []
    for some in (codes, reverse_complement(codes)):
        windows = np.lib.stride_tricks.sliding_window_view(
            one_hot(some), length, axis=0
        )  # (P, 4, F)
        y = np.einsum("pcf,kfc->pk", windows, weights["filters"])
        sides.append(np.maximum(y - weights["bias"], 0))
    return np.stack([sides[0], sides[1][::-1]])


def test_as_by_going_through_every_position(tmp_path):
    model = make_model(tmp_path)
    path, letters = write_gapped_genome(tmp_path)
    regions = [Region("chr1", 100, 1700), Region("chr20", 0, 900)]
    done = []
    found = find_motifs(model, open_genome(path), regions, done.append)
    length = model.config.filter_length
    stretches = [encode(letters[c])[start:end] for c, start, end in regions]
    values = [every_value(model, codes) for codes in stretches]
    assert sum(done) == 2 * sum(side.shape[1] for side in values)
    for k, motif in enumerate(found):
        largest = max(side[:, :, k].max() for side in values)
        assert motif.largest == pytest.approx(largest, rel=1e-5)
        counts = np.zeros((length, 4), dtype=np.int64)
        for codes, side in zip(stretches, values, strict=True):
            for strand, p in zip(
                *np.nonzero(side[:, :, k] > HIT_FRACTION * largest), strict=True
            ):
                under = codes[p : p + length]
                under = reverse_complement(under) if strand else under
                counts[np.flatnonzero(under < 4), under[under < 4]] += 1
        np.testing.assert_array_equal(motif.counts, counts)
        chrom, start, end = motif.strongest[0]
        at = next(i for i, region in enumerate(regions) if region.chrom == chrom)
        first = start - regions[at].start
        best = values[at][:, first : end - length + 1 - regions[at].start, k].max()
        assert best == pytest.approx(largest, rel=1e-5)


def test_long_regions_are_read_in_blocks_without_a_seam(tmp_path, rng):
    model = make_model(tmp_path)
    letters = "".join(rng.choice(list("ACGT"), 40_000))
    genome = open_genome(write_fasta(tmp_path / "long.fa", {"chr1": letters}))
    whole = find_motifs(model, genome, [Region("chr1", 0, 40_000)], lambda n: None)
    values = every_value(model, encode(letters))
    for k, motif in enumerate(whole):
        n = np.count_nonzero(values[:, :, k] > HIT_FRACTION * motif.largest)
        assert abs(motif.n_hits - n) <= 1  # a value may be half but for rounding


def test_a_filter_that_never_fires_has_no_motif(tmp_path):
    model = make_model(tmp_path)
    model.checkpoint.weights["bias"][3] = 1000
    path, _ = write_gapped_genome(tmp_path)
    found = find_motifs(
        model, open_genome(path), [Region("chr20", 0, 900)], lambda n: None
    )
    silent = found[3]
    assert (silent.largest, silent.n_hits, silent.consensus) == (0, 0, "")
    assert (silent.strongest, silent.core, is_informative(silent)) == (
        [],
        (0, 0),
        False,
    )


@pytest.mark.parametrize("region", [("chr1", 1600, 1900), ("chr20", 0, 5)])
def test_where_no_filter_fires(tmp_path, region):
    model = make_model(tmp_path)
    path, _ = write_gapped_genome(tmp_path)
    with pytest.raises(RunError, match="no filter of toy fires in chr"):
        find_motifs(model, open_genome(path), [Region(*region)], lambda n: None)


def test_core_consensus_and_what_is_informative():
    counts = np.full((9, 4), 25)
    counts[2:7] = [
        [100, 0, 0, 0],
        [0, 0, 100, 0],
        [0, 90, 0, 10],
        *[[0, 0, 0, 100]] * 2,
    ]
    motif = FilterMotif(7, 1.0, counts, [])
    assert motif.name == "filter007"
    assert motif.core == (2, 7)
    assert motif.consensus[2:7] == "AGCTT"
    assert motif.consensus[:2].islower()
    assert is_informative(motif)
    assert not is_informative(motif._replace(counts=counts[:5]))
    assert not is_informative(motif._replace(counts=np.full((9, 4), 25)))
    few = motif._replace(counts=np.maximum(counts // 20, 0))
    assert not is_informative(few)


def test_information_is_two_bits_at_most(rng):
    counts = rng.integers(0, 1000, (12, 4))
    bits = information(counts)
    assert (bits >= 0).all()
    assert (bits.sum(axis=1) <= 2).all()
    sure = information(np.array([[10**6, 0, 0, 0]]))
    assert sure[0, 0] == pytest.approx(2, abs=1e-3)
    assert information(np.zeros((1, 4), int)).sum() == pytest.approx(0)
