"""What the tests of genomes share."""

import pytest


@pytest.fixture
def quiet():
    """Collect the notices of an opening."""
    return []
