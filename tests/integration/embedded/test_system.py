"""`socialnet dev` as its users meet it: the real command, from its start to its end."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.processes import servers_of, wait_until_gone
from tests.support.services import ROOT, embedded_system

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at /proc")

_REGISTER = """
mutation { register(input: {
  email: "kept@example.com", password: "a-long-password", handle: "kept", displayName: "Kept"
}) { accessToken user { id } } }
"""
_LOG_IN = """
mutation ($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) { accessToken user { id } }
}
"""


async def _ask(base_url: str, query: str, **variables: str) -> dict[str, Any]:
    async with httpx.AsyncClient(timeout=30) as client:
        response = await client.post(
            f"{base_url}/graphql", json={"query": query, "variables": variables}
        )
    answer: dict[str, Any] = response.json()
    return answer


async def _fail_to_start(folder: Path, *options: str) -> tuple[int | None, str]:
    """Run `socialnet dev` that is to refuse; its exit code and what it says on stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "socialnet", "dev", "--data-dir", str(folder), *options),
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()


async def test_data_and_keys_outlive_a_restart_and_a_reset_ends_them(
    public_tmp_path: Path,
) -> None:
    folder = public_tmp_path / "data"
    async with embedded_system(folder, "--no-demo") as first:
        registered = (await _ask(first.base_url, _REGISTER))["data"]["register"]
    assert first.process.returncode == 0
    assert not servers_of(public_tmp_path)
    key = (folder / "keys" / "signing-key.pem").read_text()

    async with embedded_system(folder, "--no-demo") as second:
        again = await _ask(
            second.base_url, _LOG_IN, email="kept@example.com", password="a-long-password"
        )
    assert again["data"]["login"]["user"] == registered["user"]
    assert (folder / "keys" / "signing-key.pem").read_text() == key

    async with embedded_system(folder, "--no-demo", "--reset", "--shards", "1") as third:
        refused = await _ask(
            third.base_url, _LOG_IN, email="kept@example.com", password="a-long-password"
        )
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (folder / "keys" / "signing-key.pem").read_text() != key
    assert [entry.name for entry in (folder / "shards").glob("shard-*/")] == ["shard-0"]


async def test_first_start_prints_address_logins_and_example(public_tmp_path: Path) -> None:
    async with embedded_system(public_tmp_path / "data", durable=True) as system:
        async with httpx.AsyncClient() as client:
            page = await client.get(f"{system.base_url}/graphql", headers={"accept": "text/html"})
            keys = await client.get(f"{system.base_url}/.well-known/jwks.json")
        logged_in = await _ask(
            system.base_url, _LOG_IN, email="ada@example.com", password="welcome-to-socialnet"
        )
    printed = "".join(system.output)

    assert f"socialnet is ready: {system.base_url}/graphql" in printed
    assert "ada@example.com" in printed
    assert "bruno@example.com" in printed
    assert "chioma@example.com" in printed
    assert "query Me {" in printed
    assert page.headers["content-type"].startswith("text/html")
    assert [key["crv"] for key in keys.json()["keys"]] == ["Ed25519"]
    assert logged_in["data"]["login"]["accessToken"]


async def test_signing_key_is_private(public_tmp_path: Path) -> None:
    folder = public_tmp_path / "data"
    async with embedded_system(folder, "--no-demo"):
        key_file = folder / "keys" / "signing-key.pem"

        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_no_end_leaves_postgres_behind(public_tmp_path: Path, signum: signal.Signals) -> None:
    async with embedded_system(public_tmp_path / "data", "--no-demo") as system:
        assert servers_of(public_tmp_path)

        system.process.send_signal(signum)
        await system.process.wait()

        await wait_until_gone(public_tmp_path)
        expected = -signal.SIGKILL if signum is signal.SIGKILL else 0
        assert system.process.returncode == expected


