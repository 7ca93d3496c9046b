"""Versions of Apollo's specifications: ``v2.3`` in ``https://specs.apollo.dev/federation/v2.3``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from typing_extensions import override

__all__ = [
    "FEDERATION_1",
    "FEDERATION_VERSIONS",
    "IMPLIED_FEDERATION",
    "LATEST_FEDERATION",
    "Version",
]

_VERSION: Final = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A ``major.minor`` version; ordered as numbers."""

    major: int
    minor: int

    @classmethod
    def find(cls, text: str) -> Self | None:
        """Parse ``v2.3``; None when the text is not a version."""
        match = _VERSION.fullmatch(text)
        return cls(int(match[1]), int(match[2])) if match else None

    @override
    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}"


FEDERATION_1: Final = Version(1, 0)
"""What a subgraph without a ``@link`` to the federation specification speaks."""

FEDERATION_VERSIONS: Final = tuple(Version(2, minor) for minor in range(15))
"""Every Federation 2 version we know, oldest first."""

IMPLIED_FEDERATION: Final = {"authenticated": Version(2, 5), "cost": Version(2, 9)}
"""The Federation version that a link to a single specification brings with it."""

LATEST_FEDERATION: Final = FEDERATION_VERSIONS[-1]
