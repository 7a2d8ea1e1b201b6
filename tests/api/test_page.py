"""docs/api.md: its snippets run, in their order, and its table lists the names."""

import re
from pathlib import Path

import pytest

import tfimpute_tracks

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.mark.filterwarnings("ignore")  # of other packages
def test_snippets_run(run, tmp_path, monkeypatch):
    for name in ("captum", "tangermeme", "anndata"):
        pytest.importorskip(name)
    monkeypatch.chdir(tmp_path)
    region = "chr20:48,590,001-48,600,000"
    run("impute", "--cell", "K562", "-r", region, "--workers", 1, "-y", "-o", "store")
    names = {}
    for block in BLOCK.findall(PAGE):
        # The bundled region stands for the genome.
        exec(block.replace('"hg19.fa"', "None"), names)
    assert set(names["peaks"].tf) == {"CTCF", "RAD21", "MAX"}
    assert names["high"].size
    assert names["files"][0].name == "CTCF.K562.bw"
    assert names["bound"].shape[0] == 165
    assert names["some"].shape == (51, 2)
    assert names["cells"].shape == (165, 51)
    assert names["importance"].abs().max() > 0
    assert names["attributions"].shape == names["gradients"].shape == (1, 4, 200)


def test_the_table_lists_the_names():
    listed = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(tfimpute_tracks.__all__)
    for name, row in re.findall(r"^\| `([A-Z]\w+)` \|(.*)\|$", PAGE, re.MULTILINE):
        for method in re.findall(r"`(\w+)`", row):
            assert hasattr(getattr(tfimpute_tracks, name), method), (name, method)


def test_the_first_snippet_has_three_lines():
    lines = BLOCK.search(PAGE)[1].splitlines()
    assert len([x for x in lines if x and not x.startswith("from ")]) == 3
