"""The list of names in a message."""

from __future__ import annotations

import pytest

from tfimpute_tracks.errors import counted, listed


@pytest.mark.parametrize(
    ("n", "limit", "expected"),
    [
        (0, 5, ""),
        (1, 5, "n0"),
        (3, 3, "n0, n1, n2"),
        (4, 3, "n0, n1, n2 and 1 more"),
        (1205, 2, "n0, n1 and 1,203 more"),
    ],
)
def test_a_message_lists_the_first_names(n, limit, expected):
    assert listed((f"n{i}" for i in range(n)), limit) == expected


@pytest.mark.parametrize(
    ("n", "text"),
    [(0, "0 pairs"), (1, "1 pair"), (2, "2 pairs"), (1200, "1,200 pairs")],
)
def test_a_number_of_things_agrees_with_their_noun(n, text):
    assert counted(n, "pair") == text
    assert counted(n, "process", "processes").endswith("es") == (n != 1)
