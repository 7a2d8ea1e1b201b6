"""The small task that tests of the comparison share."""

import pytest

from task_toys import make_task
from toys import make_dataset


@pytest.fixture
def task():
    return make_task(make_dataset(1500))
