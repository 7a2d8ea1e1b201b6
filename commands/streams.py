"""The standard streams of a run, whatever they lead to.

A character that the encoding lacks is escaped, and a file name that is no text comes out
as it was typed. A stdout that cannot be written is an
error in one line, as a full disk is; one that nobody reads any more, as in ``| head``,
ends the run without a word, as it ends other Unix tools. Nothing depends on stderr: it
may be full or closed.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, cast

from tfimpute_tracks.errors import WriteError

__all__ = ["standard_streams"]

_CLOSED_PIPE = 141  # exit code of shells for a tool that SIGPIPE ended
_AS_TYPED = "tfimpute-tracks.as-typed"


def _as_typed(error: UnicodeError) -> tuple[bytes, int]:
    """Encode the bytes of a file name as they are, and escape other characters."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    pieces = [
        character.encode("ascii", "surrogateescape")
        if "\udc80" <= character <= "\udcff"
        else character.encode("ascii", "backslashreplace")
        for character in error.object[error.start : error.end]
    ]
    return b"".join(pieces), error.end


codecs.register_error(_AS_TYPED, _as_typed)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Make stdout and stderr fit for any encoding and any end while the block runs.

    Yields
    ------
    None

    Raises
    ------
    WriteError
        In the block, from a write to stdout or a flush of it: the disk is full, or
        stdout is closed.
    SystemExit
        In the block, too: the reader of stdout is gone.
    """
    streams = sys.stdout, sys.stderr
    stdout, stderr = _opened(sys.stdout, 1), _opened(sys.stderr, 2)
    sys.stdout = cast(TextIO, _Stream(stdout, _stop))
    sys.stderr = cast(TextIO, _Stream(stderr, lambda error: None))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


class _Stream:
    """A stream that reports a failed write once and is silent from then on."""

    def __init__(self, stream: TextIO, report: Callable[[OSError], None]) -> None:
        self._stream = stream
        self._report = report

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except OSError as error:
            self._fail(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        # What is still in the buffer must go somewhere: Python flushes it at the end,
        # and an error would be printed then.
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())
        self._report(error)


def _opened(stream: TextIO | None, number: int) -> TextIO:
    """Escape what the encoding lacks; open a stream that was closed before the start."""
    if stream is None:
        # Its number must not go to the next file that is opened. stdout is opened for
        # reading, so that a write fails.
        mode = os.O_RDONLY if number == 1 else os.O_WRONLY
        found = os.open(os.devnull, mode)
        if found != number:
            os.dup2(found, number)
            os.close(found)
        stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_AS_TYPED)
    return stream


def _stop(error: OSError) -> None:
    if isinstance(error, BrokenPipeError):
        raise SystemExit(_CLOSED_PIPE)
    raise WriteError(
        f"cannot write to standard output: {error.strerror or error}; send it to another "
        "file or a terminal"
    ) from error
