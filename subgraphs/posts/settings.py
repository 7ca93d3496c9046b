"""Settings of the posts subgraph: the common ones, and where the keys of access tokens are."""

from __future__ import annotations

from typing import ClassVar

from pydantic_settings import SettingsConfigDict

from shared.auth import RemoteKeys, TokenVerifier
from shared.errors import OperatorError
from shared.settings import ServiceSettings

__all__ = ["PostsSettings"]


class PostsSettings(ServiceSettings):
    """Read from ``POSTS_*``."""

    model_config = SettingsConfigDict(env_prefix="POSTS_")

    domain: ClassVar[str] = "posts"

    jwks_url: str | None = None
    token_issuer: str = "socialnet"  # noqa: S105 - a name
    token_audience: str = "socialnet"  # noqa: S105 - a name

    def verifier(self) -> TokenVerifier:
        """A verifier with the keys at ``jwks_url``. ``OperatorError`` when that is missing."""
        if self.jwks_url is None:
            raise OperatorError("POSTS_JWKS_URL must be set: /.well-known/jwks.json of users")
        return TokenVerifier(
            RemoteKeys(self.jwks_url),
            issuer=self.token_issuer,
            audience=self.token_audience,
            slots=self.slots,
        )
