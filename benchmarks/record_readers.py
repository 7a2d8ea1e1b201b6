"""What is in the files that a step left, by the ending of their names."""

from __future__ import annotations

import csv
import gzip
import hashlib
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record_steps import UNREAD, UNSTEADY
from recording import Recording, read_number, renamed, scrubbed


def read_file(recording: Recording, key: str, path: Path) -> None:
    """Record the contents of an output file by the end of its name."""
    ends = [end for end in READERS if path.name.endswith(end)]
    if ends:
        READERS[max(ends, key=len)](recording, key, path)
    else:
        recording.text(f"{key}/digest", _digest(path.read_bytes()))


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def read_bigwig(recording: Recording, key: str, path: Path) -> None:
    """Record chromosomes, all intervals, and what zoom levels hold."""
    import pyBigWig

    with pyBigWig.open(str(path)) as file:
        recording.tree(f"{key}/chroms", dict(file.chroms()))
        recording.number(f"{key}/zooms", file.header()["nLevels"])
        for chrom, size in file.chroms().items():
            rows = file.intervals(chrom) or ()
            start, end, value = zip(*rows, strict=True) if rows else ((), (), ())
            recording.number(f"{key}/{chrom}/start", np.array(start, dtype=np.int64))
            recording.number(f"{key}/{chrom}/end", np.array(end, dtype=np.int64))
            recording.number(f"{key}/{chrom}/value", np.array(value, dtype=np.float32))
            if not rows:
                continue
            for kind in ("mean", "max", "std"):
                found = file.stats(chrom, start[0], end[-1], type=kind, nBins=40)
                recording.column(f"{key}/{chrom}/zoomed-{kind}", found)
            recording.number(f"{key}/{chrom}/size", size)


def read_bigbed(recording: Recording, key: str, path: Path) -> None:
    """Record the entries of every chromosome, column by column."""
    import pyBigWig

    with pyBigWig.open(str(path)) as file:
        recording.text(f"{key}/sql", file.SQL().decode())
        for chrom, size in file.chroms().items():
            rows = file.entries(chrom, 0, size) or []
            recording.number(f"{key}/{chrom}/start", [row[0] for row in rows])
            recording.number(f"{key}/{chrom}/end", [row[1] for row in rows])
            fields = [row[2].split("\t") for row in rows]
            recording.table(f"{key}/{chrom}", _columns(fields))


def _columns(rows: list[list[str]]) -> dict[str, list[str]]:
    """Give columns by their place: column-1, column-2 ..."""
    columns = zip(*rows, strict=True)
    return {f"column-{i}": list(column) for i, column in enumerate(columns, 1)}


def read_bed(recording: Recording, key: str, path: Path) -> None:
    """Record a tab-separated file without a header, by the places of columns."""
    lines = path.read_text().splitlines()
    comments = [line for line in lines if line.startswith(("#", "track", "browser"))]
    rows = [line.split("\t") for line in lines if line and line not in comments]
    recording.text(f"{key}/comments", "\n".join(comments))
    recording.number(f"{key}/rows", len(rows))
    recording.table(key, _columns(rows))


def read_tsv(recording: Recording, key: str, path: Path) -> None:
    """Record a tab-separated file with a header."""
    lines = path.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    header, *rows = csv.reader((x for x in lines if x[:1] != "#"), delimiter="\t")
    recording.text(f"{key}/comments", "\n".join(comments))
    recording.number(f"{key}/rows", len(rows))
    columns = zip(*rows, strict=True) if rows else ([] for _ in header)
    recording.table(key, {n: list(c) for n, c in zip(header, columns, strict=True)})


