"""Evidence weights whose summary of tracks is in the file of another model."""

import numpy as np
import pytest

from evidence_toys import draw_network, draw_weights
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.models import pretrained_models
from tfimpute_tracks.models.evidence_weights import (
    evidence_path,
    read_evidence_weights,
    write_evidence_weights,
)


@pytest.fixture
def two(tmp_path):
    """Paths of weights, and of others with the same summary, which lack it."""
    first, second = (tmp_path / f"{n}.evidence.safetensors" for n in ("one", "two"))
    weights = draw_weights(draw_network())
    write_evidence_weights(first, weights)
    write_evidence_weights(second, weights, first.name)
    return first, second


def test_a_summary_is_read_from_the_other_file(two):
    first, second = two
    one, other = map(read_evidence_weights, two)
    assert one.weights.keys() == other.weights.keys()
    for name, array in one.weights.items():
        np.testing.assert_array_equal(array, other.weights[name])
    assert second.stat().st_size < first.stat().st_size


def test_a_summary_that_is_missing_or_another_is_named(two):
    first, second = two
    write_evidence_weights(first, draw_weights(draw_network(seed=1)))
    with pytest.raises(InputFileError, match="need another summary of tracks"):
        read_evidence_weights(second)
    first.unlink()
    with pytest.raises(InputFileError, match=r"in one\.evidence\.safetensors, which"):
        read_evidence_weights(second)


def test_models_of_the_package_share_their_summary():
    paths = {name: evidence_path(path) for name, path in pretrained_models().items()}
    for name, other in (("deep", "default"), ("deep-held-out", "held-out")):
        one, two = (read_evidence_weights(paths[n]).weights for n in (name, other))
        for key in one:
            if key.startswith("summary."):
                np.testing.assert_array_equal(one[key], two[key])
