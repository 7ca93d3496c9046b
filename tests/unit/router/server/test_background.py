"""The garbage collector's settings."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from router.server.background import collect_seldom

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def usual_thresholds() -> Iterator[tuple[int, int, int]]:
    usual = gc.get_threshold()
    yield usual
    gc.set_threshold(*usual)


def test_collects_the_young_after_so_many_allocations() -> None:
    _, *older = gc.get_threshold()
    collect_seldom(12_345)
    assert gc.get_threshold() == (12_345, *older)


def test_leaves_pythons_own_threshold() -> None:
    usual = gc.get_threshold()
    collect_seldom(0)
    assert gc.get_threshold() == usual
