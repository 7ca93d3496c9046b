"""One of the two supergraphs that are compared: the loaded model, and the document.

The model drops what neither planner nor executor reads; access rules are read off the document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import parse

from router.supergraph import Supergraph, load_supergraph

if TYPE_CHECKING:
    from graphql import DocumentNode

__all__ = ["Version"]


@dataclass(frozen=True, slots=True)
class Version:
    """A supergraph as it was, or is going to be."""

    supergraph: Supergraph
    document: DocumentNode

    @classmethod
    def parse(cls, sdl: str) -> Version:
        """Read supergraph SDL.

        Raises:
            SupergraphError: it is not one.
        """
        return cls(load_supergraph(sdl), parse(sdl, no_location=True))
