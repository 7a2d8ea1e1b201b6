"""Storage: writing files safely, and knowing what is in them.

Files appear whole or not at all (``atomic``), are known by their content (``digest``),
and a run tells in a receipt what it read and wrote (``receipt``). Columns of HDF5 files
(``columns``) and tables that users write (``table``) are here as well, because several
floors above have them. The formats themselves, bigWig, HDF5 and the rest, are not
here: they belong to those who write them.
"""

from __future__ import annotations

from tfimpute_tracks.storage.arrays import read_arrays, write_arrays
from tfimpute_tracks.storage.atomic import (
    atomic_file,
    check_room,
    check_writable_dir,
    remove_leftovers,
    write_json,
    write_text,
)
from tfimpute_tracks.storage.digest import digest_arrays, digest_file, digest_json
from tfimpute_tracks.storage.record import (
    CONTENT,
    Output,
    Receipt,
    Record,
    read_receipt,
    write_receipt,
)

__all__ = [
    "CONTENT",
    "Output",
    "Receipt",
    "Record",
    "atomic_file",
    "check_room",
    "check_writable_dir",
    "digest_arrays",
    "digest_file",
    "digest_json",
    "read_arrays",
    "read_receipt",
    "remove_leftovers",
    "write_arrays",
    "write_json",
    "write_receipt",
    "write_text",
]
