"""What composition takes and gives: subgraphs in, a supergraph or coded errors out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from router.federation.codes import ErrorCode
    from router.federation.hints import HintCode

__all__ = [
    "CompositionError",
    "CompositionHint",
    "CompositionResult",
    "Findings",
    "SubgraphInput",
]


@dataclass(frozen=True, slots=True)
class SubgraphInput:
    """One subgraph as it enters composition. ``url`` is where the router will reach it."""

    name: str
    url: str
    sdl: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositionError:
    """Why the subgraphs do not compose.

    ``coordinates`` are schema coordinates (``User.name``, ``Query.user(id:)``); ``line`` is a line
    of the first subgraph's SDL, when the error belongs to one place. ``places`` are subgraphs and
    lines of their SDL, when it is about what several subgraphs say.
    """

    code: ErrorCode
    message: str
    subgraphs: tuple[str, ...] = ()
    coordinates: tuple[str, ...] = ()
    line: int | None = None
    places: tuple[tuple[str, int], ...] = ()

    @override
    def __str__(self) -> str:
        """For people: ``CODE: message (line 3)``, of which SDL where several are concerned."""
        of = f" of {self.subgraphs[0]}" if len(self.subgraphs) > 1 else ""
        where = "" if self.line is None else f" (line {self.line}{of})"
        if self.places:
            where = f" ({', '.join(f'line {line} of {name}' for name, line in self.places)})"
        return f"{self.code}: {self.message}{where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositionHint:
    """Something worth knowing that does not stop composition."""

    code: HintCode
    message: str
    subgraphs: tuple[str, ...] = ()
    coordinates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompositionResult:
    """A supergraph, or the errors that prevent it; never both."""

    supergraph_sdl: str | None
    errors: tuple[CompositionError, ...] = ()
    hints: tuple[CompositionHint, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is a supergraph."""
        return self.supergraph_sdl is not None


@dataclass(slots=True)
class Findings:
    """Errors and hints as the stages find them; handed from stage to stage."""

    errors: list[CompositionError] = field(default_factory=list)
    hints: list[CompositionHint] = field(default_factory=list)

    def error(
        self,
        code: ErrorCode,
        message: str,
        *,
        subgraphs: tuple[str, ...] = (),
        coordinates: tuple[str, ...] = (),
        line: int | None = None,
    ) -> None:
        """Record an error; a message about a single subgraph is prefixed with its name."""
        if line is not None and len(subgraphs) == 1:
            message = f"[{subgraphs[0]}] {message}"
        self.errors.append(
            CompositionError(
                code=code,
                message=message,
                subgraphs=subgraphs,
                coordinates=coordinates,
                line=line,
            )
        )

    def hint(
        self,
        code: HintCode,
        message: str,
        *,
        subgraphs: tuple[str, ...] = (),
        coordinates: tuple[str, ...] = (),
    ) -> None:
        """Record a hint."""
        self.hints.append(
            CompositionHint(
                code=code, message=message, subgraphs=subgraphs, coordinates=coordinates
            )
        )
