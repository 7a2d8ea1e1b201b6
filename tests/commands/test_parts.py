"""`--part i/n` of a bulk run: what is no such text is refused."""

import pytest

from tfimpute_tracks.api.inputs import read_part
from tfimpute_tracks.errors import UsageError


def test_a_part_is_read():
    assert read_part("3/40") == (3, 40)


@pytest.mark.parametrize(
    "text",
    ["", "3", "0/4", "5/4", "-1/4", "\u00b2/3", "1/" + "9" * 5000, "1/2/3", "a/b"],
)
def test_another_text_is_refused(text):
    with pytest.raises(UsageError, match="use i/n with 1 <= i <= n"):
        read_part(text)
