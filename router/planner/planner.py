"""The planner: an operation against the API schema in, a query plan out.

The stages, in order: collect the operation into units (``query_graph.selections``), choose moves
(``query_graph.paths``), build the fetch graph (``fetch_graph.builder``), finish it
(``fetch_graph.passes``), print it as fetch nodes (``fetch_graph.output``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import FragmentDefinitionNode

from router.planner.deferrals import find_deferrals
from router.planner.errors import PlanningError, PlanningErrorCode
from router.planner.fetch_graph.builder import FetchGraphBuilder
from router.planner.fetch_graph.output import OutputBuilder
from router.planner.fetch_graph.passes import batch, drop_empty
from router.planner.plan import OperationKind, QueryPlan
from router.query_graph import TYPENAME, Condition, Paths, QueryGraph, Source, Unit, Units
from router.query_graph.paths import MAX_EVALUATIONS, SearchLimitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphql import DocumentNode, OperationDefinitionNode

    from router.planner.deferrals import Deferral
    from router.supergraph import Supergraph

__all__ = ["Planner", "Search"]

_MAX_GRAPHS = 32

ANSWERED_BY_THE_ROUTER = frozenset({TYPENAME, "__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Search:
    """An operation collected into units, and the paths that answer them."""

    kind: OperationKind
    root: str
    paths: Paths
    units: Sequence[Unit]

    @property
    def labels(self) -> frozenset[str]:
        """The override labels that have mattered so far; complete when the fetches are built."""
        return frozenset(self.paths.graph.asked)


class Planner:
    """Plans operations over one supergraph, one at a time.

    ``max_evaluations`` bounds the work on one operation: the choices of entries that are weighed.
    """

    def __init__(self, supergraph: Supergraph, max_evaluations: int = MAX_EVALUATIONS) -> None:
        self.supergraph = supergraph
        self._max_evaluations = max_evaluations
        self._graphs: dict[frozenset[str], QueryGraph] = {}

    def graph(self, labels: frozenset[str] = frozenset()) -> QueryGraph:
        """The query graph under a set of override labels that are switched on."""
        graph = self._graphs.pop(labels, None)
        if graph is None:
            graph = QueryGraph(self.supergraph, labels)
            if len(self._graphs) >= _MAX_GRAPHS:
                del self._graphs[next(iter(self._graphs))]
        self._graphs[labels] = graph  # last in, last out
        return graph

    def plan(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        labels: frozenset[str] = frozenset(),
        *,
        defer: bool = False,
    ) -> QueryPlan:
        """Plan one operation of a document that is valid against the API schema.

        ``labels`` are those of progressive ``@override``s that are on for this request. The plan is
        the same for any other set that agrees on the plan's own ``labels``. With ``defer`` what
        stands below a ``@defer`` is fetched apart; else the directive counts for nothing.

        Raises:
            PlanningError: there is no way to answer it, or finding one takes too much work.
        """
        deferrals = find_deferrals(document, operation) if defer else {}
        search = self.search(document, operation, labels, deferrals)
        try:
            groups = batch(drop_empty(self._build(search).steps))
        except (SearchLimitError, RecursionError):
            raise PlanningError(
                PlanningErrorCode.TOO_MUCH_WORK,
                "Planning the operation takes more work than is allowed for one operation.",
            ) from None
        fetches = OutputBuilder(self.supergraph, operation).fetches(groups)
        return QueryPlan(
            kind=search.kind,
            fetches=fetches,
            labels=search.labels,
            deferrals=tuple(deferrals.values()),
        )

    @staticmethod
    def _build(search: Search) -> FetchGraphBuilder:
        builder = FetchGraphBuilder(search.paths)
        if search.kind is OperationKind.MUTATION:
            builder.serial(search.root, search.units)
        else:
            builder.query(search.root, search.units)
        return builder

    def search(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        labels: frozenset[str] = frozenset(),
        deferrals: Mapping[int, Deferral] | None = None,
    ) -> Search:
        """The first half of planning: what is wanted at the root, and the search for its paths."""
        kind = OperationKind(operation.operation.value)
        root = self.supergraph.root_types.get(kind.value)
        if root is None:
            raise PlanningError(
                PlanningErrorCode.UNKNOWN_ROOT, f"The supergraph has no {kind.value} type."
            )
        graph = self.graph(labels)
        graph.asked.clear()
        marks = {
            node: Condition(deferral.id, wanted=True, deferral=True)
            for node, deferral in (deferrals or {}).items()
        }
        paths = Paths(graph, Units(graph, _fragments(document), marks), self._max_evaluations)
        return Search(kind, root, paths, self._root_units(paths, root, operation))

    @staticmethod
    def _root_units(paths: Paths, root: str, operation: OperationDefinitionNode) -> list[Unit]:
        units = paths.units.collect(root, (Source(operation.selection_set),))
        result = []
        for unit in units:
            fields = tuple(f for f in unit.fields if f.name not in ANSWERED_BY_THE_ROUTER)
            if fields:
                result.append(Unit(unit.types, unit.representative, fields))
        return result


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
