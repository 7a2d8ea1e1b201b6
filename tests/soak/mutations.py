"""Damage to files: what disks, editors, mail programs and hurried people do to them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Damaged", "mutate"]


class Damaged(NamedTuple):
    """Contents of a file after damage, and what was done to it."""

    what: str
    content: bytes


_JUNK = (
    *(b"\x00", b"\x00" * 500, b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n\n\n"),
    *(b"\t", b" ", b",", b'"', b"#", b">", b"track name=x\n", b"browser\n", b"NA"),
    *(b"nan", b"inf", b"-1", b"1e309", b"0x10", b"1,000", b"\xc3\xa9", b"\xe2\x80\xa8"),
    *(b"<html><body>404 Not Found</body></html>\n", b"A" * 70_000, b"../../etc/x"),
)
_NUMBERS = (
    *(b"0", b"-1", b"2147483647", b"2147483648", b"4294967295", b"4294967296"),
    *(b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809"),
    *(b"1e300", b"1e400", b"99999999999999999999999", b"1.5", b"1_000", b"9" * 5000),
    "\u0663".encode(),
)


def mutate(content: bytes, is_text: bool, rng: random.Random) -> Damaged:
    """Damage contents in one to three ways.

    Parameters
    ----------
    content : bytes
    is_text : bool
        Of lines, with columns parted by tabs; a binary file has bytes only.
    rng : random.Random

    Returns
    -------
    Damaged
    """
    ways = (*_BYTES, *_LINES) if is_text else (*_BYTES, *_WORDS)
    done = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        way = rng.choice(ways)
        content = way(content, rng)
        done.append(way.__name__.strip("_").replace("_", " "))
    return Damaged(", ".join(done), content)


def _flip_bits(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 3, 20))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _flip_in_head(content: bytes, rng: random.Random) -> bytes:
    size = min(len(content), 512)
    return _flip_bits(content[:size], rng) + content[size:]


def _truncate(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _cut_the_end(content: bytes, rng: random.Random) -> bytes:
    return content[: -rng.randrange(1, 40)]


def _empty(content: bytes, rng: random.Random) -> bytes:
    return b""


def _insert_junk(content: bytes, rng: random.Random) -> bytes:
    at = rng.choice((0, len(content), rng.randrange(len(content) + 1)))
    return content[:at] + rng.choice(_JUNK) + content[at:]


def _zero_a_block(content: bytes, rng: random.Random) -> bytes:
    at, size = rng.randrange(len(content) + 1), rng.choice((1, 8, 64, 4096))
    return content[:at] + bytes(len(content[at : at + size])) + content[at + size :]


def _repeat_a_block(content: bytes, rng: random.Random) -> bytes:
    at, size = rng.randrange(len(content) + 1), rng.choice((1, 8, 64, 4096))
    return content[: at + size] + content[at:]


def _drop_a_block(content: bytes, rng: random.Random) -> bytes:
    at, size = rng.randrange(len(content) + 1), rng.choice((1, 8, 64, 4096))
    return content[:at] + content[at + size :]


def _huge_word(content: bytes, rng: random.Random) -> bytes:
    """Put an extreme number where a binary format may keep one."""
    size = rng.choice((2, 4, 8))
    at = rng.randrange(min(len(content), rng.choice((200, 10**9))) + 1) // size * size
    value = rng.choice((0, 1, 0xFF, 2**31 - 1, 2**31, 2**40, 2**63 - 1, 2**64 - 1))
    word = (value % 256**size).to_bytes(size, rng.choice(("little", "big")))
    return content[:at] + word + content[at + size :]


def _lines(change: Callable[[list[bytes], random.Random], None]):
    def way(content: bytes, rng: random.Random) -> bytes:
        lines = content.splitlines(keepends=True)
        if lines:
            change(lines, rng)
        return b"".join(lines)

    way.__name__ = change.__name__
    return way


@_lines
def _repeat_a_line(lines: list[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(lines))
    lines[at:at] = [lines[at]] * rng.choice((1, 1, 100))


@_lines
def _delete_a_line(lines: list[bytes], rng: random.Random) -> None:
    del lines[rng.choice((0, len(lines) - 1, rng.randrange(len(lines))))]


@_lines
def _swap_lines(lines: list[bytes], rng: random.Random) -> None:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


@_lines
def _cut_a_line(lines: list[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(lines))
    lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]


@_lines
def _other_line_ends(lines: list[bytes], rng: random.Random) -> None:
    ending = rng.choice((b"\r\n", b"\r", b"\n\n", b"\x0b", b" \n", b"\t\n"))
    lines[:] = [line.rstrip(b"\r\n") + ending for line in lines]


@_lines
def _spaces_for_tabs(lines: list[bytes], rng: random.Random) -> None:
    other = rng.choice((b" ", b",", b";", b"\t\t", b"  "))
    lines[:] = [line.replace(b"\t", other) for line in lines]


@_lines
def _utf_16(lines: list[bytes], rng: random.Random) -> None:
    lines[:] = [b"".join(lines).decode("latin-1").encode("utf-16")]


def _fields(change: Callable[[list[bytes], random.Random], None]):
    """Change the fields of one line, or of all of them alike."""

    def way(content: bytes, rng: random.Random) -> bytes:
        lines = content.splitlines(keepends=True)
        if not lines:
            return content
        one, seed = rng.randrange(len(lines)), rng.random()
        chosen = rng.choice((range(len(lines)), range(one, one + 1)))
        for at in chosen:
            fields = lines[at].rstrip(b"\r\n").split(b"\t")
            change(fields, random.Random(seed))
            lines[at] = b"\t".join(fields) + b"\n"
        return b"".join(lines)

    way.__name__ = change.__name__
    return way


@_fields
def _swap_columns(fields: list[bytes], rng: random.Random) -> None:
    a, b = rng.randrange(len(fields)), rng.randrange(len(fields))
    fields[a], fields[b] = fields[b], fields[a]


@_fields
def _drop_a_column(fields: list[bytes], rng: random.Random) -> None:
    del fields[rng.randrange(len(fields))]


@_fields
def _another_column(fields: list[bytes], rng: random.Random) -> None:
    fields.insert(rng.randrange(len(fields) + 1), rng.choice((b"", b"x", b"7")))


@_fields
def _extreme_number(fields: list[bytes], rng: random.Random) -> None:
    numeric = [i for i, field in enumerate(fields) if field.lstrip(b"-").isdigit()]
    if numeric:
        fields[rng.choice(numeric)] = rng.choice(_NUMBERS)


@_fields
def _other_text(fields: list[bytes], rng: random.Random) -> None:
    fields[rng.randrange(len(fields))] = rng.choice((*_JUNK, *_NUMBERS, b"", b"."))


_BYTES = (
    *(_flip_bits, _flip_in_head, _truncate, _cut_the_end, _empty, _insert_junk),
    *(_zero_a_block, _repeat_a_block, _drop_a_block),
)
_WORDS = (_huge_word, _huge_word, _flip_bits, _flip_in_head)
_LINES = (
    *(_repeat_a_line, _delete_a_line, _swap_lines, _cut_a_line, _other_line_ends),
    *(_spaces_for_tabs, _utf_16, _swap_columns, _drop_a_column, _another_column),
    *(_extreme_number, _extreme_number, _other_text, _other_text),
)
