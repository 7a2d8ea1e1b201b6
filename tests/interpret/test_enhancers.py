"""From elements to comparisons: what is drawn, ranked and refused on the way."""

import numpy as np
import pytest

from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.interpret.activities import Activities
from tfimpute_tracks.interpret.elements import read_fasta
from tfimpute_tracks.interpret.enhancer_files import cell_ranks, cell_table
from tfimpute_tracks.interpret.enhancers import (
    EnhancerJob,
    EnhancerResult,
    analyze_elements,
    check_input,
    score_elements,
)
from tfimpute_tracks.interpret.signature import Comparison, find_signature
from toys import make_model, random_letters

NONE = np.array([], dtype=int)


def _compared(t, auc=0.5, rho=0.0, r2=(0.0,)):
    numbers = [np.zeros(3), 0.5, t, 0.1, auc, 0.1, rho, 0.1, rho]
    return Comparison(*numbers, np.array(r2), np.array(r2))


def _result(rng, cells):
    signature = find_signature(rng.normal(size=(5, 3)), 2)
    return EnhancerResult(signature, np.arange(5.0), NONE, NONE, cells)


def test_controls_are_drawn_from_the_largest_t_to_the_smallest(rng):
    sizes = [0.0, 3.0, -7.0, 1.0, np.nan, 5.0, -2.0]
    result = _result(rng, [_compared(t) for t in sizes])
    assert result.spread_controls(6) == [2, 5, 1, 6, 3, 4]
    assert result.spread_controls(3) == [2, 1, 4]
    assert result.spread_controls(1) == [2]
    assert _result(rng, [_compared(1.0)]).spread_controls(5) == []


def test_ranks_are_by_size_and_those_of_regressions_by_sign():
    cells = [
        _compared(-4.0, 0.2, -0.3, (-0.5, 0.1)),
        _compared(3.0, 0.9, 0.2, (-0.9, -0.8)),
        _compared(-5.0, 0.7, 0.4, (0.3, 0.2)),
    ]
    assert cell_ranks(cells) == {"t": 2, "auc": 2, "spearman": 2, "cv_r2": 2}
    assert cell_ranks(cells, 2) == {"t": 1, "auc": 3, "spearman": 1, "cv_r2": 1}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A model, and 30 sequences of which the last ten are too short for a tile."""
    folder = tmp_path_factory.mktemp("toy")
    rng = np.random.default_rng(8)
    lengths = [60] * 20 + [20] * 10
    text = "".join(f">s{i}\n{random_letters(rng, n)}\n" for i, n in enumerate(lengths))
    (folder / "s.fa").write_text(text)
    return make_model(folder, seed=5), read_fasta(folder / "s.fa")


def test_what_could_not_be_scored_is_not_compared(toy):
    model, elements = toy
    job = EnhancerJob(model, ("K562", "HepG2"))
    scored = score_elements(job, elements, lambda _: None)
    assert scored.scores.shape == (20, 2, 3)
    assert [one.name for one in scored.skipped] == [f"s{i}" for i in range(20, 30)]
    few = Activities({f"s{i}": float(i) for i in range(12, 30)}, [])
    with pytest.raises(RunError, match="8 elements with an activity"):
        analyze_elements(job, scored, few, lambda _: None)
    some = Activities({f"s{i}": float(i % 7) for i in range(5, 30)}, [])
    result = analyze_elements(job, scored, some, lambda _: None)
    np.testing.assert_array_equal(result.known, np.arange(5, 20))
    assert len(result.top) == 5
    assert result.activities[result.top].min() >= result.activities[result.bottom].max()
    table = cell_table(job, result)
    assert table["elements"].tolist() == [15, 15]
    best = [found.r2.max() for found in result.comparisons]
    np.testing.assert_array_equal(table["cv_r2"], best)


def test_scores_that_do_not_fit_into_memory_are_refused(toy):
    model, elements = toy
    job = EnhancerJob(model, ("K562", "HepG2"))
    check_input(job, elements, None)
    with pytest.raises(UsageError, match="use fewer cell lines with --control-cells"):
        check_input(job, elements, None, max_bytes=400)


def test_probabilities_are_those_of_the_log_odds(toy):
    model, elements = toy
    made = [
        score_elements(
            EnhancerJob(model, ("K562",), pca_input=values), elements, lambda _: None
        ).scores.astype(float)
        for values in ("log-odds", "probability")
    ]
    np.testing.assert_allclose(1 / (1 + np.exp(-made[0])), made[1], rtol=1e-5)
