"""Composition as a whole: what a supergraph says, where errors are, what is never written."""

from __future__ import annotations

from graphql import parse, print_ast

from router.composition import CompositionResult, SubgraphInput, compose
from router.federation.codes import ErrorCode
from router.federation.hints import HintCode

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: [{}])\n'


def composed(**subgraphs: str) -> CompositionResult:
    return compose(
        [SubgraphInput(name, f"http://{name}/graphql", sdl) for name, sdl in subgraphs.items()]
    )


def fed2(*imports: str) -> str:
    return LINK.format(", ".join(f'"@{name}"' for name in imports))


def definition(result: CompositionResult, name: str) -> str:
    """The definition of a type in a supergraph, without the whitespace."""
    assert result.supergraph_sdl is not None, result.errors
    for node in parse(result.supergraph_sdl).definitions:
        if getattr(getattr(node, "name", None), "value", None) == name:
            return " ".join(print_ast(node).split())
    raise AssertionError(name)


def test_an_entity_of_two_subgraphs_records_who_has_what() -> None:
    result = composed(
        users=fed2("key")
        + """
        type Query { me: User }
        type User @key(fields: "id", resolvable: false) { id: ID! n: Int }
        """,
        posts=fed2("key") + 'type User @key(fields: "id") { id: ID! posts: Int }',
    )

    assert definition(result, "User") == (
        'type User @join__type(graph: POSTS, key: "id")'
        ' @join__type(graph: USERS, key: "id", resolvable: false) {'
        " id: ID! posts: Int @join__field(graph: POSTS) n: Int @join__field(graph: USERS) }"
    )
    assert definition(result, "join__Graph") == (
        'enum join__Graph { POSTS @join__graph(name: "posts", url: "http://posts/graphql")'
        ' USERS @join__graph(name: "users", url: "http://users/graphql") }'
    )


def test_a_subgraph_alone_needs_no_join_fields() -> None:
    result = composed(one="type Query { a(b: Int = 1): Int }")

    assert definition(result, "Query") == (
        "type Query @join__type(graph: ONE) { a(b: Int = 1): Int }"
    )


def test_required_and_provided_fields_are_recorded_as_written() -> None:
    result = composed(
        a=fed2("key", "external", "requires", "provides")
        + """
        type Query { t: T @provides(fields: "n,m") }
        type T @key(fields: "id") {
          id: ID!
          n: Int @external
          m: Int @external
          o(x: String): Int @external
          s: Int @requires(fields: "n o(x: \\"1\\")")
        }
        """,
        b=fed2("key", "shareable")
        + """
        type T @key(fields: "id") { id: ID! n: Int @shareable m: Int @shareable o(x: String): Int }
        """,
    )

    assert 't: T @join__field(graph: A, provides: "n,m")' in definition(result, "Query")
    merged = definition(result, "T")
    assert r's: Int @join__field(graph: A, requires: "n o(x: \"1\")")' in merged
    assert "n: Int @join__field(graph: A, external: true) @join__field(graph: B)" in merged


def test_a_field_of_two_types_gets_the_wider_one_and_records_both() -> None:
    result = composed(
        a=fed2("shareable") + "type Query { x: [Int!]! @shareable }",
        b=fed2("shareable") + "type Query { x: [Int] @shareable }",
    )

    assert definition(result, "Query") == (
        "type Query @join__type(graph: A) @join__type(graph: B) {"
        ' x: [Int] @join__field(graph: A, type: "[Int!]!") @join__field(graph: B, type: "[Int]") }'
    )
    assert [hint.code for hint in result.hints] == [HintCode.INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE]


def test_the_result_does_not_depend_on_the_order_of_types_or_subgraphs() -> None:
    first = "type Query { a: A } type A { b: B } type B { x: Int }"
    second = "type B { x: Int } type A { b: B } type Query { a: A }"

    assert composed(one=first) == composed(one=second)


