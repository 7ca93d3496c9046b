"""Terms: parts of a cost that are numbers as far as possible, and functions of the variables where
not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

__all__ = ["Term", "Variables", "either", "product", "total", "value_of"]

Variables: TypeAlias = Mapping[str, Any]  # as VariableReader returns them
Term: TypeAlias = float | Callable[[Variables], float]


def value_of(term: Term, variables: Variables) -> float:
    """Return what a term comes to."""
    return term(variables) if callable(term) else term


def total(terms: Iterable[Term]) -> Term:
    """Return the sum."""
    constant = 0.0
    functions: list[Callable[[Variables], float]] = []
    for term in terms:
        if callable(term):
            functions.append(term)
        else:
            constant += term
    if not functions:
        return constant
    return lambda variables: sum([function(variables) for function in functions], constant)


def product(first: Term, second: Term) -> Term:
    """Return the product."""
    if not callable(first) and not callable(second):
        return first * second
    return lambda variables: value_of(first, variables) * value_of(second, variables)


def either(condition: Callable[[Variables], bool], term: Term) -> Term:
    """Return the term where the condition holds, 0 where not."""
    return lambda variables: value_of(term, variables) if condition(variables) else 0.0
