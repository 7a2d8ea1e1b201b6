"""Sequences that a user hands to a model, as codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.encode import N_CODE, encode
from tfimpute_tracks.models.config import NetworkConfig

__all__ = ["stack_codes"]


def stack_codes(
    sequences: Sequence[str] | NDArray[np.uint8], config: NetworkConfig, name: str
) -> NDArray[np.uint8]:
    """Encode sequences, and check their lengths.

    Parameters
    ----------
    sequences : sequence of str, or uint8 codes of shape (n_sequences, L)
        All of `config.seq_len` bp, or of `config.receptive_field` bp.
    config : NetworkConfig
    name : str
        Of the model, in messages.

    Returns
    -------
    uint8 array, shape (n_sequences, L)
        A C G T = 0..3, else 4.

    Raises
    ------
    UsageError
        A sequence has another length, or not all have the same; or it is not a text, and
        its codes are not 0 to 4.
    """
    lengths = sorted({config.seq_len, config.receptive_field})
    if isinstance(sequences, np.ndarray) and sequences.dtype.kind in "iuf":
        if not np.isin(sequences, range(N_CODE + 1)).all():
            raise UsageError(
                "codes of sequences are 0 to 4, for A, C, G, T and others; use texts, or "
                "arrays of these numbers"
            )
        rows = [np.asarray(row, dtype=np.uint8) for row in sequences]
    else:
        rows = [_encode(sequence) for sequence in sequences]
    for index, row in enumerate(rows):
        if row.shape != rows[0].shape or row.size not in lengths:
            raise UsageError(
                f"sequence {index} has {row.size} bp; the model {name} reads "
                f"{' or '.join(map(str, lengths))} bp; cut or pad all sequences to one "
                "of these lengths"
            )
    return np.stack(rows) if rows else np.empty((0, lengths[0]), dtype=np.uint8)


def _encode(sequence: object) -> NDArray[np.uint8]:
    if not isinstance(sequence, str | bytes):
        raise UsageError(f"sequence {sequence!r} is not a text such as 'ACGT'")
    return encode(sequence)
