"""How the loss or slowness of a shard is told to a client, and which driver errors mean it.

Both errors are retryable. ``shard`` is for logs and metrics; the message names neither shard, host
nor statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import ErrorCode, SocialnetError

if TYPE_CHECKING:
    from shared.sharding.ids import ShardId

__all__ = ["ShardError", "ShardTimeoutError", "ShardUnavailableError"]


class ShardError(SocialnetError):
    """A shard could not answer; the same request may succeed later."""

    def __init__(self, code: ErrorCode, message: str, shard: ShardId) -> None:
        super().__init__(code, message, {"retryable": True})
        self.shard = shard


class ShardUnavailableError(ShardError):
    """The shard cannot be reached, is stopping or starting, or was lost (``SHARD_UNAVAILABLE``)."""

    def __init__(self, shard: ShardId) -> None:
        message = "A part of the data is temporarily unavailable. Try again later."
        super().__init__(ErrorCode.SHARD_UNAVAILABLE, message, shard)


class ShardTimeoutError(ShardError):
    """The shard is there but did not answer in time (``TIMEOUT``)."""

    def __init__(self, shard: ShardId) -> None:
        super().__init__(ErrorCode.TIMEOUT, "The data could not be read or written in time.", shard)
