"""The SQL of the tables `devices` and `device_tokens`."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    SmallInteger,
    Uuid,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from shared.sharding import EntityId, Slot, slot_for
from subgraphs.users.tables import DevicePlatform, device_tokens, devices

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

    from sqlalchemy import Row

    from shared.sharding import Session, WriteSession

__all__ = ["DeviceRecord", "DeviceRepository", "TokenKey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """A device of a user, on the user's slot."""

    id: EntityId
    user_id: EntityId
    platform: DevicePlatform
    token: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TokenKey:
    """Where it is kept whose a push token is: by its hash, whoever has it."""

    slot: Slot
    hash: bytes

    @classmethod
    def of(cls, token: str, *, slots: int) -> Self:
        """The key of a token."""
        digest = sha256(token.encode()).digest()
        return cls(slot_for(digest.hex(), slots), digest)


_COLUMNS = (
    devices.c.slot,
    devices.c.id,
    devices.c.user_id,
    devices.c.platform,
    devices.c.token,
    devices.c.created_at,
)
_IS_DEVICE = (devices.c.slot == bindparam("slot_")) & (devices.c.id == bindparam("id_"))
_IS_OF_USER = (devices.c.slot == bindparam("slot_")) & (devices.c.user_id == bindparam("user_"))

_OF_USER = select(*_COLUMNS).where(_IS_OF_USER).order_by(devices.c.id.desc())
# of several only the newest can be the one that has the token
_OF_USER_WITH_TOKEN = _OF_USER.where(devices.c.token == bindparam("token_")).limit(1)
_INSERT = insert(devices)
_SET_PLATFORM = update(devices).where(_IS_DEVICE).values(platform=bindparam("platform_"))
_DELETE = delete(devices).where(_IS_DEVICE).returning(*_COLUMNS)
_DELETE_OWN = _DELETE.where(devices.c.user_id == bindparam("user_"))

_IS_TOKEN = (device_tokens.c.slot == bindparam("slot_")) & (
    device_tokens.c.token_hash == bindparam("hash_")
)
_HOLDER = select(device_tokens.c.device_slot, device_tokens.c.device_id).where(_IS_TOKEN)
_insert_claim = insert_or_update(device_tokens)
_is_newer = _insert_claim.excluded.device_id > device_tokens.c.device_id
_CLAIM = _insert_claim.on_conflict_do_update(
    index_elements=list(device_tokens.primary_key),
    set_={
        "device_slot": case(
            (_is_newer, _insert_claim.excluded.device_slot), else_=device_tokens.c.device_slot
        ),
        "device_id": func.greatest(_insert_claim.excluded.device_id, device_tokens.c.device_id),
    },
).returning(
    literal_column("old.device_slot", SmallInteger).label("device_slot"),
    literal_column("old.device_id", Uuid).label("device_id"),
)


class DeviceRepository:
    """Reads and writes devices, and whose a push token is."""

    async def list_of_user(self, session: Session, user_id: EntityId) -> list[DeviceRecord]:
        """The devices of a user, newest first."""
        return [_record(row) for row in await session.execute(_OF_USER, _owner(user_id))]

    async def find_by_token(
        self, session: Session, user_id: EntityId, token: str
    ) -> DeviceRecord | None:
        """The device of a user with a token."""
        parameters = {**_owner(user_id), "token_": token}
        row = (await session.execute(_OF_USER_WITH_TOKEN, parameters)).one_or_none()
        return None if row is None else _record(row)

    async def insert(self, session: WriteSession, device: DeviceRecord) -> None:
        """Insert a new device."""
        await session.execute(
            _INSERT,
            {
                "slot": device.id.slot,
                "id": device.id.uuid,
                "user_id": device.user_id.uuid,
                "platform": device.platform,
                "token": device.token,
                "created_at": device.created_at,
            },
        )

    async def set_platform(self, session: WriteSession, device: DeviceRecord) -> None:
        """Store the platform of a device."""
        await session.execute(_SET_PLATFORM, {**_key(device.id), "platform_": device.platform})

    async def delete(self, session: WriteSession, device_id: EntityId) -> DeviceRecord | None:
        """Delete a device, whoever has it; None when it is not there."""
        row = (await session.execute(_DELETE, _key(device_id))).one_or_none()
        return None if row is None else _record(row)

    async def delete_own(
        self, session: WriteSession, user_id: EntityId, device_id: EntityId
    ) -> DeviceRecord | None:
        """Delete a device if it is this user's; None when it is not, or not there."""
        parameters = {**_key(device_id), "user_": user_id.uuid}
        row = (await session.execute(_DELETE_OWN, parameters)).one_or_none()
        return None if row is None else _record(row)

    async def find_holder(self, session: Session, key: TokenKey) -> EntityId | None:
        """The device that has a token, as far as it has been decided; it may have been removed."""
        row = (await session.execute(_HOLDER, _token(key))).one_or_none()
        return None if row is None else _device_id(row)

    async def claim(
        self, session: WriteSession, key: TokenKey, device_id: EntityId
    ) -> EntityId | None:
        """Give a token to a device, unless a newer one has it; returns which one had it before."""
        parameters = {
            "slot": key.slot,
            "token_hash": key.hash,
            "device_slot": device_id.slot,
            "device_id": device_id.uuid,
        }
        row = (await session.execute(_CLAIM, parameters)).one()
        return None if row.device_id is None else _device_id(row)


def _key(device_id: EntityId) -> dict[str, object]:
    return {"slot_": device_id.slot, "id_": device_id.uuid}


def _owner(user_id: EntityId) -> dict[str, object]:
    return {"slot_": user_id.slot, "user_": user_id.uuid}


def _token(key: TokenKey) -> dict[str, object]:
    return {"slot_": key.slot, "hash_": key.hash}


def _device_id(row: Row[Any]) -> EntityId:  # Any: the row names a device
    return EntityId(Slot(row.device_slot), row.device_id)


def _record(row: Row[Any]) -> DeviceRecord:  # Any: the columns are those of _COLUMNS
    slot = Slot(row.slot)
    return DeviceRecord(
        id=EntityId(slot, row.id),
        user_id=EntityId(slot, row.user_id),
        platform=DevicePlatform(row.platform),
        token=row.token,
        created_at=row.created_at,
    )
