from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shared.auth import PublicKey, SigningKey
from shared.auth.keys import jwks_document, read_jwks


def test_the_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    # RFC 8037, appendix A.3
    jwk = {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": "given",
    }
    key = PublicKey.from_jwk(jwk)

    assert key is not None
    assert key.kid == "given"
    assert PublicKey.of(key.key).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_key_survives_pem_and_jwks() -> None:
    key = SigningKey.generate()

    assert SigningKey.from_pem(key.to_pem()).kid == key.kid
    document = jwks_document([key.public])
    assert set(document["keys"][0]) == {"kty", "crv", "x", "kid", "use", "alg"}
    again = read_jwks(_json(document))[key.kid]
    assert again.key.public_bytes_raw() == key.public.key.public_bytes_raw()


def _json(value: object) -> bytes:
    import orjson

    return orjson.dumps(value)


def _pem(key: Ed25519PrivateKey | X25519PrivateKey, password: bytes | None = None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"not a key",
        _pem(X25519PrivateKey.generate()),
        _pem(Ed25519PrivateKey.generate(), b"secret"),
    ],
)
def test_what_is_no_signing_key_is_refused(pem: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        SigningKey.from_pem(pem)


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "RSA"},
        {"crv": "X25519"},
        {"use": "enc"},
        {"alg": "RS256"},
        {"x": "short"},
        {"x": 5},
        {"kid": None},
    ],
)
def test_keys_of_other_kinds_are_passed_over(change: dict[str, object]) -> None:
    good = SigningKey.generate().public
    other = SigningKey.generate().public.to_jwk() | change

    assert set(read_jwks(_json({"keys": [other, good.to_jwk(), 5]}))) == {good.kid}


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b'{"keys": {}}', b"<html>"])
def test_what_is_no_jwks_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_jwks(document)


def test_a_public_key_is_read_from_either_half() -> None:
    key = SigningKey.generate()
    public = key.public.key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    assert PublicKey.from_pem(public).kid == PublicKey.from_pem(key.to_pem()).kid == key.kid
    other = X25519PrivateKey.generate().public_key()
    pem = other.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(ValueError, match="Ed25519"):
        PublicKey.from_pem(pem)


def test_derived_secrets_are_of_the_key_and_the_purpose() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()

    assert key.derive("a") == SigningKey.from_pem(key.to_pem()).derive("a")
    assert len({key.derive("a"), key.derive("b"), other.derive("a")}) == 3
    assert len(key.derive("a")) == 32
