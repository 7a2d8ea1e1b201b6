"""What the Python interface gives of a shipped model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from record_inputs import bundled_region
from record_steps import MEASURED, SOME, Interface
from recording import Recording


def record_interface(name: str, folder: Path) -> None:
    """Record what the Python interface gives of one shipped model."""
    python, recording = Interface(), Recording()
    region = bundled_region()
    model = python.load_model(name)
    key = f"python/{name}"
    recording.tree(f"{key}/network", python.sizes(model))
    for part, array in python.weights(model).items():
        recording.number(f"{key}/weights/{part}", array)
    for words, pairs in (("some", SOME.split(";")), ("measured", MEASURED.split(";"))):
        texts = _sequences(region.sequence, model.config.seq_len)
        recording.number(f"{key}/predict/{words}", model.predict(texts, pairs))
    every = python.all_pairs(model)
    recording.names[f"{key}/pairs"] = [str(pair) for pair in every]
    sequences = _sequences(region.sequence, model.config.seq_len)[:3]
    recording.number(f"{key}/predict/every", model.predict(sequences, every))
    _record_scans(recording, python, key, model, 1)
    going_by = python.load_model(name, "encode-hg19")
    _record_scans(recording, python, f"{key}/evidence", going_by, 6)
    for at, one in ((key, model), (f"{key}/evidence", going_by)):
        found = [python.known_of(one, pair) for pair in every[::7]]
        recording.column(f"{at}/known", found)
    recording.write(folder)


def _sequences(sequence: str, length: int) -> list[str]:
    """Give sequences of one length, a few with unknown or lower-case bases."""
    found = [sequence[i : i + length] for i in range(5_000, 2_900_000, 60_013)]
    found[1] = "N" * (length // 3) + found[1][length // 3 :]
    found[2] = found[2].lower()
    found[3] = found[3][: length // 2] + "N" * (length - length // 2)
    return found


def _record_scans(
    recording: Recording, python: Interface, key: str, model: Any, less: int
) -> None:
    """Record unrounded scores: of some pairs along the region, of all at a place."""
    chrom, start, end = python.bundled_region()
    middle = (start + end) // 2
    every = python.all_pairs(model)
    with python.open_bundled() as genome:
        for what, a, b, pairs in (
            ("some", start, start + (end - start) // less, SOME.split(";")),
            ("every", middle, middle + 6_000 // less, every),
        ):
            tiles, scores = python.scan_region(model, genome, chrom, a, b, pairs)
            recording.number(f"{key}/scan/{what}/start", tiles)
            recording.number(f"{key}/scan/{what}/score", scores)
