"""Makes the secrets that docker-compose.yml needs, once: ``python3 deploy/prepare.py``.

Writes ``.env`` (the databases' passwords, and what the router proves itself to the subgraphs with)
and ``deploy/secrets/signing-key.pem`` (signs the access tokens). What exists is left alone and what
is missing is added, so it can be run again. Needs nothing but Python itself.
"""

from __future__ import annotations

import base64
import secrets
import sys
from pathlib import Path

_SECRETS = (
    "POSTGRES_PASSWORD",
    "POSTGRES_USERS_PASSWORD",
    "POSTGRES_POSTS_PASSWORD",
    "ROUTER_SECRET",
)

# An Ed25519 private key is any 32 bytes behind this PKCS #8 header (RFC 8410, section 7).
_ED25519_HEADER = bytes.fromhex("302e020100300506032b657004220420")


def prepare(root: Path) -> list[Path]:
    """Write what is missing below ``root``; returns the files written."""
    environment, folder = root / ".env", root / "deploy" / "secrets"
    # The key's file must be readable by the container's user, whose number is another than ours:
    # so nobody else may enter its folder.
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    key_file = folder / "signing-key.pem"
    written = [environment] if _complete(environment) else []
    return [*written, key_file] if _write_new(key_file, _signing_key(), 0o644) else written


def _complete(environment: Path) -> bool:
    """Add the secrets that ``.env`` lacks."""
    known = environment.read_text(encoding="utf-8") if environment.exists() else ""
    names = {line.partition("=")[0].strip() for line in known.splitlines()}
    missing = "".join(f"{n}={secrets.token_hex(24)}\n" for n in _SECRETS if n not in names)
    if not missing:
        return False
    if known and not known.endswith("\n"):
        known += "\n"
    _write(environment, known + missing, 0o600)
    return True


def _signing_key() -> str:
    encoded = base64.b64encode(_ED25519_HEADER + secrets.token_bytes(32)).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{encoded}\n-----END PRIVATE KEY-----\n"


def _write_new(file: Path, text: str, mode: int) -> bool:
    """Write a file unless it exists."""
    if file.exists():
        return False
    _write(file, text, mode)
    return True


def _write(file: Path, text: str, mode: int) -> None:
    """Write a file whole or not at all."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.touch(mode=mode)
    unfinished.chmod(mode)  # whatever the umask
    unfinished.write_text(text, encoding="utf-8")
    unfinished.rename(file)


def _main() -> None:
    root = Path(__file__).resolve().parents[1]
    written = prepare(root)
    for file in written:
        sys.stdout.write(f"wrote {file.relative_to(root)}\n")
    if not written:
        sys.stdout.write("Everything is there already; nothing was changed.\n")


if __name__ == "__main__":
    _main()
