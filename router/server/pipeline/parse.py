"""Stage 2, parse: the document's text into its syntax tree, within the token limit, and the choice
of the operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import GraphQLError, OperationDefinitionNode, parse

from router.server.errors import RequestError, RequestErrorCode

if TYPE_CHECKING:
    from graphql import DocumentNode

__all__ = ["parse_document", "select_operation"]


def parse_document(text: str, *, max_tokens: int) -> DocumentNode:
    """Parse an operation document.

    Raises ``GRAPHQL_PARSE_FAILED`` with the place, ``TOKEN_LIMIT_EXCEEDED`` for a text that is too
    long. Comments count as tokens too, by a limit of their own: they cost memory all the same.
    """
    try:
        return parse(
            text,
            max_lexical_tokens=max_tokens,
            max_comments=max_tokens,
            # The specification wants at least one selection; graphql-core already follows a draft
            # that does not.
            allow_empty_selection_sets=False,
        )
    except GraphQLError as error:
        if "Document contains more than" in error.message:
            raise RequestError(
                RequestErrorCode.TOKEN_LIMIT_EXCEEDED,
                f"The document has more than {max_tokens} tokens",
                well_formed=True,
            ) from None
        raise RequestError(
            RequestErrorCode.GRAPHQL_PARSE_FAILED,
            error.message,
            well_formed=True,
            errors=[dict(error.formatted)],
        ) from None


def select_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation to run: the named one, or the only one (GraphQL specification, section
    6.1).
    """
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    if name is None:
        if len(operations) == 1:
            return operations[0]
        if not operations:
            raise _unresolved("The document has no operation")
        raise _unresolved("The document has several operations: 'operationName' is required")
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    raise _unresolved(f"The document has no operation named '{name[:100]}'")


def _unresolved(message: str) -> RequestError:
    return RequestError(RequestErrorCode.OPERATION_RESOLUTION_FAILURE, message, well_formed=True)
