"""Forgetting deleted users once the grace period is over.

A job goes through the slots (``SlotWalk``) and erases who is due: what is the user's own, in
batches, then the rest with the row itself, of which nothing but a stub stays, and ``user.erased``
in the same transaction. Follows are ended as their users would end them, so that the events of
that bring the other side in line. What others have about the user is on other slots:
``ErasedUsers`` deletes it when it hears of ``user.erased``, and frees e-mail and handle.

All of it may be cut short anywhere and done again: deleting twice deletes once, and a user stays
due until the last transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from shared.events import append
from shared.sharding import EntityId
from subgraphs.users.events import UserErased
from subgraphs.users.service.devices import device_removed

if TYPE_CHECKING:
    from datetime import timedelta

    from shared.events import Delivery
    from shared.sharding import Shards, Slot, WriteSession
    from subgraphs.users.repository import DeviceRepository, ErasureRepository
    from subgraphs.users.service.follows import FollowService

__all__ = ["ErasedUsers", "ErasureService"]

_log = structlog.get_logger(__name__)

_USERS = 100  # read at a time
_ROWS = 200  # deleted in one transaction, each follow with its event


class ErasureService:
    """Erases who was deleted longer ago than ``grace``."""

    def __init__(
        self,
        shards: Shards,
        repository: ErasureRepository,
        follows: FollowService,
        devices: DeviceRepository,
        *,
        grace: timedelta,
    ) -> None:
        self._shards = shards
        self._repository = repository
        self._follows = follows
        self._devices = devices
        self._grace = grace

    async def erase_due(self, slot: Slot) -> int:
        """Erase all who are due in a slot; how many. Raises ``ShardError``: the rest is later."""
        erased = 0
        while due := await self._list_due(slot):
            done = [user_id for user_id in due if await self._erase(user_id)]
            erased += len(done)
            if len(done) < len(due):
                break  # another process is at work here
        if erased:
            _log.info("deleted users erased", slot=slot, users=erased)
        return erased

    async def _list_due(self, slot: Slot) -> list[EntityId]:
        async with self._shards.read(slot, fresh=True) as session:
            return await self._repository.list_due(session, slot, self._grace, _USERS)

    async def _erase(self, user_id: EntityId) -> bool:
        """False when the user is not due any more, or another process is erasing them."""
        while True:
            async with self._shards.write(user_id.slot) as session:
                if not await self._repository.lock_due(session, user_id, self._grace):
                    return False
                if await self._delete_some(session, user_id):
                    continue
                await self._delete_devices(session, user_id)
                await self._repository.scrub(session, user_id, updated_at=datetime.now(UTC))
                await append(session, UserErased(user_id=str(user_id)), actor=None)
                return True

    async def _delete_devices(self, session: WriteSession, user_id: EntityId) -> None:
        """They are few. A token's claim stays: it is a hash that names a device, and nobody."""
        for device in await self._devices.list_of_user(session, user_id):
            await self._devices.delete(session, device.id)
            await append(session, device_removed(device), actor=None)

    async def _delete_some(self, session: WriteSession, user_id: EntityId) -> bool:
        """Delete a part of the user's lists; False when they are empty."""
        ended = await self._follows.end_some(session, user_id, _ROWS)
        return bool(ended + await self._repository.delete_lists(session, user_id, _ROWS))


class ErasedUsers:
    """Consumes ``user.erased``: deletes what others had about the user, on every shard."""

    def __init__(self, shards: Shards, repository: ErasureRepository) -> None:
        self._shards = shards
        self._repository = repository

    async def consume(self, delivery: Delivery) -> None:
        """Delete what there is. Raises ``ShardError`` when some shard cannot be reached now."""
        event = delivery.event
        if (event.type, event.version) != (UserErased.event_type, UserErased.event_version):
            return
        told = UserErased.model_validate(event.payload)
        user_id = EntityId.parse(told.user_id, slots=self._shards.topology.slots)
        for shard in self._shards.topology.shard_ids:
            async with self._shards.read_on(shard, fresh=True) as session:
                slots = await self._repository.list_slots_about(session, user_id)
            for slot in slots:
                async with self._shards.write(slot) as writing:
                    await self._repository.delete_about(writing, user_id)
