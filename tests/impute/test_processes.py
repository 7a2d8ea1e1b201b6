"""Exports by processes: the files of threads, whatever happens on the way."""

from dataclasses import replace

import pytest
from pool_work import open_counting

from tfimpute_tracks.engines.ordered_processes import ordered_processes
from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.impute.export import ExportJob, run_export
from tfimpute_tracks.tracks.record import TrackOptions


def test_results_are_in_order_and_an_error_has_its_turn():
    items = [3, 0, 2, "fail", 1]
    results = ordered_processes(open_counting, 10, items, 2)
    assert [next(results) for _ in range(5)] == [10, 11, 12, 10, 11]
    with pytest.raises(UsageError, match="wrong item"):
        next(results)


@pytest.mark.slow
def test_a_process_that_dies_is_one_error():
    with pytest.raises(RunError, match="run the same command again"):
        list(ordered_processes(open_counting, 0, [1, "die", 1], 1))


@pytest.mark.slow
def test_a_caller_that_stops_ends_the_processes():
    results = ordered_processes(open_counting, 0, [1] * 100, 2)
    assert next(results) == 0
    results.close()


def test_files_are_those_of_threads(toy):
    store = toy.made()
    options = TrackOptions(formats=("bigwig", "bed"))
    threads = ExportJob(store, store.plan.pairs, toy.folder / "t", options, threads=2)
    by_threads = list(run_export(threads))
    processes = replace(threads, out_dir=toy.folder / "p", has_processes=True)
    by_processes = list(run_export(processes))
    assert [r.pair for r in by_processes] == [r.pair for r in by_threads]
    for one, other in zip(by_threads, by_processes, strict=True):
        for a, b in zip(one.files, other.files, strict=True):
            assert a.name == b.name
            if a.suffix != ".json":  # a receipt says how long it took
                assert a.read_bytes() == b.read_bytes()
    assert all(result.reused for result in run_export(processes))
