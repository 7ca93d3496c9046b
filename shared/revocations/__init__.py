"""Sessions that were ended while access tokens of them may still be good, known to every process.

users ends a session -> its outbox -> ``RevocationConsumer`` -> a Redis stream -> ``RevocationFeed``
in each process of each subgraph -> ``RevokedSessions``, which the authenticator asks. The router
reads the same stream (``ROUTER_REVOCATION_REDIS_URL``) and ends what is open.
"""

from shared.revocations.consumer import RevocationConsumer
from shared.revocations.feed import REVOCATION_STREAM, RevocationFeed
from shared.revocations.revoked import RevokedSessions

__all__ = ["REVOCATION_STREAM", "RevocationConsumer", "RevocationFeed", "RevokedSessions"]
