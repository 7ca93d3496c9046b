"""Every cell of ``matrix.md``, on real shards; and no field of the schema without one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLSchema, build_schema, get_named_type

from shared.sharding import ShardConfig
from subgraphs.users.schema import schema_sdl
from tests.integration.users.access.tables import Level, Role, read_fields, read_ways
from tests.integration.users.access.ways import VIEWERS_OWN, WAYS, Way
from tests.integration.users.access.world import World
from tests.integration.users.conftest import Register
from tests.support.subgraphs import SubgraphClient, Tokens

EXPECTED = read_ways()
FIELDS = read_fields()


@pytest.fixture
async def world(
    users: SubgraphClient,
    address: str,
    users_shards: tuple[ShardConfig, ...],
    register: Register,
    tokens: Tokens,
) -> World:
    """X, and a viewer in each role."""
    return await World.made(users, address, users_shards, register, tokens)


@pytest.mark.parametrize("name", EXPECTED)
async def test_a_way_shows_each_viewer_what_the_tables_say(world: World, name: str) -> None:
    way = WAYS[name]
    # what writes goes its way once; what reads shows X at every level of privacy
    for level in list(Level) if way.kind != "mutation" else [Level.CONTACTS]:
        await world.set_level(level)

        outcomes: dict[Role, str] = {}
        for role, expected in EXPECTED[name].items():
            if way.before is not None:
                await world.run(way.before, role)
            is_to_be_refused = way.kind == "mutation" and expected not in {"shows", "lacks", "ok"}
            before = await world.rows() if is_to_be_refused else None
            outcomes[role] = await _go(world, way, role, level)
            if before is not None:
                assert await world.rows() == before, f"{role} was refused, and something changed"

        assert outcomes == EXPECTED[name]


async def _go(world: World, way: Way, role: Role, level: Level) -> str:
    """Go a way, check what it shows of X, and say what came of it, in the words of the table."""
    answer = await world.run(way, role)
    if answer.errors:
        return answer.codes[0]
    if not way.reaches_user:
        return "ok"
    shown = list(_users_in(answer.data, world.x["id"]))
    for seen in shown:
        expected = _expected(world, role, level, way)
        found = {name: seen[name] for name in expected}
        assert found == expected, f"{role}, settings at {level}"
    return "shows" if shown else "lacks"


async def test_what_a_viewer_may_not_see_differs_from_what_is_true(world: World) -> None:
    assert world.x.keys() == {row.field for row in FIELDS} - set(VIEWERS_OWN)
    for row in FIELDS:
        if "no" in row.cells.values():
            assert row.instead != world.x[row.field], row.field


def test_the_tables_have_every_way_to_data() -> None:
    schema = build_schema(schema_sdl(), assume_valid=True)

    assert EXPECTED.keys() == set(_ways(schema)), "a row of `Ways` is missing, or one too many"
    assert WAYS.keys() == EXPECTED.keys(), "ways.py and matrix.md differ"
    for name, way in WAYS.items():
        reaches = name.startswith(("_", "User.")) or _reaches_user(schema, name)
        assert ("...seen" in way.selection) == reaches, f"{name} must ask with `seen`"


def test_the_tables_have_every_field_of_user() -> None:
    user = build_schema(schema_sdl(), assume_valid=True).type_map["User"]
    assert isinstance(user, GraphQLObjectType)

    assert {row.field for row in FIELDS} == user.fields.keys(), "a row of `Fields` is missing"
    assert {row.field for row in FIELDS if "own" in row.cells.values()} == set(VIEWERS_OWN)
    for name in user.fields:
        levels = [row.when for row in FIELDS if row.field == name]
        assert levels in ([None], list(Level)), f"{name} needs a row for all levels, or for each"


def _users_in(data: Any, x: str) -> Iterator[dict[str, Any]]:
    """The places of an answer where X is, as far as fields of the table of fields are asked for."""
    match data:
        case dict() if data.get("id") == x and "handle" in data:
            yield data
        case {"userId": user_id, "isOnline": is_online, "lastSeen": last_seen} if user_id == x:
            yield {"presence": {"isOnline": is_online, "lastSeen": last_seen}}
        case dict():
            for value in data.values():
                yield from _users_in(value, x)
        case list():
            for item in data:
                yield from _users_in(item, x)


def _expected(world: World, role: Role, level: Level, way: Way) -> dict[str, Any]:
    asked = way.asked(world.x)
    rows = [row for row in FIELDS if row.field in asked and row.when in (None, level)]
    return {
        row.field: world.x[row.field] if row.cells[role] == "yes" else row.instead for row in rows
    }


def _ways(schema: GraphQLSchema) -> Iterator[str]:
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    for root in filter(None, roots):
        yield from (name for name in root.fields if name != "_service")
    user = schema.type_map["User"]
    assert isinstance(user, GraphQLObjectType)
    for name, field in user.fields.items():
        if _leads_to_user(get_named_type(field.type), set()):
            yield f"User.{name}"


def _reaches_user(schema: GraphQLSchema, name: str) -> bool:
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    (field,) = (root.fields[name] for root in filter(None, roots) if name in root.fields)
    return _leads_to_user(get_named_type(field.type), set())


def _leads_to_user(kind: GraphQLNamedType, seen: set[str]) -> bool:
    if kind.name == "User":
        return True
    if not isinstance(kind, GraphQLObjectType) or kind.name in seen:
        return False
    seen.add(kind.name)
    return any(_leads_to_user(get_named_type(f.type), seen) for f in kind.fields.values())
