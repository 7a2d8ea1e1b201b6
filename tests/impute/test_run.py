"""A run as a whole: resumed, refused, damaged, out of room, in parts."""

import fcntl
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stored import probabilities

from tfimpute_tracks.errors import (
    InputFileError,
    OutputError,
    RunError,
    UsageError,
    WriteError,
)
from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.impute import (
    BulkJob,
    WorkerSpec,
    check_store,
    missing_shards,
)
from tfimpute_tracks.impute.estimate import check_disk
from tfimpute_tracks.impute.events import Done, Failed, Note, Part
from tfimpute_tracks.impute.export import ExportJob, run_export
from tfimpute_tracks.impute.plan import part_of
from tfimpute_tracks.impute.plan_file import has_plan, read_plan, write_plan
from tfimpute_tracks.impute.run import Todo, prepare_bulk, run_bulk
from tfimpute_tracks.impute.shard_file import shard_path
from tfimpute_tracks.impute.status import Status
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.impute.worker import open_worker
from tfimpute_tracks.kernels.encode import decode
from tfimpute_tracks.models import load_model
from toys import write_fasta, write_model


def _watch(*_):
    pass


@pytest.mark.parametrize("blocked", ["logs", "logs/cpu-1.log"])
def test_logs_that_cannot_be_written_cost_one_warning_at_most(toy, caplog, blocked):
    path = toy.store / blocked
    path.parent.mkdir(parents=True)
    path.write_text("") if blocked == "logs" else path.mkdir()
    result = run_bulk(toy.job(), _watch)
    assert (result.n_made, result.failed) == (6, {})
    assert caplog.text.count("not written") == (blocked == "logs")


def _contents(folder):
    return {p.name: p.read_bytes() for p in sorted((folder / "shards").iterdir())}


def test_a_run_makes_all_and_the_next_one_nothing(toy):
    result = run_bulk(toy.job(), _watch)
    assert (result.n_made, result.n_reused, result.failed) == (6, 0, {})
    before = _contents(toy.store)
    result = run_bulk(toy.job(), _watch)
    assert (result.n_made, result.n_reused) == (0, 6)
    assert _contents(toy.store) == before
    status = json.loads((toy.store / "status.json").read_text())
    assert status["state"] == "done"
    assert status["shards"]["reused"] == 6
    assert (toy.store / "logs" / "cpu-1.log").read_text().count("bytes in") == 6


def test_what_is_missing_truncated_or_foreign_is_made_again(toy):
    plan = toy.plan()
    toy.made(plan)
    before = _contents(toy.store)
    paths = [shard_path(toy.store, shard) for shard in plan.shards]
    paths[0].unlink()
    paths[1].write_bytes(paths[1].read_bytes()[:500])
    shutil.copy(paths[3], paths[2])  # another shard under this name
    (toy.store / "shards" / f".{paths[4].name[:40]}.12-ab.tmp").write_bytes(b"rest")
    todo, n_damaged = missing_shards(toy.job(plan))
    assert [shard.number for shard in todo] == [0, 1, 2]
    assert n_damaged == 2
    result = run_bulk(toy.job(plan), _watch)
    assert (result.n_made, result.n_damaged) == (3, 2)
    after = _contents(toy.store)
    after.pop(f".{paths[4].name[:40]}.12-ab.tmp")
    assert after == before


@pytest.mark.parametrize("place", [0.3, 0.6])
def test_a_flipped_bit_is_found_named_and_repaired_on_request(toy, place):
    plan = toy.plan(1000)
    store = toy.made(plan)
    path = shard_path(toy.store, plan.shards[0])
    good = path.read_bytes()
    start = good.index(b"\x28\xb5\x2f\xfd")  # a chunk that Zstandard wrote
    at = start + 8 + int(place * 200)
    path.write_bytes(good[:at] + bytes([good[at] ^ 16]) + good[at + 1 :])
    with pytest.raises(InputFileError, match=path.name):
        [list(probabilities(store, pair)) for pair in plan.pairs]
    assert missing_shards(toy.job(plan))[0] == []
    job = toy.job(plan, verify=True)
    assert [shard.number for shard in missing_shards(job)[0]] == [0]
    assert run_bulk(job, _watch).n_damaged == 1
    assert path.read_bytes() == good


