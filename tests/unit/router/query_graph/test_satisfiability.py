"""Supergraphs in which some query could not be planned do not compose, and the error shows the
query.
"""

from __future__ import annotations

from router.composition import CompositionResult, SubgraphInput, compose
from router.federation.codes import ErrorCode

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", '
    'import: ["@key", "@shareable", "@external", "@requires"])\n'
)


def _compose(**subgraphs: str) -> CompositionResult:
    return compose([SubgraphInput(n, f"http://{n}", LINK + sdl) for n, sdl in subgraphs.items()])


def test_a_type_that_cannot_be_entered_is_reported_with_an_example() -> None:
    result = _compose(
        a='type Query { user: User } type User @key(fields: "id") { id: ID! email: String! }',
        b='type User @key(fields: "uid") { uid: ID! nick: String }',
    )

    assert [e.code for e in result.errors] == [ErrorCode.SATISFIABILITY_ERROR] * 2
    nick = next(e for e in result.errors if e.coordinates == ("User.nick",))
    assert nick.message == (
        "The following supergraph API query:\n"
        "{\n"
        "  user {\n"
        "    nick\n"
        "  }\n"
        "}\n"
        "cannot be satisfied by the subgraphs because:\n"
        '- from subgraph "a":\n'
        '  - cannot find field "User.nick".\n'
        '  - cannot move to subgraph "b" using @key(fields: "uid") of "User", the key field(s) '
        'cannot be resolved from subgraph "a".'
    )


def test_a_value_type_has_only_what_the_subgraphs_on_its_path_give() -> None:
    result = _compose(
        a="type Query { one: Pair } type Pair { id: ID! @shareable left: Int }",
        b="type Query { two: Pair } type Pair { id: ID! @shareable right: Int }",
    )

    messages = {e.coordinates[0]: e.message for e in result.errors}
    assert set(messages) == {"Pair.left", "Pair.right"}
    assert 'type "Pair" has no @key defined in subgraph "a"' in messages["Pair.left"]


def test_a_value_type_at_a_shared_root_is_complete() -> None:
    result = _compose(
        a="type Query @shareable { one: Pair } type Pair @shareable { id: ID! left: Int }",
        b="type Query @shareable { one: Pair } type Pair @shareable { id: ID! right: Int }",
    )

    assert result.errors == ()


def test_a_key_that_is_not_resolvable_is_no_way_in() -> None:
    result = _compose(
        a="type Query { nodes: [Node] } interface Node { id: ID! } "
        'type User implements Node @key(fields: "id") { id: ID! }',
        b='type User @key(fields: "id", resolvable: false) { id: ID! nick: String }',
    )

    (error,) = result.errors
    assert "... on User {" in error.message
    assert 'their "resolvable" argument set to false' in error.message


def test_a_requirement_nobody_can_meet_is_reported() -> None:
    result = _compose(
        a='type Query { p: P } type P @key(fields: "id") { id: ID! }',
        b='type P @key(fields: "id") { id: ID! price: Int @external '
        'cost: Int @requires(fields: "price") }',
        c='type P @key(fields: "sku") { sku: ID! price: Int }',
    )

    assert {e.coordinates for e in result.errors} == {("P.cost",), ("P.price",), ("P.sku",)}
