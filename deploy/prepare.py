"""Makes the secrets that docker-compose.yml needs, once: ``python3 deploy/prepare.py``.

Writes ``.env`` (the databases' passwords) and ``deploy/secrets/signing-key.pem`` (signs the access
tokens). What exists is left alone, so it can be run again. Needs nothing but Python itself.
"""

from __future__ import annotations

import base64
import secrets
import sys
from pathlib import Path

_PASSWORDS = ("POSTGRES_PASSWORD", "POSTGRES_USERS_PASSWORD", "POSTGRES_POSTS_PASSWORD")

# An Ed25519 private key is any 32 bytes behind this PKCS #8 header (RFC 8410, section 7).
_ED25519_HEADER = bytes.fromhex("302e020100300506032b657004220420")


def prepare(root: Path) -> list[Path]:
    """Write what is missing below ``root``; returns the files written."""
    environment, folder = root / ".env", root / "deploy" / "secrets"
    # The key's file must be readable by the container's user, whose number is another than ours:
    # so nobody else may enter its folder.
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    passwords = "".join(f"{name}={secrets.token_hex(24)}\n" for name in _PASSWORDS)
    wanted = ((environment, passwords, 0o600), (folder / "signing-key.pem", _signing_key(), 0o644))
    return [file for file, text, mode in wanted if _write_new(file, text, mode)]


def _signing_key() -> str:
    encoded = base64.b64encode(_ED25519_HEADER + secrets.token_bytes(32)).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{encoded}\n-----END PRIVATE KEY-----\n"


def _write_new(file: Path, text: str, mode: int) -> bool:
    """Write a file whole or not at all, unless it exists."""
    if file.exists():
        return False
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.touch(mode=mode)
    unfinished.chmod(mode)  # whatever the umask
    unfinished.write_text(text, encoding="utf-8")
    unfinished.rename(file)
    return True


def _main() -> None:
    root = Path(__file__).resolve().parents[1]
    written = prepare(root)
    for file in written:
        sys.stdout.write(f"wrote {file.relative_to(root)}\n")
    if not written:
        sys.stdout.write("Everything is there already; nothing was changed.\n")


if __name__ == "__main__":
    _main()
