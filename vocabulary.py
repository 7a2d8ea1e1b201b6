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

from tfimpute_tracks.aliases import Kind, find_names, name_key
from tfimpute_tracks.errors import UnknownNameError, UsageError, listed, shown

__all__ = ["Pair", "Vocabulary", "check_name"]

_FEW = 6  # names that a message lists

# Who types a parent line, or part of a name, means the only line of its kind that a
# vocabulary has. Data of a parent line are not data of its clone: see `find_alias`.
_TYPED_CELLS = {"HELA": "HeLa-S3", "HESC": "H1-hESC", "T47": "T-47D"}


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
        return _keys(self.tfs)

    @cached_property
    def _cell_keys(self) -> dict[str, str]:
        return _keys(self.cells)

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
        return self._find(name, "TF", {})

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
        return self._find(name, "cell line", _TYPED_CELLS)

    def find_alias(self, name: str, kind: Kind) -> str | None:
        """Find the model's name of what a database calls by another name.

        Stricter than :meth:`tf` and :meth:`cell`, which serve people who type: only
        names that mean the same TF or cell line count. HeLa is not HeLa-S3.

        Parameters
        ----------
        name : str
            As a database spells it.
        kind : {"TF", "cell line"}

        Returns
        -------
        str or None
            None if the vocabulary does not have it.
        """
        names, keys = self._names(kind)
        typed = name.strip()
        if typed in names:
            return typed
        folded = [known for known in names if known.casefold() == typed.casefold()]
        if len(folded) == 1:
            return folded[0]
        others = find_names(typed, kind)
        found = [keys[key] for key in map(name_key, (typed, *others)) if key in keys]
        return found[0] if found else None

    def _names(self, kind: Kind) -> tuple[tuple[str, ...], dict[str, str]]:
        """Names of a kind, and which of them has a key."""
        if kind == "TF":
            return self.tfs, self._tf_keys
        return self.cells, self._cell_keys

    def _find(self, name: str, kind: Kind, typed: dict[str, str]) -> str:
        """Find a name that was typed, or raise an error with similar ones."""
        name = str(name)
        names, keys = self._names(kind)
        known = self.find_alias(name, kind) or typed.get(name_key(name))
        if known in names:
            return known
        near = get_close_matches(name_key(name), keys, 4, 0.6)
        close = dict.fromkeys(keys[key] for key in near)
        hint = f"did you mean {', '.join(close)}?" if close else ""
        if len(names) <= _FEW:
            hint = f"{hint} known: {', '.join(names)}"
        else:
            hint = hint or f"known: {listed(names, _FEW)};"
            verb = f"info {'tfs' if kind == 'TF' else 'cells'}"
            hint += (
                f" `tfimpute-tracks {verb}` lists those of a model, and `extend` adds your "
                "own"
            )
        if "," in name:
            hint += '; name one, or several pairs as --pairs "TF:CELL;TF:CELL"'
        raise UnknownNameError(f"unknown {kind} {name.strip()!r}; {hint.lstrip()}")

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
        if isinstance(pair, Pair) and self._has(pair):  # as nearly all: it stays short
            return pair
        if isinstance(pair, str):
            tf, separator, cell = pair.partition(":")
            if not (separator and tf.strip() and cell.strip()):
                raise _not_a_pair(pair)
        else:
            try:
                tf, cell = map(str.strip, pair)
            except (TypeError, ValueError):
                raise _not_a_pair(pair) from None
        return Pair(self.tf(tf), self.cell(cell))

    def _has(self, pair: Pair) -> bool:
        return pair.tf in self._tf_index and pair.cell in self._cell_index

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

    def all_pairs(self, tf: str | None = None, cell: str | None = None) -> list[Pair]:
        """List every combination, cell lines varying fastest.

        Parameters
        ----------
        tf, cell : str, optional
            Only pairs of these.

        Returns
        -------
        list of Pair
            n_tfs * n_cells of them, if none is named.

        Raises
        ------
        UnknownNameError
            A name is unknown.
        """
        tfs = (self.tf(tf),) if tf else self.tfs
        cells = (self.cell(cell),) if cell else self.cells
        return [Pair(*names) for names in product(tfs, cells)]


def _not_a_pair(pair: object) -> UsageError:
    return UsageError(
        f"pair {shown(pair)} is not of the form TF:CELL; write e.g. CTCF:K562"
    )


def _keys(names: tuple[str, ...]) -> dict[str, str]:
    bare = [name_key(name) for name in names]
    # A name that equals another one without punctuation is found only as it is written.
    return {
        key: name for key, name in zip(bare, names, strict=True) if bare.count(key) == 1
    }
