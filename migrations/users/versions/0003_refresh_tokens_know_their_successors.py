"""Used refresh tokens know how their successors are made, and are found by age.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null in rows of the previous code: nothing is repeated for them.
    op.add_column("used_refresh_tokens", sa.Column("successor_salt", sa.LargeBinary))
    op.create_index(
        "used_refresh_tokens_used_at_idx", "used_refresh_tokens", ["slot", "used_at"]
    )
    op.create_index("sessions_slot_expires_at_idx", "sessions", ["slot", "expires_at"])
    op.drop_index("sessions_expires_at_idx", "sessions")


def downgrade() -> None:
    op.create_index("sessions_expires_at_idx", "sessions", ["expires_at"])
    op.drop_index("sessions_slot_expires_at_idx", "sessions")
    op.drop_index("used_refresh_tokens_used_at_idx", "used_refresh_tokens")
    op.drop_column("used_refresh_tokens", "successor_salt")
