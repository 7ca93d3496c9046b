"""One of the two supergraphs that are compared: the loaded model, and the document.

The model drops what neither planner nor executor reads; access rules are read off the document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import parse

from router.federation.links import Link, LinkError, parse_links
from router.supergraph import (
    Supergraph,
    SupergraphError,
    SupergraphErrorCode,
    load_supergraph,
)
from router.supergraph.joins import SPECS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphql import DocumentNode

__all__ = ["Version"]


@dataclass(frozen=True, slots=True)
class Version:
    """A supergraph as it was, or is going to be."""

    supergraph: Supergraph
    document: DocumentNode
    links: tuple[Link, ...]

    @classmethod
    def parse(cls, sdl: str) -> Version:
        """Read supergraph SDL.

        Raises:
            SupergraphError: it is not one.
        """
        supergraph = load_supergraph(sdl)
        document = parse(sdl, no_location=True)
        try:
            return cls(supergraph, document, parse_links(document))
        except LinkError as error:
            raise SupergraphError(SupergraphErrorCode.INVALID_GRAPHQL, error.message) from error

    def local_names(self, spec: str, directives: Sequence[str]) -> dict[str, str]:
        """What this supergraph calls directives of a specification: local name -> standard name;
        empty when it does not link it.
        """
        link = next((link for link in self.links if link.identity == SPECS + spec), None)
        if link is None:
            return {}
        return {link.local_name(f"@{directive}")[1:]: directive for directive in directives}
