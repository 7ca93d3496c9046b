"""Estimated costs of operations."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse, specified_rules, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from router.server.errors import RequestError, RequestErrorCode
from router.server.limits.cost.estimate import CostFunction, compile_cost
from router.server.limits.cost.model import CostModel
from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph, compose_subgraphs
from tests.support.cost_schema import costly_supergraph
from tests.support.cost_walker import walk_cost

SUPERGRAPH = costly_supergraph()
LIST_COSTS = [DataSubgraph(*one) for one in Feature("list_costs").subgraphs.items()]
MODEL = CostModel(SUPERGRAPH.api_schema, SUPERGRAPH.costs, default_list_size=10)


def _compile(text: str) -> CostFunction:
    document = parse(text)
    assert validate(SUPERGRAPH.api_schema, document, specified_rules) == []
    [operation] = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    return compile_cost(MODEL, document, operation, mutation=10)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ name }", 0),
        ("{ __typename __schema { types { name } } }", 0),
        ("{ user { __typename } }", 2),
        ("{ user { name } }", 2 + 3),
        ("{ user { photo { url } } }", 2 + 1 + 7),
        ("{ a: user { name } b: user { name } }", 10),
        ("{ user { name } user { name } ...F } fragment F on Query { user { name tags } }", 5),
        ("mutation { bump }", 10 + 5),
        ("mutation { post { tags } }", 10 + 2),
        ("subscription { posted { name } }", 5),
        # Lists.
        ("{ users { name } }", 10 * 5),
        ("{ some { name } }", 5 * 5),
        ("{ some { tags } }", 5 * 2),
        ("{ some { friends { name } } }", 5 * (2 + 10 * 5)),
        ("{ page(first: 3) { name } }", 3 * 5),
        ("{ page(last: 3) { name } }", 3 * 5),
        ("{ page(first: 0) { name } }", 0),
        ("{ page(first: -9) { name } }", 10 * 5),
        ("{ page(first: 3, last: null) { name } }", 3 * 5),
        ("{ lax { name } }", 3 * 5),
        ("{ lax(first: null) { name } }", 7 * 5),
        ("{ lax(first: 2) { name } }", 2 * 5),
        ("{ lax(last: 2) { name } }", 3 * 5),
        ("{ lax(last: 20, first: 1) { name } }", 20 * 5),
        # Connections: the size is that of a field below.
        ("{ feed { total } }", 1),
        ("{ feed { nodes { name } } }", 1 + 4 * 5),
        ("{ feed(first: 6) { nodes { name } edges { node { name } } } }", 1 + 6 * 5 + 6 * 6),
        ("{ feed(first: 6) { ... { n: nodes { friends { name } } } } }", 1 + 6 * (2 + 10 * 5)),
        # Arguments.
        ('{ search(words: ["a", "b"]) }', 2 + 2 * 2),
        ('{ search(words: "a") }', 2),
        ("{ search(words: null, filter: null) }", 0),
        ('{ search(filter: {text: "a", plain: 1}) }', 3 + 4),
        ('{ search(filter: {nested: {text: "a"}, many: [{}, {text: "b"}]}) }', 3 + 5 + 1 + 5),
        ("{ search(any: {}) }", 1),
        ("{ user(id: 1) { name @look(how: 1) } }", 2 + 3 + 9),
        # An abstract type counts as its dearest possible type.
        ("{ things(first: 2) { __typename } }", 2 * 2),
        ("{ things(first: 2) { ... on Named { name } } }", 2 * (2 + 6)),
        ("{ things(first: 1) { ... on User { name } ... on Photo { name } } }", 2 + 3 + 6),
        # A field's cost is never below 0.
        ("{ cheap(less: 1) { name } user { name } }", 5),
        ("{ name @include(if: false) user @skip(if: true) { name } }", 0),
    ],
)
def test_what_does_not_depend_on_variables_is_constant(text: str, cost: float) -> None:
    function = _compile(text)

    assert function({}) == cost
    assert function.is_constant


@pytest.mark.parametrize(
    ("text", "variables", "cost"),
    [
        ("query($n: Int) { page(first: $n) { name } }", {"n": 3}, 15),
        ("query($n: Int) { page(first: $n) { name } }", {"n": 3.0}, 15),
        ("query($n: Int) { page(first: $n) { name } }", {"n": -3}, 50),
        ("query($n: Int) { lax(first: $n) { name } }", {}, 15),
        ("query($n: Int) { lax(first: $n) { name } }", {"n": None}, 35),
        ("query($n: Int!) { feed(first: $n) { nodes { name } } }", {"n": 2}, 11),
        ("query($w: [String]) { search(words: $w) }", {"w": ["a", None, "b"]}, 6),
        ("query($f: Filter) { search(filter: $f) }", {"f": {"many": [{"text": "a"}]}}, 3 + 5),
        ("query($f: Filter) { search(filter: $f) }", {"f": {"text": None}}, 3),
        ("query($f: Filter) { search(any: {nested: $f}) }", {"f": {"plain": 1}}, 2),
        ("query($f: Filter) { search(any: {nested: $f}) }", {}, 1),
        ("query($i: Boolean!) { user @include(if: $i) { name } }", {"i": True}, 5),
        ("query($i: Boolean!) { user @include(if: $i) { name } }", {"i": False}, 0),
        ("query($i: Boolean!) { user { name } ... @skip(if: $i) { user { photo { url } } } }",
         {"i": True}, 5),
        ("query($i: Boolean!) { user { name } ... @skip(if: $i) { user { photo { url } } } }",
         {"i": False}, 13),
    ],
)  # fmt: skip
def test_variables_decide_sizes_conditions_and_arguments(
    text: str, variables: dict[str, Any], cost: float
) -> None:
    function = _compile(text)

    assert function(variables) == cost
    assert not function.is_constant


def test_a_variable_without_influence_leaves_the_cost_constant() -> None:
    assert _compile("query($id: ID) { user(id: $id) { name } }").is_constant


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("{ page { name } }", {}),
        ("{ page(first: 1, last: 1) { name } }", {}),
        ("{ page(first: null) { name } }", {}),
        ("query($n: Int) { page(first: $n) { name } }", {}),
        ("query($n: Int) { page(first: $n, last: 1) { name } }", {"n": 1}),
    ],
)
def test_where_one_slicing_argument_is_required_exactly_one_must_be_given(
    text: str, variables: dict[str, Any]
) -> None:
    with pytest.raises(
        RequestError, match=r"Query\.page needs exactly one .*: first, last"
    ) as caught:
        _compile(text)(variables)

    assert caught.value.code == RequestErrorCode.COST_QUERY_PARSE_FAILURE


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        # The dearer of the two subgraphs' opinions: a post 3, a text 4, 50 recent ones at 2 each.
        ("{ posts(first: 5) { nodes { text } } }", 1 + 5 * (3 + 4) + 1),
        ("{ posts(last: 5) { nodes { text } } }", 1 + 10 * (3 + 4) + 7),
        ("{ recent { text } }", 50 * (2 + 4)),
    ],
)
def test_a_supergraph_composed_here_keeps_its_costs(text: str, cost: float) -> None:
    supergraph = compose_subgraphs(LIST_COSTS)
    model = CostModel(supergraph.api_schema, supergraph.costs, default_list_size=10)
    document = parse(text)
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)

    assert compile_cost(model, document, operation, mutation=10)({}) == cost


FIELDS: dict[str, list[tuple[str, str | None]]] = {
    "Query": [
        ("name", None),
        ("user", "User"),
        ("users", "User"),
        ("some", "User"),
        ("page(first: {n})", "User"),
        ("lax(last: {n})", "User"),
        ("lax(first: {n}, last: {n})", "User"),
        ("feed(first: {i})", "Feed"),
        ("search(words: [{s}, {s}], filter: {f})", None),
        ("search(any: {f})", None),
        ("things(first: {n})", "Thing"),
        ("cheap(less: {n})", "User"),
    ],
    "User": [("name", None), ("photo", "Photo"), ("friends", "User"), ("tags", None)],
    "Photo": [("name", None), ("url", None)],
    "Named": [("name", None)],
    "Thing": [("__typename", None)],
    "Feed": [("nodes", "User"), ("edges", "Edge"), ("total", None)],
    "Edge": [("node", "User"), ("cursor", None)],
}
NARROWER = {"Thing": ["User", "Photo", "Named"], "User": ["User", "Named"], "Photo": ["Photo"]}
LITERALS = {
    "n": ["0", "1", "4", "-2", "$n"],
    "i": ["0", "1", "4", "-2", "$i"],
    "s": ['"a"', "null", "$s"],
    "f": [
        "{}",
        '{text: "a"}',
        "{nested: {many: [{plain: 1}, {text: $s}]}}",
        "{nested: $f}",
        "$f",
        "null",
    ],
}


@st.composite
def operations(draw: st.DrawFn) -> str:
    """Valid operations over the schema; fields with arguments have aliases of their own."""
    numbers = iter(range(10_000))

    def condition() -> str:
        return draw(
            st.sampled_from(["", "", "", "@include(if: $a)", "@skip(if: $b)", "@skip(if: $a)"])
        )

    def selections(parent: str, level: int) -> str:
        parts = []
        for _ in range(draw(st.integers(1, 3))):
            if level < 5 and draw(st.integers(0, 3)) == 0:
                on = draw(st.sampled_from(NARROWER.get(parent, [parent])))
                parts.append(f"... on {on} {condition()} {selections(on, level + 1)}")
                continue
            text, type_ = draw(st.sampled_from(FIELDS[parent]))
            if type_ is not None and level >= 4:
                text, type_ = "__typename", None
            if "(" in text:
                for key, literals in LITERALS.items():
                    while f"{{{key}}}" in text:
                        text = text.replace(f"{{{key}}}", draw(st.sampled_from(literals)), 1)
                text = f"x{next(numbers)}: {text}"
            below = "" if type_ is None else selections(type_, level + 1)
            parts.append(f"{text} {condition()} {below}")
        return "{ " + " ".join(parts) + " }"

    return (
        "query($n: Int, $i: Int!, $s: String, $f: Filter, $a: Boolean!, $b: Boolean!)"
        f" {selections('Query', 0)}"
    )


FILTERS = st.recursive(
    st.none() | st.fixed_dictionaries({}, optional={"text": st.sampled_from(["a", None])}),
    lambda inner: st.fixed_dictionaries(
        {}, optional={"nested": inner, "many": st.lists(inner.filter(bool), max_size=2)}
    ),
    max_leaves=4,
)
VARIABLES = st.fixed_dictionaries(
    {"i": st.integers(-1, 5), "a": st.booleans(), "b": st.booleans()},
    optional={"n": st.integers(-1, 5) | st.none(), "s": st.just("s"), "f": FILTERS},
)


@settings(deadline=None, max_examples=300)
@given(operations(), VARIABLES)
def test_agrees_with_walking_the_operation_for_one_set_of_variables(
    text: str, variables: dict[str, Any]
) -> None:
    document = parse(text)
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    function = compile_cost(MODEL, document, operation, mutation=10)

    expected = walk_cost(SUPERGRAPH, operation, variables, default_list_size=10)
    if expected is None:
        with pytest.raises(RequestError):
            function(variables)
    else:
        assert function(variables) == pytest.approx(expected)
