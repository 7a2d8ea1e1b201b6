"""Whole scans relative to the same weights run window by window, and relative to one motif."""

from __future__ import annotations

import re
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import numpy as np
from child import run_child, tfimpute
from numpy.typing import NDArray
from other_methods import (
    FastaFile,
    PlainModule,
    lightmotif_scan,
    loader_predictor,
    moods_scan,
    selene_predictor,
    tangermeme_tracks,
)
from ours import Scan
from timing import (
    Figure,
    Unavailable,
    alternate,
    figure,
    print_result,
    ratios,
    seconds,
    thread_count,
)

from tfimpute_tracks.genome import (
    Region,
    Sequences,
    bundled_region,
    open_bundled,
    open_genome,
)
from tfimpute_tracks.models import load_model

__all__ = [
    "PAIR",
    "Whole",
    "chromosome",
    "motif",
    "pairs",
    "scan_options",
    "selene",
    "tangermeme",
]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]

PAIR = "CTCF:K562"
_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "hg19"
_BATCHES = (64, 256, 1024)
# The core of the CTCF motif; how fast a matrix is scanned depends on its width and on
# the number of hits, not on its digits.
_CONSENSUS = "CCGCGNGGNGGCAG"


class Whole:
    """The longest sequence there is, as options of `scan`: chr20, or what ships.

    Parameters
    ----------
    quick : bool
        Take what ships in any case.

    Attributes
    ----------
    name : str
    options : list of str
    megabases : float
        Of real sequence.
    """

    def __init__(self, quick: bool) -> None:
        fasta = _SHARED / "hg19.partial.fa.gz"
        region = bundled_region()
        self.name, self.options = "3 Mb of chr20", []
        self.megabases = (region.end - region.start) / 1e6
        if fasta.exists() and not quick:
            self.name = "chr20"
            self.options = ["-g", str(fasta), "--chroms", "chr20"]
            self.megabases = 59.505520  # of 63.025520; the others are N

    def sequence(self) -> tuple[Sequences, Region]:
        """Open it in this process.

        Returns
        -------
        Sequences, Region
        """
        if not self.options:
            return open_bundled(), bundled_region()
        genome = open_genome(self.options[1])
        return genome, Region("chr20", 0, genome.chrom_sizes["chr20"])


@cache
def scan_options() -> str:
    """Give the help text of `scan`, to see which options there are.

    Returns
    -------
    str
    """
    return run_child(tfimpute("scan", "--help")).output


def _uncached() -> list[str]:
    """Give the option that keeps one run from helping the next, if there is one."""
    return ["--no-cache"] if "--no-cache" in scan_options() else []


class _Command:
    """A whole `scan` as a command, its start included, into a folder that goes away."""

    def __init__(
        self, whole: Whole, precision: str, wanted: tuple[str, ...] = ("--pairs", PAIR)
    ) -> None:
        self._options = [*wanted, "--precision", precision, *whole.options]
        self.reported = ""  # what it said of its own time

    def __call__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            command = tfimpute(
                *("scan", "-o", f"{folder}/out", *self._options, *_uncached()),
                *("--threads", thread_count(), "--device", "cpu"),
            )
            reported = re.search(r"[\d.]+ s, [\d.]+ Mb/s", run_child(command).output)
        self.reported = reported.group() if reported else "nothing"


@contextmanager
def _part(n_bp: int) -> Iterator[tuple[FastaFile, Codes]]:
    """Give the first `n_bp` of the bundled region, in a FASTA file of its own."""
    region = bundled_region()
    codes = open_bundled().codes(region.chrom, region.start, region.start + n_bp)
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder, "part.fa")
        bases = _bases(codes)
        lines = [bases[i : i + 60] for i in range(0, n_bp, 60)]
        fasta.write_text("\n".join([">chr20", *lines, ""]), encoding="ascii")
        yield FastaFile(fasta, "chr20", n_bp), codes


def _bases(codes: Codes) -> str:
    return np.frombuffer(b"ACGTN", np.uint8)[codes].tobytes().decode()


