"""The consumer that lets each push token have one device, from the users domain's events::

    device.registered  ->  token's slot:   the newest device has the token; device.displaced
    device.displaced   ->  device's slot:  row deleted; device.removed

IDs of devices are UUIDv7: the newest is that of who registered last. So the end is the same in
whatever order events come, and however often. The token's row stays after its device: an event
that comes late must not bring the token back to who had it before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.events import append, once
from shared.sharding import EntityId
from subgraphs.users.events import DeviceDisplaced, DeviceRegistered
from subgraphs.users.repository import TokenKey
from subgraphs.users.service.devices import device_removed

if TYPE_CHECKING:
    from shared.events import Delivery
    from shared.sharding import Shards, WriteSession
    from subgraphs.users.repository import DeviceRepository

__all__ = ["DeviceMoves"]

_CONSUMER = "device-moves"


class DeviceMoves:
    """Consumes the events of devices; see the module's text."""

    def __init__(self, shards: Shards, repository: DeviceRepository) -> None:
        self._shards = shards
        self._repository = repository

    async def consume(self, delivery: Delivery) -> None:
        """Do what the event asks for in its slot. Raises ``ShardError`` when that is not possible
        now.
        """
        event = delivery.event
        if (registered := DeviceRegistered.read(event)) is not None:
            key = TokenKey.of(registered.token, slots=self._shards.topology.slots)
            device_id = self._id(registered.device_id)

            async def claim(session: WriteSession) -> None:
                await self._claim(session, key, device_id)

            await once(self._shards, key.slot, consumer=_CONSUMER, event=event, effect=claim)
        elif (displaced := DeviceDisplaced.read(event)) is not None:
            device_id = self._id(displaced.device_id)

            async def remove(session: WriteSession) -> None:
                await self._remove(session, device_id)

            slot = device_id.slot
            await once(self._shards, slot, consumer=_CONSUMER, event=event, effect=remove)

    async def _claim(self, session: WriteSession, key: TokenKey, device_id: EntityId) -> None:
        before = await self._repository.claim(session, key, device_id)
        if before is None or before == device_id:
            return
        older = min(before, device_id, key=lambda one: one.uuid)
        await append(session, DeviceDisplaced(device_id=str(older)), actor=None)

    async def _remove(self, session: WriteSession, device_id: EntityId) -> None:
        removed = await self._repository.delete(session, device_id)
        if removed is not None:
            await append(session, device_removed(removed), actor=None)

    def _id(self, text: str) -> EntityId:
        return EntityId.parse(text, slots=self._shards.topology.slots)
