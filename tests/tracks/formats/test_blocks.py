"""Blocks of any size are zlib streams of their data, in the order they were added."""

import io
import zlib

from tfimpute_tracks.tracks.formats.blocks import Blocks, Extent


def test_blocks_of_any_size_can_be_decompressed(rng):
    every = [rng.bytes(n) for n in (0, 1, 48, 128, 129, 5000)] + [bytes(100)]
    file = io.BytesIO()
    blocks = Blocks(file, fan_out=4)
    for number, data in enumerate(every):
        blocks.add(Extent(number, 0, number, 10), data)
    left = file.getvalue()
    for data in every:
        reader = zlib.decompressobj()
        assert reader.decompress(left) == data
        assert reader.eof
        left = reader.unused_data
    assert not left
    assert blocks.largest == 5000
