"""All SQL of the users domain, a module per subject: sessions in, records out, no decisions."""

from subgraphs.users.repository.blocks import BlockRepository
from subgraphs.users.repository.contacts import ContactRecord, ContactRepository
from subgraphs.users.repository.devices import DeviceRecord, DeviceRepository, TokenKey
from subgraphs.users.repository.erasure import ErasureRepository
from subgraphs.users.repository.follows import FollowRepository, FollowSide, Reception
from subgraphs.users.repository.holdings import Holdings, HoldingsRepository, IdentityKind
from subgraphs.users.repository.one_time_passwords import (
    CodeState,
    OneTimePasswordRepository,
    SendLimits,
)
from subgraphs.users.repository.presence import (
    ONLINE_FOR,
    LastSeenRepository,
    PresenceStore,
    StoredPresence,
)
from subgraphs.users.repository.privacy import PrivacyRecord, PrivacyRepository
from subgraphs.users.repository.regard import Regard
from subgraphs.users.repository.relation_table import KeyRange, Relation, RelationTable
from subgraphs.users.repository.search import FoundUser, SearchRepository, SearchTerms
from subgraphs.users.repository.seen_pages import SeenRelation
from subgraphs.users.repository.sessions import (
    SessionRecord,
    SessionRepository,
    UsedRefreshToken,
)
from subgraphs.users.repository.standings import Standing, StandingRepository
from subgraphs.users.repository.users import (
    Credentials,
    SeenUser,
    UserRecord,
    UserRepository,
    search_name,
)

__all__ = [
    "ONLINE_FOR",
    "BlockRepository",
    "CodeState",
    "ContactRecord",
    "ContactRepository",
    "Credentials",
    "DeviceRecord",
    "DeviceRepository",
    "ErasureRepository",
    "FollowRepository",
    "FollowSide",
    "FoundUser",
    "Holdings",
    "HoldingsRepository",
    "IdentityKind",
    "KeyRange",
    "LastSeenRepository",
    "OneTimePasswordRepository",
    "PresenceStore",
    "PrivacyRecord",
    "PrivacyRepository",
    "Reception",
    "Regard",
    "Relation",
    "RelationTable",
    "SearchRepository",
    "SearchTerms",
    "SeenRelation",
    "SeenUser",
    "SendLimits",
    "SessionRecord",
    "SessionRepository",
    "Standing",
    "StandingRepository",
    "StoredPresence",
    "TokenKey",
    "UsedRefreshToken",
    "UserRecord",
    "UserRepository",
    "search_name",
]
