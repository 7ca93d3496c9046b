"""`python -m benchmarks.system`: start everything, measure, print and keep the table."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.system.cpu import cpu_seconds
from benchmarks.system.model import Measurement, Operation
from benchmarks.system.operations import log_in, make_operations
from benchmarks.system.report import Line, as_markdown
from benchmarks.system.worker import Job
from shared.auth import PasswordHashing
from shared.sharding import ShardConfig, Topology
from socialnet.demo.dataset import Dataset, make_dataset
from socialnet.demo.load import load_dataset
from socialnet.demo.people import DEMO_PASSWORD
from socialnet.domains import Domain
from socialnet.embedded.postgres import PostgresCluster
from tests.support.postgres import reachable_folder
from tests.support.redis import emulated_redis, running_redis
from tests.support.services import Services, migrated_shards, running_services

RESULTS = Path(__file__).parents[1] / "results" / "system.md"
_ENVIRONMENT = {
    "USERS_ENVIRONMENT": "production",
    "POSTS_ENVIRONMENT": "production",
    "ROUTER_ENVIRONMENT": "production",
    "ROUTER_ACCESS_LOG": "false",
    "USERS_TOKEN_SECONDS": "7200",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how much; `--quick` only shows that everything works."""

    connections: tuple[int, ...] = (1, 16, 64)
    seconds: float = 5.0
    warm_up: float = 1.5
    actors: int = 64


QUICK = Plan(connections=(1, 4), seconds=0.4, warm_up=0.2, actors=4)


async def run(plan: Plan) -> str:
    """Measure everything; the report."""
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(reachable_folder())
        redis_url, redis = await _start_redis(stack)
        clusters = await stack.enter_async_context(_durable_clusters(folder))
        shards = await migrated_shards(clusters)
        topologies = {domain: Topology.initial(shards[domain]) for domain in Domain}
        dataset = make_dataset(datetime.now(UTC), slots=topologies[Domain.USERS].slots)
        await _load(dataset, topologies)
        through_router, operations = await _measure_system(
            plan, shards, folder, redis_url, dataset, topologies
        )
        floor = await _measure_floor(plan, operations, clusters)
    lines = [
        Line(
            operation=name,
            connections=connections,
            system=measured,
            system_cpu=cpu,
            floor=floor[name, connections][0],
            floor_cpu=floor[name, connections][1]["postgres"],
        )
        for (name, connections), (measured, cpu) in through_router.items()
    ]
    return as_markdown(lines, seconds=plan.seconds, redis=redis)


Cells = dict[tuple[str, int], tuple[Measurement, Mapping[str, float]]]


async def _measure_system(
    plan: Plan,
    shards: Mapping[Domain, Sequence[ShardConfig]],
    folder: Path,
    redis_url: str,
    dataset: Dataset,
    topologies: Mapping[Domain, Topology],
) -> tuple[Cells, list[Operation]]:
    async with running_services(
        shards, folder=folder, redis_url=redis_url, env=_ENVIRONMENT
    ) as services:
        url = f"{services.router.base_url}/graphql"
        _say("logging in")
        actors = await log_in(url, dataset.users[: plan.actors])
        operations = await make_operations(dataset, actors, topologies)
        cells: Cells = {}
        for operation in operations:
            for connections in plan.connections:
                job = _job(plan, operation, connections, url)
                cells[operation.name, connections] = await _measure(
                    job, lambda: _cpu_of(services, folder)
                )
                _say(_describe("router", operation, connections, cells))
    return cells, operations


async def _measure_floor(
    plan: Plan, operations: Sequence[Operation], clusters: Sequence[PostgresCluster]
) -> Cells:
    """After the services have ended, so that no relay works on what this writes."""
    cells: Cells = {}
    for operation in operations:
        for connections in plan.connections:
            job = _job(plan, operation, connections, None)
            cells[operation.name, connections] = await _measure(
                job, lambda: {"postgres": cpu_seconds(_postmasters(clusters[0].data_dir.parent))}
            )
            _say(_describe("floor", operation, connections, cells))
    return cells


def _job(plan: Plan, operation: Operation, connections: int, url: str | None) -> Job:
    return Job(
        url=url,
        http=operation.http if url is not None else [],
        sql=operation.sql if url is None else [],
        connections=connections,
        warm_up=plan.warm_up,
        seconds=plan.seconds,
    )


async def _measure(
    job: Job, read_cpu: Callable[[], Mapping[str, float]]
) -> tuple[Measurement, Mapping[str, float]]:
    """Run a load process; CPU in milliseconds per request over the measured seconds."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.system.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(dataclasses.asdict(job)).encode())
    process.stdin.close()
    if await process.stdout.readline() != b"started\n":
        await process.wait()
        raise SystemExit("the load process ended early")
    before = read_cpu()
    result = await process.stdout.readline()
    after = read_cpu()
    await process.wait()
    measurement = Measurement(**json.loads(result))
    requests = max(1, measurement.requests)
    return measurement, {name: (after[name] - before[name]) * 1000 / requests for name in after}


def _cpu_of(services: Services, folder: Path) -> Mapping[str, float]:
    return {
        "router": cpu_seconds([services.router.pid]),
        "users": cpu_seconds([services.users.pid]),
        "posts": cpu_seconds([services.posts.pid]),
        "postgres": cpu_seconds(_postmasters(folder)),
    }


def _postmasters(folder: Path) -> list[int]:
    return [int(lock_file.read_text().split()[0]) for lock_file in folder.glob("*/postmaster.pid")]


@contextlib.asynccontextmanager
async def _durable_clusters(folder: Path) -> AsyncIterator[tuple[PostgresCluster, ...]]:
    clusters = tuple(PostgresCluster(folder / f"shard-{number}") for number in range(2))
    try:
        await asyncio.gather(*(cluster.create() for cluster in clusters))
        await asyncio.gather(*(cluster.start() for cluster in clusters))
        yield clusters
    finally:
        await asyncio.gather(*(cluster.stop() for cluster in clusters))


async def _start_redis(stack: contextlib.AsyncExitStack) -> tuple[str, str]:
    if shutil.which("redis-server") is not None:
        return await stack.enter_async_context(running_redis()), "Redis"
    return stack.enter_context(emulated_redis()), "no redis-server found: Redis emulated in Python"


async def _load(dataset: Dataset, topologies: Mapping[Domain, Topology]) -> None:
    await load_dataset(
        dataset,
        users_topology=topologies[Domain.USERS],
        posts_topology=topologies[Domain.POSTS],
        password_hash=await PasswordHashing().hash(DEMO_PASSWORD),
    )


def _describe(what: str, operation: Operation, connections: int, cells: Cells) -> str:
    measured = cells[operation.name, connections][0]
    return f"{what:6} {operation.name:28} {connections:3} conns {measured.rate:8,.0f} req/s"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(prog="benchmarks.system", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run that keeps no result")
    parser.add_argument("--seconds", type=float, help="measured seconds per cell")
    options = parser.parse_args()
    plan = QUICK if options.quick else Plan()
    if options.seconds is not None:
        plan = dataclasses.replace(plan, seconds=options.seconds)
    report = asyncio.run(run(plan))
    print(report)
    if not options.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(report)


if __name__ == "__main__":
    main()
