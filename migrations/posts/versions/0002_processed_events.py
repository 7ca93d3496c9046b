"""Processed events: what the consumers of the domain have done.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "processed_events",
        sa.Column("slot", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column(
            "processed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.PrimaryKeyConstraint("slot", "consumer", "event_id", name="processed_events_pkey"),
    )
    op.create_index("processed_events_processed_at_idx", "processed_events", ["processed_at"])


def downgrade() -> None:
    op.drop_table("processed_events")
