"""Odd values of options: numbers beyond all sizes, digits that are none, other files."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

from children import run_command

__all__ = ["with_odd_option"]

_VALUES = (
    *("\u00b2", "\u0663", "-1", "0", "1e400", "nan", "9" * 30, "9" * 5000, "a" * 300),
    *("../x", "/", "\u00e9", ":", ",", ";", "chr1:", "chr1:1-", "chr1:1-" + "9" * 30),
    *("CTCF:", "*", "[", "%s", "{}", "\n", "\t", "1/0", "TF:CELL:X", "CTCF:K562;"),
    *("none", "auto", "max", "/dev/null", ".", "g.fa", "e.h5", "few.bed", "v.vcf"),
    *("toy.safetensors", "pairs.tsv", "tracks", "store", "data.h5"),
)


def with_odd_option(
    verb: str, arguments: list[str], inputs: Path, rng: random.Random
) -> list[str]:
    """Add an option of the verb with an odd value.

    Parameters
    ----------
    verb : str
    arguments : list of str
    inputs : Path
        Where the help of the verb is asked for.
    rng : random.Random

    Returns
    -------
    list of str
    """
    return [*arguments, rng.choice(_options(verb, inputs)), rng.choice(_VALUES)]


@cache
def _options(verb: str, inputs: Path) -> tuple[str, ...]:
    words = verb.split()[: 2 if verb.startswith("evidence") else 1]
    text = run_command([*words, "--help"], inputs, 60).out
    return tuple(sorted(set(re.findall(r"--[a-z][a-z-]+", text)) - {"--help"}))
