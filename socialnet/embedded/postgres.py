"""One embedded PostgreSQL cluster: create, start, stop, kill, and its address.

A cluster listens on a unix socket in a private folder and on nothing else, so no port can collide
and nobody else on the machine can connect; that is why local connections need no password. It is
started through a guardian (see `guardian`), so it ends with this process however this process ends.
Blocking work runs in threads: the methods may be awaited on any event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import URL, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from socialnet.embedded import guardian, postmaster
from socialnet.embedded.account import Account, clean_environment
from socialnet.embedded.binaries import POSTGRES_MAJOR, Binaries, find_binaries
from socialnet.embedded.errors import PostgresError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from typing import BinaryIO

    from sqlalchemy.ext.asyncio import AsyncConnection

StopMode = Literal["fast", "immediate"]

USER: Final = "socialnet"
_PORT: Final = 5432  # names the socket file, nothing more
_LONGEST_SOCKET_PATH: Final = 103  # sun_path: 108 bytes on Linux, 104 on macOS, with a final NUL
_INITDB_OPTIONS: Final = (
    f"--username={USER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
)
_SETTINGS: Final = {
    "listen_addresses": "",
    "wal_level": "logical",  # slots are moved between shards by logical replication
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "jit": "off",  # short statements by primary key: compiling them costs more than it gives
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "logging_collector": "off",
}
_FAST_SETTINGS: Final = {  # commits still survive the end of postgres, only not of the machine
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
}
_LOG_BYTES: Final = 10_000_000
"""A longer log is begun anew at the next start."""


class PostgresCluster:
    """A PostgreSQL cluster in `data_dir`, not running at first.

    `data_dir` itself is made by `create`; its parent must exist and be reachable for the account
    that runs postgres (`socialnet.embedded.folder` places it so that it is).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        stop_seconds: float = 10.0,
    ) -> None:
        """Describe a cluster.

        Args:
            data_dir: Where its files are or will be.
            durable: False trades safety at a crash of the machine for speed (tests).
            settings: PostgreSQL settings over our own, for this cluster.
            stop_seconds: How long a fast stop may take before it becomes an immediate one.
        """
        self.data_dir = data_dir.absolute()
        self._durable = durable
        self._settings = {
            **_SETTINGS,
            **({} if durable else _FAST_SETTINGS),
            **(settings or {}),
        }
        self._stop_seconds = stop_seconds
        self._account: Account | None = None
        self._guardian: subprocess.Popen[bytes] | None = None
        self._socket_dir: Path | None = None

    @property
    def is_running(self) -> bool:
        """Whether the server process is alive."""
        return self._guardian is not None and self._guardian.poll() is None

    @property
    def is_created(self) -> bool:
        """Whether `create` has been completed for this folder."""
        return (self.data_dir / "PG_VERSION").exists()

    @property
    def log_file(self) -> Path:
        """Where the server logs, beside the data folder."""
        return self.data_dir.with_name(f"{self.data_dir.name}.log")

    @property
    def socket_dir(self) -> Path:
        """The private folder of the unix socket; the same over restarts of one object."""
        if self._socket_dir is None:
            message = f"The cluster in {self.data_dir} has not been started."
            raise PostgresError(message)
        return self._socket_dir

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL (asyncpg) of a database; needs a first `start`."""
        return URL.create(
            "postgresql+asyncpg",
            username=USER,
            database=database,
            query={"host": str(self.socket_dir), "port": str(_PORT)},
        ).render_as_string(hide_password=False)

    async def create(self) -> None:
        """Run initdb unless the cluster exists; an interrupted creation is begun anew."""
        await _finish_in_thread(self._create)

    async def start(self, *, timeout: float = 60.0) -> None:
        """Start the server and wait until it accepts connections (crash recovery included).

        Raises:
            PostgresError: It did not start; the message ends with the end of its log.
        """
        starting = asyncio.ensure_future(asyncio.to_thread(self._start, timeout))
        try:
            await asyncio.shield(starting)
        except BaseException:
            # When we are cancelled the thread goes on: end what it waits for, then what it made.
            await asyncio.to_thread(self._stop, "immediate")
            await asyncio.gather(starting, return_exceptions=True)
            await asyncio.to_thread(self._stop, "immediate")
            raise

    async def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server and wait for its end: `fast` cleanly, `immediate` as a crash would."""
        await _finish_in_thread(self._stop, mode)

    async def kill(self) -> None:
        """End the server by SIGKILL, as the kernel's out-of-memory killer would."""
        await _finish_in_thread(self._stop, "kill")

    async def create_database(self, name: str, *, template: str | None = None) -> None:
        """Create a database unless it exists, empty or as a copy of `template`."""
        async with self._administration() as connection:
            exists = text("SELECT 1 FROM pg_database WHERE datname = :name")
            if await connection.scalar(exists, {"name": name}) is None:
                copy_of = "" if template is None else f" TEMPLATE {_quoted(template)}"
                await connection.execute(text(f"CREATE DATABASE {_quoted(name)}{copy_of}"))

    async def drop_database(self, name: str) -> None:
        """Drop a database if it exists, ending the connections to it."""
        async with self._administration() as connection:
            await connection.execute(text(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)"))

    @contextlib.asynccontextmanager
    async def _administration(self) -> AsyncIterator[AsyncConnection]:
        engine = create_async_engine(
            self.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        try:
            async with engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()

    def _create(self) -> None:
        if self.is_created:
            self._check_version()
            return
        account, binaries = self._tools()
        # initdb works beside the final place: what stands there is complete.
        partial = self.data_dir.with_name(f"{self.data_dir.name}.new")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        account.own(partial, 0o700)
        sync = () if self._durable else ("--no-sync",)
        done = account.run([binaries.initdb, *_INITDB_OPTIONS, *sync, "-D", partial])
        if done.returncode != 0:
            message = f"initdb failed in {partial}:\n{done.stdout[-500:]}{done.stderr[-1500:]}"
            raise PostgresError(message)
        partial.rename(self.data_dir)

    def _check_version(self) -> None:
        version = (self.data_dir / "PG_VERSION").read_text().strip()
        if version != str(POSTGRES_MAJOR):
            message = f"{self.data_dir} is of PostgreSQL {version}, this is {POSTGRES_MAJOR}."
            raise PostgresError(message)

    def _start(self, timeout: float) -> None:
        if self.is_running:
            return
        self._close_guardian()
        self._check_version()
        account, binaries = self._tools()
        postmaster.clear_stale(self.data_dir)
        remove = self._make_socket_dir(account)
        command = [str(binaries.postgres), "-D", str(self.data_dir)]
        command += ["-c", f"unix_socket_directories={_quoted(str(self.socket_dir))}"]
        for key, value in self._settings.items():
            command += ["-c", f"{key}={value}"]
        with self._open_log() as log:
            self._guardian = subprocess.Popen(  # noqa: S603 - our own guardian
                _guardian_command(account, command, remove, patience=self._stop_seconds),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                env=clean_environment(),
                start_new_session=True,
            )
        self._wait_until_ready(self._guardian, time.monotonic() + timeout)

    def _wait_until_ready(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        assert process.stdout is not None
        said = process.stdout.readline().decode(errors="replace").strip()
        if not said.isdecimal():
            message = f"PostgreSQL could not be started: {said}"
            raise PostgresError(message)
        while not postmaster.is_ready(self.data_dir, int(said)):
            if process.poll() is not None:
                message = f"PostgreSQL in {self.data_dir} did not start:\n{self._log_end()}"
                raise PostgresError(message)
            if time.monotonic() > deadline:
                message = f"PostgreSQL in {self.data_dir} is not ready:\n{self._log_end()}"
                raise PostgresError(message)
            time.sleep(0.01)  # postgres has no other sign of readiness than this file

    def _stop(self, command: str) -> None:
        process = self._guardian
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(f"{command}\n".encode())
            process.stdin.flush()
        process.wait()  # bounded by the guardian's own escalation
        self._close_guardian()

    def _close_guardian(self) -> None:
        process, self._guardian = self._guardian, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        process.wait()

    def _make_socket_dir(self, account: Account) -> list[Path]:
        """Make the private socket folder; return what the guardian has to remove at the end.

        Beside the data when the path is short enough for a socket, else a temporary one.
        """
        if self._socket_dir is None:
            beside = self.data_dir.with_name(f"{self.data_dir.name}.run")
            name = f"{beside}/.s.PGSQL.{_PORT}"
            if len(os.fsencode(name)) <= _LONGEST_SOCKET_PATH:
                self._socket_dir = beside
            else:
                self._socket_dir = Path(tempfile.mkdtemp(prefix="socialnet-"))
        self._socket_dir.mkdir(exist_ok=True)
        account.own(self._socket_dir, 0o700)
        return [self._socket_dir]

    def _open_log(self) -> BinaryIO:
        too_long = self.log_file.exists() and self.log_file.stat().st_size > _LOG_BYTES
        return self.log_file.open("wb" if too_long else "ab")

    def _log_end(self) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-10:])

    def _tools(self) -> tuple[Account, Binaries]:
        if self._account is None:
            self._account = Account.current()
        return self._account, find_binaries(self._account)


async def _finish_in_thread(work: Callable[..., None], *arguments: object) -> None:
    """Run `work` in a thread; a cancellation waits for its end, so that nothing is half done."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.gather(running, return_exceptions=True)
        raise


def _guardian_command(
    account: Account, command: list[str], remove: list[Path], *, patience: float
) -> list[str]:
    options = [f"--patience={patience}", *(f"--remove={folder}" for folder in remove)]
    if account.switched:
        options += [f"--user={account.uid}", f"--group={account.gid}"]
    program = [sys.executable, "-I", "-S", guardian.__file__]
    return [*program, *options, "--", *command]


def _quoted(identifier: str) -> str:
    """Quote a SQL identifier; a list of folders in a setting is quoted the same way."""
    return '"' + identifier.replace('"', '""') + '"'
