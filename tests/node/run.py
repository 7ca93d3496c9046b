"""Running the scripts of this folder from tests."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "FOLDER",
    "ApolloResult",
    "audit_http",
    "compose_with_apollo",
    "load_into_gateway",
    "read_stream",
]

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ApolloResult:
    """What `@apollo/composition` makes of some subgraphs."""

    sdl: str | None
    errors: frozenset[str]
    hints: frozenset[str]


def compose_with_apollo(sets: list[list[dict[str, str]]]) -> list[ApolloResult]:
    """Compose sets of `{name, url, sdl}`."""
    return [
        ApolloResult(item["sdl"], frozenset(item["errors"]), frozenset(item["hints"]))
        for item in _run("compose.cjs", sets)
    ]


def load_into_gateway(supergraphs: list[str]) -> list[str | None]:
    """Load supergraphs into `@apollo/gateway`: None for each that loads, else why not."""
    loaded: list[str | None] = _run("load_gateway.cjs", supergraphs)
    return loaded


def audit_http(url: str, headers: dict[str, str]) -> list[dict[str, str]]:
    """Audit a server with `graphql-http`; a result has `id`, `name`, `status`, perhaps `reason`."""
    results: list[dict[str, str]] = _run("audit_http.cjs", {"url": url, "headers": headers})
    return results


def read_stream(
    url: str, protocol: str, query: str, *, method: str = "POST", take: int | None = None
) -> list[Any]:
    """Run an operation with the client of a protocol (`sse`, `multipart`, `defer`); returns what
    it gives its user, `take` messages at most.
    """
    given = {"url": url, "protocol": protocol, "query": query, "method": method, "take": take}
    messages: list[Any] = _run("read_stream.cjs", given)["messages"]
    return messages


def _run(script: str, given: object) -> Any:  # JSON
    done = subprocess.run(
        ["node", script],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        cwd=FOLDER,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
