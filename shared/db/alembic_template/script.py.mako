"""${message}

The statements are rendered once and run on every shard (see `shared.db.migrations`): write DDL with
`op` and data changes as SQL, `op.execute("UPDATE ...")`. Nothing can be read from a database here.
The previous version of the code must work before, during and after (expand, migrate, contract).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "raise NotImplementedError"}


def downgrade() -> None:
    ${downgrades if downgrades else "raise NotImplementedError"}
