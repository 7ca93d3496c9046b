"""One embedded cluster, for real: its life, its death, and that it never outlives its program."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from socialnet.embedded.errors import PostgresError
from socialnet.embedded.postgres import PostgresCluster
from tests.support.processes import servers_of, wait_until_gone

_ROOT = Path(__file__).parents[3]
_PROGRAM = """
import asyncio, sys
from pathlib import Path
from socialnet.embedded.postgres import PostgresCluster

async def main():
    cluster = PostgresCluster(Path(sys.argv[1]), durable=False)
    await cluster.create()
    await cluster.start()
    await cluster.create_database("users")
    print("running", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
on_linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at /proc")


@pytest.fixture
async def cluster(public_tmp_path: Path) -> AsyncIterator[PostgresCluster]:
    cluster = PostgresCluster(public_tmp_path / "shard-0", durable=False)
    await cluster.create()
    await cluster.start()
    yield cluster
    await cluster.stop("immediate")


async def _run(cluster: PostgresCluster, statement: str, database: str = "postgres") -> object:
    engine = create_async_engine(
        cluster.url(database), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    async with engine.connect() as connection:
        result = await connection.execute(text(statement))
        value = result.scalar() if result.returns_rows else None
    await engine.dispose()
    return value


async def test_runs_postgres_18_ready_for_logical_replication(cluster: PostgresCluster) -> None:
    assert str(await _run(cluster, "SHOW server_version")).startswith("18.")
    assert await _run(cluster, "SHOW wal_level") == "logical"
    assert await _run(cluster, "SHOW listen_addresses") == ""
    assert await _run(cluster, "SHOW timezone") == "UTC"
    assert await _run(cluster, "SELECT lower('ÄÖ')") == "äö"


@pytest.mark.parametrize("end", ["fast", "immediate", "kill"])
async def test_data_survives_every_kind_of_end(cluster: PostgresCluster, end: str) -> None:
    await _run(cluster, "CREATE TABLE kept AS SELECT 42 AS answer")
    before = cluster.url("postgres")

    match end:
        case "fast" | "immediate":
            await cluster.stop(end)
        case _:
            await cluster.kill()
    assert not cluster.is_running
    await cluster.start()

    assert cluster.url("postgres") == before
    assert await _run(cluster, "SELECT answer FROM kept") == 42


async def test_create_keeps_an_existing_cluster(cluster: PostgresCluster) -> None:
    await _run(cluster, "CREATE TABLE kept ()")
    await cluster.stop()

    again = PostgresCluster(cluster.data_dir, durable=False)
    await again.create()
    await again.start()

    assert await _run(again, "SELECT count(*) FROM kept") == 0
    await again.stop()


async def test_interrupted_creation_is_begun_anew(public_tmp_path: Path) -> None:
    half = public_tmp_path / "shard-0.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    cluster = PostgresCluster(public_tmp_path / "shard-0", durable=False)
    await cluster.create()

    assert cluster.is_created
    assert not half.exists()


async def test_databases_are_created_once_copied_and_dropped(cluster: PostgresCluster) -> None:
    await cluster.create_database("users")
    await _run(cluster, "CREATE TABLE kept AS SELECT 42 AS answer", "users")
    await cluster.create_database("users")
    await cluster.create_database('odd "name"', template="users")

    assert await _run(cluster, "SELECT answer FROM kept", 'odd "name"') == 42
    await cluster.drop_database('odd "name"')
    await cluster.drop_database('odd "name"')
    names = await _run(cluster, "SELECT string_agg(datname, ',') FROM pg_database")
    assert "odd" not in str(names)


async def test_failure_to_start_shows_the_log(public_tmp_path: Path) -> None:
    cluster = PostgresCluster(
        public_tmp_path / "shard-0", durable=False, settings={"max_connections": "none"}
    )
    await cluster.create()

    with pytest.raises(PostgresError, match=r'invalid value for parameter "max_connections"'):
        await cluster.start()

    assert not cluster.is_running


async def test_cluster_of_another_major_version_is_refused(public_tmp_path: Path) -> None:
    cluster = PostgresCluster(public_tmp_path / "shard-0", durable=False)
    await cluster.create()
    (cluster.data_dir / "PG_VERSION").write_text("17\n")

    with pytest.raises(PostgresError, match="is of PostgreSQL 17, this is 18"):
        await cluster.start()


async def test_long_paths_get_their_socket_elsewhere(public_tmp_path: Path) -> None:
    deep = public_tmp_path / ("d" * 100)
    deep.mkdir()
    deep.chmod(0o711)
    cluster = PostgresCluster(deep / "shard-0", durable=False)
    await cluster.create()

    await cluster.start()
    sockets = cluster.socket_dir
    assert await _run(cluster, "SELECT 1") == 1
    await cluster.stop()

    assert not sockets.is_relative_to(deep)
    assert not sockets.exists()


@on_linux
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_end_of_the_program_leaves_no_postgres(
    public_tmp_path: Path, signum: signal.Signals
) -> None:
    program = await _start_program(public_tmp_path, sys.executable)
    assert servers_of(public_tmp_path)

    program.send_signal(signum)

    await program.wait()
    await wait_until_gone(public_tmp_path)
    assert not (public_tmp_path / "shard-0" / "postmaster.pid").exists()


@on_linux
async def test_start_takes_over_from_a_server_whose_program_and_guardian_were_killed(
    public_tmp_path: Path,
) -> None:
    # given a stopped process group: no end-of-file, no signal of the parent's death is acted upon
    program = await _start_program(public_tmp_path, sys.executable)
    lock_file = public_tmp_path / "shard-0" / "postmaster.pid"
    postmaster = int(lock_file.read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGSTOP)
    for pid in servers_of(public_tmp_path):
        if pid != postmaster:
            os.kill(pid, signal.SIGKILL)
    program.kill()
    await program.wait()
    os.kill(postmaster, signal.SIGCONT)

    cluster = PostgresCluster(public_tmp_path / "shard-0", durable=False)
    await cluster.start()

    assert await _run(cluster, "SELECT 1", "users") == 1
    await cluster.stop()


@on_linux
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
async def test_ordinary_user_runs_postgres_itself(public_tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = public_tmp_path / "home"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)

    program = await _start_program(home, _python_for(nobody), user=nobody.pw_uid)

    owner = (home / "shard-0").stat().st_uid
    program.kill()
    await program.wait()
    await wait_until_gone(home)
    assert owner == nobody.pw_uid


def _python_for(user: pwd.struct_passwd) -> str:
    """An interpreter that the user may run: ours may lie in a private folder."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")):
        if candidate is None:
            continue
        code = "import socialnet, sysconfig; print(sysconfig.get_config_var('SOABI'))"
        try:
            done = subprocess.run(
                [candidate, "-c", code],
                user=user.pw_uid,
                cwd="/",
                env=_environment(),
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            continue
        if done.stdout.strip() == sysconfig.get_config_var("SOABI"):
            return candidate
    pytest.skip(f"an ordinary user can reach no {version}, or not this checkout")


def _environment() -> dict[str, str]:
    path = os.pathsep.join((str(_ROOT), sysconfig.get_path("purelib")))
    return {"PYTHONPATH": path, "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}


async def _start_program(
    folder: Path, python: str, user: int | None = None
) -> asyncio.subprocess.Process:
    """Start a program with a running cluster in `folder`/shard-0 and wait until it runs."""
    program = await asyncio.create_subprocess_exec(
        python,
        "-c",
        _PROGRAM,
        str(folder / "shard-0"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd="/",
        env=_environment(),
        user=user,
    )
    assert program.stdout is not None
    assert await program.stdout.readline() == b"running\n"
    return program