def test_another_run_on_the_store_is_refused(toy):
    toy.made()
    with (toy.store / ".lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another run works on"):
            run_bulk(toy.job(), _watch)


def test_parts_work_in_parallel_and_make_the_whole(toy):
    plan = toy.plan()
    whole = toy.made(plan)
    before = _contents(whole.folder)
    shutil.rmtree(toy.store)
    parts = [part_of(plan.shards, i, 4) for i in (1, 2, 3, 4)]
    assert [s.number for part in parts for s in part] == list(range(6))
    for number in (3, 1, 4, 2):
        run_bulk(toy.job(plan, part=(number, 4)), _watch)
    assert _contents(toy.store) == before
    assert (toy.store / "status.3-of-4.json").exists()
    with (toy.store / ".lock.2-of-4").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OutputError):
            run_bulk(toy.job(plan, part=(2, 4)), _watch)
        run_bulk(toy.job(plan, part=(1, 4)), _watch)


def test_a_store_of_something_else_is_refused_with_both_digests(toy, rng):
    plan = toy.plan()
    toy.made(plan)
    toy.weights = write_model(toy.folder / "other.safetensors", seed=1)
    toy.model = load_model(toy.weights)
    other = toy.plan()
    with pytest.raises(UsageError, match=plan.weights) as error:
        check_store(toy.store, other)
    assert toy.model.checkpoint.digest in str(error.value)
    for change, words in (
        ({"stride": 40}, "another stride: it has 20, this run 40"),
        ({"precision": "fast"}, "another precision"),
        ({"keep_below": 2.0}, r"another plan \(keep below\)"),
        ({"thresholds": [0.5] * 12, "tfs": ["A"] * 12}, r"\(tfs, thresholds\)"),
    ):
        with pytest.raises(UsageError, match=words):
            check_store(toy.store, replace(plan, **change))


def test_paths_of_workers_elsewhere_are_absolute(toy, monkeypatch):
    monkeypatch.chdir(toy.folder)
    (toy.folder / "e.h5").touch()
    spec = WorkerSpec(
        Path("store"), "toy.safetensors", Path("toy.fa"), Path("c"), evidence="e.h5"
    ).resolved()
    assert spec.evidence == str(toy.folder / "e.h5")
    assert spec.model == str(toy.weights)
    assert (spec.store, spec.fasta) == (toy.store, toy.fasta)
    assert spec.cache_dir == toy.folder / "c"
    bundled = WorkerSpec(Path("store"), "default", None, None, evidence="encode-hg19")
    assert bundled.resolved() == replace(bundled, store=toy.store)


def test_another_sequence_is_refused_with_both_digests(toy):
    plan = toy.plan()
    toy.made(plan)
    text = toy.fasta.read_text()
    toy.fasta.write_text(text[:200] + ("A" if text[200] != "A" else "C") + text[201:])
    changed = toy.plan()
    with pytest.raises(UsageError, match="sequence at chr1:1") as error:
        check_store(toy.store, changed)
    assert plan.blocks[0].digest in str(error.value)
    assert changed.blocks[0].digest in str(error.value)
    maker = open_worker(toy.spec())
    with pytest.raises(RunError, match="another FASTA"):
        maker.make(0, lambda _: None)


def test_other_names_of_the_same_files_are_the_same_store(toy):
    store = toy.made()
    toy.weights = toy.weights.rename(toy.folder / "renamed.safetensors")
    toy.fasta = toy.fasta.rename(toy.folder / "renamed.fa")
    toy.model = load_model(toy.weights)
    plan = toy.plan()
    assert (plan.model, plan.genome) == ("renamed", "renamed.fa")
    assert plan.digest == store.plan.digest
    check_store(toy.store, plan)
    assert missing_shards(toy.job(plan)).shards == []


