"""Writes the lines of one generated function and keeps the objects it refers to."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from router.executor.answers import NULLS
from router.executor.codegen.runtime import IrregularAnswerError, id_of, join, optional_id_of
from router.executor.object_reader import NO_CONTEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CodeTooLargeError", "FunctionWriter"]

_MAX_LINES = 5_000  # compiling takes some 7 µs a line, in which nothing else runs


class CodeTooLargeError(Exception):
    """The code would be larger than it is worth."""


class FunctionWriter:
    """Writes one function with the ``arguments`` given.

    ``T`` is the list of entity tables; ``table`` hoists the look-up of one to the top of the
    function.
    """

    def __init__(self, name: str, arguments: str) -> None:
        self._name = name
        self._arguments = arguments
        self._lines: list[str] = []
        self._depth = 1
        self._counters: dict[str, int] = {}
        self._tables: set[int] = set()
        self._memos: list[str] = []
        self._sets: dict[frozenset[str], str] = {}
        self._namespace: dict[str, Any] = {
            "NO_CONTEXTS": NO_CONTEXTS,
            "NULLS": NULLS,
            "IrregularAnswerError": IrregularAnswerError,
            "encode": orjson.dumps,
            "id_of": id_of,
            "join": join,
            "optional_id_of": optional_id_of,
        }

    def line(self, text: str) -> None:
        """Write one line."""
        if len(self._lines) >= _MAX_LINES:
            raise CodeTooLargeError
        self._lines.append(" " * self._depth + text)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Write ``header`` and indent what is written inside."""
        self.line(header)
        self._depth += 1
        length = len(self._lines)
        yield
        if len(self._lines) == length:
            self.line("pass")
        self._depth -= 1

    def fresh(self, prefix: str) -> str:
        """Return a variable name that is not in use."""
        number = self._counters.get(prefix, 0)
        self._counters[prefix] = number + 1
        return f"{prefix}{number}"

    def constant(self, prefix: str, value: object) -> str:
        """Make an object available under the name returned."""
        name = self.fresh(prefix)
        self._namespace[name] = value
        return name

    def constant_set(self, names: frozenset[str]) -> str:
        """Make a set of strings available; equal sets share a name."""
        if names not in self._sets:
            self._sets[names] = self.constant("SET", names)
        return self._sets[names]

    def table(self, index: int) -> str:
        """Return the name of the look-up function of an entity table."""
        self._tables.add(index)
        return f"row{index}"

    def memo(self) -> str:
        """Return the name of a dictionary that is empty when the function starts."""
        name = self.fresh("m")
        self._memos.append(name)
        return name

    def source(self) -> str:
        """Return the whole function as text."""
        head = [f"def {self._name}({self._arguments}):"]
        head.extend(f" {name} = {{}}" for name in self._memos)
        head.extend(f" row{index} = T[{index}].get" for index in sorted(self._tables))
        return "\n".join([*head, *self._lines, ""])

    def compile(self) -> Callable[..., Any]:
        """Return the function.

        Raises CodeTooLargeError when Python cannot take it: more nested loops or indentation than
        its compiler allows.
        """
        try:
            code = compile(self.source(), f"<{self._name}>", "exec")
        except (MemoryError, RecursionError, SyntaxError) as error:
            raise CodeTooLargeError from error
        exec(code, self._namespace)  # noqa: S102 - our own text: names are numbered, keys go through repr
        function: Callable[..., Any] = self._namespace[self._name]
        return function
