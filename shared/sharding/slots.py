"""From a value to its slot: a stable 64-bit hash, then jump consistent hash.

Only things that have no ID yet are placed this way (a user by the first identity, an identity by
its own value); from then on the ID alone decides. Both steps are fixed for ever: a deployment's
rows stand where these functions put them.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from shared.sharding.ids import DEFAULT_SLOTS, Slot

if TYPE_CHECKING:
    from typing import Final

__all__ = ["jump_hash", "slot_for", "stable_hash"]

_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF


def stable_hash(value: str) -> int:
    """64 bits that depend on the text alone, not on process (unlike ``hash()``) or platform."""
    return int.from_bytes(blake2b(value.encode(), digest_size=8).digest(), "big")


def jump_hash(key: int, buckets: int) -> int:
    """Jump consistent hash (Lamping and Veach, 2014): ``key`` -> ``0 .. buckets - 1``.

    Even without any table, and growing from n to n + 1 buckets moves only about 1 / (n + 1) of the
    keys, all of them to the new bucket. O(log buckets).
    """
    if buckets < 1:
        raise ValueError("buckets must be at least 1")
    bucket, candidate = -1, 0
    while candidate < buckets:
        bucket = candidate
        key = (key * 2_862_933_555_777_941_757 + 1) & _MASK
        candidate = int((bucket + 1) * ((1 << 31) / ((key >> 33) + 1)))
    return bucket


def slot_for(value: str, slots: int = DEFAULT_SLOTS) -> Slot:
    """The slot of a normalised value (lower-cased e-mail, E.164 phone, lower-cased handle, ...)."""
    return Slot(jump_hash(stable_hash(value), slots))
