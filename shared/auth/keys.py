"""Ed25519 keys: the private one that signs access tokens, the public ones that check them, as JWK
(RFC 8037).

A key's id (``kid``) is its JWK thumbprint (RFC 7638), so that the same key has the same id
everywhere and no configuration can pair them wrongly.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ALGORITHM", "PublicKey", "SigningKey", "jwks_document", "read_jwks"]

ALGORITHM = "EdDSA"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key to check signatures with, and its id."""

    kid: str
    key: Ed25519PublicKey

    @classmethod
    def of(cls, key: Ed25519PublicKey) -> Self:
        """The key under the id that is its thumbprint."""
        return cls(_thumbprint(key), key)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object]) -> Self | None:
        """The key of a JWK, or None when the JWK is not an Ed25519 signature key that we
        understand.
        """
        kid, encoded = jwk.get("kid"), jwk.get("x")
        if (
            jwk.get("kty") != "OKP"
            or jwk.get("crv") != "Ed25519"
            or jwk.get("use", "sig") != "sig"
            or jwk.get("alg", ALGORITHM) != ALGORITHM
            or not isinstance(kid, str)
            or not isinstance(encoded, str)
        ):
            return None
        try:
            return cls(kid, Ed25519PublicKey.from_public_bytes(_from_base64url(encoded)))
        except ValueError:
            return None

    @classmethod
    def from_pem(cls, pem: str | bytes) -> Self:
        """Read a public key (SubjectPublicKeyInfo), or the public half of a private one.

        ValueError when it is neither, or no Ed25519 key.
        """
        data = pem.encode() if isinstance(pem, str) else pem
        if b"PRIVATE KEY" in data:
            return cls.of(SigningKey.from_pem(data).private_key.public_key())
        try:
            key = serialization.load_pem_public_key(data)
        except UnsupportedAlgorithm as error:
            raise ValueError("the key is of an unknown kind") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("the key is not an Ed25519 key")
        return cls.of(key)

    def to_jwk(self) -> dict[str, str]:
        """The key as a JWK, ready for a JWKS document."""
        return {**_required_members(self.key), "kid": self.kid, "use": "sig", "alg": ALGORITHM}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key of the service that issues tokens."""

    kid: str
    private_key: Ed25519PrivateKey

    @classmethod
    def generate(cls) -> Self:
        """A new random key."""
        return cls.of(Ed25519PrivateKey.generate())

    @classmethod
    def of(cls, private_key: Ed25519PrivateKey) -> Self:
        """The key under the id that is its thumbprint."""
        return cls(_thumbprint(private_key.public_key()), private_key)

    @classmethod
    def from_pem(cls, pem: str | bytes) -> Self:
        """Read an unencrypted PKCS #8 PEM.

        ValueError when it is anything but an Ed25519 private key.
        """
        data = pem.encode() if isinstance(pem, str) else pem
        try:
            key = serialization.load_pem_private_key(data, password=None)
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("the signing key is encrypted or of an unknown kind") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the signing key is not an Ed25519 private key")
        return cls.of(key)

    def to_pem(self) -> str:
        """The key as unencrypted PKCS #8 PEM."""
        return self.private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def derive(self, purpose: str) -> bytes:
        """A secret of 32 bytes that only who has this key can make; another one for each purpose
        (HKDF, RFC 5869).
        """
        hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode())
        return hkdf.derive(self.private_key.private_bytes_raw())

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.kid, self.private_key.public_key())


def jwks_document(keys: Iterable[PublicKey]) -> dict[str, list[dict[str, str]]]:
    """The JWKS document (RFC 7517, section 5) that publishes ``keys``."""
    return {"keys": [key.to_jwk() for key in keys]}


def read_jwks(document: bytes | str) -> dict[str, PublicKey]:
    """The usable keys of a JWKS document by id; others are passed over.

    ValueError when it is not a JWKS at all.
    """
    parsed = orjson.loads(document)
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS document: it has no list of keys")
    found = (PublicKey.from_jwk(entry) for entry in entries if isinstance(entry, dict))
    return {key.kid: key for key in found if key is not None}


def _required_members(key: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _to_base64url(key.public_bytes_raw())}


def _thumbprint(key: Ed25519PublicKey) -> str:
    # RFC 7638: the required members only, keys sorted, no white space
    canonical = orjson.dumps(_required_members(key), option=orjson.OPT_SORT_KEYS)
    return _to_base64url(hashlib.sha256(canonical).digest())


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
