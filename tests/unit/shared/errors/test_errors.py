"""Errors carry their code into the GraphQL answer."""

from __future__ import annotations

from graphql import GraphQLError

from shared.errors import BadUserInputError, ErrorCode, SocialnetError


def test_the_code_is_always_in_the_extensions() -> None:
    error = SocialnetError(
        ErrorCode.RATE_LIMITED, "Too fast.", {"retryAfter": 3, "code": "SOMETHING_ELSE"}
    )

    assert error.extensions == {"code": "RATE_LIMITED", "retryAfter": 3}
    assert str(error) == error.message == "Too fast."


def test_bad_input_names_its_field() -> None:
    error = BadUserInputError("No.", field="handle")

    assert error.code is ErrorCode.BAD_USER_INPUT
    assert error.extensions == {"code": "BAD_USER_INPUT", "field": "handle"}


def test_graphql_takes_the_extensions_over() -> None:
    error = GraphQLError("No.", original_error=BadUserInputError("No.", field="handle"))

    assert error.formatted["extensions"] == {"code": "BAD_USER_INPUT", "field": "handle"}
