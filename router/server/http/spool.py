"""Where an uploaded file waits until subgraphs have it: in memory, or on disk when it is large."""

from __future__ import annotations

import asyncio
import threading
from tempfile import TemporaryFile
from typing import IO

__all__ = ["Spool"]


class Spool:
    """The bytes of one file: up to ``memory`` of them in memory, more in a file without a name."""

    __slots__ = ("_buffer", "_file", "_is_closed", "_lock", "_memory", "size")

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._buffer = bytearray()
        self._file: IO[bytes] | None = None
        self._is_closed = False
        self._lock = threading.Lock()  # a file has one position for all who read it
        self.size = 0

    async def append(self, data: bytes) -> None:
        """Add bytes; one caller at a time, and nobody reads yet."""
        self.size += len(data)
        if self.size <= self._memory:
            self._buffer += data
        else:
            await asyncio.to_thread(self._write, data)

    async def read(self, offset: int, size: int) -> bytes:
        """Return at most ``size`` bytes from ``offset`` on."""
        if self._file is None:
            return bytes(memoryview(self._buffer)[offset : offset + size])
        return await asyncio.to_thread(self._read, self._file, offset, size)

    def close(self) -> None:
        """Give memory and disk free."""
        with self._lock:
            self._is_closed = True
            self._buffer = bytearray()
            if self._file is not None:
                self._file.close()

    def _write(self, data: bytes) -> None:
        with self._lock:
            if self._is_closed:
                return  # the request was given up while this waited for its thread
            if self._file is None:
                self._file = TemporaryFile(prefix="router-upload-")  # noqa: SIM115 - see close()
                self._file.write(self._buffer)
                self._buffer = bytearray()
            self._file.write(data)

    def _read(self, file: IO[bytes], offset: int, size: int) -> bytes:
        with self._lock:
            file.seek(offset)
            return file.read(size)
