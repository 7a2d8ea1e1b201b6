"""Results come in turn, and nothing runs on after an end."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tfimpute_tracks.engines.ordered_map import ordered_map


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_the_order_of_the_items(n_threads):
    def slow_first(i):
        time.sleep(0.02 if i == 0 else 0)
        return i * i

    assert list(ordered_map(slow_first, range(20), n_threads)) == [
        i * i for i in range(20)
    ]


def test_few_items_are_begun_ahead():
    begun = []
    results = ordered_map(begun.append, range(100), 2)
    next(results)
    assert len(begun) <= 6
    results.close()


def test_an_error_comes_when_its_turn_does_and_ends_the_work():
    begun = []

    def fail_at_three(i):
        begun.append(i)
        if i == 3:
            raise ValueError("three")
        return i

    results = ordered_map(fail_at_three, range(100), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert len(begun) < 15
    assert not [t for t in threading.enumerate() if t.name.startswith("scan")]


def test_a_pool_of_several_begins_nothing_after_an_end():
    begun = []
    with ThreadPoolExecutor(2) as pool:
        first = ordered_map(begun.append, range(100), 2, pool)
        second = ordered_map(lambda i: i, range(100), 2, pool)
        next(first)
        first.close()
        n_begun = len(begun)
        assert n_begun <= 6
        assert list(second) == list(range(100))
        assert len(begun) == n_begun
