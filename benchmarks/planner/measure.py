"""What is measured of one supergraph."""

from __future__ import annotations

import gc
import statistics
import tracemalloc
from dataclasses import dataclass
from time import process_time
from typing import TYPE_CHECKING, TypeVar

from graphql import FieldNode, Visitor, parse, visit
from graphql.utilities import get_operation_ast

from benchmarks.planner.queries import sized_query
from router.composition import SubgraphInput, compose
from router.planner import Planner
from router.query_graph import QueryGraph
from router.query_graph.satisfiability import find_unsatisfiable
from router.supergraph import Supergraph, load_supergraph

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Building", "Planning", "measure_building", "measure_planning", "queries_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """Seconds and bytes until a supergraph can be planned for.

    ``compose`` includes ``satisfiability``. ``model`` is what the loaded supergraph holds,
    ``graph`` what the query graph adds after the satisfiability check and all plans.
    """

    subgraphs: int
    types: int
    fields: int
    sdl: int
    compose: float
    satisfiability: float
    load: float
    model: int
    graph: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """Cold plans: every operation once, on a planner that starts empty. In seconds."""

    times: tuple[float, ...]
    selected: tuple[int, ...]  # fields per operation
    fetches: tuple[int, ...]  # per plan

    @property
    def median(self) -> float:
        """Of the times."""
        return statistics.median(self.times)

    @property
    def worst(self) -> float:
        """Of the times."""
        return max(self.times)

    def plus(self, other: Planning) -> Planning:
        """Both together."""
        return Planning(
            times=self.times + other.times,
            selected=self.selected + other.selected,
            fetches=self.fetches + other.fetches,
        )


def measure_building(inputs: Sequence[SubgraphInput], queries: Sequence[str]) -> Building:
    """Compose and load. Memory is measured in a second run, as tracing it takes time."""
    composing, sdl = _timed(lambda: _compose(inputs))
    loading, supergraph = _timed(lambda: load_supergraph(sdl))
    checking, _ = _timed(lambda: list(find_unsatisfiable(QueryGraph(supergraph))))
    composite = [type_ for type_ in supergraph.types.values() if type_.is_composite]
    model, graph = _memory(sdl, queries)
    return Building(
        subgraphs=len(inputs),
        types=len(supergraph.types),
        fields=sum(len(type_.fields) for type_ in composite),
        sdl=len(sdl),
        compose=composing,
        satisfiability=checking,
        load=loading,
        model=model,
        graph=graph,
    )


def measure_planning(supergraph: Supergraph, queries: Sequence[str]) -> Planning:
    """Plan every query once. What is loaded before is kept out of the garbage collector's way."""
    planner = Planner(supergraph)
    times, selected, fetches = [], [], []
    gc.collect()
    gc.freeze()
    try:
        for query in queries:
            document = parse(query)
            operation = get_operation_ast(document)
            assert operation is not None
            start = process_time()
            plan = planner.plan(document, operation)
            times.append(process_time() - start)
            fetches.append(len(plan.fetches))
            selected.append(_count_fields(query))
    finally:
        gc.unfreeze()
    return Planning(times=tuple(times), selected=tuple(selected), fetches=tuple(fetches))


def queries_of(supergraph: Supergraph, *, count: int, fields: int) -> list[str]:
    """Queries of about ``fields`` fields each."""
    return [sized_query(supergraph.api_schema, seed, fields) for seed in range(count)]


def _compose(inputs: Sequence[SubgraphInput]) -> str:
    composed = compose(inputs)
    assert composed.supergraph_sdl is not None, composed.errors
    return composed.supergraph_sdl


def _timed(action: Callable[[], T]) -> tuple[float, T]:
    gc.collect()
    start = process_time()
    result = action()
    return process_time() - start, result


def _memory(sdl: str, queries: Sequence[str]) -> tuple[int, int]:
    """Bytes of the supergraph, and of the query graph when everything has been asked of it."""
    gc.collect()
    tracemalloc.start()
    try:
        supergraph = load_supergraph(sdl)
        gc.collect()
        model = tracemalloc.get_traced_memory()[0]
        planner = Planner(supergraph)
        list(find_unsatisfiable(planner.graph()))
        for query in queries:
            document = parse(query)
            operation = get_operation_ast(document)
            assert operation is not None
            planner.plan(document, operation)
            del document, operation
        gc.collect()
        return model, tracemalloc.get_traced_memory()[0] - model
    finally:
        tracemalloc.stop()


def _count_fields(query: str) -> int:
    count = 0

    class Count(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            nonlocal count
            count += 1

    visit(parse(query), Count())
    return count
