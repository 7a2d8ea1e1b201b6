"""Inputs that people bring, from ../shared/cases: each does what is right for it.

Those of downloads are in tests/downloads/test_reading.py.
"""

import gzip

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.usefixtures("fresh_settings")

PAIR = "--tf", "MAX", "--cell", "K562"


@pytest.fixture(scope="module")
def cases(shared_data):
    folder = shared_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip("no ../shared/cases beside this checkout")
    return folder


@pytest.fixture
def effects(run, cases, tmp_path):
    """Give a function that scores variants on the 200 kb of chr20, or on a FASTA."""

    def score(source, fasta="chr20_200kb.fa", *options):
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        code, _, err = run(
            *("variants", cases / source, "-g", cases / fasta, *PAIR),
            *("--n-background", "0", "-o", out, *options),
        )
        assert code == 0, err
        (table,) = out.glob("*.effects.tsv")
        return pd.read_csv(table, sep="\t"), err, out

    return score


def test_one_file_for_two_pairs_is_refused(run, cases, tmp_path):
    code, _, err = run(
        *("evidence", "build", "--pairs-table", cases / "one_file_for_two_pairs.tsv"),
        *("-g", cases / "chr20_200kb.fa", "-o", tmp_path / "e.h5"),
    )
    assert code == 2
    assert "--from" in err
    assert not (tmp_path / "e.h5").exists()


def test_a_gzip_is_read_as_a_bgzip_and_annotated_again(effects, tmp_path):
    found, _, out = effects("gzip_not_bgzip.vcf.gz")
    assert len(found)
    (annotated,) = out.glob("*.annotated.vcf.gz")
    again, _, out = effects(annotated, "chr20_200kb.fa", "--tf", "CTCF")
    assert set(again.tf) == {"CTCF"}
    (annotated,) = out.glob("*.annotated.vcf.gz")
    text = gzip.decompress(annotated.read_bytes()).decode()
    assert text.count("##INFO=<ID=TFIMPUTE,") == 1
    assert "|MAX|K562|" in text
    assert "|CTCF|K562|" in text


def test_padded_alleles_are_the_same_change(effects):
    found, _, _ = effects("padded_left.tsv")
    assert len(found) > 1
    values = found[["p_ref", "p_alt", "delta_log_odds"]].to_numpy()
    names = found["id"].str[1:]
    for name in names.unique():
        own = values[(names == name).to_numpy()]
        np.testing.assert_array_equal(own, own[:1].repeat(len(own), axis=0))


def test_each_position_of_a_construct_is_scored(run, cases, effects, tmp_path):
    found, err, _ = effects("construct200.tsv", "construct200.fa")
    assert found["pos"].nunique() == 200, err
    name = (cases / "construct200.fa").read_text().split()[0][1:]
    code, _, err = run(
        *("mutagenesis", "-g", cases / "construct200.fa", "-r", f"{name}:1-200"),
        *(*PAIR, "-o", tmp_path / "m"),
    )
    assert code == 0, err
    (table,) = (tmp_path / "m").glob("*.tsv")
    assert len(pd.read_csv(table, sep="\t")) == 600


def test_elements_and_their_reverse_complements_are_equal(run, cases, tmp_path):
    scores = []
    for name in ("elements171", "elements171_revcomp"):
        code, _, err = run(
            *(
                "enhancers",
                cases / f"{name}.fa",
                "--cell",
                "K562",
                "-o",
                tmp_path / name,
            )
        )
        assert code == 0, err
        (table,) = (tmp_path / name).glob("*scores*.tsv")
        numbers = pd.read_csv(table, sep="\t").select_dtypes("number").to_numpy()
        scores.append(numbers)
    np.testing.assert_allclose(*scores, atol=2e-4)


def test_marks_and_empty_records_are_passed_over_with_a_note(
    effects, run, cases, tmp_path
):
    found, err, _ = effects("bom_variants.tsv")
    assert len(found)
    assert "byte order mark, which is passed over" in err
    code, _, err = run(
        "scan", *PAIR, "-g", cases / "empty_records.fa", "-o", tmp_path / "s"
    )
    assert code == 0, err
    assert "sequences without bases" in err
