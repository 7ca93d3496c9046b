from __future__ import annotations

import pytest

from shared.events.held_back import HeldBack, backoff


@pytest.fixture
def held_back() -> HeldBack:
    return HeldBack(shortest=1.0, longest=8.0)


@pytest.mark.parametrize(
    ("failures", "ceiling"), [(0, 1.0), (1, 2.0), (3, 8.0), (4, 8.0), (100_000, 8.0)]
)
def test_backoff_grows_to_its_ceiling_with_jitter(failures: int, ceiling: float) -> None:
    waits = {backoff(failures, 1.0, 8.0) for _ in range(100)}

    assert len(waits) > 1
    assert all(ceiling / 2 <= wait <= ceiling for wait in waits)


def test_a_refused_key_waits_for_longer_each_time(held_back: HeldBack) -> None:
    times = [held_back.refused("ada", now=100.0) for _ in range(4)]

    assert times == [1, 2, 3, 4]
    assert held_back.waiting(100.0) == ["ada"]
    next_time = held_back.next_time()
    assert next_time is not None
    assert 104.0 <= next_time <= 108.0
    assert held_back.waiting(108.0) == []
    assert len(held_back) == 1


def test_a_key_that_was_tried_and_not_refused_again_is_forgotten(held_back: HeldBack) -> None:
    held_back.refused("well", now=100.0)
    held_back.refused("ill", now=100.0)

    held_back.refused("ill", now=110.0)
    held_back.settle(110.0)

    assert held_back.waiting(110.0) == ["ill"]
    assert held_back.refused("well", now=110.0) == 1


def test_nothing_held_back_has_no_next_time(held_back: HeldBack) -> None:
    assert held_back.next_time() is None
    assert held_back.waiting(0.0) == []
