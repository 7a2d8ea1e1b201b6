"""What filters add, against taking each tile apart by itself."""

import numpy as np
import pytest

from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.interpret.contributions import filter_contributions
from tfimpute_tracks.interpret.explain import Explainer
from tfimpute_tracks.interpret.filters import find_motifs
from tfimpute_tracks.vocabulary import Pair
from toys import CONFIG, DEEP, make_model, write_gapped_genome


def test_in_a_sum_contributions_are_those_of_explain(tmp_path):
    model = make_model(tmp_path, config=CONFIG)
    genome = open_genome(write_gapped_genome(tmp_path)[0])
    motifs = find_motifs(model, genome, [Region("chr1", 0, 1400)], lambda n: None)
    found = filter_contributions(model, genome, motifs)
    assert found.of_tfs.shape == (3, 11)
    assert found.of_cells.shape == (4, 11)
    parts = np.zeros((3, 4, 11))
    for t, tf in enumerate(model.tfs):
        for c, cell in enumerate(model.cells):
            explainer = Explainer(model, Pair(tf, cell))
            for motif in motifs:
                own = []
                for _, start, end in motif.strongest:
                    first = (start + end - 60) // 2
                    tile = Region("chr1", first, first + 60)
                    instances = explainer.explain(genome, tile).instances
                    own.append(
                        sum(
                            i.contribution
                            for i in instances
                            if i.filter == motif.number
                        )
                    )
                parts[t, c, motif.number] = np.mean(own)
    np.testing.assert_allclose(found.of_tfs, parts.mean(axis=1), atol=1e-4)
    np.testing.assert_allclose(found.of_cells, parts.mean(axis=0), atol=1e-4)


@pytest.mark.parametrize("config", [CONFIG, DEEP])
def test_silent_filters_add_nothing(tmp_path, config):
    model = make_model(tmp_path, config=config)
    model.checkpoint.weights["bias"][2] = 1000
    genome = open_genome(write_gapped_genome(tmp_path)[0])
    motifs = find_motifs(model, genome, [Region("chr20", 0, 900)], lambda n: None)
    found = filter_contributions(model, genome, motifs)
    assert (found.of_tfs[:, 2] == 0).all()
    assert np.abs(found.of_tfs).max() > 0
    silent = [motif._replace(strongest=[]) for motif in motifs]
    assert not filter_contributions(model, genome, silent).of_cells.any()
