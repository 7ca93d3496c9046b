"""The context of one operation: who is calling, and what has been loaded for it so far.

HTTP: one per request. WebSocket: one per connection, from which each operation gets its own
(``fork``), and each event of a subscription its own loaders (``forget_loaded``), since what was
loaded for one event may be out of date at the next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.auth import (
    Client,
    TokenExpiredError,
    TokenRevokedError,
    TokenVerifier,
    UnauthenticatedError,
    Viewer,
    bearer_token,
)
from shared.errors import SocialnetError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from shared.revocations import RevokedSessions

__all__ = ["Authenticator", "SubgraphContext"]


class Authenticator:
    """Turns what a request brings into a viewer."""

    def __init__(self, verifier: TokenVerifier, revoked: RevokedSessions | None = None) -> None:
        """``revoked``: sessions whose tokens are good no longer."""
        self._verifier = verifier
        self._revoked = revoked

    async def authenticate(self, authorization: str | None) -> Viewer | SocialnetError | None:
        """The viewer, None without a token, or why the token was refused.

        A bad token is returned, not raised: it matters only to fields that need a viewer. Signing
        in with an expired token in the header must be possible.
        """
        try:
            token = bearer_token(authorization)
            return None if token is None else await self._verifier.verify(token)
        except SocialnetError as error:
            return error

    def require_current(self, viewer: Viewer) -> None:
        """Raise ``TokenExpiredError`` or ``TokenRevokedError`` when the viewer's token is good no
        longer.
        """
        if datetime.now(UTC) >= viewer.expires_at:
            raise TokenExpiredError
        if self._revoked is not None and viewer.session_id in self._revoked:
            raise TokenRevokedError


class SubgraphContext(ABC):
    """Base of every subgraph's context.

    ``diagnostics`` adds statement counts to answers. ``connection_params`` is where Strawberry puts
    the payload of ``connection_init``; ``router_secret`` is what the request had as such;
    ``client`` is known in mutations alone.
    """

    def __init__(self, authenticator: Authenticator, *, diagnostics: bool = False) -> None:
        self.authenticator = authenticator
        self.diagnostics = diagnostics
        self.connection_params: dict[str, object] | None = None
        self.router_secret: str | None = None
        self.client = Client()
        self.partial_failures: list[tuple[SocialnetError, list[str | int]]] = []
        self._authentication: Viewer | SocialnetError | None = None

    @property
    def viewer(self) -> Viewer:
        """Who is calling;

        ``UNAUTHENTICATED``, ``TOKEN_EXPIRED`` or ``TOKEN_INVALID`` when that is not known.
        """
        match self._authentication:
            case Viewer() as viewer:
                # a connection may outlive the token that it was opened with
                self.authenticator.require_current(viewer)
                return viewer
            case SocialnetError() as refusal:
                # a fresh traceback each time: the same refusal may be raised by many fields
                raise refusal.with_traceback(None)
            case _:
                raise UnauthenticatedError

    @property
    def viewer_if_any(self) -> Viewer | None:
        """Who is calling, None when nobody says who they are: for what differs by being signed in.

        A token that is no good is refused as by ``viewer``: whoever sends one means to be somebody.
        """
        return None if self._authentication is None else self.viewer

    async def sign_in(self, authorization: str | None) -> None:
        """Take the viewer from an ``Authorization`` value."""
        self._authentication = await self.authenticator.authenticate(authorization)

    def report(self, failure: SocialnetError, path: list[str | int]) -> None:
        """Tell the client of a failure in a field that has an answer all the same, because only a
        part is missing.
        """
        self.partial_failures.append((failure, path))

    def report_all(self, failures: Iterable[SocialnetError], path: list[str | int]) -> None:
        """``report`` each of them: a list that lacks what several shards have."""
        for failure in failures:
            self.report(failure, path)

    def fork(self) -> Self:
        """A context for another operation of the same caller."""
        copy = self._copy()
        copy.connection_params = self.connection_params
        copy.client = self.client
        copy._authentication = self._authentication
        return copy

    @property
    @abstractmethod
    def slots(self) -> int:
        """The deployment's number of slots, for reading IDs."""

    @abstractmethod
    def _copy(self) -> Self:
        """A new context with the same services."""

    @abstractmethod
    def forget_loaded(self) -> None:
        """Drop all loaders: after a write, and before each event of a subscription."""
