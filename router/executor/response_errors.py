"""Errors in the client's terms: those of subgraphs and failed fetches, mapped to its paths.

A subgraph speaks of ``_entities[3].price``, of its own aliases and of fields the planner added; a
client knows none of them. Here entity numbers become the paths of all objects that sent that
representation, response keys become output keys, and what the client has not asked for is cut off
the end of the path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from router.executor.errors import ExecutionErrorCode
from router.executor.masking import MASKED
from router.planner.plan import FieldSelection, SelectionSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from router.executor.answers import Answers
    from router.executor.client_selection import KeyTree
    from router.executor.context import ErrorDict, Json
    from router.executor.masking import ErrorMasking
    from router.executor.object_reader import ObjectReader, ResponsePath
    from router.executor.outcome import FetchFailure, FetchOutcome
    from router.executor.program import CompiledFetch
    from router.executor.sources import CallRef

_Rows: TypeAlias = "dict[int, dict[int, list[ResponsePath]]]"  # by call and number in its list

__all__ = ["ErrorLog", "ErrorMapper"]

_NO_MESSAGE = "The subgraph reported an error without a message."


class ErrorLog:
    """The errors of one response, and which nulls they explain."""

    def __init__(self) -> None:
        self.errors: list[ErrorDict] = []
        self._at: dict[ResponsePath, set[int]] = {}  # the fetches with errors there
        self._below: dict[ResponsePath, set[int]] = {}  # ... with errors there or further down

    def add(
        self,
        message: str,
        path: ResponsePath,
        extensions: Mapping[str, Json],
        fetch: int | None = None,
    ) -> None:
        """Add an error.

        ``fetch`` is the number of the fetch that it is about, if it is about one.
        """
        error: ErrorDict = {"message": message}
        if path:
            error["path"] = list(path)
        error["extensions"] = dict(extensions)
        self.errors.append(error)
        if fetch is not None:
            self._at.setdefault(path, set()).add(fetch)
            for length in range(len(path) + 1):
                self._below.setdefault(path[:length], set()).add(fetch)

    def explains(self, path: ResponsePath, fetches: frozenset[int]) -> bool:
        """Tell whether one of ``fetches`` has reported an error at, above or below ``path``."""
        if not fetches.isdisjoint(self._below.get(path, ())):
            return True
        return any(
            not fetches.isdisjoint(self._at.get(path[:length], ())) for length in range(len(path))
        )


class ErrorMapper:
    """Maps what went wrong in the fetches of one execution, once all of them are done."""

    def __init__(
        self,
        log: ErrorLog,
        answers: Answers,
        reader: ObjectReader,
        keys: KeyTree,
        passed_on: frozenset[str],
        masking: ErrorMasking | None = None,
        request_id: str = "",
    ) -> None:
        self._log = log
        self._answers = answers
        self._reader = reader
        self._keys = keys
        self._passed_on = passed_on
        self._masking = masking
        self._request_id = request_id

    def add(self, fetch: CompiledFetch, outcome: FetchOutcome) -> None:
        """Add the errors of one fetch."""
        if outcome.failure is not None:
            self._add_failure(fetch, outcome.failure)
        rows: _Rows = {}
        for error in outcome.errors:
            self._add_subgraph_error(fetch, error, rows)

    def _add_failure(self, fetch: CompiledFetch, failure: FetchFailure) -> None:
        extensions = {"code": failure.code, "service": fetch.subgraph, **failure.extensions}
        for path in self._affected(fetch):
            self._log.add(failure.message, path, extensions, fetch.index)

    def _affected(self, fetch: CompiledFetch) -> list[ResponsePath]:
        """Return the places that a failed fetch leaves empty: root fields, or objects."""
        if not fetch.calls:
            keys = (key for key in _output_keys(fetch.selections) if key in self._keys)
            return [(key,) for key in dict.fromkeys(keys)] or [()]
        return self._objects(fetch)

    def _objects(self, fetch: CompiledFetch) -> list[ResponsePath]:
        paths = (path for ref in fetch.calls for path, _, _ in self._reader.objects(ref))
        return list(dict.fromkeys(self._in_response(path) for path in paths)) or [()]

    def _add_subgraph_error(
        self,
        fetch: CompiledFetch,
        error: Json,
        rows: _Rows,
    ) -> None:
        message, extensions, path = _NO_MESSAGE, None, None
        if isinstance(error, dict):
            extensions, path = error.get("extensions"), error.get("path")
            if isinstance(error.get("message"), str):
                message = error["message"]
        shown = self._extensions(fetch, extensions)
        if self._masking is not None:
            message, shown = self._masked(self._masking, message, extensions, shown)
        for place in self._places(fetch, path, rows):
            self._log.add(message, place, shown, fetch.index)

    def _extensions(self, fetch: CompiledFetch, given: Json) -> dict[str, Json]:
        known = given if isinstance(given, dict) else {}
        code = known.get("code")
        shown = {key: value for key, value in known.items() if key in self._passed_on}
        if not isinstance(code, str) or "code" not in self._passed_on:
            code = ExecutionErrorCode.DOWNSTREAM_SERVICE_ERROR
        return {**shown, "code": code, "service": fetch.subgraph}

    def _masked(
        self, masking: ErrorMasking, message: str, given: Json, shown: dict[str, Json]
    ) -> tuple[str, dict[str, Json]]:
        """Return message and extensions of an error as the client may read them."""
        code = given.get("code") if isinstance(given, dict) else None
        if not masking.hides(code):
            return message, shown
        service = shown["service"]
        masking.log(message, service, self._request_id)
        if masking.codes is not None or not isinstance(code, str):
            code = ExecutionErrorCode.DOWNSTREAM_SERVICE_ERROR
        return MASKED, {"code": code, "service": service, "requestId": self._request_id}

    def _places(self, fetch: CompiledFetch, path: Json, rows: _Rows) -> list[ResponsePath]:
        """Return where in the response an error at ``path`` of the subgraph's answer is."""
        if not isinstance(path, list) or not path:
            return self._objects(fetch) if fetch.calls else [()]
        if not fetch.calls:
            return [self._in_response(tuple(_translated(fetch.selections, path)))]
        if fetch.calls[0].call.enters_root:
            below = tuple(_translated(fetch.calls[0].call.selections, path))
            return [self._in_response((*at, *below)) for at in self._objects(fetch)]
        ref = next((ref for ref in fetch.calls if ref.call.response_key == path[0]), None)
        if ref is None or len(path) < 2 or path[1].__class__ is not int:
            return self._objects(fetch)
        if ref.index not in rows:
            rows[ref.index] = self._rows(ref)
        below = tuple(_translated(ref.call.selections, path[2:]))
        objects = rows[ref.index].get(path[1], [])
        return list(dict.fromkeys(self._in_response((*at, *below)) for at in objects))

    def _rows(self, ref: CallRef) -> dict[int, list[ResponsePath]]:
        """Return the paths of the objects behind each number of an entity call's list."""
        numbers = self._answers.numbers[ref.index]
        rows: dict[int, list[ResponsePath]] = {}
        for path, key, _ in self._reader.objects(ref):
            if key in numbers:
                rows.setdefault(numbers[key], []).append(path)
        return rows

    def _in_response(self, path: ResponsePath) -> ResponsePath:
        """Cut ``path`` where it leaves what the client asked for."""
        keys = self._keys
        for length, step in enumerate(path):
            if isinstance(step, str):
                if step not in keys:
                    return path[:length]
                keys = keys[step]
        return path


def _output_keys(selections: SelectionSet) -> Iterator[str]:
    for selection in selections:
        if isinstance(selection, FieldSelection):
            yield selection.output_key
        else:
            yield from _output_keys(selection.selections)


def _translated(selections: SelectionSet, path: Iterable[Json]) -> Iterator[str | int]:
    """Translate a path from response keys to output keys, as far as it makes sense."""
    for step in path:
        if step.__class__ is int:  # not true or false, which Python counts among them
            yield step
            continue
        found = [field for field in _fields(selections) if field.response_key == step]
        if not found:
            return
        yield found[0].output_key
        selections = tuple(inner for field in found for inner in field.selections)


def _fields(selections: SelectionSet) -> Iterator[FieldSelection]:
    for selection in selections:
        if isinstance(selection, FieldSelection):
            yield selection
        else:
            yield from _fields(selection.selections)
