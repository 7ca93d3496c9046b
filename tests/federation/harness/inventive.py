"""A subgraph that calls its types by names of its own invention.

An interface object's ``__typename`` is not the object's: only a subgraph with the real interface
knows that. A router that believes it shows it at once if the name is one that nobody has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from typing_extensions import override

from tests.federation.harness.subgraph import DataSubgraph

__all__ = ["InventiveSubgraph"]


@dataclass
class InventiveSubgraph(DataSubgraph):
    """Answers like its parent, with ``invented`` names in place of type names."""

    invented: Mapping[str, str] = field(default_factory=dict)

    @override
    async def _answer(
        self, payload: Mapping[str, Any], headers: dict[str, str]
    ) -> tuple[int, bytes]:
        status, answer = await super()._answer(payload, headers)
        return status, orjson.dumps(self._renamed(orjson.loads(answer)))

    def _renamed(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._renamed(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: self.invented.get(below, below)
            if key == "__typename" and isinstance(below, str)
            else self._renamed(below)
            for key, below in value.items()
        }
