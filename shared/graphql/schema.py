"""The federation schema of a subgraph, with errors that are fit to be shown.

A ``SocialnetError`` reaches the client as it is. Errors of the request itself (syntax, validation,
variables) are the client's and become ``BAD_USER_INPUT``. Everything else is a bug or an outage: it
is logged with the request id, and the client learns that id and nothing more.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.federation import Schema
from strawberry.federation.schema import FederationAny
from strawberry.schema.schema import StreamResult
from strawberry.types import ExecutionResult, Info
from strawberry.types.execution import ExecutionContext
from strawberry.types.graphql import OperationType
from typing_extensions import override

from shared.errors import BadUserInputError, ErrorCode, SocialnetError
from shared.graphql.context import SubgraphContext
from shared.sharding import EntityId
from shared.telemetry import current_request_id

__all__ = ["SubgraphSchema"]

Result = TypeVar("Result")


class Entity(Protocol):
    """A type with ``@key(fields: "id")``."""

    @classmethod
    async def resolve_references(cls, info: Any, ids: list[EntityId]) -> Sequence[object]:
        """An item for each ID, in the same order: an instance, None, or an exception."""
        ...


_log = structlog.get_logger(__name__)


class SubgraphSchema(Schema):
    """``strawberry.federation.Schema`` with our errors, a context per operation, and careful entity
    resolution.
    """

    # Any in the signatures below: they are Strawberry's

    @override
    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        result = await super().execute(
            query,
            variable_values=variable_values,
            context_value=context_value,
            root_value=root_value,
            operation_name=operation_name,
            allowed_operation_types=allowed_operation_types,
            operation_extensions=operation_extensions,
        )
        return _presentable(result, context_value)

    @override
    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> StreamResult:
        # one connection carries many operations at the same time: each needs loaders of its own
        context = context_value.fork() if isinstance(context_value, SubgraphContext) else None
        results = await super().stream(
            query,
            variable_values=variable_values,
            context_value=context or context_value,
            root_value=root_value,
            operation_name=operation_name,
            operation_extensions=operation_extensions,
            allowed_operation_types=allowed_operation_types,
        )
        return _presentable_stream(results, context)

    @override
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Strawberry would log every refusal with a traceback; unexpected errors are logged where
        they are masked.
        """

    @override
    async def entities_resolver(  # type: ignore[override]  # a resolver may be asynchronous
        self, info: Info, representations: list[FederationAny]
    ) -> list[FederationAny]:
        """``Query._entities``: all representations of a type in one call; a bad one fails alone."""
        entities: list[Any] = [None] * len(representations)
        wanted: dict[type[Entity], list[tuple[int, EntityId]]] = {}
        context: SubgraphContext = info.context
        _ = context.viewer  # nothing that an entity has is public
        for index, representation in enumerate(representations):
            try:
                entity, entity_id = self._reference(representation, context.slots)
            except BadUserInputError as error:
                entities[index] = error
            else:
                wanted.setdefault(entity, []).append((index, entity_id))
        for entity, references in wanted.items():
            found = await self._resolve(info, entity, [entity_id for _, entity_id in references])
            for (index, _), item in zip(references, found, strict=True):
                entities[index] = item
        return entities

    def _reference(self, representation: object, slots: int) -> tuple[type[Entity], EntityId]:
        """The type and the ID that a representation names."""
        if isinstance(representation, dict) and isinstance(representation.get("__typename"), str):
            known = self.schema_converter.type_map.get(representation["__typename"])
            entity: type[Entity] | None = getattr(known and known.definition, "origin", None)
            if entity is not None and hasattr(entity, "resolve_references"):
                text = representation.get("id")
                if not isinstance(text, str):
                    raise BadUserInputError("The representation lacks its id.", field="id")
                return entity, EntityId.parse(text, slots=slots)
        raise BadUserInputError("Not an entity of this subgraph.", field="representations")

    async def _resolve(
        self, info: Info, entity: type[Entity], ids: list[EntityId]
    ) -> Sequence[object]:
        try:
            return await entity.resolve_references(info, ids)
        except SocialnetError as error:
            return [error] * len(ids)


async def _presentable_stream(
    results: StreamResult, context: SubgraphContext | None
) -> AsyncGenerator[Any, None]:
    try:
        async for result in results:
            yield _presentable(result, context)
    finally:
        await results.aclose()


def _presentable(result: Result, context: object) -> Result:
    """The result with masked errors, and with the failures that the context collected."""
    errors = [_presentable_error(error) for error in getattr(result, "errors", None) or ()]
    if isinstance(context, SubgraphContext):
        for failure, path in context.partial_failures:
            errors.append(
                GraphQLError(failure.message, path=path, extensions=dict(failure.extensions))
            )
        context.partial_failures.clear()
    if errors:
        result.errors = errors  # type: ignore[attr-defined]  # a result without errors has no such attribute
    return result


def _presentable_error(error: GraphQLError) -> GraphQLError:
    cause = _cause(error)
    match cause:
        case SocialnetError():
            return _rebuilt(error, cause.message, dict(cause.extensions))
        case GraphQLSyntaxError() | None:
            return _rebuilt(error, error.message, {"code": ErrorCode.BAD_USER_INPUT.value})
        case _:
            request_id = current_request_id()
            _log.error("unexpected error", path=error.path, exc_info=cause)
            return _rebuilt(
                error,
                "Something went wrong on our side.",
                {"code": ErrorCode.INTERNAL_SERVER_ERROR.value, "requestId": request_id},
            )


def _cause(error: GraphQLError) -> BaseException | None:
    """What a resolver raised; None when GraphQL itself found the request at fault."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError) and not isinstance(cause, GraphQLSyntaxError):
        cause = cause.original_error
    return cause


def _rebuilt(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    """Without the original error: nothing of it can slip into an answer or a log of the client."""
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
