"""Sites with context: the fast path gives what the network as defined gives."""

from dataclasses import replace

import numpy as np
import pytest

from tfimpute_tracks.engines.scorer import Scorer
from toys import CONFIG, DEEP, make_model


@pytest.mark.parametrize(
    "config",
    [replace(CONFIG, context_tiles=3), replace(DEEP, context_tiles=2)],
    ids=["gated", "residual"],
)
@pytest.mark.parametrize("stride", [None, 7])
def test_sites_score_as_the_network_defines(tmp_path, config, stride):
    model = make_model(tmp_path, config=config)
    pairs = list(model.vocabulary.all_pairs())
    rng = np.random.default_rng(1)
    length = config.receptive_field
    codes = rng.integers(0, 4, (150, length + 31), dtype=np.uint8)
    # Unknown neighbors on one side, on both sides, and a few N in the middle.
    codes[::5, : length // 3] = 4
    codes[::15, -length // 3 :] = 4
    codes[1, length // 2 : length // 2 + 5] = 4
    scorer = Scorer(model, pairs, stride)
    scores = scorer.score_sites(codes, [])
    middle = codes[:, config.input_slice(codes.shape[1])]
    expected = model.predict(middle, pairs)
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), expected, atol=2e-6)
    # A score does not depend on the other sites.
    some = [3, 90, 149]
    np.testing.assert_array_equal(scorer.score_sites(codes[some], []), scores[some])
    assert scorer.score_sites(codes[:0], []).shape == (0, len(pairs))
