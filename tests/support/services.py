"""Processes of socialnet for tests and benchmarks: the embedded system, or every service by itself.

Each process is the real command line, with a port of its own that the kernel chose. What is started
here ends with the block that started it, and is killed when it does not end in time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from shared.auth import SigningKey
from shared.db import migrations
from shared.sharding import ShardConfig
from socialnet.domains import Domain
from socialnet.embedded.postgres import PostgresCluster
from socialnet.embedded.shards import create_databases, shard_configs

ROOT = Path(__file__).parents[2]
_READY = re.compile(r"(http://\S+?)/graphql")
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


class StartError(Exception):
    """A process ended before it was ready; carries what it printed."""


@dataclass(slots=True)
class ServiceProcess:
    """A running process that has said where it listens; `output` is what it printed since."""

    process: Process
    base_url: str
    output: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid


@contextlib.asynccontextmanager
async def running(
    arguments: Sequence[str], env: Mapping[str, str] | None = None
) -> AsyncIterator[ServiceProcess]:
    """Run `python -m <arguments>` until the block ends; it begins when the process is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed: list[str] = []
    try:
        async with asyncio.timeout(_START_SECONDS):
            base_url = await _wait_until_ready(process, printed)
        reading = asyncio.create_task(_read_rest(process, printed))
        yield ServiceProcess(process, base_url, printed)
        await _stop(process)
        await reading
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _wait_until_ready(process: Process, printed: list[str]) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        printed.append(line.decode(errors="replace"))
        if match := _READY.search(printed[-1]):
            return match[1]
    await process.wait()
    raise StartError("".join(printed))


async def _read_rest(process: Process, printed: list[str]) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        printed.append(line.decode(errors="replace"))


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(_STOP_SECONDS):
        await process.wait()


@contextlib.asynccontextmanager
async def embedded_system(
    folder: Path, *options: str, durable: bool = False
) -> AsyncIterator[ServiceProcess]:
    """`socialnet dev` on a data folder and a free port."""
    arguments = ["socialnet", "dev", "--data-dir", str(folder), "--port", "0", *options]
    if not durable:
        arguments.append("--no-sync")
    async with running(arguments) as process:
        yield process


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services mode: a process per subgraph, and the router in front of them."""

    users: ServiceProcess
    posts: ServiceProcess
    router: ServiceProcess


async def migrated_shards(
    clusters: Sequence[PostgresCluster],
) -> Mapping[Domain, tuple[ShardConfig, ...]]:
    """Create the databases of all domains on running clusters, and migrate them."""
    await create_databases(clusters)
    shards = {domain: shard_configs(clusters, domain) for domain in Domain}
    for domain, configs in shards.items():
        await migrations.up(domain, configs)
    return shards


@contextlib.asynccontextmanager
async def running_services(
    shards: Mapping[Domain, Sequence[ShardConfig]],
    *,
    folder: Path,
    redis_url: str,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Services]:
    """Run users, posts and the router as processes; keys and configuration go to `folder`."""
    key_file = folder / "signing-key.pem"
    key_file.write_text(SigningKey.generate().to_pem())
    secret = secrets.token_urlsafe(32)
    async with contextlib.AsyncExitStack() as stack:

        async def run(domain: Domain, more: Mapping[str, str]) -> ServiceProcess:
            own = {
                f"{domain}_SHARDS".upper(): _as_json(shards[domain]),
                f"{domain}_ROUTER_SECRETS".upper(): json.dumps([secret]),
            }
            settings = {**own, **more, **(env or {})}
            arguments = ["socialnet", "serve", domain, "--port", "0"]
            return await stack.enter_async_context(running(arguments, settings))

        users = await run(
            Domain.USERS,
            {
                "USERS_SIGNING_KEY_FILE": str(key_file),
                "USERS_REDIS_URL": redis_url,
                # every client of a test or benchmark has the same address
                "USERS_LIMIT_REGISTER_ADDRESS": "off",
                "USERS_LIMIT_LOGIN_ADDRESS": "off",
            },
        )
        jwks_url = f"{users.base_url}/.well-known/jwks.json"
        posts = await run(Domain.POSTS, {"POSTS_REDIS_URL": redis_url, "POSTS_JWKS_URL": jwks_url})
        config = _write_config(folder, {Domain.USERS: users, Domain.POSTS: posts})
        router = await stack.enter_async_context(
            running(
                ["socialnet", "serve", "router", "--port", "0", "--config", str(config)],
                {
                    "ROUTER_SUBGRAPH_SECRET": secret,
                    "ROUTER_JWT_ISSUERS": _jwt_issuers(jwks_url),
                    "ROUTER_JWT_BAD_TOKENS": "ignore",
                    "ROUTER_REVOCATION_REDIS_URL": redis_url,
                    **(env or {}),
                },
            )
        )
        yield Services(users=users, posts=posts, router=router)


def _jwt_issuers(jwks_url: str) -> str:
    """The issuer of access tokens, as docker-compose.yml has it."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    environment = compose["services"]["router"]["environment"]
    (issuer,) = json.loads(environment["ROUTER_JWT_ISSUERS"])
    return json.dumps([{**issuer, "jwks_url": jwks_url}])


def _write_config(folder: Path, services: Mapping[Domain, ServiceProcess]) -> Path:
    """`supergraph.yaml` with the addresses that the processes got."""
    config = yaml.safe_load((ROOT / "supergraph.yaml").read_text())
    for domain, service in services.items():
        subgraph = config["subgraphs"][domain.value]
        subgraph["routing_url"] = f"{service.base_url}/graphql"
        subgraph["schema"]["file"] = str(ROOT / subgraph["schema"]["file"])
    file = folder / "supergraph.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    return file


def _as_json(shards: Sequence[ShardConfig]) -> str:
    return json.dumps([{"id": shard.id, "primary": shard.primary} for shard in shards])
