"""What the comparison of two supergraphs reports, one kind of change per test."""

from __future__ import annotations

import json

import pytest

from router.compat import Change, Report, Severity, Version, compare
from router.composition import SubgraphInput, compose
from router.supergraph import SupergraphError

HEAD = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
  "@key", "@shareable", "@external", "@requires", "@provides", "@authenticated", "@requiresScopes"
])
"""
PRODUCTS = """
type Query { products(first: Int): [Product] product: Product }
type Product @key(fields: "id") @key(fields: "sku") {
  id: ID! sku: String! name: String @deprecated(reason: "title") title: String @shareable
}
"""
STOCK = """
type Product @key(fields: "id") {
  id: ID! price: Int @external weight: Int title: String @shareable
  postage: Int @requires(fields: "price")
}
"""
PRICES = """
type Product @key(fields: "id") { id: ID! price: Int }
"""


def _version(**subgraphs: str) -> Version:
    inputs = [SubgraphInput(name, f"http://{name}", HEAD + sdl) for name, sdl in subgraphs.items()]
    composed = compose(inputs)
    assert composed.supergraph_sdl is not None, composed.errors
    return Version.parse(composed.supergraph_sdl)


BEFORE = _version(products=PRODUCTS, stock=STOCK, prices=PRICES)


def _report(**changed: str) -> Report:
    return compare(
        BEFORE, _version(**{"products": PRODUCTS, "stock": STOCK, "prices": PRICES} | changed)
    )


def _codes(report: Report, severity: Severity) -> list[str]:
    return [str(change.code) for change in report.of(severity)]


def test_a_supergraph_does_not_differ_from_itself() -> None:
    assert _report() == Report(())


def test_a_removed_field_is_breaking() -> None:
    report = _report(stock=STOCK.replace("weight: Int", ""))

    assert report.is_breaking
    assert report.changes == (
        Change(Severity.BREAKING, "FIELD_REMOVED", "Field Product.weight was removed."),
    )


def test_an_added_argument_is_dangerous_and_an_added_field_safe() -> None:
    report = _report(
        products=PRODUCTS.replace("(first: Int)", "(first: Int, after: ID)"),
        prices=PRICES.replace("price: Int", "price: Int tax: Int"),
    )

    assert not report.is_breaking
    assert _codes(report, Severity.DANGEROUS) == ["OPTIONAL_ARG_ADDED"]
    assert "FIELD_ADDED" in _codes(report, Severity.SAFE)


@pytest.mark.parametrize(
    ("deprecated", "severity", "code"),
    [
        ("", Severity.DANGEROUS, "DEPRECATION_REMOVED"),
        ('@deprecated(reason: "label")', Severity.SAFE, "DEPRECATION_CHANGED"),
    ],
)
def test_a_changed_deprecation_is_reported(deprecated: str, severity: Severity, code: str) -> None:
    report = _report(products=PRODUCTS.replace('@deprecated(reason: "title")', deprecated))

    assert [(change.severity, change.code) for change in report.changes] == [(severity, code)]
    assert "Product.name" in report.changes[0].message


def test_deprecations_of_arguments_inputs_and_enum_values_are_reported() -> None:
    sdl = """
    type Query { find(text: String, like: Like, order: Order): Int }
    input Like { name: String tag: String }
    enum Order { UP DOWN }
    """
    deprecated = (
        sdl.replace("text: String", "text: String @deprecated")
        .replace("tag: String", "tag: String @deprecated")
        .replace("DOWN", "DOWN @deprecated")
    )

    report = compare(_version(a=sdl), _version(a=deprecated))

    assert {change.code for change in report.changes} == {"DEPRECATION_ADDED"}
    assert {change.message.split()[0] for change in report.changes} == {
        "Query.find(text:)",
        "Like.tag",
        "Order.DOWN",
    }


def test_a_root_type_that_goes_or_comes_is_reported() -> None:
    with_mutation = PRODUCTS + "type Mutation { sell: Product }"

    gone = compare(_version(products=with_mutation), _version(products=PRODUCTS))
    came = compare(_version(products=PRODUCTS), _version(products=with_mutation))

    assert "ROOT_TYPE_REMOVED" in _codes(gone, Severity.BREAKING)
    assert "ROOT_TYPE_ADDED" in _codes(came, Severity.SAFE)
    assert not came.is_breaking


def test_traits_of_inputs_and_scalars_are_compared() -> None:
    sdl = """
    type Query { find(by: By): Day }
    input By { id: ID name: String }
    scalar Day @specifiedBy(url: "https://example.org/day")
    """
    changed = sdl.replace("example.org", "example.com").replace("input By", "input By @oneOf")

    report = compare(_version(a=sdl), _version(a=changed))
    back = compare(_version(a=changed), _version(a=sdl))

    assert _codes(report, Severity.BREAKING) == ["ONE_OF_ADDED"]
    assert _codes(report, Severity.DANGEROUS) == ["SPECIFIED_BY_CHANGED"]
    assert sorted(_codes(back, Severity.DANGEROUS)) == ["ONE_OF_REMOVED", "SPECIFIED_BY_CHANGED"]


def test_a_removed_subgraph_is_dangerous_even_if_clients_miss_nothing() -> None:
    with_copy = {
        "products": PRODUCTS,
        "copy": 'type Product @key(fields: "id") { id: ID! title: String @shareable }',
    }

    report = compare(_version(**with_copy), _version(products=PRODUCTS))
    back = compare(_version(products=PRODUCTS), _version(**with_copy))

    assert report.changes == (
        Change(Severity.DANGEROUS, "SUBGRAPH_REMOVED", 'Subgraph "copy" was removed.'),
    )
    assert back.changes == (Change(Severity.SAFE, "SUBGRAPH_ADDED", 'Subgraph "copy" was added.'),)


def test_a_subgraph_that_moves_is_dangerous() -> None:
    composed = compose([SubgraphInput("products", "http://elsewhere", HEAD + PRODUCTS)])
    assert composed.supergraph_sdl is not None

    report = compare(_version(products=PRODUCTS), Version.parse(composed.supergraph_sdl))

    assert report.changes == (
        Change(
            Severity.DANGEROUS,
            "SUBGRAPH_URL_CHANGED",
            'Subgraph "products" moved from http://products to http://elsewhere.',
        ),
    )


@pytest.mark.parametrize("key", ["", '@key(fields: "sku", resolvable: false)'])
def test_a_key_that_is_gone_or_no_longer_resolvable_is_dangerous(key: str) -> None:
    report = _report(products=PRODUCTS.replace('@key(fields: "sku")', key))

    assert report.changes == (
        Change(
            Severity.DANGEROUS,
            "KEY_REMOVED",
            'Subgraph "products" can no longer be entered by Product { sku }.',
        ),
    )


def test_a_key_written_otherwise_is_the_same_key() -> None:
    nested = """
    type Query { orders: [Order] }
    type Order @key(fields: "shop { id } number") { shop: Shop number: Int }
    type Shop { id: ID }
    """

    report = compare(
        _version(a=nested), _version(a=nested.replace("shop { id } number", "shop{id}, number"))
    )

    assert report.changes == ()


def test_a_field_that_moves_between_subgraphs_is_dangerous() -> None:
    report = _report(
        stock=STOCK.replace("weight: Int", ""), prices=PRICES.replace("price", "weight: Int price")
    )

    assert [change.message for change in report.of(Severity.DANGEROUS)] == [
        'Product.weight is no longer resolved by "stock", but by "prices".'
    ]
    assert [change.message for change in report.of(Severity.SAFE)] == [
        'Product.weight is now resolved by "prices".'
    ]
    assert not report.is_breaking


def test_a_changed_requirement_is_dangerous() -> None:
    report = _report(
        stock=STOCK.replace('fields: "price"', 'fields: "price tax"').replace(
            "price: Int @external", "price: Int @external tax: Int @external"
        ),
        prices=PRICES.replace("price: Int", "price: Int tax: Int"),
    )

    assert _codes(report, Severity.DANGEROUS) == ["REQUIREMENT_CHANGED"]
    assert report.of(Severity.DANGEROUS)[0].message == (
        'In "stock" Product.postage requires { price tax }, no longer { price }.'
    )


def test_a_provision_is_safe_to_add_and_dangerous_to_remove() -> None:
    prices = PRICES.replace("price: Int", "price: Int @shareable")
    plain = """
    type Query { best: Product }
    type Product @key(fields: "id") { id: ID! }
    """
    provided = plain.replace("best: Product", 'best: Product @provides(fields: "price")').replace(
        "id: ID!", "id: ID! price: Int @external"
    )

    report = compare(_version(a=provided, prices=prices), _version(a=plain, prices=prices))
    back = compare(_version(a=plain, prices=prices), _version(a=provided, prices=prices))

    assert _codes(report, Severity.DANGEROUS) == ["PROVISION_REMOVED"]
    assert _codes(back, Severity.SAFE) == ["PROVISION_ADDED"]


def test_a_runtime_type_that_comes_or_goes_in_one_subgraph_is_dangerous() -> None:
    both = """
    type Query { found: Found @shareable }
    union Found = Cat | Dog
    type Cat @shareable { a: Int }
    type Dog @shareable { b: Int }
    """
    fewer = both.replace("Cat | Dog", "Cat").replace("type Dog @shareable { b: Int }", "")

    report = compare(_version(a=both, b=both), _version(a=both, b=fewer))

    assert (Severity.DANGEROUS, "RUNTIME_TYPE_REMOVED") in {
        (change.severity, change.code) for change in report.changes
    }
    assert not report.is_breaking


def _scopes(*alternatives: list[str]) -> str:
    return f"@requiresScopes(scopes: {json.dumps(alternatives)})"


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        ("", "@authenticated", Severity.BREAKING),
        ("@authenticated", "", Severity.DANGEROUS),
        (_scopes(["a"], ["b"]), _scopes(["a"]), Severity.BREAKING),
        (_scopes(["a"]), _scopes(["a", "b"]), Severity.BREAKING),
        (_scopes(["a"]), _scopes(["a"], ["b", "c"]), Severity.DANGEROUS),
    ],
)
def test_stricter_access_is_breaking_and_looser_access_dangerous(
    before: str, after: str, severity: Severity
) -> None:
    sdl = "type Query {{ secret: Int {} }}"

    report = compare(_version(a=sdl.format(before)), _version(a=sdl.format(after)))

    assert {change.severity for change in report.changes} == {severity}
    assert all("Query.secret" in change.message for change in report.changes)


def test_the_same_access_in_another_order_is_no_change() -> None:
    sdl = 'type Query { secret: Int @requiresScopes(scopes: [["a", "b"], ["c"]]) }'
    reordered = 'type Query { secret: Int @requiresScopes(scopes: [["c"], ["b", "a"]]) }'

    assert compare(_version(a=sdl), _version(a=reordered)).changes == ()


def test_what_is_no_supergraph_is_refused() -> None:
    with pytest.raises(SupergraphError):
        Version.parse("type Query { a: Int }")


EVERYTHING = """
directive @ask(deep: Int, wide: Int! = 3) on QUERY | FIELD
type Query {
  find(first: Int, size: Int! = 1, ids: [Int], sort: Sort, like: Like): State
  any: Any  node: Node  maybe: Int  always: Int!  all: [Int!]!  priced: Int @cost(weight: 2)
  listed: [Int] @listSize(assumedSize: 4)
}
enum Sort { UP DOWN }
enum State { ON OFF }
enum Both { YES NO }
input Like { name: String size: Int! = 1 case: String = "x" both: Both }
union Any = One | Two
interface Node { id: ID! both: Both }
type One implements Node { id: ID! both: Both }
type Two implements Node { id: ID! both: Both }
type Three { z: Int }
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # Arguments
        ("(first: Int, ", "(", "breaking ARG_REMOVED"),
        ("(first: Int,", "(more: Int!, first: Int,", "breaking REQUIRED_ARG_ADDED"),
        ("(first: Int,", "(more: Int, first: Int,", "dangerous OPTIONAL_ARG_ADDED"),
        ("(first: Int,", "(more: Int! = 1, first: Int,", "dangerous OPTIONAL_ARG_ADDED"),
        ("(first: Int,", "(first: Int!,", "breaking ARG_CHANGED_KIND"),
        ("(first: Int,", "(first: String,", "breaking ARG_CHANGED_KIND"),
        ("(first: Int,", "(first: [Int],", "breaking ARG_CHANGED_KIND"),
        ("ids: [Int]", "ids: [Int!]", "breaking ARG_CHANGED_KIND"),
        ("(first: Int,", "(first: Int = 1,", "safe ARG_DEFAULT_VALUE_ADDED"),
        ("find(first: Int, size: Int! = 1", "find(first: Int, size: Int! = 2",
         "dangerous ARG_DEFAULT_VALUE_CHANGE"),
        ("find(first: Int, size: Int! = 1", "find(first: Int, size: Int!",
         "breaking DEFAULT_OF_REQUIRED_REMOVED"),
        # Input fields
        ("{ name: String", "{", "breaking FIELD_REMOVED"),
        ("{ name: String", "{ more: Int! name: String", "breaking REQUIRED_INPUT_FIELD_ADDED"),
        ("{ name: String", "{ more: Int name: String", "dangerous OPTIONAL_INPUT_FIELD_ADDED"),
        ("{ name: String", "{ name: String!", "breaking FIELD_CHANGED_KIND"),
        ("{ name: String", '{ name: String = "y"', "safe INPUT_FIELD_DEFAULT_VALUE_ADDED"),
        ('case: String = "x"', "case: String", "dangerous INPUT_FIELD_DEFAULT_VALUE_CHANGE"),
        ("size: Int! = 1 case", "size: Int! case", "breaking DEFAULT_OF_REQUIRED_REMOVED"),
        # Enums: only sent, only received, both
        ("{ UP DOWN", "{ UP", "breaking VALUE_REMOVED_FROM_ENUM"),
        ("{ UP DOWN", "{ UP DOWN ANY", "safe VALUE_ADDED_TO_ENUM"),
        ("{ ON OFF", "{ ON", "dangerous VALUE_REMOVED_FROM_ENUM"),
        ("{ ON OFF", "{ ON OFF BROKEN", "dangerous VALUE_ADDED_TO_ENUM"),
        ("{ YES NO", "{ YES", "breaking VALUE_REMOVED_FROM_ENUM"),
        ("{ YES NO", "{ YES NO MAYBE", "dangerous VALUE_ADDED_TO_ENUM"),
        # Unions and interfaces
        ("One | Two", "One", "breaking TYPE_REMOVED_FROM_UNION"),
        ("One | Two", "One | Two | Three", "dangerous TYPE_ADDED_TO_UNION"),
        ("Two implements Node", "Two", "breaking IMPLEMENTED_INTERFACE_REMOVED"),
        ("type Three {", "type Three implements Node { id: ID! both: Both",
         "dangerous IMPLEMENTED_INTERFACE_ADDED"),
        # Fields
        ("maybe: Int", "maybe: Int!", "safe FIELD_CHANGED_KIND_SAFE"),
        ("always: Int!", "always: Int", "breaking FIELD_CHANGED_KIND"),
        ("[Int!]!", "[Int]!", "breaking FIELD_CHANGED_KIND"),
        ("type Three { z", "interface Three { z", "breaking TYPE_CHANGED_KIND"),
        ("maybe: Int", '"What it may be." maybe: Int', "safe DESCRIPTION_CHANGED"),
        ("maybe: Int", "maybe: Int @inaccessible", "breaking FIELD_REMOVED"),
        # Directives that clients use
        (" on QUERY | FIELD", " on QUERY", "breaking DIRECTIVE_LOCATION_REMOVED"),
        (" on QUERY | FIELD", " on QUERY | FIELD | MUTATION", "safe DIRECTIVE_LOCATION_ADDED"),
        ("@ask(deep: Int, ", "@ask(", "breaking DIRECTIVE_ARG_REMOVED"),
        ("@ask(deep: Int", "@ask(deep: Int!", "breaking ARG_CHANGED_KIND"),
        ("wide: Int! = 3", "wide: Int!", "breaking DEFAULT_OF_REQUIRED_REMOVED"),
        # Costs
        ("weight: 2", "weight: 3", "dangerous COST_CHANGED"),
        ("@listSize(assumedSize: 4)", "", "dangerous COST_CHANGED"),
    ],
)  # fmt: skip
def test_every_kind_of_change_has_its_severity(old: str, new: str, expected: str) -> None:
    assert EVERYTHING.count(old) == 1

    report = compare(_everything(EVERYTHING), _everything(EVERYTHING.replace(old, new)))

    assert expected in {f"{change.severity} {change.code}" for change in report.changes}
    assert report.is_breaking == expected.startswith("breaking")


