"""Small downloads of every kind, and the command line."""

from __future__ import annotations

import gzip

import pytest

from tfimpute_tracks.models import load_model

METADATA = (
    "File accession\tFile format\tFile format type\tOutput type\tFile assembly\t"
    "Experiment accession\tAssay\tBiosample term name\tBiosample treatments\t"
    "Biosample genetic modifications categories\tExperiment target\tFile Status\n"
)
BEST = "optimal IDR thresholded peaks"


@pytest.fixture(scope="session")
def known():
    """The vocabulary of the default model."""
    return load_model("default").vocabulary


@pytest.fixture
def write(tmp_path):
    """Give a function that writes rows of fields to a file, packed if it ends in .gz."""

    def call(name, *rows, header=""):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        lines = ("\t".join(map(str, row)) + "\n" for row in rows)
        text = header + "".join(lines)
        packed = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
        path.write_bytes(packed)
        return path

    return call


@pytest.fixture
def encode(write):
    """Give a function that writes metadata.tsv and the files of its rows.

    Each row has accession, output type, assembly, cell line and target, and what is
    unusual, by the column's short name.
    """

    def call(*rows):
        lines = []
        for i, (accession, output, assembly, cell, target, *more) in enumerate(rows):
            unusual = more[0] if more else {}
            lines.append(
                (
                    *(accession, "bed", unusual.get("type", "narrowPeak"), output),
                    *(assembly, unusual.get("experiment", f"ENCSR{accession[5:]}")),
                    *(unusual.get("assay", "TF ChIP-seq"), cell),
                    *(unusual.get("treatment", ""), unusual.get("change", "")),
                    *(target, unusual.get("status", "released")),
                )
            )
            if unusual.get("has_file", True):
                at = 1000 * (i + 1)
                write(
                    f"{accession}.bed.gz",
                    ("chr20", at, at + 100, ".", 0, ".", 7.5 + i, -1, 3, 50),
                )
        return write("metadata.tsv", *lines, header=METADATA)

    return call
