"""A UCSC track hub of a folder of tracks: ``hub.txt``, in one file next to the tracks.

Up to 200 pairs form a composite with a matrix of TFs and cell lines. A matrix becomes
slow with more pairs, so these form a faceted composite, whose tracks are found by their
metadata, and each TF gets a hub of its own with a matrix. All files are named relative to
the folder, which can be copied to any web server that answers range requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.interpret.tf_families import family_of
from tfimpute_tracks.storage import write_text
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.tracks.signals import SIGNALS, SignalKind, shared_axis
from tfimpute_tracks.tracks.track_folder import TrackFolder
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.colors import pair_colors
from tfimpute_tracks.views.hubs.metadata import metadata_table
from tfimpute_tracks.views.hubs.pages import overview_page, tf_page
from tfimpute_tracks.views.hubs.trackdb import (
    LONG_LABEL,
    SHORT_LABEL,
    Setting,
    label,
    rgb,
    stanza,
    subgroup_members,
    subgroup_tags,
    unique_name,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MATRIX_MAX_TRACKS", "HubSettings", "write_hub"]

MATRIX_MAX_TRACKS = 200
"""Maximum number of pairs in a matrix."""
_NAME = "tfimpute"
_PEAKS = "peaks"
_N_VISIBLE = 12  # pairs of a matrix that are shown at first
_MAX_CHECKBOXES = 40  # of a facet
_TF_FOLDER = "by-tf"


@dataclass(frozen=True)
class HubSettings:
    """What a hub needs to know that its folder does not contain.

    Parameters
    ----------
    genome : str
        UCSC name of the assembly, such as `hg19`.
    email : str
        Contact address.
    color_by : {"family", "tf", "cell"}
        Pairs that agree in this have the same color.
    card : CardLookup
        Card of the model that made the tracks.

    Raises
    ------
    UsageError
        The assembly or the address is empty or has white space, or `color_by` is
        unknown.
    """

    genome: str
    email: str
    color_by: str = "family"
    card: CardLookup = field(default_factory=CardLookup)

    def __post_init__(self) -> None:
        for option, value in (("--assembly", self.genome), ("--email", self.email)):
            if not value or re.search(r"\s", value):
                raise UsageError(f"{option} {value!r} is empty or has white space")
        pair_colors([], self.color_by)


def write_hub(folder: TrackFolder, settings: HubSettings) -> list[Path]:
    """Write the hub of a folder.

    Parameters
    ----------
    folder : TrackFolder
    settings : HubSettings

    Returns
    -------
    list of Path
        ``hub.txt`` first, then the description pages, and for more than
        :data:`MATRIX_MAX_TRACKS` pairs the hubs of TFs and ``hub.tsv``.

    Raises
    ------
    WriteError
        The disk is full, or a file cannot be written.
    """
    hub, card = _Hub(folder.tracks, settings), settings.card
    files = {
        "hub.txt": hub.text(folder.tracks, "TF binding", ""),
        "hub.html": overview_page(folder.tracks, card),
    }
    for tf, group in groupby(folder.tracks, key=lambda track: track.pair.tf):
        tracks = list(group)
        page = hub.pages[tf]
        files[f"{page}.html"] = tf_page(tf, tracks, card)
        if not hub.is_matrix:
            files[f"{page}.hub.txt"] = hub.text(tracks, f"{tf} binding", "../")
    if not hub.is_matrix:
        files["hub.tsv"] = metadata_table(folder.tracks, hub.names, card)
    # hub.txt refers to all other files, so it is written last.
    for name, text in reversed(files.items()):
        path = folder.path / name
        path.parent.mkdir(exist_ok=True)
        write_text(path, text)
    return [folder.path / name for name in files]


class _Hub:
    """Names, colors and pages of a hub's tracks, and the text that refers to them."""

    def __init__(self, tracks: list[TrackRecord], settings: HubSettings) -> None:
        self._settings = settings
        pairs = [track.pair for track in tracks]
        self._colors = pair_colors(pairs, settings.color_by)
        self._thresholds = [track.threshold for track in tracks]
        used: set[str] = set()
        self.names: dict[Pair, str] = {
            pair: unique_name(f"{pair.tf}_{pair.cell}", used) for pair in pairs
        }
        self.is_matrix = len(pairs) <= MATRIX_MAX_TRACKS
        tags = subgroup_tags(pair.tf for pair in pairs)
        self.pages = {tf: f"{_TF_FOLDER}/{tag}" for tf, tag in tags.items()}

    def text(self, tracks: list[TrackRecord], title: str, up: str) -> str:
        """Write a hub of some tracks; `up` is the relative path to their folder."""
        labels = [
            ("shortLabel", label(title, SHORT_LABEL)),
            ("longLabel", label(f"{title}, predicted", LONG_LABEL)),
        ]
        lines = [
            *stanza(
                0,
                ("hub", _NAME),
                *labels,
                ("useOneFile", "on"),
                ("email", self._settings.email),
                ("descriptionUrl", f"{up}hub.html"),
            ),
            *stanza(0, ("genome", self._settings.genome)),
        ]
        composite = [
            *labels,
            ("type", "bigWig 0 1"),
            ("visibility", "full"),
            ("html", f"{up}hub"),
        ]
        is_matrix = len(tracks) <= MATRIX_MAX_TRACKS
        write = self._matrix if is_matrix else self._faceted
        return "\n".join([*lines, *write(tracks, composite, up)]) + "\n"

    def _matrix(
        self, tracks: list[TrackRecord], composite: list[Setting], up: str
    ) -> Iterator[str]:
        tfs = subgroup_tags(track.pair.tf for track in tracks)
        cells = subgroup_tags(track.pair.cell for track in tracks)
        families = subgroup_tags(family_of(track.pair.tf) for track in tracks)
        statuses = subgroup_tags(track.status for track in tracks)
        views = _views(tracks)
        members = subgroup_members({title: view for view, title in views.items()})
        yield from stanza(
            0,
            ("track", _NAME),
            ("compositeTrack", "on"),
            *composite,
            ("subGroup1", f"view View {members}"),
            ("subGroup2", f"tf TF {subgroup_members(tfs)}"),
            ("subGroup3", f"cell Cell_line {subgroup_members(cells)}"),
            ("subGroup4", f"status Status {subgroup_members(statuses)}"),
            ("subGroup5", f"family Family {subgroup_members(families)}"),
            ("dimensions", "dimX=cell dimY=tf dimA=status dimB=family"),
            ("filterComposite", "dimA dimB"),
            ("sortOrder", "tf=+ cell=+ view=+"),
            ("dragAndDrop", "subTracks"),
        )
        for view, title in views.items():
            yield from stanza(
                1,
                ("track", f"{_NAME}_{view}"),
                ("parent", _NAME),
                ("view", view),
                ("shortLabel", label(title, SHORT_LABEL)),
                ("longLabel", f"{title} of binding, predicted"),
                ("visibility", "dense" if view == _PEAKS else "full"),
                *self._display(view),
            )
            for i, track in enumerate(tracks):
                if not _file(track, view):
                    continue
                tf, cell = track.pair
                tags = (
                    f"view={view} tf={tfs[tf]} cell={cells[cell]} "
                    f"status={statuses[track.status]} family={families[family_of(tf)]}"
                )
                yield from stanza(
                    2,
                    ("track", f"{self.names[track.pair]}_{view}"),
                    ("parent", f"{_NAME}_{view} {'on' if i < _N_VISIBLE else 'off'}"),
                    ("subGroups", tags),
                    *self._leaf(track, view, up),
                )

    def _faceted(
        self, tracks: list[TrackRecord], composite: list[Setting], up: str
    ) -> Iterator[str]:
        views = _views(tracks)
        yield from stanza(
            0,
            ("track", _NAME),
            ("compositeTrack", "faceted"),
            *composite,
            ("metaDataUrl", f"{up}hub.tsv"),
            ("primaryKey", "id"),
            ("dataTypes", " ".join(f'{v}|"{title}"' for v, title in views.items())),
            ("maxCheckboxes", str(_MAX_CHECKBOXES)),
        )
        for track in tracks:
            for view in views:
                if _file(track, view):
                    yield from stanza(
                        1,
                        ("track", f"{_NAME}_{self.names[track.pair]}_{view}"),
                        ("parent", f"{_NAME} off"),
                        *self._leaf(track, view, up),
                    )

    def _leaf(self, track: TrackRecord, view: str, up: str) -> list[Setting]:
        """Describe one file: a pair's signal or its peaks."""
        tf, cell = track.pair
        title = _PEAKS if view == _PEAKS else _signal(view).label.lower()
        status = track.status
        if track.evidence_weights:
            status += ", with evidence"
        settings = self._display(view)
        if view == "probability":
            settings += [("yLineOnOff", "on"), ("yLineMark", f"{track.threshold:.6g}")]
        return [
            *settings,
            ("bigDataUrl", up + quote(_file(track, view))),
            ("shortLabel", label(f"{tf} {cell}", SHORT_LABEL)),
            ("longLabel", label(f"{tf} in {cell}, {title} ({status})", LONG_LABEL)),
            ("color", rgb(self._colors[track.pair])),
            ("html", up + self.pages[tf]),
        ]

    def _display(self, view: str) -> list[Setting]:
        """List the settings of how a view is drawn."""
        if view == _PEAKS:
            return [("type", "bigNarrowPeak")]
        low, high = shared_axis(_signal(view).name, self._thresholds)
        settings = [
            ("type", f"bigWig {low:g} {high:g}"),
            ("viewLimits", f"{low:g}:{high:g}"),
            ("autoScale", "off"),
            ("maxHeightPixels", "100:32:8"),
        ]
        if low < 0:
            settings += [("alwaysZero", "on"), ("yLineOnOff", "on")]
        function = "mean+whiskers" if low < 0 else "maximum"
        return [*settings, ("windowingFunction", function)]


def _views(tracks: list[TrackRecord]) -> dict[str, str]:
    """Map the kinds of track that exist to their titles."""
    views = {
        kind.column: kind.label
        for name, kind in SIGNALS.items()
        if any(name in track.signals for track in tracks)
    }
    if any(track.bigbed for track in tracks):
        views[_PEAKS] = "Peaks"
    return views


def _signal(view: str) -> SignalKind:
    return next(kind for kind in SIGNALS.values() if kind.column == view)


def _file(track: TrackRecord, view: str) -> str:
    """Find the name of a track's file for a view, empty if it has none."""
    return track.bigbed if view == _PEAKS else track.signals.get(_signal(view).name, "")
