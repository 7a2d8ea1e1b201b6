"""Damage anywhere in a shard is one error that names the file, or harmless."""

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.impute.plan_file import read_plan
from tfimpute_tracks.impute.shard_file import ShardFile, is_complete, shard_path


def test_flipped_bits_anywhere_are_named_or_harmless(toy, rng):
    toy.made()
    plan = read_plan(toy.store)
    shard = plan.shards[0]
    path = shard_path(toy.store, shard)
    whole = path.read_bytes()
    errors = []
    places = [*range(0, min(len(whole), 1500), 7), *rng.integers(0, len(whole), 100)]
    for at in places:
        flipped = bytes([whole[at] ^ 1 << int(rng.integers(8))])
        path.write_bytes(whole[:at] + flipped + whole[at + 1 :])
        try:
            with ShardFile(toy.store, plan, shard) as file:
                file.check()
                file.some_rows([shard.first_pair], 0, shard.block.n_tiles)
        except InputFileError as error:
            errors.append(str(error))
    assert len(errors) > 20
    assert all(str(path) in error for error in errors)
    path.write_bytes(whole)
    assert is_complete(toy.store, plan, shard, thorough=True)
