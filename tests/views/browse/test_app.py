"""The server's answers, right requests and wrong ones, over real sockets."""

import io
import json
import socket
import zipfile
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np
import pybigtools
import pytest

from evidence_toys import give_tracks
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evidence import measured_peaks
from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.impute.live_query import score_pairs
from tfimpute_tracks.variants.alleles import parse_variant
from tfimpute_tracks.variants.job import BackgroundOptions, VariantJob
from tfimpute_tracks.variants.records import Source
from tfimpute_tracks.variants.run import score_variants
from tfimpute_tracks.variants.summary import summarize_variant
from tfimpute_tracks.views.browse import (
    LiveScores,
    Session,
    open_socket,
    page_address,
)
from tfimpute_tracks.views.browse.page import PAGE_FILES
from tfimpute_tracks.views.browse.session import MAX_PAIRS
from tfimpute_tracks.vocabulary import Pair

WINDOW = {"chrom": "chr1", "start": 100, "end": 1100}
PAIR = {"pair": "CTCF:K562"}


def test_the_page_and_all_it_needs_are_there(client):
    status, headers, body = client.get("/")
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in headers["content-security-policy"]
    for name in PAGE_FILES:
        assert client.get(f"/page/{name}")[0] == 200
    for name in ("main.js", "page.css", "igv.min.js"):
        assert f"page/{name}".encode() in body
    about = client.json("/api/about")[1]
    assert about["tfs"] == ["CTCF", "EP300", "MAX"]
    assert about["locus"] == "chr1:101-1100"
    assert about["has_genes"]
    assert about["test_sites"] == "a test chromosome"
    assert (about["tile"], about["stride"], about["context"]) == (60, 20, 0)


def test_signals_come_as_numbers(client, scores):
    status, headers, body = client.get(
        "/api/signal", **PAIR, **WINDOW, signal="specificity", bp_per_pixel=1
    )
    assert status == 200
    values = np.frombuffer(body, dtype="<f4")
    expected = scores.signal(
        Pair("CTCF", "K562"), "specificity", Region("chr1", 100, 1100)
    )
    np.testing.assert_array_equal(values, expected.values)
    assert int(headers["x-start"]) == expected.start == 100
    assert int(headers["x-step"]) == expected.step == scores.stride


def test_peaks_and_variants_come_as_json(client, toy):
    status, found = client.json("/api/peaks", **PAIR, **WINDOW)
    assert status == 200
    assert len(found["peaks"]) == found["n_peaks"] > 0
    assert all(start < 1100 and end > 100 for start, end, _, _ in found["peaks"])
    ref = toy[2]["chr1"][800]
    alt = "A" if ref != "A" else "C"
    status, found = client.json(
        "/api/variant", pair=["CTCF:K562", "ctcf:k562"], variant=f"chr1:801 {ref}>{alt}"
    )
    assert status == 200
    assert [pair["pair"] for pair in found["pairs"]] == ["CTCF:K562"]
    assert found["pairs"][0]["alt_best"] == max(found["pairs"][0]["alt"])


def test_a_ranking_is_that_of_a_query(client, scores):
    model, region = scores.model, Region("chr1", 100, 1100)
    for asked, pairs in (
        ({"cell": "k562"}, [Pair(tf, "K562") for tf in model.tfs]),
        ({"tf": "max"}, [Pair("MAX", cell) for cell in model.cells]),
    ):
        status, found = client.json("/api/rank", **asked, **WINDOW)
        assert status == 200
        expected = score_pairs(model, scores.genome, region, pairs, {})
        assert found["pairs"] == [record._asdict() for record in expected]
        assert found["n_peaks"] == sum(record.is_peak for record in expected)
        assert (found["chrom"], found["start"], found["end"]) == region


def test_a_ranking_sets_up_its_pairs_once(scores, monkeypatch):
    pairs, made = scores.model.vocabulary.all_pairs(), []
    set_up = Scorer.for_pairs
    monkeypatch.setattr(
        Scorer, "for_pairs", lambda *args: made.append(1) or set_up(*args)
    )
    for start in (0, 100, 2500):
        scores.rank(pairs, Region("chr1", start, start + 500), {})
    assert made == [1]


