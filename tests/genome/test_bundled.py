"""The stretch of hg19 that ships."""

from __future__ import annotations

import pickle
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import (
    bundled_genes,
    bundled_region,
    open_bundled,
    open_genome,
)
from tfimpute_tracks.genome.genes import genes_in, read_genes
from tfimpute_tracks.genome.two_bit import TwoBitFile
from tfimpute_tracks.kernels.encode import N_CODE


def test_it_is_known_inside_and_n_outside():
    region = bundled_region()
    with open_bundled() as genome:
        assert dict(genome.chrom_sizes) == {"chr20": 63_025_520}
        codes = genome.codes("chr20", region.start - 100, region.end + 100)
        assert codes.dtype == np.uint8
        assert (codes[:100] == N_CODE).all()
        assert (codes[-100:] == N_CODE).all()
        assert (codes[100:-100] < N_CODE).all()
        assert len(codes) == 3_000_200
        assert not genome.ambiguous
        assert (genome.codes("chr20", 5, 25) == N_CODE).all()
        assert genome.codes("chr20", region.end, region.end).shape == (0,)


def test_a_part_equals_the_slice_of_the_whole():
    region = bundled_region()
    genome = open_bundled()
    whole = genome.codes("chr20", region.start - 50, region.end + 50)
    for start, end in [(0, 60), (40, 51), (700, 9000), (2_999_990, 3_000_100)]:
        part = genome.codes("chr20", *(region.start - 50 + x for x in (start, end)))
        np.testing.assert_array_equal(part, whole[start:end])


def test_what_is_read_may_be_written_to():
    region = bundled_region()
    first = open_bundled().codes("chr20", region.start, region.start + 10)
    kept = first.copy()
    first[:] = N_CODE
    again = open_bundled().codes("chr20", region.start, region.start + 10)
    np.testing.assert_array_equal(again, kept)


def test_the_file_says_the_same_place():
    path = files("tfimpute_tracks") / "genome" / "data" / "hg19.chr20.2bit"
    region = bundled_region()
    sizes = TwoBitFile(Path(str(path)), print).sizes
    assert sizes == {str(region): region.end - region.start}


def test_it_is_the_real_sequence(shared_data, tmp_path):
    region = bundled_region()
    mine = open_bundled()
    path = shared_data / "hg19" / "hg19.partial.fa.gz"
    with open_genome(path, tmp_path) as genome:
        np.testing.assert_array_equal(mine.codes(*region), genome.codes(*region))


def test_outside_of_the_chromosome_is_refused():
    genome = open_bundled()
    with pytest.raises(RegionError, match="unknown chromosome chr1; known: chr20"):
        genome.codes("chr1")
    with pytest.raises(RegionError, match="63,025,520 bp"):
        genome.codes("chr20", 0, 63_025_521)


def test_it_pickles_small():
    pickled = pickle.dumps(open_bundled())
    assert len(pickled) < 200
    assert pickle.loads(pickled).chrom_sizes == open_bundled().chrom_sizes


def test_its_genes_are_there():
    genes = genes_in(read_genes(bundled_genes()), bundled_region())
    assert {"CEBPB", "PTPN1", "SNAI1", "NFATC2"} <= {gene.name for gene in genes}
    start, end = bundled_region()[1:]
    assert all(start <= gene.start < gene.end <= end for gene in genes)