def read_vcf(recording: Recording, key: str, path: Path) -> None:
    """Record the lines of a VCF, and every number of what stands in INFO."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    recording.text(f"{key}/header", "\n".join(x for x in lines if x.startswith("#")))
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    recording.table(key, _columns(rows))
    recording.number(f"{key}/numbers", _numbers(" ".join(row[7] for row in rows)))


def _numbers(text: str) -> NDArray[Any]:
    """Give every number that stands alone in a text, in its order."""
    found = re.findall(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])", text)
    return np.array([float(text) for text in found])


def read_json(recording: Recording, key: str, path: Path) -> None:
    """Record a JSON file."""
    recording.tree(key, json.loads(path.read_text()))


def read_json_lines(recording: Recording, key: str, path: Path) -> None:
    """Record JSON records, one a line."""
    recording.column(key, [json.loads(line) for line in path.read_text().splitlines()])


def read_parquet(recording: Recording, key: str, path: Path) -> None:
    """Record the columns of a Parquet file, of the types that they have."""
    import pandas as pd

    for name, column in pd.read_parquet(path).items():
        if column.dtype.kind in "fiub":
            recording.number(f"{key}/{name}", column.to_numpy())
        else:
            recording.names[renamed(f"{key}/{name}")] = [str(x) for x in column]


_WHOLE = 100_000  # numbers of a tensor


def read_weights(recording: Recording, key: str, path: Path) -> None:
    """Record every tensor of a safetensors file, of the largest the digest only."""
    from safetensors.numpy import load_file

    for name, tensor in load_file(path).items():
        if tensor.size <= _WHOLE:
            recording.number(f"{key}/{name}", tensor)
        else:
            digest = hashlib.sha256(tensor.tobytes()).digest()
            recording.number(f"{key}/{name}/sha256", np.frombuffer(digest, np.uint8))


def read_hdf5(recording: Recording, key: str, path: Path) -> None:
    """Record every data set and attribute of an HDF5 file."""
    import h5py
    import hdf5plugin  # noqa: F401  # the codec of bulk stores

    def read(name: str, value: Any) -> None:
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            recording.number(f"{key}/{name}", value)
        elif isinstance(value, np.ndarray):
            texts = [x.decode() if isinstance(x, bytes) else str(x) for x in value.flat]
            recording.names[renamed(f"{key}/{name}")] = [scrubbed(x) for x in texts]
        elif str(value).startswith("{"):
            recording.tree(f"{key}/{name}", json.loads(str(value)))
        else:
            recording.text(f"{key}/{name}", str(value))

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            read(name, np.asarray(node[()]))
        for attribute, value in node.attrs.items():
            if not UNSTEADY.fullmatch(attribute):
                read(f"{name}@{attribute}", value)

    with h5py.File(path) as file:
        visit("", file)
        file.visititems(visit)


def read_text(recording: Recording, key: str, path: Path) -> None:
    """Record a text as it stands."""
    recording.text(key, path.read_text())


def read_matrices(recording: Recording, key: str, path: Path) -> None:
    """Record a text and every number in it."""
    text = path.read_text()
    recording.text(key, text)
    recording.number(f"{key}/numbers", _numbers(text))


def read_html(recording: Recording, key: str, path: Path) -> None:
    """Record what is read on a page, and the numbers of its tables."""
    page = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", path.read_text())
    cells = re.findall(r"(?s)<td[^>]*>(.*?)</td>", page)
    found = [html.unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in cells]
    numbers = [
        text.replace(",", "").replace("\u2212", "-").rstrip("%") for text in found
    ]
    values = [number for text in numbers if (number := read_number(text)) is not None]
    recording.number(f"{key}/cells", np.array(values))
    words = html.unescape(re.sub(r"<[^>]*>", "\n", page))
    recording.text(key, "\n".join(x.strip() for x in words.splitlines() if x.strip()))


def read_figure(recording: Recording, key: str, path: Path) -> None:
    """Record a figure by its digest, among names: a word in it may change."""
    recording.text(f"{key}/digest", _digest(path.read_bytes()))


READERS: dict[str, Callable[[Recording, str, Path], None]] = {
    ".bw": read_bigwig,
    ".bb": read_bigbed,
    ".bed": read_bed,
    ".narrowPeak": read_bed,
    ".bedGraph": read_bed,
    ".tsv": read_tsv,
    ".vcf.gz": read_vcf,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".parquet": read_parquet,
    ".safetensors": read_weights,
    ".h5": read_hdf5,
    ".meme": read_matrices,
    ".jaspar": read_matrices,
    ".html": read_html,
    ".txt": read_text,
    ".xml": read_text,
    ".svg": read_figure,
    ".png": read_figure,
}


def read_folder(step: str, folder: Path) -> Recording:
    """Record all that a step left in its folder."""
    recording = Recording()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    kept = [path for path in files if not UNREAD.fullmatch(path.name)]
    names = [path.relative_to(folder).as_posix() for path in kept]
    recording.names[renamed(f"{step}/files")] = names
    for path, name in zip(kept, names, strict=True):
        read_file(recording, f"{step}/{name}", path)
    return recording
