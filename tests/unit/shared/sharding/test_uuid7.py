"""UUIDv7 as RFC 9562 lays it out."""

from __future__ import annotations

import threading
import time
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sharding.uuid7 import make_uuid7, new_uuid7, uuid7_milliseconds

milliseconds = st.integers(0, 2**48 - 1)


@given(milliseconds, st.integers(0, 2**74 - 1))
def test_version_variant_and_time_stand_where_the_rfc_puts_them(time_: int, random: int) -> None:
    uuid = make_uuid7(milliseconds=time_, random=random)

    assert uuid.version == 7
    assert uuid.variant == RFC_4122
    assert uuid7_milliseconds(uuid) == time_


@given(milliseconds, st.sets(st.integers(0, 2**74 - 1), min_size=2))
def test_other_random_bits_make_another_uuid(time_: int, randoms: set[int]) -> None:
    assert len({make_uuid7(milliseconds=time_, random=r) for r in randoms}) == len(randoms)


def test_the_example_of_the_rfc_is_met() -> None:
    """RFC 9562, appendix A.6."""
    random = 0xCC3 << 62 | 0x18C4DC0C0C07398F

    assert make_uuid7(milliseconds=0x017F22E279B0, random=random) == UUID(
        "017F22E2-79B0-7CC3-98C4-DC0C0C07398F"
    )


def test_uuids_of_one_process_ascend() -> None:
    made = [new_uuid7() for _ in range(20_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_uuids_ascend_even_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    after = [new_uuid7() for _ in range(100)]

    assert before < after[0]
    assert after == sorted(after)


def test_threads_get_different_times() -> None:
    made: list[UUID] = []

    def make() -> None:
        made.extend([new_uuid7() for _ in range(2_000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({uuid.int >> 64 for uuid in made}) == 8_000
