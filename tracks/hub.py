"""A UCSC track hub over a folder of tracks: ``hub.txt`` beside them, in one file.

Up to 200 pairs make a matrix, TF x cell line, of signal and peaks; more make a faceted
composite, whose pairs are found by their metadata, for a matrix grows slow beyond some
hundreds. What each track is stands in its receipt. Everything is named relative to the
folder, which can be put on any web server that answers range requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.storage import read_receipt, write_text
from tfimpute_tracks.vocabulary import Pair

__all__ = ["HubTrack", "find_tracks", "write_hub"]

MATRIX_MOST = 200
_NAME = "tfimpute"
# Limits of UCSC's documentation, in letters.
_SHORT, _LONG = 17, 76
# Okabe and Ito's colours, told apart by the colour-blind; without yellow and black.
_COLOURS = ("0,114,178", "213,94,0", "0,158,115", "204,121,167", "86,180,233")


@dataclass(frozen=True)
class HubTrack:
    """The files of a pair.

    Attributes
    ----------
    pair : Pair
    key : str
        Its name in the hub: letters, digits and `_`.
    reliability : str
        `seen` or `imputed`.
    threshold : float
    n_peaks : int
    signal, peaks : str
        Names of the bigWig and the bigBed; empty where there is none.
    """

    pair: Pair
    key: str
    reliability: str
    threshold: float
    n_peaks: int
    signal: str
    peaks: str


def find_tracks(folder: Path) -> list[HubTrack]:
    """Find what `scan` or `export` wrote, by its receipts.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of HubTrack
        By TF and cell line; pairs without bigWig and bigBed are left out.

    Raises
    ------
    InputFileError
        There is no such track, or a receipt cannot be read.
    """
    tracks: list[HubTrack] = []
    keys: set[str] = set()
    for path in sorted(folder.glob("*.receipt.json")):
        receipt = read_receipt(path)
        told = receipt.parameters
        tf, _, cell = str(told.get("pair", "")).partition(":")
        names = {Path(output.name).suffix: output.name for output in receipt.outputs}
        signal, peaks = names.get(".bw", ""), names.get(".bb", "")
        there = all((folder / name).exists() for name in (signal, peaks) if name)
        if not (cell and there and (signal or peaks)):
            continue
        key = _unique(f"{tf}_{cell}", keys)
        tracks.append(
            HubTrack(
                Pair(tf, cell),
                key,
                str(told.get("reliability", "")),
                float(str(told.get("threshold") or 0)),
                int(str(told.get("peaks", 0))),
                signal,
                peaks,
            )
        )
    if not tracks:
        raise InputFileError(
            f"{folder} holds no bigWig or bigBed with a receipt; give a folder that "
            "`scan` or `export` wrote"
        )
    return sorted(tracks, key=lambda track: track.pair)


def write_hub(
    folder: Path, tracks: list[HubTrack], genome: str, email: str
) -> list[Path]:
    """Write the hub of a folder.

    Parameters
    ----------
    folder : Path
        Of the tracks.
    tracks : list of HubTrack
        From :func:`find_tracks`.
    genome : str
        UCSC's name of the assembly, such as `hg19`.
    email : str
        Whom to ask about the hub.

    Returns
    -------
    list of Path
        ``hub.txt``, ``hub.html``, and ``hub.tsv`` of a faceted composite.

    Raises
    ------
    UsageError
        The assembly's name or the address has white space.
    WriteError
        The disk is full, or a file cannot be written.
    """
    for what in (genome, email):
        if not what or re.search(r"\s", what):
            raise UsageError(f"{what!r} in a hub; give a name without white space")
    head = [
        f"hub {_NAME}",
        "shortLabel TF binding",
        "longLabel Transcription factor binding predicted from sequence",
        "useOneFile on",
        f"email {email}",
        "",
        f"genome {genome}",
        "",
    ]
    is_matrix = len(tracks) <= MATRIX_MOST
    body = list(_matrix(tracks) if is_matrix else _faceted(tracks))
    files = [folder / "hub.txt", folder / "hub.html"]
    if not is_matrix:
        files.append(folder / "hub.tsv")
        write_text(files[-1], _metadata(tracks))
    write_text(files[1], _description(tracks))
    write_text(files[0], "\n".join([*head, *body]) + "\n")
    return files


def _matrix(tracks: list[HubTrack]) -> Iterator[str]:
    tfs = _tags(track.pair.tf for track in tracks)
    cells = _tags(track.pair.cell for track in tracks)
    yield from _stanza(
        0,
        _parent("on"),
        ("subGroup1", "view View signal=Probability peaks=Peaks"),
        ("subGroup2", f"tf TF {_choices(tfs)}"),
        ("subGroup3", f"cell Cell_line {_choices(cells)}"),
        ("subGroup4", "known Known_as seen=seen imputed=imputed"),
        ("dimensions", "dimX=cell dimY=tf dimA=known"),
        ("filterComposite", "dimA"),
        ("sortOrder", "tf=+ cell=+ view=+"),
    )
    views = (("signal", "Probability", _SIGNAL), ("peaks", "Peaks", _PEAKS))
    for view, label, settings in views:
        yield from _stanza(
            1,
            [("track", f"{_NAME}_{view}"), ("parent", _NAME), ("view", view)],
            ("shortLabel", label),
            ("longLabel", f"{label} of binding, predicted from sequence"),
            ("visibility", "full" if view == "signal" else "dense"),
            *settings,
        )
        for track in tracks:
            if getattr(track, view):
                groups = (
                    f"view={view} tf={tfs[track.pair.tf]} "
                    f"cell={cells[track.pair.cell]} known={track.reliability}"
                )
                yield from _stanza(
                    2,
                    [
                        ("track", f"{track.key}_{view}"),
                        ("parent", f"{_NAME}_{view} on"),
                    ],
                    ("subGroups", groups),
                    *_leaf(track, view, list(tfs)),
                )


def _faceted(tracks: list[HubTrack]) -> Iterator[str]:
    tfs = sorted({track.pair.tf for track in tracks})
    yield from _stanza(
        0,
        _parent("faceted"),
        ("metaDataUrl", "hub.tsv"),
        ("primaryKey", "id"),
        ("dataTypes", 'signal|"Probability" peaks|"Peaks"'),
        ("maxCheckboxes", "40"),
    )
    for track in tracks:
        for view in ("signal", "peaks"):
            if getattr(track, view):
                name = f"{_NAME}_{track.key}_{view}"
                head = [("track", name), ("parent", f"{_NAME} off")]
                yield from _stanza(1, head, *_leaf(track, view, tfs))


_SIGNAL = (
    ("type", "bigWig 0 1"),
    ("viewLimits", "0:1"),
    ("autoScale", "off"),
    ("maxHeightPixels", "100:32:8"),
    ("windowingFunction", "maximum"),
)
_PEAKS = (("type", "bigNarrowPeak"),)


def _parent(kind: str) -> list[tuple[str, str]]:
    return [
        ("track", _NAME),
        ("compositeTrack", kind),
        ("shortLabel", "TF binding"),
        ("longLabel", "Transcription factor binding predicted from sequence"),
        ("type", "bigWig 0 1"),
        ("visibility", "full"),
        ("html", "hub"),
    ]


def _leaf(track: HubTrack, view: str, tfs: list[str]) -> Iterator[tuple[str, str]]:
    tf, cell = track.pair
    what = "probability" if view == "signal" else "peaks"
    yield from _SIGNAL if view == "signal" else _PEAKS
    yield "bigDataUrl", getattr(track, view)
    yield "shortLabel", f"{tf} {cell}"[:_SHORT].rstrip()
    yield "longLabel", f"{tf} in {cell}, {what} ({track.reliability} pair)"[:_LONG]
    yield "color", _COLOURS[tfs.index(tf) % len(_COLOURS)]


def _stanza(
    depth: int, head: list[tuple[str, str]], *settings: tuple[str, str]
) -> Iterator[str]:
    for name, value in [*head, *settings]:
        yield f"{'    ' * depth}{name} {value}"
    yield ""


def _metadata(tracks: list[HubTrack]) -> str:
    rows = ["id\ttf\tcell\tknown_as\t_threshold\t_peaks"]
    rows += [
        f"{t.key}\t{t.pair.tf}\t{t.pair.cell}\t{t.reliability}\t{t.threshold:.4f}\t"
        f"{t.n_peaks}"
        for t in tracks
    ]
    return "\n".join(rows) + "\n"


def _description(tracks: list[HubTrack]) -> str:
    n_imputed = sum(track.reliability == "imputed" for track in tracks)
    rows = "".join(
        f"<tr><td>{escape(t.pair.tf)}</td><td>{escape(t.pair.cell)}</td>"
        f"<td>{escape(t.reliability)}</td><td>{t.threshold:.4f}</td>"
        f"<td>{t.n_peaks:,}</td></tr>\n"
        for t in tracks[:MATRIX_MOST]
    )
    return f"""<h2>What is shown</h2>
