"""Numbers, names and sentences that a run put out, by key; and lines of output."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record_steps import RENAMED, UNSTEADY

_NAME = re.compile(r"[\w.@-]+")


class Recording:
    """Numbers, names and sentences by key."""

    def __init__(self) -> None:
        self.numbers: dict[str, NDArray[Any]] = {}
        self.names: dict[str, Any] = {}
        self.wording: dict[str, str] = {}

    def number(self, key: str, value: Any) -> None:
        """Keep an array, or anything numpy makes one of."""
        self.numbers[renamed(key)] = np.asarray(value)

    def text(self, key: str, value: str) -> None:
        """Keep a text: a name if it is one word, else a sentence."""
        value = scrubbed(value)
        if re.search(r"\s", value.strip()):
            self.wording[renamed(key)] = value
        else:
            self.names[renamed(key)] = value

    def column(self, key: str, values: list[Any]) -> None:
        """Keep a list of like things: numbers, texts, lists or records."""
        if all(isinstance(v, bool) for v in values) and values:
            self.number(key, np.array(values))
        elif all(isinstance(v, int) and not isinstance(v, bool) for v in values):
            self.number(key, np.array(values, dtype=np.int64))
        elif all(v is None or isinstance(v, int | float) for v in values):
            self.number(
                key, np.array([np.nan if v is None else v for v in values], float)
            )
        elif all(v is None or isinstance(v, str) for v in values):
            self.names[renamed(key)] = [v and scrubbed(v) for v in values]
        elif all(isinstance(v, dict) for v in values):
            for name in dict.fromkeys(name for record in values for name in record):
                if not UNSTEADY.fullmatch(str(name)):
                    own = [record.get(name) for record in values]
                    self.column(f"{key}/{name}", own)
        elif all(isinstance(v, list | tuple) for v in values):
            self.number(f"{key}/lengths", [len(v) for v in values])
            self.column(f"{key}/*", [one for v in values for one in v])
        else:
            for place, value in enumerate(values):
                self.tree(f"{key}/{place}", value)

    def tree(self, key: str, value: Any) -> None:
        """Keep what JSON can hold."""
        if isinstance(value, dict) and not all(map(_NAME.fullmatch, map(str, value))):
            # Keys are pairs, or words that may change: what counts is their order.
            self.column(f"{key}/keys", list(map(str, value)))
            self.column(f"{key}/values", list(value.values()))
        elif isinstance(value, dict):
            for name, one in value.items():
                if not UNSTEADY.fullmatch(str(name)):
                    self.tree(f"{key}/{name}", one)
        elif isinstance(value, list | tuple):
            self.column(key, list(value))
        elif isinstance(value, str):
            self.text(key, value)
        else:
            self.number(key, np.nan if value is None else value)

    def table(self, key: str, columns: dict[str, list[str]]) -> None:
        """Keep columns of text: as numbers where every value is one."""
        for name, column in columns.items():
            if UNSTEADY.fullmatch(name):
                continue
            numbers = [read_number(text) for text in column]
            if any(text.strip() for text in column) and None not in numbers:
                self.number(f"{key}/{name}", np.array(numbers, dtype=float))
            else:
                self.names[renamed(f"{key}/{name}")] = [scrubbed(t) for t in column]

    def add(self, other: Recording) -> None:
        """Take over all of another recording."""
        self.numbers |= other.numbers
        self.names |= other.names
        self.wording |= other.wording

    def write(self, folder: Path) -> None:
        """Write numbers.npz and text.json."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = dict(sorted(self.numbers.items()))
        np.savez_compressed(folder / "numbers.npz", **arrays)
        text = {"names": self.names, "wording": self.wording}
        (folder / "text.json").write_text(json.dumps(text, indent=0, sort_keys=True))

    @classmethod
    def read(cls, folder: Path) -> Recording:
        """Read what `write` wrote."""
        recording = cls()
        with np.load(folder / "numbers.npz") as stored:
            recording.numbers = {key: stored[key] for key in stored.files}
        text = json.loads((folder / "text.json").read_text())
        recording.names, recording.wording = text["names"], text["wording"]
        return recording


def renamed(key: str) -> str:
    """Give the name that a key has in every recording."""
    for pattern, name in RENAMED:
        key = re.sub(pattern, name, key)
    return key


def read_number(text: str) -> float | None:
    """Read a number; nothing is NaN, and what is not a number is None."""
    if not text.strip():
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return None


_VARYING: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?"), "DATE"),
    (re.compile(r"\b\d[\d,.]* (s|min|h|MB|GB|Mb/s)\b"), r"N \1"),
    (re.compile(r"\b\d[\d,.]* (instances/s|Mb x pairs/s)"), r"N \1"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "ADDRESS"),
]


def forget(path: Path, name: str) -> None:
    """Write a path by a name in every text that is recorded from now on."""
    _VARYING.insert(0, (re.compile(re.escape(str(path))), name))


def scrubbed(text: str) -> str:
    """Take paths, dates and times out of a text."""
    for pattern, stand_in in _VARYING:
        text = pattern.sub(stand_in, text)
    return text


def say(text: str) -> None:
    """Write a line of result."""
    sys.stdout.write(text + "\n")


def log(text: str) -> None:
    """Write a line of log."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
