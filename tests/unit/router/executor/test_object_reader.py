"""Representations with objects inside: nested, abstract, conditional, of several sources."""

from __future__ import annotations

from typing import Any

from router.planner.plan import RepresentationField, RepresentationSpec
from tests.federation.harness.plans import call, fetch, query_plan
from tests.federation.harness.scripted import PlainSupergraph, ScriptedTransport, execute_plan

SUPERGRAPH = PlainSupergraph(
    """
    type Query { users: [User] nodes: [Node] }
    interface Node { id: ID! name: String extra: String }
    type User implements Node { id: ID! name: String extra: String rating: Int pet: Pet home: Home }
    type Team implements Node { id: ID! name: String extra: String }
    interface Pet { name: String }
    type Dog implements Pet { name: String barks: Int }
    type Cat implements Pet { name: String lives: [Int] }
    type Home { city: String zip: String owner: User }
    """
)


def field(
    name: str,
    *selections: RepresentationField,
    only: str | None = None,
    key: bool = False,
    source: str | None = None,
) -> RepresentationField:
    return RepresentationField(
        name=name,
        source_key=source or name,
        is_key=key,
        type_condition=None if only is None else frozenset({only}),
        selections=selections,
    )


def ratings(count: int) -> ScriptedTransport:
    return ScriptedTransport(
        [{"data": {"_entities": [{"rating": number} for number in range(count)]}}]
    )


async def test_an_abstract_object_tells_its_type_and_gives_what_its_type_has() -> None:
    spec = RepresentationSpec(
        types=frozenset({"User"}),
        typename="User",
        fields=(
            field("id", key=True),
            field(
                "pet",
                field("__typename"),
                field("name"),
                field("barks", only="Dog"),
                field("lives", only="Cat", source="__lives"),
            ),
        ),
    )
    other = ratings(4)

    result = await execute_plan(
        SUPERGRAPH,
        "{ users { rating } }",
        query_plan(
            fetch(
                0,
                "users",
                """{ users { id pet {
                     __typename name
                     ... on Dog { barks } ... on Cat { __lives: lives @as(key: "__lives") }
                   } } }""",
            ),
            fetch(1, "other", call("users[]", [spec], "{ ... on User { rating } }"), after=[0]),
        ),
        {
            "users": {
                "data": {
                    "users": [
                        {"id": "1", "pet": {"__typename": "Dog", "name": "Rex", "barks": 3}},
                        {"id": "2", "pet": {"__typename": "Cat", "name": "Tom", "__lives": [9]}},
                        {"id": "3", "pet": None},
                        {"id": "4", "pet": {"__typename": "Cow", "name": "Moo"}},
                        {"id": "1", "pet": {"__typename": "Dog", "name": "Rex", "barks": 3}},
                    ]
                }
            },
            "other": other,
        },
    )

    assert result.errors == []
    assert result.data == {"users": [{"rating": number} for number in (0, 1, 2, 3, 0)]}
    assert other.requests[0]["variables"]["representations"] == [
        {"__typename": "User", "id": "1", "pet": {"__typename": "Dog", "name": "Rex", "barks": 3}},
        {
            "__typename": "User",
            "id": "2",
            "pet": {"__typename": "Cat", "name": "Tom", "lives": [9]},
        },
        {"__typename": "User", "id": "3", "pet": None},
        {"__typename": "User", "id": "4", "pet": None},
    ]


