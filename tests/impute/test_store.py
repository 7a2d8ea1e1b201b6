"""What is in a store is what a scan gives, rounded as stated, however it was cut."""

from dataclasses import replace

import numpy as np
import pytest
from stored import log_odds, probabilities

from tfimpute_tracks.errors import RegionError, UnknownNameError, UsageError
from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.impute import make_plan
from tfimpute_tracks.impute.catalogue import make_catalogue
from tfimpute_tracks.impute.export import ExportJob, run_export
from tfimpute_tracks.impute.live_query import score_pairs
from tfimpute_tracks.impute.plan import ChunkSize
from tfimpute_tracks.impute.query import rank_pairs
from tfimpute_tracks.impute.similarity import draw_projection, project_pairs
from tfimpute_tracks.kernels.codes import decode_codes
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.checkpoint import write_checkpoint
from tfimpute_tracks.tracks import ScanJob, run_scan, scan_region
from tfimpute_tracks.tracks.formats import FORMATS
from tfimpute_tracks.tracks.record import TrackOptions
from tfimpute_tracks.vocabulary import Pair
from toys import GENOME, random_letters, write_fasta

# A file per tile and pair takes its time.
CUTS = [(40, 0), (1000, 0), (17, 5), pytest.param(2, 1, marks=pytest.mark.slow)]


def _log_odds(p):
    p = np.clip(np.float64(p), 1e-300, 1 - 1e-16)
    return np.log(p) - np.log1p(-p)


# From a pair that calls a peak everywhere to one that calls none.
THRESHOLDS = np.linspace(-9, 13, 12)


def _spread_lines(toy):
    """Give the toy weights peak lines all over the log-odds."""
    checkpoint = toy.model.checkpoint
    thresholds = 1 / (1 + np.exp(-THRESHOLDS)).astype(np.float32)
    weights = checkpoint.weights | {"thresholds": thresholds.reshape(3, 4)}
    write_checkpoint(
        toy.weights, checkpoint.config, checkpoint.vocabulary, weights, GENOME
    )
    toy.model = load_model(toy.weights)


@pytest.mark.parametrize(("tiles", "per_shard"), CUTS)
def test_scores_are_the_scan_s_to_half_a_step(toy, tiles, per_shard):
    _spread_lines(toy)
    _check_scores(toy, toy.made(toy.plan(tiles, per_shard)))


@pytest.mark.parametrize(("tiles", "per_shard"), [(40, 0), (17, 5)])
def test_scores_with_context_are_the_scan_s(around, tiles, per_shard):
    _spread_lines(around)
    _check_scores(around, around.made(around.plan(tiles, per_shard)))


def _check_scores(toy, store):
    with open_genome(toy.fasta) as genome:
        for pair in store.plan.pairs:
            index = store.index(pair)
            line = float(store.plan.scale.thresholds[index])
            step = float(store.plan.scale.steps[index])
            for chrom, size in genome.chrom_sizes.items():
                _, exact = scan_region(toy.model, genome, chrom, 0, size, [pair], 20)
                got = [s for s in probabilities(store, pair) if s.chrom == chrom]
                values = np.concatenate([s.values for s in got])
                np.testing.assert_array_equal(np.isnan(values), np.isnan(exact[:, 0]))
                known = ~np.isnan(values)
                a, b = _log_odds(values[known]), _log_odds(exact[known, 0])
                inside = (b > -10.9) & (b < max(6.9, line + 3.9))
                assert inside.any()
                assert np.abs(a - b)[inside].max() <= step / 2 + 1e-3
                # And nothing is far off, whatever the line: not even what is clipped.
                error = np.abs(values[known] - exact[known, 0])
                assert error.max() <= step / 8 + 4e-4


def _locus(store, region):
    """Put the parts of a region together: starts, codes of all pairs, missing tiles."""
    pieces = list(store.loci(region))
    starts = np.unique(np.concatenate([piece.starts for piece in pieces]))
    codes = np.zeros((len(store.plan.pairs), len(starts)), dtype=np.uint8)
    is_missing = np.zeros(len(starts), dtype=bool)
    n_filled = 0
    for first, some, values, flags in pieces:
        columns = np.searchsorted(starts, some)
        codes[first : first + len(values), columns] = values
        is_missing[columns] = flags
        n_filled += values.size
    assert n_filled == codes.size  # each once
    return starts, codes, is_missing


