"""Composition: subgraphs in, supergraph out. This file is the list of its stages.

1. read      each subgraph: parse, links, GraphQL validation (``subgraph/``)
2. upgrade   Federation 1 subgraphs to Federation 2 (``upgrade/``)
3. rules     of a subgraph on its own (``rules/``)
4. merge     into one schema (``merge/``)
5. checks    of the merged schema (``checks/``)
6. print     (``printer.py``)
7. probes    of the finished supergraph, as the router loads it: ``SUPERGRAPH_PROBES``

Each stage may rely on what the ones before it checked, so composition stops after the first one
that finds errors; within a stage everything that is wrong is reported at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from router.composition.checks import MERGE_CHECKS
from router.composition.checks.graphql_rules import check_graphql_rules
from router.composition.facts import collect_facts
from router.composition.merge import merge
from router.composition.places import with_places
from router.composition.printer import print_supergraph
from router.composition.result import CompositionResult, Findings
from router.composition.rules import SUBGRAPH_RULES
from router.composition.satisfiability import check_satisfiability
from router.composition.subgraph import read_subgraph
from router.composition.subgraph.bases import check_bases
from router.composition.subgraph.names import check_names
from router.composition.upgrade import upgrade_federation_1
from router.supergraph import Supergraph, load_supergraph
from router.supergraph.collection import paused_collection

if TYPE_CHECKING:
    from router.composition.model import Subgraph
    from router.composition.result import SubgraphInput

__all__ = ["SUPERGRAPH_PROBES", "SupergraphProbe", "compose"]

SupergraphProbe: TypeAlias = Callable[[Supergraph, Findings], None]
"""Looks at a finished supergraph and adds what is wrong with it."""

SUPERGRAPH_PROBES: tuple[SupergraphProbe, ...] = (check_graphql_rules, check_satisfiability)
"""Run last, in order, on the printed supergraph as the router loads it."""


def compose(subgraphs: Sequence[SubgraphInput]) -> CompositionResult:
    """Compose subgraphs into a supergraph.

    The result does not depend on the order of ``subgraphs``: they are taken by name. Nothing is
    raised for faulty subgraphs; the result then has errors and no supergraph.
    """
    with paused_collection():
        return _compose_all(subgraphs)


def _compose_all(subgraphs: Sequence[SubgraphInput]) -> CompositionResult:
    findings = Findings()
    ordered = sorted(subgraphs, key=lambda subgraph: subgraph.name)
    check_names(ordered, findings)
    read = [read_subgraph(subgraph, findings) for subgraph in ordered]
    if findings.errors:
        return _failed(findings)
    readable = [subgraph for subgraph in read if subgraph is not None]
    sdl = _compose(readable, findings)
    if findings.errors or sdl is None:
        findings.errors[:] = with_places(findings.errors, readable)
        return _failed(findings)
    return CompositionResult(sdl, hints=tuple(findings.hints))


def _compose(subgraphs: list[Subgraph], findings: Findings) -> str | None:
    check_bases(subgraphs, findings)
    upgraded = upgrade_federation_1(subgraphs, findings)
    if findings.errors:
        return None
    facts = {subgraph.name: collect_facts(subgraph) for subgraph in upgraded}
    for subgraph in upgraded:
        for rule in SUBGRAPH_RULES:
            rule(subgraph, facts[subgraph.name], findings)
    if findings.errors:
        return None
    supergraph = merge(upgraded, facts, findings)
    if findings.errors:
        return None
    for check in MERGE_CHECKS:
        check(supergraph, upgraded, findings)
    if findings.errors:
        return None
    sdl = print_supergraph(supergraph)
    loaded = load_supergraph(sdl)
    for probe in SUPERGRAPH_PROBES:
        probe(loaded, findings)
        if findings.errors:
            return None
    return sdl


def _failed(findings: Findings) -> CompositionResult:
    return CompositionResult(None, tuple(findings.errors), tuple(findings.hints))
