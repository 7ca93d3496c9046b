"""How often somebody may ask: rates by address, by user, for mutations, and by cost.

``buckets`` has the arithmetic, ``memory`` and ``redis_store`` keep the state, ``fallback`` decides
what happens while Redis is away, ``limiter`` is what requests meet.
"""
