"""Random changes of a subgraph's answer, as careless or broken subgraphs make them."""

from __future__ import annotations

import copy
import operator
import random
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

__all__ = ["damage", "mutate"]

_Slot: TypeAlias = tuple[Any, Any]  # a container and the key of a value in it

_STRANGE: tuple[Any, ...] = (
    {},
    [],
    [[]],
    [None],
    {"__typename": "Nobody"},
    {"__typename": ["Query"]},
    "",
    "text",
    "2",
    0,
    -1,
    1.5,
    2**40,
    True,
    False,
    [1, "a", None, {}],
)


def mutate(answer: Any, rng: random.Random) -> Any:
    """Return a changed copy of a response's JSON."""
    changed = {"answer": copy.deepcopy(answer)}
    for _ in range(rng.randint(1, 3)):
        slots = [slot for slot in _slots(changed) if slot[0] is not changed]
        if not slots:
            return _strange(rng)
        _change(*rng.choice(slots), rng)
    return changed["answer"]


def damage(answer: Any, rng: random.Random) -> Any:
    """Return a copy in which members of objects are missing."""
    damaged = {"answer": copy.deepcopy(answer)}
    for _ in range(rng.randint(1, 3)):
        members = [slot for slot in _slots(damaged["answer"]) if isinstance(slot[0], dict)]
        if members:
            container, key = rng.choice(members)
            del container[key]
    return damaged["answer"]


def _strange(rng: random.Random) -> Any:
    """A value of its own: one that others have too would be changed for them as well."""
    return copy.deepcopy(rng.choice(_STRANGE))


def _slots(value: Any) -> Iterator[_Slot]:
    items: Any = ()
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, item in items:
        yield value, key
        yield from _slots(item)


def _change(container: Any, key: Any, rng: random.Random) -> None:
    value = container[key]
    changes: list[Callable[[], Any]] = [
        lambda: operator.setitem(container, key, _strange(rng)),
        lambda: operator.setitem(container, key, rng.choice(([value], [[value]], {"v": value}))),
        lambda: operator.delitem(container, key),
        lambda: operator.setitem(container, key, None),
    ]
    if isinstance(container, list):
        changes.append(lambda: container.insert(key, copy.deepcopy(value)))
        changes.append(lambda: rng.shuffle(container))
    if isinstance(value, dict):
        name = rng.choice(["__typename", "id", "extra", "a1", "_entities"])
        changes.append(lambda: operator.setitem(value, name, _strange(rng)))
        changes.append(lambda: operator.setitem(container, key, next(iter(value.values()), {})))
    rng.choice(changes)()
