"""The body of a subgraph request with files: ``multipart/form-data`` as in the GraphQL multipart
request specification, made while it is sent.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from router.executor.transport.base import SubgraphRequest
    from router.executor.uploads import Upload

__all__ = ["MultipartBody"]

_ESCAPES: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})  # as in the HTML standard


class MultipartBody:
    """The body of one request; ``chunks`` may be taken again when the request is sent again.

    ``headers`` say what it is; ``length`` is in bytes.
    """

    def __init__(self, request: SubgraphRequest) -> None:
        boundary = os.urandom(16).hex()
        self.headers: tuple[tuple[str, str], ...] = (
            ("content-type", f"multipart/form-data; boundary={boundary}"),
            # A subgraph that fears other sites' forms cannot tell otherwise that this is none.
            ("apollo-require-preflight", "1"),
        )
        places = {str(index): part.paths for index, part in enumerate(request.files)}
        self._start = b"".join(
            (
                _head(boundary, 'name="operations"', "application/json"),
                request.body,
                b"\r\n",
                _head(boundary, 'name="map"', "application/json"),
                orjson.dumps(places),
                b"\r\n",
            )
        )
        self._files: tuple[tuple[bytes, Upload], ...] = tuple(
            (_file_head(boundary, index, part.upload), part.upload)
            for index, part in enumerate(request.files)
        )
        self._end = f"--{boundary}--\r\n".encode("ascii")
        self.length = len(self._start) + len(self._end)
        self.length += sum(len(head) + upload.size + 2 for head, upload in self._files)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body."""
        yield self._start
        for head, upload in self._files:
            yield head
            async for chunk in upload.chunks():
                yield chunk
            yield b"\r\n"
        yield self._end


def _file_head(boundary: str, index: int, upload: Upload) -> bytes:
    filename = upload.filename.translate(_ESCAPES)
    return _head(boundary, f'name="{index}"; filename="{filename}"', upload.content_type)


def _head(boundary: str, disposition: str, content_type: str) -> bytes:
    return (
        f"--{boundary}\r\ncontent-disposition: form-data; {disposition}\r\n"
        f"content-type: {content_type}\r\n\r\n"
    ).encode("utf-8", "replace")
