"""Federation's directives, version by version."""

from __future__ import annotations

import pytest

from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective, directives_of, spec_directives
from router.federation.hints import HintCode
from router.federation.versions import (
    FEDERATION_1,
    FEDERATION_VERSIONS,
    LATEST_FEDERATION,
    Version,
)

D = FederationDirective


def test_federation_1_has_the_old_directives_only() -> None:
    expected = {D.KEY, D.REQUIRES, D.PROVIDES, D.EXTERNAL, D.EXTENDS, D.TAG}

    assert directives_of(FEDERATION_1).keys() == expected


@pytest.mark.parametrize(
    ("kind", "since"),
    [
        (D.SHAREABLE, 0),
        (D.INACCESSIBLE, 0),
        (D.OVERRIDE, 0),
        (D.COMPOSE_DIRECTIVE, 1),
        (D.INTERFACE_OBJECT, 3),
        (D.AUTHENTICATED, 5),
        (D.REQUIRES_SCOPES, 5),
        (D.POLICY, 6),
        (D.CONTEXT, 8),
        (D.FROM_CONTEXT, 8),
        (D.COST, 9),
        (D.LIST_SIZE, 9),
        (D.CACHE_TAG, 12),
    ],
)
def test_a_directive_is_there_from_its_version_on(kind: FederationDirective, since: int) -> None:
    known = {version.minor for version in FEDERATION_VERSIONS if kind in directives_of(version)}

    assert known == set(range(since, LATEST_FEDERATION.minor + 1))


def test_override_has_a_label_from_v2_7_on() -> None:
    def arguments(minor: int) -> list[str]:
        definition = directives_of(Version(2, minor))[D.OVERRIDE]
        return [argument.name.value for argument in definition.arguments or ()]

    assert arguments(6) == ["from"]
    assert arguments(7) == ["from", "label"]


def test_a_specification_knows_its_directives() -> None:
    assert spec_directives("cost").keys() == {D.COST, D.LIST_SIZE}
    assert spec_directives("nothing") == {}


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v2.3", Version(2, 3)),
        ("v0.10", Version(0, 10)),
        ("2.3", None),
        ("v2", None),
        ("v01.2", None),
    ],
)
def test_versions_are_parsed_strictly(text: str, version: Version | None) -> None:
    assert Version.find(text) == version


def test_versions_are_ordered_as_numbers() -> None:
    assert Version(2, 9) < Version(2, 11)
    assert str(Version(2, 11)) == "v2.11"


def test_every_code_says_what_it_means() -> None:
    assert all(code.value == code.name and code.description for code in ErrorCode)
    assert all(code.value == code.name and code.level for code in HintCode)