def _windowed(
    group: str, make: Callable[..., Callable[[], Floats]], name: str, quick: bool
) -> list[Figure]:
    """Compare whole scans with a predictor of windows on a part of the sequence."""
    runs, n_bp = (1, 40_000) if quick else (5, 500_000)
    whole = Whole(quick)
    model = load_model("default")
    module = PlainModule(model, PAIR).eval()
    mine = Scan(model, [PAIR])
    with _part(n_bp) as (sequence, codes):
        made = {
            batch: make(module, sequence, model.config.seq_len, mine.stride, batch)
            for batch in _BATCHES
        }
        off = np.abs(made[256]() - mine(codes)[:, 0])
        # A window that is half past an end is a neighbor of ours and not of theirs.
        r = model.config.context_tiles
        difference = off[r : off.size - r].max()
        if difference > 1e-5:
            raise RuntimeError(f"{name} computes something else: off by {difference}")
        print_result(
            f"{group:>10}  largest difference of a probability {difference:.1e}"
        )
        batch = min(made, key=lambda size: seconds(made[size]))
        # They read sequence only, so `scan` does, too.
        wanted = "--pairs", PAIR, "--evidence", "none"
        ways: dict[str, Callable[[], object]] = {
            "exact": _Command(whole, "exact", wanted),
            "fast": _Command(whole, "fast", wanted),
            "theirs": made[batch],
        }
        times = alternate(ways, runs, warm_up=False)
    theirs = n_bp / 1e6 / statistics.median(times["theirs"])
    return [
        figure(
            group,
            f"FASTA to tracks, `scan` {precision}, relative to {name}",
            ratios(times["theirs"], times[precision], whole.megabases * 1e6 / n_bp),
            asked="at least 100",
            detail=f"{whole.megabases / statistics.median(times[precision]):.2f} Mb/s, "
            f"{whole.name}, / {theirs:.3f} Mb/s, {n_bp / 1e6} Mb in batches of {batch}",
        )
        for precision in ("exact", "fast")
    ]


def tangermeme(quick: bool) -> list[Figure]:
    """FASTA to tracks against tangermeme over explicit windows.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    return _windowed("tangermeme", tangermeme_tracks, "tangermeme's `predict`", quick)


def selene(quick: bool) -> list[Figure]:
    """FASTA to tracks against Selene, or against the usual loader of windows.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    try:
        return _windowed(
            "selene", selene_predictor, "Selene's `AnalyzeSequences`", quick
        )
    except Unavailable as error:
        print_result(
            f"    selene  {error}; a DataLoader over pyfaidx windows takes its place"
        )
    name = "a `DataLoader` over pyfaidx windows"
    return _windowed("selene", loader_predictor, name, quick)


