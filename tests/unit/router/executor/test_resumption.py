"""Which subscriptions can be resumed, and the operations that open them again."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import parse, validate
from typing_extensions import override

from router.executor.resumption import ANY_FIELD, CursorRule, Resumption, compile_resumption
from router.planner.plan import OperationKind
from tests.federation.harness.plans import fetch
from tests.federation.harness.scripted import PlainSupergraph

RULES = {ANY_FIELD: CursorRule("after", "cursor"), "said": CursorRule("since", "number")}
PLAIN = "type Subscription { e(after: String, k: Int): E } type E { id: ID cursor: String! }"


def resumption_of(
    sdl: str, selection: str, variables: dict[str, str] | None = None, *, resolves: bool = True
) -> Resumption | None:
    class Supergraph(PlainSupergraph):
        @override
        def resolves(self, subgraph: str, parent: str, field: str) -> bool:
            return resolves

    supergraph = Supergraph("type Query { n: Int } " + sdl)
    node = fetch(0, "a", selection, kind=OperationKind.SUBSCRIPTION, variables=variables or {})
    found = compile_resumption(supergraph, node, RULES)
    if found is not None:  # the subgraph would take both
        for text in (query_of(found.head), query_of(found.again_head)):
            assert validate(supergraph.schema, parse(text)) == []
    return found


def query_of(head: bytes) -> str:
    text: str = orjson.loads(head + b"}")["query"]
    return " ".join(text.split())


def test_the_operation_selects_the_cursor_and_begins_after_it_when_it_is_sent_again() -> None:
    found = resumption_of(PLAIN, "{ x: e(after: $a, k: $k) { id } }", {"a": "String", "k": "Int"})

    assert found is not None
    assert query_of(found.head) == (
        "subscription ($a: String, $k: Int) { x: e(after: $a, k: $k) { id cursor_: cursor } }"
    )
    assert query_of(found.again_head) == (
        "subscription ($k: Int, $after_: String) "
        "{ x: e(k: $k, after: $after_) { id cursor_: cursor } }"
    )
    assert found.dropped == {"a"}
    assert found.cursor({"data": {"x": {"id": "1", "cursor_": "c"}}}) == "c"


def test_a_variable_that_is_used_elsewhere_too_is_kept() -> None:
    sdl = "type Subscription { e(after: String): E } type E { id(of: String): ID cursor: String! }"

    found = resumption_of(sdl, "{ e(after: $a) { id(of: $a) } }", {"a": "String"})

    assert found is not None
    assert found.dropped == frozenset()


def test_names_that_the_operation_has_already_are_left_alone() -> None:
    found = resumption_of(PLAIN, "{ e(k: $after_) { cursor_: id cursor } }", {"after_": "Int"})

    assert found is not None
    assert found.again_variable == "after__"
    assert found.cursor_key == "cursor__"


def test_a_field_may_have_a_rule_of_its_own() -> None:
    sdl = "type Subscription { said(since: Int): Said } type Said { number: Int! }"

    found = resumption_of(sdl, "{ said { number } }")

    assert found is not None
    assert found.cursor({"data": {"said": {"number": 7, "cursor_": 7}}}) == 7


@pytest.mark.parametrize(
    ("argument", "variables", "replays"),
    [
        ("", {}, False),
        ('(after: "c")', {}, True),
        ("(after: null)", {}, False),
        ("(after: $a)", {"a": "c"}, True),
        ("(after: $a)", {"a": None}, False),
        ("(after: $a)", {}, False),
    ],
)
def test_a_client_replays_that_gives_a_cursor(
    argument: str, variables: dict[str, Any], replays: bool
) -> None:
    declared = {"a": "String"} if "$a" in argument else {}

    found = resumption_of(PLAIN, f"{{ e{argument} {{ id }} }}", declared)

    assert found is not None
    assert found.replays(variables) is replays


@pytest.mark.parametrize(
    ("argument", "cursor"),
    [
        ("String", "String"),
        ("String!", "String!"),
        ("String", "ID!"),
        ("ID", "String"),
        ("Int", "Int!"),
        ("ID", "Int"),
        ("Float", "Int"),
        ("Mark", "Mark"),
    ],
)
def test_cursors_fit_that_the_argument_takes(argument: str, cursor: str) -> None:
    sdl = (
        f"scalar Mark type Subscription {{ e(after: {argument}): E }} type E {{ cursor: {cursor} }}"
    )
    given = "(after: $a)" if argument.endswith("!") else ""
    declared = {"a": argument} if given else {}

    assert resumption_of(sdl, f"{{ e{given} {{ __typename }} }}", declared) is not None


@pytest.mark.parametrize(
    "sdl",
    [
        "type Subscription { e: E } type E { cursor: String }",
        "type Subscription { e(after: String): E } type E { id: ID }",
        "type Subscription { e(after: String): [E!]! } type E { cursor: String }",
        "type Subscription { e(after: String): U } union U = E type E { cursor: String }",
        "type Subscription { e(after: String): E } type E { cursor: [String!] }",
        "type Subscription { e(after: [String!]): E } type E { cursor: String }",
        "type Subscription { e(after: Int): E } type E { cursor: String }",
        "type Subscription { e(after: Int): E } type E { cursor: Float }",
        "scalar Mark type Subscription { e(after: String): E } type E { cursor: Mark }",
        "type Subscription { e(after: String): E } type E { cursor: C } type C { n: Int }",
        "input I { n: Int } type Subscription { e(after: I): E } type E { cursor: String }",
        "type Subscription { e(after: String): E } type E { cursor(of: Int!): String }",
    ],
)
def test_what_does_not_fit_the_rule_is_not_resumed(sdl: str) -> None:
    assert resumption_of(sdl, "{ e { __typename } }") is None


def test_a_leaf_has_no_cursor() -> None:
    assert resumption_of("type Subscription { e(after: String): Int }", "{ e }") is None


def test_the_subgraph_has_to_resolve_the_cursor_itself() -> None:
    assert resumption_of(PLAIN, "{ e { id } }", resolves=False) is None


def test_an_interface_of_events_is_resumed() -> None:
    sdl = """
        type Subscription { e(after: String): E! }
        interface E { cursor: String! }
        type A implements E { cursor: String! a: Int }
    """

    found = resumption_of(sdl, "{ e { ... on A { a } } }")

    assert found is not None
    assert query_of(found.head).endswith("{ e { ... on A { a } cursor_: cursor } }")


@pytest.mark.parametrize(
    "payload",
    [None, [], {}, {"data": None}, {"data": []}, {"data": {"e": None}}, {"data": {"e": 1}}],
)
def test_an_event_of_any_shape_may_have_no_cursor(payload: Any) -> None:
    found = resumption_of(PLAIN, "{ e { id } }")

    assert found is not None
    assert found.cursor(payload) is None
