"""Write a VCF again, with the largest effects of each record in its INFO column.

Header and records are edited as text: pysam refuses to write a record of a contig that the
header does not declare, and to declare an INFO key again that an earlier run has added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.variants.records import VariantRecord

__all__ = ["INFO", "SWAPPED", "AnnotatedVcf", "open_annotated"]

INFO, SWAPPED = "TFIMPUTE", "TFIMPUTE_SWAPPED"
"""Keys of the INFO column."""
_HEADER = f"""##INFO=<ID={INFO},Number=.,Type=String,Description="TF-cell pairs with the \
largest effects, each as ALT|TF|cell line|probability of REF|probability of ALT|ALT minus \
REF|quantile among matched background variants: of the best tile over the variant, either \
strand">
##INFO=<ID={SWAPPED},Number=0,Type=Flag,Description="The genome has an ALT allele here \
instead of REF; --fix-ref scored it all the same">
"""


class AnnotatedVcf:
    """A VCF that is being written; :func:`open_annotated` makes one.

    Parameters
    ----------
    file : pysam.BGZFile
    header : pysam.VariantHeader
        Of the VCF that was read.
    """

    def __init__(self, file: Any, header: Any) -> None:
        # htslib adds END to records with symbolic alleles, declared or not.
        if "END" not in header.info:
            header.info.add(
                "END", 1, "Integer", "Last position of the reference allele"
            )
        self._file = file
        lines = str(header).splitlines(keepends=True)
        earlier = tuple(f"##INFO=<ID={key}," for key in (INFO, SWAPPED))
        kept = [line for line in lines if not line.startswith(earlier)]
        file.write("".join([*kept[:-1], _HEADER, kept[-1]]).encode())

    def write(
        self, record: VariantRecord, effects: Sequence[str], is_swapped: bool
    ) -> None:
        """Write a record; what an earlier run added is dropped.

        Parameters
        ----------
        record : VariantRecord
        effects : sequence of str
            Entries of :data:`INFO`.
        is_swapped : bool
            Whether to set the flag :data:`SWAPPED`.
        """
        fields = str(record.vcf).rstrip("\n").split("\t")
        info = [
            entry
            for entry in fields[7].split(";")
            if entry.partition("=")[0] not in (".", INFO, SWAPPED)
        ]
        if effects:
            info.append(f"{INFO}={','.join(effects)}")
        if is_swapped:
            info.append(SWAPPED)
        fields[7] = ";".join(info) or "."
        self._file.write(("\t".join(fields) + "\n").encode())


@contextmanager
def open_annotated(dest: Path, header: Any) -> Iterator[AnnotatedVcf]:
    """Create a bgzipped VCF; it appears under its name when the block ends well.

    Parameters
    ----------
    dest : Path
    header : pysam.VariantHeader
        Of the VCF that was read.

    Yields
    ------
    AnnotatedVcf

    Raises
    ------
    WriteError
        The disk is full, or the file cannot be written.
    """
    import pysam

    with atomic_file(dest) as path, pysam.BGZFile(str(path), "wb", index=None) as file:
        yield AnnotatedVcf(file, header)
