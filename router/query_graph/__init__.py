"""The graph of moves between (type, subgraph) pairs that the planner walks."""

from router.query_graph.choices import Choice, Entry
from router.query_graph.graph import FieldMove, KeyMove, QueryGraph, ViewNode
from router.query_graph.paths import Paths
from router.query_graph.selections import (
    TYPENAME,
    Collector,
    Condition,
    Conditions,
    OpField,
    Source,
    Unit,
)
from router.query_graph.units import Units

__all__ = [
    "TYPENAME",
    "Choice",
    "Collector",
    "Condition",
    "Conditions",
    "Entry",
    "FieldMove",
    "KeyMove",
    "OpField",
    "Paths",
    "QueryGraph",
    "Source",
    "Unit",
    "Units",
    "ViewNode",
]
