"""The stages of planning in print."""

from __future__ import annotations

import re

import pytest
from graphql import parse
from graphql.utilities import get_operation_ast

from router.composition import SubgraphInput, compose
from router.planner import Planner, PlanningError
from router.planner.inspect import Stages, fetch_graph_text, graph_text, paths_text
from router.supergraph import load_supergraph
from tests.federation.cases import Case, features

HEAD = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import:
  ["@key", "@shareable", "@external", "@requires", "@provides", "@interfaceObject"])
"""
CATALOG = """
type Query { products: [Product] item: Item }
type Mutation { rename: Product  drop: Int }
union Item = Product
type Product @key(fields: "upc") { upc: ID! name: String @shareable price: Int maker: Maker }
type Maker @key(fields: "id") { id: ID! }
"""
SHIPPING = """
type Query { slowest: Product @provides(fields: "name") }
type Product @key(fields: "upc") {
  upc: ID! name: String @external price: Int @external
  postage(zip: Int): Int @requires(fields: "price")
}
"""


@pytest.fixture(scope="module")
def planner() -> Planner:
    composed = compose(
        [
            SubgraphInput("catalog", "http://catalog", HEAD + CATALOG),
            SubgraphInput("shipping", "http://shipping", HEAD + SHIPPING),
        ]
    )
    assert composed.supergraph_sdl is not None, composed.errors
    return Planner(load_supergraph(composed.supergraph_sdl))


def _stages(planner: Planner, query: str) -> Stages:
    document = parse(query)
    operation = get_operation_ast(document)
    assert operation is not None
    return Stages(planner, document, operation)


def test_graph_lists_field_moves_and_key_moves(planner: Planner) -> None:
    blocks = graph_text(planner.graph()).split("\n\n")

    [product] = [block for block in blocks if block.startswith("Product")]
    assert product == (
        "Product\n"
        "  in catalog\n"
        "    upc, name, price\n"
        "    maker -> Maker\n"
        "  in shipping\n"
        "    upc\n"
        "    name (external)\n"
        "    price (external)\n"
        "    postage requires { price }\n"
        "  key moves\n"
        "    into catalog by { upc }\n"
        "    into shipping by { upc }"
    )
    [query] = [block for block in blocks if block.startswith("Query")]
    assert query.startswith("Query (root of query operations)\n")
    assert "slowest -> Product provides { name }" in query
    assert "Item\n  in catalog\n    is Product" in blocks


def test_graph_shows_interface_objects() -> None:
    media = """
    type Query { m: Media }
    interface Media @key(fields: "id") { id: ID! }
    type Book implements Media @key(fields: "id") { id: ID! pages: Int }
    """
    ratings = 'type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int }'
    composed = compose(
        [
            SubgraphInput("media", "http://media", HEAD + media),
            SubgraphInput("ratings", "http://ratings", HEAD + ratings),
        ]
    )
    assert composed.supergraph_sdl is not None, composed.errors

    text = graph_text(Planner(load_supergraph(composed.supergraph_sdl)).graph())

    assert "Media\n  in media\n    is Book\n  in ratings (interface object)\n    id, stars" in text
    assert "into ratings as Media by { id }" in text


def test_paths_say_what_is_at_hand_possible_and_chosen(planner: Planner) -> None:
    query = "query ($v: Boolean!) { products { title: name  postage(zip: 7) @include(if: $v) } }"

    first, second = paths_text(_stages(planner, query).search).split("\n\n")

    assert first == (
        "at Query: Query\n"
        "  wanted      products\n"
        "  at hand     nothing: the operation begins\n"
        "  candidates  products: catalog (1 fetch in 1 stage)\n"
        "  chosen      enter catalog (1 fetch in 1 stage)\n"
        "  cost        2 fetches in 2 stages"
    )
    assert second == (
        "at Query.products.@: Product\n"
        "  wanted      title: name, postage(zip: 7) @include(if: $v)\n"
        "  at hand     catalog\n"
        "  candidates  postage: computed in shipping from { price }\n"
        "  chosen      compute postage in shipping\n"
        "  cost        1 fetch in 1 stage"
    )


def test_paths_show_views_that_provide(planner: Planner) -> None:
    text = paths_text(_stages(planner, "{ slowest { name price } }").search)

    assert "at hand     shipping (provided fields too)" in text
    assert "candidates  price: catalog by { upc } (1 fetch in 1 stage)" in text


def test_paths_take_the_fields_of_a_mutation_one_by_one(planner: Planner) -> None:
    text = paths_text(_stages(planner, "mutation { rename { upc } drop }").search)

    assert [line for line in text.splitlines() if "wanted" in line] == [
        "  wanted      rename",
        "  wanted      upc",
        "  wanted      drop",
    ]


def test_the_fetch_graph_shows_steps_before_batching(planner: Planner) -> None:
    stages = _stages(planner, "{ a: products { postage } b: item { ... on Product { postage } } }")

    heads = [line for line in fetch_graph_text(stages).splitlines() if line.startswith("Step")]

    assert heads == [
        "Step 0 on catalog; becomes fetch 0 of the plan",
        "Step 1 on shipping, after 0; becomes fetch 1 of the plan",
        "Step 2 on shipping, after 0; becomes fetch 1 of the plan",
    ]


def test_what_the_router_answers_itself_has_no_stages(planner: Planner) -> None:
    stages = _stages(planner, "{ __typename }")

    assert paths_text(stages.search) == fetch_graph_text(stages)
    assert paths_text(stages.search) == "Nothing is asked of a subgraph."


CASES = [case for feature in features() for case in feature.cases]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_stages_inspected_are_those_of_the_plan(case: Case) -> None:
    inputs = [SubgraphInput(n, f"http://{n}", sdl) for n, sdl in case.feature.subgraphs.items()]
    composed = compose(inputs)
    assert composed.supergraph_sdl is not None, composed.errors
    planner = Planner(load_supergraph(composed.supergraph_sdl))
    stages = _stages(planner, case.operation)
    document = parse(case.operation)
    operation = get_operation_ast(document)
    assert operation is not None
    try:
        planned = planner.plan(document, operation)
    except PlanningError as refusal:
        with pytest.raises(PlanningError, match=re.escape(str(refusal))):
            fetch_graph_text(stages)
        return

    text = fetch_graph_text(stages)
    steps = stages.steps()

    assert stages.plan(stages.groups(steps)) == planned
    assert text.count("Step ") == len(steps)
    assert "there is no way" not in paths_text(stages.search)
