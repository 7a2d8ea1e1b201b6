"""A query in Python ranks as `query` does."""

import json

import pytest

import tfimpute_tracks
from tfimpute_tracks.errors import TracksError


def records(frame):
    return json.loads(frame.to_json(orient="records", double_precision=15))


def test_pairs_are_ranked_as_by_the_verb(run, model, weights, plain):
    arguments = ["-m", weights, "-g", plain, "--json", "--top", 0]
    theirs = json.loads(run("query", "chr20:401-900", *arguments))
    found = model.query(("chr20", 400, 900), fasta=plain)
    assert found.attrs["region"] == "chr20:401-900"
    assert len(found) == 12
    for ours, record in zip(records(found), theirs, strict=True):
        assert ours == pytest.approx(record)
    assert model.query("chr20:401-900", tf="max", fasta=plain).tf.eq("MAX").all()
    assert len(model.query("chr20:401-900", cell="K562", fasta=plain)) == 3
    assert model.query("chr20:401-900", top=2, fasta=plain).equals(found[:2])


def test_measured_peaks_stand_next_to_it():
    model = tfimpute_tracks.load_model()
    found = model.query("chr20:48,599,512-48,600,512", tf="CTCF", cell="K562")
    assert found.measured.tolist() == ["bound"]


@pytest.mark.parametrize(
    ("region", "options", "says"),
    [
        ("chr7", {}, "chr7"),
        (["chr20:1-500", "chr1:1-500"], {}, "2 regions"),
        ([], {}, "no region"),
        (None, {}, "0 regions"),
        ("chr20:1-500", {"tf": "NOPE"}, "unknown TF"),
        ("chr20:1-500", {"top": -1}, "top -1"),
        ("chr20:1-500", {"top": 0.5}, "top 0.5"),
        ("chr20:5-1", {}, "starts after its end"),
    ],
)
def test_wrong_values_are_named(model, plain, region, options, says):
    with pytest.raises(TracksError) as error:
        model.query(region, fasta=plain, **options)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
