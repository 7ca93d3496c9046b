"""Devices that get one's push notifications."""

import strawberry

from shared.graphql import documented_mutation, parse_id
from subgraphs.users.context import UsersInfo
from subgraphs.users.types import Device, DevicePlatform

__all__ = ["DeviceMutations"]


@strawberry.type
class DeviceMutations:
    """A part of ``Mutation``."""

    @documented_mutation
    async def register_device(
        self, info: UsersInfo, token: str, platform: DevicePlatform
    ) -> Device:
        """Get push notifications on the device with a push token. Apps call it at every start.

        A token is its last registrant's: it moves from whoever had it before. Registered again by
        the same user it is the same device. A 21st device takes the place of the oldest.
        """
        context = info.context
        return Device.of(await context.services.devices.register(context.viewer, token, platform))

    @documented_mutation
    async def remove_device(self, info: UsersInfo, id: strawberry.ID) -> bool:
        """Get no more push notifications on one of one's own devices; NOT_FOUND for any other."""
        context = info.context
        viewer = context.viewer
        await context.services.devices.remove(viewer, parse_id(id, slots=context.slots))
        return True
