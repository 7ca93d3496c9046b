"""The join specification: names of subgraphs, definitions per version."""

from __future__ import annotations

import pytest
from graphql import parse, validate_schema
from graphql.utilities import build_schema

from router.federation.join import (
    JOIN_VERSIONS,
    LATEST_JOIN,
    graph_enum_values,
    join_definitions,
    join_types,
    join_version_for,
)
from router.federation.versions import FEDERATION_1, Version


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("users", "USERS"),
        ("user-accounts.v2", "USER_ACCOUNTS_V2"),
        ("1st", "_1ST"),
        ("posts_2", "POSTS_2_"),
        ("früh", "FR_H"),
    ],
)
def test_a_subgraph_name_becomes_an_enum_value(name: str, value: str) -> None:
    assert graph_enum_values([name]) == {name: value}


def test_names_that_become_equal_are_numbered() -> None:
    assert graph_enum_values(["a-b", "a_b", "c"]) == {"a-b": "A_B_1", "a_b": "A_B_2", "c": "C"}


@pytest.mark.parametrize("version", JOIN_VERSIONS, ids=str)
def test_every_version_is_complete_in_itself(version: Version) -> None:
    definitions = [*join_definitions(version).values(), *join_types(version).values()]
    sdl = "\n".join([*definitions, "enum join__Graph { A }", "type Query { a: Int }"])

    assert validate_schema(build_schema(sdl)) == []
    assert len(parse(sdl).definitions) == len(definitions) + 2


def test_the_join_version_is_the_oldest_that_suffices() -> None:
    assert join_version_for(FEDERATION_1) == Version(0, 3)
    assert join_version_for(Version(2, 6)) == Version(0, 3)
    assert join_version_for(Version(2, 7)) == Version(0, 4)
    assert join_version_for(Version(2, 11)) == LATEST_JOIN == Version(0, 5)
