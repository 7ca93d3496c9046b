"""UUID version 7 (RFC 9562, section 5.7), which the standard library has only from Python 3.14 on.

Layout: 48 bits of Unix milliseconds, 12 bits of the fraction of that millisecond (RFC 9562, section
6.2, method 3: about a quarter of a microsecond), 62 random bits. The clock part never repeats or
runs back within a process, so IDs made by one process sort by creation even when the wall clock is
set back; between processes they sort as well as their clocks agree.
"""

from __future__ import annotations

import secrets
import threading
import time
from uuid import UUID

__all__ = ["make_uuid7", "new_uuid7", "uuid7_milliseconds"]

_VERSION_AND_VARIANT = (7 << 76) | (0b10 << 62)
_RANDOM_BITS = 62
_FRACTIONS = 4096  # steps of the 12-bit fraction in a millisecond


class _MonotonicClock:
    """The wall clock in 1/4096 ms, strictly increasing over all threads of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def tick(self) -> int:
        now = time.time_ns() * _FRACTIONS // 1_000_000
        with self._lock:
            self._last = now if now > self._last else self._last + 1
            return self._last


_clock = _MonotonicClock()


def new_uuid7() -> UUID:
    """A UUIDv7 for now, greater than every one made before it in this process."""
    ticks = _clock.tick()
    return _assemble(ticks >> 12, ticks & 0xFFF, secrets.randbits(_RANDOM_BITS))


def make_uuid7(*, milliseconds: int, random: int) -> UUID:
    """A UUIDv7 of given Unix milliseconds and random bits (the low 74), for demo data and tests."""
    return _assemble(
        milliseconds, (random >> _RANDOM_BITS) & 0xFFF, random & (1 << _RANDOM_BITS) - 1
    )


def uuid7_milliseconds(uuid: UUID) -> int:
    """The Unix time in milliseconds that stands in a UUIDv7."""
    return uuid.int >> 80


def _assemble(milliseconds: int, fraction: int, random: int) -> UUID:
    return UUID(
        int=(milliseconds & 0xFFFF_FFFF_FFFF) << 80 | fraction << 64 | random | _VERSION_AND_VARIANT
    )