<p>The probability that a transcription factor binds a place in a cell line, predicted
from the DNA sequence alone by TFImpute (Qin and Feng, PLoS Comput Biol 2017,
doi:10.1371/journal.pcbi.1005403). Of {len(tracks):,} pairs of factor and cell line
{n_imputed:,} were never measured (<i>imputed</i>); of the others the model has seen
measured sites.</p>
<h2>How to read it</h2>
<p>Bound and unbound sites had the same weight in training, so 0.5 does not mean that
half of such places are bound: most are not. Compare places within one track. Peaks are
tiles at or above the threshold of the pair, given below. No value is drawn where the
sequence is unknown.</p>
<table><tr><th>TF</th><th>cell line</th><th>known as</th><th>threshold</th>
<th>peaks</th></tr>
{rows}</table>
"""


def _tags(names: Iterable[str]) -> dict[str, str]:
    """Give each name, in their order, letters that a subgroup's tag may have."""
    taken: set[str] = set()
    return {name: _unique(name, taken) for name in sorted(set(names))}


def _choices(tags: Mapping[str, str]) -> str:
    return " ".join(f"{tag}={name.replace(' ', '_')}" for name, tag in tags.items())


def _unique(name: str, taken: set[str]) -> str:
    """Give a name of letters, digits and `_` that was not given before."""
    name = re.sub(r"\W", "_", name, flags=re.ASCII)
    name = name if name[0].isalpha() else f"x{name}"
    key, number = name, 1
    while key in taken:
        number += 1
        key = f"{name}_{number}"
    taken.add(key)
    return key
