"""Tables of filters, and the names that another verb takes from them."""

import numpy as np
import pandas as pd
import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.interpret.filter_table import (
    FilterName,
    contribution_table,
    filter_table,
    own_motif_test,
    read_filter_names,
    write_filter_table,
)
from tfimpute_tracks.interpret.filters import FilterMotif
from tfimpute_tracks.interpret.jaspar import Matrix
from tfimpute_tracks.models import load_model
from toys import make_model


class Like:
    """A match, without what finds it."""

    e_value, cosine = 1e-5, 0.9
    matrix = Matrix("MA0139.2", ("CTCF",), np.ones((4, 4)))


@pytest.fixture
def model(tmp_path):
    return make_model(tmp_path)


@pytest.fixture
def table(model):
    sharp = np.zeros((8, 4), int)
    sharp[:, 1] = 50
    flat = np.full((8, 4), 20)
    flat[3] = [80, 0, 0, 0]
    motifs = [FilterMotif(0, 2.0, sharp, []), FilterMotif(1, 1.0, flat, [])]
    none = np.zeros((8, 4), int)
    motifs += [FilterMotif(k, 0.0, none, []) for k in range(2, 11)]
    return filter_table(motifs, [Like, *[None] * 10])


def test_names_are_read_back(model, table, tmp_path):
    write_filter_table(tmp_path / "filters.tsv", model, table)
    named = read_filter_names(model, tmp_path / "filters.tsv")
    assert len(named) == 11
    assert named[:3] == [
        FilterName("CTCF", 0, 8, 8),
        FilterName("filter001", 3, 4, 8),
        FilterName("filter002", 0, 8, 8),
    ]


def test_names_of_other_weights_are_refused(model, table, tmp_path):
    (tmp_path / "other").mkdir()
    other = make_model(tmp_path / "other", seed=1)
    write_filter_table(tmp_path / "filters.tsv", other, table)
    with pytest.raises(InputFileError, match="not the filters"):
        read_filter_names(model, tmp_path / "filters.tsv")
    with pytest.raises(InputFileError, match="no such file"):
        read_filter_names(model, tmp_path / "none.tsv")
    (tmp_path / "binary").write_bytes(bytes(range(128, 256)))
    with pytest.raises(InputFileError, match="not the filters"):
        read_filter_names(model, tmp_path / "binary")


def test_without_a_table_filters_have_numbers(model):
    named = read_filter_names(model, None)
    assert named[10] == FilterName("filter010", 0, 8, 8)
    assert len(named) == 11


@pytest.mark.parametrize("name", ["default", "held-out", "deep", "deep-held-out"])
def test_shipped_filters_have_names(name):
    named = read_filter_names(load_model(name), None)
    assert len(named) == 512
    symbols = {symbol for one in named for symbol in one.name.split("::")}
    assert {"CTCF", "REST", "NRF1"} <= symbols
    assert all(0 <= one.first < one.last <= one.length for one in named)


def test_contributions_are_listed_by_their_excess():
    filters = pd.DataFrame(
        {
            "filter": ["a", "b", "c"],
            "consensus": ["A", "B", "C"],
            "symbols": [""] * 3,
            "group": ["g", "h", "g"],
        }
    )
    contributions = np.array([[5, 1, 0], [5, 0, 2]], dtype=np.float32)
    table = contribution_table(["X", "Y"], contributions, filters, 2)
    assert table[["name", "rank", "filter"]].to_numpy().tolist() == [
        ["X", 1, "b"],
        ["Y", 1, "c"],
    ]
    assert table["contribution"].tolist() == [1, 2]
    assert table["excess"].tolist() == [0.5, 1]
    assert table["group"].tolist() == ["h", "g"]


def test_own_motifs_are_distinguished_from_those_of_others():
    tfs = ["CTCF", "REST", "NRF1", "YY1", "GATA1", "EP300"]
    matrices = [
        Matrix(f"MA{i}", (tf,), np.ones((4, 4))) for i, tf in enumerate(tfs[:5])
    ]

    def found(groups):
        rows = [(tf, group) for tf, group in zip(tfs, groups, strict=True)]
        return own_motif_test(pd.DataFrame(rows, columns=["name", "group"]), matrices)

    right = found(tfs)
    assert (right.n_tfs, right.n_own) == (5, 5)
    assert right.expected == pytest.approx(1, abs=0.1)
    assert right.p < 0.05
    wrong = found([*tfs[1:5], tfs[0], ""])
    assert (wrong.n_own, wrong.p) == (0, 1)
    assert found([""] * 6).n_own == 0