async def test_what_a_representation_needs_may_come_from_an_entity_inside() -> None:
    spec = RepresentationSpec(
        types=frozenset({"User"}),
        typename="User",
        fields=(
            field("id", key=True),
            field("home", field("city"), field("owner", field("id", key=True), field("name"))),
        ),
    )
    other = ratings(1)

    result = await execute_plan(
        SUPERGRAPH,
        "{ users { rating } }",
        query_plan(
            fetch(0, "users", "{ users { id home { city owner { id } } } }"),
            fetch(
                1,
                "names",
                call("users[].home.owner", {"User": "id"}, "{ ... on User { name } }"),
                after=[0],
            ),
            fetch(2, "other", call("users[]", [spec], "{ ... on User { rating } }"), after=[0, 1]),
        ),
        {
            "users": {
                "data": {"users": [{"id": "1", "home": {"city": "X", "owner": {"id": "2"}}}]}
            },
            "names": {"data": {"_entities": [{"name": "Bob"}]}},
            "other": other,
        },
    )

    assert result.errors == []
    assert result.data == {"users": [{"rating": 0}]}
    assert other.requests[0]["variables"]["representations"] == [
        {
            "__typename": "User",
            "id": "1",
            "home": {"city": "X", "owner": {"id": "2", "name": "Bob"}},
        }
    ]


async def test_a_representation_takes_only_what_its_fetch_has_waited_for() -> None:
    spec = RepresentationSpec(
        types=frozenset({"User"}),
        typename="User",
        fields=(field("id", key=True), field("name"), field("home", field("zip"))),
    )
    other = ratings(1)

    result = await execute_plan(
        SUPERGRAPH,
        "{ users { name rating home { zip } } }",
        query_plan(
            fetch(0, "users", "{ users { id } }"),
            fetch(
                1,
                "names",
                call("users[]", {"User": "id"}, "{ ... on User { name home { zip } } }"),
                after=[0],
            ),
            fetch(2, "other", call("users[]", [spec], "{ ... on User { rating } }"), after=[0]),
        ),
        {
            "users": {"data": {"users": [{"id": "1"}]}},
            "names": {"data": {"_entities": [{"name": "Bob", "home": {"zip": "Z"}}]}},
            "other": other,
        },
    )

    assert result.errors == []
    assert result.data == {"users": [{"name": "Bob", "rating": 0, "home": {"zip": "Z"}}]}
    assert other.requests[0]["variables"]["representations"] == [
        {"__typename": "User", "id": "1", "name": None, "home": None}
    ]


async def test_fields_of_a_representation_may_depend_on_the_type() -> None:
    spec = RepresentationSpec(
        types=None,
        typename=None,
        fields=(
            field("id", key=True),
            field("name", only="User", key=True),
            field("extra", only="Team"),
        ),
    )
    other = ScriptedTransport([{"data": {"_entities": [{"e": "u"}, {"e": "t"}]}}])

    result = await execute_plan(
        SUPERGRAPH,
        "{ nodes { e: extra } }",
        query_plan(
            fetch(0, "nodes", "{ nodes { __typename id name extra } }"),
            fetch(
                1,
                "other",
                call("nodes[]", [spec], '{ ... on Node { e: extra @as(key: "e") } }'),
                after=[0],
            ),
        ),
        {
            "nodes": {
                "data": {
                    "nodes": [
                        {"__typename": "User", "id": "1", "name": "n", "extra": "x"},
                        {"__typename": "User", "id": "2", "name": None, "extra": "x"},
                        {"__typename": "Team", "id": "1", "name": None, "extra": "y"},
                    ]
                }
            },
            "other": other,
        },
    )

    assert result.errors == []
    assert result.data == {"nodes": [{"e": "u"}, {"e": None}, {"e": "t"}]}
    assert other.requests[0]["variables"]["representations"] == [
        {"__typename": "User", "id": "1", "name": "n"},
        {"__typename": "Team", "id": "1", "extra": "y"},
    ]


async def test_wrong_values_in_the_way_stop_nothing_but_themselves() -> None:
    users: list[Any] = [
        {"id": "1", "home": {"city": "X"}},
        {"id": ["1"], "home": "nowhere"},
        "nobody",
        {"home": None},
        {"id": "2", "home": [1]},
    ]
    other = ratings(2)

    result = await execute_plan(
        SUPERGRAPH,
        "{ users { rating home { city } } }",
        query_plan(
            fetch(0, "users", "{ users { id home { city } } }"),
            fetch(
                1, "other", call("users[]", {"User": "id"}, "{ ... on User { rating } }"), after=[0]
            ),
        ),
        {"users": {"data": {"users": users}}, "other": other},
    )

    assert result.data == {
        "users": [
            {"rating": 0, "home": {"city": "X"}},
            {"rating": None, "home": None},
            None,
            {"rating": None, "home": None},
            {"rating": 1, "home": None},
        ]
    }
    assert [error["path"] for error in result.errors] == [
        ["users", 1, "rating"],
        ["users", 1, "home"],
        ["users", 2],
        ["users", 3, "rating"],
        ["users", 4, "home"],
    ]
    assert result.errors[0]["message"] == "The subgraph gave no key to find User.rating by."
    assert result.errors[0]["extensions"]["service"] == "users"
    assert [one["id"] for one in other.requests[0]["variables"]["representations"]] == ["1", "2"]


