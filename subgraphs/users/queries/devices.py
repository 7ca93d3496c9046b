"""Where one's push notifications go to."""

import strawberry

from shared.graphql import documented_field
from subgraphs.users.context import UsersInfo
from subgraphs.users.types import Device

__all__ = ["DeviceQueries"]


@strawberry.type
class DeviceQueries:
    """A part of ``Query``."""

    @documented_field
    async def devices(self, info: UsersInfo) -> list[Device]:
        """One's own devices, the newest first; at most 20."""
        context = info.context
        return list(map(Device.of, await context.services.devices.list_devices(context.viewer)))
