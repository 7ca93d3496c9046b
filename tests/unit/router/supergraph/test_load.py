"""Loading supergraphs: what the model says, and what is refused."""

from __future__ import annotations

import pytest
from graphql import print_schema

from router.supergraph import Supergraph, SupergraphError, SupergraphErrorCode, load_supergraph

LINKS = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)
{
  query: Query
}
"""
MACHINERY = """
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph {
  A @join__graph(name: "accounts", url: "http://accounts")
  B @join__graph(name: "books", url: "http://books")
}
"""  # noqa: E501
TYPES = """
interface Node @join__type(graph: A) { id: ID! }
type User implements Node
  @join__implements(graph: A, interface: "Node")
  @join__type(graph: A, key: "id")
  @join__type(graph: B, key: "id", resolvable: false)
{
  id: ID!
  name: String @join__field(graph: A)
  secret: Int @inaccessible @join__field(graph: A)
  books: [[Book!]]! @join__field(graph: B, requires: "name", provides: "title")
}
type Book @join__type(graph: A) @join__type(graph: B) {
  title: String @join__field(graph: A) @join__field(graph: B, external: true)
}
type Hidden @inaccessible @join__type(graph: B) { x: Int }
union Thing @join__type(graph: A) @join__type(graph: B)
  @join__unionMember(graph: A, member: "User")
  @join__unionMember(graph: B, member: "Book")
  @join__unionMember(graph: B, member: "Hidden")
  = User | Book | Hidden
type Query @join__type(graph: A) @join__type(graph: B) {
  me: User @join__field(graph: A)
  things: [Thing] @join__field(graph: B)
}
"""


@pytest.fixture(scope="module")
def supergraph() -> Supergraph:
    return load_supergraph(LINKS + MACHINERY + TYPES)


def test_fields_know_their_subgraphs_requirements_and_provisions(supergraph: Supergraph) -> None:
    books = supergraph.types["User"].fields["books"]

    assert (books.type_name, books.list_depth, set(books.joins)) == ("Book", 2, {"books"})
    assert books.joins["books"].requires is not None
    assert books.joins["books"].provides is not None
    assert books.joins["books"].resolvable


def test_a_field_without_join_belongs_to_every_subgraph_of_its_type(supergraph: Supergraph) -> None:
    assert set(supergraph.types["User"].fields["id"].joins) == {"accounts", "books"}


def test_external_fields_are_not_resolvable(supergraph: Supergraph) -> None:
    joins = supergraph.types["Book"].fields["title"].joins

    assert joins["accounts"].resolvable
    assert not joins["books"].resolvable


def test_keys_keep_whether_they_are_resolvable(supergraph: Supergraph) -> None:
    joins = supergraph.types["User"].joins

    assert [key.resolvable for key in joins["accounts"].keys] == [True]
    assert [key.resolvable for key in joins["books"].keys] == [False]


def test_possible_types_differ_by_subgraph(supergraph: Supergraph) -> None:
    assert supergraph.possible_types("Thing") == {"User", "Book", "Hidden"}
    assert supergraph.possible_types_in("accounts", "Thing") == {"User"}
    assert supergraph.possible_types_in("books", "Node") == frozenset()
    assert supergraph.possible_types_in("accounts", "Node") == {"User"}


def test_the_api_schema_has_neither_machinery_nor_inaccessible_elements(
    supergraph: Supergraph,
) -> None:
    sdl = print_schema(supergraph.api_schema)

    assert "join__" not in sdl
    assert "link" not in sdl
    assert "Hidden" not in sdl
    assert "secret" not in sdl
    assert "union Thing = User | Book" in sdl
    assert "secret" in print_schema(supergraph.schema)


def test_a_renamed_join_spec_is_read_by_its_name() -> None:
    links = LINKS.replace('join/v0.3"', 'join/v0.3", as: "j"')
    sdl = (links + MACHINERY + TYPES).replace("join__", "j__")

    assert set(load_supergraph(sdl).subgraphs) == {"accounts", "books"}


def test_what_is_inaccessible_under_an_imported_name_is_hidden() -> None:
    links = LINKS.replace(
        'inaccessible/v0.2"',
        'inaccessible/v0.2", import: [{ name: "@inaccessible", as: "@fed__private" }]',
    )
    supergraph = load_supergraph(
        links + (MACHINERY + TYPES).replace("@inaccessible", "@fed__private")
    )

    sdl = print_schema(supergraph.api_schema)
    assert "secret" not in sdl
    assert "Hidden" not in sdl
    assert "private" not in sdl


def test_join_directives_may_be_imported() -> None:
    links = LINKS.replace('join/v0.3"', 'join/v0.3", import: [{ name: "@type", as: "@of" }]')
    supergraph = load_supergraph(links + (MACHINERY + TYPES).replace("@join__type", "@of"))

    assert supergraph.possible_types_in("accounts", "Node") == {"User"}
    assert "directive @of" not in print_schema(supergraph.api_schema)


@pytest.mark.parametrize(
    ("sdl", "code"),
    [
        pytest.param("type Query {", SupergraphErrorCode.INVALID_GRAPHQL, id="not GraphQL"),
        pytest.param("", SupergraphErrorCode.INVALID_GRAPHQL, id="empty"),
        pytest.param("type Query { a: Int }", SupergraphErrorCode.NOT_A_SUPERGRAPH, id="plain"),
        pytest.param(
            LINKS + "type Query { a: Int }", SupergraphErrorCode.NOT_A_SUPERGRAPH, id="no graphs"
        ),
        pytest.param(
            LINKS + MACHINERY + TYPES.replace("(graph: A, key", "(graph: Z, key"),
            SupergraphErrorCode.INVALID_JOIN,
            id="unknown graph",
        ),
        pytest.param(
            LINKS + MACHINERY + TYPES.replace('key: "id")', 'key: "id {")'),
            SupergraphErrorCode.INVALID_JOIN,
            id="broken key",
        ),
        pytest.param(
            LINKS + MACHINERY + TYPES + "type Extra @join__type(graph: A) { x: Nowhere }",
            SupergraphErrorCode.INVALID_GRAPHQL,
            id="unknown type",
        ),
    ],
)  # fmt: skip
def test_what_is_not_a_supergraph_is_refused_with_a_code(
    sdl: str, code: SupergraphErrorCode
) -> None:
    with pytest.raises(SupergraphError) as caught:
        load_supergraph(sdl)

    assert caught.value.code is code


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ('@join__type(graph: A, key: "id")', '@join__type(key: "id")'),
        ('@join__type(graph: A, key: "id")', '@join__type(graph: ["A"], key: "id")'),
        ('@join__type(graph: A, key: "id")', "@join__type(graph: A, key: [1])"),
        ('@join__type(graph: A, key: "id")', '@join__type(graph: A, key: "id {")'),
        ("resolvable: false", 'resolvable: "no"'),
        ('interface: "Node"', "interface: null"),
        ('@join__unionMember(graph: A, member: "User")', "@join__unionMember(graph: A)"),
        ('provides: "title"', 'type: "[["'),
        ("@join__field(graph: B, external: true)", "@join__field(graph: C, external: true)"),
    ],
)
def test_join_directives_that_were_spoiled_by_hand_are_refused(written: str, wrong: str) -> None:
    assert TYPES.count(written) == 1

    with pytest.raises(SupergraphError) as caught:
        load_supergraph(LINKS + MACHINERY + TYPES.replace(written, wrong))

    assert caught.value.code is SupergraphErrorCode.INVALID_JOIN


def test_an_overridden_field_with_a_label_is_still_resolved_by_its_old_home() -> None:
    plain = "name: String @join__field(graph: A)"
    overridden = (
        "name: String @join__field(graph: A, usedOverridden: true{})"
        ' @join__field(graph: B, override: "accounts"{})'
    )
    label = ', overrideLabel: "percent(5)"'

    for given, resolvable in (("", False), (label, True)):
        types = TYPES.replace(plain, overridden.format(given, given))
        join = load_supergraph(LINKS + MACHINERY + types).types["User"].fields["name"].joins
        assert join["accounts"].resolvable is resolvable


CONTEXTS = (
    LINKS.replace("join/v0.3", "join/v0.5").replace(
        "\n{",
        '\n  @link(url: "https://specs.apollo.dev/context/v0.1", as: "scope", for: SECURITY)\n{',
        1,
    )
    + MACHINERY.replace(
        "usedOverridden: Boolean)",
        "usedOverridden: Boolean, contextArguments: [join__ContextArgument!])",
    )
    + """
