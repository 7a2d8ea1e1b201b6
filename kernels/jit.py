"""numba's decorators, with which a compiled kernel loads in a fraction of the time.

Before numba loads a kernel from its cache it imports all that it may need to compile one,
BLAS included, which takes longer than most commands compute. Only its memory manager is
needed. What is not in the cache is compiled as ever: the compiler makes the imports by
itself.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from numba import njit, prange

__all__ = ["njit", "prange"]


def _load_overload(self: Any, sig: Any, target_context: Any) -> Any:
    """Load a kernel, in place of the method of numba's cache of this name."""
    rtsys.initialize(target_context)
    with self._guard_against_spurious_io_errors():
        return self._load_overload(sig, target_context)


with suppress(ImportError):  # another numba may be built otherwise
    from numba.core.caching import Cache
    from numba.core.runtime.nrt import rtsys

    if {"_load_overload", "_guard_against_spurious_io_errors"} <= set(dir(Cache)):
        Cache.load_overload = _load_overload  # type: ignore[method-assign]
