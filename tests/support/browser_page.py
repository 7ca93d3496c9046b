"""One page of a headless browser: go somewhere, evaluate, type, look; and what it did meanwhile."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from tests.support.devtools import DevTools, DevToolsError, Json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Page", "PageLog"]

WAIT_SECONDS = 30.0

# Resolves once the expression is truthy. Polled in the page: that sees a change of any cause.
WAIT_SCRIPT = """
new Promise((resolve) => {
  const look = () => {
    const found = %s;
    found ? resolve(found instanceof Node ? true : found) : setTimeout(look, 20);
  };
  look();
})
"""

MIDDLE_SCRIPT = """
(() => {
  const box = document.querySelector(%s)?.getBoundingClientRect();
  return box?.width && [box.x + box.width / 2, box.y + box.height / 2];
})()
"""

PASTE_SCRIPT = """
(() => {
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/plain', %s);
  const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(event);
})()
"""


@dataclass(slots=True)
class PageLog:
    """What the page and its workers did, in the order in which it happened."""

    urls: list[str] = field(default_factory=list)  # every request, WebSockets included
    headers: dict[str, dict[str, str]] = field(default_factory=dict)  # of the last request, by url
    problems: list[str] = field(default_factory=list)  # errors on the console, exceptions
    sent: list[Json] = field(default_factory=list)  # WebSocket messages to the server
    received: list[Json] = field(default_factory=list)  # and from it

    def record(self, method: str, params: Json) -> None:
        """Takes one DevTools event."""
        match method:
            case "Network.requestWillBeSent":
                self._record_request(params["request"])
            case "Network.webSocketCreated":
                self.urls.append(params["url"])
            case "Network.webSocketFrameSent":
                self.sent.append(orjson.loads(params["response"]["payloadData"]))
            case "Network.webSocketFrameReceived":
                self.received.append(orjson.loads(params["response"]["payloadData"]))
            case "Runtime.exceptionThrown":
                self.problems.append(_exception_text(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "assert"}:
                self.problems.append(" ".join(_value_text(value) for value in params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                entry = params["entry"]
                self.problems.append(f"{entry['text']} {entry.get('url', '')}".strip())
            case _:
                pass

    def _record_request(self, request: Json) -> None:
        self.urls.append(request["url"])
        headers = {name.lower(): value for name, value in request["headers"].items()}
        self.headers[request["url"]] = headers


class Page:
    """A page in a browser context (a profile) of its own."""

    def __init__(self, devtools: DevTools, session: str) -> None:
        self._devtools = devtools
        self._session = session
        self.log = PageLog()
        self._logged = asyncio.Event()

    async def prepare(self) -> None:
        """Begins to record, in the page and in each worker it starts. Before the first ``goto``."""
        await self._observe(self._session)
        await self._call("Page.enable")

    async def goto(self, url: str) -> None:
        """Loads the page up to its ``load`` event; ``DevToolsError`` when there is no answer."""
        loaded = asyncio.Event()
        self._devtools.on_event(
            self._session,
            lambda method, _params: loaded.set() if method == "Page.loadEventFired" else None,
        )
        result = await self._call("Page.navigate", url=url)
        if "errorText" in result:
            raise DevToolsError(f"{url}: {result['errorText']}")
        async with asyncio.timeout(WAIT_SECONDS):
            await loaded.wait()

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited when it is a promise."""
        result = await self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in result:
            raise DevToolsError(_exception_text(result["exceptionDetails"]))
        return result["result"].get("value")

    async def wait_for(self, expression: str) -> Any:
        """Waits until the expression is truthy; its value (True for a DOM node)."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await self.evaluate(WAIT_SCRIPT % expression)
        except TimeoutError as late:
            text = await self.evaluate("document.body.innerText")
            raise TimeoutError(f"not so: {expression}\n{self.log.problems}\n{text}") from late

    async def wait_for_log(
        self, condition: Callable[[PageLog], bool], seconds: float = WAIT_SECONDS
    ) -> None:
        """Waits until what the page did so far satisfies the condition; else ``TimeoutError``."""
        async with asyncio.timeout(seconds):
            while not condition(self.log):
                self._logged.clear()
                await self._logged.wait()

    async def click(self, selector: str) -> None:
        """Clicks, with a real mouse event, the middle of the first element that matches."""
        x, y = await self.wait_for(MIDDLE_SCRIPT % orjson.dumps(selector).decode())
        for kind in ("mousePressed", "mouseReleased"):
            await self._call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def replace_text(self, text: str) -> None:
        """Pastes over all text where the focus is (typed brackets would close themselves)."""
        await self.press("a", code="KeyA", ctrl=True, commands=["selectAll"])
        await self.evaluate(PASTE_SCRIPT % orjson.dumps(text).decode())

    async def press(
        self, key: str, *, code: str, ctrl: bool = False, commands: list[str] | None = None
    ) -> None:
        """One key, down and up; ``key`` and ``code`` as in ``KeyboardEvent``."""
        virtual = {"Enter": 13}.get(key, ord(key[0].upper()))
        for kind in ("rawKeyDown", "keyUp"):
            await self._call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=code,
                modifiers=2 if ctrl else 0,
                windowsVirtualKeyCode=virtual,
                commands=(commands or []) if kind == "rawKeyDown" else [],
            )

    async def screenshot(self, path: Path) -> None:
        """Writes what is seen as a PNG file."""
        result = await self._call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(result["data"]))

    async def _call(self, method: str, **params: object) -> Json:
        return await self._devtools.call(method, self._session, **params)

    async def _observe(self, session: str) -> None:
        self._devtools.on_event(session, self._on_event)
        for domain in ("Network", "Runtime", "Log"):
            await self._devtools.call(f"{domain}.enable", session)
        # A worker starts paused and goes on when it is observed: none of its requests is missed.
        await self._devtools.call(
            "Target.setAutoAttach",
            session,
            autoAttach=True,
            waitForDebuggerOnStart=True,
            flatten=True,
        )

    def _on_event(self, method: str, params: Json) -> None:
        if method == "Target.attachedToTarget":
            self._devtools.spawn(self._observe_worker(params["sessionId"]))
        else:
            self.log.record(method, params)
            self._logged.set()

    async def _observe_worker(self, session: str) -> None:
        try:
            await self._observe(session)
            await self._devtools.call("Runtime.runIfWaitingForDebugger", session)
        except DevToolsError as error:  # on a page that is being closed nobody minds
            self.log.problems.append(f"a worker is not observed: {error}")


def _exception_text(details: Json) -> str:
    thrown = details.get("exception", {})
    return str(thrown.get("description") or thrown.get("value") or details["text"])


def _value_text(value: Json) -> str:
    return str(value.get("value") or value.get("description") or value["type"])
