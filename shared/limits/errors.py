"""The refusal of who asks too often."""

from __future__ import annotations

from shared.errors import ErrorCode, SocialnetError

__all__ = ["RateLimitedError"]


class RateLimitedError(SocialnetError):
    """Too often; ``retry_after`` is in how many seconds trying again may succeed."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            ErrorCode.RATE_LIMITED,
            f"Too many attempts. Try again in {retry_after} seconds.",
            {"retryAfter": retry_after},
        )
        self.retry_after = retry_after
