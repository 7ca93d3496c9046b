"""The generated projection, the interpreter and graphql-core agree on random answers."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest
from graphql import execute_sync, parse
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from router.executor import RequestContext
from router.executor.answers import Answers
from router.executor.codegen import IRREGULARITIES
from router.executor.execution import Execution
from router.executor.fetcher import Fetcher
from router.executor.program import Variant
from router.executor.response_errors import ErrorLog
from router.executor.settings import ExecutorSettings
from tests.federation.harness.plans import call, fetch, query_plan
from tests.federation.harness.scripted import PlainSupergraph, ScriptedTransport, program_of

SDL = """
    type Query { feed: [Item!]! pinned: Item owner: User! }
    interface Item { id: ID! by: User related: [Item] }
    type Post implements Item {
      id: ID! by: User related: [Item] text: String likes: Int! mood: Mood tags: [String!]
    }
    type Photo implements Item { id: ID! by: User related: [Item] width: Float size: [[Int]] }
    type Ad implements Item { id: ID! by: User related: [Item] }
    type User { id: ID! name: String! age: Int address: Address friends: [User!] }
    type Address { city: String zip: String }
    enum Mood { GOOD BAD }
"""
SUPERGRAPH = PlainSupergraph(SDL)
QUERY = """
    query { first: __typename
      feed {
        kind: __typename id
        ... on Post { text likes mood tags } ... on Photo { width size }
        by { ...U }
      }
      pinned { by { name } related { __typename id } ... on Post { by { age } } }
      owner { ...U friends { name age } }
    }
    fragment U on User { name address { zip city } n2: name }
