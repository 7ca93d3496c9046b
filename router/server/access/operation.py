"""One operation with guards, and what becomes of it for different callers.

Callers differ only in which of the operation's rules they pass; those who pass the same ones share
a plan and a program. So there are few variants, however many callers and scopes there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.executor.withheld import Withheld, withheld_paths
from router.server.access.filtering import filter_operation
from router.server.lru import LruCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode

    from router.executor.withheld import ReportTo, WithheldPath
    from router.server.access.guards import Guards
    from router.server.pipeline.prepare import PreparedOperation

__all__ = ["GuardedOperation"]

_MAX_VARIANTS: Final = 64


class GuardedOperation:
    """The operation as it was sent, its guards, and its variants.

    ``compile_`` plans a document that is the operation less what is withheld, and compiles the plan
    for the operation as it was sent.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        guards: Guards,
        compile_: Callable[[DocumentNode, OperationDefinitionNode, Withheld], PreparedOperation],
    ) -> None:
        self._schema = schema
        self._document = document
        self._operation = operation
        self._compile = compile_
        self._variants: LruCache[tuple[bool, ...], PreparedOperation] = LruCache(
            max_entries=_MAX_VARIANTS, max_weight=_MAX_VARIANTS
        )
        self.guards = guards
        self.policies = guards.policies

    def variant(
        self, passed: tuple[bool, ...], *, report_to: ReportTo, hides: bool
    ) -> PreparedOperation:
        """Return the operation for callers who pass these rules and not the others.

        Without ``hides`` nothing is left out, only reported. The last two are the router's
        settings: they are the same in every call.
        """
        found = self._variants.get(passed)
        if found is None:
            withheld = Withheld(self.guards.behind(passed), report_to, hides)
            document, operation = self._document, self._operation
            if hides:
                document, operation = filter_operation(document, operation, withheld.nodes)
            found = self._compile(document, operation, withheld)
            self._variants.put(passed, found, 1)
        return found

    def closed_paths(
        self, passed: tuple[bool, ...], variables: Mapping[str, Any]
    ) -> tuple[WithheldPath, ...]:
        """Return where the operation asks for what a caller who passes these rules may not see,
        given the variables of its conditions.
        """
        return withheld_paths(
            self._schema,
            self._document,
            self._operation,
            {name: value is True for name, value in variables.items()},
            Withheld(self.guards.behind(passed)),
        )
