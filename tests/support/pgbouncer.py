"""PgBouncer in transaction mode for tests: the system's, as an ordinary user, on a unix socket.

Tests that use it are skipped, with the reason, where it is not installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import URL

from socialnet.embedded.account import Account, clean_environment
from socialnet.embedded.postgres import USER, PostgresCluster
from tests.support.waiting import until

_CONFIG = """
[databases]
* = host={server} port=5432

[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users.txt
admin_users = {user}
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 200
logfile = {folder}/pgbouncer.log
ignore_startup_parameters = extra_float_digits
"""


@contextlib.asynccontextmanager
async def pgbouncer(
    cluster: PostgresCluster, folder: Path, *, pool_size: int = 2
) -> AsyncIterator[str]:
    """A pooler in front of the cluster; gives the folder of its socket (see `pooled_url`)."""
    program = shutil.which("pgbouncer")
    if program is None:
        pytest.skip("needs pgbouncer: apt-get install pgbouncer")
    account = Account.current()
    config = _CONFIG.format(
        server=cluster.socket_dir, folder=folder, user=USER, pool_size=pool_size
    )
    _write(folder, account, {"users.txt": f'"{USER}" ""\n', "pgbouncer.ini": config})
    process = await asyncio.create_subprocess_exec(
        *(program, "--quiet", str(folder / "pgbouncer.ini")),
        user=account.uid if account.switched else None,
        group=account.gid if account.switched else None,
        extra_groups=[] if account.switched else None,
        cwd="/",
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await until(lambda: _answers(str(folder)))
        yield str(folder)
    finally:
        process.terminate()
        await process.wait()


def pooled_url(folder: str, database: str) -> str:
    """A database behind the pooler."""
    query = {"host": folder, "port": "6432"}
    url = URL.create("postgresql+asyncpg", username=USER, database=database, query=query)
    return url.render_as_string(hide_password=False)


def _write(folder: Path, account: Account, files: dict[str, str]) -> None:
    folder.mkdir()
    account.own(folder, 0o700)
    for name, content in files.items():
        (folder / name).write_text(content)
        account.own(folder / name, 0o600)


async def _answers(folder: str) -> bool:
    try:
        connection = await asyncpg.connect(
            host=folder, port=6432, user=USER, database="postgres", statement_cache_size=0
        )
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True
