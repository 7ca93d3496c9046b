"""Where a served supergraph comes from: its own file, or a configuration that is composed.

A source is read again and again while a router runs (``watch``). It looks at its files before it
reads them, so that a change between two looks cannot be missed: not one that came while it was
reading, and not the one that repairs a file which could not be used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from router.composition import ConfigError, compose_config, read_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from router.composition import CompositionHint

__all__ = ["ConfigSource", "FileSource", "SourceError", "Stamps", "SupergraphSource"]

Stamps: TypeAlias = dict[Path, tuple[int, int, int, int] | None]  # None: there is no such file


class SourceError(Exception):
    """There is no supergraph to be had from a source.

    ``code`` is the first problem's; ``problems`` are lines ``CODE: message`` for people.
    """

    def __init__(self, code: str, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.code = code
        self.problems = tuple(problems)


class SupergraphSource(Protocol):
    """What a router reads its supergraph from. Used by one thread at a time."""

    def read(self) -> str:
        """Return the supergraph (SDL); raises SourceError."""
        ...

    @property
    def read_stamps(self) -> Stamps:
        """What the files were like just before the last ``read`` read them."""
        ...

    def look(self) -> Stamps:
        """Return what they are like now."""
        ...


class FileSource:
    """A composed supergraph in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.read_stamps: Stamps = {}

    def read(self) -> str:
        """Read the file."""
        self.read_stamps = self.look()
        try:
            return self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            code, reason = "UNREADABLE_FILE", getattr(error, "strerror", None) or error
            raise SourceError(code, [f"{code}: {self._path}: {reason}"]) from None

    def look(self) -> Stamps:
        """Look at the file."""
        return _look([self._path])


class ConfigSource:
    """A ``supergraph.yaml`` and the schema files it names, composed; ``on_hint`` gets the hints."""

    def __init__(
        self, path: Path, on_hint: Callable[[CompositionHint], None] | None = None
    ) -> None:
        self._path = path
        self._on_hint = on_hint
        self.read_stamps: Stamps = {}

    def read(self) -> str:
        """Read and compose."""
        self.read_stamps = _look([self._path])
        self.read_stamps |= _look(self._schema_files())
        result = compose_config(self._path)
        if self._on_hint is not None:
            for hint in result.hints:
                self._on_hint(hint)
        if result.supergraph_sdl is None:
            problems = [str(error) for error in result.errors]
            raise SourceError(str(result.errors[0].code), problems)
        return result.supergraph_sdl

    def look(self) -> Stamps:
        """Look at the configuration and the schemas that it named when it was read."""
        return _look(self.read_stamps)

    def _schema_files(self) -> list[Path]:
        try:
            subgraphs = read_config(self._path).subgraphs.values()
        except ConfigError:  # told when it is composed
            return []
        files = (subgraph.schema_.file for subgraph in subgraphs)
        return [self._path.parent / file for file in files if file is not None]


def _look(paths: Iterable[Path]) -> Stamps:
    stamps: Stamps = {}
    for path in paths:
        try:
            status = path.stat()  # through links: a swapped link leads to another inode
        except OSError:
            stamps[path] = None
        else:
            stamps[path] = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return stamps
