"""Masking: which errors of subgraphs clients may read, and what they read in place of the others.

An error that a subgraph made on purpose has a code. One without, or with the code of an internal
error, is an accident whose message may quote anything: SQL, addresses, other people's data.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

__all__ = ["MASKED", "ErrorMasking"]

MASKED: Final = "The subgraph reported an error that is not shown."

_INTERNAL: Final = "INTERNAL_SERVER_ERROR"
_MAX_LOGGED: Final = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ErrorMasking:
    """``codes`` are those whose errors are shown; None: every code but that of internal errors."""

    codes: frozenset[str] | None = None

    def hides(self, code: object) -> bool:
        """Whether an error with this code (whatever JSON it is) must not be shown."""
        if not isinstance(code, str):
            return True
        return code == _INTERNAL if self.codes is None else code not in self.codes

    @staticmethod
    def log(message: str, subgraph: str, request_id: str) -> None:
        """Keep for the operator what the client does not get to read."""
        _log.warning(
            "masked an error of subgraph %s (request %s): %r",
            subgraph,
            request_id,
            message[:_MAX_LOGGED],
        )
