"""Authentication of requests: from their headers, or from the payload of ``connection_init``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.server.access.jwks import Jwks, SharedSecret, read_file, read_url
from router.server.access.token import TokenSource
from router.server.access.verifier import (
    TokenVerifier,
    VerifierSettings,
    invalid_token,
    revoked_token,
)
from router.server.errors import RequestError, RequestErrorCode
from router.server.settings import BadTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from router.server.access.identity import Identity
    from router.server.access.issuers import JwtIssuer
    from router.server.access.jwks import KeySource
    from router.server.headers import RequestHeaders
    from router.server.settings import RouterSettings

__all__ = ["Authenticator", "make_authenticator"]


class Authenticator:
    """Says who a request comes from; None is an anonymous caller, unless ``required``.

    ``is_revoked`` tells of somebody whose token is good otherwise whether it has been revoked.
    ``ignore_bad``: who has a bad token is anonymous, instead of being refused.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        source: TokenSource,
        *,
        required: bool,
        is_revoked: Callable[[Identity], bool],
        ignore_bad: bool = False,
    ) -> None:
        self._verifier = verifier
        self._source = source
        self._required = required
        self._is_revoked = is_revoked
        self._ignore_bad = ignore_bad

    async def identify(self, headers: RequestHeaders) -> None:
        """Find out whose request it is.

        Raises RequestError: the token is not good or has been revoked, there is none where one is
        required, or it cannot be checked.
        """
        try:
            headers.identity = await self._identity(self._source.find(headers.credentials))
        except RequestError:
            if not self._ignore_bad:
                raise

    async def identify_by_init(
        self, payload: Mapping[str, Any], handshake: Sequence[tuple[bytes, bytes]]
    ) -> Identity | None:
        """Return the caller of a WebSocket connection: by the payload of ``connection_init``, its
        members or its ``headers``, or by the credentials of the handshake. Raises RequestError.
        """
        try:
            return await self._by_init(payload, handshake)
        except RequestError:
            if not self._ignore_bad:
                raise
            return None

    async def aclose(self) -> None:
        """Let go of the keys."""
        await self._verifier.aclose()

    async def _by_init(
        self, payload: Mapping[str, Any], handshake: Sequence[tuple[bytes, bytes]]
    ) -> Identity | None:
        nested = payload.get("headers")
        members = [*payload.items(), *(nested.items() if isinstance(nested, dict) else ())]
        values = [value for name, value in members if name.lower() == self._source.header]
        if not values:
            return await self._identity(self._source.find(handshake))
        value = values[0]
        if not isinstance(value, str) or any(other != value for other in values):
            raise invalid_token()
        return await self._identity(self._source.read(value))

    async def _identity(self, token: str | None) -> Identity | None:
        if token is not None:
            identity = await self._verifier.verify(token)
            if self._is_revoked(identity):
                raise revoked_token()
            return identity
        if self._required:
            raise RequestError(
                RequestErrorCode.UNAUTHENTICATED,
                "An access token is required",
                status=401,
                headers=((b"www-authenticate", b"Bearer"),),
            )
        return None


def make_authenticator(
    settings: RouterSettings, is_revoked: Callable[[Identity], bool]
) -> Authenticator | None:
    """Return what the settings ask for, None when tokens are not the router's business."""
    if not settings.jwt_issuers:
        return None
    issuers = {
        issuer.issuer: (issuer, _key_source(issuer, settings)) for issuer in settings.jwt_issuers
    }
    verifier = TokenVerifier(
        issuers,
        VerifierSettings(
            leeway=settings.jwt_leeway,
            required_claims=settings.jwt_required_claims,
            scope_claim=settings.jwt_scope_claim,
            policy_claim=settings.jwt_policy_claim,
            cache_size=settings.jwt_cache_size,
        ),
    )
    return Authenticator(
        verifier,
        token_source(settings),
        required=settings.jwt_required,
        is_revoked=is_revoked,
        ignore_bad=settings.jwt_bad_tokens is BadTokens.IGNORE,
    )


def token_source(settings: RouterSettings) -> TokenSource:
    """Return where tokens are looked for."""
    return TokenSource(settings.jwt_header, settings.jwt_scheme, settings.jwt_cookie)


def _key_source(issuer: JwtIssuer, settings: RouterSettings) -> KeySource:
    if issuer.secret is not None:
        return SharedSecret(issuer.secret.get_secret_value())
    if issuer.jwks_file is not None:
        read = read_file(issuer.jwks_file)
    else:
        read = read_url(str(issuer.jwks_url), timeout=settings.jwks_timeout)
    return Jwks(
        read,
        issuer.algorithms,
        max_age=settings.jwks_max_age,
        min_interval=settings.jwks_min_interval,
        name=issuer.issuer,
    )
