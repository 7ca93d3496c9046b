"""The servers of one shard: which of them is the primary, and which may be read.

Nothing of this runs for a shard that has one server.

**The primary** is the server that takes writes and has the greatest timeline that any server of the
shard has been heard of: a promotion begins a new timeline, so an old primary that comes back is
known as such even while the new one does not answer. (libpq's ``target_session_attrs=read-write``
would take whichever it meets first.) When no server qualifies, the shard cannot be written to.

**Looking** happens once in ``health_interval``, and when a connection to the primary cannot be
made. Then requests do not wait for one another: a look is shared by all who want it, and repeated
after a random 50 to 200 ms at the earliest, so that an outage is no storm of connections.

**Lag** of a replica is the age of the newest position of the primary that it has replayed, as far
as seen. It says how old the answers may be that a client gets who has not written anything. While
there is no primary, replicas that had caught up with the last one are read all the same.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog

from shared.sharding.server import Server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.sharding.positions import Position
    from shared.sharding.settings import ShardSettings
    from shared.sharding.topology import ShardConfig

__all__ = ["NoPrimaryError", "ShardServers"]

_log = structlog.get_logger(__name__)

_LATECOMERS: Final = 0.25  # seconds that a primary waits for others that might contradict it
_SAMPLES: Final = 120


class NoPrimaryError(ConnectionError):
    """No server of the shard takes writes."""


class ShardServers:
    """Watches the servers of one shard from the first use until ``close``."""

    def __init__(self, config: ShardConfig, settings: ShardSettings) -> None:
        self.shard = config.id
        self.servers = tuple(
            Server(url=url, direct=direct, settings=settings)
            for url, direct in zip(config.servers, config.direct_servers, strict=True)
        )
        self.primary: Server | None = None
        self._settings = settings
        self._timeline = 0
        self._followed: Server | None = None  # the primary, also the last one while there is none
        self._samples: deque[tuple[float, Position]] = deque(maxlen=_SAMPLES)
        self._looks: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Begin to look, if that has not begun."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name=f"servers-{self.shard}")

    async def find_primary(self) -> Server:
        """The primary after a fresh look.

        Raises:
            NoPrimaryError: there is none at present.
        """
        self.watch()
        return await self.look_for_primary()

    async def look_for_primary(self) -> Server:
        """The same for who does not stay to watch."""
        wait = random.uniform(0.05, 0.2)  # noqa: S311 - spreads load, protects nothing
        await self._look_at(self.servers, max_age=wait, patience=self._settings.connect_timeout)
        if self.primary is None:
            raise NoPrimaryError(f"no server of {self.shard} takes writes")
        return self.primary

    def suspect(self, server: Server) -> None:
        """The server has failed somebody: it is not used before it was looked at again."""
        server.status = None
        server.lag = None
        self._choose()

    def readable(self) -> list[Server]:
        """The standbys that follow the primary closely enough to be read."""
        return [server for server in self.servers if self._is_readable(server)]

    async def close(self) -> None:
        """End all looking."""
        watching, self._watching = self._watching, None
        tasks = [*self._looks, *([watching] if watching is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(server.close() for server in self.servers))

    async def _watch(self) -> None:
        interval = self._settings.health_interval
        while True:
            if self.primary is not None:  # first, so that the others are compared with it
                await self._look_at([self.primary], max_age=0, patience=interval)
            await self._look_at(self.servers, max_age=interval / 2, patience=interval)
            await asyncio.sleep(interval * random.uniform(0.8, 1.2))  # noqa: S311 - as above

    async def _look_at(self, servers: Sequence[Server], *, max_age: float, patience: float) -> None:
        """Look at these servers, at once; those that take longer than ``patience`` go on."""
        looks = [asyncio.create_task(self._look(server, max_age)) for server in servers]
        self._looks.update(looks)
        for look in looks:
            look.add_done_callback(self._looks.discard)
        deadline = monotonic() + patience
        pending = set(looks)
        while pending and (left := deadline - monotonic()) > 0:
            _, pending = await asyncio.wait(
                pending, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            if self.primary is not None:
                deadline = min(deadline, monotonic() + _LATECOMERS)

    async def _look(self, server: Server, max_age: float) -> None:
        await server.look(max_age=max_age)
        if server.status is not None:
            self._timeline = max(self._timeline, server.status.timeline)
        self._choose()
        self._measure(server)

    def _choose(self) -> None:
        """The primary by what is known now."""
        chosen = next((server for server in self.servers if self._may_lead(server)), None)
        if chosen is not self.primary:
            name = None if chosen is None else chosen.name
            _log.warning("primary changed", shard=self.shard, server=name, timeline=self._timeline)
        if chosen is not None and chosen is not self._followed:
            self._followed = chosen
            self._samples.clear()  # positions of another timeline
        self.primary = chosen

    def _may_lead(self, server: Server) -> bool:
        status = server.status
        return status is not None and not status.is_standby and status.timeline == self._timeline

    def _measure(self, server: Server) -> None:
        now, status = monotonic(), server.status
        if status is None:
            server.lag = None
        elif server is self.primary:
            server.lag = 0.0
            self._samples.append((now, status.position))
        elif not status.is_standby or not self._samples:
            server.lag = None
        elif status.position >= self._samples[-1][1]:
            server.lag = 0.0
        else:
            reached = (
                at for at, position in reversed(self._samples) if position <= status.position
            )
            server.lag = now - next(reached, self._samples[0][0])

    def _is_readable(self, server: Server) -> bool:
        status = server.status
        return (
            status is not None
            and status.is_standby
            and status.timeline == self._timeline
            and server.lag is not None
            and server.lag <= self._settings.replica_max_lag
        )