"""
PLAN = query_plan(
    fetch(
        0,
        "items",
        """{ feed { __typename id by { id } ... on Post { text } ... on Photo { width size } }
             pinned { __typename id by { id } related { __typename id } }
             owner { id address { city } friends { id } } }""",
    ),
    fetch(1, "owners", "{ owner { address { zip } } }"),
    fetch(
        2,
        "posts",
        call("feed[]|Post", {"Post": "id"}, "{ ... on Post { likes mood tags } }"),
        after=[0],
    ),
    fetch(
        3,
        "users",
        call(
            ["feed[].by", "pinned.by", "owner", "owner.friends[]"],
            {"User": "id"},
            '{ ... on User { name n2: name @as(key: "n2") age address { city zip } } }',
        ),
        after=[0],
    ),
)


def variant_of() -> Variant:
    return program_of(SUPERGRAPH, QUERY, PLAN).variant({})


VARIANT = variant_of()

words = st.sampled_from(["", "a", "b", "long text"])
ids = st.sampled_from(["1", "2", "3"])
users = st.fixed_dictionaries({"id": ids})
optional_users = st.none() | users


def items(full: bool) -> st.SearchStrategy[dict[str, Any]]:
    common: dict[str, st.SearchStrategy[Any]] = {"id": ids, "by": optional_users}
    if not full:
        bare = st.none() | st.builds(
            lambda typename, id_: {"__typename": typename, "id": id_},
            st.sampled_from(["Post", "Photo", "Ad"]),
            ids,
        )
        related = st.none() | st.lists(bare, max_size=2)
        return st.fixed_dictionaries(
            {"__typename": st.sampled_from(["Post", "Photo", "Ad"]), **common, "related": related}
        )
    sizes = st.none() | st.lists(
        st.none() | st.lists(st.none() | st.integers(0, 9), max_size=2), max_size=2
    )
    return st.one_of(
        st.fixed_dictionaries({"__typename": st.just("Post"), **common, "text": st.none() | words}),
        st.fixed_dictionaries(
            {
                "__typename": st.just("Photo"),
                **common,
                "width": st.none() | st.floats(0, 9) | st.integers(0, 9),
                "size": sizes,
            }
        ),
        st.fixed_dictionaries({"__typename": st.just("Ad"), **common}),
    )


roots = st.fixed_dictionaries(
    {
        "feed": st.lists(items(full=True), max_size=4),
        "pinned": st.none() | items(full=False),
        "owner": st.fixed_dictionaries(
            {
                "id": ids,
                "address": st.none() | st.fixed_dictionaries({"city": st.none() | words}),
                "friends": st.none() | st.lists(users, max_size=3),
            }
        ),
    }
)
owners = st.fixed_dictionaries(
    {
        "owner": st.fixed_dictionaries(
            {"address": st.none() | st.fixed_dictionaries({"zip": st.none() | words})}
        )
    }
)
posts = st.fixed_dictionaries(
    {
        "likes": st.integers(0, 9),
        "mood": st.none() | st.sampled_from(["GOOD", "BAD"]),
        "tags": st.none() | st.lists(words, max_size=2),
    }
)
user_rows = st.fixed_dictionaries(
    {
        "name": words,
        "age": st.none() | st.integers(0, 99),
        "address": st.none()
        | st.fixed_dictionaries({"city": st.none() | words, "zip": st.none() | words}),
    }
)
worlds = st.fixed_dictionaries(
    {
        "items": roots,
        "owners": owners,
        "posts": st.fixed_dictionaries(dict.fromkeys("123", posts)),
        "users": st.fixed_dictionaries(dict.fromkeys("123", user_rows)),
    }
)


def rows_of(rows: dict[str, Any]) -> Any:
    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        wanted = payload["variables"]["representations"]
        found = [copy.deepcopy(rows.get(str(one["id"]))) for one in wanted]
        return {"data": {"_entities": [None if row is None else named(row) for row in found]}}

    def named(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"n2": row["name"]} if "name" in row else row

    return answer


def executed(world: dict[str, Any]) -> Execution:
    """Make the fetches over a world and return what is there to be projected."""
    answers = {
        "items": {"data": world["items"]},
        "owners": {"data": world["owners"]},
        "posts": rows_of(world["posts"]),
        "users": rows_of(world["users"]),
    }
    transports = {name: ScriptedTransport([answer]) for name, answer in answers.items()}
    fetcher = Fetcher(transports, ExecutorSettings())
    execution = Execution(fetcher, VARIANT, {}, RequestContext(), frozenset())
    asyncio.run(execution.run())
    return execution


def merged_answer(world: dict[str, Any]) -> Any:
    """Execute the query directly on one merged schema."""

    def user(reference: dict[str, Any] | None, extra: dict[str, Any] | None = None) -> Any:
        if reference is None:
            return None
        row = copy.deepcopy(world["users"][reference["id"]])
        parts = [reference.get("address"), (extra or {}).get("address"), row["address"]]
        address: dict[str, Any] | None = None
        for part in parts:
            for key, value in (part or {}).items():
                address = address or {}
                if address.get(key) is None:
                    address[key] = value
            if part is not None and address is None:
                address = {}
        friends = reference.get("friends")
        return {
            **row,
            **reference,
            "address": address,
            "friends": None if friends is None else [user(friend) for friend in friends],
        }

    def item(data: dict[str, Any] | None) -> Any:
        if data is None:
            return None
        more = world["posts"][data["id"]] if data["__typename"] == "Post" else {}
        return {**data, **more, "by": user(data.get("by"))}

    root = world["items"]
    value = {
        "feed": [item(one) for one in root["feed"]],
        "pinned": item(root["pinned"]),
        "owner": user(root["owner"], world["owners"]["owner"]),
    }
    return execute_sync(
        SUPERGRAPH.schema,
        parse(QUERY),
        root_value=value,
        type_resolver=lambda source, *_: source["__typename"],
    )


LENIENT = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@LENIENT
@given(worlds)
def test_regular_answers_are_projected_like_one_merged_schema(world: dict[str, Any]) -> None:
    execution = executed(world)
    assert VARIANT.projection is not None

    generated = VARIANT.projection(execution.answers, execution.reader, {})

    log = ErrorLog()
    assert execution.interpreted(log, {}) == generated
    assert log.errors == []
    expected = merged_answer(world)
    assert expected.errors is None
    assert generated == expected.data
    assert order_of(generated) == order_of(expected.data)


GARBAGE: list[Any] = [None, "x", 5, 1.5, True, [], {}, [None], [{}], {"id": "1"}, -(2**40), "Post"]


def nodes_in(value: Any) -> list[tuple[Any, Any]]:
    """Return all (container, key) pairs inside a JSON value."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        for key in keys:
            found.append((value, key))
            found.extend(nodes_in(value[key]))
    return found


