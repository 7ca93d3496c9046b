"""The value that transports carry."""

from __future__ import annotations

from dataclasses import replace

from router.executor import SubgraphRequest
from router.executor.uploads import FilePart, Upload


class Nothing:
    """An empty file."""

    size = 0

    async def read(self, offset: int, size: int) -> bytes:
        return b""


def test_another_header_leaves_everything_else_as_it_is() -> None:
    request = SubgraphRequest(
        body=b"{}",
        headers=(("a", "1"),),
        connection_init={"token": "t"},
        repeatable=True,
        files=(FilePart(Upload("a.txt", "text/plain", Nothing()), ("variables.file",)),),
    )

    assert request.with_header("b", "2") == replace(request, headers=(("a", "1"), ("b", "2")))
