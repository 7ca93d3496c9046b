"""From rows to pages, against a list in memory."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from shared.pagination import Page, PageRequest, build_page, page_request


def read(numbers: Sequence[int], request: PageRequest) -> list[int]:
    """What a repository does: `limit + 1` rows in the direction of the request."""
    rows = [
        number
        for number in numbers
        if (request.after is None or number > int(request.after))
        and (request.before is None or number < int(request.before))
    ]
    return sorted(rows, reverse=request.backward)[: request.limit + 1]


def page(numbers: Sequence[int], request: PageRequest) -> Page[int]:
    return build_page(read(numbers, request), request, str)


lists = st.integers(0, 30).map(lambda length: list(range(length)))


@given(lists, st.integers(1, 10))
def test_pages_forward_cover_the_list(numbers: list[int], first: int) -> None:
    seen: list[int] = []
    after: str | None = None
    while True:
        found = page(numbers, page_request(first=first, after=after))
        seen += found.nodes
        assert found.has_previous_page == (after is not None)
        if not found.has_next_page:
            break
        after = found.end_cursor

    assert seen == numbers


@given(lists, st.integers(1, 10))
def test_pages_backward_cover_the_list_in_its_own_order(numbers: list[int], last: int) -> None:
    seen: list[int] = []
    before: str | None = None
    while True:
        found = page(numbers, page_request(last=last, before=before))
        seen = [*found.nodes, *seen]
        assert found.has_next_page == (before is not None)
        if not found.has_previous_page:
            break
        before = found.start_cursor

    assert seen == numbers


def test_cursors_are_those_of_the_edges() -> None:
    found = page(range(10), page_request(first=3, after="4"))

    assert found.nodes == (5, 6, 7)
    assert [edge.cursor for edge in found.edges] == ["5", "6", "7"]
    assert (found.start_cursor, found.end_cursor) == ("5", "7")


def test_an_empty_page_has_no_cursors() -> None:
    found = page([], page_request())

    assert found.edges == ()
    assert (found.start_cursor, found.end_cursor) == (None, None)
    assert not found.has_next_page


def test_a_page_of_nothing_still_tells_whether_there_is_something() -> None:
    assert page([1], page_request(first=0)).has_next_page
    assert not page([], page_request(first=0)).has_next_page
