"""What docs/own-data.md shows, on real data: ATF7, and the open chromatin of LNCaP."""

import json
import subprocess
import sys
import urllib.request

import pytest

ATF7 = "ATF7.K562.narrowPeak.gz"


@pytest.mark.slow
def test_a_tf_of_ones_own_serves_other_cell_lines(run, shared_data, tmp_path):
    """No model of the package knows ATF7."""
    hg19, mine = shared_data / "hg19", tmp_path / "mine.safetensors"
    table = tmp_path / "mine.tsv"
    table.write_text(f"tf\tcell\tbed\nATF7\tK562\t{hg19 / 'new_tf' / ATF7}\n")
    code, out, err = run(
        *("extend", "--pairs-table", table, "-g", hg19 / "hg19.partial.fa.gz"),
        *("-o", mine, "--json"),
    )
    assert code == 0, err
    own, others = json.loads(out)["accuracy"]
    assert own["pairs"] == "ATF7:K562, measured"
    assert own["auroc"] > 0.94
    assert own["average_precision"] > 0.5
    assert others["number"] == 90
    scan = ("scan", "-r", "chr20:48500001-48700000", "--no-cache", "--format")
    for model, pairs, folder in (
        ("default", "CTCF:K562;MAX:HepG2", "before"),
        (mine, "MAX:HepG2;ATF7:GM12878;CTCF:K562", "after"),
    ):
        done = run(
            *scan, "bedgraph", "-m", model, "--pairs", pairs, "-o", tmp_path / folder
        )
        assert done[0] == 0, done[2]
    for name in ("CTCF.K562.bedGraph", "MAX.HepG2.bedGraph"):
        before, after = (tmp_path / folder / name for folder in ("before", "after"))
        assert before.read_bytes() == after.read_bytes()
    assert (tmp_path / "after" / "ATF7.GM12878.bedGraph").stat().st_size > 1000


@pytest.mark.slow
def test_a_cell_type_is_known_by_its_open_chromatin(run, shared_data, tmp_path):
    """LNCaP is a prostate cancer line, which the model does not know."""
    peaks = shared_data / "hg19/accessibility/LNCaP_clone_FGC.open.bed.gz"
    code, out, err = run(
        *("query", "chr20:48,599,512-48,600,512", "--top", 3, "--json"),
        *("--cell-accessibility", peaks, "--cell-name", "LNCaP"),
    )
    assert code == 0, err
    assert "the open chromatin of LNCaP is most like that of T-47D" in err
    assert "expect an AUROC of 0.9" in err
    # The promoter that is active in every cell line.
    assert "POLR2A" in {record["tf"] for record in json.loads(out)}


@pytest.mark.slow
def test_the_browser_page_has_a_cell_line_of_your_own(shared_data, tmp_path):
    peaks = shared_data / "hg19/accessibility/LNCaP_clone_FGC.open.bed.gz"
    command = [
        *(sys.executable, "-m", "tfimpute_tracks", "browse", "--port", "0"),
        *("--cell-accessibility", peaks, "--cell-name", "LNCaP_own"),
        *("--cache-dir", tmp_path),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        address = server.stdout.readline().strip()

        def ask(path):
            with urllib.request.urlopen(f"{address}api/{path}", timeout=60) as answer:
                return json.load(answer)

        try:
            about, pair = ask("about"), ask("pair?pair=CTCF:lncap_own")
            window = "chrom=chr20&start=48780000&end=48840000"
            ranked = ask(f"rank?cell=LNCaP_own&{window}")["pairs"]
        finally:
            server.terminate()
    assert "LNCaP_own" in about["cells"]
    assert pair["status"] == "imputed"
    assert pair["expected_auroc"] > 0.9
    assert len(ranked) == len(about["tfs"])
    assert ranked[0]["probability"] > 0.9
