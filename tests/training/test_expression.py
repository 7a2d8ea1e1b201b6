"""Tables of RNA."""

import numpy as np
import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.training.expression import read_expression
from tfimpute_tracks.vocabulary import Vocabulary

_NAMES = Vocabulary(["CTCF", "MAX"], ["K562", "HepG2", "H1-hESC"])


def _write(path, text):
    path.write_text(text.replace(" ", "\t"))
    return path


def test_tables_are_averaged_and_other_names_ignored(tmp_path):
    first = _write(tmp_path / "a.tsv", "tf H1hESC K562 Liver\nctcf 3 7 x\nXYZ 1 1 1\n")
    second = _write(tmp_path / "b.tsv", "tf K562 HepG2\nCTCF 1 NA\nMAX 0 15\n")
    found = read_expression([first, second], _NAMES)
    expected = [[(3 + 1) / 2, np.nan, 2], [0, 4, np.nan]]
    np.testing.assert_allclose(found, expected)
    assert np.isnan(read_expression([], _NAMES)).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tf K562\nXYZ 1\n", "none of the TFs"),
        ("tf Liver\nCTCF 1\n", "none of the TFs"),
        ("gene K562\nCTCF 1\n", "tf"),
        ("tf K562\nCTCF -1\n", r"t.tsv:2: '-1' of k562"),
        ("tf K562\nCTCF high\n", r"t.tsv:2: 'high' of k562"),
        ("tf K562\nCTCF inf\n", r"t.tsv:2: 'inf' of k562"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path, text, message):
    with pytest.raises(InputFileError, match=message):
        read_expression([_write(tmp_path / "t.tsv", text)], _NAMES)
