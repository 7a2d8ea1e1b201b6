"""Packed regions of the bundled chromosome are conditioned on the bundled evidence."""

import numpy as np

from tfimpute_tracks.engines.packs import split_rows
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import plan_tiles, read_codes
from tfimpute_tracks.evidence import evidence_for
from tfimpute_tracks.genome import Region, open_bundled
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models import load_model
from tfimpute_tracks.tracks.scan import scan_blocks


def test_packed_regions_have_the_same_scores():
    with open_bundled() as genome:
        assert evidence_for(genome.chrom_sizes)
        model = load_model("default", "encode-hg19")
        scorer = Scorer(model, ["CTCF:K562", "MAX:HepG2"])
        starts = range(48_700_000, 48_900_000, 40_000)
        regions = [Region("chr20", start, start + 1000) for start in starts]
        sizes, stride = dict(genome.chrom_sizes), scorer.stride
        ranges = plan_tiles(regions, sizes, model.config.seq_len, stride)
        assert len(ranges) == 5
        (block,) = scan_blocks(scorer, genome, ranges)
        for tiles, rows in split_rows(block.ranges):
            codes = read_codes(genome, tiles, scorer.grid)
            expected = sigmoid(scorer.score(codes, tiles))
            np.testing.assert_array_equal(block.scores[rows], expected)