async def test_stopping_tells_subscribers_that_the_server_goes_away(public_tmp_path: Path) -> None:
    async with embedded_system(public_tmp_path / "data") as system:
        login = {"email": "ada@example.com", "password": "welcome-to-socialnet"}
        user = (await _ask(system.base_url, _LOG_IN, **login))["data"]["login"]
        url = system.base_url.replace("http://", "ws://", 1) + "/graphql"
        token = {"authorization": f"Bearer {user['accessToken']}"}
        query = f'subscription {{ postPublished(authorId: "{user["user"]["id"]}") {{ id }} }}'
        subscribe = {"id": "1", "type": "subscribe", "payload": {"query": query}}
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket_:
            await socket_.send(json.dumps({"type": "connection_init", "payload": token}))
            assert json.loads(await socket_.recv())["type"] == "connection_ack"
            await socket_.send(json.dumps(subscribe))
            await socket_.send(json.dumps({"type": "ping"}))
            assert json.loads(await socket_.recv())["type"] == "pong"

            system.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                await socket_.wait_closed()

        assert socket_.close_code == 1001
        assert await system.process.wait() == 0
    await wait_until_gone(public_tmp_path)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_signal_during_the_start_ends_it_cleanly(
    public_tmp_path: Path, signum: signal.Signals
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "socialnet", "dev", "--data-dir", str(public_tmp_path / "data")),
        *("--port", "0", "--no-sync"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    first_line = await process.stdout.readline()
    process.send_signal(signum)
    _, errors = await process.communicate()

    assert "Creating 2 PostgreSQL clusters" in first_line.decode()
    assert "Traceback" not in errors.decode()
    assert process.returncode == 0
    await wait_until_gone(public_tmp_path)


async def test_second_start_on_the_same_folder_is_refused(public_tmp_path: Path) -> None:
    async with embedded_system(public_tmp_path / "data", "--no-demo") as running:
        code, message = await _fail_to_start(public_tmp_path / "data", "--port", "0")

        assert code == 1
        assert f"is already running on {public_tmp_path}/data (process {running.pid})" in message
        assert (await _ask(running.base_url, "{ __typename }"))["data"] == {"__typename": "Query"}


async def test_port_in_use_is_named_before_anything_is_started(public_tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, message = await _fail_to_start(public_tmp_path / "data", "--port", str(port))

    assert code == 1
    assert f"ort {port}" in message
    assert "--port" in message
    assert not (public_tmp_path / "data").exists()


async def test_folder_of_a_newer_version_is_refused_and_left_alone(public_tmp_path: Path) -> None:
    folder = public_tmp_path / "data"
    folder.mkdir()
    newer = {"layout": 99, "postgres": 18, "shards": 2, "slots": 256, "id": "0" * 16}
    (folder / "version.json").write_text(json.dumps(newer))

    code, message = await _fail_to_start(folder, "--port", "0")

    assert code == 1
    assert "was written by a newer version of socialnet" in message
    assert json.loads((folder / "version.json").read_text()) == newer


async def test_another_number_of_shards_is_refused(public_tmp_path: Path) -> None:
    folder = public_tmp_path / "data"
    async with embedded_system(folder, "--no-demo", "--shards", "3"):
        assert len(list((folder / "shards").glob("shard-*/PG_VERSION"))) == 3

    code, message = await _fail_to_start(folder, "--port", "0", "--shards", "2")

    assert code == 1
    assert "has 3 shards, not 2" in message
    assert "--reset" in message


async def test_interrupted_demo_data_is_completed_at_the_next_start(public_tmp_path: Path) -> None:
    folder = public_tmp_path / "data"
    async with embedded_system(folder) as first:
        before = await _all_handles(first.base_url)
    state = json.loads((folder / "demo.json").read_text())
    (folder / "demo.json").write_text(json.dumps(state | {"done": False}))

    async with embedded_system(folder) as second:
        after = await _all_handles(second.base_url)

    assert len(before) == 200
    assert after == before
    assert json.loads((folder / "demo.json").read_text())["done"] is True


async def _all_handles(base_url: str) -> list[str]:
    """The handles of all users, page by page, as the administrator sees them."""
    answer = await _ask(base_url, _LOG_IN, email="ada@example.com", password="welcome-to-socialnet")
    headers = {"authorization": f"Bearer {answer['data']['login']['accessToken']}"}
    query = """query ($after: String) {
      allUsers(first: 100, after: $after) { nodes { handle } pageInfo { hasNextPage endCursor } }
    }"""
    handles: list[str] = []
    after: str | None = None
    async with httpx.AsyncClient(timeout=30, headers=headers) as client:
        while True:
            body = {"query": query, "variables": {"after": after}}
            page = (await client.post(f"{base_url}/graphql", json=body)).json()["data"]["allUsers"]
            handles += [node["handle"] for node in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                return handles
            after = page["pageInfo"]["endCursor"]


@pytest.mark.skipif(os.geteuid() != 0, reason="is about root's postgres user")
async def test_project_in_a_private_folder_works_as_root(public_tmp_path: Path) -> None:
    private = public_tmp_path / "private"
    private.mkdir(mode=0o700)
    folder = private / "data"
    shards = folder / "shards"

    async with embedded_system(folder, "--no-demo") as system:
        registered = await _ask(system.base_url, _REGISTER)
        placed = shards.resolve()
    async with embedded_system(folder, "--no-demo", "--reset"):
        assert not placed.exists()
        replaced = shards.resolve()

    assert "errors" not in registered
    assert shards.is_symlink()
    assert placed.is_relative_to("/var/lib/socialnet")
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    shutil.rmtree(replaced.parent)
