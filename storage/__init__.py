"""Storage: writing files safely, and reading text tables.

Files are written atomically (``atomic``), into folders that are checked before
(``folders``), and identified by their contents (``digest``). A run records what it read
and wrote (``record``). ``table`` reads every text table, from what ``input_paths`` accepts;
``dataframe_io`` writes tables of results, ``hdf5_columns`` and ``arrays`` store arrays in
HDF5. The formats of tracks are in ``tracks/formats``.
"""

from __future__ import annotations

from tfimpute_tracks.storage.arrays import read_arrays, write_arrays
from tfimpute_tracks.storage.atomic import (
    atomic_file,
    check_free_space,
    json_text,
    remove_leftovers,
    write_json,
    write_text,
)
from tfimpute_tracks.storage.digest import digest_arrays, digest_file, digest_json
from tfimpute_tracks.storage.folders import (
    PLAN_FILE,
    RECEIPT_ENDING,
    check_output_dir,
    check_store_dir,
    check_writable_dir,
    is_store,
)
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
    "PLAN_FILE",
    "RECEIPT_ENDING",
    "Output",
    "Receipt",
    "Record",
    "atomic_file",
    "check_free_space",
    "check_output_dir",
    "check_store_dir",
    "check_writable_dir",
    "digest_arrays",
    "digest_file",
    "digest_json",
    "is_store",
    "json_text",
    "read_arrays",
    "read_receipt",
    "remove_leftovers",
    "write_arrays",
    "write_json",
    "write_receipt",
    "write_text",
]
