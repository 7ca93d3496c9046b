"""The keys of an embedded system: the private one is made once and kept in the data folder, for its
owner only; the public ones are beside it, for the router.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from shared.auth import PublicKey, SigningKey
from shared.auth.keys import jwks_document

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from socialnet.embedded.folder import DataFolder


def ensure_signing_key(folder: DataFolder) -> Path:
    """Return the file with the Ed25519 key (PEM), which is generated at the first call."""
    file = folder.keys / "signing-key.pem"
    if not file.exists():
        partial = file.with_suffix(".new")
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600, exist_ok=False)
        partial.write_text(SigningKey.generate().to_pem())
        partial.rename(file)
    return file


def write_public_keys(folder: DataFolder, keys: Iterable[PublicKey]) -> Path:
    """Return the file with these keys (JWKS)."""
    file = folder.keys / "jwks.json"
    partial = file.with_suffix(".new")
    partial.write_bytes(orjson.dumps(jwks_document(keys)))
    partial.replace(file)
    return file