directive @scope(name: String!) repeatable on INTERFACE | OBJECT | UNION
input join__ContextArgument { name: String! type: String! context: String! selection: String! }
type Query @join__type(graph: A) { users: [User] }
type User @join__type(graph: A, key: "id") @scope(name: "accounts__u") {
  id: ID!
  locale: String
  books: [Book]
}
type Book @join__type(graph: A, key: "id") {
  id: ID!
  title: String @join__field(graph: A, contextArguments: [FILLED])
  blurb(long: Boolean): String @join__field(graph: A, contextArguments: [FILLED])
}
"""
)
ARGUMENT = '{name: "l", type: "String", context: "accounts__u", selection: "{ locale }"}'


def test_contextual_arguments_with_one_value_share_its_number() -> None:
    supergraph = load_supergraph(CONTEXTS.replace("FILLED", ARGUMENT))

    fields = supergraph.types["Book"].fields
    (title,) = fields["title"].joins["accounts"].contexts
    (blurb,) = fields["blurb"].joins["accounts"].contexts
    assert (title.name, title.type, title.context) == ("l", "String", "accounts__u")
    assert title.number == blurb.number
    assert supergraph.context_values[title.number].types == {"User"}
    assert "scope" not in print_schema(supergraph.api_schema)


@pytest.mark.parametrize("missing", ["name", "type", "context", "selection"])
def test_a_contextual_argument_that_says_too_little_is_refused(missing: str) -> None:
    argument = ARGUMENT.replace(f"{missing}:", "other:")

    with pytest.raises(SupergraphError, match=f"Book.title: .* has no {missing}") as refused:
        load_supergraph(CONTEXTS.replace("FILLED", argument))

    assert refused.value.code is SupergraphErrorCode.INVALID_JOIN
