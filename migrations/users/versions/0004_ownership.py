"""Ownership: which shard of the domain a database is, and which slots it holds.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ownership",
        sa.Column("is_only", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("shard", sa.Text, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("owned", postgresql.ARRAY(sa.SmallInteger), nullable=False),
        sa.PrimaryKeyConstraint("is_only", name="ownership_pkey"),
        sa.CheckConstraint("is_only", name="ownership_is_only_check"),
    )


def downgrade() -> None:
    op.drop_table("ownership")
