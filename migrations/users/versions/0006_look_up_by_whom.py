"""Contacts, blocks and identities are found by the user whom they are about.

The indexes of contacts and blocks hold the whole pair: who looks up one pair by them, however many
rows there are about the user, reads one row.

Revision: 0006, after 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INDEXES = (
    ("contacts_contact_idx", "contacts", ["contact_slot", "contact_id", "slot", "owner_id"]),
    ("blocks_blocked_idx", "blocks", ["blocked_slot", "blocked_id", "slot", "blocker_id"]),
    ("identities_owner_idx", "identities", ["owner_slot", "owner_id"]),
)


def upgrade() -> None:
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, _ in _INDEXES:
        op.drop_index(name, table)
