"""Requests of fetches with contexts: one entity call for each combination of contextual values.

All representations of an entity call share the operation's variables, so those that were given
different contextual values cannot be in one call. They go into one request all the same, under
aliases::

    collected            a: price in EUR, b: price in USD, c: price in EUR
    first group          _entities    representations [a, c]   $contextualArgument_0 = EUR
    second group         _entities_1  representations [b]      $contextualArgument_0_1 = USD

The answer is put together as if one call had been made for all, so that nothing behind this module
knows about groups. With one group the operation's text is the plan's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import orjson

from router.planner.operation_text import operation_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from router.executor.codegen.collection import Collection
    from router.executor.context import Json, JsonObject
    from router.executor.outcome import FetchOutcome
    from router.executor.sources import CallRef
    from router.planner.plan import EntityCall, FetchNode

__all__ = ["ContextualFetch", "GroupedRequest", "request_head"]

_MAX_HEADS: Final = 64  # kept per fetch; the number of groups is up to the data


@dataclass(frozen=True, slots=True)
class _Group:
    """The representations of a call that were given the same contextual values, by number."""

    values: Sequence[Json]
    numbers: Sequence[int]


_NOBODY: Final = _Group((), ())


def request_head(operation: str, name: str | None) -> bytes:
    """Return the body of a request up to the variables."""
    body: JsonObject = {"query": operation}
    if name is not None:
        body["operationName"] = name
    return orjson.dumps(body)[:-1]


class ContextualFetch:
    """A fetch of which some call has contexts; ``node`` is the plan's, with all conditions."""

    def __init__(self, node: FetchNode, calls: Sequence[CallRef]) -> None:
        self._node = node
        self._calls = calls
        self._heads: dict[tuple[int, ...], bytes] = {}

    def request(self, collected: Sequence[Collection]) -> GroupedRequest:
        """Group what has been collected."""
        groups = [
            _groups(ref, collection) for ref, collection in zip(self._calls, collected, strict=True)
        ]
        head = self._head(tuple(map(len, groups)))
        calls = [ref.call for ref in self._calls]
        return GroupedRequest(head, calls, groups, [made for _, made in collected])

    def _head(self, counts: tuple[int, ...]) -> bytes:
        head = self._heads.pop(counts, None)
        if head is None:
            head = request_head(self._text(counts), self._node.operation_name)
            if len(self._heads) >= _MAX_HEADS:
                del self._heads[next(iter(self._heads))]
        self._heads[counts] = head  # last in, last out
        return head

    def _text(self, counts: tuple[int, ...]) -> str:
        node = self._node
        if max(counts) == 1:
            return node.operation
        made = {ref.call.variable: n for ref, n in zip(self._calls, counts, strict=True)}
        calls = [
            _named(call, group)
            for call in node.entity_calls
            for group in range(made.get(call.variable, 1))
        ]
        return operation_text(node.kind, node.operation_name, node.declarations, (), calls)


class GroupedRequest:
    """One request: its body up to the variables, these, and how its answer is put together."""

    def __init__(
        self,
        head: bytes,
        calls: Sequence[EntityCall],
        groups: Sequence[Sequence[_Group]],
        representations: Sequence[Sequence[JsonObject]],
    ) -> None:
        self.head = head
        self._calls = calls
        self._groups = groups
        self._representations = representations

    @property
    def variables(self) -> JsonObject:
        """The variables of all calls."""
        variables: JsonObject = {}
        for call, groups, made in zip(
            self._calls, self._groups, self._representations, strict=True
        ):
            for index, group in enumerate(groups):
                variables[_name(call.variable, index)] = [made[n] for n in group.numbers]
                for context, value in zip(call.contexts, group.values, strict=False):
                    variables[_name(context.variable, index)] = value
        return variables

    def joined(self, outcome: FetchOutcome) -> FetchOutcome:
        """Return the outcome as that of a request with one call in place of its groups."""
        if all(len(groups) == 1 for groups in self._groups):
            return outcome
        data = outcome.data
        if data is not None:
            data = {
                call.response_key: _rows(data, call, groups)
                for call, groups in zip(self._calls, self._groups, strict=True)
            }
        return replace(outcome, data=data, errors=tuple(map(self._placed, outcome.errors)))

    def _placed(self, error: Json) -> Json:
        """An error with the path it would have in one call for all."""
        path = error.get("path") if isinstance(error, dict) else None
        if not isinstance(path, list) or not path:
            return error
        for call, groups in zip(self._calls, self._groups, strict=True):
            for index, group in enumerate(groups):
                if path[0] == _name(call.response_key, index):
                    return {**error, "path": [call.response_key, *_numbered(path[1:], group)]}
        return error


def _numbered(path: Sequence[Json], group: _Group) -> Iterator[Json]:
    """A path below a group's call, with the place in the list of all."""
    if path and isinstance(path[0], int) and 0 <= path[0] < len(group.numbers):
        yield group.numbers[path[0]]
        yield from path[1:]


def _groups(ref: CallRef, collection: Collection) -> list[_Group]:
    numbers, representations = collection
    if not ref.call.contexts:
        return [_Group((), range(len(representations)))]
    found: dict[Json, list[int]] = {}
    for key, number in numbers.items():
        found.setdefault(key[0], []).append(number)  # type: ignore[index]  # a key with contexts is a tuple
    return [_Group(orjson.loads(values), own) for values, own in found.items()] or [_NOBODY]


def _rows(
    data: Mapping[str, Json], call: EntityCall, groups: Sequence[_Group]
) -> list[Json] | None:
    """The entities of all groups in the order of all representations; None if a list is wrong."""
    rows: list[Json] = [None] * sum(len(group.numbers) for group in groups)
    for index, group in enumerate(groups):
        own = data.get(_name(call.response_key, index))
        if not isinstance(own, list) or len(own) != len(group.numbers):
            return None
        for number, row in zip(group.numbers, own, strict=True):
            rows[number] = row
    return rows


def _name(name: str, group: int) -> str:
    return f"{name}_{group}" if group else name


def _named(call: EntityCall, group: int) -> EntityCall:
    """The call as it is made for one of its groups."""
    contexts = (replace(c, variable=_name(c.variable, group)) for c in call.contexts)
    return replace(
        call,
        response_key=_name(call.response_key, group),
        variable=_name(call.variable, group),
        contexts=tuple(contexts),
    )
