"""Scores between scan and files: in memory, on disk, and after an interruption."""

import numpy as np
import pytest

from tfimpute_tracks.engines.packs import count_tiles
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.tracks.checkpoint import ScanCheckpoint

ABOUT = {"weights": "sha256:1"}
NAMES = ["0", "2", "3"]
KEYS = [((TileRange("chr1", i * 100, 5 + i),), f"sha256:{i}") for i in range(5)]
KEYS.append(((TileRange("chr2", 0, 2), TileRange("chr\u00b53", 50, 3)), "sha256:5"))


def _scores(rng):
    sizes = [count_tiles(ranges) for ranges, _ in KEYS]
    scores = [rng.random((n, 3)).astype(np.float32) for n in sizes]
    scores[2][1] = np.nan
    return scores


def _check(kept, scores):
    for pair in range(3):
        for got, expected in zip(kept.scores(KEYS, pair), scores, strict=True):
            np.testing.assert_array_equal(got, expected[:, pair])


def test_a_short_scan_touches_no_disk(tmp_path, rng):
    kept, scores = ScanCheckpoint(tmp_path / "s", ABOUT, NAMES), _scores(rng)
    for key, some in zip(KEYS, scores, strict=True):
        assert key not in kept
        kept.add(key, some)
        assert key in kept
    _check(kept, scores)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("setting", ["max_seconds", "max_bytes"])
def test_a_long_one_keeps_little_in_memory(tmp_path, rng, setting):
    kept = ScanCheckpoint(tmp_path / "s", ABOUT, NAMES, **{setting: -1})
    scores = _scores(rng)
    for key, some in zip(KEYS, scores, strict=True):
        kept.add(key, some)
        assert not kept._waiting
    _check(kept, scores)
    kept.remove()
    assert not (tmp_path / "s").exists()


def test_what_was_flushed_is_used(tmp_path, rng):
    first, scores = ScanCheckpoint(tmp_path / "s", ABOUT, NAMES), _scores(rng)
    for key, some in zip(KEYS[:2], scores, strict=False):
        first.add(key, some)
    first.flush()
    for key, some in zip(KEYS[2:4], scores[2:], strict=False):
        first.add(key, some)
    first.flush()
    second = ScanCheckpoint(tmp_path / "s", ABOUT, NAMES)
    assert [key in second for key in KEYS] == [True] * 4 + [False] * 2
    changed = (KEYS[0][0], "sha256:other letters")
    assert changed not in second
    for key, some in zip(KEYS[4:], scores[4:], strict=True):
        second.add(key, some)
    _check(second, scores)


def test_other_inputs_and_damaged_files_are_not_used(tmp_path, rng):
    first, scores = ScanCheckpoint(tmp_path / "s", ABOUT, NAMES), _scores(rng)
    first.add(KEYS[0], scores[0])
    first.flush()
    (path,) = (tmp_path / "s").iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-200])
    assert KEYS[0] not in ScanCheckpoint(tmp_path / "s", ABOUT, NAMES)
    assert not path.exists()
    path.write_bytes(content)
    assert KEYS[0] not in ScanCheckpoint(tmp_path / "s", {"weights": "sha256:2"}, NAMES)


def test_scores_of_fewer_pairs_are_found_in_a_file_of_more(tmp_path, rng):
    first, scores = ScanCheckpoint(tmp_path / "s", ABOUT, NAMES), _scores(rng)
    first.add(KEYS[0], scores[0])
    first.flush()
    second = ScanCheckpoint(tmp_path / "s", ABOUT, ["3"])
    (values,) = second.scores(KEYS[:1], 0)
    np.testing.assert_array_equal(values, scores[0][:, 2])
    assert KEYS[0] not in ScanCheckpoint(tmp_path / "s", ABOUT, ["1"])
