"""Refusals of the posts subgraph."""

from __future__ import annotations

from shared.auth import ForbiddenError
from shared.errors import ErrorCode, SocialnetError

__all__ = ["NotTheAuthorError", "PostNotFoundError"]


class PostNotFoundError(SocialnetError):
    """A mutation names a post that does not exist, or that its caller may not see."""

    def __init__(self, field: str = "id") -> None:
        super().__init__(ErrorCode.NOT_FOUND, "There is no such post.", {"field": field})


class NotTheAuthorError(ForbiddenError):
    """Only the author may do this with a post."""

    def __init__(self) -> None:
        super().__init__("Only its author may do this with a post.")
