"""Files that clients send along with a mutation: in the program's eyes values of variables.

A file stands among the variables where the operation has a value of a scalar such as ``Upload``.
What goes to a subgraph is null in its place, and the file beside it, as in the GraphQL multipart
request specification (https://github.com/jaydenseric/graphql-multipart-request-spec).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from router.executor.context import Json

__all__ = ["FilePart", "Upload", "UploadContent", "as_null", "file_parts"]

_CHUNK_BYTES: Final = 65_536


class UploadContent(Protocol):
    """Where a file's bytes are, in memory or on disk."""

    @property
    def size(self) -> int:
        """Bytes altogether."""
        ...

    async def read(self, offset: int, size: int) -> bytes:
        """Return at most ``size`` bytes from ``offset`` on; several may read at the same time."""
        ...


class Upload:
    """A file of the client's. Two subgraphs may read it at the same time, and one twice."""

    __slots__ = ("_content", "content_type", "filename")

    def __init__(self, filename: str, content_type: str, content: UploadContent) -> None:
        self.filename = filename
        self.content_type = content_type
        self._content = content

    @property
    def size(self) -> int:
        """Bytes altogether."""
        return self._content.size

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the file's bytes."""
        offset = 0
        while offset < self.size:
            chunk = await self._content.read(offset, _CHUNK_BYTES)
            offset += len(chunk)
            yield chunk

    @override
    def __repr__(self) -> str:
        """Return what a client reads when the file stands where no file may be."""
        return "<a file>"


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of a request, and the places of the operation it belongs to:
    ``variables.input.files.0``.
    """

    upload: Upload
    paths: tuple[str, ...]


def file_parts(variables: Mapping[str, Json]) -> tuple[FilePart, ...]:
    """Return the files among variables, each once."""
    places: dict[Upload, list[str]] = {}
    for upload, path in _find(variables, "variables"):
        places.setdefault(upload, []).append(path)
    return tuple(FilePart(upload, tuple(paths)) for upload, paths in places.items())


def _find(value: Json, path: str) -> Iterator[tuple[Upload, str]]:
    if isinstance(value, Upload):
        yield value, path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _find(member, f"{path}.{name}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _find(member, f"{path}.{index}")


def as_null(value: object) -> None:
    """Tell orjson (as ``default``) that a file is null in JSON; raises TypeError for all else."""
    if not isinstance(value, Upload):
        raise TypeError(f"{type(value).__name__} is not JSON")
