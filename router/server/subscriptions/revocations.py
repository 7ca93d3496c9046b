"""Revocations from elsewhere: a Redis stream that every worker of every router reads.

Who logs a user out, in whatever language, appends to the stream a claim and its value::

    XADD router:revocations * sid 5f0c…

A stream and not Pub/Sub, because a stream loses nothing: a worker that starts, or that was cut off
from Redis for a while, reads what it has missed. While Redis does not answer, the router goes on
with the revocations that it knows.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from router.server.settings import RouterSettings
    from router.server.subscriptions.session import Sessions
    from router.server.telemetry import Metrics

__all__ = ["RevocationReader", "make_revocation_reader"]

_log = structlog.get_logger(__name__)

_BATCH = 1_000
_BLOCK_SECONDS = 20.0  # for the next entry; then it is asked again, so that a dead peer is noticed
_ANSWER_SECONDS = 5.0
_MAX_PAUSE = 5.0
_TRIM_SECONDS = 600.0
_CANCEL_SECONDS = 0.05


class RevocationReader:
    """Tells ``sessions`` of every entry of a stream.

    ``remember``: entries that are older, in seconds, concern no token any more; they are passed
    over, and removed from the stream.
    """

    def __init__(
        self, url: str, stream: str, sessions: Sessions, metrics: Metrics, *, remember: float
    ) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            decode_responses=True,
            encoding_errors="replace",
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=_ANSWER_SECONDS,
            socket_timeout=_BLOCK_SECONDS + _ANSWER_SECONDS,
        )
        self._stream = stream
        self._sessions = sessions
        self._metrics = metrics
        self._remember = remember
        self._last = f"{_milliseconds(time.time() - remember)}-0"
        self._trim_at = 0.0
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, *, wait: float) -> None:
        """Begin to read, and wait until everything that is there has been read; after ``wait``
        seconds the router starts without.
        """
        self._task = asyncio.get_running_loop().create_task(self._run())
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._caught_up.wait()

    async def aclose(self) -> None:
        """Stop reading."""
        while self._task is not None and not self._task.done():
            self._task.cancel()  # again and again: redis-py's own timeouts can swallow one
            await asyncio.wait([self._task], timeout=_CANCEL_SECONDS)
        await self._redis.aclose()

    async def _run(self) -> None:
        pause = 0.0
        while True:
            try:
                await self._read()
                if pause:
                    _log.info("revocations: Redis answers again")
                pause = 0.0
            except (RedisError, OSError, TimeoutError) as error:
                self._metrics.revocation_failures.inc()
                if not pause:
                    _log.warning("revocations: Redis failed", error=type(error).__name__)
                pause = min(max(pause * 2, 0.1), _MAX_PAUSE)
                await asyncio.sleep(pause)

    async def _read(self) -> None:
        """Read what is there; once there is nothing, wait for the next entry."""
        waits = self._caught_up.is_set()
        answer: Any = await self._redis.xread(
            {self._stream: self._last},
            count=_BATCH,
            block=int(_BLOCK_SECONDS * 1000) if waits else None,
        )
        for entry, fields in _entries(answer):
            self._last = entry
            self._revoke(fields, at=int(entry.partition("-")[0]) / 1000)
        if not answer:
            self._caught_up.set()
            await self._trim()

    def _revoke(self, fields: Mapping[str, str], *, at: float) -> None:
        for claim, value in fields.items():
            try:
                ended = self._sessions.revoke(claim, value, at=at)
            except ValueError:
                _log.warning("revocations: unknown claim", claim=claim[:100])
                continue
            self._metrics.revocations.inc()
            if ended:
                _log.info("session revoked", claim=claim, ended=ended)

    async def _trim(self) -> None:
        now = time.time()
        if now >= self._trim_at:
            self._trim_at = now + _TRIM_SECONDS
            oldest = _milliseconds(now - self._remember)
            await self._redis.xtrim(self._stream, minid=oldest, approximate=True)


def make_revocation_reader(
    settings: RouterSettings, sessions: Sessions, metrics: Metrics
) -> RevocationReader | None:
    """Return what the settings ask for."""
    if settings.revocation_redis_url is None:
        return None
    return RevocationReader(
        settings.revocation_redis_url.get_secret_value(),
        settings.revocation_stream,
        sessions,
        metrics,
        remember=settings.revocation_max_age,
    )


def _entries(answer: Any) -> Iterable[tuple[str, Mapping[str, str]]]:
    """The entries of the one stream that was asked for, in the forms of RESP 2 and 3."""
    if isinstance(answer, dict):
        return (entry for batches in answer.values() for batch in batches for entry in batch)
    return (entry for _, batch in answer or () for entry in batch)


def _milliseconds(seconds: float) -> int:
    return max(int(seconds * 1000), 0)
