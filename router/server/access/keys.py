"""Public keys out of a JWKS document (RFC 7517), each bound to the one algorithm it is for.

A key that is not understood is passed over, so that an issuer can publish keys of any kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWTError
from jwt.api_jwk import PyJWK

from router.server.access.issuers import Algorithm

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["KeySet", "VerificationKey", "read_jwks"]

_MIN_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """What a signature is checked with; ``key`` is a public key, or the bytes of a secret."""

    kid: str | None
    algorithm: Algorithm
    key: Any  # of the cryptography library's types: PyJWT takes them as they are


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of one document. Equal sets are equal documents as far as we care."""

    keys: tuple[VerificationKey, ...]
    fingerprint: bytes

    def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """Return the key with this id and algorithm.

        A token without a key id is taken to mean the only key that there is for its algorithm.
        """
        fitting = [key for key in self.keys if key.algorithm == algorithm]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.kid == kid), None)


def read_jwks(document: bytes, algorithms: Collection[Algorithm]) -> KeySet:
    """Read the keys that are for these algorithms; ValueError when it is no JWKS at all."""
    parsed = orjson.loads(document)
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS document: it has no list of keys")
    found = (_read(entry) for entry in entries if isinstance(entry, dict))
    keys = tuple(key for key in found if key is not None and key.algorithm in algorithms)
    return KeySet(keys, orjson.dumps(entries, option=orjson.OPT_SORT_KEYS))


def _read(entry: Mapping[str, Any]) -> VerificationKey | None:
    algorithm, kid = _algorithm(entry), entry.get("kid")
    operations = entry.get("key_ops", ["verify"])
    if (
        algorithm is None
        or entry.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
        or not isinstance(kid, str | None)
    ):
        return None
    public = {name: value for name, value in entry.items() if name != "d"}
    try:
        key = PyJWK(public, algorithm.value).key
    except (PyJWTError, ValueError, TypeError):
        return None
    return VerificationKey(kid, algorithm, key) if _is_sound(key) else None


def _algorithm(entry: Mapping[str, Any]) -> Algorithm | None:
    """The algorithm that a key is for, by its kind; one that it names itself must be the same."""
    match entry.get("kty"), entry.get("crv"):
        case "RSA", _:
            algorithm = Algorithm.RS256
        case "EC", "P-256":
            algorithm = Algorithm.ES256
        case "OKP", "Ed25519":
            algorithm = Algorithm.EDDSA
        case _:  # secrets (oct) have no place in a published document
            return None
    return algorithm if entry.get("alg", algorithm.value) == algorithm.value else None


def _is_sound(key: object) -> bool:
    match key:
        case RSAPublicKey():
            return key.key_size >= _MIN_RSA_BITS
        case EllipticCurvePublicKey():
            return isinstance(key.curve, SECP256R1)
        case _:
            return isinstance(key, Ed25519PublicKey)
