"""PyTorch's number of threads is as before when nobody needs one thread any more."""

import contextlib

import pytest
import torch

from tfimpute_tracks.engines.torch_threads import one_torch_thread


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("last_leaves_first", [True, False])
def test_callers_that_overlap_restore_what_the_first_found(last_leaves_first):
    with contextlib.ExitStack() as first, contextlib.ExitStack() as second:
        first.enter_context(one_torch_thread())
        second.enter_context(one_torch_thread())
        order = (second, first) if last_leaves_first else (first, second)
        order[0].close()
        assert torch.get_num_threads() == 1
        order[1].close()
        assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_an_error_restores_it():
    with contextlib.suppress(ValueError), one_torch_thread():
        assert torch.get_num_threads() == 1
        raise ValueError
    assert torch.get_num_threads() == 3