def test_what_a_dead_process_had_computed_does_not_count(toy, tmp_path):
    plan = toy.plan()
    seconds = [0.0]
    path = tmp_path / "status.json"
    status = Status(path, plan, plan.shards, 0, lambda: seconds[0])
    seconds[0] = 10
    status.update(Part("a", 100))
    assert json.loads(path.read_text())["seconds_left"] is None  # no rate is known
    seconds[0] = 12
    status.update(Part("b", 50))
    assert status.n_scores == 150
    n_left = sum(shard.n_scores for shard in plan.shards) - 150
    written = json.loads(path.read_text())
    assert written["seconds_left"] == round(n_left / 50 * 2, 1)
    status.update(Note("a died", "a"))
    assert status.n_scores == 50
    status.update(Done("b", 1, 10, 0.5))
    assert status.n_scores == plan.shards[1].n_scores
    seconds[0] = 20
    status.update(Failed(0, "poison"))
    written = json.loads(path.read_text())
    assert written["shards"] == {"planned": 6, "reused": 0, "done": 1, "failed": 1}
    assert written["notes"] == ["a died"]
    assert written["seconds_left"] > 0


def test_a_process_of_another_release_refuses(toy, monkeypatch):
    toy.made()
    monkeypatch.setattr("tfimpute_tracks.impute.worker.__version__", "99.1")
    with pytest.raises(InputFileError, match=r"runs tfimpute-tracks 99\.1"):
        open_worker(toy.spec())


def test_a_block_that_fails_is_named_and_all_else_kept(toy):
    plan = toy.plan()
    toy.store.mkdir()
    write_plan(toy.store, plan)
    text = toy.fasta.read_text()
    toy.fasta.write_text(text[:200] + ("A" if text[200] != "A" else "C") + text[201:])
    heard = []
    result = run_bulk(toy.job(plan), lambda event, status: heard.append(event))
    assert list(result.failed) == [0]
    assert "another FASTA" in result.failed[0]
    assert result.n_made == 5
    assert len([event for event in heard if isinstance(event, Failed)]) == 1
    status = json.loads((toy.store / "status.json").read_text())
    assert status["state"] == "failed"
    assert status["failed"][0]["chrom"] == "chr1"


def test_a_plan_is_recognized_only_where_it_is_whole(toy):
    plan = toy.made().plan
    assert has_plan(toy.store, plan)
    assert read_plan(toy.store) == plan
    assert not has_plan(toy.store, replace(plan, model="other"))
    path = toy.store / "store.json"
    path.write_text(path.read_text()[:-2])
    assert not has_plan(toy.store, plan)
    path.unlink()
    assert not has_plan(toy.store, plan)


def test_a_damaged_plan_is_refused(toy):
    toy.made()
    path = toy.store / "store.json"
    text = path.read_text()
    for broken in (text[:100], text.replace('"stride": 20', '"stride": 21'), "[]"):
        path.write_text(broken)
        with pytest.raises(InputFileError, match="damaged"):
            read_plan(toy.store)
    path.write_text(text.replace('"format_version": 4', '"format_version": 9'))
    with pytest.raises(InputFileError, match="version 9"):
        read_plan(toy.store)
    with pytest.raises(InputFileError, match="not a bulk store"):
        Store(toy.folder)


def test_the_estimate_is_of_this_run_and_too_small_a_disk_is_refused(toy):
    plan = toy.plan()
    with open_genome(toy.fasta) as genome:
        cost = prepare_bulk(toy.job(plan), toy.model, genome).cost
        known = sum(
            (~np.isnan(scores.values)).sum()
            for scores in probabilities(toy.made(plan), plan.pairs[0])
        )
    assert cost.megabases == pytest.approx(known * 20 / 1e6)
    assert cost.n_shards == 6
    assert cost.rate > 0
    assert cost.seconds > 0
    check_disk(cost, toy.store)
    assert not cost.is_large()
    assert cost.is_large(max_seconds=cost.seconds)
    assert cost.is_large(max_bytes=cost.n_bytes)
    small = type(cost)(**vars(cost) | {"bytes_free": cost.n_bytes - 1})
    with pytest.raises(OutputError, match="GB free"):
        check_disk(small, toy.store)