@LENIENT
@given(
    worlds,
    st.lists(
        st.tuples(st.integers(0), st.sampled_from(range(len(GARBAGE) + 1))), min_size=1, max_size=3
    ),
)
def test_irregular_answers_never_tell_the_two_projections_apart(
    world: dict[str, Any], spoils: list[tuple[int, int]]
) -> None:
    world = copy.deepcopy(world)
    for where, what in spoils:
        inside = [
            (container, key)
            for container, key in nodes_in(world)
            if container is not world and container not in (world["posts"], world["users"])
        ]
        container, key = inside[where % len(inside)]
        if what < len(GARBAGE):
            container[key] = copy.deepcopy(GARBAGE[what])
        elif isinstance(container, dict):
            del container[key]
    assume(all(isinstance(world[name], dict) for name in ("items", "owners")))
    assume(all(row is None or isinstance(row, dict) for row in world["users"].values()))
    execution = executed(world)
    assert VARIANT.projection is not None

    log = ErrorLog()
    interpreted = execution.interpreted(log, {})

    try:
        generated = VARIANT.projection(execution.answers, execution.reader, {})
    except IRREGULARITIES:
        pass
    else:
        assert log.errors == []
        assert generated == interpreted
    assert_conforms(interpreted)
    collected = [fetch.collect for fetch in VARIANT.fetches if fetch.collect is not None]
    for collect, ref in zip(collected, VARIANT.refs, strict=True):
        precise = execution.reader.collect(ref)
        try:
            ((numbers, made),) = collect(execution.answers, execution.reader)
        except IRREGULARITIES:
            continue
        assert made == precise.representations
        assert numbers == precise.index


def order_of(value: Any) -> Any:
    """Return the keys of all objects, in order."""
    if isinstance(value, dict):
        return [(key, order_of(item)) for key, item in value.items()]
    return [order_of(item) for item in value] if isinstance(value, list) else None


def assert_conforms(data: Any) -> None:
    """Check by hand that a response has what was asked for and nothing else."""
    if data is None:
        return
    assert list(data) == ["first", "feed", "pinned", "owner"]
    assert data["first"] == "Query"
    for item in data["feed"]:
        own = {"Post": ["text", "likes", "mood", "tags"], "Photo": ["width", "size"], "Ad": []}
        assert list(item) == ["kind", "id", *own[item["kind"]], "by"]
        assert isinstance(item["id"], str)
        if item["kind"] == "Post":
            assert isinstance(item["likes"], int)
            assert item["mood"] in (None, "GOOD", "BAD")
        assert_user(item["by"], ["name", "address", "n2"])
    assert_user(data["owner"], ["name", "address", "n2", "friends"])


def assert_user(user: Any, keys: list[str]) -> None:
    if user is not None:
        assert list(user) == keys
        assert isinstance(user["name"], str)
        assert user["address"] is None or list(user["address"]) == ["zip", "city"]


def test_a_response_deeper_than_python_can_compile_is_interpreted() -> None:
    supergraph = PlainSupergraph("type Query { a: [A] } type A { a: [A] n: Int }")
    depth = 60
    query = "{ a " * depth + "{ n }" + " }" * depth
    program = program_of(supergraph, query, query_plan(fetch(0, "s", query)))
    data: Any = {"n": 1}
    for _ in range(depth):
        data = {"a": [data]}

    variant = program.variant({})
    execution = Execution(
        Fetcher({"s": ScriptedTransport([{"data": data}])}, ExecutorSettings()),
        variant,
        {},
        RequestContext(),
        frozenset(),
    )
    asyncio.run(execution.run())

    assert variant.projection is None
    assert execution.result().data == data
    assert execution.result().errors == []


def test_generated_code_refuses_what_was_never_answered() -> None:
    assert VARIANT.projection is not None

    with pytest.raises(IRREGULARITIES):
        VARIANT.projection(Answers(len(VARIANT.fetches), len(VARIANT.refs)), None, {})  # type: ignore[arg-type]
