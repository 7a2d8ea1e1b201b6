"""Pairs as people write them: names, texts, tables, and whole rows of the matrix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from tfimpute_tracks.errors import InputFileError, UsageError, shown
from tfimpute_tracks.storage.input_paths import is_folder, is_input
from tfimpute_tracks.storage.table import read_lines
from tfimpute_tracks.vocabulary import Pair, Vocabulary

if TYPE_CHECKING:
    from tfimpute_tracks.models.model import Model

__all__ = ["Pairs", "choose_many_pairs", "choose_pairs", "read_pairs"]

Pairs = str | Path | Iterable[str | tuple[str, str]]
"""Pairs as users write them, for :func:`read_pairs`."""


def choose_pairs(
    vocabulary: Vocabulary, tf: str | None, cell: str | None, pairs: Pairs | None
) -> list[Pair]:
    """Read the pairs named by --tf and --cell, or by --pairs.

    Parameters
    ----------
    vocabulary : Vocabulary
    tf, cell : str, optional
        One pair.
    pairs : optional
        As for :func:`read_pairs`.

    Returns
    -------
    list of Pair
        In the order of the input, without duplicates.

    Raises
    ------
    UsageError
        Both ways or neither are used, or a pair is malformed.
    UnknownNameError
        A name is unknown.
    InputFileError
        The file cannot be read.
    """
    if pairs is None:
        if not (tf and cell):
            missing = "--cell" if tf else "--tf"
            raise UsageError(
                f"{missing} is missing; use --tf NAME and --cell NAME, or --pairs; "
                "`tfimpute-tracks info tfs` and `info cells` list the names"
            )
        return [Pair(vocabulary.tf(tf), vocabulary.cell(cell))]
    if tf or cell:
        raise UsageError("use --tf and --cell, or --pairs, not both")
    return read_pairs(vocabulary, pairs)


def read_pairs(vocabulary: Vocabulary, pairs: Pairs) -> list[Pair]:
    """Read pairs as people write them.

    Parameters
    ----------
    vocabulary : Vocabulary
    pairs : str, Path, DataFrame, or iterable of "TF:CELL" or (tf, cell)
        A text is "TF:CELL;TF:CELL", or the path of a table of TFs and cell lines. A
        DataFrame has the columns tf and cell. A tuple of two names without a colon is
        one pair.

    Returns
    -------
    list of Pair
        In the order of the input, without duplicates.

    Raises
    ------
    UsageError
        Pairs are missing, or one is malformed.
    UnknownNameError
        A name is unknown.
    InputFileError
        The file cannot be read.
    """
    written: list[str | tuple[str, str]]
    if isinstance(pairs, Path):
        written = [*_pairs_in_file(pairs)]
    elif isinstance(pairs, str):
        texts = re.split("[;,]", pairs)
        is_there = is_input(Path(pairs)) or is_folder(Path(pairs))
        if is_there or Path(pairs).suffix in {".tsv", ".txt", ".csv"}:
            texts = _pairs_in_file(Path(pairs))
        written = [text.strip() for text in texts if text.strip()]
    elif _is_one_pair(pairs):
        written = [pairs]
    elif hasattr(pairs, "columns"):
        written = _pairs_of_frame(pairs)
    else:
        given: object = pairs  # whatever a caller without a type checker passes
        written = list(given) if isinstance(given, Iterable) else []
    chosen = [vocabulary.pair(pair) for pair in written]
    if not chosen:
        raise UsageError(f'no pair in {shown(pairs)}; write e.g. "CTCF:K562"')
    return list(dict.fromkeys(chosen))


def _pairs_of_frame(table: Any) -> list[str | tuple[str, str]]:
    missing = [name for name in ("tf", "cell") if name not in table.columns]
    if missing:
        raise UsageError(f"the table of pairs has no column {missing[0]!r}")
    return list(zip(table["tf"], table["cell"], strict=True))


def _is_one_pair(pairs: object) -> TypeGuard[tuple[str, str]]:
    """Discriminate ("CTCF", "K562") from ("CTCF:K562", "MAX:HepG2")."""
    return (
        isinstance(pairs, tuple)
        and len(pairs) == 2
        and all(isinstance(name, str) and ":" not in name for name in pairs)
    )


def choose_many_pairs(
    model: Model,
    missing: bool,
    every: bool,
    named: tuple[str | None, str | None, Pairs | None],
) -> list[Pair]:
    """Read the pairs of a run over many of them.

    Parameters
    ----------
    model : Model
    missing : bool
        All unmeasured pairs.
    every : bool
        All pairs.
    named : (tf, cell, pairs)
        As for :func:`choose_pairs`. A TF or a cell line alone means all its pairs, or
        with `missing` its unmeasured pairs.

    Returns
    -------
    list of Pair

    Raises
    ------
    UsageError
        No pairs are named, or in two ways.
    UnknownNameError, InputFileError
        As :func:`choose_pairs`.
    """
    tf, cell, pairs = named
    if missing and every:
        raise UsageError("use --missing or --all, not both")
    if pairs is not None or (tf and cell):
        if missing or every:
            raise UsageError("use --pairs, or --missing or --all, not both")
        return choose_pairs(model.vocabulary, tf, cell, pairs)
    if not (missing or every or tf or cell):
        raise UsageError(
            "no pairs; use --missing (all unmeasured pairs), --all, --tf or --cell (all "
            "their pairs), or --pairs"
        )
    return [
        pair
        for pair in model.vocabulary.all_pairs(tf, cell)
        if not (missing and pair in model.measured_pairs)
    ]


def _pairs_in_file(path: Path) -> list[str]:
    pairs: list[str] = []
    for number, line in read_lines(path, "pairs file"):
        fields = [field.strip() for field in re.split("[:\t]", line)]
        bare = [field.lstrip("# ").lower() for field in fields[:2]]
        is_header = not pairs and bare == ["tf", "cell"]
        if is_header or not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(fields) < 2:
            raise InputFileError(
                f"{path}:{number}: {line.strip()!r} is not a pair; write a TF and a cell "
                "line, tab-separated"
            )
        pairs.append(f"{fields[0]}:{fields[1]}")
    return pairs
