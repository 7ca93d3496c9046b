"""The ``map`` of a request with files: which file belongs to which places of the operation.

``{"0": ["variables.input.files.0"]}``: the part named ``0`` is the value of that variable, where
the operation itself has null.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from router.server.errors import RequestError, RequestErrorCode

if TYPE_CHECKING:
    from router.executor.uploads import Upload

__all__ = ["check_map", "place", "read_map"]

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")


def read_map(raw: bytes | bytearray) -> dict[str, list[str]]:
    """Return the places by the name of the part; raises ``UPLOAD_MAP_INVALID``."""
    try:
        parsed: Any = json.loads(raw, object_pairs_hook=_without_repetitions)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or a name that is repeated
        raise _invalid("'map' must be a JSON object without repeated names") from None
    if not isinstance(parsed, dict) or not all(map(_is_places, parsed.values())):
        raise _invalid("'map' must have a list of paths for each file")
    paths = [path for places in parsed.values() for path in places]
    if len(paths) != len(set(paths)):
        raise _invalid("'map' has a path more than once")
    return parsed


def check_map(operation: dict[str, Any], places: dict[str, list[str]]) -> None:
    """Raise ``UPLOAD_MAP_INVALID`` unless the operation has null at all places."""
    for paths in places.values():
        for path in paths:
            holder, key = _holder(operation, path)
            if holder[key] is not None:
                raise _invalid(f"There is a value at '{path[:100]}', not null")


def place(operation: dict[str, Any], paths: list[str], upload: Upload) -> None:
    """Put a file at its places, which have been checked."""
    for path in paths:
        holder, key = _holder(operation, path)
        holder[key] = upload


def _holder(operation: dict[str, Any], path: str) -> tuple[Any, Any]:
    """Return the object or list in which the last step of a path is, and that step."""
    first, *steps = path.split(".")
    if first != "variables" or not steps:
        raise _invalid(f"'{path[:100]}' is not the path of a variable")
    holder: Any = operation
    key: Any = first
    for step in steps:
        holder = holder[key]
        key = _key(holder, step)
        if key is None:
            raise _invalid(f"There is nothing at '{path[:100]}'")
    return holder, key


def _key(holder: Any, step: str) -> str | int | None:
    """Return how an object or list is asked for a step, None when it has no such member."""
    if isinstance(holder, dict):
        return step if step in holder else None
    if isinstance(holder, list) and _INDEX.fullmatch(step):
        return int(step) if int(step) < len(holder) else None
    return None


def _is_places(places: Any) -> bool:
    return (
        isinstance(places, list)
        and bool(places)
        and all(isinstance(path, str) and path for path in places)
    )


def _without_repetitions(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is repeated")
    return members


def _invalid(message: str) -> RequestError:
    return RequestError(RequestErrorCode.UPLOAD_MAP_INVALID, message)
