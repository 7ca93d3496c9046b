"""The size of a variable's value: checking it against its type, and passing it on, take time for
every value in it, and recursion for every level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from router.server.errors import RequestError, RequestErrorCode

if TYPE_CHECKING:
    from router.server.settings import RouterSettings

__all__ = ["InputLimits"]


_CONTAINERS = (dict, list)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputLimits:
    """Bounds for the lists and objects among an operation's variables.

    Attributes:
        depth: Levels of lists and objects in one variable.
        values: Items and members of all of a variable's lists and objects.
    """

    depth: int
    values: int

    @classmethod
    def of(cls, settings: RouterSettings) -> InputLimits:
        """Return the limits as they are configured."""
        return cls(depth=settings.max_input_depth, values=settings.max_input_values)

    def check(self, name: str, value: dict[str, Any] | list[Any]) -> None:
        """Refuse a value over a bound; at most ``values`` values are looked at."""
        left = self.values
        level: list[Any] = [value]
        for _ in range(self.depth):
            inner: list[Any] = []
            for container in level:
                left -= len(container)
                if left < 0:
                    code = RequestErrorCode.MAX_INPUT_VALUES_LIMIT
                    raise _too_much(code, name, f"{self.values} values")
                items = container.values() if container.__class__ is dict else container
                inner += [item for item in items if item.__class__ in _CONTAINERS]
            if not inner:
                return
            level = inner
        raise _too_much(RequestErrorCode.MAX_INPUT_DEPTH_LIMIT, name, f"{self.depth} levels")


def _too_much(code: RequestErrorCode, name: str, bound: str) -> RequestError:
    return RequestError(code, f"Variable '${name}' has more than {bound}", well_formed=True)
