"""What generated code calls and raises while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from router.executor.context import Json

__all__ = ["IRREGULARITIES", "IrregularAnswerError", "id_of", "join", "optional_id_of"]


class IrregularAnswerError(Exception):
    """The answers are not as regular as the generated code needs them.

    Never leaves the executor.
    """


IRREGULARITIES: Final = (IrregularAnswerError, AttributeError, KeyError, TypeError)
"""What generated code may raise: its own signal, or what an operation on the answers gave."""


def join(*raws: Json) -> zip[tuple[Json, ...]] | None:
    """Join lists of several sources item by item; None when there is no list at all."""
    lists = [raw for raw in raws if raw is not None]
    if not lists:
        return None
    length = len(lists[0])
    for items in lists:
        if items.__class__ is not list or len(items) != length:
            raise IrregularAnswerError
    nothing = [None] * length
    return zip(*(nothing if raw is None else raw for raw in raws), strict=True)


def id_of(raw: Json) -> str:
    """Return an ID that did not come as a string as one."""
    if raw.__class__ is not int:
        raise IrregularAnswerError
    return str(raw)


def optional_id_of(raw: Json) -> str | None:
    """Return an ID that did not come as a string as one, null as null."""
    return None if raw is None else id_of(raw)