def _everything(sdl: str) -> Version:
    link = '@link(url: "https://specs.apollo.dev/federation/v2.9", import: ['
    imports = '"@cost", {name: "@listSize", as: "@sized"}, "@inaccessible"])'
    sdl = f"extend schema {link}{imports}\n{sdl.replace('@listSize', '@sized')}"
    composed = compose([SubgraphInput("a", "http://a", sdl)])
    assert composed.supergraph_sdl is not None, composed.errors
    return Version.parse(composed.supergraph_sdl)


def test_a_cost_names_where_it_was_and_what_it_is() -> None:
    report = compare(
        _everything(EVERYTHING), _everything(EVERYTHING.replace("@cost(weight: 2)", ""))
    )

    assert [change.message for change in report.changes] == [
        "The cost of Query.priced changed from @cost(weight: 2) to the default."
    ]


def test_renamed_access_directives_are_followed() -> None:
    head = HEAD.replace('"@requiresScopes"', '{name: "@requiresScopes", as: "@scopes"}')
    sdl = 'type Query { secret: Int @scopes(scopes: [["a"]]) }'
    versions = []
    for text in (sdl, sdl.replace('"a"', '"a", "b"')):
        composed = compose([SubgraphInput("a", "http://a", head + text)])
        assert composed.supergraph_sdl is not None, composed.errors
        versions.append(Version.parse(composed.supergraph_sdl))

    assert _codes(compare(*versions), Severity.BREAKING) == ["ACCESS_RESTRICTED"]


