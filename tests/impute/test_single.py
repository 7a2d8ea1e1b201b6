"""Shards that are made in this process, two at once."""

from tfimpute_tracks.impute.events import Done, Failed, Part
from tfimpute_tracks.impute.plan_file import write_plan
from tfimpute_tracks.impute.shard_file import shard_path
from tfimpute_tracks.impute.single import make_shards
from tfimpute_tracks.impute.worker import open_worker


def _worker(toy, **sizes):
    plan = toy.plan(**sizes)
    (toy.store / "shards").mkdir(parents=True)
    write_plan(toy.store, plan)
    return open_worker(toy.spec(threads=2))


def _files(worker):
    paths = [shard_path(worker.folder, shard) for shard in worker.plan.shards]
    return [path.read_bytes() if path.exists() else b"" for path in paths]


def test_shards_are_those_made_one_after_the_other(toy):
    worker = _worker(toy)
    numbers = range(len(worker.plan.shards))
    for number in numbers:
        worker.make(number, lambda _: None)
    expected = _files(worker)
    events = list(make_shards(worker, numbers))
    assert _files(worker) == expected
    assert {event.number for event in events if isinstance(event, Done)} == set(numbers)
    n_scores = sum(event.n_scores for event in events if isinstance(event, Part))
    assert n_scores == sum(shard.n_scores for shard in worker.plan.shards)


def test_a_shard_that_fails_keeps_no_other_from_being_made(toy):
    worker = _worker(toy)
    numbers = range(len(worker.plan.shards))
    text = toy.fasta.read_text()
    toy.fasta.write_text(text[:200] + ("A" if text[200] != "A" else "C") + text[201:])
    events = list(make_shards(open_worker(toy.spec(threads=2)), numbers))
    assert [event.number for event in events if isinstance(event, Failed)] == [0]
    assert [bool(file) for file in _files(worker)] == [number > 0 for number in numbers]


def test_what_is_not_begun_is_not_made_after_a_stop(toy):
    worker = _worker(toy, tiles=4)
    events = make_shards(worker, range(len(worker.plan.shards)))
    next(events)
    events.close()
    made = [path.name for path in (worker.folder / "shards").iterdir()]
    names = [shard.file_name for shard in worker.plan.shards]
    assert set(made) < set(names)  # and nothing half written
    assert names[-1] not in made
