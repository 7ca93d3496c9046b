"""What is done to the finished fetch graph, in this order.

1. ``drop_empty``: steps that were entered but from which nothing is selected.
2. ``batch``: steps of one stage and subgraph become one request.
"""

from router.planner.fetch_graph.passes.batch import batch
from router.planner.fetch_graph.passes.drop_empty import drop_empty

__all__ = ["batch", "drop_empty"]
