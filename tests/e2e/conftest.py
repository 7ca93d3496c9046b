"""The whole system, started by its real command line, in both ways to run it.

Tests that take `system` run against the embedded mode and against the services mode: nothing may
work in one and not in the other. Each mode is started once per test process, with demo data; tests
share it, so they register users of their own instead of changing the demo's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from shared.auth import PasswordHashing
from shared.sharding import Topology
from socialnet.demo.dataset import make_dataset
from socialnet.demo.load import load_dataset
from socialnet.demo.people import DEMO_LOGINS, DEMO_PASSWORD
from socialnet.domains import Domain
from tests.support.postgres import reachable_folder, running_clusters
from tests.support.redis import running_redis
from tests.support.services import embedded_system, migrated_shards, running_services

Mode = Literal["embedded", "services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A running system with demo data."""

    mode: Mode
    base_url: str
    logins: tuple[str, ...] = DEMO_LOGINS
    password: str = DEMO_PASSWORD

    @property
    def graphql_url(self) -> str:
        """Where GraphQL is served over HTTP."""
        return f"{self.base_url}/graphql"

    @property
    def websocket_url(self) -> str:
        """Where GraphQL is served over WebSocket."""
        return self.graphql_url.replace("http://", "ws://", 1)


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("embedded", marks=pytest.mark.xdist_group("e2e-embedded")),
        pytest.param(
            "services", marks=[pytest.mark.redis, pytest.mark.xdist_group("e2e-services")]
        ),
    ],
)
async def system(request: pytest.FixtureRequest) -> AsyncIterator[System]:
    """A running system; the test runs once per mode."""
    with reachable_folder() as folder:
        running = _embedded(folder) if request.param == "embedded" else _services(folder)
        async for started in running:
            yield started


async def _embedded(folder: Path) -> AsyncIterator[System]:
    async with embedded_system(folder / "data") as process:
        yield System(mode="embedded", base_url=process.base_url)


async def _services(folder: Path) -> AsyncIterator[System]:
    async with running_redis() as redis_url, running_clusters(folder) as clusters:
        shards = await migrated_shards(clusters)
        topologies = {domain: Topology.initial(shards[domain]) for domain in Domain}
        await load_dataset(
            make_dataset(datetime.now(UTC), slots=topologies[Domain.USERS].slots),
            users_topology=topologies[Domain.USERS],
            posts_topology=topologies[Domain.POSTS],
            password_hash=await PasswordHashing().hash(DEMO_PASSWORD),
        )
        environment = {
            f"{service}_ENVIRONMENT": "development" for service in ("USERS", "POSTS", "ROUTER")
        }
        async with running_services(
            shards, folder=folder, redis_url=redis_url, env=environment
        ) as services:
            yield System(mode="services", base_url=services.router.base_url)
