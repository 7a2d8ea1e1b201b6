"""The command line, called in this process as a user calls it."""

import pytest


@pytest.fixture(autouse=True)
def _fresh_settings(fresh_settings):
    pass
