"""What the users domain tells the others. Schemas: schema/events/."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime
from typing_extensions import override

from shared.events import EventPayload
from subgraphs.users.tables import DevicePlatform, Visibility

__all__ = [
    "EVENTS",
    "DeviceDisplaced",
    "DeviceRegistered",
    "DeviceRemoved",
    "UserBlocked",
    "UserDeactivated",
    "UserDeleted",
    "UserErased",
    "UserFollowed",
    "UserFollowerRemoved",
    "UserPrivacyChanged",
    "UserReactivated",
    "UserRegistered",
    "UserSessionsEnded",
    "UserUnblocked",
    "UserUnfollowed",
    "UserUpdated",
]


class UserRegistered(EventPayload):
    """Somebody has made an account. Holds nothing private."""

    event_type: ClassVar[str] = "user.registered"

    user_id: str
    handle: str
    display_name: str
    created_at: AwareDatetime

    @override
    def entity_id(self) -> str:
        return self.user_id


class UserUpdated(EventPayload):
    """A profile has changed. Holds it as it is now, without anything private."""

    event_type: ClassVar[str] = "user.updated"

    user_id: str
    handle: str
    display_name: str
    bio: str

    @override
    def entity_id(self) -> str:
        return self.user_id


class UserPrivacyChanged(EventPayload):
    """Privacy settings have changed. Holds them as they are now: EVERYONE, CONTACTS or NOBODY."""

    event_type: ClassVar[str] = "user.privacy_changed"

    user_id: str
    last_seen: Visibility
    profile_photo: Visibility
    about: Visibility
    read_receipts: bool

    @override
    def entity_id(self) -> str:
        return self.user_id


class UserSessionsEnded(EventPayload):
    """Somebody was signed out, on one device or several: nothing may go on with these sessions."""

    event_type: ClassVar[str] = "user.sessions_ended"

    user_id: str
    session_ids: tuple[str, ...]

    @override
    def entity_id(self) -> str:
        # not the user's: their other events need not wait for it while Redis is down
        return self.session_ids[0]


class _FollowPayload(EventPayload):
    """Who follows whom. ``follow_id`` tells this follow from earlier and later ones of the pair."""

    follower_id: str
    followee_id: str
    follow_id: UUID

    @override
    def entity_id(self) -> str:
        return self.follower_id


class UserFollowed(_FollowPayload):
    """Somebody follows somebody. An earlier follow of the same pair has ended by this."""

    event_type: ClassVar[str] = "user.followed"


class UserUnfollowed(_FollowPayload):
    """A follow has ended, on the follower's side."""

    event_type: ClassVar[str] = "user.unfollowed"


class UserFollowerRemoved(_FollowPayload):
    """A follow has ended, or never begun, on the followee's side: by a block, or because the
    followee is gone.
    """

    event_type: ClassVar[str] = "user.follower_removed"


class _BlockPayload(EventPayload):
    """Who has blocked whom. ``block_id`` tells this block from others of the same pair."""

    blocker_id: str
    blocked_id: str
    block_id: UUID

    @override
    def entity_id(self) -> str:
        return self.blocker_id


class UserBlocked(_BlockPayload):
    """Somebody has blocked somebody. That their follows have ended is told by events of its own."""

    event_type: ClassVar[str] = "user.blocked"


class UserUnblocked(_BlockPayload):
    """Somebody has taken a block back."""

    event_type: ClassVar[str] = "user.unblocked"


class _DevicePayload(EventPayload):
    """Which device. The events of one device come in order."""

    device_id: str

    @override
    def entity_id(self) -> str:
        return self.device_id


class DeviceRegistered(_DevicePayload):
    """A user gets push notifications on a device; told again when its platform was corrected. The
    token is only good together with the app's own credentials at the push service.
    """

    event_type: ClassVar[str] = "device.registered"

    user_id: str
    platform: DevicePlatform
    token: str


class DeviceDisplaced(_DevicePayload):
    """The device's token was registered again by somebody else: the users domain removes it."""

    event_type: ClassVar[str] = "device.displaced"


class DeviceRemoved(_DevicePayload):
    """A user gets no push notifications on a device any more."""

    event_type: ClassVar[str] = "device.removed"

    user_id: str


class _AccountEvent(EventPayload):
    """Something has happened to an account as a whole."""

    user_id: str

    @override
    def entity_id(self) -> str:
        return self.user_id


class UserDeactivated(_AccountEvent):
    """A user has left for the time being: hidden until the next sign-in."""

    event_type: ClassVar[str] = "user.deactivated"


class UserReactivated(_AccountEvent):
    """A user who had left is back."""

    event_type: ClassVar[str] = "user.reactivated"


class UserDeleted(_AccountEvent):
    """A user has deleted their account: a nameless stub from now on. `user.erased` follows."""

    event_type: ClassVar[str] = "user.deleted"


class UserErased(_AccountEvent):
    """What was known of a deleted user is gone; who keeps more about them forgets it too."""

    event_type: ClassVar[str] = "user.erased"


EVENTS: tuple[type[EventPayload], ...] = (
    UserRegistered,
    UserUpdated,
    UserPrivacyChanged,
    UserSessionsEnded,
    UserFollowed,
    UserUnfollowed,
    UserFollowerRemoved,
    UserBlocked,
    UserUnblocked,
    DeviceRegistered,
    DeviceDisplaced,
    DeviceRemoved,
    UserDeactivated,
    UserReactivated,
    UserDeleted,
    UserErased,
)
"""Every event of the domain."""
