"""PyTorch on one thread, for engines whose callers run several blocks at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch

__all__ = ["one_torch_thread"]

_LOCK = Lock()
_users: list[int] = []  # for each caller inside, the threads before the first one


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Run PyTorch on the calling thread alone.

    Callers in several threads may overlap. PyTorch has one setting for all of them: the
    last one that leaves restores what the first one found.

    Yields
    ------
    None
    """
    with _LOCK:
        _users.append(_users[0] if _users else torch.get_num_threads())
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _LOCK:
            n_threads = _users.pop()
            if not _users:
                torch.set_num_threads(n_threads)
