"""Requests of fetches with contexts: grouped by value, answered as one call."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from router.executor import ExecutionErrorCode
from tests.federation.harness import DataSubgraph, RecordedRequest, compose_subgraphs, run

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", '
    'import: ["@key", "@context", "@fromContext", "@external"])'
)
SDL = (
    f"{LINK}\n"
    + """
type Query { trips: [Trip] }
type Trip @context(name: "trip") { currency: String stops: [Stop!] }
type Stop @key(fields: "id") {
  id: ID!
  price(note: String, currency: String @fromContext(field: "$trip { currency }")): String
}
"""
)


def _trips(*currencies: str | None) -> list[dict[str, Any]]:
    return [
        {"currency": currency, "stops": [{"id": "a"}, {"id": str(index)}]}
        for index, currency in enumerate(currencies)
    ]


def _subgraph(trips: list[dict[str, Any]], **more: Any) -> DataSubgraph:
    return DataSubgraph(
        "trips",
        SDL,
        root={"trips": trips},
        resolvers={
            "Stop.__resolveReference": lambda given, _: given,
            "Stop.price": lambda stop, given: f"{stop['id']} {given['currency']}",
        },
        **more,
    )


def _calls(request: RecordedRequest) -> dict[str, Any]:
    return {
        name: [item["id"] for item in value] if isinstance(value, list) else value
        for name, value in request.variables.items()
    }


async def test_objects_under_equal_values_share_a_call() -> None:
    subgraph = _subgraph(_trips("EUR", None, "EUR"))

    result = await run([subgraph], "{ trips { stops { price } } }")

    assert result.errors == []
    assert result.data is not None
    assert [[stop["price"] for stop in trip["stops"]] for trip in result.data["trips"]] == [
        ["a EUR", "0 EUR"],
        ["a None", "1 None"],
        ["a EUR", "2 EUR"],
    ]
    assert _calls(result.requests[1]) == {
        "representations": ["a", "0", "2"],
        "contextualArgument_0": "EUR",
        "representations_1": ["a", "1"],
        "contextualArgument_0_1": None,
    }


async def test_with_one_value_the_text_is_that_of_the_plan() -> None:
    subgraph = _subgraph(_trips("EUR", "EUR"))

    result = await run([subgraph], "{ trips { stops { price } } }")

    assert result.requests[1].query == (
        "query($representations:[_Any!]!,$contextualArgument_0:String)"
        "{_entities(representations:$representations)"
        "{...on Stop{price(currency: $contextualArgument_0)}}}"
    )


async def test_the_names_of_variables_avoid_those_of_the_client() -> None:
    subgraph = _subgraph(_trips("EUR", "CHF"))
    query = """
      query ($contextualArgument_0: String, $representations: String) {
        trips { stops { price(note: $contextualArgument_0) again: price(note: $representations) } }
      }
    """
    given = {"contextualArgument_0": "one", "representations": "two"}

    result = await run([subgraph], query, given)

    assert result.errors == []
    assert result.data is not None
    assert result.data["trips"][1]["stops"][0] == {"price": "a CHF", "again": "a CHF"}
    assert result.requests[1].variables["contextualArgument_0"] == "one"


async def test_text_in_a_string_is_not_taken_for_a_variable() -> None:
    subgraph = _subgraph(_trips("EUR", "CHF"))

    result = await run([subgraph], '{ trips { stops { price(note: "$contextualArgument_0") } } }')

    assert result.errors == []
    assert result.requests[1].query.count('note: "$contextualArgument_0"') == 2


async def test_an_error_of_one_group_has_the_paths_of_its_objects() -> None:
    subgraph = _subgraph(_trips("EUR", "CHF", "EUR"))

    def price(stop: dict[str, Any], given: dict[str, Any]) -> str:
        if given["currency"] == "CHF" and stop["id"] == "1":
            raise LookupError("closed")
        return "open"

    subgraph.resolvers = {**subgraph.resolvers, "Stop.price": price}

    result = await run([subgraph], "{ trips { stops { cost: price } } }")

    (error,) = result.errors
    assert error["path"] == ["trips", 1, "stops", 1, "cost"]
    assert result.data is not None
    assert result.data["trips"][1]["stops"] == [{"cost": "open"}, {"cost": None}]


@pytest.mark.parametrize("spoiled", [None, [], [{"price": "x"}], {"price": "x"}])
async def test_a_group_without_an_entity_for_each_representation_is_malformed(spoiled: Any) -> None:
    def respond(request: RecordedRequest) -> tuple[int, bytes] | None:
        if "_entities" not in request.query:
            return None
        good = [{"price": "1"}, {"price": "2"}]
        return 200, orjson.dumps({"data": {"_entities": good, "_entities_1": spoiled}})

    subgraph = _subgraph(_trips("EUR", "CHF"), respond=respond)

    result = await run([subgraph], "{ trips { stops { price } } }")

    codes = {error["extensions"]["code"] for error in result.errors}
    assert codes == {ExecutionErrorCode.SUBREQUEST_MALFORMED_RESPONSE}
    assert json.dumps(result.data).count("null") == 4


async def test_nothing_is_asked_where_there_is_no_object() -> None:
    subgraph = _subgraph([{"currency": "EUR", "stops": []}, {"currency": "CHF", "stops": None}])

    result = await run([subgraph], "{ trips { stops { price } } }")

    assert result.data == {"trips": [{"stops": []}, {"stops": None}]}
    assert len(result.requests) == 1


async def test_conditions_left_out_do_not_leave_the_text_of_a_grouped_request_invalid() -> None:
    subgraph = _subgraph(_trips("EUR", "CHF"))
    query = """
      query ($dear: Boolean!, $cheap: Boolean!) {
        trips { stops { price @include(if: $dear) other: price @skip(if: $cheap) } }
      }
    """

    result = await run([subgraph], query, {"dear": True, "cheap": True})

    assert result.errors == []
    assert result.data is not None
    assert result.data["trips"][1]["stops"][1] == {"price": "1 CHF"}


async def test_a_dead_subgraph_leaves_the_value_null_and_says_so() -> None:
    subgraphs = [
        DataSubgraph(
            "ships",
            f"{LINK} "
            'type Query { fleet: Fleet } type Fleet @key(fields: "id") { id: ID! ship: Ship } '
            'type Ship @key(fields: "id") { id: ID! }',
            root={"fleet": {"id": "f", "ship": {"id": "s"}}},
        ),
        DataSubgraph(
            "deals",
            f'{LINK} type Fleet @key(fields: "id") {{ id: ID! discount: Int }}',
            respond=lambda _: (503, b"down"),
        ),
        DataSubgraph(
            "tolls",
            f"{LINK} "
            'type Fleet @key(fields: "id") @context(name: "c") { id: ID! discount: Int @external } '
            'type Ship @key(fields: "id") { id: ID! '
            'toll(discount: Int @fromContext(field: "$c { discount }")): Int }',
            entities={"Ship": [{"id": "s"}]},
            resolvers={"Ship.toll": lambda _, given: 100 - (given["discount"] or 0)},
        ),
    ]

    result = await run(
        subgraphs, "{ fleet { ship { toll } } }", supergraph=compose_subgraphs(subgraphs)
    )

    assert result.data == {"fleet": {"ship": {"toll": 100}}}
    (error,) = result.errors
    assert error["path"] == ["fleet"]
    assert error["extensions"]["service"] == "deals"
