"""Advisory locks that several programs agree on.

PostgreSQL keeps them per database, so one number serves all domains.
"""

from __future__ import annotations

from typing import Final

__all__ = ["SCHEMA_LOCK"]

SCHEMA_LOCK: Final = 0x736F_6369_616C_0001  # "social", 1
"""Held by who changes the schema or needs it unchanged (a migration, the move of a slot)."""
