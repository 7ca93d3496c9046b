"""The tables of the users domain, on every shard. Migrations create them; see migrations/users."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from shared.db.ownership import ownership_table
from shared.db.tables import domain_metadata, sharded_table, utc_timestamp
from shared.events import outbox_table, processed_events_table
from shared.sharding.identities import identities_table

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem

__all__ = [
    "AccountStatus",
    "DevicePlatform",
    "Visibility",
    "blocks",
    "contacts",
    "device_tokens",
    "devices",
    "followers",
    "following",
    "identities",
    "metadata",
    "one_time_passwords",
    "outbox",
    "ownership",
    "processed_events",
    "sessions",
    "used_refresh_tokens",
    "users",
]


class AccountStatus(StrEnum):
    """The state of an account, as it is stored and as the API shows it."""

    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"
    DELETED = "DELETED"


class Visibility(StrEnum):
    """Who may see a part of a profile."""

    EVERYONE = "EVERYONE"
    CONTACTS = "CONTACTS"
    NOBODY = "NOBODY"


class DevicePlatform(StrEnum):
    """What kind of device a push token is of."""

    ANDROID = "ANDROID"
    IOS = "IOS"
    WEB = "WEB"


metadata = domain_metadata()


def _slot() -> Column[Any]:
    return Column("slot", SmallInteger, nullable=False, autoincrement=False)


def _visibility(part: str) -> tuple[SchemaItem, ...]:
    values = ", ".join(f"'{value}'" for value in Visibility)
    column = f"{part}_visibility"
    return (
        Column(column, Text, nullable=False, server_default=Visibility.EVERYONE.value),
        CheckConstraint(f"{column} IN ({values})", name=column),
    )


def _relation(name: str, owner: str, other: str, *items: SchemaItem) -> Table:
    """Rows of a user about another user, who may live on any slot: on the slot of ``<owner>_id``.

    ``id`` is a UUIDv7 and the order of the list, newest first. The migrations tell the planner that
    an owner is on one slot, else it looks for one pair in the index of the list.
    """
    return Table(
        name,
        metadata,
        _slot(),
        Column(f"{owner}_id", Uuid, nullable=False),
        Column(f"{other}_slot", SmallInteger, nullable=False, autoincrement=False),
        Column(f"{other}_id", Uuid, nullable=False),
        Column("id", Uuid, nullable=False),
        utc_timestamp("created_at"),
        *items,
        PrimaryKeyConstraint("slot", f"{owner}_id", f"{other}_slot", f"{other}_id"),
        Index(f"{name}_list_idx", "slot", f"{owner}_id", "id"),
    )


users = sharded_table(
    "users",
    metadata,
    # Uniqueness over all shards is the identities' matter; these columns say what the user holds.
    Column("email", Text),
    Column("phone", Text),
    Column("handle", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("bio", Text, nullable=False, server_default=""),
    Column("avatar_media_id", Text),
    Column("password_hash", Text),
    Column("status", Text, nullable=False, server_default=AccountStatus.ACTIVE.value),
    # what the user's tokens may do beyond an ordinary user's; set by operators
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    utc_timestamp("created_at"),
    utc_timestamp("updated_at"),
    utc_timestamp("deleted_at", nullable=True),
    utc_timestamp("last_seen_at", nullable=True),
    *_visibility("last_seen"),
    *_visibility("profile_photo"),
    *_visibility("about"),
    Column("read_receipts", Boolean, nullable=False, server_default=text("true")),
    utc_timestamp("privacy_updated_at", nullable=True),
    # kept, not counted; always those of the rows in `followers` and `following`
    Column("follower_count", Integer, nullable=False, server_default=text("0")),
    Column("following_count", Integer, nullable=False, server_default=text("0")),
    # the name's words as they are searched for (shared.text.folded_words), each once
    Column("search_name", Text, nullable=False, server_default=""),
    Column(
        "search_words",
        TSVECTOR,
        Computed("array_to_tsvector(string_to_array(search_name, ' '::text))", persisted=True),
    ),
    CheckConstraint("status IN ('ACTIVE', 'DEACTIVATED', 'DELETED')", name="status"),
    CheckConstraint("follower_count >= 0 AND following_count >= 0", name="counts"),
    # newest first over the whole shard: UUIDv7 sorts by creation
    Index("users_id_idx", "id"),
    Index(
        "users_handle_prefix_idx",
        "handle",
        postgresql_ops={"handle": "text_pattern_ops"},
        postgresql_where=text("status = 'ACTIVE'"),
    ),
    Index("users_search_words_idx", "search_words", postgresql_using="gin"),
    Index("users_to_erase_idx", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
)

sessions = sharded_table(
    "sessions",
    metadata,
    Column("user_id", Uuid, nullable=False),
    # SHA-256 of the refresh token, which itself is stored nowhere
    Column("refresh_token_hash", LargeBinary, nullable=False),
    utc_timestamp("created_at"),
    utc_timestamp("last_used_at"),
    utc_timestamp("expires_at"),
    utc_timestamp("revoked_at", nullable=True),
    Column("user_agent", Text),
    Column("ip", Text),
    Index("sessions_user_id_idx", "user_id"),
    Index("sessions_slot_expires_at_idx", "slot", "expires_at"),
)

# Hashes of refresh tokens that have been exchanged for a newer one: seen again, they were stolen.
used_refresh_tokens = Table(
    "used_refresh_tokens",
    metadata,
    _slot(),
    Column("session_id", Uuid, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    utc_timestamp("used_at"),
    # with the token itself it makes the token's successor again; null: of a former version
    Column("successor_salt", LargeBinary),
    PrimaryKeyConstraint("slot", "session_id", "token_hash"),
    Index("used_refresh_tokens_used_at_idx", "slot", "used_at"),
)

# One row per phone number, on the slot of the number's hash, like its identity.
one_time_passwords = Table(
    "one_time_passwords",
    metadata,
    _slot(),
    Column("phone", Text, nullable=False),
    Column("code_hash", Text),  # null: used, or withdrawn after too many attempts
    Column("attempts", SmallInteger, nullable=False),
    utc_timestamp("expires_at"),
    # sends within the window that began at window_started_at
    Column("sends", SmallInteger, nullable=False),
    utc_timestamp("window_started_at"),
    utc_timestamp("sent_at"),
    PrimaryKeyConstraint("slot", "phone"),
    Index("one_time_passwords_expires_at_idx", "expires_at"),
)

# Contacts and blocks are also looked up by whom they are about, when that user is erased.
contacts = _relation(
    "contacts",
    "owner",
    "contact",
    Column("nickname", Text),
    Index("contacts_contact_idx", "contact_slot", "contact_id", "slot", "owner_id"),
)
# A follow is two rows: the follower's, and the followee's, which the follower's event brings.
following = _relation("following", "follower", "followee")
followers = _relation("followers", "followee", "follower")
blocks = _relation(
    "blocks",
    "blocker",
    "blocked",
    Index("blocks_blocked_idx", "blocked_slot", "blocked_id", "slot", "blocker_id"),
)

devices = sharded_table(
    "devices",
    metadata,
    Column("user_id", Uuid, nullable=False),
    Column("platform", Text, nullable=False),
    Column("token", Text, nullable=False),
    utc_timestamp("created_at"),
    CheckConstraint("platform IN ('ANDROID', 'IOS', 'WEB')", name="platform"),
    Index("devices_user_id_idx", "slot", "user_id"),
)

# Whose a push token is, over all shards: on the slot of the token's hash. The newest device wins.
device_tokens = Table(
    "device_tokens",
    metadata,
    _slot(),
    Column("token_hash", LargeBinary, nullable=False),
    Column("device_slot", SmallInteger, nullable=False, autoincrement=False),
    Column("device_id", Uuid, nullable=False),
    PrimaryKeyConstraint("slot", "token_hash"),
)

identities = identities_table(metadata)
outbox = outbox_table(metadata)
ownership = ownership_table(metadata)
processed_events = processed_events_table(metadata)