NODES = """
type Query { nodes: [Node] }
interface Node @key(fields: "id") { id: ID! name: String }
type Thing implements Node @key(fields: "id") { id: ID! name: String size: Int }
"""


def _nodes(other: str) -> Version:
    head = HEAD.replace('"@key"', '"@key", "@override", "@interfaceObject"')
    composed = compose(
        [
            SubgraphInput("nodes", "http://nodes", head + NODES),
            SubgraphInput("other", "http://other", head + other),
        ]
    )
    assert composed.supergraph_sdl is not None, composed.errors
    return Version.parse(composed.supergraph_sdl)


def test_another_label_of_an_override_is_dangerous() -> None:
    sdl = """
    type Thing @key(fields: "id") {
      id: ID! size: Int @override(from: "nodes", label: "percent(5)")
    }
    """

    report = compare(_nodes(sdl), _nodes(sdl.replace("5", "50")))

    assert report.changes == tuple(
        Change(
            Severity.DANGEROUS,
            "OVERRIDE_LABEL_CHANGED",
            f'The override of Thing.size in "{name}" goes by percent(50), no longer by percent(5).',
        )
        for name in ("nodes", "other")
    )


def test_an_interface_that_becomes_an_object_in_a_subgraph_is_dangerous() -> None:
    interface = """
    interface Node @key(fields: "id") { id: ID! }
    type Thing implements Node @key(fields: "id") { id: ID! }
    """
    interface_object = 'type Node @key(fields: "id") @interfaceObject { id: ID! }'

    report = compare(_nodes(interface), _nodes(interface_object))
    back = compare(_nodes(interface_object), _nodes(interface))

    message = 'Subgraph "other" {} has Node as an interface object.'
    for found, word in ((report, "now"), (back, "no longer")):
        change = Change(Severity.DANGEROUS, "INTERFACE_OBJECT_CHANGED", message.format(word))
        assert change in found.changes
        assert not found.is_breaking
