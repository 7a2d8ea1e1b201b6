"""Many files are counted, few are named."""

import pytest

from tfimpute_tracks.commands.console import print_files


@pytest.mark.parametrize("n", [6, 25])
def test_many_files_are_counted_by_folder_and_kind(capsys, n):
    names = [f"tf{i}.CELL.{kind}" for i in range(n) for kind in ("bw", "receipt.json")]
    files = [f"out/{name}" for name in names] + ["logs/x.effects.tsv"]
    print_files(files)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    if n == 6:
        assert out == f"{' '.join(files)}\n"
    else:
        assert out == "out: 25 .bw, 25 .receipt.json; logs: 1 .tsv\n"
