"""Plans as people read them, and as JSON."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse

from router.composition import SubgraphInput, compose
from router.planner import Planner, PlanningError, PlanningErrorCode
from router.planner.plan import QueryPlan
from router.planner.plan_text import plan_json, plan_text
from router.supergraph import load_supergraph

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n'
POSTS = (
    "type Query { posts(first: Int): [Post!]! } type Subscription { posted: Post! } "
    "type Post { text: String author: User! } "
    'type User @key(fields: "id", resolvable: false) { id: ID! }'
)
USERS = 'type Query { x: Int } type User @key(fields: "id") { id: ID! name: String }'


def _plan(text: str) -> QueryPlan:
    result = compose(
        [
            SubgraphInput("posts", "http://posts", LINK + POSTS),
            SubgraphInput("users", "http://users", LINK + USERS),
        ]
    )
    assert result.supergraph_sdl is not None
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return Planner(load_supergraph(result.supergraph_sdl)).plan(document, operation)


def test_a_subscription_prints_its_source_and_what_runs_for_every_event() -> None:
    assert plan_text(_plan("subscription { posted { text author { name } } }")) == (
        """QueryPlan {
  Subscription {
    Primary: {
      Fetch(service: "posts") {
        {
          posted {
            text
            author {
              id
            }
          }
        }
      },
    },
    Rest: {
      Flatten(path: "posted.author") {
        Fetch(service: "users") {
          {
            ... on User {
              __typename
              id
            }
          } =>
          {
            ... on User {
              name
            }
          }
        },
      },
    },
  },
}"""
    )


def test_the_text_sent_names_the_operation_and_declares_what_it_uses() -> None:
    plan = _plan("query Feed($n: Int = 3, $v: Boolean!) { posts(first: $n) { author { name @include(if: $v) } } }")  # fmt: skip # noqa: E501

    assert [fetch.operation for fetch in plan.fetches] == [
        "query Feed__posts__0($n:Int=3,$v:Boolean!){posts(first: $n){author{id@include(if:$v)}}}",
        "query Feed__users__1($representations:[_Any!]!)"
        "{_entities(representations:$representations){...on User{name}}}",
    ]
    assert [fetch.variables for fetch in plan.fetches] == [("n", "v"), ()]


def test_introspection_alone_needs_no_fetch() -> None:
    assert _plan("{ __typename __schema { queryType { name } } }").fetches == ()


def test_json_tells_where_a_call_enters_and_what_it_waits_for() -> None:
    plan = plan_json(_plan("{ posts { author { name } } }"))

    (root, users) = plan["fetches"]
    assert root["dependsOn"] == []
    assert users["dependsOn"] == [0]
    assert users["entityCalls"][0]["paths"] == ["posts.@.author"]


def test_an_operation_without_a_root_type_is_refused() -> None:
    with pytest.raises(PlanningError) as caught:
        _plan("mutation { x }")

    assert caught.value.code is PlanningErrorCode.UNKNOWN_ROOT
