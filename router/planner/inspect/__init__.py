"""What each stage of planning has made, printed for people: ``python -m router inspect``.

Nothing here takes part in planning.
"""

from router.planner.inspect.fetch_graph_text import fetch_graph_text
from router.planner.inspect.graph_text import graph_text
from router.planner.inspect.paths_text import paths_text
from router.planner.inspect.stages import Stages

__all__ = ["Stages", "fetch_graph_text", "graph_text", "paths_text"]
