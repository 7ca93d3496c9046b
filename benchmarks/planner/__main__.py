"""``python -m benchmarks.planner``: how long composition and cold plans take, and what they hold.

Over every supergraph of ``tests/federation`` (its own operations and generated ones) and over
synthetic supergraphs of 10, 50 and 200 subgraphs. ``--quick`` only shows that everything works.
Reports, asserts nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from graphql import parse
from graphql.utilities import get_operation_ast

from benchmarks.planner.measure import (
    Planning,
    measure_building,
    measure_planning,
    queries_of,
)
from benchmarks.planner.report import Synthetic, as_markdown
from benchmarks.planner.synthetic import synthetic_subgraphs
from router.composition import SubgraphInput, compose
from router.planner import Planner, PlanningError
from router.supergraph import Supergraph, load_supergraph
from tests.federation.cases import features

RESULTS = Path(__file__).parents[1] / "results" / "planner.md"
_SIZES = ((10, 1000), (50, 1000), (200, 1000))  # subgraphs, types
_QUICK_SIZES = ((5, 40),)
_FIELDS = 100  # per generated operation
_NONE = Planning(times=(), selected=(), fetches=())


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and keep the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planner", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small; results are not kept")
    quick = parser.parse_args(arguments).quick
    cases, random, count = _measure_cases(per_supergraph=2 if quick else 10)
    synthetic = []
    for subgraphs, types in _QUICK_SIZES if quick else _SIZES:
        print(f"{subgraphs} subgraphs, {types} types ...", file=sys.stderr)
        synthetic.append(_measure_synthetic(subgraphs, types, operations=5 if quick else 50))
    report = as_markdown(cases, random, count, synthetic)
    print(report)
    if not quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(report)


def _measure_cases(*, per_supergraph: int) -> tuple[Planning, Planning, int]:
    cases, random, count = _NONE, _NONE, 0
    for feature in features():
        inputs = [SubgraphInput(n, f"http://{n}", sdl) for n, sdl in feature.subgraphs.items()]
        composed = compose(inputs)
        assert composed.supergraph_sdl is not None, (feature.name, composed.errors)
        supergraph = load_supergraph(composed.supergraph_sdl)
        count += 1
        own = [case.operation for case in feature.cases]
        cases = cases.plus(measure_planning(supergraph, _plannable(supergraph, own)))
        queries = queries_of(supergraph, count=per_supergraph, fields=_FIELDS)
        random = random.plus(measure_planning(supergraph, _plannable(supergraph, queries)))
    return cases, random, count


def _plannable(supergraph: Supergraph, queries: list[str]) -> list[str]:
    """Without those that a case shows to have no plan."""
    planner = Planner(supergraph)
    result = []
    for query in queries:
        document = parse(query)
        operation = get_operation_ast(document)
        assert operation is not None
        try:
            planner.plan(document, operation)
        except PlanningError:
            continue
        result.append(query)
    return result


def _measure_synthetic(subgraphs: int, types: int, *, operations: int) -> Synthetic:
    inputs = synthetic_subgraphs(subgraphs, types)
    composed = compose(inputs)
    assert composed.supergraph_sdl is not None, composed.errors
    supergraph = load_supergraph(composed.supergraph_sdl)
    queries = queries_of(supergraph, count=operations, fields=_FIELDS)
    planning = measure_planning(supergraph, queries)
    del composed, supergraph  # nothing old is walked by the collector while we measure
    return Synthetic(measure_building(inputs, queries), planning)


if __name__ == "__main__":
    main()
