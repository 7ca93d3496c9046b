"""Plans under progressive overrides: which labels they depend on."""

from itertools import combinations

import pytest
from graphql import OperationDefinitionNode, parse

from router.composition import SubgraphInput, compose
from router.planner import Planner
from router.planner.plan import QueryPlan
from router.planner.plan_text import plan_text
from router.supergraph import load_supergraph

OLD = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
type Query { user: User node: Node }
interface Node { id: ID! title: String }
type User implements Node @key(fields: "id") {
  id: ID! plain: String a: String b: String c: String title: String friend: User
}
type Page implements Node @key(fields: "id") { id: ID! title: String }
"""
NEW = """
extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.7"
  import: ["@key", "@override", "@external", "@requires"]
)
type User @key(fields: "id") {
  id: ID!
  a: String @override(from: "old", label: "la")
  b: String @override(from: "old", label: "lb")
  title: String @override(from: "old", label: "lt")
  c: String @external
  computed: String @requires(fields: "c")
}
type Page @key(fields: "id") { id: ID! title: String @override(from: "old", label: "lp") }
"""
THIRD = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@override"])
type User @key(fields: "id") { id: ID! c: String @override(from: "old", label: "lc") }
"""
LABELS = ("la", "lb", "lc", "lt", "lp")


@pytest.fixture(scope="module")
def planner() -> Planner:
    names = {"old": OLD, "new": NEW, "third": THIRD}
    composed = compose([SubgraphInput(name, f"http://{name}", sdl) for name, sdl in names.items()])
    assert composed.supergraph_sdl is not None, composed.errors
    return Planner(load_supergraph(composed.supergraph_sdl))


def _plan(planner: Planner, query: str, *labels: str) -> QueryPlan:
    document = parse(query)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return planner.plan(document, operation, frozenset(labels))


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("{ user { id plain } }", set()),
        ("{ user { a } }", {"la"}),
        ("{ user { a b } }", {"la", "lb"}),
        ("{ user { friend { friend { x: b } } } }", {"lb"}),
        ("{ user { computed } }", {"lc"}),  # by what it requires
        ("{ node { title } }", {"lt", "lp"}),  # by the interface's implementations
        ("{ node { id ... on Page { computed: id } } }", set()),
        ("{ __typename }", set()),
    ],
)
def test_a_plan_depends_on_the_labels_of_its_fields_only(
    planner: Planner, query: str, labels: set[str]
) -> None:
    assert _plan(planner, query).labels == labels
    assert _plan(planner, query).labels == labels  # what is remembered counts as well


@pytest.mark.parametrize(
    "query",
    ["{ user { plain a b } }", "{ user { computed c a } }", "{ node { title ... on User { a } } }"],
)
def test_sets_that_agree_on_the_labels_of_a_plan_have_the_same_plan(
    planner: Planner, query: str
) -> None:
    texts: dict[frozenset[str], set[str]] = {}
    for count in range(len(LABELS) + 1):
        for labels in combinations(LABELS, count):
            plan = _plan(planner, query, *labels)
            texts.setdefault(plan.labels & set(labels), set()).add(plan_text(plan))

    assert all(len(found) == 1 for found in texts.values())
    assert len(texts) < 2 ** len(LABELS)
    assert len(set().union(*texts.values())) > 1


def test_query_graphs_of_label_sets_are_bounded(planner: Planner) -> None:
    for number in range(100):
        planner.graph(frozenset({f"label {number}"}))

    assert len(planner._graphs) <= 32
