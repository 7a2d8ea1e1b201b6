"""From entries to tracks: one name per TF and cell line, one track per pair."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from tfimpute_tracks.aliases import Kind, usual_name
from tfimpute_tracks.downloads.track import DownloadedTrack, Entry, Source
from tfimpute_tracks.evidence import ACCESSIBILITY
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["choose_tracks"]

# What databases write where no TF, or no cell line, is known.
_NOTHING = frozenset(
    (
        *("", "none", "na", "n/a", "unknown", "unclassified", "control", "others"),
        *("input control", "epitope tags", "biotin", "gfp", "igg", "no description"),
    )
)


class _Names:
    """One spelling for each TF, or for each cell line."""

    def __init__(self, spelled: Iterable[str], kind: Kind, known: Vocabulary) -> None:
        counts = Counter(spelled)
        self._names: dict[str, tuple[str, bool]] = {}
        usual: dict[str, str] = {}
        for name, _ in counts.most_common():
            own = known.find_alias(name, kind)
            if own is None and kind == "TF" and name == ACCESSIBILITY:
                own = ACCESSIBILITY
            if own is None:
                # Of an unknown name, case, blanks, - and _ may differ, and no more:
                # T.T and TT are two cell lines.
                shown = _file_name(usual_name(name, kind))
                usual.setdefault(_loose(shown), shown)
                self._names[name] = usual[_loose(shown)], False
            else:
                self._names[name] = own, True

    def __getitem__(self, name: str) -> tuple[str, bool]:
        return self._names[name]


def _loose(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


def _file_name(name: str) -> str:
    """Replace what cannot be part of a file name."""
    return re.sub(r"[^\w.+() -]+", "-", name).strip(" -,")


def choose_tracks(
    sources: Sequence[Source], vocabulary: Vocabulary
) -> tuple[tuple[DownloadedTrack, ...], Counter[str]]:
    """Match names, and choose the entries of each pair.

    Parameters
    ----------
    sources : sequence of Source
    vocabulary : Vocabulary

    Returns
    -------
    tracks : tuple of DownloadedTrack
        Known ones first, then by pair.
    left_out : Counter of str
        Entries that are not used, by reason.
    """
    left_out = sum((source.left_out for source in sources), Counter[str]())
    named = [(s, e) for s in sources for e in s.entries]
    tfs = _Names((e.tf for _, e in named), "TF", vocabulary)
    cells = _Names((e.cell for _, e in named), "cell line", vocabulary)
    found: dict[Pair, dict[str, list[Entry]]] = {}
    known: dict[Pair, tuple[bool, bool]] = {}
    for source, entry in named:
        (tf, tf_known), (cell, cell_known) = tfs[entry.tf], cells[entry.cell]
        for what, name, spelled in (
            ("TF", tf, entry.tf),
            ("cell line", cell, entry.cell),
        ):
            if not name or spelled.strip().lower() in _NOTHING:
                left_out[f"no {what}"] += 1
                break
        else:
            pair = Pair(tf, cell)
            found.setdefault(pair, {}).setdefault(source.kind, []).append(entry)
            known[pair] = tf_known, cell_known
    tracks = []
    for pair, by_kind in found.items():
        chosen = []
        for entries in by_kind.values():
            best = min(entry.rank for entry in entries)
            for entry in entries:
                if entry.rank == best:
                    chosen.append(entry)
                else:
                    left_out[f"{entry.kind}: the pair has better ones"] += 1
        tracks.append(
            DownloadedTrack(pair, *known[pair], tuple(chosen), tuple(by_kind))
        )
    return tuple(sorted(tracks, key=lambda t: (not t.is_known, t.pair))), left_out
