"""Posts, the number of posts per author, and the outbox.

Revision: 0001, the first
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "posts",
        sa.Column("slot", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("author_id", sa.Uuid, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("reply_to_slot", sa.SmallInteger),
        sa.Column("reply_to_id", sa.Uuid),
        sa.Column("quote_of_slot", sa.SmallInteger),
        sa.Column("quote_of_id", sa.Uuid),
        sa.Column("client_request_id", sa.Uuid),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True)),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("slot", "id", name="posts_pkey"),
        sa.CheckConstraint(
            "visibility IN ('PUBLIC', 'FOLLOWERS', 'CONTACTS')", name="posts_visibility_check"
        ),
        sa.CheckConstraint(
            "(reply_to_slot IS NULL) = (reply_to_id IS NULL)", name="posts_reply_to_check"
        ),
        sa.CheckConstraint(
            "(quote_of_slot IS NULL) = (quote_of_id IS NULL)", name="posts_quote_of_check"
        ),
    )
    # an author's posts, newest first: UUIDv7 sorts by creation
    op.create_index(
        "posts_author_id_id_idx",
        "posts",
        ["author_id", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "posts_author_id_client_request_id_idx",
        "posts",
        ["author_id", "client_request_id"],
        unique=True,
        postgresql_where=sa.text("client_request_id IS NOT NULL"),
    )

    op.create_table(
        "author_counters",
        sa.Column("slot", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("post_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("slot", "id", name="author_counters_pkey"),
        sa.CheckConstraint("post_count >= 0", name="author_counters_post_count_check"),
    )

    _create_outbox()


def downgrade() -> None:
    op.drop_table("outbox")
    op.execute("DROP FUNCTION notify_outbox()")
    op.drop_table("author_counters")
    op.drop_table("posts")


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("slot", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("version", sa.SmallInteger, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("payload", postgresql.JSONB, nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
        ),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("slot", "id", name="outbox_pkey"),
    )
    op.create_index(
        "outbox_unpublished_idx",
        "outbox",
        ["recorded_at", "id"],
        postgresql_where=sa.text("published_at IS NULL"),
    )
    op.create_index(
        "outbox_published_idx",
        "outbox",
        ["published_at"],
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
    op.execute(
        """
        CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('outbox', '');
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER outbox_notify AFTER INSERT ON outbox
        FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox()
        """
    )
