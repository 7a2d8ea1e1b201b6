"""Other programs read a shard; damage anywhere is one error or harmless."""

import h5py
import numpy as np
import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.impute.plan import ChunkSize
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


@pytest.mark.usefixtures("zstd_filter")
@pytest.mark.parametrize("keep_below", [None, 1.0])
def test_h5py_with_the_filter_reads_the_same(toy, keep_below):
    toy.made(toy.plan(17, 5, keep_below=keep_below, chunk=ChunkSize(pairs=3, tiles=8)))
    plan = read_plan(toy.store)
    for shard in plan.shards:
        with h5py.File(shard_path(toy.store, shard)) as file:
            stored = file["codes"]
            assert stored.fletcher32
            codes = stored[:]
            height, width = stored.chunks
        if not plan.is_sparse:  # as docs/bulk-store.md says
            for i in range(0, codes.shape[0], height):
                for j in range(0, codes.shape[1], width):
                    part = codes[i : i + height, j : j + width]
                    part[:] = np.cumsum(np.cumsum(part, 0), 1)
        with ShardFile(toy.store, plan, shard) as file:
            ours = [*file.rows(shard.first_pair, shard.first_pair + shard.n_pairs)]
            np.testing.assert_array_equal(np.concatenate(ours), codes)
            np.testing.assert_array_equal(file.columns(0, codes.shape[1]), codes)
