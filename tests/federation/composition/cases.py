"""The composition cases: small sets of subgraphs, each with what must come of it.

One file per topic; in it

=== what is tested -> the expected error codes, or "ok"
# Apollo: codes          where Apollo's answer is another one (a crash, or another supergraph)
### name v2.9 @key ...   a subgraph: its federation version and imports, when it links any
SDL
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from router.composition import SubgraphInput

__all__ = ["CompositionCase", "composition_cases", "feature_subgraphs"]

_OK = "ok"


@dataclass(frozen=True)
class CompositionCase:
    """One set of subgraphs. No `codes` means that they compose."""

    topic: str
    title: str
    codes: frozenset[str]
    apollo_codes: frozenset[str]
    differs: bool  # from Apollo's composition, knowingly
    subgraphs: tuple[SubgraphInput, ...]

    @override
    def __str__(self) -> str:
        return f"{self.topic}: {self.title}"


def composition_cases() -> list[CompositionCase]:
    """All cases of all topics."""
    folder = Path(__file__).parent
    return [
        _case(path.stem, block)
        for path in sorted(folder.glob("*.txt"))
        for block in path.read_text().split("=== ")[1:]
    ]


def feature_subgraphs() -> dict[str, tuple[SubgraphInput, ...]]:
    """The subgraphs of every feature folder, by its name."""
    return {
        folder.parent.name: tuple(
            SubgraphInput(path.stem, f"http://{path.stem}/graphql", path.read_text())
            for path in sorted(folder.glob("*.graphql"))
        )
        for folder in sorted(Path(__file__).parents[1].glob("*/subgraphs"))
    }


def _case(topic: str, block: str) -> CompositionCase:
    head, _, body = block.partition("\n")
    title, _, codes = head.rpartition(" -> ")
    preamble, *subgraphs = body.split("### ")
    apollo = preamble.removeprefix("# Apollo: ").strip() or codes
    return CompositionCase(
        topic=topic,
        title=title,
        codes=_codes(codes),
        apollo_codes=_codes(apollo),
        differs=bool(preamble),
        subgraphs=tuple(_subgraph(text) for text in subgraphs),
    )


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split()) - {_OK}


def _subgraph(text: str) -> SubgraphInput:
    head, _, sdl = text.partition("\n")
    name, *link = head.split()
    if link:
        version, *imports = link
        quoted = ", ".join(f'"{item}"' for item in imports)
        url = f"https://specs.apollo.dev/federation/{version}"
        sdl = f'extend schema @link(url: "{url}", import: [{quoted}])\n{sdl}'
    return SubgraphInput(name, f"http://{name}/graphql", sdl)