def test_syntax_errors_name_the_subgraph_and_the_line() -> None:
    result = composed(good="type Query { a: Int }", bad="type Query {\n  a: Int\n  b Int\n}")

    [error] = result.errors
    assert error.code is ErrorCode.INVALID_GRAPHQL
    assert error.subgraphs == ("bad",)
    assert error.line == 3
    assert error.message.startswith("[bad] ")
    assert result.supergraph_sdl is None


def test_errors_of_all_subgraphs_are_reported_at_once() -> None:
    result = composed(
        a="type Query { a: Nothing }", b="type Query { b: }", c="type Query { c: Int }"
    )

    assert [(error.code, error.subgraphs) for error in result.errors] == [
        (ErrorCode.INVALID_GRAPHQL, ("a",)),
        (ErrorCode.INVALID_GRAPHQL, ("b",)),
    ]


def test_an_unknown_federation_version_says_which_are_known() -> None:
    url = "https://specs.apollo.dev/federation/v2.99"
    sdl = f'extend schema\n  @link(url: "{url}")\ntype Query {{ a: Int }}'

    [error] = composed(a=sdl).errors

    assert error.code is ErrorCode.UNKNOWN_FEDERATION_LINK_VERSION
    assert error.line == 2
    assert "v2.99" in error.message
    assert "v2.0" in error.message


def test_a_misspelt_import_gets_a_suggestion() -> None:
    [error] = composed(a=fed2("sharable") + "type Query { a: Int }").errors

    assert error.code is ErrorCode.INVALID_LINK_DIRECTIVE_USAGE
    assert 'Did you mean "@shareable"?' in error.message


def test_a_field_set_error_names_the_directive_its_place_and_line() -> None:
    [error] = composed(
        a=fed2("key") + 'type Query { t: T }\ntype T @key(fields: "no") { id: ID! }'
    ).errors

    assert error.code is ErrorCode.KEY_INVALID_FIELDS
    assert error.coordinates == ("T",)
    assert error.line == 3
    assert '@key(fields: "no")' in error.message


def test_subgraphs_need_names_of_their_own() -> None:
    twice = [SubgraphInput("a", "http://a", "type Query { a: Int }")] * 2

    assert [error.code for error in compose(twice).errors] == [ErrorCode.INVALID_SUBGRAPH_NAME]


def test_composing_nothing_is_an_error() -> None:
    assert [error.code for error in compose([]).errors] == [ErrorCode.CONFIG_INVALID]


def test_federations_own_definitions_in_a_subgraph_are_left_out() -> None:
    result = composed(
        a=fed2("key")
        + """
        scalar _Any
        union _Entity = T
        type _Service { sdl: String! }
        type Query { t: T _entities(representations: [_Any!]!): [_Entity]! _service: _Service! }
        type T @key(fields: "id") { id: ID! }
        """
    )

    assert definition(result, "Query") == "type Query @join__type(graph: A) { t: T }"
    assert "_Any" not in (result.supergraph_sdl or "")


def test_renamed_roots_get_their_standard_names_everywhere() -> None:
    result = composed(a="schema { query: Q mutation: M } type Q { q: Q } type M { back: Q }")

    assert definition(result, "Query") == "type Query @join__type(graph: A) { q: Query }"
    assert definition(result, "Mutation") == "type Mutation @join__type(graph: A) { back: Query }"


def test_descriptions_survive_quotes_and_line_ends() -> None:
    text = 'one "quoted"\n  indented\n\nlast \\""" end'

    result = composed(a=f'"""\n{text}\n"""\ntype Query {{ a: Int }}')

    assert result.supergraph_sdl is not None
    [query] = [
        node
        for node in parse(result.supergraph_sdl).definitions
        if getattr(getattr(node, "name", None), "value", None) == "Query"
    ]
    description = getattr(query, "description", None)
    assert description is not None
    assert description.value == text.replace('\\"""', '"""')
