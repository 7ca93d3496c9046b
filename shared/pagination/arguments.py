"""``first``/``after``/``last``/``before``: checked once, turned into what a repository needs."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import BadUserInputError

__all__ = ["DEFAULT_PAGE", "MAX_PAGE", "PageRequest", "page_request"]

DEFAULT_PAGE = 20
MAX_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which part of a list is wanted.

    Read ``limit + 1`` rows strictly after the position of ``after`` and strictly before that of
    ``before``, in the list's order, or when ``backward`` in the reverse order; ``build_page`` makes
    the page out of them.
    """

    limit: int
    after: str | None = None
    before: str | None = None
    backward: bool = False


def page_request(
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> PageRequest:
    """The request that these arguments mean; without any, the first ``DEFAULT_PAGE``.

    Raises:
        BadUserInputError: both ``first`` and ``last``, or one of them below 0 or above
            ``MAX_PAGE``.
    """
    if first is not None and last is not None:
        raise BadUserInputError("Give either first or last, not both.", field="last")
    if last is not None:
        return PageRequest(limit=_checked(last, "last"), after=after, before=before, backward=True)
    limit = DEFAULT_PAGE if first is None else _checked(first, "first")
    return PageRequest(limit=limit, after=after, before=before)


def _checked(number: int, field: str) -> int:
    if not 0 <= number <= MAX_PAGE:
        raise BadUserInputError(f"{field} must be between 0 and {MAX_PAGE}.", field=field)
    return number
