"""Names of databases find the model's name, and only where they mean the same."""

from __future__ import annotations

from collections import Counter

import pytest

from tfimpute_tracks import aliases
from tfimpute_tracks.aliases import find_names, name_key, usual_name
from tfimpute_tracks.errors import UnknownNameError
from tfimpute_tracks.models import load_model
from tfimpute_tracks.vocabulary import Vocabulary

SAME_TF = {
    "CTCF-human": "CTCF",
    "eGFP-MAX-human": "MAX",
    "HA-E2F1": "E2F1",
    "3xFLAG-HNF4A-human": "HNF4A",
    "HDAC2_(SC-6296)": "HDAC2",
    "p300": "EP300",
    "NRSF": "REST",
    "Pol2": "POLR2A",
    "RNA polymerase II": "POLR2A",
    "c-Myc": "MYC",
    "PU.1": "SPI1",
    "C/EBPβ": "CEBPB",
    "SUPT20H": "FAM48A",
    "NELFE": "RDBP",
    "KMT2E": "MLL5",
}
SAME_CELL = {
    "K-562": "K562",
    "Hep G2": "HepG2",
    "HEPG2": "HepG2",
    "MCF7": "MCF-7",
    "WA01": "H1-hESC",
    "U-87 MG": "U87",
    "BE2C": "BE2_C",
    "K562 cells": "K562",
    "endothelial cell of umbilical vein": "HUVEC",
}
OTHER_TF = (
    *(
        "POLR2AphosphoS5",
        "Pol2(phosphoS2)",
        "POLR2A (phospho S5)",
        "SMC3_ac",
        "RELA",
        "GABPA",
        "TCF4",
        "RBP2",
        "AP-1",
        "RAD51",
    ),
    *("ESR1_Y537S", "ER", "HNF4", "T", "EGFP", "HA-", "-human", "()", "", "  "),
)
OTHER_CELL = (
    *("HeLa", "hESC", "HEK293T", "293T-Rex", "MCF-10A", "MCF-7_E2", "IMR90hTert"),
    *("T47D-MTVL", "SK-N-BE(2)", "NTERA-2", "fibroblast", "cell line", "H9", "", "-"),
)


@pytest.fixture(scope="module")
def known():
    return load_model("default").vocabulary


@pytest.mark.parametrize(("name", "right"), SAME_TF.items())
def test_other_names_of_a_tf_find_it(known, name, right):
    assert known.find_alias(name, "TF") == right
    assert known.tf(name) == right


@pytest.mark.parametrize(("name", "right"), SAME_CELL.items())
def test_other_names_of_a_cell_line_find_it(known, name, right):
    assert known.find_alias(name, "cell line") == right
    assert known.cell(name) == right


@pytest.mark.parametrize("name", OTHER_TF)
def test_names_of_other_tfs_find_none(known, name):
    assert known.find_alias(name, "TF") is None
    with pytest.raises(UnknownNameError, match="unknown TF"):
        known.tf(name)


@pytest.mark.parametrize("name", OTHER_CELL)
def test_names_of_other_cell_lines_find_none(known, name):
    assert known.find_alias(name, "cell line") is None


def test_a_parent_line_is_found_by_who_types_it_but_is_no_alias(known):
    assert known.cell("HeLa") == "HeLa-S3"
    assert known.find_alias("HeLa", "cell line") is None


def test_every_name_of_the_model_is_its_own_alias(known):
    assert [known.find_alias(name, "TF") for name in known.tfs] == [*known.tfs]
    assert [known.find_alias(name, "cell line") for name in known.cells] == [
        *known.cells
    ]


def test_aliases_work_from_either_side():
    old = Vocabulary(["NRSF", "POL2"], ["K-562"])
    assert old.find_alias("REST", "TF") == "NRSF"
    assert old.find_alias("POLR2A-human", "TF") == "POL2"
    assert old.find_alias("K562", "cell line") == "K-562"


def test_a_name_of_the_vocabulary_comes_before_an_alias():
    both = Vocabulary(["P300", "EP300"], ["T.T", "TT"])
    assert both.find_alias("p300", "TF") == "P300"
    assert both.find_alias("T-T", "cell line") is None
    assert both.find_alias("tt", "cell line") == "TT"


def test_no_name_is_in_two_groups():
    for kind, table in aliases._TABLES.items():
        lines = table.strip().splitlines()
        keys = Counter(
            key
            for line in lines
            for key in {name_key(name) for name in line.split(",")}
        )
        assert [key for key, n in keys.items() if n > 1] == []
        usual = [line.split(",")[0] for line in lines]
        assert usual == sorted(usual, key=str.casefold), kind


def test_the_usual_name_is_the_first_of_its_group():
    assert find_names("eGFP-NRSF-human", "TF") == ("NRSF", "REST")
    assert usual_name("eGFP-NRSF-human", "TF") == usual_name("REST", "TF") == "REST"
    assert usual_name("HA-ATF7", "TF") == "ATF7"
    assert find_names("LNCaP", "cell line") == ("LNCaP",)


@pytest.mark.parametrize(
    ("n", "name", "says"),
    [
        (2, "QQQ", "known: TF0, TF1"),
        (2, "TF9", "did you mean TF1, TF0? known: TF0, TF1"),
        (7, "TF9", "did you mean TF6, TF5, TF4, TF3? `tfimpute-tracks info tfs` lists"),
        (8, "QQQ", "known: TF0, TF1, TF2, TF3, TF4, TF5 and 2 more; `tfimpute-tracks"),
    ],
)
def test_few_names_are_all_listed(n, name, says):
    names = Vocabulary([f"TF{i}" for i in range(n)], ["K562"])
    with pytest.raises(UnknownNameError) as error:
        names.tf(name)
    assert str(error.value).startswith(f"unknown TF {name!r}; {says}")
    assert ("lists those of a model" in str(error.value)) == (n > 6)
