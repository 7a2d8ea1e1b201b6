"""A UCSC track hub over a folder of tracks: ``hub.txt`` beside them, in one file.

Up to 200 pairs make a matrix, TF x cell line, of signals and peaks. More make a faceted
composite, whose pairs are found by their metadata, for a matrix grows slow beyond some
hundreds; beside it each TF gets a hub of its own with a matrix of its cell lines. All
is named relative to the folder, which can be put on any web server that answers range
requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.interpret.tf_families import family_of
from tfimpute_tracks.storage import write_text
from tfimpute_tracks.tracks.signals import SIGNALS
from tfimpute_tracks.tracks.track_folder import TrackFolder, TrackRecord
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.colors import pair_colors
from tfimpute_tracks.views.hubs.metadata import metadata_table
from tfimpute_tracks.views.hubs.pages import overview_page, tf_page
from tfimpute_tracks.views.hubs.trackdb import (
    LONG,
    SHORT,
    choices,
    label,
    rgb,
    stanza,
    tags,
    unique_name,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MATRIX_MAX_TRACKS", "HubSettings", "write_hub"]

MATRIX_MAX_TRACKS = 200
"""Pairs of a matrix; more make a faceted composite."""
_NAME = "tfimpute"
_PEAKS = "peaks"
_SHOWN = 12  # pairs of a matrix that are drawn before somebody chooses
_CHECKBOXES = 40  # of a facet that are shown at once
_OF_A_TF = "by-tf"


@dataclass(frozen=True)
class HubSettings:
    """What the folder does not tell.

    Parameters
    ----------
    genome : str
        UCSC's name of the assembly, such as `hg19`.
    email : str
        Whom to ask about the hub.
    color_by : str
        Of :data:`tfimpute_tracks.views.hubs.colors.COLOR_BY`.
    knowledge : Knowledge
        What is known of the model.

    Raises
    ------
    UsageError
        The assembly's name or the address has white space, or colors are to stand for
        something unknown.
    """

    genome: str
    email: str
    color_by: str = "family"
    knowledge: CardLookup = field(default_factory=CardLookup)

    def __post_init__(self) -> None:
        for what in (self.genome, self.email):
            if not what or re.search(r"\s", what):
                raise UsageError(f"{what!r} in a hub; give a name without white space")
        pair_colors([], self.color_by)


def write_hub(shelf: TrackFolder, settings: HubSettings) -> list[Path]:
    """Write the hub of a folder.

    Parameters
    ----------
    shelf : Shelf
    settings : HubSettings

    Returns
    -------
    list of Path
        ``hub.txt`` first; pages of description, and for many pairs ``hub.tsv`` and the
        hubs of TFs.

    Raises
    ------
    UsageError
        Colors are to stand for something unknown.
    WriteError
        The disk is full, or a file cannot be written.
    """
    made = _Hub(shelf, settings)
    folder, files = shelf.folder, {}
    files["hub.txt"] = made.text(shelf.tracks, "TF binding", "")
    files["hub.html"] = overview_page(shelf.tracks, settings.knowledge)
    by_tf = groupby(shelf.tracks, key=lambda track: track.pair.tf)
    for tf, group in by_tf:
        tracks = list(group)
        page = made.pages[tf]
        files[f"{page}.html"] = tf_page(tf, tracks, settings.knowledge)
        if not made.is_matrix:
            name = f"{_OF_A_TF}/{Path(page).name}.hub.txt"
            files[name] = made.text(tracks, f"{tf} binding", "../")
    if not made.is_matrix:
        files["hub.tsv"] = metadata_table(shelf.tracks, made.keys, settings.knowledge)
    # Pages and tables before the text that names them.
    for name, text in reversed(files.items()):
        (folder / name).parent.mkdir(exist_ok=True)
        write_text(folder / name, text)
    return [folder / name for name in files]


class _Hub:
    """Names and colors of a hub's tracks, and the text made with them."""

    def __init__(self, shelf: TrackFolder, settings: HubSettings) -> None:
        self._settings = settings
        pairs = [track.pair for track in shelf.tracks]
        self._colors = pair_colors(pairs, settings.color_by)
        taken: set[str] = set()
        self.keys: dict[Pair, str] = {
            pair: unique_name(f"{pair.tf}_{pair.cell}", taken) for pair in pairs
        }
        self.is_matrix = len(pairs) <= MATRIX_MAX_TRACKS
        tfs = tags(pair.tf for pair in pairs)
        self.pages = {tf: f"{_OF_A_TF}/{tag}" for tf, tag in tfs.items()}

    def text(self, tracks: list[TrackRecord], title: str, up: str) -> str:
        """Write a hub of some of the tracks; `up` leads to their folder."""
        head = [
            f"hub {_NAME}",
            f"shortLabel {label(title, SHORT)}",
            f"longLabel {label(f'{title}, predicted', LONG)}",
            "useOneFile on",
            f"email {self._settings.email}",
            f"descriptionUrl {up}hub.html",
            "",
            f"genome {self._settings.genome}",
            "",
        ]
        write = self._matrix if len(tracks) <= MATRIX_MAX_TRACKS else self._faceted
        return "\n".join([*head, *write(tracks, title, up)]) + "\n"

    def _matrix(self, tracks: list[TrackRecord], title: str, up: str) -> Iterator[str]:
        tfs = tags(track.pair.tf for track in tracks)
        cells = tags(track.pair.cell for track in tracks)
        families = tags(family_of(track.pair.tf) for track in tracks)
        known = tags(track.status for track in tracks)
        views = self._views(tracks)
        yield from stanza(
            0,
            *_parent("on", title, up),
            ("subGroup1", f"view View {choices(dict(_swapped(views)))}"),
            ("subGroup2", f"tf TF {choices(tfs)}"),
            ("subGroup3", f"cell Cell_line {choices(cells)}"),
            ("subGroup4", f"known Known_as {choices(known)}"),
            ("subGroup5", f"family Family {choices(families)}"),
            ("dimensions", "dimX=cell dimY=tf dimA=known dimB=family"),
            ("filterComposite", "dimA dimB"),
            ("sortOrder", "tf=+ cell=+ view=+"),
            ("dragAndDrop", "subTracks"),
        )
        for view, title_of_view in views.items():
            yield from stanza(
                1,
                ("track", f"{_NAME}_{view}"),
                ("parent", _NAME),
                ("view", view),
                ("shortLabel", label(title_of_view, SHORT)),
                ("longLabel", f"{title_of_view} of binding, predicted"),
                ("visibility", "dense" if view == _PEAKS else "full"),
                *_drawn(view),
            )
            for place, track in enumerate(tracks):
                if _file(track, view):
                    tf, cell = track.pair
                    groups = (
                        f"view={view} tf={tfs[tf]} cell={cells[cell]} "
                        f"known={known[track.status]} "
                        f"family={families[family_of(tf)]}"
                    )
                    yield from stanza(
                        2,
                        ("track", f"{self.keys[track.pair]}_{view}"),
                        (
                            "parent",
                            f"{_NAME}_{view} {'off' if place >= _SHOWN else 'on'}",
                        ),
                        ("subGroups", groups),
                        *self._leaf(track, view, up),
                    )

    def _faceted(self, tracks: list[TrackRecord], title: str, up: str) -> Iterator[str]:
        views = self._views(tracks)
        yield from stanza(
            0,
            *_parent("faceted", title, up),
            ("metaDataUrl", f"{up}hub.tsv"),
            ("primaryKey", "id"),
            ("dataTypes", " ".join(f'{v}|"{name}"' for v, name in views.items())),
            ("maxCheckboxes", str(_CHECKBOXES)),
        )
        for track in tracks:
            for view in views:
                if _file(track, view):
                    yield from stanza(
                        1,
                        ("track", f"{_NAME}_{self.keys[track.pair]}_{view}"),
                        ("parent", f"{_NAME} off"),
                        *self._leaf(track, view, up),
                    )

    def _leaf(
        self, track: TrackRecord, view: str, up: str
    ) -> Iterator[tuple[str, str]]:
        tf, cell = track.pair
        what = _PEAKS if view == _PEAKS else SIGNALS[_signal(view)].label.lower()
        yield from _drawn(view)
        yield "bigDataUrl", up + quote(_file(track, view))
        yield "shortLabel", label(f"{tf} {cell}", SHORT)
        known = track.status
        if track.evidence_weights:
            known += ", by measured tracks too"
        yield "longLabel", label(f"{tf} in {cell}, {what} ({known})", LONG)
        yield "color", rgb(self._colors[track.pair])
        yield "html", up + self.pages[tf]

    @staticmethod
    def _views(tracks: list[TrackRecord]) -> dict[str, str]:
        """Give the kinds of track there are, with their titles."""
        views = {
            kind.column: kind.label
            for name, kind in SIGNALS.items()
            if any(name in track.signals for track in tracks)
        }
        if any(track.bigbed for track in tracks):
            views[_PEAKS] = "Peaks"
        return views


