"""The evidence of the package: which genomes it is for, and what a damaged file says."""

from __future__ import annotations

import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence import (
    SHIPPED,
    evidence_for,
    open_named,
    open_shipped,
)

HG19 = {"chr20": 63_025_520}


@pytest.mark.parametrize(
    "sizes",
    [HG19, {"20": 63_025_520}, {"chr20": 63_025_520, "decoy": 1_000}],
    ids=["with chr", "without chr", "with an unknown contig"],
)
def test_a_genome_of_the_same_names_and_lengths_has_the_shipped_evidence(sizes):
    found = evidence_for(sizes)
    assert found is not None
    assert found.name == SHIPPED
    assert found.digest == open_shipped().digest


@pytest.mark.parametrize(
    "sizes",
    [{"chr20": 64_444_167}, {"decoy": 1_000}, {}],
    ids=["hg38", "no name in common", "empty"],
)
def test_any_other_genome_has_none(sizes):
    assert evidence_for(sizes) is None


def test_evidence_is_named_or_a_file(tmp_path):
    assert open_named(SHIPPED).digest == open_shipped().digest
    with pytest.raises(InputFileError, match=r"gone\.h5: no such file"):
        open_named(tmp_path / "gone.h5")
