"""GraphiQL as somebody in front of it uses it: write an operation, run it, read the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import orjson

if TYPE_CHECKING:
    from tests.support.browser_page import Page

__all__ = ["EDITOR_TEXT", "RESULT_TEXT", "GraphiQL"]

# What an editor shows; Monaco writes spaces as no-break spaces.
EDITOR_TEXT: Final = (
    "(document.querySelector('%s .view-lines')?.innerText ?? '').replaceAll('\\u00a0', ' ')"
)
RESULT_TEXT: Final = EDITOR_TEXT % ".result-window"

OPERATION_EDITOR: Final = ".graphiql-query-editor"
TOOL_EDITOR: Final = ".graphiql-editor-tool .graphiql-editor:not(.hidden)"


class GraphiQL:
    """The page at a GraphQL endpoint, in one browser page."""

    def __init__(self, page: Page, endpoint: str) -> None:
        self.page = page
        self.endpoint = endpoint

    async def open(self, **parameters: str) -> None:
        """Loads the page until it can be used; ``query`` and ``variables`` go into its address."""
        await self.page.goto(f"{self.endpoint}?{urlencode(parameters)}".rstrip("?"))
        await self.page.wait_for(f"{EDITOR_TEXT % OPERATION_EDITOR}.length > 1")
        await self.page.wait_for("document.querySelector('.graphiql-execute-button')")

    async def write_operation(self, line: str) -> None:
        """Replaces what the operation editor holds by one line."""
        await self._write(OPERATION_EDITOR, line)

    async def write_headers(self, headers: dict[str, str]) -> None:
        """Replaces what the headers editor holds."""
        await self._write_tool("headers", headers)

    async def write_variables(self, variables: dict[str, object]) -> None:
        """Replaces what the variables editor holds."""
        await self._write_tool("variables", variables)

    async def run(self) -> None:
        """Ctrl-Enter, as from the keyboard."""
        await self.page.press("Enter", code="Enter", ctrl=True)

    async def press_execute(self) -> None:
        """The round button: runs, or stops what is running."""
        await self.page.click(".graphiql-execute-button")

    async def result(self, containing: str) -> str:
        """What the result editor shows once it shows this text."""
        wanted = orjson.dumps(containing).decode()
        await self.page.wait_for(f"{RESULT_TEXT}.includes({wanted})")
        return str(await self.page.evaluate(RESULT_TEXT))

    def assert_undisturbed(self) -> None:
        """Nothing was asked for beyond the server, and nothing went wrong in the page."""
        urls = [url for url in self.page.log.urls if not url.startswith("data:")]

        assert {urlsplit(url).netloc for url in urls} == {urlsplit(self.endpoint).netloc}
        assert self.page.log.problems == []

    async def operation(self) -> str:
        """What the operation editor shows."""
        return str(await self.page.evaluate(EDITOR_TEXT % OPERATION_EDITOR))

    async def _write_tool(self, name: str, content: object) -> None:
        await self.page.click(f"button[data-name={name}]")
        await self._write(TOOL_EDITOR, orjson.dumps(content).decode())

    async def _write(self, editor: str, line: str) -> None:
        await self.page.wait_for(f"document.querySelector('{editor} textarea')")
        await self.page.evaluate(f"document.querySelector('{editor} textarea').focus()")
        await self.page.replace_text(line)
        # The editor takes a paste in a moment later.
        wanted = orjson.dumps(line).decode()
        await self.page.wait_for(f"{EDITOR_TEXT % editor} === {wanted}")
