"""The supergraph's types as the executor needs them."""

from __future__ import annotations

from typing import Protocol

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    is_abstract_type,
)

from router.executor.errors import ProgramError

__all__ = ["ExecutableSupergraph", "TypeModel"]


class ExecutableSupergraph(Protocol):
    """What the executor reads of a supergraph."""

    @property
    def schema(self) -> GraphQLSchema:
        """The whole schema, with what is inaccessible to clients."""
        ...

    @property
    def api_schema(self) -> GraphQLSchema:
        """The schema clients see."""
        ...

    def possible_types(self, name: str) -> frozenset[str]:
        """Return the object types that ``name`` may stand for, accessible or not."""
        ...

    def resolves(self, subgraph: str, parent: str, field: str) -> bool:
        """Tell whether a subgraph can resolve a field of ``parent`` wherever it has the object."""
        ...


class TypeModel:
    """The supergraph's types as the executor needs them."""

    def __init__(self, supergraph: ExecutableSupergraph) -> None:
        self._supergraph = supergraph
        self._possible: dict[str, frozenset[str]] = {}

    def possible_types(self, name: str) -> frozenset[str]:
        """Return the object types that ``name`` may stand for, accessible or not."""
        found = self._possible.get(name)
        if found is None:
            graphql_type = self._supergraph.schema.get_type(name)
            if isinstance(graphql_type, GraphQLObjectType):
                found = frozenset({name})
            else:
                found = self._supergraph.possible_types(name)
            self._possible[name] = found
        return found

    def is_abstract(self, name: str) -> bool:
        """Tell whether ``name`` is an interface or union."""
        graphql_type = self._supergraph.schema.get_type(name)
        return graphql_type is not None and is_abstract_type(graphql_type)

    def field_type(self, parent: str, name: str) -> GraphQLOutputType:
        """Return the type of a field in the whole schema."""
        graphql_type = self._supergraph.schema.get_type(parent)
        if isinstance(graphql_type, (GraphQLObjectType, GraphQLInterfaceType)):
            definition = graphql_type.fields.get(name)
            if definition is not None:
                field_type: GraphQLOutputType = definition.type
                return field_type
        raise ProgramError(f"the supergraph has no field {parent}.{name}")

    def named(self, name: str) -> GraphQLNamedType:
        """Return a type of the whole schema."""
        graphql_type = self._supergraph.schema.get_type(name)
        if graphql_type is None:
            raise ProgramError(f"the supergraph has no type {name}")
        return graphql_type

    def applies(self, condition: str, runtime: str | None, declared: str) -> bool:
        """Tell whether a fragment selects from an object (of unknown type: from every one)."""
        if condition in (runtime, declared):
            return True
        possible = self.possible_types(condition)
        if runtime is not None:
            return runtime in possible
        return self.possible_types(declared) <= possible
