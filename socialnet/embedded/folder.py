"""The data folder of the embedded runtime (`.socialnet/`): layout, lock, version, placement.

    .socialnet/
      lock            held by the running process (flock), with its process id
      version.json    layout version, PostgreSQL major, number of shards and slots, the folder's id
      keys/           signing keys, readable by the owner only
      demo.json       how far the demo data is
      shards/         the PostgreSQL clusters, `shard-0`, `shard-0.log`, ...

As root, postgres runs under another user, which must reach its files. When the folder lies where
that user cannot go, `shards` is a symbolic link to `/var/lib/socialnet/<id>/shards`; permissions of
folders that are not ours are never changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from socialnet.embedded import postmaster
from socialnet.embedded.account import SYSTEM_FOLDER, Account, make_public
from socialnet.embedded.binaries import POSTGRES_MAJOR
from socialnet.embedded.errors import FolderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

LAYOUT: Final = 1
"""Grows when the meaning of the folder's content changes."""
DEFAULT_SHARDS: Final = 2
DEFAULT_SLOTS: Final = 256
_OURS: Final = ("shards", "keys", "demo.json", "version.json")  # removed in this order by a reset
_IGNORED: Final = {"lock", "version.json.new", ".DS_Store", ".gitignore"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Content of `version.json`: what was written, and for how many shards."""

    layout: int
    postgres: int
    shards: int
    slots: int
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    """An opened (locked and checked) data folder."""

    path: Path
    version: Version

    @property
    def shards(self) -> Path:
        """Where the clusters live; a folder that the account of postgres can reach."""
        return self.path / "shards"

    @property
    def keys(self) -> Path:
        """Private folder for signing keys."""
        return self.path / "keys"

    @property
    def demo(self) -> Path:
        """State of the demo data (see `socialnet.demo.seed`)."""
        return self.path / "demo.json"

    def shard(self, number: int) -> Path:
        """The data folder of one cluster, without symbolic links."""
        return self.shards.resolve() / f"shard-{number}"


@contextlib.contextmanager
def open_folder(
    path: Path,
    *,
    shards: int | None = None,
    reset: bool = False,
    system_folder: Path = SYSTEM_FOLDER,
) -> Iterator[DataFolder]:
    """Lock, check and if need be create a data folder; it is locked until the block ends.

    Args:
        path: The folder, made when missing.
        shards: Number of physical shards; None takes what the folder has (2 at first).
        reset: Remove what is there and begin anew.
        system_folder: Where the clusters go when postgres cannot reach `path`.

    Raises:
        FolderError: In use, of another version, of another number of shards, or not ours.
    """
    path = path.absolute()
    account = Account.current()
    with _locked(path):
        if reset:
            _remove_content(path, system_folder)
        version = _check_version(path, shards) or _write_version(path, shards or DEFAULT_SHARDS)
        folder = DataFolder(path=path, version=version)
        folder.keys.mkdir(mode=0o700, exist_ok=True)
        _place_shards(folder, account, system_folder)
        yield folder


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / "lock").open("a+")
    except OSError as error:
        message = f"The data folder {path} cannot be used: {error.strerror}."
        raise FolderError(message) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = (
                f"socialnet is already running on {path} (process {_read_holder(lock)})."
                " Stop it first, or choose another folder with --data-dir."
            )
            raise FolderError(message) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _read_holder(lock: TextIO) -> str:
    lock.seek(0)
    return lock.read().strip() or "unknown"


def _check_version(path: Path, shards: int | None) -> Version | None:
    """Read `version.json` and compare it with us; None when the folder is still empty."""
    file = path / "version.json"
    if not file.exists():
        if foreign := sorted({entry.name for entry in path.iterdir()} - _IGNORED):
            message = f"{path} is not a data folder of socialnet: it contains {foreign[0]!r}."
            raise FolderError(message)
        return None
    version = _read_version(file)
    if version.postgres < POSTGRES_MAJOR:
        message = f"{path} is of PostgreSQL {version.postgres}; start anew with --reset."
        raise FolderError(message)
    if shards is not None and shards != version.shards:
        message = (
            f"{path} has {version.shards} shards, not {shards}. Leave --shards out, choose another"
            " folder with --data-dir, or start anew with --reset."
        )
        raise FolderError(message)
    return version


def _read_version(file: Path) -> Version:
    """Parse `version.json`; what a newer version wrote is refused before the rest is looked at."""
    try:
        written = json.loads(file.read_text())
        layout, postgres = int(written["layout"]), int(written["postgres"])
        if layout > LAYOUT or postgres > POSTGRES_MAJOR:
            message = (
                f"{file.parent} was written by a newer version of socialnet (layout {layout},"
                f" PostgreSQL {postgres}; this version knows layout {LAYOUT}, PostgreSQL"
                f" {POSTGRES_MAJOR}). Use that version, choose another folder with --data-dir,"
                " or start anew with --reset."
            )
            raise FolderError(message)
        return Version(**written)
    except (ValueError, KeyError, TypeError) as error:
        message = f"{file} cannot be read ({error!r}). Start anew with --reset."
        raise FolderError(message) from error


def _write_version(path: Path, shards: int) -> Version:
    version = Version(
        layout=LAYOUT,
        postgres=POSTGRES_MAJOR,
        shards=shards,
        slots=DEFAULT_SLOTS,
        id=secrets.token_hex(8),
    )
    partial = path / "version.json.new"
    partial.write_text(json.dumps(asdict(version), indent=2) + "\n")
    partial.rename(path / "version.json")
    return version


def _remove_content(path: Path, system_folder: Path) -> None:
    """Remove what is ours in the folder, and nothing else; stop orphaned servers first."""
    shards = path / "shards"
    if shards.is_dir():
        for lock_file in shards.resolve().glob("*/postmaster.pid"):
            postmaster.clear_stale(lock_file.parent)
    if shards.is_symlink():
        target = shards.resolve()
        if target.is_relative_to(system_folder):
            shutil.rmtree(target.parent, ignore_errors=True)
        shards.unlink()
    for name in _OURS:
        entry = path / name
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


def _place_shards(folder: DataFolder, account: Account, system_folder: Path) -> None:
    """Make `shards`, here or (by a symbolic link) where the account of postgres can reach it."""
    if not folder.shards.is_dir():
        folder.shards.unlink(missing_ok=True)  # a link whose target has been removed
        folder.shards.mkdir(mode=0o711)
        if not _can_work_in(folder.shards, account):
            folder.shards.rmdir()
            target = system_folder / folder.version.id / "shards"
            make_public(target)
            folder.shards.symlink_to(target, target_is_directory=True)
    if not account.can_enter(folder.shards.resolve()):
        message = (
            f"The user that runs PostgreSQL cannot reach {folder.shards} any more."
            " Move the folder back, choose another one with --data-dir, or start anew with --reset."
        )
        raise FolderError(message)
    for cluster in folder.shards.glob("*/PG_VERSION"):
        if cluster.parent.stat().st_uid != account.uid:
            message = f"{cluster.parent} belongs to another user: run socialnet as that user."
            raise FolderError(message)


def _can_work_in(folder: Path, account: Account) -> bool:
    """Whether files here can be given to the account and be reached by it."""
    folder.chmod(0o711)  # whatever our umask is
    trial = folder / "trial"
    trial.mkdir()
    try:
        account.own(trial, 0o700)
        return account.can_enter(trial)
    except PermissionError:
        return False  # a file system that knows no owners
    finally:
        trial.rmdir()
