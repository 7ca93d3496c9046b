"""The type Device: where one's push notifications go to."""

from datetime import datetime
from typing import Self

import strawberry

from subgraphs.users.repository import DeviceRecord
from subgraphs.users.tables import DevicePlatform

__all__ = ["Device", "DevicePlatform"]

strawberry.enum(DevicePlatform, description="What kind of push service a device is reached by.")


@strawberry.type(description="A device that gets one's push notifications.")
class Device:
    """A device as its own user sees it. The token is not shown to anybody."""

    id: strawberry.ID
    platform: DevicePlatform
    created_at: datetime = strawberry.field(description="When its token was registered first.")

    @classmethod
    def of(cls, record: DeviceRecord) -> Self:
        """The type of a device."""
        return cls(
            id=strawberry.ID(str(record.id)),
            platform=record.platform,
            created_at=record.created_at,
        )
