"""The list of names in a message."""

from __future__ import annotations

import pytest

from tfimpute_tracks.errors import listed


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