def test_what_a_variant_changes_most_is_what_variants_finds(client, scores, toy):
    ref = toy[2]["chr1"][800]
    text = f"chr1:801 {ref}>{'A' if ref != 'A' else 'C'}"
    status, found = client.json("/api/changes", cell="k562", variant=text)
    assert status == 200
    model = scores.model
    pairs = [Pair(tf, "K562") for tf in model.tfs]
    source = Source.of_variant(parse_variant(text, scores.genome))
    job = VariantJob(
        model, pairs, source, Path(), background=BackgroundOptions(300), threads=2
    )
    results = score_variants(job, scores.genome, lambda *_: nullcontext(lambda n: None))
    expected = summarize_variant(results.scored[0], pairs, model)
    assert found == json.loads(json.dumps(expected)) | {
        "chrom": "chr1",
        "start": 800,
        "ref": ref,
        "alt": text[-1],
    }


def test_measured_peaks_are_next_to_predicted_ones(toy, tmp_path, rng, serving):
    model, fasta, _ = toy
    with open_genome(fasta) as genome:
        given = give_tracks(model, tmp_path, rng, genome.chrom_sizes)
        session = Session(LiveScores(given, genome), Region("chr1", 100, 1100))
        store, region = given.evidence.store, Region("chr1", 100, 1100)
        peaks = {t.pair: measured_peaks(store, t.pair, region) for t in store.tracks}
        pair = max(
            peaks, key=lambda pair: len(peaks[pair].start) * (pair.tf in model.tfs)
        )
        assert len(peaks[pair].start)
        with serving(session) as client:
            about = client.json("/api/about")[1]["evidence"]
            assert about["name"] == store.name
            assert about["tracks"] == len(store.tracks)
            assert about["chroms"] == ["chr1"]
            named = {"pair": str(pair)}
            assert client.json("/api/pair", **named)[1]["measured_tracks"] == 1
            _, found = client.json("/api/measured", **named, **WINDOW)
            assert found["peaks"] == np.transpose(peaks[pair][:2]).tolist()
            assert found["has_data"]
            elsewhere = {"chrom": "chr20", "start": 0, "end": 900}
            _, found = client.json("/api/measured", **named, **elsewhere)
            assert (found["has_data"], found["peaks"]) == (False, [])
            _, ranked = client.json("/api/rank", cell=pair.cell, **WINDOW)
            calls = {found["tf"]: found["measured"] for found in ranked["pairs"]}
            assert calls[pair.tf] == "bound"


def test_without_evidence_the_page_says_so(client):
    about = client.json("/api/about")[1]["evidence"]
    assert about == {
        "name": "",
        "build": "",
        "tracks": 0,
        "chroms": [],
        "available": "",
        "accuracy": None,
    }
    assert client.json("/api/pair", **PAIR)[1]["measured_tracks"] == 0
    found = {"pair": "CTCF:K562", "has_data": False, "peaks": []}
    assert client.json("/api/measured", **PAIR, **WINDOW)[1] == found


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("chr1:201-300", (200, 300)),
        ("  1:1,201 -1,300 ", (1200, 1300)),
        ("chr1:1,001", (500, 1501)),
        ("chr1:10", (0, 510)),
        ("chr1", (0, 4000)),
        ("Dicer", (0, 4000)),
    ],
)
def test_positions_are_read(client, text, region):
    status, found = client.json("/api/locate", text=text)
    assert status == 200
    assert (found["chrom"], found["start"], found["end"]) == ("chr1", *region)