@pytest.mark.parametrize(("tiles", "per_shard"), [(40, 0), (17, 5)])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("where", [None, [Region("chr1", 300, 1500)]])
def test_pairs_read_together_are_those_read_alone(toy, tiles, per_shard, sparse, where):
    keep_below = 1.0 if sparse else None
    chunk = ChunkSize(pairs=3, tiles=8)
    store = toy.made(toy.plan(tiles, per_shard, keep_below=keep_below, chunk=chunk))
    every = [7, 6, *range(6), 11, 8]  # in any order
    n_tiles = sum(
        len(signal.values) for signal in log_odds(store, store.plan.pairs[0], where)
    )
    groups = list(store.groups(every, where, n_bytes=2 * n_tiles))
    assert [number for group in groups for number in group] == every
    assert {1, 2} == set(map(len, groups))
    for group in [*groups, *store.groups(every, where), [4, 4, 3]]:
        together = list(store.rows(group, where))
        for row, number in enumerate(group):
            alone = list(log_odds(store, store.plan.pairs[number], where))
            scale = store.plan.scale.of(number, 1)
            chroms = [tiles.chrom for rows in together for tiles in rows.ranges]
            assert chroms == [one.chrom for one in alone]
            np.testing.assert_array_equal(
                np.concatenate([rows.log_odds(row, scale) for rows in together]),
                np.concatenate([one.values for one in alone]),
            )


def test_a_plan_of_unknown_sequence_is_refused(toy):
    pairs, where = toy.model.vocabulary.all_pairs(), [Region("chr2", 680, 720)]
    unknown = pytest.raises(RegionError, match="chr2:681-720 is unknown")
    with open_genome(toy.fasta) as genome, unknown:
        make_plan(toy.model, pairs, where, genome, 20)


def test_a_place_and_a_pair_give_the_same(toy):
    store = toy.made(toy.plan(17, 5))
    region = Region("chr1", 300, 1500)
    starts, codes, _ = _locus(store, region)
    assert starts[0] <= 300 < starts[0] + 20
    assert starts[-1] < 1500 <= starts[-1] + 20
    for pair in store.plan.pairs[::5]:
        values = np.concatenate(
            [s.values for s in probabilities(store, pair, [region])]
        )
        index = store.index(pair)
        scale = store.plan.scale.of(index, 1)
        logits = decode_codes(codes[index : index + 1], scale)[0]
        np.testing.assert_allclose(values, 1 / (1 + np.exp(-logits)), rtol=1e-5)


@pytest.mark.parametrize("lines", ["alike", "spread"])
def test_exported_tracks_have_the_scan_s_peaks(toy, lines):
    if lines == "spread":
        _spread_lines(toy)
    _check_exports(toy)


def test_exported_tracks_with_context_have_the_scan_s_peaks(around):
    _spread_lines(around)
    _check_exports(around)


def _check_exports(toy):
    store = toy.made()
    pairs = store.plan.pairs
    options = TrackOptions(formats=tuple(FORMATS))
    exported = list(run_export(ExportJob(store, pairs, toy.folder / "e", options)))
    with open_genome(toy.fasta) as genome:
        regions = [Region(c, 0, size) for c, size in genome.chrom_sizes.items()]
        job = ScanJob(toy.model, pairs, regions, toy.folder / "s", 20)
        scanned = list(run_scan(job, genome, lambda _: None))
    assert sum(result.record.n_peaks for result in scanned) > 0
    counts = store.peak_counts()
    for one, other, count in zip(exported, scanned, counts, strict=True):
        assert one.record.n_peaks == other.record.n_peaks == count
        stem = f"{one.pair.tf}.{one.pair.cell}.narrowPeak"
        ours, theirs = (
            [
                row.split("\t")[:3]
                for row in (toy.folder / f / stem).read_text().split("\n")
            ]
            for f in "es"
        )
        assert ours == theirs
    again = list(run_export(ExportJob(store, pairs, toy.folder / "e", options)))
    assert all(result.reused for result in again)


def test_peaks_counted_across_shards_are_those_of_the_whole(toy):
    whole = toy.made(toy.plan(1000)).peak_counts()
    for tiles, per_shard in ((2, 0), (7, 5)):
        toy.store = toy.folder / f"cut-{tiles}"
        np.testing.assert_array_equal(
            toy.made(toy.plan(tiles, per_shard)).peak_counts(), whole
        )


def test_a_sparse_store_keeps_every_peak_and_little_else(toy):
    dense = toy.made()
    counts = dense.peak_counts()
    toy.store = toy.folder / "sparse"
    sparse = toy.made(toy.plan(keep_below=0.5))
    np.testing.assert_array_equal(sparse.peak_counts(), counts)
    for pair in dense.plan.pairs:
        threshold = dense.plan.thresholds[dense.index(pair)]
        for full, some in zip(
            probabilities(dense, pair), probabilities(sparse, pair), strict=True
        ):
            kept = some.values > 0
            np.testing.assert_array_equal(full.values[kept], some.values[kept])
            assert kept[full.values >= threshold].all()
    for record in _ranked(sparse):
        below = _log_odds(record.threshold) - _log_odds(record.probability)
        assert below < 0.5 + sparse.plan.scale.steps.max() / 2
    with pytest.raises(UsageError, match="--keep-below-threshold 12"):
        toy.plan(keep_below=12.0)


def _ranked(store, **options):
    calls = options.pop("calls", {})
    return rank_pairs(store, Region("chr1", 1000, 1100), calls, **options)


