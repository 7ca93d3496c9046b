"""Who runs postgres: the invoking user, or, for root, an ordinary system user of its own.

PostgreSQL refuses to run as root. `Account.current()` answers for an ordinary user with that user,
and for root with the system user `socialnet`, made when it is missing. Everything that postgres
touches must then be reachable for that user, which `can_enter` and `can_run` find out by trying:
mode bits alone would miss access lists and security modules.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from socialnet.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSTEM_USER = "socialnet"
SYSTEM_FOLDER = Path("/var/lib/socialnet")
"""Where root keeps what the system user must reach but cannot inside the project's folder."""
_CREATE_COMMANDS = (
    # shadow (Debian, Fedora, Arch, ...), then busybox (Alpine).
    "useradd --system --user-group --no-create-home --home-dir /nonexistent"
    f" --shell /usr/sbin/nologin {SYSTEM_USER}",
    f"adduser -S -D -H -s /sbin/nologin {SYSTEM_USER}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The operating-system user that postgres and its tools run under."""

    uid: int
    gid: int
    switched: bool
    """True when we are root and have to change to this user."""

    @classmethod
    def current(cls) -> Account:
        """Return the invoking user, or for root the system user `socialnet` (made when missing)."""
        if os.geteuid() != 0:
            return cls(uid=os.geteuid(), gid=os.getegid(), switched=False)
        entry = _find_user() or _create_user()
        return cls(uid=entry.pw_uid, gid=entry.pw_gid, switched=True)

    def run(
        self, command: Sequence[str | Path], *, timeout: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a short command as this user, in `/` and with a clean environment."""
        return subprocess.run(  # noqa: S603 - our own commands, no shell
            [str(part) for part in command],
            user=self.uid if self.switched else None,
            group=self.gid if self.switched else None,
            extra_groups=[] if self.switched else None,
            cwd="/",
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )

    def can_enter(self, folder: Path) -> bool:
        """Whether this user can reach what lies in `folder`, which exists."""
        if not self.switched:
            return os.access(folder, os.X_OK)
        return self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", folder]).returncode == 0

    def can_run(self, program: Path) -> bool:
        """Whether this user can start `program`, its shared libraries included."""
        try:
            return self.run([program, "--version"]).returncode == 0
        except OSError:
            return False

    def own(self, path: Path, mode: int) -> None:
        """Give `path` to this user with the permission bits `mode`."""
        if self.switched:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)


def clean_environment() -> dict[str, str]:
    """The environment of postgres and its tools: no locale, no `PG*`, no `LD_*` of ours."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def make_public(folder: Path) -> None:
    """Make a folder, and its missing parents, passable for everyone, whatever our umask."""
    if folder.is_dir():
        return
    make_public(folder.parent)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)


def _find_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None


def _create_user() -> pwd.struct_passwd:
    """Make the system user, one of us at a time: two `useradd` at once can undo each other."""
    make_public(SYSTEM_FOLDER)
    with (SYSTEM_FOLDER / "account.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (entry := _find_user()) is not None:
            return entry
        output = "neither useradd nor adduser was found"
        for command in map(str.split, _CREATE_COMMANDS):
            if shutil.which(command[0]) is None:
                continue
            done = subprocess.run(  # noqa: S603 - constant command
                command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
            )
            output = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
            if (entry := _find_user()) is not None:
                return entry
    message = (
        f"PostgreSQL does not run as root, and its system user {SYSTEM_USER!r} could not be made"
        f" ({output}). Run socialnet as an ordinary user, or create that user."
    )
    raise EmbeddedError(message)
