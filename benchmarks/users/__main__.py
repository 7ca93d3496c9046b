"""`python -m benchmarks.users`: fill two shards with users, measure, print and keep the tables."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from benchmarks.users.people import Person, people
from shared.auth import PasswordHashing, SigningKey, TokenIssuer
from shared.db import migrations
from shared.db.connect import asyncpg_arguments
from shared.settings import Environment
from shared.sharding import ShardConfig, Slot, Topology
from socialnet.domains import Domain
from socialnet.embedded.postgres import PostgresCluster
from socialnet.embedded.shards import create_databases, shard_configs
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.support.postgres import reachable_folder
from tests.support.subgraphs import SubgraphClient, cheap_passwords, served, shard_entries

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

RESULTS = Path(__file__).parents[1] / "results" / "users.md"
SLOTS = 256
_COLUMNS = ("slot", "id", "email", "handle", "display_name", "search_name", "bio")
_BY_ID = "SELECT id, handle, display_name, bio FROM users WHERE slot = $1 AND id = $2"
_USER = "query ($id: ID!) { user(id: $id) { id handle displayName bio } }"
_SEARCH = "query ($query: String!) { searchUsers(query: $query) { nodes { id handle } } }"
_REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; times in milliseconds."""

    name: str
    per_second: float
    median: float
    p99: float


