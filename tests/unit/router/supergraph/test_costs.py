"""Reading costs off supergraphs."""

import pytest

from router.supergraph import SupergraphError
from router.supergraph.costs import Costs, ListSize
from router.supergraph.errors import SupergraphErrorCode
from tests.support.cost_schema import costly_supergraph

COST = "https://specs.apollo.dev/cost/v0.1"


def test_weights_and_sizes_are_found_by_coordinate() -> None:
    costs = costly_supergraph().costs

    assert costs.weights == {
        "User": 2,
        "User.name": 3,
        "Photo.name": 6,
        "Url": 7,
        "Mutation.bump": 5,
        "Query.search(filter:)": 3,
        "Query.search(words:)": 2,
        "Query.cheap(less:)": -20,
        "Filter.text": 4,
        "@look(how:)": 9,
    }
    assert costs.list_sizes["Query.some"] == ListSize(assumed=5)
    assert costs.list_sizes["Query.lax"] == ListSize(
        assumed=7, slicing_arguments=("first", "last"), require_one=False
    )
    assert costs.list_sizes["Query.feed"] == ListSize(
        slicing_arguments=("first",), sized_fields=frozenset({"nodes", "edges"})
    )


@pytest.mark.parametrize(
    ("link", "used"),
    [
        (f'@link(url: "{COST}")', "@cost(weight: 3) @cost__listSize(assumedSize: 2)"),
        (f'@link(url: "{COST}", as: "c")', "@c(weight: 3) @c__listSize(assumedSize: 2)"),
        (
            f'@link(url: "{COST}", import: [{{name: "@cost", as: "@price"}}, "@listSize"])',
            '@price(weight: "3.0") @listSize(assumedSize: 2)',
        ),
    ],
)
def test_directives_may_have_other_names(link: str, used: str) -> None:
    costs = costly_supergraph(link, f"type Query {{ a: [Int] {used} }}").costs

    assert costs.weights["Query.a"] == 3
    assert costs.list_sizes == {"Query.a": ListSize(assumed=2)}


def test_directives_of_these_names_mean_nothing_where_the_specification_is_not_linked() -> None:
    assert costly_supergraph("", "type Query { a: Int @cost(weight: 3) }").costs == Costs()


@pytest.mark.parametrize(
    "used",
    [
        "@cost",
        '@cost(weight: "much")',
        '@cost(weight: "nan")',
        '@cost__listSize(assumedSize: "x")',
        '@cost__listSize(slicingArguments: "first")',
    ],
)
def test_what_is_no_number_or_list_is_refused(used: str) -> None:
    with pytest.raises(SupergraphError, match=r"Query\.a") as caught:
        costly_supergraph(f'@link(url: "{COST}")', f"type Query {{ a: [Int] {used} }}")

    assert caught.value.code == SupergraphErrorCode.INVALID_COST