def chromosome(quick: bool) -> list[Figure]:
    """Time a whole command: its start, reading, scan, peaks and files.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    whole = Whole(quick)
    ways = {name: _Command(whole, name) for name in ("exact", "fast")}
    times = alternate(ways, 1 if quick else 3, warm_up=False)
    return [
        *_rounding(quick),
        *(
            _command_figure(whole, name, ways[name].reported, times[name])
            for name in ways
        ),
    ]


def _rounding(quick: bool) -> list[Figure]:
    """Report how far `fast` is from `exact`."""
    region = bundled_region()
    n_bp = 100_000 if quick else region.end - region.start
    codes = open_bundled().codes(region.chrom, region.start, region.start + n_bp)
    model = load_model("default")
    every = model.vocabulary.all_pairs()
    some = every[:: len(every) // 300]
    exact, fast = (Scan(model, some, way)(codes) for way in (False, True))
    return [
        figure(
            "chromosome",
            "largest difference of a probability, fast relative to exact",
            [float(np.abs(exact - fast).max())],
            unit="",
            better="less",
            asked="at most 0.002",
            detail=f"{exact.shape[0]} tiles, {len(some)} pairs",
        )
    ]


def _command_figure(
    whole: Whole, name: str, reported: str, taken: list[float]
) -> Figure:
    return figure(
        "chromosome",
        f"`scan` of {whole.name}, one pair, {name}: the whole command",
        [whole.megabases / seconds_ for seconds_ in taken],
        unit="Mb/s",
        asked="at least 3",
        detail=f"{statistics.median(taken):.2f} s with its start; it reports "
        f"of itself: {reported}",
    )


def _motif_counts() -> dict[str, list[int]]:
    """Make a count matrix of the consensus, its digits drawn at random.

    With the same digits everywhere scores would take a few values only, and the tools'
    thresholds, which differ in rounding, would let through very different numbers.
    """
    rng = np.random.default_rng(0)
    rows = rng.integers(2, 12, (len(_CONSENSUS), 4))
    for row, base in zip(rows, _CONSENSUS, strict=True):
        if base != "N":
            row["ACGT".index(base)] += rng.integers(60, 90)
    return dict(zip("ACGT", rows.T.tolist(), strict=True))


def motif(quick: bool) -> list[Figure]:
    """Compare the network's 512 filters and head with a single motif, in memory.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    runs, n_bp = (2, 100_000) if quick else (5, 3_000_000)
    region = bundled_region()
    codes = open_bundled().codes(region.chrom, region.start, region.start + n_bp)
    bases = _bases(codes)
    counts = _motif_counts()
    others: dict[str, Callable[[], Callable[[], int]]] = {
        "lightmotif": lambda: lightmotif_scan(counts, bases, thread_count()),
        "MOODS": lambda: moods_scan(counts, bases),
    }
    model = load_model("default")
    ways: dict[str, Callable[[], object]] = {}
    for name, make in others.items():
        try:
            ways[name] = make()
            print_result(f"     motif  {name}: {ways[name]()} hits")
        except Unavailable as error:
            print_result(f"     motif  {error}; left out")
    mine = {name: Scan(model, [PAIR], name == "fast") for name in ("exact", "fast")}
    available = list(ways)
    ways |= {name: partial(scan, codes) for name, scan in mine.items()}
    times = alternate(ways, runs)
    return [
        figure(
            "motif",
            f"rate of a whole network, {name}, relative to one motif by {other}",
            ratios(times[other], times[name]),
            detail=f"{n_bp / 1e6 / statistics.median(times[name]):.2f} Mb/s / "
            f"{n_bp / 1e6 / statistics.median(times[other]):.1f} Mb/s, "
            f"{model.config.n_filters} filters / 1, {n_bp / 1e6} Mb, both strands",
        )
        for other in available
        for name in mine
    ]


def pairs(quick: bool) -> list[Figure]:
    """Report what more pairs cost in the same scan.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    runs, n_bp = (2, 100_000) if quick else (5, 3_000_000)
    region = bundled_region()
    codes = open_bundled().codes(region.chrom, region.start, region.start + n_bp)
    model = load_model("default")
    every = model.vocabulary.all_pairs()
    scans = {str(n): Scan(model, every[:n]) for n in (1, 2, 10, 100)}
    ways = {name: partial(scan, codes) for name, scan in scans.items()}
    times = alternate(ways, runs)
    made = [
        figure(
            "pairs",
            f"time of {n} pairs relative to one, scores only",
            ratios(times[n], times["1"]),
            better="less",
            asked="at most 2" if n == "10" else "",
            detail=f"{n_bp / 1e6} Mb, {statistics.median(times[n]):.3f} s / "
            f"{statistics.median(times['1']):.3f} s",
        )
        for n in ("2", "10", "100")
    ]
    made.append(_all_pairs(codes[: n_bp // 15], 1 if quick else 3))
    whole = Whole(quick)
    named = {n: ";".join(str(pair) for pair in every[:n]) for n in (1, 10)}
    commands = {
        str(n): _Command(whole, "exact", ("--pairs", text)) for n, text in named.items()
    }
    taken = alternate(commands, 1 if quick else 3, warm_up=False)
    made.append(
        figure(
            "pairs",
            "time of 10 pairs relative to one, the whole command with its files",
            ratios(taken["10"], taken["1"]),
            better="less",
            asked="at most 2",
            detail=f"{whole.name}, {statistics.median(taken['10']):.2f} s / "
            f"{statistics.median(taken['1']):.2f} s",
        )
    )
    return made


def _all_pairs(codes: Codes, runs: int) -> Figure:
    """Give the rate of the head where it is all that counts."""
    model = load_model("default")
    every = model.vocabulary.all_pairs()
    scan = Scan(model, every)
    times = alternate({"all": lambda: scan(codes)}, runs)["all"]
    return figure(
        "pairs",
        f"scores of all {len(every):,} pairs at once",
        [codes.size / 1e6 * len(every) / taken for taken in times],
        unit="Mb x pairs/s",
        detail=f"{codes.size / 1e6} Mb, {statistics.median(times):.2f} s",
    )
