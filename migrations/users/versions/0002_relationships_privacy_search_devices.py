"""Phones, privacy, search, sessions that rotate, relationships, devices, and processed events.

Revision: 0002, after 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_VISIBILITIES = "('EVERYONE', 'CONTACTS', 'NOBODY')"


def upgrade() -> None:
    _extend_users()
    _extend_sessions()
    _create_one_time_passwords()
    _create_relation("contacts", "owner", "contact", sa.Column("nickname", sa.Text))
    _create_relation("following", "follower", "followee")
    _create_relation("followers", "followee", "follower")
    _create_relation("blocks", "blocker", "blocked")
    _create_devices()
    _create_processed_events()


def downgrade() -> None:
    for table in (
        "processed_events",
        "device_tokens",
        "devices",
        "blocks",
        "followers",
        "following",
        "contacts",
        "one_time_passwords",
        "used_refresh_tokens",
    ):
        op.drop_table(table)
    for column in ("ip", "user_agent", "revoked_at"):
        op.drop_column("sessions", column)
    op.drop_index("users_search_words_idx", "users")
    op.drop_index("users_handle_prefix_idx", "users")
    op.drop_index("users_to_erase_idx", "users")
    op.drop_constraint("users_counts_check", "users")
    for column in (
        "search_words",
        "search_name",
        "following_count",
        "follower_count",
        "privacy_updated_at",
        "read_receipts",
        "about_visibility",
        "profile_photo_visibility",
        "last_seen_visibility",
        "last_seen_at",
        "deleted_at",
        "avatar_media_id",
        "phone",
    ):
        op.drop_column("users", column)


def _slot() -> sa.Column[Any]:
    return sa.Column("slot", sa.SmallInteger, nullable=False, autoincrement=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _extend_users() -> None:
    op.add_column("users", sa.Column("phone", sa.Text))
    op.add_column("users", sa.Column("avatar_media_id", sa.Text))
    op.add_column("users", _time("deleted_at", nullable=True))
    op.add_column("users", _time("last_seen_at", nullable=True))
    for part in ("last_seen", "profile_photo", "about"):
        column = f"{part}_visibility"
        op.add_column(
            "users", sa.Column(column, sa.Text, nullable=False, server_default="EVERYONE")
        )
        op.create_check_constraint(
            f"users_{column}_check", "users", f"{column} IN {_VISIBILITIES}"
        )
    op.add_column(
        "users",
        sa.Column("read_receipts", sa.Boolean, nullable=False, server_default=sa.text("true")),
    )
    op.add_column("users", _time("privacy_updated_at", nullable=True))
    for column in ("follower_count", "following_count"):
        op.add_column(
            "users", sa.Column(column, sa.Integer, nullable=False, server_default=sa.text("0"))
        )
    op.create_check_constraint(
        "users_counts_check", "users", "follower_count >= 0 AND following_count >= 0"
    )
    op.add_column("users", sa.Column("search_name", sa.Text, nullable=False, server_default=""))
    # nearly as shared.text.folded_words would; a user's next change of name makes it exact
    op.execute(
        r"UPDATE users SET search_name = trim(regexp_replace(lower(display_name), '\W+', ' ', 'g'))"
    )
    op.add_column(
        "users",
        sa.Column(
            "search_words",
            postgresql.TSVECTOR,
            sa.Computed("array_to_tsvector(string_to_array(search_name, ' '::text))", persisted=True),
        ),
    )
    op.create_index("users_search_words_idx", "users", ["search_words"], postgresql_using="gin")
    op.create_index(
        "users_handle_prefix_idx",
        "users",
        ["handle"],
        postgresql_ops={"handle": "text_pattern_ops"},
        postgresql_where=sa.text("status = 'ACTIVE'"),
    )
    op.create_index(
        "users_to_erase_idx",
        "users",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )


def _extend_sessions() -> None:
    op.add_column("sessions", _time("revoked_at", nullable=True))
    op.add_column("sessions", sa.Column("user_agent", sa.Text))
    op.add_column("sessions", sa.Column("ip", sa.Text))
    op.create_table(
        "used_refresh_tokens",
        _slot(),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        _time("used_at"),
        sa.PrimaryKeyConstraint(
            "slot", "session_id", "token_hash", name="used_refresh_tokens_pkey"
        ),
    )


def _create_one_time_passwords() -> None:
    op.create_table(
        "one_time_passwords",
        _slot(),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("code_hash", sa.Text),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        _time("expires_at"),
        sa.Column("sends", sa.SmallInteger, nullable=False),
        _time("window_started_at"),
        _time("sent_at"),
        sa.PrimaryKeyConstraint("slot", "phone", name="one_time_passwords_pkey"),
    )
    op.create_index(
        "one_time_passwords_expires_at_idx", "one_time_passwords", ["expires_at"]
    )


def _create_relation(name: str, owner: str, other: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        _slot(),
        sa.Column(f"{owner}_id", sa.Uuid, nullable=False),
        sa.Column(f"{other}_slot", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column(f"{other}_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        _time("created_at"),
        *columns,
        sa.PrimaryKeyConstraint(
            "slot", f"{owner}_id", f"{other}_slot", f"{other}_id", name=f"{name}_pkey"
        ),
    )
    op.create_index(f"{name}_list_idx", name, ["slot", f"{owner}_id", "id"])


def _create_devices() -> None:
    op.create_table(
        "devices",
        _slot(),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("slot", "id", name="devices_pkey"),
        sa.CheckConstraint(
            "platform IN ('ANDROID', 'IOS', 'WEB')", name="devices_platform_check"
        ),
    )
    op.create_index("devices_user_id_idx", "devices", ["slot", "user_id"])
    op.create_table(
        "device_tokens",
        _slot(),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("device_slot", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("device_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("slot", "token_hash", name="device_tokens_pkey"),
    )


def _create_processed_events() -> None:
    op.create_table(
        "processed_events",
        _slot(),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column(
            "processed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.PrimaryKeyConstraint("slot", "consumer", "event_id", name="processed_events_pkey"),
    )
    op.create_index("processed_events_processed_at_idx", "processed_events", ["processed_at"])
