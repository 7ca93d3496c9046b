"""The SQL of the relay, which runs on asyncpg itself."""

from __future__ import annotations

from typing import Final

__all__ = ["LOCK_KEY", "MARK", "PRUNE", "PRUNE_PROCESSED", "TAKE", "TRY_LOCK"]

# any fixed number will do, as long as nothing else in the domain's databases takes it
LOCK_KEY: Final = 0x6F_75_74_62_6F_78  # "outbox"

TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock($1)"
# SKIP LOCKED: rows that something else holds (a slot being moved) must not stop the others
TAKE: Final = """
    SELECT slot, id, key, type, version, occurred_at, actor, payload,
           extract(epoch FROM clock_timestamp() - recorded_at)::float8 AS age
      FROM outbox
     WHERE published_at IS NULL AND key <> ALL ($2::text[])
     ORDER BY recorded_at, id
     LIMIT $1
       FOR UPDATE SKIP LOCKED
"""
MARK: Final = """
    UPDATE outbox SET published_at = clock_timestamp()
      FROM unnest($1::smallint[], $2::uuid[]) AS done(slot, id)
     WHERE outbox.slot = done.slot AND outbox.id = done.id
"""
PRUNE: Final = """
    DELETE FROM outbox
     WHERE (slot, id) IN (SELECT slot, id FROM outbox
                           WHERE published_at < now() - make_interval(secs => $1)
                           LIMIT $2)
"""
PRUNE_PROCESSED: Final = """
    DELETE FROM processed_events
     WHERE (slot, consumer, event_id) IN (SELECT slot, consumer, event_id FROM processed_events
                                           WHERE processed_at < now() - make_interval(secs => $1)
                                           LIMIT $2)
"""
