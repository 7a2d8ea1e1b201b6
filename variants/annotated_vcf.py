"""Write a VCF again, with the largest effects of each record in its INFO column.

What an earlier run wrote about other pairs stays; what it wrote about these is replaced.
Header and records are edited as text: pysam refuses to write a record of a contig that the
header does not declare, and to declare an INFO key again that an earlier run has added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.variants.records import VariantRecord
from tfimpute_tracks.variants.vcf_text import not_utf8
from tfimpute_tracks.vocabulary import Pair

__all__ = ["INFO", "SWAPPED", "AnnotatedVcf", "open_annotated"]

INFO, SWAPPED = "TFIMPUTE", "TFIMPUTE_SWAPPED"
"""Keys of the INFO column."""
_N_VALUES = 7  # of an effect
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
    pairs : iterable of Pair
        Those of this run.
    label : str
        Name of the VCF that was read, in messages.
    """

    def __init__(
        self, file: Any, header: Any, pairs: Iterable[Pair], label: str
    ) -> None:
        self._label = label
        self._pairs = {(pair.tf, pair.cell) for pair in pairs}
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
        """Write a record; what an earlier run added for other pairs stays.

        Parameters
        ----------
        record : VariantRecord
        effects : sequence of str
            Entries of :data:`INFO`.
        is_swapped : bool
            Whether to set the flag :data:`SWAPPED`.

        Raises
        ------
        InputFileError
            The record has text that is not UTF-8.
        """
        try:
            text = str(record.vcf)
        except UnicodeDecodeError as error:
            raise not_utf8(self._label, record.number) from error
        fields = text.rstrip("\n").split("\t")
        entries = [entry.partition("=") for entry in fields[7].split(";")]
        info = [
            "".join(entry) for entry in entries if entry[0] not in (".", INFO, SWAPPED)
        ]
        values = (value for key, _, value in entries if key == INFO)
        earlier = [
            effect
            for effect in ",".join(values).split(",")
            if self._is_of_others(effect, fields[4])
        ]
        if earlier or effects:
            info.append(f"{INFO}={','.join([*earlier, *effects])}")
        was_swapped = any(key == SWAPPED for key, *_ in entries)
        if is_swapped or (earlier and was_swapped):
            info.append(SWAPPED)
        fields[7] = ";".join(info) or "."
        self._file.write(("\t".join(fields) + "\n").encode())

    def _is_of_others(self, effect: str, alts: str) -> bool:
        """Check whether an earlier effect is of an allele here, and of another pair."""
        values = effect.split("|")
        return (
            len(values) == _N_VALUES
            and values[0] in alts.upper().split(",")
            and (values[1], values[2]) not in self._pairs
        )


@contextmanager
def open_annotated(
    dest: Path, header: Any, pairs: Iterable[Pair], label: str
) -> Iterator[AnnotatedVcf]:
    """Create a bgzipped VCF; it appears under its name when the block ends well.

    Parameters
    ----------
    dest : Path
    header : pysam.VariantHeader
        Of the VCF that was read.
    pairs : iterable of Pair
        Those of this run: an earlier run's effects on others stay.
    label : str
        Name of the VCF that was read, in messages.

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
        yield AnnotatedVcf(file, header, pairs, label)
