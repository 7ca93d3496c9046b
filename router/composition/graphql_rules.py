"""GraphQL's rules for schemas, as graphql-core checks them, but for one that is too new."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from graphql import GraphQLSchema, validate_schema

if TYPE_CHECKING:
    from graphql import GraphQLError

__all__ = ["schema_faults"]

_TOO_NEW: Final = re.compile(r"is not deprecated, so .* must not be deprecated")
"""A rule of 2025: what implements something undeprecated must not be deprecated. Older subgraphs
break it, other composers do not ask it, and it does not matter to execution."""


def schema_faults(schema: GraphQLSchema) -> list[GraphQLError]:
    """Every breach of the GraphQL specification that matters, also in a schema that was built to be
    taken as valid.
    """
    if schema.assume_valid:
        schema = GraphQLSchema(**(schema.to_kwargs() | {"assume_valid": False}))
    return [error for error in validate_schema(schema) if not _TOO_NEW.search(error.message)]
