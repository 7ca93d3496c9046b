"""Reading one's own writes: which positions in the shards' WAL a request's reads must have.

A client gets a token with the answer to a request that wrote, and sends it with later ones: from
then on it is read only from replicas that have replayed that far. A request is tracked by
``track_positions``; what is not (a subscription, a task in the background) reads primaries only.

A token is a list, joined by commas, of 16 characters per shard written to: base64url of a 4-byte
hash of domain and shard, and the 8-byte position. Clients pass it on as it is. Two tokens joined by
a comma are a token, of several entries for a shard the greatest counts, and entries of other
domains are kept: so answers of several services can be put together by who does not know them. A
token that cannot be read is taken as one that no replica satisfies.
"""

from __future__ import annotations

import base64
import binascii
import struct
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NewType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.sharding.ids import ShardId

__all__ = ["Position", "Positions", "ShardKey", "current_positions", "shard_key", "track_positions"]

Position = NewType("Position", int)
"""A byte position in the WAL of a shard (PostgreSQL's ``pg_lsn`` as a number)."""

ShardKey = NewType("ShardKey", int)
"""A shard of a domain as tokens name it."""

_ENTRY: Final = struct.Struct(">IQ")
_MAX_ENTRIES: Final = 256  # a token that is longer is not one of ours


def shard_key(domain: str, shard: ShardId) -> ShardKey:
    """The key of a domain's shard. Should two be equal, reads go to a primary needlessly, no more:
    the greater position counts.
    """
    digest = blake2b(f"{domain}/{shard}".encode(), digest_size=4).digest()
    return ShardKey(int.from_bytes(digest, "big"))


class Positions:
    """What one request must read, by the token that it brought, and what it has written itself."""

    def __init__(self, token: str | None = None) -> None:
        found = _parse(token) if token else {}
        self._is_readable = found is not None
        self._wanted = found or {}
        self._written: set[ShardKey] = set()

    def required(self, shard: ShardKey) -> Position | None:
        """How far a replica must have got to be read; None when only the primary will do."""
        if not self._is_readable or shard in self._written:
            return None
        return self._wanted.get(shard, Position(0))

    def wrote(self, shard: ShardKey) -> None:
        """A transaction was committed; from now on this request reads the shard's primary."""
        self._written.add(shard)

    def reached(self, shard: ShardKey, position: Position) -> None:
        """The shard's position after a commit of this request."""
        self._wanted[shard] = max(position, self._wanted.get(shard, Position(0)))

    def token(self) -> str | None:
        """What the client is to send from now on; None when this request has added nothing."""
        if not self._written:
            return None
        entries = [_ENTRY.pack(*entry) for entry in sorted(self._wanted.items())]
        return ",".join(base64.urlsafe_b64encode(entry).decode() for entry in entries) or None


_current: ContextVar[Positions | None] = ContextVar("positions", default=None)


@contextmanager
def track_positions(token: str | None) -> Iterator[Positions]:
    """Within the block, and in tasks started from it, reads may go to replicas."""
    positions = Positions(token)
    reset = _current.set(positions)
    try:
        yield positions
    finally:
        _current.reset(reset)


def current_positions() -> Positions | None:
    """What the current request must read; None outside of one."""
    return _current.get()


def _parse(token: str) -> dict[ShardKey, Position] | None:
    """The greatest position of each shard; None for what is no token."""
    entries = [entry for part in token.split(",") if (entry := part.strip())]
    if len(entries) > _MAX_ENTRIES:
        return None
    wanted: dict[ShardKey, Position] = {}
    for entry in entries:
        try:
            key, position = _ENTRY.unpack(base64.b64decode(entry, b"-_", validate=True))
        except (binascii.Error, struct.error, ValueError):  # ValueError: not even ASCII
            return None
        wanted[key] = max(position, wanted.get(key, Position(0)))
    return wanted
