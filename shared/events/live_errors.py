"""How a subscription learns that it may have missed something."""

from __future__ import annotations

from shared.errors import ErrorCode, SocialnetError

__all__ = ["LiveInterruptedError"]


class LiveInterruptedError(SocialnetError):
    """Live delivery broke or a reader fell too far behind: events may be missing. Subscribe again.

    Ending with an error is the point: no event is dropped silently in the middle of a subscription.
    """

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.INTERNAL_SERVER_ERROR,
            "Live delivery was interrupted. Subscribe again.",
            {"retryable": True},
        )