def _swapped(views: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for view, title in views.items():
        yield title, view


def _signal(view: str) -> str:
    return view.replace("_", "-")


def _file(track: TrackRecord, view: str) -> str:
    """Give the name of a track's file for a view, empty where it has none."""
    if view == _PEAKS:
        return track.bigbed
    return track.signals.get(_signal(view), "")


def _parent(kind: str, title: str, up: str) -> list[tuple[str, str]]:
    return [
        ("track", _NAME),
        ("compositeTrack", kind),
        ("shortLabel", label(title, SHORT)),
        ("longLabel", label(f"{title}, predicted", LONG)),
        ("type", "bigWig 0 1"),
        ("visibility", "full"),
        ("html", f"{up}hub"),
    ]


def _drawn(view: str) -> Iterator[tuple[str, str]]:
    """Give the settings by which a view is drawn."""
    if view == _PEAKS:
        yield "type", "bigNarrowPeak"
        return
    low, high = SIGNALS[_signal(view)].limits
    yield "type", f"bigWig {low:g} {high:g}"
    yield "viewLimits", f"{low:g}:{high:g}"
    yield "autoScale", "off"
    yield "maxHeightPixels", "100:32:8"
    if low < 0:
        yield "alwaysZero", "on"
        yield "yLineOnOff", "on"
        yield "windowingFunction", "mean+whiskers"
    else:
        yield "windowingFunction", "maximum"
