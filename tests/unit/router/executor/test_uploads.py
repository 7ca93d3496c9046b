"""Files among variables."""

from __future__ import annotations

import orjson
import pytest

from router.executor.uploads import FilePart, Upload, as_null, file_parts


class Content:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    async def read(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]


def upload(data: bytes = b"x") -> Upload:
    return Upload("a.txt", "text/plain", Content(data))


def test_finds_files_wherever_they_are_and_each_once() -> None:
    one, other = upload(), upload()
    variables = {
        "file": one,
        "input": {"files": [other, None, one], "note": "n", "none": None},
        "number": 1,
    }

    assert file_parts(variables) == (
        FilePart(one, ("variables.file", "variables.input.files.2")),
        FilePart(other, ("variables.input.files.0",)),
    )
    assert file_parts({"a": 1, "b": [{"c": "d"}]}) == ()


def test_a_file_is_null_in_json_and_nothing_else_is() -> None:
    assert orjson.dumps({"a": [upload()]}, default=as_null) == b'{"a":[null]}'
    with pytest.raises(TypeError):
        orjson.dumps({"a": object()}, default=as_null)


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_000])
async def test_gives_all_bytes_every_time(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    file = upload(data)

    for _ in range(2):
        assert b"".join([chunk async for chunk in file.chunks()]) == data
    assert file.size == size
