"""The map from files to places in the operation."""

from __future__ import annotations

from typing import Any

import pytest

from router.server.errors import RequestError, RequestErrorCode
from router.server.http.upload_map import check_map, read_map


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"1",
        b"null",
        b'{"0":"variables.file"}',
        b'{"0":[]}',
        b'{"0":[1]}',
        b'{"0":[""]}',
        b'{"0":null}',
        b'{"0":["variables.a"],"0":["variables.b"]}',
        b'{"0":["variables.a"],"1":["variables.a"]}',
        b'{"0":["variables.a","variables.a"]}',
        b"[" * 100_000,
    ],
)
def test_refuses_what_is_no_map(raw: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        read_map(raw)

    assert caught.value.code == RequestErrorCode.UPLOAD_MAP_INVALID
    assert caught.value.status == 400


def operation() -> dict[str, Any]:
    return {
        "query": None,
        "variables": {"file": None, "list": [None, "x"], "input": {"deep": {"files": [None]}}},
    }


@pytest.mark.parametrize(
    "path",
    ["variables.file", "variables.list.0", "variables.input.deep.files.0"],
)
def test_takes_paths_to_nulls(path: str) -> None:
    check_map(operation(), read_map(b'{"0":["%b"]}' % path.encode()))


@pytest.mark.parametrize(
    "path",
    [
        "query",
        "file",
        "variables",
        "variables.",
        ".variables.file",
        "variables.other",
        "variables.file.x",
        "variables.list",
        "variables.list.1",
        "variables.list.2",
        "variables.list.-1",
        "variables.list.00",
        "variables.list.0x0",
        "variables.list.٠",
        "variables.list." + "9" * 5_000,
        "variables.list.length",
        "variables.input.deep.files",
        "0.variables.file",
        "__class__",
    ],
)
def test_refuses_paths_to_anything_else(path: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_map(operation(), {"0": [path]})

    assert caught.value.code == RequestErrorCode.UPLOAD_MAP_INVALID
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("variables", [None, [], 1, {}])
def test_an_operation_without_the_variable_has_no_place(variables: Any) -> None:
    with pytest.raises(RequestError):
        check_map({"query": "", "variables": variables}, {"0": ["variables.file"]})