def test_a_query_ranks_by_probability(toy):
    store = toy.made()
    ranked = _ranked(store)
    assert len(ranked) == 12
    probabilities = [record.probability for record in ranked]
    assert probabilities == sorted(probabilities, reverse=True)
    assert [r.is_peak for r in ranked] == [r.probability >= r.threshold for r in ranked]
    assert {r.tf for r in _ranked(store, only=("MAX", None))} == {"MAX"}
    for record in ranked:
        inside = set(range(record.start, record.end)) & set(range(1000, 1100))
        assert record.end - record.start == 60
        assert record.overlap == len(inside)
    with pytest.raises(RegionError, match="unknown \\(N\\)"):
        rank_pairs(store, Region("chr2", 680, 720), {})
    with pytest.raises(RegionError, match="has no tile"):
        rank_pairs(store, Region("chr2", 1001, 1003), {})


def test_a_query_states_what_was_measured(toy):
    store = toy.made()
    calls = {Pair("MAX", "K562"): "bound", Pair("CTCF", "K562"): "not bound"}
    for record in _ranked(store, calls=calls):
        pair = Pair(record.tf, record.cell)
        assert record.measured == calls.get(pair, "not measured")
        assert record.status == ("measured" if pair in calls else "imputed")


def test_a_query_without_a_store_finds_the_same(toy):
    stored = {(r.tf, r.cell): r for r in _ranked(toy.made())}
    pairs, region = toy.model.vocabulary.all_pairs(), Region("chr1", 1000, 1100)
    with open_genome(toy.fasta) as genome:
        found = score_pairs(toy.model, genome, region, pairs, {})
        with pytest.raises(RegionError, match="unknown \\(N\\)"):
            score_pairs(toy.model, genome, Region("chr2", 680, 720), pairs, {})
        with pytest.raises(UsageError, match="is longer than 100 kb, the most"):
            score_pairs(toy.model, genome, Region("chr1", 0, 100_001), pairs, {})
    assert len(found) == 12
    assert found == sorted(found, key=lambda record: -record.probability)
    for record in found:
        other = stored[record.tf, record.cell]
        assert record.probability == pytest.approx(other.probability, abs=0.02)
        assert (record.threshold, record.is_peak) == (other.threshold, other.is_peak)
        assert record.overlap > 0


@pytest.mark.parametrize(("tiles", "per_shard"), CUTS)
def test_a_query_of_a_whole_chromosome_finds_each_pair_s_best_tile(
    toy, tiles, per_shard
):
    store = toy.made(toy.plan(tiles, per_shard))
    for record in rank_pairs(store, Region("chr1", 0, 2990), {}):
        blocks = [
            scores
            for scores in probabilities(store, Pair(record.tf, record.cell))
            if scores.chrom == "chr1"
        ]
        values = np.concatenate([scores.values for scores in blocks])
        best = int(np.nanargmax(values))
        assert record.probability == pytest.approx(values[best], abs=1e-6)
        assert record.start == best * 20


def test_a_pair_that_is_not_there_is_named(toy):
    store = toy.made(toy.plan(pairs=[Pair("CTCF", "K562")]))
    with pytest.raises(UnknownNameError, match="MAX:K562 is not in"):
        list(probabilities(store, Pair("MAX", "K562")))


def test_catalogue_and_map_have_a_row_per_pair(toy):
    store = toy.made()
    pairs = store.plan.pairs[:3]
    options = TrackOptions(formats=("bigwig",))
    list(run_export(ExportJob(store, pairs, toy.folder / "e", options)))
    table = make_catalogue(store, toy.folder / "e")
    assert (table["digest"] != "").sum() == 3
    assert table["peaks"].tolist() == store.peak_counts().tolist()
    layout = project_pairs(store)
    assert len(layout) == 12
    assert layout["correlation"].max() <= 1.0001
    draw_projection(toy.folder / "map.png", layout)
    assert (toy.folder / "map.png").stat().st_size > 10_000


def test_pairs_are_projected_by_what_little_sequence_is_known(toy, rng):
    known = random_letters(rng, 1200)
    write_fasta(toy.fasta, {"chr1": "N" * 40_000 + known + "N" * 40_000})
    layout = project_pairs(toy.made())
    assert len(layout) == 12
    assert layout["correlation"].notna().all()


def test_missing_tiles_are_stored_once_and_pairs_stand_by_similarity(toy):
    plan = toy.plan()
    assert len(plan.shards) == len(plan.blocks)
    store = toy.made(plan)
    _, codes, is_missing = _locus(store, Region("chr2", 640, 760))
    assert (codes[:, is_missing] == 0).all()
    assert is_missing.any()
    assert plan.tfs == sorted(plan.tfs)


def test_a_region_that_is_there_in_part_is_named(toy):
    store = toy.made()
    store.plan = replace(store.plan, regions=["chr1:101-1,000"])
    assert not store.outside([Region("chr1", 200, 900)])
    assert not store.outside([Region("chr1", 0, store.plan.chrom_sizes["chr1"])])
    assert "600 bp of the 1 kb of chr1:401-1400" in store.outside(
        [Region("chr1", 400, 1400)]
    )