async def run(count: int, seconds: float) -> str:
    """Measure everything; the report."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(reachable_folder())
        clusters = [PostgresCluster(folder / f"shard-{n}", durable=True) for n in range(2)]
        for cluster in clusters:
            await cluster.create()
            await cluster.start()
            stack.push_async_callback(cluster.stop)
        await create_databases(clusters)
        shards = shard_configs(clusters, Domain.USERS)
        await migrations.up(Domain.USERS, shards)
        topology = Topology.initial(shards, SLOTS)
        everybody = people(count, slots=SLOTS)
        print(f"loading {count:,} users", flush=True)
        await _load(everybody, shards, topology)
        rows = [await _floor(everybody, shards, topology, seconds)]
        for name, passwords in (
            ("argon2id at least cost", cheap_passwords()),
            ("argon2id as in production", PasswordHashing()),
        ):
            rows += await _through_subgraph(everybody, shards, passwords, name, seconds)
    return _report(everybody, topology, rows)


async def _load(
    everybody: Sequence[Person], shards: Sequence[ShardConfig], topology: Topology
) -> None:
    now = datetime.now(UTC)
    for shard in shards:
        connection: Any = await asyncpg.connect(**asyncpg_arguments(shard.primary))
        records = [
            (*person.row, now, now)
            for person in everybody
            if topology.shard_of(person.id.slot) == shard.id
        ]
        columns = (*_COLUMNS, "created_at", "updated_at")
        await connection.copy_records_to_table("users", records=records, columns=columns)
        await connection.execute("ANALYZE users")
        await connection.close()


async def _floor(
    everybody: Sequence[Person], shards: Sequence[ShardConfig], topology: Topology, seconds: float
) -> Row:
    """The statement of one user on bare asyncpg, one connection per shard."""
    connections: dict[str, Any] = {
        shard.id: await asyncpg.connect(**asyncpg_arguments(shard.primary)) for shard in shards
    }
    statements = {name: await one.prepare(_BY_ID) for name, one in connections.items()}

    async def ask(number: int) -> None:
        person = everybody[number * 7919 % len(everybody)]
        statement = statements[topology.shard_of(person.id.slot)]
        assert await statement.fetchrow(person.id.slot, person.id.uuid) is not None

    row = await _measure("one user, bare asyncpg", ask, seconds, clients=1)
    for connection in connections.values():
        await connection.close()
    return row


async def _through_subgraph(
    everybody: Sequence[Person],
    shards: Sequence[ShardConfig],
    passwords: PasswordHashing,
    hashing: str,
    seconds: float,
) -> list[Row]:
    settings = UsersSettings(
        shards=shard_entries(shards),
        environment=Environment.TEST,
        limit_register_address="off",
        limit_search="off",
    )
    issuer = TokenIssuer(SigningKey.generate(), issuer="benchmark", audience="benchmark")
    token = issuer.issue(user_id=everybody[0].id).text
    app = create_app(settings, issuer=issuer, passwords=passwords)
    rows: list[Row] = []
    async with served(app) as address:
        users = SubgraphClient(f"http://{address}")

        async def look_up(number: int) -> None:
            person = everybody[number * 7919 % len(everybody)]
            (await users(_USER, {"id": str(person.id)}, token=token)).ok()

        async def search(number: int) -> None:
            name = everybody[number * 7919 % len(everybody)].name[:4]
            (await users(_SEARCH, {"query": name}, token=token)).ok()

        async def register(number: int) -> None:
            name = f"n{number}_{time.time_ns() % 10**12}"
            entered = {
                "email": f"{name}@example.com",
                "password": "correct horse 1",
                "handle": name,
                "displayName": name,
            }
            (await users(_REGISTER, {"input": entered})).ok()

        if "least" in hashing:
            rows.append(await _measure("`user(id)`", look_up, seconds, clients=1))
            rows.append(await _measure("`user(id)`, 8 clients", look_up, seconds, clients=8))
            rows.append(await _measure("`searchUsers`, 4 letters", search, seconds, clients=1))
        rows.append(await _measure(f"`register`, {hashing}", register, seconds, clients=8))
        await users.close()
    return rows


async def _measure(
    name: str, ask: Callable[[int], Awaitable[None]], seconds: float, *, clients: int
) -> Row:
    latencies: list[float] = []
    started = time.perf_counter()
    end = started + seconds
    numbers = iter(range(10**9))

    async def keep_asking() -> None:
        while (begun := time.perf_counter()) < end:
            await ask(next(numbers))
            latencies.append(time.perf_counter() - begun)

    await asyncio.gather(*(keep_asking() for _ in range(clients)))
    took = time.perf_counter() - started
    row = Row(
        name=name,
        per_second=len(latencies) / took,
        median=statistics.median(latencies) * 1000,
        p99=statistics.quantiles(latencies, n=100)[98] * 1000,
    )
    print(f"{row.name}: {row.per_second:,.0f} per second", flush=True)
    return row


def _report(everybody: Sequence[Person], topology: Topology, rows: Sequence[Row]) -> str:
    by_shard = Counter(topology.shard_of(person.id.slot) for person in everybody)
    by_slot = Counter(person.id.slot for person in everybody)
    fair = len(everybody) / len(by_shard)
    worst = max(abs(number - fair) / fair for number in by_shard.values())
    expected = len(everybody) / SLOTS
    chi_squared = sum((by_slot[Slot(n)] - expected) ** 2 / expected for n in range(SLOTS))
    floor = rows[0].median
    lines = [
        "# Users",
        "",
        "Made by `python -m benchmarks.users --keep`; the users subgraph on two durable shards.",
        "Its clients (httpx, about 1 ms of CPU a request) run in the same process, databases on",
        "the same cores: `system.md` has numbers from socket to socket. Times in ms.",
        "",
        f"{len(everybody):,} users: "
        + ", ".join(f"{name} has {number:,}" for name, number in sorted(by_shard.items()))
        + f" (at most {worst:.2%} from even). Over {SLOTS} slots chi-squared is {chi_squared:.0f};",
        "of a uniform hash 330 is passed once in a thousand times.",
        "",
        "| | per second | p50 | p99 | p50 to the floor's |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {row.name} | {row.per_second:,.0f} | {row.median:.2f} | {row.p99:.2f} |"
            f" {row.median / floor:.1f}x |"
            for row in rows
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Parse the command line, run, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.users", description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=5.0, help="per line of the table")
    parser.add_argument("--keep", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    report = asyncio.run(run(options.users, options.seconds))
    print(report)
    if options.keep:
        RESULTS.write_text(report)


if __name__ == "__main__":
    main()
