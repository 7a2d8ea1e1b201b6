"""Names of TFs and cell lines: those of the model, and those that users type.

A :class:`Vocabulary` lists TFs and cell lines in the order of the rows of the embedding
matrices. Users may type names in any case, with or without punctuation, or an alias; for
an unknown name the most similar ones are suggested. Which pairs were measured is in the
model card.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import product
from typing import NamedTuple

from tfimpute_tracks.errors import UnknownNameError, UsageError, listed

__all__ = ["Pair", "Vocabulary", "check_name"]

# Other names of proteins than those of ENCODE's uniform peaks. Only unambiguous ones:
# P300 is EP300, but AP-1 is not a single protein.
_TF_ALIASES = {
    "P300": "EP300",
    "NRSF": "REST",
    "POL2": "POLR2A",
    "RNAPII": "POLR2A",
    "PU1": "SPI1",
    "GABP": "GABPA",
    "CMYC": "MYC",
    "CFOS": "FOS",
    "CJUN": "JUN",
    "OCT2": "POU2F2",
    "TR4": "NR2C2",
    "INI1": "SMARCB1",
    "BRG1": "SMARCA4",
    "ERALPHA": "ESR1",
    "GR": "NR3C1",
    "AP2ALPHA": "TFAP2A",
    "AP2GAMMA": "TFAP2C",
    "KAP1": "TRIM28",
    "COREST": "RCOR1",
    "DEC1": "BHLHE40",
}
_CELL_ALIASES = {
    "H1": "H1-hESC",
    "HESC": "H1-hESC",
    "HELA": "HeLa-S3",
    "SKNSH": "SK-N-SH",
    "T47": "T-47D",
}


class Pair(NamedTuple):
    """A TF in a cell line, by the model's names; ``str`` writes ``TF:CELL``."""

    tf: str
    cell: str

    def __str__(self) -> str:
        return f"{self.tf}:{self.cell}"


def check_name(name: str, kind: str) -> None:
    """Refuse a name that tracks and stores could not have in the names of their files.

    Parameters
    ----------
    name : str
    kind : str
        `TF` or `cell line`, for the message.

    Raises
    ------
    UsageError
        The name has a slash or a control character.
    """
    if "/" in name or not name.isprintable():
        raise UsageError(
            f"the {kind} name {name!r} cannot be part of a file name; write it without "
            "slashes and control characters, such as "
            f"{re.sub(r'[^A-Za-z0-9.-]+', '-', name)!r}"
        )


def _key(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())


@dataclass(frozen=True)
class Vocabulary:
    """TFs and cell lines in the order of the embedding rows.

    Parameters
    ----------
    tfs, cells : sequence of str
        Unique names.

    Raises
    ------
    UsageError
        A name is duplicate, or cannot be part of a file name.
    """

    tfs: tuple[str, ...]
    cells: tuple[str, ...]

    def __init__(self, tfs: Sequence[str], cells: Sequence[str]) -> None:
        for kind, names in (("TF", tfs), ("cell line", cells)):
            for name in names:
                check_name(name, kind)
            if len(set(names)) != len(names):
                twice = sorted({name for name in names if list(names).count(name) > 1})
                raise UsageError(
                    f"duplicate {kind} names: {listed(twice)}; use each name once"
                )
        object.__setattr__(self, "tfs", tuple(tfs))
        object.__setattr__(self, "cells", tuple(cells))

    @cached_property
    def _tf_keys(self) -> dict[str, str]:
        return _keys(self.tfs, _TF_ALIASES)

    @cached_property
    def _cell_keys(self) -> dict[str, str]:
        return _keys(self.cells, _CELL_ALIASES)

    @cached_property
    def _tf_index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.tfs)}

    @cached_property
    def _cell_index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.cells)}

    def tf(self, name: str) -> str:
        """Find the model's name of a TF.

        Parameters
        ----------
        name : str
            In any case, with or without punctuation, or an alias.

        Returns
        -------
        str

        Raises
        ------
        UnknownNameError
            With the most similar names.
        """
        return _find(name, self.tfs, self._tf_keys, "TF")

    def cell(self, name: str) -> str:
        """Find the model's name of a cell line; see :meth:`tf`.

        Parameters
        ----------
        name : str

        Returns
        -------
        str

        Raises
        ------
        UnknownNameError
            With the most similar names.
        """
        return _find(name, self.cells, self._cell_keys, "cell line")

    def pair(self, pair: str | tuple[str, str]) -> Pair:
        """Find the model's names of a pair.

        Parameters
        ----------
        pair : str "TF:CELL" or (tf, cell)

        Returns
        -------
        Pair

        Raises
        ------
        UsageError
            The text is not of the form TF:CELL.
        UnknownNameError
            A name is unknown.
        """
        if isinstance(pair, str):
            tf, separator, cell = pair.partition(":")
            if not (separator and tf.strip() and cell.strip()):
                raise UsageError(
                    f"pair {pair!r} is not of the form TF:CELL; write e.g. CTCF:K562"
                )
        else:
            tf, cell = pair
        return Pair(self.tf(tf), self.cell(cell))

    def pair_indices(
        self, pairs: Iterable[str | tuple[str, str]]
    ) -> list[tuple[int, int]]:
        """Find the embedding rows of pairs.

        Parameters
        ----------
        pairs : iterable of "TF:CELL" or (tf, cell)

        Returns
        -------
        list of (TF row, cell-line row)

        Raises
        ------
        UsageError, UnknownNameError
            As :meth:`pair`.
        """
        named = [self.pair(pair) for pair in pairs]
        return [(self._tf_index[tf], self._cell_index[cell]) for tf, cell in named]

    def all_pairs(self) -> list[Pair]:
        """List every combination, cell lines varying fastest.

        Returns
        -------
        list of Pair, length n_tfs * n_cells
        """
        return [Pair(tf, cell) for tf, cell in product(self.tfs, self.cells)]


def _keys(names: tuple[str, ...], aliases: dict[str, str]) -> dict[str, str]:
    known = set(names)
    keys = {_key(alias): name for alias, name in aliases.items() if name in known}
    bare = [_key(name) for name in names]
    # A name that equals another one without punctuation is found only as it is
    # written, and a name takes precedence over an alias.
    keys |= {
        key: name for key, name in zip(bare, names, strict=True) if bare.count(key) == 1
    }
    return keys


def _find(name: str, names: tuple[str, ...], keys: dict[str, str], kind: str) -> str:
    typed = name.strip()
    if typed in names:
        return typed
    folded = [known for known in names if known.casefold() == typed.casefold()]
    if len(folded) == 1:
        return folded[0]
    if _key(typed) in keys:
        return keys[_key(typed)]
    close = [keys[key] for key in get_close_matches(_key(typed), keys, 4, 0.6)]
    hint = (
        f"did you mean {', '.join(dict.fromkeys(close))}?"
        if close
        else f"known: {', '.join(names[:6])}, ..."
    )
    raise UnknownNameError(
        f"unknown {kind} {typed!r}; {hint} "
        f"`tfimpute-tracks info {'tfs' if kind == 'TF' else 'cells'}` lists all"
        f" {len(names)}"
    )