def test_a_disk_that_fills_up_costs_nothing_that_is_done(toy, small_disk):
    plan = toy.plan(20)
    toy.store = small_disk(96 << 10) / "store"
    with pytest.raises(WriteError, match=r"full|room|space"):
        run_bulk(toy.job(plan), _watch)
    done = [s for s in plan.shards if shard_path(toy.store, s).exists()]
    assert 0 < len(done) < len(plan.shards)
    assert not list((toy.store / "shards").glob(".*.tmp"))
    todo, n_damaged = missing_shards(toy.job(plan))
    assert n_damaged == 0
    assert len(todo) == len(plan.shards) - len(done)


def test_jobs_of_several_processes_give_the_same(toy):
    plan = toy.plan(17, 5)
    before = _contents(toy.made(plan).folder)
    shutil.rmtree(toy.store)
    job = BulkJob(plan, toy.spec(threads=2), ["cpu", "cpu"])
    assert run_bulk(job, _watch).n_made == len(plan.shards)
    assert _contents(toy.store) == before


def test_bases_around_the_tiles_belong_to_the_sequence_of_a_plan(around):
    """A change in the halo of a block is another sequence; one beyond it is not."""
    with open_genome(around.fasta) as genome:
        text = decode(genome.codes("chr1"))
        others = {c: decode(genome.codes(c)) for c in genome.chrom_sizes}

    def digest(at=None):
        if at is not None:
            other = "A" if text[at] != "A" else "C"
            changed = text[:at] + other + text[at + 1 :]
            around.fasta = write_fasta(
                around.folder / f"{at}.fa", others | {"chr1": changed}
            )
        return around.plan(40).blocks[0].digest

    # The block's 40 tiles end at 840, and the halo has 80 more.
    before = digest()
    assert [digest(at) == before for at in (919, 920)] == [False, True]


def test_stores_and_tracks_stay_apart(toy):
    run_bulk(toy.job(), _watch)
    inside = toy.store / "shards"
    job = toy.job()
    nested = replace(job, spec=replace(job.spec, store=inside / "more"))
    with pytest.raises(UsageError, match="which is a bulk store; use another"):
        check_store(nested.spec.store, nested.plan)
    store = Store(toy.store)
    for folder in (toy.store, inside):
        with pytest.raises(UsageError, match="a bulk store; use another folder"):
            list(run_export(ExportJob(store, store.plan.pairs, folder)))
    assert not list(toy.store.glob("*.bw"))
    tracks = toy.folder / "tracks"
    list(run_export(ExportJob(store, store.plan.pairs[:1], tracks)))
    with pytest.raises(UsageError, match="tracks contains tracks, such as those of"):
        check_store(tracks, job.plan)


def test_one_shard_is_made_in_this_process(toy):
    plan = toy.plan()
    first = next(iter(plan.shards)).number
    with open_genome(toy.fasta) as genome:
        job = toy.job(plan)
        prepared = prepare_bulk(job, toy.model, genome)
        events = []
        one = prepared._replace(todo=Todo(plan.shards[:1], 0))
        result = run_bulk(job, lambda event, status: events.append(event), one)
    assert result.n_made == 1
    assert not (toy.store / "logs").exists()
    assert [type(event) for event in events] == [Part] * (len(events) - 1) + [Done]
    here = shard_path(toy.store, plan.shards[first]).read_bytes()
    job = toy.job(plan, overwrite=True)
    run_bulk(job, _watch)
    assert shard_path(toy.store, plan.shards[first]).read_bytes() == here


def test_a_shard_that_fails_in_this_process_is_reported(toy):
    plan = toy.plan()
    plan.blocks[0] = plan.blocks[0]._replace(digest="0" * 32)
    with open_genome(toy.fasta) as genome:
        job = toy.job(plan)
        prepared = prepare_bulk(job, toy.model, genome)
        one = prepared._replace(todo=Todo(plan.shards[:1], 0))
        result = run_bulk(job, _watch, one)
    assert result.n_made == 0
    assert "another FASTA" in result.failed[0]
