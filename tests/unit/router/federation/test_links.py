"""`@link`: names, versions and what is wrong with it."""

from __future__ import annotations

import pytest
from graphql import parse

from router.federation.codes import ErrorCode
from router.federation.links import Import, Link, LinkError, link_directive_name, parse_links
from router.federation.versions import Version


def links_of(schema: str) -> tuple[Link, ...]:
    return parse_links(parse(f"{schema} type Query {{ a: Int }}"))


def test_a_link_is_split_into_identity_name_and_version() -> None:
    [link] = links_of('extend schema @link(url: "https://specs.apollo.dev/federation/v2.11")')

    assert link.identity == "https://specs.apollo.dev/federation"
    assert link.name == "federation"
    assert link.version == Version(2, 11)
    assert link.line == 1


def test_a_url_without_a_version_has_none() -> None:
    [link] = links_of('extend schema @link(url: "https://example.com/a/thing/")')

    assert (link.identity, link.name, link.version) == (
        "https://example.com/a/thing",
        "thing",
        None,
    )


def test_what_is_not_imported_is_prefixed() -> None:
    [link] = links_of(
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", as: "fed",'
        ' import: ["@key", {name: "@tag", as: "@label"}, {name: "FieldSet"}])'
    )

    assert link.imports == (
        Import("@key", "@key"),
        Import("@tag", "@label"),
        Import("FieldSet", "FieldSet"),
    )
    assert link.local_name("@key") == "@key"
    assert link.local_name("@tag") == "@label"
    assert link.local_name("@shareable") == "@fed__shareable"
    assert link.local_name("FieldSet") == "FieldSet"
    assert link.local_name("Policy") == "fed__Policy"
    assert link.imported_as("@label") == "@tag"
    assert link.imported_as("@tag") is None


def test_a_directive_named_like_its_specification_has_no_prefix() -> None:
    [plain] = links_of('extend schema @link(url: "https://specs.apollo.dev/tag/v0.3")')
    [renamed] = links_of('extend schema @link(url: "https://specs.apollo.dev/tag/v0.3", as: "t")')

    assert plain.local_name("@tag") == "@tag"
    assert renamed.local_name("@tag") == "@t"


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("schema { query: Query }", None),
        ('extend schema @link(url: "https://specs.apollo.dev/federation/v2.0")', "link"),
        ('schema @l(url: "https://specs.apollo.dev/link/v1.0", as: "l") { query: Query }', "l"),
        ('extend schema @core(feature: "https://specs.apollo.dev/core/v0.2")', "core"),
        (
            'extend schema @l(url: "https://specs.apollo.dev/link/v1.0",'
            ' import: [{name: "@link", as: "@l"}])',
            "l",
        ),
    ],
)
def test_link_itself_may_be_renamed(schema: str, name: str | None) -> None:
    assert link_directive_name(parse(f"{schema} type Query {{ a: Int }}")) == name


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ("@link", ErrorCode.INVALID_LINK_DIRECTIVE_USAGE),
        ('@link(url: "federation")', ErrorCode.INVALID_LINK_IDENTIFIER),
        ('@link(url: "https://[::1/a")', ErrorCode.INVALID_LINK_IDENTIFIER),
        (
            '@link(url: "https://a.dev/b/v1.0", as: "1")',
            ErrorCode.INVALID_LINK_DIRECTIVE_USAGE,
        ),
        (
            '@link(url: "https://a.dev/b/v1.0", import: "@c")',
            ErrorCode.INVALID_LINK_DIRECTIVE_USAGE,
        ),
        (
            '@link(url: "https://a.dev/b/v1.0", import: [1])',
            ErrorCode.INVALID_LINK_DIRECTIVE_USAGE,
        ),
        (
            '@link(url: "https://a.dev/b/v1.0", import: [{name: "@c", alias: "@d"}])',
            ErrorCode.INVALID_LINK_DIRECTIVE_USAGE,
        ),
        (
            '@link(url: "https://a.dev/b/v1.0", import: [{name: "@c", as: "d"}])',
            ErrorCode.INVALID_LINK_DIRECTIVE_USAGE,
        ),
        (
            '@link(url: "https://a.dev/b/v1.0") @link(url: "https://a.dev/b/v1.1", as: "c")',
            ErrorCode.INVALID_LINK_DIRECTIVE_USAGE,
        ),
        (
            '@link(url: "https://a.dev/b/v1.0") @link(url: "https://c.dev/b/v1.0")',
            ErrorCode.INVALID_LINK_DIRECTIVE_USAGE,
        ),
    ],
)
def test_an_invalid_link_has_a_code_and_a_line(schema: str, code: ErrorCode) -> None:
    with pytest.raises(LinkError) as caught:
        links_of(f"\n\nextend schema {schema}")

    assert caught.value.code is code
    assert caught.value.line == 3