async def test_a_part_of_an_object_that_was_not_asked_for_is_told() -> None:
    """Found by changing answers at random (``key_of_list_items``)."""
    spec = RepresentationSpec(
        types=frozenset({"User"}),
        typename="User",
        fields=(field("id", key=True), field("pet", field("name", key=True), key=True)),
    )
    other = ScriptedTransport([{"data": {"_entities": [{"home": {"zip": "1"}}]}}])

    result = await execute_plan(
        SUPERGRAPH,
        "{ users { home { city zip } } }",
        query_plan(
            fetch(0, "users", "{ users { id pet { name } home { city } } }"),
            fetch(
                1, "other", call("users[]", [spec], "{ ... on User { home { zip } } }"), after=[0]
            ),
        ),
        {
            "users": {
                "data": {
                    "users": [
                        {"id": "1", "pet": {"name": "n"}, "home": {"city": "X"}},
                        {"id": "2", "pet": {}, "home": {"city": "Y"}},
                        {"id": "3", "pet": None, "home": {"city": "Z"}},
                    ]
                }
            },
            "other": other,
        },
    )

    assert result.data == {
        "users": [
            {"home": {"city": "X", "zip": "1"}},
            {"home": {"city": "Y", "zip": None}},
            {"home": {"city": "Z", "zip": None}},  # unknown there: that is no fault
        ]
    }
    assert [(error["message"], error["path"]) for error in result.errors] == [
        ("The subgraph gave no key to find User.home by.", ["users", 1, "home"])
    ]


async def test_what_is_found_by_a_key_that_was_not_asked_for_is_told() -> None:
    result = await execute_plan(
        SUPERGRAPH,
        "{ users { rating } }",
        query_plan(
            fetch(0, "users", "{ users { id } }"),
            fetch(
                1, "names", call("users[]", {"User": "id"}, "{ ... on User { name } }"), after=[0]
            ),
            fetch(
                2,
                "other",
                # has the other key too: whoever looks for what was lost must not go in a circle
                call("users[]", {"User": "name"}, "{ ... on User { id rating } }"),
                after=[0, 1],
            ),
        ),
        {
            "users": {"data": {"users": [{"id": "1"}, {}, {"id": None}]}},
            "names": {"data": {"_entities": [{"name": "n"}]}},
            "other": ratings(1),
        },
    )

    assert result.data == {"users": [{"rating": 0}, {"rating": None}, {"rating": None}]}
    (error,) = result.errors
    assert error["message"] == "The subgraph gave no key to find User.rating by."
    assert error["path"] == ["users", 1, "rating"]
    assert error["extensions"]["service"] == "users"


async def test_a_key_that_one_of_two_subgraphs_did_not_complete_is_told() -> None:
    """Found by changing answers at random (``keys_mashup``)."""
    home = field("home", field("city", key=True), field("zip", key=True), key=True)
    spec = RepresentationSpec(
        types=frozenset({"User"}), typename="User", fields=(field("id", key=True), home)
    )

    result = await execute_plan(
        SUPERGRAPH,
        "{ users { rating } }",
        query_plan(
            fetch(0, "users", "{ users { id home { city } } }"),
            fetch(
                1,
                "homes",
                call("users[]", {"User": "id"}, "{ ... on User { home { zip } } }"),
                after=[0],
            ),
            fetch(2, "other", call("users[]", [spec], "{ ... on User { rating } }"), after=[0, 1]),
        ),
        {
            "users": {"data": {"users": [{"id": str(n), "home": {"city": "X"}} for n in range(4)]}},
            "homes": {
                "data": {"_entities": [{"home": {"zip": "1"}}, {}, {"home": None}, {"home": {}}]}
            },
            "other": ratings(1),
        },
    )

    assert result.data == {"users": [{"rating": 0}, *[{"rating": None}] * 3]}
    assert [(error["path"], error["extensions"]["service"]) for error in result.errors] == [
        (["users", 1, "rating"], "homes"),
        (["users", 3, "rating"], "homes"),
    ]


