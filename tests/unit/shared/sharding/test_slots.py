"""Slots: stable for ever, even, and moving little when their number grows."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sharding.ids import Slot
from shared.sharding.slots import jump_hash, slot_for, stable_hash

KEYS = 100_000


def test_slots_never_change() -> None:
    """Rows stand where these numbers say: if this fails, no deployment finds its data any more."""
    values = ("ada@example.com", "grace", "+4930123456", "", "ü")

    assert [slot_for(value) for value in values] == [85, 192, 8, 62, 59]


@pytest.mark.parametrize(
    ("key", "buckets", "bucket"),
    [  # from the paper's reference implementation
        (0, 1, 0),
        (0, 60, 0),
        (1, 1, 0),
        (1, 57, 55),
        (256, 1024, 520),
        (0xDEAD10CC, 1, 0),
        (0xDEAD10CC, 666, 361),
    ],
)
def test_jump_hash_agrees_with_other_implementations(key: int, buckets: int, bucket: int) -> None:
    assert jump_hash(key, buckets) == bucket


@given(st.integers(0, 2**64 - 1), st.integers(1, 40_000))
def test_every_key_has_a_bucket(key: int, buckets: int) -> None:
    assert 0 <= jump_hash(key, buckets) < buckets


@given(st.integers(0, 2**64 - 1), st.integers(1, 1_000))
def test_a_new_bucket_takes_keys_and_gives_none(key: int, buckets: int) -> None:
    assert jump_hash(key, buckets + 1) in {jump_hash(key, buckets), buckets}


@pytest.mark.parametrize("buckets", [1, 2, 7, 63])
def test_a_new_bucket_moves_its_share_of_the_keys(buckets: int) -> None:
    hashes = [stable_hash(f"user{number}") for number in range(20_000)]
    moved = sum(jump_hash(key, buckets) != jump_hash(key, buckets + 1) for key in hashes)

    assert moved / len(hashes) == pytest.approx(1 / (buckets + 1), rel=0.15)


def test_slots_are_uniform() -> None:
    counts = Counter(slot_for(f"user{number}@example.com") for number in range(KEYS))
    expected = KEYS / 256
    chi_squared = sum((counts[slot] - expected) ** 2 / expected for slot in map(Slot, range(256)))

    # 255 degrees of freedom: 99.9 % of uniform samples stay below 330.5 (and the keys are fixed)
    assert chi_squared < 330.5


def test_two_shards_are_even_to_five_percent() -> None:
    on_first = sum(slot_for(f"user{number}@example.com") < 128 for number in range(KEYS))

    assert on_first == pytest.approx(KEYS / 2, rel=0.05)


def test_no_buckets_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        jump_hash(1, 0)
