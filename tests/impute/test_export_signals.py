"""Other signals out of a store: those of its own scores, whatever it lacks."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from stored import probabilities

from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.impute.export import ExportJob, run_export
from tfimpute_tracks.impute.plan import ChunkSize
from tfimpute_tracks.impute.shard_file import ShardFile
from tfimpute_tracks.tracks.record import TrackOptions
from tfimpute_tracks.vocabulary import Pair

PAIR = Pair("MAX", "HepG2")
REGIONS = [Region("chr1", 333, 2111), Region("chr2", 500, 900)]


def _tables(store, folder, options, regions=None):
    job = ExportJob(
        store, [PAIR], folder, replace(options, formats=("parquet",)), regions
    )
    (result,) = run_export(job)
    table = pd.read_parquet(result.files[0])
    return table.set_index(["chrom", "start", "end"]), result


@pytest.mark.parametrize(("tiles", "per_shard"), [(40, 0), (17, 5), (9, 2)])
@pytest.mark.parametrize("regions", [None, REGIONS])
def test_signals_follow_from_the_probabilities_of_the_store(
    toy, tiles, per_shard, regions
):
    store = toy.made(toy.plan(tiles, per_shard))
    folder = toy.folder / "e"
    plain, result = _tables(store, folder, TrackOptions(), regions)
    odds, of_odds = _tables(store, folder, TrackOptions("log-odds"), regions)
    special, of_special = _tables(store, folder, TrackOptions("specificity"), regions)
    assert result.record.n_peaks == of_odds.record.n_peaks == of_special.record.n_peaks
    p = plain["probability"].astype(np.float64)
    np.testing.assert_allclose(odds["log_odds"], np.log(p / (1 - p)), atol=0.01)
    every = []
    for cell in toy.model.cells:
        options = TrackOptions(formats=("parquet",))
        job = ExportJob(
            store, [Pair("MAX", cell)], toy.folder / "all", options, regions
        )
        every.append(pd.read_parquet(next(run_export(job)).files[0])["probability"])
    expected = p - np.mean(every, axis=0)
    np.testing.assert_allclose(special["specificity"], expected, atol=1e-6)
    assert special.index.equals(plain.index)
    told = json.loads(of_special.files[-1].read_text())["record"]
    assert told["mean_over_cells"] == 4
    assert told["signal"] == "specificity"
    assert (told["stride"], told["bin_size"]) == (20, 20)
    assert told["genome"] == "toy.fa"
    assert "expected_auroc" in told


def test_the_mean_is_over_the_cell_lines_that_the_store_has(toy):
    pairs = [PAIR, Pair("MAX", "K562"), Pair("CTCF", "K562")]
    store = toy.made(toy.plan(pairs=pairs))
    special, result = _tables(store, toy.folder / "e", TrackOptions("specificity"))
    told = json.loads(result.files[-1].read_text())["record"]
    assert told["mean_over_cells"] == 2
    scores = [
        np.concatenate([s.values for s in probabilities(store, pair)])
        for pair in pairs[:2]
    ]
    expected = (scores[0] - scores[1]) / 2
    expected = expected[~np.isnan(expected)]
    np.testing.assert_allclose(special["specificity"], expected, atol=1e-6)


@pytest.mark.parametrize("signal", ["log-odds", "specificity"])
def test_a_sparse_store_is_refused_with_the_remedy(toy, signal):
    store = toy.made(toy.plan(keep_below=0.5))
    with pytest.raises(
        UsageError, match=f"without --sparse, or `scan --signal {signal}"
    ):
        _tables(store, toy.folder / "e", TrackOptions(signal))
    assert not (toy.folder / "e").exists()


def test_bins_and_zooms_are_as_asked_for(toy):
    store = toy.made(toy.plan(17))
    plain, _ = _tables(store, toy.folder / "a", TrackOptions())
    wide, _ = _tables(store, toy.folder / "b", TrackOptions(bin_size=60))
    chroms = plain.index.get_level_values("chrom")
    tiles = (plain.index.get_level_values("start") - 20) // 20
    means = plain["probability"].groupby([chroms, tiles // 3]).mean()
    np.testing.assert_allclose(wide["probability"], means, rtol=1e-6)
    with pytest.raises(UsageError, match="use 40 or 60"):
        _tables(store, toy.folder / "c", TrackOptions(bin_size=50))


def test_rows_of_neighboring_pairs_are_their_rows(toy):
    for keep_below in (None, 0.5):
        toy.store = toy.folder / f"store-{keep_below}"
        chunk = ChunkSize(pairs=5, tiles=7)
        store = toy.made(toy.plan(40, 7, keep_below=keep_below, chunk=chunk))
        for shard in store.plan.shards[:2]:
            with ShardFile(store.folder, store.plan, shard) as file:
                places = range(shard.first_pair, shard.first_pair + shard.n_pairs)
                n_tiles = shard.block.n_tiles
                rows = [file.some_rows([place], 0, n_tiles)[0] for place in places]
                for first, last in ((0, len(rows)), (1, 2), (2, len(rows) - 1)):
                    begin = shard.first_pair
                    some = list(file.rows(begin + first, begin + last))
                    np.testing.assert_array_equal(
                        np.concatenate(some), rows[first:last]
                    )


def test_results_come_in_the_order_of_the_pairs(toy):
    store = toy.made()
    first, *others = store.plan.pairs[:3]
    wanted = [others[1], first, first, others[0]]
    job = ExportJob(store, wanted, toy.folder / "e", TrackOptions(formats=("bed",)))
    results = list(run_export(job))
    assert [result.pair for result in results] == wanted
    assert [result.reused for result in results] == [False, False, True, False]


def test_a_region_of_unknown_sequence_is_refused_and_leaves_no_file(toy):
    store, gap = toy.made(), [Region("chr2", 640, 760)]
    job = ExportJob(store, [PAIR], toy.folder / "e", TrackOptions(), gap)
    with pytest.raises(RegionError, match=r"641-760 is unknown \(N\)"):
        list(run_export(job))
    assert not any((toy.folder / "e").iterdir())
    (result,) = run_export(replace(job, regions=[REGIONS[0], *gap]))
    assert result.files
