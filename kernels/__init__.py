"""Kernels: the inner loops, from arrays to arrays, compiled by numba.

They encode sequence (``encode``), compute the convolution by look-up tables (``tables``;
``lookup`` and ``gradient`` for training, ``motifs`` for scans) over segments of tiles
(``segments``), multiply sparse features (``sparse``, ``products``), apply evidence
(``coverage``, ``summary``, ``attention``), call peaks and quantize scores. ``fused`` is
the scan's kernel for a GPU.

Kernels take ``njit`` from ``jit``, which loads them without numba's compiler; those that
must be fast use the vectors of ``lanes``. A kernel takes arrays and scalars, raises no
error and reads no file; the Python function next to it checks its arguments and allocates
the result.
"""

from pathlib import Path

from tfimpute_tracks.kernels.compile_cache import ensure_compile_cache

__all__ = ["ensure_compile_cache"]

ensure_compile_cache(Path(__file__).parent)  # before numba is imported
