"""Scores taken apart: contributions add up, and taking a motif away takes its part."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import logit

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Region, open_genome, read_past_ends
from tfimpute_tracks.interpret.explain import Explainer
from tfimpute_tracks.models.config import RecurrentConfig
from tfimpute_tracks.vocabulary import Pair
from toys import AROUND, CONFIG, DEEP, make_model, write_gapped_genome

PAIR = Pair("EP300", "HepG2")
GRU = RecurrentConfig(
    seq_len=60,
    filter_length=8,
    n_filters=16,
    pool=10,
    recurrent_units=8,
)
CONFIGS = {"plain": CONFIG, "around": AROUND, "deep": DEEP, "gru": GRU}


@pytest.fixture(params=list(CONFIGS))
def setting(request, tmp_path):
    model = make_model(tmp_path, config=CONFIGS[request.param])
    path, _ = write_gapped_genome(tmp_path)
    return model, open_genome(path), Explainer(model, PAIR)


def predicted(model, genome, tile):
    flank = (model.config.receptive_field - model.config.seq_len) // 2
    codes = read_past_ends(genome, tile.chrom, tile.start - flank, tile.end + flank)
    return float(model.predict(codes[None], [PAIR])[0, 0])


@pytest.mark.parametrize("start", [0, 640, 1460, 1480])
def test_the_logit_is_that_of_the_network(setting, start):
    model, genome, explainer = setting
    tile = Region("chr1", start, start + 60)
    found = explainer.explain(genome, tile)
    assert found.logit == pytest.approx(
        logit(predicted(model, genome, tile)), rel=1e-3, abs=2e-3
    )
    contributions = sum(instance.contribution for instance in found.instances)
    assert found.baseline + contributions + found.residual == pytest.approx(
        found.logit, abs=1e-6
    )


@pytest.mark.parametrize("name", ["plain", "around"])
def test_sums_are_taken_apart_exactly(tmp_path, name):
    model = make_model(tmp_path, config=CONFIGS[name])
    path, _ = write_gapped_genome(tmp_path)
    genome = open_genome(path)
    explainer = Explainer(model, PAIR)
    for start in range(0, 1400, 130):
        found = explainer.explain(genome, Region("chr1", start, start + 60))
        assert abs(found.residual) < 1e-4


@pytest.mark.parametrize("name", ["deep", "gru"])
def test_integrals_leave_a_small_rest(tmp_path, name):
    model = make_model(tmp_path, config=CONFIGS[name])
    path, _ = write_gapped_genome(tmp_path)
    genome = open_genome(path)
    explainer = Explainer(model, PAIR)
    for start in range(0, 1400, 330):
        found = explainer.explain(genome, Region("chr1", start, start + 60))
        size = sum(abs(instance.contribution) for instance in found.instances)
        assert abs(found.residual) < 0.02 * size + 1e-3


def test_an_instance_lies_where_its_filter_finds_it(setting):
    model, genome, explainer = setting
    found = explainer.explain(genome, Region("chr1", 640, 700))
    weights, length = model.checkpoint.weights, model.config.filter_length
    assert found.instances
    for k, start, strand, value, _ in found.instances:
        codes = read_past_ends(genome, "chr1", start, start + length)
        if strand == "-":
            codes = np.array([3, 2, 1, 0, 4], np.uint8)[codes][::-1]
        y = sum(weights["filters"][k][j, c] for j, c in enumerate(codes) if c < 4)
        assert value == pytest.approx(y - weights["bias"][k], abs=1e-4)
        assert value > 0


def test_taking_a_filter_away_takes_its_part(tmp_path):
    """In a sum, on the same strand and unit, what a filter adds goes with it."""
    model = make_model(tmp_path)
    path, _ = write_gapped_genome(tmp_path)
    genome = open_genome(path)
    tile = Region("chr1", 640, 700)
    before = Explainer(model, PAIR).explain(genome, tile)
    checked = 0
    for k in {instance.filter for instance in before.instances}:
        mine = sum(i.contribution for i in before.instances if i.filter == k)
        bias = model.checkpoint.weights["bias"]
        kept, bias[k] = bias[k], 1e6
        after = Explainer(model, PAIR).explain(genome, tile)
        bias[k] = kept
        others = [i for i in before.instances if i.filter != k]
        is_same = {i[:3] for i in others} == {i[:3] for i in after.instances}
        if is_same and abs(after.baseline - before.baseline) < 1e-9:
            assert before.logit - after.logit == pytest.approx(mine, abs=1e-4)
            checked += 1
    assert checked


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(40, 1200), size=st.integers(1, 250))
def test_the_best_tile_is_that_of_a_scan(setting, start, size):
    model, genome, explainer = setting
    end = min(start + size, 1400)
    tile = explainer.best_tile(genome, Region("chr1", start, end))
    stride, length = model.config.stride, model.config.seq_len
    drawn = tile.start + (length - stride) // 2
    assert drawn < end
    assert drawn + stride > start or tile.start == 0
    assert tile.start % stride == 0
    best = predicted(model, genome, tile)
    for other in range(0, 1500, stride):
        where = other + (length - stride) // 2
        if where < end and where + stride > start:
            own = predicted(model, genome, Region("chr1", other, other + length))
            assert own <= best + 1e-5


def test_where_no_tile_is_drawn(setting):
    _, genome, explainer = setting
    with pytest.raises(RegionError, match=r"chr1:1701-1720 is unknown \(N\)"):
        explainer.best_tile(genome, Region("chr1", 1700, 1720))


def test_where_a_chromosome_ends(tmp_path):
    path, _ = write_gapped_genome(tmp_path)
    explainer = Explainer(make_model(tmp_path), PAIR)
    genome, tile = open_genome(path), explainer.best_tile
    assert tile(genome, Region("chr20", 0, 5)) == ("chr20", 0, 60)
    assert tile(genome, Region("chr20", 897, 900)) == ("chr20", 840, 900)
