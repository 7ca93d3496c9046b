"""Reads revocations from a Redis stream, of which the router reads the same.

A stream and not pub/sub: who starts, or was cut off from Redis for a while, reads what it has
missed. While Redis does not answer, the process goes on with the revocations that it knows.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import structlog
from prometheus_client import Counter
from redis.exceptions import RedisError

from shared.events.tasks import end_task
from shared.sharding import EntityId, InvalidIdError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shared.cache import RedisClient
    from shared.revocations.revoked import RevokedSessions

__all__ = ["REVOCATION_STREAM", "RevocationFeed"]

REVOCATION_STREAM: Final = "router:revocations"
"""The default of ``ROUTER_REVOCATION_STREAM``. Entries are ``sid`` and a session's ID."""

_log = structlog.get_logger(__name__)

_FAILURES = Counter(
    "socialnet_revocation_failures_total", "Attempts to read revocations that Redis did not answer."
)

_BATCH = 1000
_BLOCK_MILLISECONDS = 2000  # for the next entry; shorter than the client's own timeout
_MAX_PAUSE = 5.0


class RevocationFeed:
    """Adds every entry of the stream to ``revoked``, while it is started. The client stays its
    owner's to close.
    """

    def __init__(self, redis: RedisClient, revoked: RevokedSessions, *, slots: int) -> None:
        self._redis = redis
        self._revoked = revoked
        self._slots = slots
        self._last = f"{max(int((time.time() - revoked.remember) * 1000), 0)}-0"
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, *, wait: float = 2.0) -> None:
        """Begin to read, and wait until everything that is there has been read; after ``wait``
        seconds the process starts without.
        """
        self._task = asyncio.create_task(self._run(), name="revocations")
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._caught_up.wait()

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            await end_task(self._task)
            self._task = None

    async def _run(self) -> None:
        pause = 0.0
        while True:
            try:
                await self._read()
                if pause:
                    _log.info("revocations: Redis answers again")
                pause = 0.0
            except (RedisError, OSError, TimeoutError) as error:
                _FAILURES.inc()
                if not pause:
                    _log.warning("revocations: Redis failed", error=type(error).__name__)
                pause = min(max(pause * 2, 0.1), _MAX_PAUSE)
                await asyncio.sleep(pause)

    async def _read(self) -> None:
        """Read what is there; once there is nothing, wait for the next entry."""
        block = _BLOCK_MILLISECONDS if self._caught_up.is_set() else None
        answer: Any = await self._redis.xread(
            {REVOCATION_STREAM: self._last}, count=_BATCH, block=block
        )
        for entry, fields in _entries(answer):
            self._last = _text(entry)
            self._take(fields)
        if not answer:
            self._caught_up.set()

    def _take(self, fields: Mapping[bytes | str, bytes | str]) -> None:
        for claim, value in fields.items():
            if _text(claim) != "sid":
                continue  # other claims are the router's business
            try:
                self._revoked.add(EntityId.parse(_text(value), slots=self._slots))
            except InvalidIdError:
                _log.warning("revocations: no session ID", value=_text(value)[:100])


def _entries(answer: Any) -> Iterable[tuple[bytes | str, Mapping[bytes | str, bytes | str]]]:
    """The entries of the one stream that was asked for, in the forms of RESP 2 and 3."""
    if isinstance(answer, dict):
        return (entry for batches in answer.values() for batch in batches for entry in batch)
    return (entry for _, batch in answer or () for entry in batch)


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
