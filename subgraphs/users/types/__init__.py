"""GraphQL types of the users subgraph, a module per subject."""

from subgraphs.users.types.auth import AuthPayload, OtpPayload
from subgraphs.users.types.contact import Contact, ContactConnection
from subgraphs.users.types.device import Device, DevicePlatform
from subgraphs.users.types.lists import load_listed
from subgraphs.users.types.media import Media
from subgraphs.users.types.presence import Presence
from subgraphs.users.types.privacy import PrivacySettings, Visibility
from subgraphs.users.types.session import Session
from subgraphs.users.types.stats import ShardStats
from subgraphs.users.types.user import User, UserConnection

__all__ = [
    "AuthPayload",
    "Contact",
    "ContactConnection",
    "Device",
    "DevicePlatform",
    "Media",
    "OtpPayload",
    "Presence",
    "PrivacySettings",
    "Session",
    "ShardStats",
    "User",
    "UserConnection",
    "Visibility",
    "load_listed",
]
