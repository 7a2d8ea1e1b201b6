"""Blocks of any size are zlib streams of their data, in the order they were added."""

import io
import zlib

import numpy as np

from tfimpute_tracks.tracks.formats.blocks import Blocks


def test_blocks_of_any_size_can_be_decompressed(rng):
    every = [rng.bytes(n) for n in (0, 1, 48, 128, 129, 5000)] + [bytes(100)]
    file = io.BytesIO()
    blocks = Blocks(file, fan_out=4)
    places = np.array([(number, 0, number, 10) for number in range(len(every))])
    blocks.add(places[:3], every[:3])
    blocks.add(places[3:], every[3:])
    left = file.getvalue()
    for data in every:
        reader = zlib.decompressobj()
        assert reader.decompress(left) == data
        assert reader.eof
        left = reader.unused_data
    assert not left
    assert blocks.largest == 5000
