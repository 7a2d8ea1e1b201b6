"""Tables on a terminal fit it, and no value is cut."""

import re
import sys

import pytest

from tfimpute_tracks.commands.tables import show_table

COLUMNS = ["pair", "status", "expected AUROC", "where it was measured", "bp"]
ROWS = [
    [f"TF{i}:GM12878", "imputed", 0.9 + i / 1000, f"chr20:48,599,{i:03}-49,000,000", i]
    for i in range(100, 130)
]
OPTIONAL = ("bp", "where it was measured")


@pytest.fixture
def shown(monkeypatch, capsys):
    """Show a table on a terminal of a width; lines of stdout, and the log."""

    def show(width, columns, rows, optional=()):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        show_table("", columns, rows, optional)
        out, err = capsys.readouterr()
        return re.sub(r"\x1b\[\d*m", "", out).splitlines(), err

    return show


def words(lines):
    return " ".join(lines).split()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
@pytest.mark.parametrize("n_rows", [1, 3, 30])
@pytest.mark.parametrize("optional", [(), OPTIONAL])
def test_no_value_is_cut(shown, width, n_rows, optional):
    lines, err = shown(width, COLUMNS, ROWS[:n_rows], optional)
    longest = max(map(len, lines))
    assert longest <= max(width, len(COLUMNS[3]) + 2 + len(ROWS[0][3]))
    left_out = [name for name in optional if name in err]
    for row in ROWS[:n_rows]:
        for name, value in zip(COLUMNS, row, strict=True):
            text = f"{value:.4f}" if isinstance(value, float) else str(value)
            assert (text in words(lines)) or name in left_out


def test_what_fits_is_one_line_per_row(shown):
    lines, err = shown(120, COLUMNS, ROWS)
    assert len(lines) == len(ROWS) + 1
    assert err == ""


def test_columns_are_left_out_in_their_order_and_named(shown):
    lines, err = shown(62, COLUMNS, ROWS, OPTIONAL)
    assert "not shown for lack of width: bp; widen the terminal" in err
    assert ROWS[0][3] in words(lines)
    _, err = shown(45, COLUMNS, ROWS, OPTIONAL)
    assert "where it was measured, bp" in err


def test_a_table_of_few_rows_is_turned(shown):
    lines, err = shown(60, COLUMNS, ROWS[:1], OPTIONAL)
    assert len(lines) == len(COLUMNS)
    assert lines[0].split() == ["pair", "TF100:GM12878"]
    assert err == ""


def test_a_pipe_has_no_width(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    show_table("", ["x" * 150, "y" * 150], [["a" * 150, "b" * 150]])
    assert "b" * 150 in capsys.readouterr().out
