"""The tables of the users domain, on every shard. Migrations create them; see migrations/users."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables import domain_metadata, sharded_table, utc_timestamp
from shared.events import outbox_table
from shared.sharding.identities import identities_table

__all__ = ["AccountStatus", "identities", "metadata", "outbox", "sessions", "users"]


class AccountStatus(StrEnum):
    """The state of an account, as it is stored and as the API shows it."""

    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"
    DELETED = "DELETED"


metadata = domain_metadata()

users = sharded_table(
    "users",
    metadata,
    # Uniqueness over all shards is the identities' matter; these columns say what the user holds.
    Column("email", Text),
    Column("handle", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("bio", Text, nullable=False, server_default=""),
    Column("password_hash", Text),
    Column("status", Text, nullable=False, server_default=AccountStatus.ACTIVE.value),
    # what the user's tokens may do beyond an ordinary user's; set by operators
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    utc_timestamp("created_at"),
    utc_timestamp("updated_at"),
    CheckConstraint("status IN ('ACTIVE', 'DEACTIVATED', 'DELETED')", name="status"),
    # newest first over the whole shard: UUIDv7 sorts by creation
    Index("users_id_idx", "id"),
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
    Index("sessions_user_id_idx", "user_id"),
    Index("sessions_expires_at_idx", "expires_at"),
)

identities = identities_table(metadata)
outbox = outbox_table(metadata)
