"""The signing key of an embedded system: made once, kept in the data folder, for its owner only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.auth import SigningKey

if TYPE_CHECKING:
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
