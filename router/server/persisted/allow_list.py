"""The allow-list: which documents may run, from manifest files that may change at any time.

The files are looked at when a request comes and the last look was a while ago: no task, no watcher,
and symbolic links and replaced files are seen all the same. A manifest that cannot be used changes
nothing.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from router.server.errors import RouterConfigError
from router.server.persisted.manifest import ManifestError, plain_id, read_manifests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["AllowList"]

_log = structlog.get_logger(__name__)

_Stamp = tuple[int, int, int, int] | None


class AllowList:
    """The documents of some manifest files, read again when one of them has changed.

    Raises RouterConfigError when they cannot be read at first. ``check_interval`` is in seconds,
    by ``clock``.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        check_interval: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = tuple(paths)
        self._interval = check_interval
        self._clock = clock
        self._stamps = self._look()
        try:
            self._manifest = read_manifests(self._paths)
        except ManifestError as error:
            raise RouterConfigError(f"persisted documents: {error}") from None
        self._next_look = clock() + check_interval

    def __len__(self) -> int:
        return len(self._manifest.by_id)

    def find(self, identifier: str) -> str | None:
        """Return the document of an id, None when it is not in the list."""
        return self._manifest.by_id.get(plain_id(identifier))

    def allows(self, text: str) -> bool:
        """Tell whether a text is, to the letter, a document of the list."""
        return text in self._manifest.texts

    async def refresh(self) -> None:
        """Read the files again if one has changed and it is time to look.

        The one request that finds a change waits for it; the others go on with the list as it was.
        """
        now = self._clock()
        if now < self._next_look:
            return
        self._next_look = now + self._interval
        stamps = self._look()
        if stamps == self._stamps:
            return
        try:
            manifest = await asyncio.to_thread(read_manifests, self._paths)
        except ManifestError as error:
            _log.error("persisted documents not reloaded", reason=str(error))
        else:
            self._manifest = manifest
            _log.info("persisted documents reloaded", documents=len(manifest.by_id))
        # Those from before reading: what changes meanwhile is read the next time. Of a bad manifest
        # too, so that it is reported once.
        self._stamps = stamps

    def _look(self) -> tuple[_Stamp, ...]:
        return tuple(map(_stamp, self._paths))


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)
