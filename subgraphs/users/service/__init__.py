"""The rules of the users domain: what may be entered, who may see what, what happens together."""

from subgraphs.users.repository import StoredPresence
from subgraphs.users.service.accounts import AccountService, Login, Registration
from subgraphs.users.service.blocks import BlockService
from subgraphs.users.service.contact_sync import ContactSyncService
from subgraphs.users.service.contacts import Contact, ContactService
from subgraphs.users.service.credentials import CredentialService
from subgraphs.users.service.device_moves import DeviceMoves
from subgraphs.users.service.devices import DeviceService
from subgraphs.users.service.erasure import ErasedUsers, ErasureService
from subgraphs.users.service.follow_lists import FollowListService, Listed
from subgraphs.users.service.follow_mirror import FollowMirror
from subgraphs.users.service.follows import FollowService
from subgraphs.users.service.identity_changes import IdentityChanges
from subgraphs.users.service.lifecycle import LifecycleService
from subgraphs.users.service.limits import AccountLimits
from subgraphs.users.service.otp import IssuedCode, OtpRules, OtpService
from subgraphs.users.service.phones import PhoneService
from subgraphs.users.service.presence import (
    Look,
    Presence,
    PresenceAnnouncer,
    PresenceConsumer,
    PresenceService,
    presence_of,
)
from subgraphs.users.service.privacy import PrivacyChange, PrivacyService, PrivacySettings
from subgraphs.users.service.profiles import (
    AvatarChange,
    Profile,
    ProfileChange,
    ProfileService,
)
from subgraphs.users.service.search import SearchService
from subgraphs.users.service.sessions import SessionPolicy, SessionService, SignedIn
from subgraphs.users.service.signing_in import SigningIn
from subgraphs.users.service.stats import StatsService

__all__ = [
    "AccountLimits",
    "AccountService",
    "AvatarChange",
    "BlockService",
    "Contact",
    "ContactService",
    "ContactSyncService",
    "CredentialService",
    "DeviceMoves",
    "DeviceService",
    "ErasedUsers",
    "ErasureService",
    "FollowListService",
    "FollowMirror",
    "FollowService",
    "IdentityChanges",
    "IssuedCode",
    "LifecycleService",
    "Listed",
    "Login",
    "Look",
    "OtpRules",
    "OtpService",
    "PhoneService",
    "Presence",
    "PresenceAnnouncer",
    "PresenceConsumer",
    "PresenceService",
    "PrivacyChange",
    "PrivacyService",
    "PrivacySettings",
    "Profile",
    "ProfileChange",
    "ProfileService",
    "Registration",
    "SearchService",
    "SessionPolicy",
    "SessionService",
    "SignedIn",
    "SigningIn",
    "StatsService",
    "StoredPresence",
    "presence_of",
]