def test_positions_are_never_files(client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.bed").write_text("chr1\t0\t10\n")
    answers = {
        client.json("/api/locate", text=name)[1]["error"].replace(name, "NAME")
        for name in ("there.bed", "gone1.bed", str(tmp_path / "there.bed"))
    }
    assert len(answers) == 1


def test_without_genes_they_are_asked_for(scores, serving):
    with serving(Session(scores, Region("chr1", 100, 1100))) as client:
        _, answer = client.json("/api/locate", text="DICER")
        assert "start `browse` with --genes FILE" in answer["error"]


def test_the_example_is_a_variant_of_the_genome(client, toy):
    text = client.json("/api/about")[1]["example"]
    assert text.startswith("chr1:601 ")
    assert text.split()[1][0] == toy[2]["chr1"][600]
    assert client.get("/api/variant", **PAIR, variant=text)[0] == 200


def test_alleles_of_the_same_pairs_share_a_scorer(session):
    pairs = session.pairs(["CTCF:K562"], 1)
    first = session._allele_scorer(tuple(pairs))
    assert session._allele_scorer(tuple(pairs)) is first
    others = session.pairs(["CTCF:K562", "MAX:HepG2"], 2)
    assert session._allele_scorer(tuple(others)) is not first


def test_a_variant_in_unknown_sequence_is_valid_json(client, toy):
    at = 1995  # the letters around are N, the letter itself is not reached by a score
    ref = toy[2]["chr1"][2000]
    alt = "A" if ref != "A" else "C"
    status, found = client.json(
        "/api/variant", **PAIR, variant=f"chr1:{at + 6} {ref}>{alt}"
    )
    assert status == 200
    assert None in found["pairs"][0]["ref"]


def test_genes_are_shown_and_found(client):
    _, genes = client.json("/api/genes", chrom="chr1", start=0, end=1000)
    assert [gene["name"] for gene in genes] == ["DICER"]
    found = {"chrom": "chr1", "start": 0, "end": 4000}  # with 5 kb on either side
    assert client.json("/api/locate", text="tor")[1] == found
    assert client.json("/api/genes", chrom="chr20", start=0, end=900)[1] == []


@pytest.mark.parametrize("name", ["bigwig", "bed", "bigbed", "bedgraph"])
def test_the_window_can_be_taken_home(client, scores, tmp_path, name):
    status, headers, body = client.get("/api/download", **PAIR, **WINDOW, format=name)
    assert status == 200
    ending = {"bigwig": "bw", "bed": "narrowPeak", "bigbed": "bb"}.get(name, "bedGraph")
    assert f'"CTCF.K562.chr1_101-1100.{ending}"' in headers["content-disposition"]
    if name == "bigwig":
        path = tmp_path / "x.bw"
        path.write_bytes(body)
        told = [value for _, _, value in pybigtools.open(str(path)).records("chr1")]
        signal = scores.signal(
            Pair("CTCF", "K562"), "probability", Region("chr1", 100, 1100)
        )
        np.testing.assert_allclose(told, signal.values, atol=5.1e-5)


def test_several_pairs_come_in_an_archive(client):
    pairs = ["CTCF:K562", "MAX:HepG2"]
    status, headers, body = client.get(
        "/api/download", pair=pairs, **WINDOW, format="bigwig"
    )
    assert status == 200
    assert headers["content-disposition"].endswith('.zip"')
    names = zipfile.ZipFile(io.BytesIO(body)).namelist()
    assert names == ["CTCF.K562.bw", "MAX.HepG2.bw"]


def test_a_wide_window_is_computed_in_the_background(client, session):
    session.scores.max_bp = 1000
    wide = {"chrom": "chr1", "start": 0, "end": 4000}
    _, _, body = client.get("/api/signal", **PAIR, **wide)
    assert client.json("/api/computed", **PAIR, **wide)[1] == {"fraction": 0}
    assert np.isnan(np.frombuffer(body, dtype="<f4")).all()
    assert client.get("/api/compute", **PAIR, **wide)[0] == 405
    assert client.get("/api/compute", method="POST", **PAIR, **wide)[0] == 200
    session.background._thread.join()
    state = client.json("/api/progress")[1]
    assert state == {"running": False, "fraction": 1, "error": ""}
    assert client.json("/api/computed", **PAIR, **wide)[1] == {"fraction": 1}
    _, _, body = client.get("/api/signal", **PAIR, **wide)
    assert not np.isnan(np.frombuffer(body, dtype="<f4")[:30]).any()


@pytest.mark.parametrize(
    ("path", "values", "told"),
    [
        ("pair", {"pair": "CTCC:K562"}, "CTCF"),
        ("pair", {}, "0 pairs in one request"),
        ("pair", {"pair": ["CTCF:K562"] * 2}, "2 pairs in one request"),
        ("signal", PAIR | WINDOW | {"signal": "height"}, "no signal 'height'"),
        ("signal", PAIR | WINDOW | {"bp_per_pixel": "-1"}, "positive number"),
        ("signal", PAIR | WINDOW | {"summary": "median"}, "max or mean"),
        ("signal", PAIR | WINDOW | {"end": "x"}, "are not a region"),
        ("signal", PAIR | WINDOW | {"start": 5000, "end": 6000}, "are not a region"),
        ("signal", PAIR | WINDOW | {"chrom": "chr7"}, "chr7"),
        ("signal", PAIR | WINDOW | {"chrom": "../../etc/passwd"}, "passwd"),
        ("variant", PAIR | {"variant": "chr1:5 A>A"}, "two different"),
        (
            "variant",
            {"pair": ["CTCF:K562"] * (MAX_PAIRS + 1)},
            "61 pairs in one request",
        ),
        ("download", PAIR | WINDOW | {"format": "exe"}, "no format 'exe'"),
        ("download", PAIR | WINDOW, "no format ''"),
        ("locate", {}, "no position was typed; use e.g. chr1:101-1100"),
        ("locate", {"text": " \n "}, "no position was typed"),
        ("locate", {"text": "dicre"}, "did you mean DICER?"),
        ("locate", {"text": "x" * 5000}, "xxx... has 5,000 characters"),
        ("locate", {"text": "chr1:1-99999999999"}, "ends outside of chr1"),
        ("locate", {"text": "chr1:" + "9" * 200}, "not of the form"),
        ("locate", {"text": "chr1:5-x"}, "not of the form"),
        ("locate", {"text": "chr77:5"}, "unknown chromosome chr77"),
        ("rank", WINDOW, "name a TF or a cell line"),
        ("rank", WINDOW | {"tf": "CTCF", "cell": "K562"}, "and not both"),
        ("rank", WINDOW | {"cell": "K652"}, "K562"),
        ("rank", {"cell": "K562"}, "chromosome"),
        ("rank", {"cell": "K562", "chrom": "chr1", "start": 1990, "end": 1999}, "(N)"),
        ("measured", WINDOW, "0 pairs in one request"),
        ("changes", {"variant": "chr1:5 A>G"}, "name a TF or a cell line"),
        ("changes", {"variant": "chr1:5 A>A", "cell": "K562"}, "two different"),
        ("changes", {"variant": "rs5", "cell": "K562"}, "rs5"),
        ("changes", {"variant": "chr1:1750 N>A", "cell": "K562"}, "chr1"),
    ],
)
def test_wrong_requests_get_a_line(client, path, values, told):
    status, answer = client.json(f"/api/{path}", **values)
    assert status == 400
    assert told in answer["error"]
    assert "\n" not in answer["error"]


def test_ten_thousand_pairs_are_refused(client):
    pairs = [f"T{i}:C{i}" for i in range(5000)]
    status, answer = client.json("/api/variant", pair=pairs, variant="chr1:5 A>G")
    assert status == 400
    assert "5,000 pairs" in answer["error"]
    # More than an address may hold is not even read, and the server lives on.
    with suppress(OSError):
        assert client.get("/api/variant", pair=pairs * 2)[0] == 400
    assert client.json("/api/about")[0] == 200


def test_no_path_reaches_the_file_system(client):
    tries = (
        "/page/../session.py",
        "/page/..%2fsession.py",
        "/page/%2e%2e/%2e%2e/README.md",
        "/page//etc/passwd",
        "/etc/passwd",
        "/api/../../README.md",
        "/page/page.css/",
    )
    for path in tries:
        status, _, body = client.get(path)
        assert status == 404, path
        assert json.loads(body) == {"error": "Not Found"}


def test_sequence_comes_in_ranges(client, toy):
    line = toy[2]["chr1"]
    status, headers, body = client.get("/genome.fa", {"Range": "bytes=6-105"})
    assert status == 206
    assert body.decode() == line[:100]
    assert headers["content-range"].startswith("bytes 6-105/")
    for wrong in (
        *("", "bytes=9-3", "bytes=-5", "bytes=0-99999999,5-6", "lines=0-5"),
        *("bytes=\u00b2-5", f"bytes=0-{'9' * 5000}", "bytes=-", "bytes=0-0-0"),
    ):
        headers = {"Range": wrong} if wrong else {}
        assert client.get("/genome.fa", headers)[0] == 416, wrong


def test_other_names_of_this_machine_are_refused(client):
    for name in ("evil.example", "evil.example:80", "", "127.0.0.1.evil.example"):
        assert client.get("/api/about", {"Host": name})[0] in {400, 403}
    for name in ("localhost:1", "127.0.0.1", "[::1]:99"):
        assert client.get("/api/about", {"Host": name})[0] == 200


def test_pages_of_other_sites_are_refused(client):
    other = {"Sec-Fetch-Site": "cross-site"}
    assert client.get("/api/about", other)[0] == 403
    assert client.get("/api/compute", other, method="POST", **PAIR, **WINDOW)[0] == 403
    assert client.get("/", other)[0] == 200
    assert client.get("/api/about", {"Sec-Fetch-Site": "same-origin"})[0] == 200


def test_a_token_opens_and_nothing_else_does(session, serving):
    token = "abcdefgh-12345678"
    with serving(session, token) as client:
        for headers in (
            {},
            {"Cookie": "x=1"},
            {"Cookie": "tfimpute-tracks-1=" + token},
        ):
            assert client.get("/", headers)[0] == 403
            assert client.get("/api/about", headers)[0] == 403
        assert client.get("/", token="wrong-token-entirely")[0] == 403
        # The token opens the page, not the answers: it must not stand in each address.
        assert client.get("/api/about", token=token)[0] == 403
        status, headers, _ = client.get("/", token=token)
        assert (status, headers["location"]) == (303, "/")
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        name = cookie.partition(";")[0]
        assert client.get("/api/about", {"Cookie": name})[0] == 200
        assert client.get("/", {"Cookie": f"{name}x"})[0] == 403


def test_a_port_that_is_taken_is_reported():
    with open_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert page_address(taken, None) == f"http://127.0.0.1:{port}/"
        assert page_address(taken, "a+b").endswith("/?token=a%2Bb")
        with pytest.raises(UsageError, match="another program uses that port"):
            open_socket("127.0.0.1", port)
    with pytest.raises(UsageError, match=r"is --host 203\.0\.113\.7 an address"):
        open_socket("203.0.113.7", 0)
    if socket.has_ipv6:
        with open_socket("::1", 0) as taken:
            assert page_address(taken, None).startswith("http://[::1]:")


RUBBISH = (
    *("", "\x00", "nan", "-1", "1e400", "9" * 299, "9" * 5000, "\u00b2", "\u0661"),
    *("%", "../../etc/passwd", "chr1:", "chr1:-", "chr1:5-", "<script>", "\ud7ff"),
    *("chr1:801 A>", "chr1:801 >G", "chr1:0 A>G", "chr1:1600 N>A", ":", "CTCF:"),
    *(" ", "\n", "1_000", "CTCF:K562:x", "chr1:1-1", "chr1:2,,,3-5,", "null"),
)
ALL_VALUES = {
    **PAIR,
    **WINDOW,
    "signal": "score",
    "bp_per_pixel": 1,
    "summary": "max",
    "text": "chr1",
    "variant": "chr1:801 A>G",
    "cell": "K562",
    "format": "bed",
    "name": "x",
}


@pytest.mark.parametrize(
    "path",
    [
        *("pair", "signal", "computed", "peaks", "variant", "measured", "rank"),
        *("download", "genes", "locate"),
    ],
)
def test_rubbish_gets_a_line(client, path):
    for name in ALL_VALUES:
        for rubbish in RUBBISH:
            values = ALL_VALUES | {name: rubbish}
            status, _, body = client.get(f"/api/{path}", **values)
            assert status in {200, 400}, (name, rubbish[:40])
            if status == 400:
                assert "\n" not in json.loads(body)["error"]
    status, _, body = client.get(f"/api/{path}", **dict.fromkeys(ALL_VALUES, "x"))
    assert status == 400
