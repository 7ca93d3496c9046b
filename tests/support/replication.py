"""A shard of several real servers for tests: a primary, and standbys made by pg_basebackup.

Commits wait for one standby (`ANY 1`), so that what was acknowledged survives the primary. Every
server looks for the primary among all of them: whichever is promoted, the others follow.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.db.connect import connect
from shared.sharding import ShardConfig, ShardId
from socialnet.embedded.account import Account
from socialnet.embedded.binaries import find_binaries
from socialnet.embedded.postgres import USER, PostgresCluster
from tests.support.waiting import until

_PORT = 5432


@dataclass(frozen=True, slots=True)
class ReplicatedShard:
    """Running servers, the first of which is the primary at the beginning."""

    servers: tuple[PostgresCluster, ...]

    @property
    def primary(self) -> PostgresCluster:
        """The primary at the beginning."""
        return self.servers[0]

    @property
    def standbys(self) -> tuple[PostgresCluster, ...]:
        """The others."""
        return self.servers[1:]

    def config(self, database: str, shard: str = "shard-0") -> ShardConfig:
        """The shard as a domain sees it."""
        primary, *replicas = (server.url(database) for server in self.servers)
        return ShardConfig(id=ShardId(shard), primary=primary, replicas=tuple(replicas))

    async def caught_up(self) -> None:
        """Wait until every standby has replayed all that the primary has written."""
        position = await ask(self.primary, "SELECT pg_current_wal_lsn()::text")
        replayed = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        for standby in self.standbys:
            await until(lambda server=standby: ask(server, replayed))  # type: ignore[misc]  # bound


async def ask(server: PostgresCluster, query: str, database: str = "postgres") -> Any:
    """One value, from the server itself."""
    connection = await connect(server.url(database), application_name="test")
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def replicated_shard(folder: Path, standbys: int = 1) -> AsyncIterator[ReplicatedShard]:
    """Create and start a primary with its standbys; stop them at the end."""
    names = [f"server-{number}" for number in range(standbys + 1)]
    settings = {
        "synchronous_standby_names": f"ANY 1 ({', '.join(_application(name) for name in names)})",
        "hot_standby_feedback": "on",
        "max_wal_senders": "10",
    }
    servers = tuple(
        PostgresCluster(folder / name, durable=False, settings=settings) for name in names
    )
    try:
        await servers[0].create()
        await servers[0].start()
        for server in servers[1:]:
            await asyncio.to_thread(_copy, servers[0], server.data_dir)
        for server in servers[1:]:
            follow(server, folder, names)
            await server.start()
        yield ReplicatedShard(servers)
    finally:
        await asyncio.gather(*(server.stop("immediate") for server in servers))


def follow(server: PostgresCluster, folder: Path, names: list[str]) -> None:
    """Make a server that is not running a standby of whichever of the others is the primary."""
    account = Account.current()
    hosts = ",".join(str(folder / f"{name}.run") for name in names)
    ports = ",".join([str(_PORT)] * len(names))
    name = _application(server.data_dir.name)
    conninfo = (
        f"host={hosts} port={ports} user={USER} application_name={name}"
        " target_session_attrs=read-write connect_timeout=2"
    )
    with (server.data_dir / "postgresql.auto.conf").open("a") as file:
        file.write(f"primary_conninfo = '{conninfo}'\nwal_retrieve_retry_interval = 100ms\n")
    signal_file = server.data_dir / "standby.signal"
    signal_file.touch()
    account.own(signal_file, 0o600)


def _copy(primary: PostgresCluster, target: Path) -> None:
    account = Account.current()
    folder = target.with_name(f"{target.name}.copy")
    folder.mkdir()
    account.own(folder, 0o700)  # the parent is ours
    program = find_binaries(account).folder / "pg_basebackup"
    host = f"--host={primary.socket_dir}"
    options = [f"--username={USER}", "--checkpoint=fast", "--no-sync", f"--pgdata={folder}"]
    done = account.run([program, host, *options], timeout=60)
    assert done.returncode == 0, done.stderr
    folder.rename(target)


def _application(name: str) -> str:
    return name.replace("-", "_")
