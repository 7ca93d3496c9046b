"""Objects of the response by their path, read from answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.executor.object_reader import join_lists

if TYPE_CHECKING:
    from router.executor.context import Json
    from router.executor.object_reader import ObjectReader, OpenObject, ResponsePath
    from router.executor.positions import Position

__all__ = ["Places"]


class Places:
    """Opens objects, each once: to be used while no answer comes in between."""

    def __init__(self, reader: ObjectReader, root: Position) -> None:
        self._reader = reader
        self._opened: dict[ResponsePath, tuple[OpenObject, Position]] = {
            (): (reader.open_root(), root)
        }
        self._lists: dict[ResponsePath, list[tuple[Json, ...]]] = {}

    def object_at(self, path: ResponsePath) -> tuple[OpenObject, Position]:
        """Return the object at the path of one that was in the response, and its position."""
        if path not in self._opened:
            field = max(i for i, step in enumerate(path) if isinstance(step, str))
            parent, _ = self.object_at(path[:field])
            key = path[field]
            assert parent.layout is not None
            assert isinstance(key, str)
            position = parent.layout.child(key)
            contexts = self._reader.contexts_below(parent)
            found = self._reader.open(position, self._raws_at(path), contexts)
            assert found is not None, "an object that was there is there still"
            self._opened[path] = found, position
        return self._opened[path]

    def _raws_at(self, path: ResponsePath) -> tuple[Json, ...]:
        """Return the value at a path, as each source has it."""
        *_, last = path
        if isinstance(last, int):
            return self._items(path[:-1])[last]
        found, _ = self.object_at(path[:-1])
        assert found.layout is not None
        return self._reader.read(found, found.layout.access[last])

    def _items(self, path: ResponsePath) -> list[tuple[Json, ...]]:
        if path not in self._lists:
            self._lists[path] = join_lists(self._raws_at(path)) or []
        return self._lists[path]
