"""Validation against the API schema."""

import pytest
from graphql import build_schema, parse

from router.server.errors import RequestError, RequestErrorCode
from router.server.pipeline.validate import validate_document

SCHEMA = build_schema("type Query { greeting: String other(id: Int!): String }")


def _errors(
    text: str, *, max_errors: int = 20, introspection: bool = True, suggestions: bool = True
) -> list[dict[str, object]]:
    with pytest.raises(RequestError) as caught:
        validate_document(
            SCHEMA,
            parse(text),
            max_errors=max_errors,
            max_work=50_000,
            introspection=introspection,
            suggestions=suggestions,
        )
    assert caught.value.code == RequestErrorCode.GRAPHQL_VALIDATION_FAILED
    assert caught.value.well_formed
    return caught.value.errors


def test_every_error_is_reported_with_place_and_code() -> None:
    errors = _errors("{ nothing other }")

    assert [error["locations"] for error in errors] == [
        [{"line": 1, "column": 3}],
        [{"line": 1, "column": 11}],
    ]
    assert {error["extensions"]["code"] for error in errors} == {"GRAPHQL_VALIDATION_FAILED"}  # type: ignore[index]


def test_suggestions_can_be_switched_off() -> None:
    assert "greeting" in str(_errors("{ greting }")[0]["message"])
    assert "greeting" not in str(_errors("{ greting }", suggestions=False)[0]["message"])


@pytest.mark.parametrize("text", ["{ __schema { description } }", '{ __type(name: "A") { name } }'])
def test_introspection_can_be_switched_off(text: str) -> None:
    validate_document(
        SCHEMA, parse(text), max_errors=1, max_work=50_000, introspection=True, suggestions=False
    )

    assert "introspection" in str(_errors(text, introspection=False)[0]["message"])


def test_typename_is_no_introspection() -> None:
    document = parse("{ __typename }")

    validate_document(
        SCHEMA, document, max_errors=1, max_work=50_000, introspection=False, suggestions=False
    )


def test_the_number_of_errors_is_bounded() -> None:
    errors = _errors("{ " + " ".join(f"x{i}" for i in range(100)) + " }", max_errors=5)

    assert len(errors) == 6
    assert "Too many" in str(errors[-1]["message"])


def test_comparing_fields_is_bounded() -> None:
    document = parse("{ " + "a { b } " * 200 + "}")
    schema = build_schema("type Query { a: A } type A { b: Int }")

    def check(max_work: int) -> None:
        validate_document(
            schema,
            document,
            max_errors=20,
            max_work=max_work,
            introspection=False,
            suggestions=False,
        )

    check(200_000)
    with pytest.raises(RequestError) as caught:
        check(20_000)
    assert caught.value.code == RequestErrorCode.MAX_VALIDATION_WORK_LIMIT
