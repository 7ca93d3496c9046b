"""Parsing documents and choosing operations."""

import pytest

from router.server.errors import RequestError, RequestErrorCode
from router.server.pipeline.parse import parse_document, select_operation


def test_a_syntax_error_tells_the_place() -> None:
    with pytest.raises(RequestError) as caught:
        parse_document("{ a(b: ] }", max_tokens=100)

    assert caught.value.code == RequestErrorCode.GRAPHQL_PARSE_FAILED
    assert caught.value.well_formed
    [error] = caught.value.errors
    assert error["locations"] == [{"line": 1, "column": 8}]
    assert error["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


@pytest.mark.parametrize("text", ["", " ", "{ }", "{ a { } }", "query A", "{" * 1000])
def test_what_the_grammar_does_not_know_is_a_syntax_error(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_document(text, max_tokens=10_000)

    assert caught.value.code == RequestErrorCode.GRAPHQL_PARSE_FAILED


@pytest.mark.parametrize("text", ["{ a b c d e f }", "# 1\n# 2\n# 3\n# 4\n# 5\n{ a }"])
def test_a_text_over_the_token_limit_is_not_parsed_on(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_document(text, max_tokens=4)

    assert caught.value.code == RequestErrorCode.TOKEN_LIMIT_EXCEEDED


def test_the_only_operation_needs_no_name() -> None:
    document = parse_document("query A { a } fragment F on T { b }", max_tokens=100)

    operation = select_operation(document, None)

    assert operation.name is not None
    assert operation.name.value == "A"


def test_the_named_operation_is_chosen() -> None:
    document = parse_document("query A { a } mutation B { b }", max_tokens=100)

    assert select_operation(document, "B").operation.value == "mutation"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("query A { a } query B { b }", None),
        ("query A { a }", "B"),
        ("{ a }", "A"),
        ("fragment F on T { b }", None),
        ("fragment F on T { b }", "F"),
    ],
)
def test_an_operation_that_cannot_be_told_is_refused(text: str, name: str | None) -> None:
    document = parse_document(text, max_tokens=100)

    with pytest.raises(RequestError) as caught:
        select_operation(document, name)

    assert caught.value.code == RequestErrorCode.OPERATION_RESOLUTION_FAILURE
