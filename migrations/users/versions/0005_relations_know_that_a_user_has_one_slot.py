"""The planner learns that a user is on one slot: one pair is looked up in the primary key.

Without it slot and user look independent, and a user's list as short as a pair. Then the index of
the list is taken for looking up a pair, and reads all followers of who has very many.

Revision: 0005, after 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OWNERS = {
    "contacts": "owner_id",
    "blocks": "blocker_id",
    "following": "follower_id",
    "followers": "followee_id",
}


def upgrade() -> None:
    for table, owner in OWNERS.items():
        op.execute(
            f"CREATE STATISTICS {table}_owner_slot (dependencies) ON slot, {owner} FROM {table}"
        )
        op.execute(f"ANALYZE {table}")


def downgrade() -> None:
    for table in OWNERS:
        op.execute(f"DROP STATISTICS {table}_owner_slot")
