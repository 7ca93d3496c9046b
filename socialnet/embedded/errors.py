"""Errors of the embedded runtime. They are meant for a person at a terminal, not for an API.

Every message says what is wrong and, where there is something to do, what to do; `socialnet.cli`
prints the message without a traceback and ends with exit code 1.
"""

from __future__ import annotations

from shared.errors import OperatorError


class EmbeddedError(OperatorError):
    """The embedded runtime cannot do what was asked; the message is shown to the user as it is."""


class PostgresError(EmbeddedError):
    """PostgreSQL could not be created, started or stopped; carries the end of its log."""


class FolderError(EmbeddedError):
    """The data folder cannot be used: locked by another process, of a newer version, foreign."""
