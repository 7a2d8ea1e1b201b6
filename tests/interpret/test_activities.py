"""Tables of activities, held against the elements they are of."""

import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.interpret.activities import read_activities
from tfimpute_tracks.interpret.elements import Element, Elements, Skipped

ELEMENTS = Elements(
    [Element(name, "chr1", 0, 9, 0) for name in ("a", "b", "c", "d", "e")],
    None,
    [Skipped("gap", "element", "unknown sequence")],
)


def _read(path, rows, head="name\tactivity"):
    path.write_text("\n".join([head, *rows, ""]))
    return read_activities(path, ELEMENTS)


def test_numbers_are_found_by_name_and_the_rest_is_reported(tmp_path):
    rows = ["b\t-1.5", "x\t2", "a\t3e2", "c\tNA", "d\t1", "d\t2", "gap\t7", "y\t"]
    found = _read(tmp_path / "t.tsv", rows)
    assert found.of == {"b": -1.5, "a": 300.0}
    assert [(s.name, s.what, s.reason) for s in found.skipped] == [
        ("x", "activity", "no such element"),
        ("d", "activity", "duplicate name"),
        ("d", "activity", "duplicate name"),
        ("y", "activity", "no such element"),
        ("c", "activity", "no activity"),
        ("e", "activity", "no activity"),
    ]
    assert found.skipped[0].detail.endswith("t.tsv:3")


def test_other_columns_in_any_order_do_not_matter(tmp_path):
    rows = ["7\t0.5\ta\tx", "8\t1.5\tb\tx"]
    found = _read(tmp_path / "t.tsv", rows, "n\tactivity\tname\tmore")
    assert found.of == {"a": 0.5, "b": 1.5}


@pytest.mark.parametrize("text", ["high", "1_000", "inf", "1,5"])
def test_what_is_not_a_number_is_refused(tmp_path, text):
    with pytest.raises(InputFileError, match=r"t\.tsv:3: activity .* is not a number"):
        _read(tmp_path / "t.tsv", ["a\t1", f"b\t{text}"])


@pytest.mark.parametrize(
    ("head", "rows", "told"),
    [
        ("name\tvalue", ["a\t1"], "no column activity"),
        ("id\tactivity", ["a\t1"], "no column name"),
        ("name\tactivity", ["\t1"], "the name is empty"),
        ("name\tactivity", ["A\t1", "B\t2"], "no name in it is that of an element"),
        ("name\tactivity", [], "no name in it is that of an element"),
    ],
)
def test_a_table_of_something_else_is_refused(tmp_path, head, rows, told):
    with pytest.raises(InputFileError, match=told):
        _read(tmp_path / "t.tsv", rows, head)


def test_a_table_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(InputFileError, match="cannot read the table of activities"):
        read_activities(tmp_path / "gone.tsv", ELEMENTS)
