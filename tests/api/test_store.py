"""A store in Python: the values of `export`, sliced by region and pair."""

import numpy as np
import pybigtools
import pytest

import tfimpute_tracks
from tfimpute_tracks.cli import main
from tfimpute_tracks.errors import TracksError
from toys import CALIBRATED, write_gapped_genome, write_model

SOME = ["CTCF:K562", "MAX:HepG2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    weights = write_model(folder / "toy.safetensors", card=CALIBRATED)
    fasta, _ = write_gapped_genome(folder)
    options = ["-m", weights, "-g", fasta, "--all", "--workers", 1, "-y"]
    options += ["--tiles-per-shard", 50, "--pairs-per-shard", 5, "-o", folder / "s"]
    with pytest.raises(SystemExit) as stop:
        main(["impute", *map(str, options)])
    assert stop.value.code == 0
    return folder / "s"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(folder):
    return tfimpute_tracks.open_store(folder)


def test_values_are_those_of_export(run, store, folder, tmp_path):
    run("export", folder, "--pairs", ";".join(SOME), "-o", tmp_path / "o")
    array = store.array(pairs=SOME)
    assert array.dims == ("position", "pair")
    for pair in SOME:
        own = array.sel(pair=pair).dropna("position")
        file = pybigtools.open(str(tmp_path / "o" / f"{pair.replace(':', '.')}.bw"))
        values = {
            (chrom, position): value
            for chrom in ("chr1", "chr20")
            for start, end, value in file.records(chrom)
            for position in range(start, end, 20)
        }
        places = zip(own.chrom.values, own.position.values.tolist(), strict=True)
        assert dict(zip(places, own.values, strict=True)) == pytest.approx(
            values, abs=6e-6
        )


def test_slices(store):
    assert store["chr20", SOME].identical(store.array("chr20", SOME))
    assert store["chr20:101-300"].identical(store.array(("chr20", 100, 300)))
    assert store["chr20", 100, 300].identical(store["chr20:101-300"])
    assert store[("chr20", 100, 300), "CTCF:K562"].shape == (10, 1)
    odds = store.array("chr20", SOME, "log-odds")
    probability = 1 / (1 + np.exp(-odds))
    np.testing.assert_allclose(probability, store["chr20", SOME], rtol=1e-5)


def test_describes_itself(store, folder):
    assert len(store.pairs) == 12
    assert store.regions == ["chr1:1-4000", "chr20:1-900"]
    assert repr(store) == f"Store({str(folder)!r}, 12 pairs, 241 positions)"
    assert store["chr20"].attrs["model"] == "toy"


def test_query_is_that_of_the_verb(run, store, folder):
    import json

    theirs = json.loads(run("query", folder, "chr20:401-900", "--json", "--top", 3))
    found = store.query(("chr20", 400, 900), top=3)
    ours = json.loads(found.to_json(orient="records", double_precision=15))
    assert ours == [pytest.approx(record) for record in theirs]


def test_anndata_has_pairs_by_positions(store, tmp_path):
    anndata = pytest.importorskip("anndata")
    pytest.importorskip("pyarrow")  # with it pandas keeps texts in another way
    data = store.to_anndata("chr20", SOME)
    array = store["chr20", SOME]
    assert data.shape == array.shape[::-1]
    np.testing.assert_array_equal(data.X, array.T)
    assert list(data.obs_names) == SOME
    assert data.obs.loc["MAX:HepG2", "tf"] == "MAX"
    assert data.var_names[0] == "chr20:21-40"
    data.write_h5ad(tmp_path / "x.h5ad")
    np.testing.assert_array_equal(anndata.read_h5ad(tmp_path / "x.h5ad").X, data.X)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s: s["chr7"], "chr7"),
        (lambda s: s["chr20", "NOPE:K562"], "unknown TF"),
        (lambda s: s["chr20", []], "no pair"),
        (lambda s: s[[], SOME], "no region"),
        (lambda s: s.array(signal="score"), "signal 'score'"),
        (lambda s: s["nowhere.bed"], "nowhere.bed: no such file"),
        (lambda s: s[3], "region"),
        (lambda s: s.array(signal=["log-odds"]), "signal ['log-odds']"),
        (lambda s: s.query("chr20", genes=3), "genes 3; use a path"),
        (lambda s: s.query("chr20", evidence=3), "evidence 3; use"),
        (lambda s: s.query("chr20", tf=3), "tf 3; use a text"),
        (lambda s: tfimpute_tracks.open_store("nowhere"), "nowhere"),
    ],
)
def test_wrong_values_are_named(store, call, says):
    with pytest.raises(TracksError) as error:
        call(store)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
