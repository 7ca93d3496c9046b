"""Devices: where push notifications for a user go to.

A push token belongs to one installation of an app, and so to whoever registered it last. Users are
on many slots, so whose it is stands on a slot of its own: that of the token's hash. Registering
writes on the user's slot only; ``DeviceMoves`` does the rest from the events. So a device that was
registered is never lost, and one that has lost its token goes as soon as events arrive.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from shared.events import append
from shared.sharding import EntityId
from subgraphs.users.errors import AccountInactiveError, DeviceNotFoundError
from subgraphs.users.events import DeviceRegistered, DeviceRemoved
from subgraphs.users.repository import DeviceRecord, TokenKey
from subgraphs.users.service import values
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.limits import RateLimit, RateLimiter
    from shared.sharding import Shards, WriteSession
    from subgraphs.users.repository import DeviceRepository, UserRepository
    from subgraphs.users.tables import DevicePlatform

__all__ = ["MAX_DEVICES", "DeviceService", "device_removed"]

MAX_DEVICES: Final = 20
"""How many devices a user has at most: one more takes the place of the oldest."""


class DeviceService:
    """The viewer's own devices; nobody sees those of others."""

    def __init__(
        self,
        shards: Shards,
        repository: DeviceRepository,
        users: UserRepository,
        limiter: RateLimiter,
        limit: RateLimit | None = None,
    ) -> None:
        """``limit``: how often one user may register a device; None: any number of times."""
        self._shards = shards
        self._repository = repository
        self._users = users
        self._limiter = limiter
        self._limit = limit

    async def list_devices(self, viewer: Viewer) -> list[DeviceRecord]:
        """The viewer's devices, newest first; at most ``MAX_DEVICES``."""
        user_id = viewer.require_user()
        async with self._shards.read(user_id.slot) as session:
            return await self._repository.list_of_user(session, user_id)

    async def register(self, viewer: Viewer, token: str, platform: DevicePlatform) -> DeviceRecord:
        """Send the viewer's notifications to a token, and nobody else's any more.

        Apps do so at every start: a token that is the viewer's already costs two reads, and is the
        same device.

        Raises:
            BadUserInputError: this cannot be a push token.
            AccountInactiveError: the account is not in use.
            RateLimitedError: the viewer has registered too many in a short time.
        """
        user_id = viewer.require_user()
        token = values.push_token(token)
        await self._limiter.hit(self._limit, str(user_id))
        async with self._shards.read(user_id.slot, fresh=True) as session:
            known = await self._repository.find_by_token(session, user_id, token)
        lost = known if known is not None and await self._has_lost(known) else None
        if known is not None and lost is None and known.platform is platform:
            return known
        wanted = DeviceRecord(
            id=EntityId.new(user_id.slot),
            user_id=user_id,
            platform=platform,
            token=token,
            created_at=datetime.now(UTC),
        )
        async with self._shards.write(user_id.slot) as session:
            return await self._register(session, wanted, lost)

    async def remove(self, viewer: Viewer, device_id: EntityId) -> None:
        """Remove one of the viewer's own devices. ``DeviceNotFoundError`` for any other."""
        user_id = viewer.require_user()
        if device_id.slot != user_id.slot:
            raise DeviceNotFoundError
        async with self._shards.write(user_id.slot) as session:
            removed = await self._repository.delete_own(session, user_id, device_id)
            if removed is None:
                raise DeviceNotFoundError
            await append(session, device_removed(removed), actor=user_id)

    async def _has_lost(self, device: DeviceRecord) -> bool:
        """Whether a newer device has the token: this one is about to be removed."""
        key = TokenKey.of(device.token, slots=self._shards.topology.slots)
        async with self._shards.read(key.slot, fresh=True) as session:
            holder = await self._repository.find_holder(session, key)
        return holder is not None and holder.uuid > device.id.uuid

    async def _register(
        self, session: WriteSession, wanted: DeviceRecord, lost: DeviceRecord | None
    ) -> DeviceRecord:
        """The user's row is locked: of two same requests at once the second finds the device."""
        user = await self._users.find_user_locked(session, wanted.user_id)
        if user is None or user.status is not AccountStatus.ACTIVE:
            raise AccountInactiveError
        present = await self._repository.list_of_user(session, wanted.user_id)
        if lost is not None:
            present = await self._without(session, present, [d for d in present if d.id == lost.id])
        same = next((device for device in present if device.token == wanted.token), None)
        if same is not None:
            return await self._on_platform(session, same, wanted.platform)
        await self._without(session, present, present[MAX_DEVICES - 1 :])
        await self._repository.insert(session, wanted)
        await append(session, _registered(wanted), actor=wanted.user_id)
        return wanted

    async def _on_platform(
        self, session: WriteSession, device: DeviceRecord, platform: DevicePlatform
    ) -> DeviceRecord:
        if device.platform is platform:
            return device
        corrected = replace(device, platform=platform)
        await self._repository.set_platform(session, corrected)
        await append(session, _registered(corrected), actor=device.user_id)
        return corrected

    async def _without(
        self, session: WriteSession, present: list[DeviceRecord], unwanted: list[DeviceRecord]
    ) -> list[DeviceRecord]:
        """Remove devices of the viewer's; returns those that stay."""
        for device in unwanted:
            await self._repository.delete(session, device.id)
            await append(session, device_removed(device), actor=device.user_id)
        return [device for device in present if device not in unwanted]


def device_removed(device: DeviceRecord) -> DeviceRemoved:
    """The event of a device that was deleted."""
    return DeviceRemoved(device_id=str(device.id), user_id=str(device.user_id))


def _registered(device: DeviceRecord) -> DeviceRegistered:
    return DeviceRegistered(
        device_id=str(device.id),
        user_id=str(device.user_id),
        platform=device.platform,
        token=device.token,
    )