async def test_an_object_of_no_known_type_has_what_all_types_have() -> None:
    other = ratings(1)

    result = await execute_plan(
        SUPERGRAPH,
        "{ nodes { name ... on User { rating } ... on Node { extra } } }",
        query_plan(
            fetch(0, "nodes", "{ nodes { name extra ... on User { __typename id } } }"),
            fetch(
                1,
                "other",
                call("nodes[]|User", {"User": "id"}, "{ ... on User { rating } }"),
                after=[0],
            ),
        ),
        {
            "nodes": {
                "data": {
                    "nodes": [
                        {"name": "t", "extra": "x"},
                        {"__typename": "User", "id": "1", "name": "u", "extra": "y"},
                    ]
                }
            },
            "other": other,
        },
    )

    assert result.errors == []
    assert result.data == {
        "nodes": [{"name": "t", "extra": "x"}, {"name": "u", "rating": 0, "extra": "y"}]
    }


async def test_a_type_that_nobody_could_be_asked_for_is_told() -> None:
    """Found by leaving members of answers out at random (``interface_object``)."""
    node = RepresentationSpec(types=None, typename="Node", fields=(field("id", key=True),))

    result = await execute_plan(
        SUPERGRAPH,
        "{ nodes { extra ... on User { rating } } }",
        query_plan(
            fetch(0, "objects", "{ nodes { id extra } }"),
            fetch(
                1,
                "types",
                call("nodes[]", [node], "{ ... on Node { __typename ... on User { rating } } }"),
                after=[0],
            ),
        ),
        {
            "objects": {
                "data": {
                    "nodes": [
                        {"id": "1", "extra": "a"},
                        {"extra": "b"},
                        {"id": "3", "extra": "c"},
                        {"id": None, "extra": "d"},
                    ]
                }
            },
            "types": {"data": {"_entities": [{"__typename": "User", "rating": 5}, {"rating": 6}]}},
        },
    )

    assert result.data == {
        "nodes": [{"extra": "a", "rating": 5}, {"extra": "b"}, {"extra": "c"}, {"extra": "d"}]
    }
    assert [
        (error["message"], error["path"], error["extensions"]["service"]) for error in result.errors
    ] == [
        ("The subgraph gave no key to learn the type of Node by.", ["nodes", 1], "objects"),
        ("The subgraph did not tell the type of an object for Node.", ["nodes", 2], "types"),
    ]


async def test_a_type_that_cannot_be_is_told_by_another_subgraph() -> None:
    """As when one knows an object by its interface's name only."""
    result = await execute_plan(
        SUPERGRAPH,
        "{ nodes { id ... on User { name } } }",
        query_plan(
            fetch(0, "objects", "{ nodes { __typename id } }"),
            fetch(1, "types", "{ nodes { __typename } }"),
            fetch(
                2,
                "users",
                call("nodes[]|User", {"User": "id"}, "{ ... on User { name } }"),
                after=[0, 1],
            ),
        ),
        {
            "objects": {"data": {"nodes": [{"__typename": "Node", "id": n} for n in "12"]}},
            "types": {"data": {"nodes": [{"__typename": "Team"}, {"__typename": "User"}]}},
            "users": {"data": {"_entities": [{"name": "Ada"}]}},
        },
    )

    assert result.errors == []
    assert result.data == {"nodes": [{"id": "1"}, {"id": "2", "name": "Ada"}]}
