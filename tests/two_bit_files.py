"""A writer of .2bit files by the format's description; shares nothing with the reader."""

from __future__ import annotations

import re
import struct


def two_bit_bytes(sequences, order="<", version=0):
    """Write sequences; lower case is masked, and all but A, C, G and T is N."""
    records = []
    for sequence in sequences.values():
        blocks = [
            [match.span() for match in re.finditer(pattern, sequence)]
            for pattern in ("[^ACGTacgt]+", "[a-z]+")
        ]
        record = struct.pack(f"{order}I", len(sequence))
        for found in blocks:
            record += struct.pack(f"{order}I", len(found))
            for numbers in ([a for a, _ in found], [b - a for a, b in found]):
                record += struct.pack(f"{order}{len(found)}I", *numbers)
        record += struct.pack(f"{order}I", 0)
        values = [max("TCAG".find(letter.upper()), 0) for letter in sequence]
        values += [0] * (-len(values) % 4)
        record += bytes(
            values[i] << 6 | values[i + 1] << 4 | values[i + 2] << 2 | values[i + 3]
            for i in range(0, len(values), 4)
        )
        records.append(record)
    kind = "Q" if version else "I"
    width = struct.calcsize(f"{order}{kind}")
    at = 16 + sum(1 + len(name) + width for name in sequences)
    out = struct.pack(f"{order}4I", 0x1A412743, version, len(sequences), 0)
    for name, record in zip(sequences, records, strict=True):
        out += struct.pack("B", len(name)) + name.encode()
        out += struct.pack(f"{order}{kind}", at)
        at += len(record)
    return out + b"".join(records)
