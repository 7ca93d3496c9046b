"""The migrations in ``migrations/<domain>/versions``, read by Alembic and rendered to SQL.

Rendered, and not run by Alembic against a database: Alembic's ``op`` is one object per process, so
two shards could not be migrated at the same time in one process; and what is rendered once is
surely the same on every shard. History is a line: two revisions with the same parent are refused.
Nothing here does I/O but reading those files.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import make_url

from shared.errors import OperatorError

if TYPE_CHECKING:
    from alembic.script import Script

__all__ = ["History", "MigrationError", "Step"]

_TEMPLATE = Path(__file__).parent / "alembic_template"
_DIALECT = make_url("postgresql+asyncpg://").get_dialect()()
_RELATIVE = re.compile(r"[+-][0-9]{1,4}")


class MigrationError(OperatorError):
    """A migration could not be found, rendered or run; the message says which, and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``revision``, applied or taken back: leads to ``after`` (None: before the first revision)."""

    revision: str
    after: str | None
    statements: tuple[str, ...]


class History:
    """All revisions of a domain. A *position* is how many are applied: 0 is an empty database."""

    def __init__(self, domain: str, folder: Path | None = None) -> None:
        self.domain = domain
        self._folder = folder or _default_folder(domain)
        self._steps: dict[tuple[int, int], Step] = {}

    @property
    def revisions(self) -> tuple[str, ...]:
        """The revisions' names, oldest first."""
        return tuple(script.revision for script in self._scripts)

    @property
    def head(self) -> str | None:
        """The newest revision; None in a domain without migrations."""
        return self.revisions[-1] if self._scripts else None

    def position(self, revision: str | None) -> int | None:
        """Where a database at this revision stands; None when this code does not know it."""
        if revision is None:
            return 0
        return self.revisions.index(revision) + 1 if revision in self.revisions else None

    def target(self, to: str, start: int) -> int:
        """The position of ``head``, ``base``, a revision, or ``+n`` / ``-n`` from ``start``.

        Raises:
            MigrationError: there is no such position.
        """
        if to in ("head", "base"):
            return len(self._scripts) if to == "head" else 0
        position = start + int(to) if _RELATIVE.fullmatch(to) else self.position(to)
        if position is None or not 0 <= position <= len(self._scripts):
            raise MigrationError(f"{self.domain}: there is no revision {to}")
        return position

    def steps(self, start: int, end: int) -> tuple[Step, ...]:
        """The way from one position to another, up or down, in the order to be run."""
        if start <= end:
            return tuple(self._step(position, position + 1) for position in range(start, end))
        return tuple(self._step(position, position - 1) for position in range(start, end, -1))

    def write_new(self, message: str) -> Path:
        """Writes an empty revision after the head, named by the next number; returns its path."""
        if not any(character.isalnum() for character in message):
            raise MigrationError("a migration needs a message that says what it does")
        number = f"{len(self._scripts) + 1:04}"
        try:
            script = self._directory.generate_revision(number, message)
        except CommandError as error:
            raise MigrationError(f"{self.domain}: {error}") from error
        assert script is not None
        return Path(script.path)

    @cached_property
    def _directory(self) -> ScriptDirectory:
        versions = self._folder / "versions"
        if not versions.is_dir():
            raise MigrationError(f"{self.domain}: there is no folder {self.domain}/versions")
        return ScriptDirectory(
            _TEMPLATE,
            file_template="%(rev)s_%(slug)s",
            version_locations=[versions],
            timezone="UTC",
            messaging_opts={"quiet": True},
        )

    @cached_property
    def _scripts(self) -> tuple[Script, ...]:
        try:
            scripts = tuple(self._directory.walk_revisions())[::-1]
            heads = self._directory.get_heads()
        except Exception as error:  # whatever a migration file does while it is imported
            raise MigrationError(
                f"{self.domain}: the migrations cannot be read: {error}"
            ) from error
        if len(heads) > 1:
            names = ", ".join(sorted(heads))
            raise MigrationError(f"{self.domain}: {names} all come last: put one after the other")
        return scripts

    def _step(self, start: int, end: int) -> Step:
        step = self._steps.get((start, end))
        if step is None:
            script = self._scripts[min(start, end)]
            step = self._steps[start, end] = Step(
                revision=script.revision,
                after=self.revisions[end - 1] if end else None,
                statements=self._render(script, "upgrade" if start < end else "downgrade"),
            )
        return step

    def _render(self, script: Script, function: str) -> tuple[str, ...]:
        buffer = _Buffer()
        context = MigrationContext.configure(
            dialect=_DIALECT, opts={"as_sql": True, "output_buffer": buffer}
        )
        try:
            with Operations.context(context):
                getattr(script.module, function)()
        except Exception as error:  # whatever the author wrote there
            where = f"{self.domain}: {function}() of {script.revision}"
            raise MigrationError(f"{where} cannot be rendered: {error!r}") from error
        return tuple(buffer.statements)


class _Buffer:
    """What Alembic writes rendered SQL to: one call per statement."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def write(self, text: str) -> None:
        """Alembic's own comments, too, which do no harm."""
        self.statements.append(text.strip())

    def flush(self) -> None:
        """Part of the interface that Alembic expects."""


def _default_folder(domain: str) -> Path:
    spec = importlib.util.find_spec("migrations")
    if spec is None or spec.origin is None:
        raise MigrationError("the package `migrations` is not installed")
    return Path(spec.origin).parent / domain
