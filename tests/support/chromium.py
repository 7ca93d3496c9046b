"""Headless Chromium for tests: the system's own binary, driven over DevTools, nothing to download.

Every browser has a profile of its own in a temporary folder and resolves no host name, so a page
that asks for anything beyond the loopback address fails visibly. It is ended by its process id.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from tests.support.browser_page import Page
from tests.support.devtools import BROWSER, DevTools, DevToolsError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

__all__ = ["Chromium", "find_chromium"]

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
WINDOW: Final = (1440, 900)  # pixels, width and height

FLAGS: Final = (
    "--headless",
    "--no-sandbox",  # tests may run as root, where the sandbox does not start
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    f"--window-size={WINDOW[0]},{WINDOW[1]}",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)


def find_chromium() -> str | None:
    """The browser's binary: ``$CHROMIUM`` or the first of the usual names; None without one."""
    configured = os.environ.get("CHROMIUM")
    names = (configured,) if configured else NAMES
    return next(filter(None, map(shutil.which, names)), None)


class Chromium:
    """A running browser."""

    def __init__(self, devtools: DevTools) -> None:
        self._devtools = devtools

    @classmethod
    @asynccontextmanager
    async def launched(cls, binary: str) -> AsyncIterator[Chromium]:
        """A browser that is gone, with its profile, when the block ends."""
        with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
            process = await _start(binary, Path(profile))
            try:
                url = await _devtools_url(process)
                # Read on to the end: a full pipe would stop the browser.
                reader = asyncio.create_task(_discard(process))
                async with DevTools.connected(url) as devtools:
                    yield cls(devtools)
                    await _close(devtools, process)
                await reader
            finally:
                await _kill(process)

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """An empty page with nothing in its storage."""
        context = await self._devtools.call("Target.createBrowserContext", BROWSER)
        target = await self._devtools.call(
            "Target.createTarget", url="about:blank", browserContextId=context["browserContextId"]
        )
        attached = await self._devtools.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        page = Page(self._devtools, attached["sessionId"])
        await page.prepare()
        try:
            yield page
        finally:
            await self._devtools.call("Target.disposeBrowserContext", **context)


async def _start(binary: str, profile: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        binary,
        *FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # its helpers are in its process group: one signal reaches them all
    )


async def _devtools_url(process: Process) -> str:
    """Where DevTools listens, as said on stderr; ``DevToolsError`` with what was said instead."""
    assert process.stderr is not None
    said: list[str] = []
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in process.stderr:
                said.append(line.decode(errors="replace"))
                if found := re.match(r"DevTools listening on (ws://\S+)", said[-1]):
                    return found[1]
    except TimeoutError:
        said.append(f"(nothing after {START_SECONDS} s)")
    raise DevToolsError(f"Chromium did not start:\n{''.join(said)}")


async def _discard(process: Process) -> None:
    assert process.stderr is not None
    while await process.stderr.read(65536):
        pass


async def _close(devtools: DevTools, process: Process) -> None:
    with suppress(DevToolsError, TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await devtools.call("Browser.close")
            await process.wait()


async def _kill(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
