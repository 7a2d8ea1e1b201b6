"""What somebody waits for who looks: the browser page's answers, and a hub's text."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench_scan import Whole
from timing import Figure, figure, seconds

from tfimpute_tracks.models import load_model
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.tracks.track_folder import TrackFolder
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.hub import HubSettings, write_hub

__all__ = ["browse", "hub"]

_VIEW = 1_000_000
_TURNS = 7
# The browser asks for as much again on both sides of what it shows.
_ASKED = 3


@contextmanager
def _served(whole: Whole) -> Iterator[str]:
    """Start the command as a user does, and give its address."""
    command = [sys.executable, "-m", "tfimpute_tracks", "browse", "--port", "0"]
    command += ["--no-cache", *whole.options[:2]]
    if whole.options:
        command += ["--region", "chr20:40,000,001-41,000,000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None  # a pipe, above
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _drawn(address: str, place: str) -> tuple[float, float] | None:
    """Time in Chromium from adding a track to its being drawn: the first, a further."""
    binary, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if not (binary and driver_path):
        return None
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"):
        options.add_argument(flag)
    options.add_argument("--window-size=1300,900")
    service = webdriver.ChromeService(driver_path)
    with webdriver.Chrome(options=options, service=service) as driver:
        driver.set_script_timeout(60)
        driver.get(f"{address}#locus={place}")
        while driver.execute_script("return document.body.dataset.ready") != "yes":
            time.sleep(0.05)
        first, further = (
            driver.execute_async_script(_ADD, pair)
            for pair in ("CTCF:K562", "MAX:HepG2")
        )
    return first / 1000, further / 1000


_ADD = """
const [pair, done] = arguments, began = performance.now();
page.add({pair, signal: "probability"}).then(() => requestAnimationFrame(
  () => done(performance.now() - began)));
"""


def _get(address: str, what: str, **values: object) -> bytes:
    query = urllib.parse.urlencode(values)
    with urllib.request.urlopen(f"{address}api/{what}?{query}", timeout=60) as answer:
        body: bytes = answer.read()
    return body


def browse(quick: bool) -> list[Figure]:
    """Time views of the browser page: as answers over HTTP, and drawn in Chromium.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    whole = Whole(quick)
    size = _VIEW // 10 if quick else _VIEW
    starts: list[float] = []
    first: list[float] = []
    further: list[float] = []
    specific: list[float] = []
    for turn in range(2 if quick else _TURNS):
        began = time.perf_counter()
        with _served(whole) as address:
            starts.append(time.perf_counter() - began)
            about = json.loads(_get(address, "about"))
            chrom, place = about["locus"].split(":")
            middle = int(place.split("-")[0])
            begin = max(middle + (turn - _TURNS // 2) * size - size, 0)
            window: dict[str, object] = {
                "chrom": chrom,
                "start": begin,
                "end": begin + _ASKED * size,
            }

            def view(
                pair: str,
                signal: str,
                window: dict[str, object] = window,
                address: str = address,
            ) -> None:
                grain = size / 1200
                asked = {"signal": signal, "bp_per_pixel": grain}
                _get(address, "signal", pair=pair, **asked, **window)
                _get(address, "peaks", pair=pair, **window)

            first.append(seconds(lambda: view("CTCF:K562", "probability")))
            further += [
                seconds(partial(view, pair, "probability"))
                for pair in ("MAX:HepG2", "GATA1:HepG2", "CEBPB:A549")
            ]
            specific.append(seconds(lambda: view("SPI1:K562", "specificity")))
    detail = (
        f"{whole.name}, {size / 1e6:g} Mb shown, {_ASKED * size / 1e6:g} Mb asked for: "
        f"signal and peaks; the server is there after {statistics.median(starts):.1f} s"
    )
    drawn = []
    for _ in range(1 if quick else 3):
        with _served(whole) as address:
            place = f"{chrom}:{middle}-{middle + size - 1}"
            drawn.append(_drawn(address, place))
    seen = [times for times in drawn if times]
    return [
        *_in_chromium(seen),
        figure(
            "browse",
            "first view of a pair in a fresh server",
            first,
            unit="s",
            better="less",
            asked="< 1.5",
            detail=detail,
        ),
        figure(
            "browse",
            "a further pair in the same view",
            further,
            unit="s",
            better="less",
            asked="< 0.3",
        ),
        figure(
            "browse",
            "its specificity, relative to all cell lines of the TF",
            specific,
            unit="s",
            better="less",
        ),
    ]


def _in_chromium(seen: list[tuple[float, float]]) -> list[Figure]:
    if not seen:
        return []
    names = ("first view of a pair", "a further pair in the same view")
    asked = ("< 1.5", "< 0.3")
    return [
        figure(
            "browse",
            f"{name}, drawn in Chromium",
            times,
            unit="s",
            better="less",
            asked=limit,
            detail="from adding it to its being drawn, with its peaks",
        )
        for name, limit, times in zip(names, asked, zip(*seen), strict=True)  # noqa: B905
    ]


def hub(quick: bool) -> list[Figure]:
    """Time the text of a hub of all pairs: hub.txt, its table, pages and hubs of TFs.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    model = load_model("default")
    pairs = model.vocabulary.all_pairs()
    pairs = pairs[:2000] if quick else pairs
    tracks = [
        TrackRecord(
            pair=pair,
            status=model.status(pair),
            threshold=model.threshold(pair),
            n_peaks=100,
            expected_auroc=model.expected(pair),
            model=model.name,
            weights=model.checkpoint.digest,
            seq_len=model.config.seq_len,
            stride=model.config.stride,
            signals={"probability": f"{pair.tf}.{pair.cell}.bw"},
            bigbed=f"{pair.tf}.{pair.cell}.bb",
        )
        for pair in sorted(pairs)
    ]
    taken, size = [], 0
    for _ in range(1 if quick else _TURNS):
        with tempfile.TemporaryDirectory() as folder:
            folder_of_tracks = TrackFolder(Path(folder), tracks, [])
            settings = HubSettings("hg19", "a@b.org", "family", CardLookup((model,)))
            taken.append(seconds(partial(write_hub, folder_of_tracks, settings)))
            size = (Path(folder) / "hub.txt").stat().st_size
    return [
        figure(
            "hub",
            f"hub of {len(pairs):,} pairs, all its files",
            taken,
            unit="s",
            better="less",
            asked="" if quick else "< 5",
            detail=f"hub.txt {size / 1e6:.1f} MB; `pytest -m browser "
            "tests/views/hubs/test_readers.py` parses it",
        )
    ]
