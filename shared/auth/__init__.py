"""Who is calling: access tokens, the keys that sign them, the viewer they name, passwords, and the
client that a request came from.
"""

from shared.auth.client import CLIENT_ADDRESS_HEADER, Client
from shared.auth.errors import (
    ForbiddenError,
    SigningKeysUnavailableError,
    TokenExpiredError,
    TokenInvalidError,
    TokenRevokedError,
    UnauthenticatedError,
)
from shared.auth.jwks import KeySource, RemoteKeys, StaticKeys
from shared.auth.keys import PublicKey, SigningKey
from shared.auth.passwords import PasswordCheck, PasswordHashing, check_password_rules
from shared.auth.tokens import IssuedToken, TokenIssuer
from shared.auth.verifier import TokenVerifier, bearer_token
from shared.auth.viewer import Scope, Viewer

__all__ = [
    "CLIENT_ADDRESS_HEADER",
    "Client",
    "ForbiddenError",
    "IssuedToken",
    "KeySource",
    "PasswordCheck",
    "PasswordHashing",
    "PublicKey",
    "RemoteKeys",
    "Scope",
    "SigningKey",
    "SigningKeysUnavailableError",
    "StaticKeys",
    "TokenExpiredError",
    "TokenInvalidError",
    "TokenIssuer",
    "TokenRevokedError",
    "TokenVerifier",
    "UnauthenticatedError",
    "Viewer",
    "bearer_token",
    "check_password_rules",
]
