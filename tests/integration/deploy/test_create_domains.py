"""The script that the postgres containers of docker-compose.yml run in an empty volume."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from shared.db import migrations
from shared.db.connect import connect
from shared.db.migrations import SchemaState
from shared.sharding import ShardConfig, ShardId
from socialnet.domains import Domain
from socialnet.embedded.account import Account
from socialnet.embedded.binaries import find_binaries
from socialnet.embedded.postgres import USER, PostgresCluster
from tests.support.postgres import reachable_folder, running_clusters

SCRIPT = Path(__file__).parents[3] / "deploy/postgres/create-domains.sh"
PASSWORDS = {domain: f"it's \\ {domain}" for domain in Domain}


def _url(
    cluster: PostgresCluster, role: Domain, database: Domain, password: str | None = None
) -> str:
    url = make_url(cluster.url(database)).set(
        username=role, password=PASSWORDS[role] if password is None else password
    )
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
async def cluster() -> AsyncIterator[PostgresCluster]:
    """A cluster as the container has it: the script has run, and roles need their passwords."""
    with reachable_folder() as folder:
        async with running_clusters(folder, 1) as (cluster,):
            await _run_script(cluster)
            hba = f"local all {USER} trust\nlocal all all scram-sha-256\n"
            (cluster.data_dir / "pg_hba.conf").write_text(hba)
            await cluster.stop()
            await cluster.start()
            yield cluster


async def _run_script(cluster: PostgresCluster) -> None:
    programs = find_binaries(Account.current()).folder
    process = await asyncio.create_subprocess_exec(
        "sh",
        str(SCRIPT),
        env={
            "PATH": f"{programs}:/usr/bin:/bin",
            "PGHOST": str(cluster.socket_dir),
            "POSTGRES_USER": USER,
            **{f"POSTGRES_{d.upper()}_PASSWORD": password for d, password in PASSWORDS.items()},
        },
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")


@pytest.mark.parametrize("domain", Domain)
async def test_a_domain_s_role_migrates_its_own_database(
    cluster: PostgresCluster, domain: Domain
) -> None:
    shard = ShardConfig(id=ShardId("shard-0"), primary=_url(cluster, domain, domain))

    (migrated,) = await migrations.up(domain, [shard])

    assert migrated.state is SchemaState.CURRENT


async def test_a_domain_s_role_cannot_enter_another_domain_s_database(
    cluster: PostgresCluster,
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connect(_url(cluster, Domain.POSTS, Domain.USERS), application_name="test")


async def test_a_domain_s_role_needs_its_own_password(cluster: PostgresCluster) -> None:
    url = _url(cluster, Domain.USERS, Domain.USERS, password=PASSWORDS[Domain.POSTS])

    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect(url, application_name="test")


async def test_a_domain_s_role_is_no_superuser(cluster: PostgresCluster) -> None:
    connection = await connect(_url(cluster, Domain.USERS, Domain.USERS), application_name="test")
    try:
        row = await connection.fetchrow(
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
    finally:
        await connection.close()

    assert tuple(row) == (False, False, False)
